"""Drive a flow over a transport: the only place where logic meets I/O."""

from __future__ import annotations

from contextlib import closing
from typing import TypeVar

from .wire import AsyncTransport, Flow, Operation, Transport

__all__ = ["arun", "run"]

T = TypeVar("T")


def run(flow: Flow[T], transport: Transport) -> T:
    """Run *flow* to its end over a synchronous *transport* and return its result.

    Raises:
        SrpcoreError: whatever the flow or the transport raises; the flow is closed on every exit.
    """
    answer: object = None
    with closing(flow):
        while True:
            # Only around send: an exhausted fake transport may raise StopIteration itself, and around the
            # whole loop that would look like a flow that returned None.
            try:
                request = flow.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = transport.call(request) if isinstance(request, Operation) else transport.fetch(request.url)


async def arun(flow: Flow[T], transport: AsyncTransport) -> T:
    """Run *flow* to its end over an asynchronous *transport* and return its result.

    Raises:
        SrpcoreError: whatever the flow or the transport raises; the flow is closed on every exit.
    """
    answer: object = None
    with closing(flow):
        while True:
            try:
                request = flow.send(answer)
            except StopIteration as stop:
                result: T = stop.value
                return result
            answer = await (transport.call(request) if isinstance(request, Operation) else transport.fetch(request.url))
