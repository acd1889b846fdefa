"""Handlers that compute for a long time: generators that yield the function to be computed.

A handler runs in a transaction, which excludes all other requests. SRP arithmetic, RSA signatures and triggers take
long, so they do not run there: the handler yields a function, the transaction is committed, the function is called
while other requests are processed, and the handler goes on in a new transaction with its result::

    handler begins, and yields a function                            in a transaction
      |
      v
    function() --> result or exception                               outside, with other requests
      |
      v
    handler goes on, and returns, or yields the next function        in a new transaction

Such a place can be seen in the code: it is a ``yield from`` in every function from the handler down to it. After it,
the records may have been changed by other requests.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, cast

__all__ = ["Step", "Transact", "outside", "run"]

T = TypeVar("T")

Step: TypeAlias = Generator[Callable[[], object], Any, T]
"""A generator that yields functions to be called outside of the transaction, and returns a value of the type T."""


def outside(function: Callable[[], T]) -> Step[T]:
    """Call *function* outside of the transaction, and return its result. Use it with ``yield from``."""
    result: T = yield function
    return result


class Transact(Protocol):
    """Calls a function in a transaction, and returns its result."""

    def __call__(self, function: Callable[[], T], /) -> T:
        """Call *function*."""
        ...


def run(handler: Callable[[], T | Step[T]], transact: Transact) -> T:
    """Call *handler* in a transaction, and return its result.

    If it is a generator, each function that it yields is called between two transactions.
    """
    step = _as_step(handler)
    reached = transact(lambda: _advance(lambda: next(step)))
    while not isinstance(reached, _Finished):
        reached = _compute_and_advance(step, reached, transact)
    value: T = reached.value
    return value


def _as_step(handler: Callable[[], T | Step[T]]) -> Step[T]:
    """Return a generator that calls *handler* when it is first advanced."""
    result = handler()
    if not isinstance(result, Generator):
        return result
    return (yield from cast("Step[T]", result))


@dataclass(slots=True)
class _Finished:
    value: Any


def _advance(resume: Callable[[], Callable[[], object]]) -> Callable[[], object] | _Finished:
    try:
        return resume()
    except StopIteration as finished:
        return _Finished(finished.value)


def _compute_and_advance(
    step: Step[Any], function: Callable[[], object], transact: Transact
) -> Callable[[], object] | _Finished:
    try:
        value = function()
    except Exception as error:  # noqa: BLE001 - the handler decides what an exception means
        raised = error
        return transact(lambda: _advance(lambda: step.throw(raised)))
    return transact(lambda: _advance(lambda: step.send(value)))
