"""Drive a flow over a transport: the only place where logic meets I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from .wire import AsyncTransport, Flow, Operation, Request, Transport

__all__ = ["arun", "in_thread", "run"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Result(Generic[T]):
    value: T


def _step(flow: Flow[T], answer: object) -> Request | _Result[T]:
    # StopIteration is caught around send alone: an exhausted fake transport may raise it too, and around the whole
    # loop that would look like a flow that returned None. Nor could it cross from a thread to an event loop.
    try:
        return flow.send(answer)
    except StopIteration as stop:
        return _Result(stop.value)


def run(flow: Flow[T], transport: Transport) -> T:
    """Run *flow* to its end over a synchronous *transport* and return its result.

    Raises:
        SrpcoreError: whatever the flow or the transport raises; the flow is closed on every exit.
    """
    answer: object = None
    with closing(flow):
        while not isinstance(request := _step(flow, answer), _Result):
            answer = transport.call(request) if isinstance(request, Operation) else transport.fetch(request.url)
        return request.value


class Offload(Protocol):
    """Runs a function where it does not block the event loop."""

    def __call__(self, function: Callable[..., T], /, *arguments: Any) -> Awaitable[T]:
        """Return what *function* returns."""
        ...


async def arun(flow: Flow[T], transport: AsyncTransport, *, offload: Offload | None = None) -> T:
    """Run *flow* to its end over an asynchronous *transport* and return its result.

    With *offload* (:func:`in_thread`), the flow's own work, such as SRP's arithmetic, happens off the event loop.

    Raises:
        SrpcoreError: whatever the flow or the transport raises; the flow is closed on every exit.
    """
    answer: object = None
    with closing(flow):
        while True:
            request = await offload(_step, flow, answer) if offload else _step(flow, answer)
            if isinstance(request, _Result):
                return request.value
            answer = await (transport.call(request) if isinstance(request, Operation) else transport.fetch(request.url))


async def in_thread(function: Callable[..., T], /, *arguments: Any) -> T:
    """Return what *function* returns, which runs in a thread of asyncio's while the event loop goes on.

    A cancellation waits for the function's end: a flow cannot be closed while it runs.
    """
    import asyncio

    running = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if not running.cancelled():
            await asyncio.wait([running])
        raise
