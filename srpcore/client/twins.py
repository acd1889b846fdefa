"""One definition for the two facades: a method is written as a flow, and driven by each in its way."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..wire import Flow

__all__ = ["awaited", "blocking", "flow_of", "is_own", "twin_of"]

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])

_FLOW = "__flow__"


def blocking(flow: Callable[Concatenate[S, P], Flow[T]]) -> Callable[Concatenate[S, P], T]:
    """Make the generator method *flow* a plain method of the synchronous facade, with the same signature."""

    @wraps(flow)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._run(flow(self, *args, **kwargs))
        return result

    setattr(method, _FLOW, flow)
    return method


def awaited(method: Callable[Concatenate[Any, P], T]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Return the asynchronous twin of *method*, which :func:`blocking` has made."""
    flow = flow_of(method)

    @wraps(flow)
    async def twin(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await self._run(flow(self, *args, **kwargs))
        return result

    setattr(twin, _FLOW, flow)
    return twin


def twin_of(method: Callable[..., Any]) -> Callable[[C], C]:
    """Mark a coroutine function that is written by hand as the asynchronous twin of *method*, and *method* as its."""

    def mark(twin: C) -> C:
        twin.__doc__ = method.__doc__
        for half in (method, twin):
            setattr(half, _FLOW, None)
        return twin

    return mark


def is_own(method: object) -> bool:
    """Say whether *method* is a facade's own, and not a program's in its place."""
    return hasattr(method, _FLOW)


def flow_of(method: Callable[..., Any]) -> Callable[..., Flow[Any]]:
    """Return the generator method behind *method* of either facade."""
    flow: Callable[..., Flow[Any]] = getattr(method, _FLOW)
    return flow
