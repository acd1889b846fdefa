"""HTTP/1.1 connections: open one, and send one request on it.

Every failure is a typed error that names the host and what was being done. Two of its attributes decide whether the
request may be sent again:

- ``may_have_arrived`` is False while connecting and while sending: a request that was only partly sent cannot be
  processed, because the server does not know its end.
- ``transient`` is True if another attempt may succeed.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from socket import EAI_NONAME, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY, gaierror, getaddrinfo, socket
from typing import Any

from srpcore._values import replace
from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout
from srpcore.exceptions.context import without_context

from .attempts import Attempt
from .http_request import encode_request
from .http_response import (
    Answer,
    Incomplete,
    InvalidResponse,
    NoLength,
    NoResponse,
    ResponseReader,
    TooLong,
)
from .proxy import Proxy
from .tls import SharedTls
from .urls import Origin, what_to_check

__all__ = ["Answer", "Connection", "Unanswered", "open_connection", "send_request"]

_LOST = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
# OpenSSL's reasons when the first bytes are not TLS, for example "HTTP/1.1 400".
_NOT_TLS = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG")


class Unanswered(TransportError):
    """The connection was lost before the first byte of a response was received."""


class Connection:
    """An open connection, with TLS or without.

    Args:
        sock: the connected socket.
        tls: what verified the certificate, and keeps the session after the first response; None without TLS.
    """

    __slots__ = ("sock", "tls")

    def __init__(self, sock: socket, tls: SharedTls | None = None) -> None:
        self.sock = sock
        self.tls = tls
        """Set to None when the session was kept."""

    def close(self) -> None:
        """Close the connection. It may be closed already."""
        self.sock.close()


def open_connection(
    origin: Origin,
    attempt: Attempt,
    *,
    proxy: Proxy | None,
    tls: SharedTls | None,
    timeout: float,
) -> Connection:
    """Return a new connection to *origin*.

    If *tls* has only some of the trusted authorities and the server's certificate is of another one, then all
    authorities are loaded and a second connection is made, in the same time.

    Args:
        origin: what to connect to.
        attempt: its deadline applies.
        proxy: the proxy to go through, with CONNECT if *tls* is given.
        tls: for https, what verifies the certificate, and the sessions of earlier connections; None for http.
        timeout: the seconds for connecting, with the TLS handshake.

    Raises:
        TransportTimeout: connecting took too long.
        TransportError: the host is unknown, the connection or the certificate was refused, or the proxy refused.
        ConfigurationError: the file with the authorities cannot be read any more.
    """
    timeout = attempt.seconds_left(timeout)
    # One deadline for everything except the name lookup: all addresses that are tried, the tunnel, the TLS handshake.
    attempt = replace(attempt, deadline=monotonic_clock() + timeout)
    through = None if proxy is None else Origin("http", proxy.host, proxy.port)
    where = origin.authority if proxy is None else f"{origin.authority} through the proxy {proxy.host}:{proxy.port}"
    action = f"connecting to {where}"
    with without_context, _phase(action, timeout, origin, connecting=True, proxy=through, arrived=False):
        server = through or origin
        while True:
            sock = _connect(attempt, (server.host, server.port))
            if tls is None:
                return Connection(sock)
            with _closed_on_failure(sock):
                if proxy is not None:
                    _open_tunnel(sock, attempt, origin, proxy, timeout, action)
                sock.settimeout(_time_left(attempt))
                secured = _with_tls(sock, tls, origin)
            if isinstance(secured, ssl.SSLSocket):
                return Connection(secured, tls)
            tls = secured


def _with_tls(sock: socket, tls: SharedTls, origin: Origin) -> ssl.SSLSocket | SharedTls:
    """Do the TLS handshake. If all authorities must be loaded first, return what to connect again with."""
    try:
        return tls.context.wrap_socket(sock, server_hostname=_ascii(origin.host), session=tls.session(origin))
    except OSError as error:
        # The session may be the cause.
        tls.forget_session(origin)
        verify_code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
        # The handshake has failed: the socket is closed, and nothing was sent on it.
        with_all = tls.with_all_authorities(verify_code)
        if with_all is None:
            raise
        return with_all


def send_request(
    connection: Connection,
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
    sock = connection.sock
    headers = {"Host": origin.url.partition("://")[2], "Accept-Encoding": "identity", **headers}
    with without_context, _closed_on_failure(sock):
        left = attempt.seconds_left(timeout)
        try:
            with _phase(f"sending to {origin.host}", left, origin, arrived=False):
                sock.settimeout(left)
                sock.sendall(encode_request(method, target, headers, body))
        except Unanswered:
            # A server that refuses a request may answer and close before it has read all of it (RFC 9112, section 9.5).
            with suppress(TransportError):
                return replace(_answer(sock, attempt, origin, method, timeout, limit), keep=False)
            raise
        return _answer(sock, attempt, origin, method, timeout, limit)


def _answer(sock: socket, attempt: Attempt, origin: Origin, method: str, timeout: float, limit: int) -> Answer:
    with _phase(f"waiting for {origin.host}", timeout, origin, waiting=True, limit=limit):
        return _receive(sock, attempt, timeout, ResponseReader(method, limit=limit))


def _receive(sock: socket, attempt: Attempt, timeout: float, reader: ResponseReader) -> Answer:
    """Return what *reader* makes of the bytes from *sock*. Each read ends after *timeout* seconds, and at the deadline.

    A timeout that applied to each read alone would not be enough: a server that sends a byte a second could hold a call
    for ever.
    """
    answer = None
    while answer is None:
        sock.settimeout(min(_time_left(attempt), timeout))
        try:
            data = sock.recv(65_536)
        except _LOST:
            data = b""  # the same as a connection that was closed
        answer = reader.feed(data)
    return answer


def _time_left(attempt: Attempt) -> float:
    left = attempt.deadline - monotonic_clock()
    if left <= 0:
        raise TimeoutError
    return left


def _open_tunnel(sock: socket, attempt: Attempt, origin: Origin, proxy: Proxy, timeout: float, action: str) -> None:
    """Ask *proxy*, to which *sock* is connected, for a tunnel to *origin* (RFC 9110, section 9.3.6)."""
    name = f"[{origin.host}]" if ":" in origin.host else origin.host
    target = f"{name}:{origin.port}"
    sock.settimeout(_time_left(attempt))
    sock.sendall(encode_request("CONNECT", target, {"Host": target, **proxy.headers}, None))
    status = _receive(sock, attempt, timeout, ResponseReader("CONNECT", limit=0)).status
    if status >= 300:
        hint = ": check the user name and password in the URL of the proxy" if status == 407 else ""
        raise TransportError(
            # Without the reason phrase, in which the proxy may quote the request.
            f"{action}: the proxy answered HTTP {status}{hint}",
            may_have_arrived=False,
            # A second request would get the same 4xx.
            transient=not 400 <= status < 500,
            reason="proxy",
            url=Origin("http", proxy.host, proxy.port).url,
        )


def _connect(attempt: Attempt, address: tuple[str, int]) -> socket:
    """Return a socket that is connected to the first address of a host that accepts the connection.

    Each address gets an equal share of the time that is left, so that one that does not answer leaves time for others.
    """
    failure: OSError | None = None
    places = getaddrinfo(_ascii(address[0]), address[1], type=SOCK_STREAM)
    for index, (family, kind, protocol, _, place) in enumerate(places):
        try:
            sock = socket(family, kind, protocol)
            try:
                sock.settimeout(_time_left(attempt) / (len(places) - index))
                sock.connect(place)
                # Without a delay: a request is sent at once, even if an earlier segment is not yet acknowledged.
                sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            except BaseException:
                sock.close()
                raise
            return sock
        except OSError as error:
            failure = error
    try:
        raise failure or gaierror(EAI_NONAME, "it has no address")
    finally:
        del failure  # its traceback refers to this frame: the two would keep each other in memory


def _ascii(host: str) -> str | bytes:
    # Python imports its slow module for international names (IDNA) if a host is a string, even if it is ASCII.
    return host.encode("ascii") if host.isascii() else host


@contextmanager
def _closed_on_failure(sock: socket) -> Generator[None, None, None]:
    try:
        yield
    except BaseException:
        sock.close()
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
    limit: int = 0,
    arrived: bool = True,
) -> Generator[None, None, None]:
    """Translate the exceptions of the reader, the writer, socket and ssl inside the ``with`` block.

    Args:
        action: what is being done, for messages, such as ``connecting to example.com``.
        timeout: the seconds that it may take, for messages.
        origin: what the connection leads to.
        connecting: whether a connection is being opened.
        proxy: the proxy that it is opened through.
        waiting: whether a response is being read.
        limit: the largest accepted body of that response in bytes, for messages.
        arrived: whether the server may have received the whole request.
    """

    # Functions, because almost every block ends without an error.
    def closed() -> dict[str, Any]:
        return {"may_have_arrived": arrived, "reason": "closed", "url": f"{origin.url}/"}

    def failed() -> dict[str, Any]:
        if not connecting:
            return closed()
        return closed() | ({"reason": "connect"} if proxy is None else {"reason": "proxy", "url": proxy.url})

    # The order matters: NoResponse is an Incomplete, which is an InvalidResponse; a timeout is an OSError.
    try:
        yield
    except (TransportError, ConfigurationError):
        raise
    except NoResponse:
        message = f"{action}: the connection was closed without an answer"
        raise Unanswered(message, transient=True, **closed()) from None
    except Incomplete:
        raise TransportError(f"{action}: the response was cut short", transient=True, **closed()) from None
    except NoLength:
        message = f"the response of {origin.host} has no Content-Length, so a truncated response could not be detected"
        raise TransportError(message, transient=True) from None
    except TooLong:
        message = f"the response of {origin.host} is longer than {limit} bytes: raise max_response_size to accept it"
        raise TransportError(message) from None
    except InvalidResponse as error:
        # It comes from another kind of server, so another attempt would not help.
        raise TransportError(f"{action}: the answer is not valid HTTP ({error})", **closed()) from None
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
        message = f"{action}: the host name was not found ({error.strerror}): {what_to_check(origin.host)}"
        raise TransportError(message, transient=True, **failed()) from None
    except OSError as error:
        facts: dict[str, Any]
        what = error.strerror or type(error).__name__
        if isinstance(error, ssl.SSLError):
            facts = closed() | {"reason": "tls"}
            if error.reason in _NOT_TLS:
                what = f"the answer is not TLS ({error.reason}): is the URL of the server http:// instead?"
        elif isinstance(error, (ConnectionResetError, BrokenPipeError)):
            facts = closed()
        else:
            facts = failed()
        kind = Unanswered if not waiting and isinstance(error, _LOST) else TransportError
        raise kind(f"{action}: {what}", transient=True, **facts) from None
    except ValueError:
        # Without the exception's message: it quotes what was to be sent.
        raise ConfigurationError(f"{action}: the request contains a character that HTTP does not allow") from None
