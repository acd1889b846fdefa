"""The default transport: AWS JSON over HTTPS, on the standard library alone, signed where the service demands it."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from srpcore._fork import ForkSafeLock
from srpcore.aws_json import decode
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.protocol import Fetch, Operation, Reply

from . import sigv4
from .calls import Attempt, Calls, OnRequest, OnResponse, carry_out
from .connections import IdleConnections, Origin
from .exchange import Answer, Unanswered, exchange, open_connection
from .proxy import Proxy, proxy_for
from .service import (
    MAX_RESPONSE_SIZE,
    USER_AGENT,
    Service,
    document,
    limits,
    refuse_redirect,
    seconds,
    variable,
    whole_number,
)

if TYPE_CHECKING:
    from typing import Self

    from .credentials import Credentials, CredentialsProvider

__all__ = ["MAX_RESPONSE_SIZE", "HttpsTransport", "tls_context"]


class HttpsTransport:
    """Carry operations to the service over HTTPS; safe to share between threads, and a context manager.

    *region* is else ``AWS_REGION``, ``AWS_DEFAULT_REGION`` or the profile's. *endpoint_url* is else
    ``AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER``, ``AWS_ENDPOINT_URL`` or the region's own: with *use_fips*, else
    ``AWS_USE_FIPS_ENDPOINT``, the one validated by FIPS 140, with *use_dualstack*, else ``AWS_USE_DUALSTACK_ENDPOINT``,
    one that answers over IPv6 too. *credentials*, or what a provider returns when it is called, sign the operations
    that need a signature; else those that :class:`~srpcore_transports.credentials.DefaultCredentials` finds do,
    looked for when such an operation comes and never for another. *ca_bundle*, a PEM file, is else ``AWS_CA_BUNDLE``,
    else the system's authorities count. *timeout* in seconds bounds connecting (*connect_timeout*), and each silence
    of the server after that (*read_timeout*); *total_timeout* bounds one call in all, with every retry. A name that is
    looked up is the one thing that cannot be bounded. *max_attempts* and what is sent again when is explained by
    :mod:`srpcore_transports.retries`, *on_request* and *on_response* by :mod:`srpcore_transports.calls`.

    Connections are kept alive and used again. Where the server has closed one meanwhile, the request is sent at once
    on a new connection, if not all of it could be sent, or if it was lost before the first byte of a response and the
    operation may be repeated. For an operation that may not, only a connection is used again that was in use less
    than five seconds ago, which no server closes: RespondToAuthChallenge follows InitiateAuth on the same one.

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
        total_timeout: float = 60.0,
        max_attempts: int = 3,
        ca_bundle: str | os.PathLike[str] | None = None,
        max_response_size: int = MAX_RESPONSE_SIZE,
        allow_http: bool = False,
        max_idle_connections: int = 16,
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
        self._ca_bundle = ca_bundle or variable("AWS_CA_BUNDLE")
        self._idle = IdleConnections(whole_number("max_idle_connections", max_idle_connections, at_least=0))
        self._sessions: dict[Origin, ssl.SSLSession] = {}
        self._context: ssl.SSLContext | None = None
        self._context_lock = ForkSafeLock()

    @property
    def region(self) -> str | None:
        """The region that signatures are for; None where only an endpoint is known."""
        return self._service.region

    @property
    def endpoint_url(self) -> str:
        """Where operations go, without a slash at the end."""
        return self._service.endpoint_url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"HttpsTransport(region={self.region!r}, endpoint_url={self.endpoint_url!r})"

    def call(self, operation: Operation) -> Reply:
        """Send *operation* as a POST, signed if it must be, and return the service's answer, errors included.

        Raises:
            ConfigurationError: the operation cannot be encoded, or must be signed and there is nothing to sign with.
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer of the service was had.
        """
        headers, body = self._service.request(operation)

        def send(attempt: Attempt) -> Reply:
            # Signed anew for each attempt: a signature has its time.
            signed = self._service.signed(operation, headers, body)
            answer = self._request(attempt, "POST", self.endpoint_url, signed, body)
            return decode(answer.status, answer.headers, answer.body)

        reply: Reply = carry_out(self._calls.steps(operation, self._service.host), send)
        return reply

    def fetch(self, url: str) -> bytes:
        """Return the body of a plain GET of *url*: https, or http to this machine. No credentials are involved.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer was had, or its status is not 200.
        """
        host = self._service.fetchable(url)
        headers = {"Host": sigv4.host_of(url), "Accept": "application/json", "User-Agent": USER_AGENT}

        def send(attempt: Attempt) -> bytes:
            answer = self._request(attempt, "GET", url, headers, None)
            return document(answer.status, answer.headers, answer.body, host)

        body: bytes = carry_out(self._calls.steps(Fetch(url), host), send)
        return body

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._idle.close()

    def _request(
        self, attempt: Attempt, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        request = _prepared(method, url, headers, body)
        generation = self._idle.generation
        answer, arrived = None, False
        idle = self._idle.take(request.origin, fresh=not attempt.repeatable)
        if idle is not None:
            try:
                answer = self._exchange(idle, attempt, request, generation)
            except Unanswered as error:
                arrived = error.may_have_arrived
                if arrived and not attempt.repeatable:
                    raise
        if answer is None:
            try:
                answer = self._exchange(self._connect(attempt, request), attempt, request, generation)
            except TransportError as error:
                error.may_have_arrived = arrived or error.may_have_arrived
                raise
        refuse_redirect(answer.status, request.origin.host)
        return answer

    def _exchange(self, connection: HTTPConnection, attempt: Attempt, request: _Request, generation: int) -> Answer:
        answer = exchange(
            connection,
            attempt,
            request.origin.host,
            request.method,
            request.target,
            request.headers,
            request.body,
            timeout=self._limits.read,
            limit=self._limits.size,
        )
        if answer.keep:
            if isinstance(connection.sock, ssl.SSLSocket) and connection.sock.session is not None:
                self._sessions[request.origin] = connection.sock.session
            self._idle.give_back(request.origin, connection, generation)
        else:
            connection.close()
        return answer

    def _connect(self, attempt: Attempt, request: _Request) -> HTTPConnection:
        return open_connection(
            request.origin,
            attempt,
            proxy=request.proxy,
            context=self._tls() if request.origin.scheme == "https" else None,
            session=self._sessions.get(request.origin),
            timeout=self._limits.connect,
        )

    def _tls(self) -> ssl.SSLContext:
        with self._context_lock:
            if self._context is None:
                self._context = tls_context(self._ca_bundle)
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


def tls_context(ca_bundle: str | os.PathLike[str] | None) -> ssl.SSLContext:
    """Return a context that verifies host and certificate: by the PEM file *ca_bundle*, else the system's authorities.

    Raises:
        ConfigurationError: the file cannot be read, or holds no certificate.
    """
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
