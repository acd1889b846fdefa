"""One definition for the two facades: a method is written as a flow, and driven by each in its way."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..wire import Flow

__all__ = ["awaited", "blocking", "flow_of"]

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")

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


def flow_of(method: Callable[..., Any]) -> Callable[..., Flow[Any]]:
    """Return the generator method behind *method* of either facade."""
    flow: Callable[..., Flow[Any]] = getattr(method, _FLOW)
    return flow
