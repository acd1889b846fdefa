"""A bounded number of threads that do the work of the server, such as the arithmetic of SRP.

There are more threads than cores, because a thread may wait for the database while another one computes, and OpenSSL
and SQLite release the lock of the interpreter. If all threads wait long for other code, for example for triggers,
:meth:`Workers.relieve` starts more of them.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

__all__ = ["Workers"]

T = TypeVar("T")

_PER_CORE = 4
_AT_MOST = 64


class Workers(Generic[T]):
    """Threads that call *work* with each submitted item. A thread is started when all others are busy.

    Only one thread may call :meth:`submit` and :meth:`relieve`. An exception of *work*, even
    SystemExit, is dropped: it does not end the thread.

    Attributes:
        limit: how many threads there are at most, without those of :meth:`relieve`.
    """

    def __init__(self, work: Callable[[T], None]) -> None:
        self._work = work
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        # One element for each thread that waits for an item. Both ends of a deque can be used without a lock.
        self._idle: deque[None] = deque()
        self._threads: list[threading.Thread] = []
        self.limit = min(_AT_MOST, _PER_CORE * (os.cpu_count() or 1))
        self._taken = self._taken_before = 0
        self._closing = False

    def submit(self, item: T) -> None:
        """Have a thread call the function with *item*, at once or when one is free."""
        self._queue.put(item)
        try:
            self._idle.pop()
        except IndexError:
            if len(self._threads) < self.limit:
                self._start_thread(self._run)

    @property
    def overloaded(self) -> bool:
        """Whether items wait for a thread."""
        return not self._queue.empty()

    def relieve(self) -> None:
        """Start a thread for one item if items wait, and none was taken since the last call.

        Handlers may call other code (the triggers of a pool), and that code may call this server. If all threads waited
        for such code, no thread would be left for the calls that it waits for.
        """
        if self._taken == self._taken_before and self.overloaded and len(self._threads) < _AT_MOST:
            self._start_thread(self._run_once)
        self._taken_before = self._taken

    def close(self) -> None:
        """Let the threads end when they have done what they are doing, and wait for them. Drop the items that wait."""
        self._closing = True
        threads = list(self._threads)
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()

    def _start_thread(self, run: Callable[[], object]) -> None:
        thread = threading.Thread(target=run, name="srpcore-local-pool", daemon=True)
        self._threads.append(thread)
        try:
            thread.start()
        except RuntimeError:
            # The system has no more threads. The item waits, and relieve() tries again.
            self._threads.remove(thread)

    def _run(self) -> None:
        while True:
            if self._queue.empty():
                self._idle.append(None)
            if not self._take():
                return

    def _run_once(self) -> None:
        self._take()
        self._threads.remove(threading.current_thread())

    def _take(self) -> bool:
        """Wait for an item and work on it. Return False if there is nothing more to do."""
        item = self._queue.get()
        if item is None or self._closing:
            return False
        self._taken += 1
        with contextlib.suppress(BaseException):
            self._work(item)
        return True
