"""Drive a flow over a transport: where the pure protocol meets I/O.

Theory of operation::

    flow (a generator)                driver                     transport, or the caller's own code
        yield Operation(...)  ───────►  transport.call(...)   ───────►  the service
        ◄─── Reply, or raises ────────  ◄─────────────────────────────

A flow yields a request and is resumed with the answer. If there is no answer, the error is raised at the flow's
``yield``, so that it can clean up, or go on without the answer. The flow itself never blocks: between two requests it
only computes. :func:`run` and :func:`arun` raise the audit event ``srpcore.run`` when they start, which lets a test
prove that no driver is started while a flow is being advanced.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .protocol import AsyncTransport, CallMethod, Fetch, Flow, Operation, Request, Transport

if TYPE_CHECKING:
    import asyncio

__all__ = ["arun", "entered_in_thread", "in_thread", "run"]

T = TypeVar("T")


class _Result(Generic[T]):
    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value


def _advance(resume: Callable[[Any], Request], answer: object) -> Request | _Result[Any]:
    # StopIteration is caught around this call alone: an exhausted fake transport may raise it too, and around the
    # whole loop that would look like a flow that returned None. Nor could it cross from a thread to an event loop.
    try:
        return resume(answer)
    except StopIteration as stop:
        return _Result(stop.value)
    finally:
        del answer  # if it is an error, its traceback holds this frame: the two would keep each other in memory


def run(flow: Flow[T], transport: Transport) -> T:
    """Run *flow* to its end over a synchronous *transport* and return its result.

    Raises:
        SrpcoreError: any error that the transport raises and the flow does not handle, and any error of the flow. The
            flow is closed on every exit.
    """
    sys.audit("srpcore.run")
    resume: Callable[[Any], Request] = flow.send
    answer: object = None
    try:
        while not isinstance(request := _advance(resume, answer), _Result):
            try:
                answer, resume = _perform(request, transport), flow.send
            except StopIteration:  # of a fake without answers; PEP 479 lets none through a generator
                raise
            except Exception as error:  # noqa: BLE001 - every error belongs to the flow
                answer, resume = error, flow.throw
        result: T = request.value
        return result
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
    """Runs a function where it does not block the event loop."""

    def __call__(self, function: Callable[..., T], /, *arguments: Any) -> Awaitable[T]:
        """Return what *function* returns."""
        ...


async def arun(flow: Flow[T], transport: AsyncTransport, *, offload: Offload | None = None) -> T:
    """Run *flow* to its end over an asynchronous *transport* and return its result.

    With *offload* (:func:`in_thread`), the flow's own work, such as SRP's arithmetic, and the functions that it asks
    to be called, run off the event loop.

    Raises:
        SrpcoreError: any error that the transport raises and the flow does not handle, and any error of the flow. The
            flow is closed on every exit.
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
            except Exception as error:  # noqa: BLE001 - every error belongs to the flow
                answer, resume = error, flow.throw
    finally:
        answer = None  # see _advance
        flow.close()


async def _aperform(request: Request, transport: AsyncTransport, offload: Offload | None) -> object:
    if isinstance(request, Operation):
        return await transport.call(request)
    if isinstance(request, Fetch):
        return await transport.fetch(request.url)
    if isinstance(request, CallMethod):
        return await request.function()
    return await offload(request.function) if offload else request.function()


async def in_thread(function: Callable[..., T], /, *arguments: Any) -> T:
    """Return what *function* returns, which runs in a thread of asyncio's while the event loop goes on.

    A cancellation waits for the function's end: a flow cannot be closed while it runs.
    """
    import asyncio

    running = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await _ended(running)
        raise


async def _ended(running: asyncio.Future[Any]) -> None:
    import asyncio

    # However often it is cancelled meanwhile: whoever goes on before the thread's end does so beside it.
    while not running.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([running])


@asynccontextmanager
async def entered_in_thread(manager: AbstractContextManager[None]) -> AsyncGenerator[None, None]:
    """Hold *manager*, a lock that may keep one waiting, without keeping the event loop or asyncio's threads waiting.

    A thread of its own waits for it: the threads that others need, perhaps to release it, are left alone.
    """
    import asyncio
    from threading import Thread

    loop = asyncio.get_running_loop()

    async def in_own_thread(function: Callable[[], object]) -> None:
        done: asyncio.Future[None] = loop.create_future()

        def work() -> None:
            try:
                function()
            except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
                loop.call_soon_threadsafe(done.set_exception, error)
            else:
                loop.call_soon_threadsafe(done.set_result, None)

        Thread(target=work, name="srpcore-lock", daemon=True).start()
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            # The thread cannot be stopped: what it enters in the end must be left again.
            await _ended(done)
            raise

    entered = False

    def enter() -> None:
        nonlocal entered
        manager.__enter__()
        entered = True

    try:
        await in_own_thread(enter)
        yield
    finally:
        if entered:
            await in_own_thread(lambda: manager.__exit__(None, None, None))
