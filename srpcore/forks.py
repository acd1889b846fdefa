"""Start anew in a child process: who holds a lock, or waits for an answer, may be a thread that only the parent has."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["start_anew_after_fork"]

T = TypeVar("T")


def start_anew_after_fork(thing: T, anew: Callable[[T], None]) -> None:
    """Have ``anew(thing)`` called in each child process, for as long as *thing* lives; no other thread runs then."""
    _EVERY[thing] = anew


_EVERY: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()


def _after_fork() -> None:
    for thing, anew in list(_EVERY.items()):
        anew(thing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
