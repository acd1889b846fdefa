"""HTTP/1.1 connections: open one, and send one request on it.

Every failure is a typed error that names the host and what was being done. Two of its attributes decide whether the
request may be sent again:

- ``may_have_arrived`` is False while connecting and while sending: a request that was only partly sent cannot be
  processed, because the server does not know its end.
- ``transient`` is True if another attempt may succeed.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.client import (
    BadStatusLine,
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
    RemoteDisconnected,
)
from socket import SOCK_STREAM, gaierror, getaddrinfo, socket
from typing import Any, NamedTuple, cast

from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout
from srpcore.exceptions.context import drop_context

from .attempts import Attempt
from .http_response import LOST, TimedResponse, time_left
from .proxy import Proxy
from .tls import SharedTls
from .urls import Origin

__all__ = ["Answer", "Unanswered", "open_connection", "send_request"]


class Unanswered(TransportError):
    """The connection was lost before the first byte of a response was received."""


class Answer(NamedTuple):
    """One response. Header names are in lower case; ``keep`` is whether the connection can be used again."""

    status: int
    headers: dict[str, str]
    body: bytes
    keep: bool


def open_connection(
    origin: Origin,
    attempt: Attempt,
    *,
    proxy: Proxy | None,
    tls: SharedTls | None,
    timeout: float,
) -> HTTPConnection:
    """Return a new connection to *origin*.

    Args:
        origin: what to connect to.
        attempt: its deadline applies.
        proxy: the proxy to go through, with CONNECT if *tls* is given.
        tls: for https, what verifies the certificate, and the sessions of earlier connections; None for http.
        timeout: the seconds for connecting, with the TLS handshake.

    Raises:
        TransportTimeout: connecting took too long.
        TransportError: the host is unknown, the connection or the certificate was refused, or the proxy refused.
    """
    host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
    timeout = attempt.seconds_left(timeout)
    # One deadline for everything except the name lookup: all addresses that are tried, the tunnel, the TLS handshake.
    attempt = attempt._replace(deadline=monotonic_clock() + timeout)
    connection: HTTPConnection
    if tls is not None:
        connection = _TlsConnection(host, port, attempt, tls, origin)
        if proxy is not None:
            connection.set_tunnel(origin.host, origin.port, headers=proxy.headers)
    else:
        connection = HTTPConnection(host, port)
    # A program may set HTTPConnection.debuglevel to look at its own requests. Then http.client would print ours too,
    # with passwords and tokens.
    connection.debuglevel = 0
    cast(Any, connection)._create_connection = partial(_connect, attempt)
    cast(Any, connection).response_class = partial(TimedResponse, attempt=attempt, timeout=timeout)
    where = origin.host if proxy is None else f"{origin.host} through the proxy {proxy.host}:{proxy.port}"
    through = None if proxy is None else Origin("http", proxy.host, proxy.port)
    with (
        _closed_on_failure(connection),
        _phase(f"connecting to {where}", timeout, origin, connecting=True, proxy=through, arrived=False),
    ):
        connection.connect()
    return connection


def send_request(
    connection: HTTPConnection,
    attempt: Attempt,
    origin: Origin,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    timeout: float,
    limit: int,
) -> Answer:
    """Send one request on *connection* and return the response. On a failure the connection is closed.

    Args:
        connection: an open connection.
        attempt: its deadline applies.
        origin: what the connection leads to, for messages.
        method: the HTTP method.
        target: the path and query, or the whole URL for a proxy.
        headers: the headers.
        body: the body, or None.
        timeout: the seconds that the server may be silent.
        limit: the largest accepted body in bytes.

    Raises:
        Unanswered: the connection was lost before the first byte of a response was received.
        TransportTimeout: the server was silent for *timeout* seconds, or the deadline of *attempt* is over.
        TransportError: the response is truncated, longer than *limit*, or not HTTP.
    """
    with _closed_on_failure(connection):
        left = attempt.seconds_left(timeout)
        connection.sock.settimeout(left)
        cast(Any, connection).response_class = partial(TimedResponse, attempt=attempt, timeout=timeout)
        try:
            with _phase(f"sending to {origin.host}", left, origin, arrived=False):
                connection.request(method, target, body=body, headers=dict(headers))
        except Unanswered:
            # A server that refuses a request may answer and close before it has read all of it (RFC 9112, section 9.5).
            with suppress(TransportError):
                return _answer(connection, origin, timeout, limit)._replace(keep=False)
            raise
        return _answer(connection, origin, timeout, limit)


class _TlsConnection(HTTPSConnection):
    """An HTTPSConnection that resumes a TLS session."""

    def __init__(self, host: str, port: int, attempt: Attempt, tls: SharedTls, origin: Origin) -> None:
        super().__init__(host, port, context=tls.context)
        self._attempt = attempt
        self._tls = tls
        self._origin = origin

    def connect(self) -> None:
        """Connect, through the proxy if there is one, and do the TLS handshake."""
        HTTPConnection.connect(self)
        self.sock.settimeout(time_left(self._attempt))
        session = self._tls.session(self._origin)
        try:
            name = cast(str, _ascii(self._origin.host))
            self.sock = self._tls.context.wrap_socket(self.sock, server_hostname=name, session=session)
        except OSError:
            # The session may be the cause.
            self._tls.forget_session(self._origin)
            raise


def _answer(connection: HTTPConnection, origin: Origin, timeout: float, limit: int) -> Answer:
    with _phase(f"waiting for {origin.host}", timeout, origin, waiting=True), connection.getresponse() as response:
        return _read(response, origin, limit)


def _read(response: HTTPResponse, origin: Origin, limit: int) -> Answer:
    host = origin.host
    if response.status < 200:
        raise TransportError(f"HTTP {response.status} from {host} where an answer was expected")
    if response.length is None and not response.chunked:
        # http.client accepts truncated headers as complete ones. If the header with the length is among the missing
        # ones, a part of the body would look like the whole.
        message = f"the response of {host} has no Content-Length, so a truncated response could not be detected"
        raise TransportError(message, transient=True)
    body = b"" if (response.length or 0) > limit else response.read(limit + 1)
    if len(body) > limit or (response.length or 0) > limit:
        raise TransportError(
            f"the response of {host} is longer than {limit} bytes: raise max_response_size to accept it"
        )
    if response.length:
        message = f"the response of {host} was cut short: {response.length} bytes are missing"
        raise TransportError(message, transient=True, reason="closed", url=f"{origin.url}/")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, response.isclosed() and not response.will_close)


def _connect(attempt: Attempt, address: tuple[str, int], *_arguments: object) -> socket:
    """Return a socket that is connected to the first address of a host that accepts the connection.

    Each address gets an equal share of the time that is left, so that one that does not answer leaves time for others.
    """
    failure: OSError | None = None
    places = getaddrinfo(_ascii(address[0]), address[1], type=SOCK_STREAM)
    for index, (family, kind, protocol, _, place) in enumerate(places):
        try:
            sock = socket(family, kind, protocol)
            try:
                sock.settimeout(time_left(attempt) / (len(places) - index))
                sock.connect(place)
            except BaseException:
                sock.close()
                raise
            return sock
        except OSError as error:
            failure = error
    try:
        raise failure or OSError("the host has no address")
    finally:
        del failure  # its traceback refers to this frame: the two would keep each other in memory


_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")
"""The message of http.client if a proxy does not answer CONNECT with 200, up to the proxy's reason phrase."""


