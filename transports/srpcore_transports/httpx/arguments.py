"""What the two transports over httpx have in common."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from srpcore._fork import ForkSafeLock
from srpcore.exceptions.base import ConfigurationError

from .. import sigv4
from ..calls import Attempt, Calls, OnRequest, OnResponse
from ..credentials import Credentials, CredentialsProvider
from ..https import tls_context
from ..proxy import Proxy, proxy_for
from ..service import MAX_RESPONSE_SIZE, USER_AGENT, Service, limits, seconds, variable, whole_number

__all__ = ["HttpxArguments", "Modules", "Request", "check_open"]

C = TypeVar("C")


class Modules(NamedTuple):
    """What loads httpx."""

    exchange: Any
    clients: Any


class Request(NamedTuple):
    """What is to be sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


class HttpxArguments(Generic[C]):
    """What the two transports have in common: the arguments, and what is decided before anything is sent."""

    _asynchronous: ClassVar[bool]

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: Credentials | CredentialsProvider | None = None,
        *,
        client: C | None = None,
        use_fips: bool | None = None,
        use_dualstack: bool | None = None,
        timeout: float = 30.0,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        total_timeout: float = 60.0,
        max_attempts: int = 3,
        ca_bundle: str | os.PathLike[str] | None = None,
        max_response_size: int = MAX_RESPONSE_SIZE,
        allow_http: bool = False,
        max_connections: int = 100,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
    ) -> None:
        self._service = Service(
            region,
            endpoint_url,
            credentials,
            use_fips=use_fips,
            use_dualstack=use_dualstack,
            allow_http=allow_http,
        )
        self._limits = limits(timeout, connect_timeout, read_timeout, max_response_size)
        self._calls = Calls(
            max_attempts=max_attempts,
            total_timeout=seconds("total_timeout", total_timeout),
            on_request=on_request,
            on_response=on_response,
        )
        self._max_connections = whole_number("max_connections", max_connections, at_least=1)
        self._check_client(client)
        if client is not None and ca_bundle is not None:
            raise ConfigurationError("a client brings its own authorities: give ca_bundle or client, not both")
        self._client = client
        self._ca_bundle = ca_bundle or variable("AWS_CA_BUNDLE")
        self._context: ssl.SSLContext | None = None
        self._loading = ForkSafeLock()
        self._set_up()

    @property
    def region(self) -> str | None:
        """The region that signatures are for; None where only an endpoint is known."""
        return self._service.region

    @property
    def endpoint_url(self) -> str:
        """Where operations go, without a slash at the end."""
        return self._service.endpoint_url

    def __repr__(self) -> str:
        return f"{type(self).__name__}(region={self.region!r}, endpoint_url={self.endpoint_url!r})"

    def _set_up(self) -> None:
        """Make what the clients are kept in."""
        raise NotImplementedError

    def _check_client(self, client: object) -> None:
        # Without httpx, which only a program that gives a client has loaded.
        send = getattr(client, "send", None)
        if client is not None and not (callable(send) and iscoroutinefunction(send) is self._asynchronous):
            kind = "httpx.AsyncClient" if self._asynchronous else "httpx.Client"
            raise ConfigurationError(f"client must be an {kind}, or None")

    def _get(self, url: str) -> Request:
        headers = {"Host": sigv4.host_of(url), "Accept": "application/json", "User-Agent": USER_AGENT}
        return Request("GET", url, headers, None)

    def _exchange(self, modules: Modules, attempt: Attempt, request: Request) -> tuple[Any, Proxy | None]:
        parts = urlsplit(request.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        proxy = proxy_for(parts.scheme, parts.hostname or "", port) if self._client is None else None
        return modules.exchange.Exchange(attempt, *request, proxy=proxy, limits=self._limits), proxy

    def _load(self) -> Modules:
        """Load httpx, and make the TLS context of an own client; both take long, and happen once."""
        try:
            modules = Modules(*(import_module(f"srpcore_transports.httpx.{name}") for name in Modules._fields))
        except ModuleNotFoundError as error:
            raise ConfigurationError(f"{error.name} is not installed: pip install 'srpcore[httpx]'") from error
        with self._loading:
            if self._context is None and self._client is None:
                self._context = tls_context(self._ca_bundle)
        return modules

    def _own_context(self) -> ssl.SSLContext:
        return cast(ssl.SSLContext, self._context)


def check_open(client: Any) -> None:
    """Refuse a client that its owner has closed.

    Raises:
        ConfigurationError: it is closed.
    """
    if client.is_closed:
        raise ConfigurationError("the httpx client that was given is closed: give an open one")
