"""Find a transport by its name, and import it when it is first needed.

The core does not import the package ``srpcore_transports`` anywhere else.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from .driver import Observer
from .exceptions.base import ConfigurationError
from .protocol import AsyncTransport, Transport

if TYPE_CHECKING:
    from .service_client import AsyncServiceClient

__all__ = [
    "as_async",
    "as_async_client",
    "as_client",
    "as_transport",
    "botocore_transport",
    "is_client_of",
    "make_async_transport",
    "make_transport",
    "transport_endpoint",
    "transport_module",
]


def transport_module(name: str) -> Any:
    """Return the module ``srpcore_transports.<name>``.

    Raises:
        ConfigurationError: the module needs a package that is not installed, or the module itself is missing.
    """
    try:
        return _import(name)
    except ModuleNotFoundError as error:
        missing, extra = error.name or "a module", name.split(".", 1)[0]
        if getattr(sys, "frozen", False) or "__compiled__" in globals():  # set by PyInstaller, and by Nuitka
            raise ConfigurationError(
                f"{missing} is not in this bundle: build it with srpcore_transports.{extra} included, for example "
                f"by PyInstaller's option --hidden-import srpcore_transports.{extra}"
            ) from error
        if missing.split(".", 1)[0] == "srpcore_transports":
            raise ConfigurationError(
                f"{missing} is missing: pip install --force-reinstall srpcore (in AWS Lambda: use the layer for all)"
            ) from error
        package = "PyJWT" if missing == "jwt" else missing  # the package that has the name jwt is a different one
        raise ConfigurationError(f"{package} is not installed: pip install 'srpcore[{extra}]'") from error


def _import(name: str) -> Any:
    # PyInstaller, Nuitka and other tools that bundle a program look for import statements, and cannot see a name in a
    # string. So the modules of the default transport are imported by statements. The others need packages that most
    # programs do not use, and would make every bundle larger.
    if name == "https":
        import srpcore_transports.https as https

        return https
    if name == "credentials":
        import srpcore_transports.credentials as credentials

        return credentials
    return import_module(f"srpcore_transports.{name}")


def make_transport(
    name: str | None,
    *,
    region: str,
    endpoint_url: str | None = None,
    keys: tuple[str, str] | None = None,
    allow_http: bool | None = None,
) -> Transport:
    """Return a new transport.

    Args:
        name: ``https``, ``httpx`` or ``botocore``. None stands for the environment variable SRPCORE_TRANSPORT, or for
            ``https`` if that is not set.
        region: the AWS region.
        endpoint_url: the URL of the service, if it is not AWS.
        keys: an AWS access key id and its secret, for the operations that need AWS credentials.
        allow_http: accept plain http to other machines; None means the environment variable SRPCORE_ALLOW_HTTP.

    Raises:
        ConfigurationError: *name* is not a transport, its package is not installed, or *endpoint_url* is not allowed.
    """
    chosen = _transport_name(name)
    if chosen in ("https", "httpx"):
        module = transport_module(chosen)
        kind = module.HttpsTransport if chosen == "https" else module.HttpxTransport
        transport: Transport = kind(
            region=region, endpoint_url=endpoint_url, credentials=_credentials(keys), allow_http=allow_http
        )
        return transport
    if chosen == "botocore":
        names = ("aws_access_key_id", "aws_secret_access_key")
        signing = {} if keys is None else dict(zip(names, keys, strict=True))
        endpoint = {} if endpoint_url is None else {"endpoint_url": endpoint_url}
        arguments = {"region_name": region, **endpoint, **signing}
        return botocore_transport(arguments, allow_http=allow_http)
    raise ConfigurationError(f"unknown transport {chosen!r}: use https, httpx or botocore, or give a transport object")


def make_async_transport(
    name: str | None,
    *,
    region: str,
    endpoint_url: str | None = None,
    keys: tuple[str, str] | None = None,
    allow_http: bool | None = None,
) -> AsyncTransport:
    """Return a new transport for an event loop: the async version of :func:`make_transport`.

    ``httpx`` runs on the event loop. The others are synchronous, and run in threads. The transport is imported and made
    at its first use, in a thread, because both take time in which the event loop must not wait.
    """
    if _transport_name(name) != "httpx":
        return as_async(
            lambda: make_transport(name, region=region, endpoint_url=endpoint_url, keys=keys, allow_http=allow_http)
        )

    from .threaded import DeferredTransport  # imported only here: a synchronous program does not need it

    def make() -> AsyncTransport:
        kind = transport_module("httpx").AsyncHttpxTransport
        transport: AsyncTransport = kind(
            region=region, endpoint_url=endpoint_url, credentials=_credentials(keys), allow_http=allow_http
        )
        return transport

    return DeferredTransport(make)


def botocore_transport(arguments: dict[str, Any], session: Any = None, *, allow_http: bool | None = None) -> Transport:
    """Return a transport over a new ``cognito-idp`` client of *session*, or of boto3 if *session* is None.

    Every call makes a new client. Clients are not cached, because moto patches a client when it is made.
    """
    module = transport_module("botocore")
    transport: Transport = module.BotocoreTransport(module.make_client(session, **arguments), allow_http=allow_http)
    return transport


def as_transport(client: Any, *, allow_http: bool | None = None) -> Transport:
    """Return a transport for *client*, which is a transport, a ServiceClient or a botocore client.

    For a botocore client, *allow_http* is the argument of BotocoreTransport. A transport has its own setting.
    """
    from .service_client import ServiceClient  # imported only here: a verifier needs no client

    if isinstance(client, ServiceClient):
        return client.transport
    if _is_transport(client):
        return cast(Transport, client)
    transport: Transport = transport_module("botocore").BotocoreTransport(client, allow_http=allow_http)
    return transport


def transport_endpoint(client: Any) -> tuple[object, bool]:
    """Return the attribute ``endpoint_url`` of *client* or None, and whether plain http was allowed explicitly.

    *client* is a transport, a ServiceClient, an AsyncServiceClient or a botocore client. The first value is not a
    string if the client is a mock.
    """
    from .service_client import AsyncServiceClient, ServiceClient  # imported only here: a verifier needs no client

    if isinstance(client, ServiceClient | AsyncServiceClient):
        client = client.transport
    if not _is_transport(client):
        client = getattr(client, "meta", None)
    return getattr(client, "endpoint_url", None), getattr(client, "allow_http", False) is True


def as_client(
    transport: Transport, region: str, endpoint_url: str | None = None, *, observer: Observer | None = None
) -> Any:
    """Return the client of *transport*: the botocore client if it has one, else a new ServiceClient.

    Args:
        transport: the transport.
        region: the AWS region.
        endpoint_url: the client's ``meta.endpoint_url`` if the transport does not have one.
        observer: gets each reply and error of the ServiceClient.
    """
    from .service_client import ServiceClient  # imported only here: a verifier needs no client

    found = getattr(transport, "botocore_client", None)
    return found or ServiceClient(transport, region, endpoint_url, observer=observer)


def as_async_client(
    transport: AsyncTransport, region: str, endpoint_url: str | None = None, *, observer: Observer | None = None
) -> AsyncServiceClient:
    """Return a client for the asynchronous *transport*: the async version of :func:`as_client`."""
    from .service_client import AsyncServiceClient  # imported only here: a verifier needs no client

    return AsyncServiceClient(transport, region, endpoint_url, observer=observer)


def is_client_of(transport: object, client: object) -> bool:
    """Return whether *client* is the client of *transport*, as :func:`as_client` returns it."""
    from .service_client import AsyncServiceClient, ServiceClient  # imported only here: a verifier needs no client

    if isinstance(client, ServiceClient | AsyncServiceClient):
        return client.transport is transport
    return transport is not None and client is getattr(transport, "botocore_client", None)


def as_async(source: Any, *, allow_http: bool | None = None) -> AsyncTransport:
    """Return an asynchronous transport for *source*.

    Args:
        source: an asynchronous transport, or an AsyncServiceClient; or a synchronous transport or a botocore client,
            which is then called in threads; or a function that makes a synchronous transport. The function is called in
            a thread when the transport is first needed, so that it does not block the event loop.
        allow_http: as in :func:`as_transport`.
    """
    from .service_client import AsyncServiceClient

    if isinstance(source, AsyncServiceClient):
        return source.transport
    from inspect import iscoroutinefunction  # importing it is slow

    if _is_transport(source) and iscoroutinefunction(source.call):
        return cast(AsyncTransport, source)
    from .threaded import ThreadedTransport

    make = source if isinstance(source, FunctionType) else lambda: as_transport(source, allow_http=allow_http)
    return ThreadedTransport(make)


def _transport_name(name: str | None) -> str:
    return name or os.environ.get("SRPCORE_TRANSPORT") or "https"


def _credentials(keys: tuple[str, str] | None) -> Any:
    return None if keys is None else transport_module("credentials").Credentials(*keys)


def _is_transport(candidate: Any) -> bool:
    # Look at the type and not at the object: a mock client has every attribute that is looked up.
    kind = cast(type[object], type(candidate))
    return callable(getattr(kind, "call", None)) and callable(getattr(kind, "fetch", None))
