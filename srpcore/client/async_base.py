"""The base class of ``AsyncCognito``, which runs flows on an event loop. See :mod:`srpcore.client.base`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Self, TypeVar

from ..driver import arun
from ..offload import in_thread
from ..protocol import AsyncTransport, Flow, Transport
from ..resolve import as_async, as_async_client, botocore_transport, is_client_of, make_async_transport
from ..threaded import DeferredTransport
from .attributes import CognitoAttributes
from .base import is_replaced

__all__ = ["AsyncCognitoBase"]

T = TypeVar("T")


class AsyncCognitoBase(CognitoAttributes):
    """The base of ``AsyncCognito``: methods are coroutines.

    The computation between two requests (SRP, signatures) runs in a thread, so it does not block the event loop.
    """

    _owns_transport: bool = False

    @cached_property
    def _transport(self) -> AsyncTransport:
        # The constructor sets the attribute. This is for an object that was made without the constructor.
        return DeferredTransport(self._open_default_transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Release the connections, unless the transport was given to the constructor. A later call opens them again."""
        if self._owns_transport:
            await self._transport.close()

    @property
    def client(self) -> Any:
        """Every operation of the service as a coroutine method, on any transport."""
        return as_async_client(
            self._transport, self.user_pool_region, self.pool_domain_url, observer=self._service_time
        )

    @client.setter
    def client(self, client: Any) -> None:
        if is_client_of(self.__dict__.get("_transport"), client):
            return
        self._release()
        self._use_transport(client)
        self._follow_endpoint(client)

    def switch_session(self, session: object) -> None:
        """Use a new ``cognito-idp`` client of *session*, which is a boto3 or botocore session, from now on."""
        self._release()
        self._open_transport(lambda: botocore_transport({}, session, allow_http=self._allow_http))
        self._assign_client()

    @property
    def _sender(self) -> AsyncTransport:
        """The transport that operations use: that of ``client`` if a subclass or a test has replaced our property."""
        if type(self).client is _CLIENT:
            return self._transport
        return as_async(self.client, allow_http=self._allow_http)

    def _assign_client(self) -> None:
        if is_replaced(type(self), _CLIENT):
            self.client = _CLIENT.__get__(self)

    def _release(self) -> None:
        if not self._owns_transport:
            return
        close_now: Callable[[], None] | None = getattr(self._transport, "close_now", None)
        if close_now is not None:
            close_now()

    def _open_transport(self, make: Callable[[], Transport]) -> None:
        self._transport, self._owns_transport = as_async(make), True

    def _open_named_transport(self, name: str | None, **arguments: Any) -> None:
        self._transport, self._owns_transport = make_async_transport(name, **arguments), True

    def _use_transport(self, transport: Any) -> None:
        self._transport, self._owns_transport = as_async(transport, allow_http=self._allow_http), False

    async def _run(self, flow: Flow[T]) -> T:
        return await arun(flow, self._sender, offload=in_thread, observer=self._service_time)


# Kept here, because a test may replace the property on the class.
_CLIENT: Any = vars(AsyncCognitoBase)["client"]
