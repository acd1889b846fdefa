"""A bounded number of threads that do the work of the server, such as the arithmetic of SRP.

There are at most two threads for each core: one can compute while another one waits for the database or a trigger. More
threads would not compute faster, but a thread that returns from OpenSSL or SQLite would wait longer for the lock of the
interpreter.

A handler may wait for other code, for example for a trigger, and that code may call this server. If such handlers
occupied all threads, none would be left for the calls that they wait for. So if fewer items are taken in a while than
there are regular threads, :meth:`Workers.relieve` starts more, up to a second limit. If no item at all is taken at that
limit, it takes back those that wait, so that they are refused: the code that called the server then gets an answer in
any case, and its handler goes on.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

__all__ = ["Workers"]

T = TypeVar("T")

_PER_CORE = 2
_MAX_THREADS = 64
_MAX_WITH_RELIEF = 512


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
        self.limit = min(_MAX_THREADS, _PER_CORE * (os.cpu_count() or 1))
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

    def relieve(self) -> list[T]:
        """Start more threads, each for one item, if items wait and fewer than :attr:`limit` were taken since last time.

        This can double the number of threads. If none can be started and none has taken an item, the items that wait
        are taken back.

        Returns:
            The items that were taken back. *work* is not called with them.
        """
        refused: list[T] = []
        taken = self._taken - self._taken_before
        if taken < self.limit and self.overloaded:
            running = len(self._threads)
            wanted = min(_MAX_WITH_RELIEF - running, self._queue.qsize(), max(1, running))
            started = [self._start_thread(self._run_once) for _ in range(wanted)]
            if running and not any(started) and not taken:
                refused = self._take_back()
        self._taken_before += taken
        return refused

    def close(self) -> None:
        """Let the threads end when they have done what they are doing, and wait for them. Drop the items that wait."""
        self._closing = True
        threads = list(self._threads)
        for _ in threads:
            self._queue.put(None)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join()

    def _take_back(self) -> list[T]:
        items: list[T] = []
        with contextlib.suppress(Empty):
            while True:
                item = self._queue.get_nowait()
                if item is not None:
                    items.append(item)
        return items

    def _start_thread(self, run: Callable[[], object]) -> bool:
        thread = threading.Thread(target=run, name="srpcore-local-pool", daemon=True)
        self._threads.append(thread)
        try:
            thread.start()
        except RuntimeError:
            # The system has no more threads. The item waits, and relieve() tries again.
            self._threads.remove(thread)
            return False
        return True

    def _run(self) -> None:
        while True:
            if self._queue.empty():
                self._idle.append(None)
            if not self._call(self._queue.get()):
                return

    def _run_once(self) -> None:
        with contextlib.suppress(Empty):  # another thread was faster
            self._call(self._queue.get_nowait())
        self._threads.remove(threading.current_thread())

    def _call(self, item: T | None) -> bool:
        """Work on *item*. Return False if there is nothing more to do."""
        if item is None or self._closing:
            return False
        self._taken += 1
        with contextlib.suppress(BaseException):
            self._work(item)
        return True
