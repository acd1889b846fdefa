"""Steps: handlers as generators, which yield the functions that must run while no lock is held."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar, cast

__all__ = ["Step", "outside"]

T = TypeVar("T")

Step: TypeAlias = Generator[Callable[[], object], Any, T]
"""A generator that yields functions to call, is sent their results, and returns a T."""


def outside(function: Callable[[], T]) -> Step[T]:
    """Call *function* while no lock is held, and return its result."""
    return cast(T, (yield function))
