"""The two ways to drive a facade: synchronously, and on an event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

from ..driver import arun, in_thread, run
from ..protocol import AsyncTransport, Flow, Transport
from ..resolve import (
    as_async,
    as_async_client,
    as_client,
    as_transport,
    botocore_transport,
    make_async_transport,
    make_transport,
)
from .attributes import CognitoAttributes

__all__ = ["AsyncCognitoBase", "CognitoBase"]

T = TypeVar("T")


class CognitoBase(CognitoAttributes):
    """A facade whose methods block until the answer is there."""

    _transport: Transport
    _owns_transport: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the transport, unless it was given; a later call opens it anew."""
        if self._owns_transport:
            self._transport.close()

    @property
    def client(self) -> Any:
        """Every operation of the service as a method, on any transport; botocore's own client where that carries."""
        return as_client(self._transport, self.user_pool_region)

    @client.setter
    def client(self, client: Any) -> None:
        self.close()
        self._use(as_transport(client))

    def switch_session(self, session: Any) -> None:
        """Go over to a ``cognito-idp`` client of *session*, boto3's or botocore's."""
        self.close()
        self._open(lambda: botocore_transport({}, session))

    def _open(self, make: Callable[[], Transport]) -> None:
        self._transport, self._owns_transport = make(), True

    def _choose(self, name: str | None, **arguments: Any) -> None:
        self._open(lambda: make_transport(name, **arguments))

    def _use(self, transport: Any) -> None:
        self._transport, self._owns_transport = transport, False

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, self._transport)


class AsyncCognitoBase(CognitoAttributes):
    """A facade whose methods are coroutines: what it does of its own happens in a thread, off the event loop."""

    _transport: AsyncTransport
    _owns_transport: bool = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Release the transport, unless it was given; a later call opens it anew."""
        if self._owns_transport:
            await self._transport.close()

    @property
    def client(self) -> Any:
        """Every operation of the service as a coroutine method, on any transport."""
        return as_async_client(self._transport, self.user_pool_region)

    @client.setter
    def client(self, client: Any) -> None:
        self._release()
        self._use(client)

    def switch_session(self, session: Any) -> None:
        """Go over to a ``cognito-idp`` client of *session*, boto3's or botocore's."""
        self._release()
        self._open(lambda: botocore_transport({}, session))

    def _release(self) -> None:
        close_now: Callable[[], None] | None = getattr(self._transport, "close_now", None)
        if self._owns_transport and close_now is not None:
            close_now()

    def _open(self, make: Callable[[], Transport]) -> None:
        self._transport, self._owns_transport = as_async(make), True

    def _choose(self, name: str | None, **arguments: Any) -> None:
        self._transport, self._owns_transport = make_async_transport(name, **arguments), True

    def _use(self, transport: Any) -> None:
        self._transport, self._owns_transport = as_async(transport), False

    async def _run(self, flow: Flow[T]) -> T:
        return await arun(flow, self._transport, offload=in_thread)
