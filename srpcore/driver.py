"""Run a flow over a transport. This module connects the protocol, which does no I/O, with the code that does.

Theory of operation::

    flow (a generator)                driver                     transport, or the caller's own code
        yield Operation(...)  ───────►  transport.call(...)   ───────►  the service
        ◄─── Reply, or raises ────────  ◄─────────────────────────────

A flow yields a request and is resumed with the answer. If the request fails, the error is raised at the flow's
``yield``, so that the flow can clean up, or go on without the answer. The flow itself never blocks: between two
requests it only computes.

:func:`run` and :func:`arun` raise the audit event ``srpcore.run`` when they start. With it, a test proves that no
driver is started inside a flow.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar, cast

from .protocol import AsyncTransport, CallMethod, Fetch, Flow, Operation, Reply, Request, Transport

__all__ = ["Observer", "Offload", "arun", "run"]

T = TypeVar("T")


class _Result(Generic[T]):
    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


def _advance(resume: Callable[[Any], Request], answer: object) -> Request | _Result[Any]:
    # Catch StopIteration around this call only. A fake transport that has no more answers may raise it too, and if the
    # whole loop were in the `try`, that would look like a flow that returned None. The result is wrapped because a
    # StopIteration cannot be raised out of a thread into an event loop.
    try:
        return resume(answer)
    except StopIteration as stop:
        return _Result(stop.value)
    finally:
        # If the answer is an error, its traceback refers to this frame, and the frame to the error. Break that cycle:
        # otherwise both stay in memory until the garbage collector runs.
        del answer


class Observer(Protocol):
    """Receive each reply of the service, and the error with which a flow ends."""

    def replied(self, reply: Reply, /) -> None:
        """Note a reply that has just arrived, before the flow gets it."""
        ...

    def failed(self, error: Exception, /) -> None:
        """Note the error that is about to be raised."""
        ...


def run(flow: Flow[T], transport: Transport, *, observer: Observer | None = None) -> T:
    """Run *flow* to its end over a synchronous *transport*, and return its result. The flow is always closed.

    *observer* gets each reply, and the error with which the flow ends.

    Raises:
        SrpcoreError: an error of the transport that the flow does not handle, or an error of the flow itself.
    """
    sys.audit("srpcore.run")
    resume: Callable[[Any], Request] = flow.send
    answer: object = None
    try:
        while not isinstance(request := _advance(resume, answer), _Result):
            try:
                answer, resume = _perform(request, transport), flow.send
                if observer is not None and isinstance(answer, Reply):
                    observer.replied(answer)
            except StopIteration:  # from a fake transport; a generator would turn it into a RuntimeError (PEP 479)
                raise
            except Exception as error:  # noqa: BLE001 - every error belongs to the flow
                answer, resume = error, flow.throw
        result: T = request.value
        return result
    except Exception as error:
        if observer is not None:
            observer.failed(error)
        raise
    finally:
        answer = None  # see _advance
        flow.close()


def _perform(request: Request, transport: Transport) -> object:
    if isinstance(request, Operation):
        return transport.call(request)
    if isinstance(request, Fetch):
        return transport.fetch(request.url)
    return request.function()


class Offload(Protocol):
    """Runs a function without blocking the event loop."""

    def __call__(self, function: Callable[..., T], /, *arguments: Any) -> Awaitable[T]:
        """Return what *function* returns."""
        ...


async def arun(
    flow: Flow[T],
    transport: AsyncTransport,
    *,
    offload: Offload | None = None,
    observer: Observer | None = None,
) -> T:
    """Run *flow* to its end over an asynchronous *transport*, and return its result. The flow is always closed.

    Args:
        flow: the flow.
        transport: carries out the flow's requests.
        offload: runs the flow's computation (for example SRP) and its blocking functions, so that they do not block the
            event loop: see :func:`srpcore.offload.in_thread`. By default they run on the event loop.
        observer: gets each reply, and the error with which the flow ends.

    Raises:
        SrpcoreError: an error of the transport that the flow does not handle, or an error of the flow itself.
    """
    sys.audit("srpcore.run")
    resume: Callable[[Any], Request] = flow.send
    answer: object = None
    try:
        while True:
            request = await offload(_advance, resume, answer) if offload else _advance(resume, answer)
            if isinstance(request, _Result):
                result: T = request.value
                return result
            try:
                answer, resume = await _aperform(request, transport, offload), flow.send
                if observer is not None and isinstance(answer, Reply):
                    observer.replied(answer)
            except Exception as error:  # noqa: BLE001 - every error belongs to the flow
                answer, resume = error, flow.throw
    except Exception as error:
        if observer is not None:
            observer.failed(error)
        raise
    finally:
        answer = None  # see _advance
        flow.close()


async def _aperform(request: Request, transport: AsyncTransport, offload: Offload | None) -> object:
    if isinstance(request, Operation):
        return await transport.call(request)
    if isinstance(request, Fetch):
        return await transport.fetch(request.url)
    if isinstance(request, CallMethod):
        return await cast(Awaitable[object], request.function())
    return await offload(request.function) if offload else request.function()
