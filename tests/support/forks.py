"""Fork in a test: run a function in the child, and hold a lock on another thread of the parent."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Event, Thread

__all__ = ["held_by_another_thread", "in_a_child"]


def in_a_child(*acts: Callable[[], object]) -> int:
    """Return the exit code of a fork of this process that does *acts*, or minus the signal that ended it."""
    child = os.fork()
    if not child:
        signal.alarm(100)
        code = 1
        try:
            for act in acts:
                act()
            code = 0
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent is to read it
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def held_by_another_thread(*locks: AbstractContextManager[object]) -> Generator[None, None, None]:
    """Have a thread of its own hold *locks* while the block runs."""
    held, release = Event(), Event()

    def hold() -> None:
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            held.set()
            release.wait(60)

    thread = Thread(target=hold)
    thread.start()
    try:
        assert held.wait(60)
        yield
    finally:
        release.set()
        thread.join(60)
