"""The one line of the core that reaches a transport: by name, when it is first needed."""

from __future__ import annotations

import os
from importlib import import_module
from inspect import iscoroutinefunction, isfunction
from typing import Any, cast

from .exceptions.base import ConfigurationError
from .protocol import AsyncTransport, Transport
from .service_client import AsyncServiceClient, ServiceClient

__all__ = [
    "as_async",
    "as_async_client",
    "as_client",
    "as_transport",
    "botocore_transport",
    "make_async_transport",
    "make_transport",
    "transport_module",
]


def transport_module(name: str) -> Any:
    """Return the module ``srpcore_transports.<name>``.

    Raises:
        ConfigurationError: the module needs a package that is not installed, or is not there itself.
    """
    try:
        return import_module(f"srpcore_transports.{name}")
    except ModuleNotFoundError as error:
        missing, extra = error.name or "a module", name.split(".", 1)[0]
        if missing.split(".", 1)[0] == "srpcore_transports":
            raise ConfigurationError(f"{missing} is not there: pip install --force-reinstall srpcore") from error
        raise ConfigurationError(f"{missing} is not installed: pip install 'srpcore[{extra}]'") from error


def make_transport(
    name: str | None, *, region: str, endpoint_url: str | None = None, keys: tuple[str, str] | None = None
) -> Transport:
    """Return the transport *name* (``https``, ``httpx``, ``botocore``); None is ``SRPCORE_TRANSPORT``, else ``https``.

    *keys* are an AWS access key id and its secret, for the operations that are signed.

    Raises:
        ConfigurationError: there is no transport of that name, or the endpoint may not be used.
    """
    chosen = _chosen(name)
    if chosen in ("https", "httpx"):
        module = transport_module(chosen)
        kind = module.HttpsTransport if chosen == "https" else module.HttpxTransport
        transport: Transport = kind(region=region, endpoint_url=endpoint_url, credentials=_credentials(keys))
        return transport
    if chosen == "botocore":
        names = ("aws_access_key_id", "aws_secret_access_key")
        signing = {} if keys is None else dict(zip(names, keys, strict=True))
        return botocore_transport({"region_name": region, "endpoint_url": endpoint_url, **signing})
    raise ConfigurationError(f"there is no transport {chosen!r}: choose https, httpx or botocore, or give an object")


def make_async_transport(
    name: str | None, *, region: str, endpoint_url: str | None = None, keys: tuple[str, str] | None = None
) -> AsyncTransport:
    """Return the transport *name* for an event loop: ``httpx`` runs on the loop itself, the others in threads.

    Nothing is loaded or made before it is needed, and then in a thread, so that the event loop does not wait.
    """
    if _chosen(name) != "httpx":
        return as_async(lambda: make_transport(name, region=region, endpoint_url=endpoint_url, keys=keys))

    def make() -> AsyncTransport:
        kind = transport_module("httpx").AsyncHttpxTransport
        transport: AsyncTransport = kind(region=region, endpoint_url=endpoint_url, credentials=_credentials(keys))
        return transport

    deferred: AsyncTransport = transport_module("threaded").DeferredTransport(make)
    return deferred


def botocore_transport(arguments: dict[str, Any], session: Any = None) -> Transport:
    """Return a transport over a new ``cognito-idp`` client of *session*, or of boto3 where that is None.

    The client is made at each call and never kept: moto patches clients when they are made.
    """
    module = transport_module("botocore")
    transport: Transport = module.BotocoreTransport(module.make_client(session, **arguments))
    return transport


def as_transport(client: Any) -> Transport:
    """Return the transport that *client* stands for: itself, a ServiceClient's own, or one over a botocore client."""
    if isinstance(client, ServiceClient):
        return client.transport
    if _is_transport(client):
        return cast(Transport, client)
    transport: Transport = transport_module("botocore").BotocoreTransport(client)
    return transport


def as_client(transport: Transport, region: str) -> Any:
    """Return the client to show for *transport*: the botocore client it is over, else a ServiceClient."""
    return getattr(transport, "botocore_client", None) or ServiceClient(transport, region)


def as_async_client(transport: AsyncTransport, region: str) -> AsyncServiceClient:
    """Return the client to show for the asynchronous *transport*."""
    return AsyncServiceClient(transport, region)


def as_async(source: Any) -> AsyncTransport:
    """Return an asynchronous transport for *source*: itself, or one that calls a synchronous one in threads.

    *source* may also be an AsyncServiceClient, a botocore client, or a function that makes a synchronous transport,
    which is called in a thread when the transport is first needed: not even the import blocks the event loop.
    """
    if isinstance(source, AsyncServiceClient):
        return source.transport
    if _is_transport(source) and iscoroutinefunction(source.call):
        return cast(AsyncTransport, source)
    make = source if isfunction(source) else lambda: as_transport(source)
    transport: AsyncTransport = transport_module("threaded").ThreadedTransport(make)
    return transport


def _chosen(name: str | None) -> str:
    return name or os.environ.get("SRPCORE_TRANSPORT") or "https"


def _credentials(keys: tuple[str, str] | None) -> Any:
    return None if keys is None else transport_module("credentials").Credentials(*keys)


def _is_transport(candidate: Any) -> bool:
    # Asked of the type: a mock client has every attribute there is.
    kind = cast(type[object], type(candidate))
    return callable(getattr(kind, "call", None)) and callable(getattr(kind, "fetch", None))
