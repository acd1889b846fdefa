"""Transports for an event loop that must not block it: one that uses threads, and one that is made in a thread.

Both import and make the transport that they use at their first call, in a thread. This module itself must be imported
before the event loop runs, because an import blocks. So it is in the core and not in ``srpcore_transports``, and
:mod:`srpcore.resolve` imports it at its top. It imports asyncio later: programs without an event loop do not need that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from ._fork import ForkSafeLock
from .protocol import AsyncTransport, Operation, Reply, Transport

__all__ = ["DeferredTransport", "ThreadedTransport", "prepare_method"]


T = TypeVar("T")


class ThreadedTransport:
    """Send operations in threads, with a synchronous transport.

    Args:
        make: makes the transport, in a thread, at the first call. Threads must be able to share the transport, as is
            the case for HttpsTransport and for botocore's clients.
    """

    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make
        self._made: Transport | None = None
        self._lock = ForkSafeLock()

    async def __aenter__(self) -> ThreadedTransport:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def call(self, operation: Operation) -> Reply:
        """Return the service's answer, even if it is an error.

        Raises:
            TransportError: the server did not answer.
        """
        return await _to_thread(lambda: self._transport().call(operation))

    async def fetch(self, url: str) -> bytes:
        """Return the body of a GET that answered 200.

        Raises:
            TransportError: the server did not answer, or the status is not 200.
        """
        return await _to_thread(lambda: self._transport().fetch(url))

    async def prepare(self, *, connect: bool = True) -> None:
        """Make the transport, and call its ``prepare`` if it has one."""

        def prepare() -> None:
            method = prepare_method(self._transport())
            if method is not None:
                method(connect=connect)

        await _to_thread(prepare)

    async def close(self) -> None:
        """Close the transport's connections. A later call opens new ones."""
        if self._made is not None:
            await _to_thread(self._made.close)

    def close_now(self) -> None:
        """Close the connections from code that cannot await. Closing sockets does not block."""
        if self._made is not None:
            self._made.close()

    def _transport(self) -> Transport:
        with self._lock.lock:
            if self._made is None:
                _import_errors()
                self._made = self._make()
            return self._made


class DeferredTransport:
    """An asynchronous transport that is made in a thread at the first call, and then runs on the event loop.

    Args:
        make: makes the transport. This imports its modules, which would block the event loop.
    """

    def __init__(self, make: Callable[[], AsyncTransport]) -> None:
        self._make = make
        self._made: AsyncTransport | None = None
        self._lock = ForkSafeLock()

    async def __aenter__(self) -> DeferredTransport:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def call(self, operation: Operation) -> Reply:
        """Return the service's answer, even if it is an error.

        Raises:
            TransportError: the server did not answer.
        """
        return await (await self._ready()).call(operation)

    async def fetch(self, url: str) -> bytes:
        """Return the body of a GET that answered 200.

        Raises:
            TransportError: the server did not answer, or the status is not 200.
        """
        return await (await self._ready()).fetch(url)

    async def prepare(self, *, connect: bool = True) -> None:
        """Make the transport, and call its ``prepare`` if it has one."""
        method = prepare_method(await self._ready())
        if method is not None:
            await method(connect=connect)

    async def close(self) -> None:
        """Close the transport's connections. A later call opens new ones."""
        if self._made is not None:
            await self._made.close()

    def close_now(self) -> None:
        """Close the connections from code that cannot await."""
        close_now: Callable[[], None] | None = getattr(self._made, "close_now", None)
        if close_now is not None:
            close_now()

    async def _ready(self) -> AsyncTransport:
        return self._made if self._made is not None else await _to_thread(self._transport)

    def _transport(self) -> AsyncTransport:
        with self._lock.lock:
            if self._made is None:
                _import_errors()
                self._made = self._make()
            return self._made


def prepare_method(transport: object) -> Callable[..., Any] | None:
    """Return the method ``prepare`` of *transport*, or None if it does not have one."""
    # Look at the type and not at the object: a mock has every attribute that is looked up.
    if not callable(getattr(type(transport), "prepare", None)):
        return None
    return cast("Callable[..., Any]", cast(Any, transport).prepare)


def _import_errors() -> None:
    """Import the errors of the service in this thread, because the flows that raise them run on the event loop."""
    from .exceptions import reply  # noqa: F401  # pyright: ignore[reportUnusedImport]


async def _to_thread(function: Callable[[], T]) -> T:
    """Run *function* in a thread. If the task is cancelled, return at once; the thread finishes on its own.

    ``offload.in_thread`` waits for the thread instead, because that runs flows, which change the object and cannot be
    closed while they run. Here the thread only sends a request, and its result can be dropped.
    """
    import asyncio

    return await asyncio.to_thread(function)
