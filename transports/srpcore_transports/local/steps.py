"""Handlers that compute for a long time: generators that yield the function to be computed.

A handler runs in a transaction, which excludes all other requests. SRP arithmetic, RSA signatures and triggers take
long, so they do not run there: the handler yields a function, the transaction is committed, the function is called
while other requests are processed, and the handler goes on in a new transaction with its result. Such a place can be
seen in the code: it is a ``yield from`` in every function from the handler down to it. After it, the records may have
been changed by other requests.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar, cast

__all__ = ["Step", "outside"]

T = TypeVar("T")

Step: TypeAlias = Generator[Callable[[], object], Any, T]
"""A generator that yields functions to be called outside of the transaction, and returns a value of the type T."""


def outside(function: Callable[[], T]) -> Step[T]:
    """Call *function* outside of the transaction, and return its result. Use it with ``yield from``."""
    return cast(T, (yield function))
