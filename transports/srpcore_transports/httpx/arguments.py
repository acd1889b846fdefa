"""The part that the two transports over httpx have in common: their arguments, and what happens before the sending."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

from srpcore.exceptions.base import ConfigurationError

from ..attempts import Attempt
from ..http_transport import HttpTransport
from ..options import TransportOptions
from ..proxy import Proxy, proxy_for
from ..signing import fetch_headers
from ..urls import origin_and_target
from ..validation import whole_number

if TYPE_CHECKING:
    from typing import Unpack

    from ..credentials import Credentials, CredentialsProvider
    from ..transport_arguments import TransportArguments

__all__ = ["HttpxBase", "Modules", "RequestParts", "check_open"]

C = TypeVar("C")


class Modules(NamedTuple):
    """The modules of this package that import httpx."""

    request: Any
    clients: Any


class RequestParts(NamedTuple):
    """A request to send."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


class HttpxBase(HttpTransport, Generic[C]):
    """The arguments of the two transports, and the decisions before a request is sent."""

    _asynchronous: ClassVar[bool]

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: Credentials | CredentialsProvider | None = None,
        *,
        client: C | None = None,
        max_connections: int = 100,
        **options: Unpack[TransportArguments],
    ) -> None:
        super().__init__(TransportOptions(region, endpoint_url, credentials, **options))
        self._max_connections = whole_number("max_connections", max_connections, at_least=1)
        self._check_client(client)
        if client is not None and options.get("ca_bundle") is not None:
            raise ConfigurationError(
                "a client has certificate authorities of its own: give ca_bundle or client, not both"
            )
        self._client = client

    def _check_client(self, client: object) -> None:
        # Without importing httpx: only a program that gives a client has loaded it already.
        send = getattr(client, "send", None)
        if client is not None and not (callable(send) and iscoroutinefunction(send) is self._asynchronous):
            kind = "httpx.AsyncClient" if self._asynchronous else "httpx.Client"
            raise ConfigurationError(f"client must be an {kind}, or None")

    def _get(self, url: str) -> RequestParts:
        return RequestParts("GET", url, fetch_headers(url), None)

    def _prepare(self, modules: Modules, attempt: Attempt, parts: RequestParts) -> tuple[Any, Proxy | None]:
        """Return the HttpxRequest for *parts*, and the proxy that it goes through."""
        origin, _ = origin_and_target(parts.url)
        proxy = proxy_for(origin.scheme, origin.host, origin.port) if self._client is None else None
        return modules.request.HttpxRequest(attempt, *parts, proxy=proxy, limits=self._limits), proxy

    def _import_httpx(self) -> Modules:
        """Import httpx. The first import is slow."""
        try:
            return _import_modules()
        except ModuleNotFoundError as error:
            raise ConfigurationError(f"{error.name} is not installed: pip install 'srpcore[httpx]'") from error


def _import_modules() -> Modules:
    # A statement, because tools that bundle a program (PyInstaller, Nuitka) do not see a module named in a string.
    from . import clients, request

    return Modules(request, clients)


def check_open(client: Any) -> None:
    """Check that the program has not closed its client.

    Raises:
        ConfigurationError: the client is closed.
    """
    if client.is_closed:
        raise ConfigurationError("the httpx client that was given is closed: give an open one")
