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
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from .protocol import AsyncTransport, CallMethod, Fetch, Flow, Operation, Request, Transport

if TYPE_CHECKING:
    import asyncio

__all__ = ["arun", "entered_in_thread", "in_thread", "run", "uninterrupted"]

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


def run(flow: Flow[T], transport: Transport) -> T:
    """Run *flow* to its end over a synchronous *transport*, and return its result. The flow is always closed.

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
            except StopIteration:  # from a fake transport; a generator would turn it into a RuntimeError (PEP 479)
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
    """Runs a function without blocking the event loop."""

    def __call__(self, function: Callable[..., T], /, *arguments: Any) -> Awaitable[T]:
        """Return what *function* returns."""
        ...


async def arun(flow: Flow[T], transport: AsyncTransport, *, offload: Offload | None = None) -> T:
    """Run *flow* to its end over an asynchronous *transport*, and return its result. The flow is always closed.

    Args:
        flow: the flow.
        transport: carries out the flow's requests.
        offload: runs the flow's computation (for example SRP) and its blocking functions, so that they do not block the
            event loop: see :func:`in_thread`. By default they run on the event loop.

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
        return await cast(Awaitable[object], request.function())
    return await offload(request.function) if offload else request.function()


async def in_thread(function: Callable[..., T], /, *arguments: Any) -> T:
    """Run *function* in a thread of asyncio's default executor, and return its result.

    If the task is cancelled, this still waits until the function has ended: the function may be running a flow, and a
    flow cannot be closed while it runs.
    """
    import asyncio

    return await uninterrupted(asyncio.to_thread(function, *arguments))


async def uninterrupted(work: Awaitable[T]) -> T:
    """Return the result of *work*. If the task is cancelled, *work* is not, and this still waits until it has ended."""
    import asyncio

    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # Wait even if the task is cancelled again. Otherwise the caller would go on while the work is still running.
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        raise


@asynccontextmanager
async def entered_in_thread(manager: AbstractContextManager[None]) -> AsyncGenerator[None, None]:
    """Hold the lock *manager* in the block. One new thread enters it and another leaves it; the event loop goes on.

    So the lock must not belong to a thread, as an RLock does. The threads are not those of asyncio's default executor:
    that one has a limited number of threads, and if all
    of them waited for locks, the code that releases a lock might not get a thread.
    """
    import asyncio
    from threading import Thread

    loop = asyncio.get_running_loop()

    async def in_own_thread(function: Callable[[], object]) -> None:
        done: asyncio.Future[None] = loop.create_future()

        def work() -> None:
            try:
                function()
            except BaseException as error:  # noqa: BLE001 - it is raised in the task that awaits the future
                loop.call_soon_threadsafe(done.set_exception, error)
            else:
                loop.call_soon_threadsafe(done.set_result, None)

        Thread(target=work, name="srpcore-lock", daemon=True).start()
        # The thread cannot be stopped: it may acquire the lock after the task was cancelled. So wait for it, to be able
        # to release the lock.
        await uninterrupted(done)

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
