"""Reset in a forked child what only threads of the parent could put right.

``fork()`` copies a held lock, but not the thread that would release it, so the child would wait forever. A lock that is
held while something slow happens (a request, a file, a key being computed) is therefore a :class:`ForkSafeLock`. What
else must start afresh in a child (an answer that another thread waits for, say) is registered with
:func:`reset_in_child`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock, get_ident
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["ForkSafeLock", "reset_in_child"]

T = TypeVar("T")


def reset_in_child(thing: T, reset: Callable[[T], None]) -> None:
    """Have ``reset(thing)`` called in each forked child, as long as *thing* lives; no other thread runs then."""
    _RESETS[thing] = reset


class ForkSafeLock:
    """A lock that a forked child finds free, unless the thread that forked holds it: that thread runs in the child too.

    It is not re-entrant.
    """

    __slots__ = ("__weakref__", "_lock", "_owner")

    def __init__(self) -> None:
        self._lock = Lock()
        self._owner: int | None = None
        reset_in_child(self, ForkSafeLock._reset)

    def __enter__(self) -> None:
        self._lock.acquire()
        self._owner = get_ident()

    def __exit__(self, *exc_info: object) -> None:
        self._owner = None
        self._lock.release()

    def acquire(self, timeout: float = -1) -> bool:
        """Take the lock within *timeout* seconds (-1: wait as long as it takes), and return whether it was taken."""
        taken = self._lock.acquire(timeout=timeout) if timeout else self._lock.acquire(blocking=False)
        if taken:
            self._owner = get_ident()
        return taken

    def release(self) -> None:
        """Release the lock, from any thread."""
        self._owner = None
        self._lock.release()

    def locked(self) -> bool:
        """Return whether a thread holds the lock."""
        return self._lock.locked()

    def _reset(self) -> None:
        if self._owner != get_ident():
            self._lock, self._owner = Lock(), None

    def __deepcopy__(self, memo: object) -> ForkSafeLock:
        return ForkSafeLock()


_RESETS: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()


def _reset_all() -> None:
    for thing, reset in list(_RESETS.items()):
        reset(thing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