def _reason(error: OSError) -> str:
    """Return why there is no connection, without the reason phrase of a proxy, in which it may quote the request."""
    refused = _REFUSED_TUNNEL.match(str(error))
    if refused is None:
        return error.strerror or type(error).__name__
    hint = ": check the user name and password in the URL of the proxy" if refused[1] == "407" else ""
    return f"the proxy answered HTTP {refused[1]}{hint}"


def _ascii(host: str) -> str | bytes:
    # Python imports its slow module for international names (IDNA) if a host is a string, even if it is ASCII.
    return host.encode("ascii") if host.isascii() else host


@contextmanager
def _closed_on_failure(connection: HTTPConnection) -> Generator[None, None, None]:
    try:
        yield
    except BaseException as error:
        connection.close()
        # The exceptions of http.client contain a part of the answer, and those of its headers a part of the request.
        drop_context(error)
        raise


@contextmanager
def _phase(
    action: str,
    timeout: float,
    origin: Origin,
    *,
    connecting: bool = False,
    proxy: Origin | None = None,
    waiting: bool = False,
    arrived: bool = True,
) -> Generator[None, None, None]:
    """Translate the exceptions of http.client, socket and ssl inside the ``with`` block.

    Args:
        action: what is being done, for messages, such as ``connecting to example.com``.
        timeout: the seconds that it may take, for messages.
        origin: what the connection leads to.
        connecting: whether a connection is being opened.
        proxy: the proxy that it is opened through.
        waiting: whether a response is being read.
        arrived: whether the server may have received the whole request.
    """

    # Functions, because almost every block ends without an error.
    def closed() -> dict[str, Any]:
        return {"may_have_arrived": arrived, "reason": "closed", "url": f"{origin.url}/"}

    def failed() -> dict[str, Any]:
        if not connecting:
            return closed()
        return closed() | ({"reason": "connect"} if proxy is None else {"reason": "proxy", "url": proxy.url})

    # The order matters: RemoteDisconnected, timeouts and TLS errors are subclasses of OSError.
    try:
        yield
    except TransportError:
        raise
    except RemoteDisconnected:
        message = f"{action}: the connection was closed without an answer"
        raise Unanswered(message, transient=True, **closed()) from None
    except TimeoutError:
        message, reason = f"{action}: no answer within {timeout:g} seconds", "connect" if connecting else "read"
        raise TransportTimeout(
            message, may_have_arrived=arrived, reason=f"{reason} timeout", url=f"{origin.url}/"
        ) from None
    except ssl.SSLCertVerificationError as error:
        message = f"{action}: certificate verification failed: {error.verify_message.rstrip('.')}"
        message += ": check the host name, or give its authority in AWS_CA_BUNDLE"
        raise TransportError(message, may_have_arrived=False, reason="tls", url=f"{origin.url}/") from None
    except gaierror as error:
        message = f"{action}: the host name was not found ({error.strerror}): check the region"
        raise TransportError(message, transient=True, **failed()) from None
    except OSError as error:
        facts: dict[str, Any]
        if isinstance(error, ssl.SSLError):
            facts = closed() | {"reason": "tls"}
        elif isinstance(error, (ConnectionResetError, BrokenPipeError)):
            facts = closed()
        else:
            facts = failed()
        kind = Unanswered if not waiting and isinstance(error, LOST) else TransportError
        # A proxy that answered 4xx would refuse a second request too.
        refused = _REFUSED_TUNNEL.match(str(error))
        for_good = refused is not None and refused[1].startswith("4")
        raise kind(f"{action}: {_reason(error)}", transient=not for_good, **facts) from None
    except (HTTPException, ValueError) as error:
        # Without the exception's message: it quotes what was sent or received.
        if waiting or isinstance(error, BadStatusLine):
            # A truncated answer may be complete the next time. One that is not HTTP comes from another kind of server.
            broken = isinstance(error, IncompleteRead)
            raise TransportError(
                f"{action}: the answer is not valid HTTP ({type(error).__name__})", transient=broken, **closed()
            ) from None
        raise ConfigurationError(f"{action}: the request contains a character that HTTP does not allow") from None
