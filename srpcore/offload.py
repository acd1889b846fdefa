"""Run blocking code in a thread, so that it does not block the event loop.

A thread cannot be stopped. So if the task that waits for it is cancelled, these functions wait until the thread has
ended before they raise CancelledError: otherwise the work would still change things after the task is gone.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

__all__ = ["entered_in_thread", "in_thread", "uninterrupted"]

T = TypeVar("T")


async def in_thread(function: Callable[..., T], /, *arguments: Any) -> T:
    """Run *function* in a thread of asyncio's default executor, and return its result.

    If the task is cancelled, this still waits until the function has ended: the function may be running a flow, and a
    flow cannot be closed while it runs.
    """
    import asyncio

    return await uninterrupted(asyncio.to_thread(function, *arguments))


async def uninterrupted(work: Awaitable[T]) -> T:
    """Return the result of *work*.

    Cancelling the task does not cancel *work*: CancelledError is raised only after *work* has ended.
    """
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
    """Hold the lock *manager* in the block, without blocking the event loop.

    The lock is acquired in one thread and released in another, so it must not be an RLock. Each of the two is a new
    thread, and not one of asyncio's default executor. The executor has a limited number of threads: if all of them
    waited for locks, there might be no thread left for the code that releases a lock.

    What the manager sets in the context (:mod:`contextvars`) is set in the context of the task, as in ``with manager``.
    """
    import asyncio
    from threading import Thread

    loop = asyncio.get_running_loop()

    async def in_own_thread(function: Callable[[], object]) -> None:
        done: asyncio.Future[None] = loop.create_future()
        context = copy_context()

        def work() -> None:
            try:
                context.run(function)
            except BaseException as error:  # noqa: BLE001 - it is raised in the task that awaits the future
                loop.call_soon_threadsafe(done.set_exception, error)
            else:
                loop.call_soon_threadsafe(done.set_result, None)

        Thread(target=work, name="srpcore-lock", daemon=True).start()
        # The thread cannot be stopped: it may acquire the lock after the task was cancelled. So wait for it, to be able
        # to release the lock.
        await uninterrupted(done)
        for variable, value in context.items():
            if variable.get(None) is not value:
                variable.set(value)

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
