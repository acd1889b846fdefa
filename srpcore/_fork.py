"""Reset in a forked child what only threads of the parent could put right.

``fork()`` copies a held lock, but not the thread that would release it, so the child would wait forever. A lock that is
held while something slow happens (a request, a file, a key being computed) is therefore a :class:`ForkSafeLock`. What
else must start afresh in a child (an answer that another thread waits for, say) is registered with
:func:`reset_in_child`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["ForkSafeLock", "reset_in_child"]

T = TypeVar("T")


def reset_in_child(thing: T, reset: Callable[[T], None]) -> None:
    """Have ``reset(thing)`` called in each forked child, as long as *thing* lives; no other thread runs then."""
    _RESETS[thing] = reset


class ForkSafeLock:
    """A lock that a forked child finds free. Use it as ``with thing.lock: ...``. It is not re-entrant.

    ``lock`` is a plain lock of the interpreter, which the child replaces with a new one. This class has no __enter__,
    for two reasons. A Ctrl-C could arrive within it, after the lock was acquired and before the block began. And a
    thread that forks within a block leaves it in the child too, by releasing the lock that it holds: the old one.
    """

    __slots__ = ("__weakref__", "lock")

    def __init__(self) -> None:
        self.lock = Lock()
        reset_in_child(self, ForkSafeLock._reset)

    def _reset(self) -> None:
        self.lock = Lock()

    def __reduce__(self) -> tuple[type[ForkSafeLock], tuple[()]]:
        # A copy protects other data, so it has a lock of its own.
        return ForkSafeLock, ()


_RESETS: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()


def _reset_all() -> None:
    for thing, reset in list(_RESETS.items()):
        reset(thing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_all)
