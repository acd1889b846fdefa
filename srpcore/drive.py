"""Drive a flow over a transport: the only place where logic meets I/O."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .wire import AsyncTransport, Awaiting, Flow, Operation, Request, Transport

if TYPE_CHECKING:
    import asyncio

__all__ = ["arun", "entered_in_thread", "in_thread", "run"]

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
            if isinstance(request, Awaiting):
                raise TypeError("a flow of an asynchronous facade needs the asynchronous driver")
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
            if isinstance(request, Awaiting):
                answer = await request.function()
            elif isinstance(request, Operation):
                answer = await transport.call(request)
            else:
                answer = await transport.fetch(request.url)


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
