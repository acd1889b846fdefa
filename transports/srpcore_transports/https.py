"""The default transport: AWS JSON over HTTPS, on the standard library alone, signed where the service demands it."""

from __future__ import annotations

import math
import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from http.client import HTTPConnection
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from srpcore._version import __version__
from srpcore.aws_json import decode, encode
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.pool import check_endpoint, configured_endpoint, default_endpoint
from srpcore.wire import Operation, Reply

from . import sigv4
from .connections import IdleConnections, Origin
from .credentials import Credentials, CredentialsProvider, DefaultCredentials, profile_region
from .exchange import Answer, Unanswered, exchange, open_connection
from .proxy import Proxy, proxy_for

if TYPE_CHECKING:
    from typing import Self

__all__ = ["MAX_RESPONSE_SIZE", "HttpsTransport"]

MAX_RESPONSE_SIZE = 10 * 2**20
"""The default bound of a response in bytes: sixty users with every attribute at its longest fit in."""

_SERVICE = "cognito-idp"
_USER_AGENT = f"srpcore/{__version__}"


class HttpsTransport:
    """Carry operations to the service over HTTPS; safe to share between threads, and a context manager.

    *region* is else ``AWS_REGION``, ``AWS_DEFAULT_REGION`` or the profile's. *endpoint_url* is else
    ``AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER``, ``AWS_ENDPOINT_URL`` or the region's own: with *use_fips*, else
    ``AWS_USE_FIPS_ENDPOINT``, the one validated by FIPS 140, with *use_dualstack*, else ``AWS_USE_DUALSTACK_ENDPOINT``,
    one that answers over IPv6 too. *credentials*, or what a provider returns when it is called, sign the operations
    that need a signature; else those that :class:`~srpcore_transports.credentials.DefaultCredentials` finds do,
    looked for when such an operation comes and never for another. *ca_bundle*, a PEM file, is else ``AWS_CA_BUNDLE``,
    else the system's authorities count. *timeout* in seconds bounds connecting (*connect_timeout*), and each silence
    of the server after that (*read_timeout*).

    Connections are kept alive and used again. Where the server has closed one meanwhile, the request is sent once
    more, on a new connection, if and only if the connection was one used before and it was lost while sending or
    before the first byte of a response. That is what an idle connection that times out at the server looks like, and
    the only case in which HTTP clients at large repeat a request unasked (RFC 9112, section 9.3.1). A request on a
    new connection, one that timed out, or one whose response broke off is never repeated: it may have been processed.

    Raises:
        ConfigurationError: an argument or a variable cannot be used, or neither region nor endpoint is known.
    """

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: Credentials | CredentialsProvider | None = None,
        *,
        use_fips: bool | None = None,
        use_dualstack: bool | None = None,
        timeout: float = 30.0,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        ca_bundle: str | os.PathLike[str] | None = None,
        max_response_size: int = MAX_RESPONSE_SIZE,
        allow_http: bool = False,
        max_idle_connections: int = 16,
    ) -> None:
        self._region = region or _variable("AWS_REGION", "AWS_DEFAULT_REGION") or profile_region()
        given = endpoint_url or configured_endpoint()
        if given and (use_fips or use_dualstack):
            raise ConfigurationError("an endpoint URL is taken as it is: use_fips and use_dualstack cannot change it")
        endpoint = given or _regional_endpoint(self._region, use_fips, use_dualstack)
        self._allow_http = allow_http
        self._endpoint = check_endpoint(endpoint, allow_http=allow_http)
        _sendable(self._endpoint)
        if credentials is not None and not isinstance(credentials, Credentials) and not callable(credentials):
            raise ConfigurationError("credentials must be Credentials, or a provider that returns them when called")
        self._credentials = DefaultCredentials(self._region) if credentials is None else credentials
        self._connect_timeout = _seconds("connect_timeout", timeout if connect_timeout is None else connect_timeout)
        self._read_timeout = _seconds("read_timeout", timeout if read_timeout is None else read_timeout)
        self._ca_bundle = ca_bundle or _variable("AWS_CA_BUNDLE")
        if max_response_size < 1:
            raise ConfigurationError("max_response_size must be a positive number of bytes")
        self._max_response_size = max_response_size
        self._idle = IdleConnections(max_idle_connections)
        self._context: ssl.SSLContext | None = None
        self._context_lock = Lock()

    @property
    def region(self) -> str | None:
        """The region that signatures are for; None where only an endpoint is known."""
        return self._region

    @property
    def endpoint_url(self) -> str:
        """Where operations go, without a slash at the end."""
        return self._endpoint

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HttpsTransport(region={self._region!r}, endpoint_url={self._endpoint!r})"

    def call(self, operation: Operation) -> Reply:
        """Send *operation* as a POST, signed if it must be, and return the service's answer, errors included.

        Raises:
            ConfigurationError: the operation cannot be encoded, or must be signed and there is nothing to sign with.
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer of the service was had.
        """
        headers, body = encode(operation)
        headers["Host"] = sigv4.host_of(self._endpoint)
        if operation.signed:
            headers.update(self._signature(operation, headers, body))
        answer = self._request("POST", self._endpoint, headers, body)
        return decode(answer.status, answer.headers, answer.body)

    def fetch(self, url: str) -> bytes:
        """Return the body of a plain GET of *url*: https, or http to this machine. No credentials are involved.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer was had, or its status is not 200.
        """
        parts = urlsplit(url)
        check_endpoint(f"{parts.scheme}://{parts.netloc}", allow_http=self._allow_http)
        _sendable(url)
        answer = self._request("GET", url, {"Host": sigv4.host_of(url), "Accept": "application/json"}, None)
        if answer.status != 200:
            raise TransportError(f"HTTP {answer.status} from {parts.hostname} where a document was expected")
        return answer.body

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._idle.close()

    def _signature(self, operation: Operation, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        try:
            given = self._credentials
            credentials = given if isinstance(given, Credentials) else given()
        except ConfigurationError as error:
            raise ConfigurationError(f"{operation.name} must be signed, and {error}") from None
        if not isinstance(credentials, Credentials):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(
                "the provider of credentials must return srpcore_transports.credentials.Credentials"
            )
        if self._region is None:
            raise ConfigurationError(f"{operation.name} must be signed for a region: give one, or set AWS_REGION")
        return sigv4.sign(
            method="POST",
            url=self._endpoint,
            headers=headers,
            body=body,
            credentials=credentials,
            region=self._region,
            service=_SERVICE,
            time=datetime.now(timezone.utc),
        )

    def _request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        request = _prepared(method, url, {**headers, "User-Agent": _USER_AGENT}, body)
        generation = self._idle.generation
        answer = None
        idle = self._idle.take(request.origin)
        if idle is not None:
            with suppress(Unanswered):
                answer = self._attempt(idle, request, generation)
        if answer is None:
            answer = self._attempt(self._connect(request), request, generation)
        if 300 <= answer.status < 400:
            host = request.origin.host
            raise TransportError(
                f"HTTP {answer.status} from {host}: a redirect, which is not followed: give the final address"
            )
        return answer

    def _attempt(self, connection: HTTPConnection, request: _Request, generation: int) -> Answer:
        answer = exchange(
            connection,
            request.origin.host,
            request.method,
            request.target,
            request.headers,
            request.body,
            limit=self._max_response_size,
        )
        if answer.keep:
            self._idle.give_back(request.origin, connection, generation)
        else:
            connection.close()
        return answer

    def _connect(self, request: _Request) -> HTTPConnection:
        return open_connection(
            request.origin,
            proxy=request.proxy,
            context=self._tls() if request.origin.scheme == "https" else None,
            connect_timeout=self._connect_timeout,
            read_timeout=self._read_timeout,
        )

    def _tls(self) -> ssl.SSLContext:
        with self._context_lock:
            if self._context is None:
                self._context = _tls_context(self._ca_bundle)
            return self._context


class _Request(NamedTuple):
    origin: Origin
    proxy: Proxy | None
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None


def _prepared(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> _Request:
    parts = urlsplit(url)
    origin = Origin(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    proxy = proxy_for(*origin)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if proxy is not None and origin.scheme == "http":
        # Without TLS there is no tunnel: the proxy is told the whole URL (RFC 9112, section 3.2.2).
        target, headers = f"http://{sigv4.host_of(url)}{target}", {**headers, **proxy.headers}
    return _Request(origin, proxy, method, target, headers, body)


def _tls_context(ca_bundle: str | os.PathLike[str] | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:
        # ssl.SSLError too: the file is there and holds no certificate.
        raise ConfigurationError(
            f"the CA bundle cannot be read ({error.strerror}): give a PEM file in ca_bundle or AWS_CA_BUNDLE"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _regional_endpoint(region: str | None, use_fips: bool | None, use_dualstack: bool | None) -> str:
    if not region:
        raise ConfigurationError("neither region nor endpoint is known: give a region, or set AWS_REGION")
    return default_endpoint(
        region,
        use_fips=_flag("AWS_USE_FIPS_ENDPOINT") if use_fips is None else use_fips,
        use_dualstack=_flag("AWS_USE_DUALSTACK_ENDPOINT") if use_dualstack is None else use_dualstack,
    )


def _flag(name: str) -> bool:
    return os.environ.get(name, "").lower() == "true"


def _variable(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _seconds(name: str, value: float) -> float:
    # A text that holds a number is refused as well; bool is an int, and nobody means it.
    if type(value) not in (int, float) or not (math.isfinite(value) and value > 0):
        raise ConfigurationError(f"{name} must be a positive number of seconds")
    return float(value)


def _sendable(url: str) -> None:
    if not re.fullmatch(r"[!-~]+", url, re.ASCII):
        raise ConfigurationError("a URL holds a space or a character outside ASCII: percent-encode it")
