"""What keeps an event loop from waiting: a synchronous transport in threads, and a transport made in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from srpcore._fork import ForkSafeLock
from srpcore.protocol import AsyncTransport, Operation, Reply, Transport

__all__ = ["DeferredTransport", "ThreadedTransport"]


class ThreadedTransport:
    """Carry operations over the synchronous transport that *make* returns, in threads; it is made when it is needed.

    The transport must be safe to share between threads, as HttpsTransport and botocore's clients are.
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
        """Return the service's answer, an error document included.

        Raises:
            TransportError: the transport had no answer.
        """
        return await asyncio.to_thread(lambda: self._transport().call(operation))

    async def fetch(self, url: str) -> bytes:
        """Return the body of a GET that answered 200.

        Raises:
            TransportError: there was no such answer.
        """
        return await asyncio.to_thread(lambda: self._transport().fetch(url))

    async def close(self) -> None:
        """Release what the transport holds; a later call opens it anew."""
        if self._made is not None:
            await asyncio.to_thread(self._made.close)

    def close_now(self) -> None:
        """Release what the transport holds, from where nothing can be awaited: closing sockets takes no time."""
        if self._made is not None:
            self._made.close()

    def _transport(self) -> Transport:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


class DeferredTransport:
    """The asynchronous transport that *make* returns: made in a thread when it is needed, and then run on the loop.

    To make it is to load its modules, which would block the event loop.
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
        """Return the service's answer, an error document included.

        Raises:
            TransportError: the transport had no answer.
        """
        return await (await self._ready()).call(operation)

    async def fetch(self, url: str) -> bytes:
        """Return the body of a GET that answered 200.

        Raises:
            TransportError: there was no such answer.
        """
        return await (await self._ready()).fetch(url)

    async def close(self) -> None:
        """Release what the transport holds; a later call opens it anew."""
        if self._made is not None:
            await self._made.close()

    def close_now(self) -> None:
        """Release what the transport holds, from where nothing can be awaited."""
        close_now: Callable[[], None] | None = getattr(self._made, "close_now", None)
        if close_now is not None:
            close_now()

    async def _ready(self) -> AsyncTransport:
        return self._made if self._made is not None else await asyncio.to_thread(self._transport)

    def _transport(self) -> AsyncTransport:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made
