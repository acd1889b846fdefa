"""One HTTP/1.1 request and its response on one connection; every failure is a typed error that names host and phase."""

from __future__ import annotations

import re
import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
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

from .arriving import LOST, left_of, response_class
from .calls import Attempt
from .connections import Origin
from .proxy import Proxy

__all__ = ["Answer", "Unanswered", "exchange", "open_connection"]


class Unanswered(TransportError):
    """The connection was lost before the first byte of a response came."""


class Answer(NamedTuple):
    """One response: its headers have lower-case names; ``keep`` says whether the connection is good for another."""

    status: int
    headers: dict[str, str]
    body: bytes
    keep: bool


def open_connection(
    origin: Origin,
    attempt: Attempt,
    *,
    proxy: Proxy | None,
    context: ssl.SSLContext | None,
    session: ssl.SSLSession | None,
    timeout: float,
) -> HTTPConnection:
    """Return a new connection to *origin*: for https verified with *context*, and through *proxy* by CONNECT.

    *session* is one of an earlier connection to *origin*, which saves a part of the TLS handshake.

    Raises:
        TransportTimeout: the connection, TLS included, was not there in *timeout* seconds.
        TransportError: there is no such host, nobody listens, the certificate is not accepted, the proxy refused.
    """
    host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
    timeout = attempt.seconds_left(timeout)
    # One deadline for all of it: looking up aside, every address that is tried, the tunnel and the TLS handshake.
    attempt = replace(attempt, deadline=monotonic_clock() + timeout)
    connection: HTTPConnection
    if context is not None:
        connection = _TlsConnection(host, port, attempt, context, origin.host, session)
        if proxy is not None:
            connection.set_tunnel(origin.host, origin.port, headers=proxy.headers)
    else:
        connection = HTTPConnection(host, port)
    cast(Any, connection)._create_connection = partial(_connect, attempt)
    connection.response_class = response_class(attempt, timeout)
    where = origin.host if proxy is None else f"{origin.host} through the proxy {proxy.host}:{proxy.port}"
    with _closed_on_failure(connection), _phase(f"connecting to {where}", timeout, arrived=False):
        connection.connect()
    return connection


def exchange(
    connection: HTTPConnection,
    attempt: Attempt,
    host: str,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    timeout: float,
    limit: int,
) -> Answer:
    """Send one request on *connection* and return the response, whose body has at most *limit* bytes.

    Raises:
        Unanswered: the connection was lost before the first byte of a response came.
        TransportTimeout: the server was silent for longer than *timeout* seconds, or the attempt's deadline came.
        TransportError: the response is cut short, longer than *limit*, or no HTTP.
    """
    with _closed_on_failure(connection):
        left = attempt.seconds_left(timeout)
        connection.sock.settimeout(left)
        connection.response_class = response_class(attempt, timeout)
        try:
            with _phase(f"sending to {host}", left, arrived=False):
                connection.request(method, target, body=body, headers=dict(headers))
        except Unanswered:
            # Who refuses a request may answer and hang up before all of it has come (RFC 9112, section 9.5).
            with suppress(TransportError):
                return _answer(connection, host, timeout, limit)._replace(keep=False)
            raise
        return _answer(connection, host, timeout, limit)


class _TlsConnection(HTTPSConnection):
    """An HTTPSConnection that takes up a TLS session."""

    def __init__(
        self,
        host: str,
        port: int,
        attempt: Attempt,
        context: ssl.SSLContext,
        server_name: str,
        session: ssl.SSLSession | None,
    ) -> None:
        super().__init__(host, port, context=context)
        self._attempt = attempt
        self._tls = context
        self._server_name = server_name
        self._session = session

    def connect(self) -> None:
        """Connect, through the proxy if there is one, and shake hands."""
        HTTPConnection.connect(self)
        self.sock.settimeout(left_of(self._attempt))
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._server_name, session=self._session)


def _answer(connection: HTTPConnection, host: str, timeout: float, limit: int) -> Answer:
    with _phase(f"waiting for {host}", timeout, waiting=True), connection.getresponse() as response:
        return _read(response, host, limit)


def _read(response: HTTPResponse, host: str, limit: int) -> Answer:
    if response.status < 200:
        raise TransportError(f"HTTP {response.status} from {host} where an answer was expected")
    if response.length is None and not response.chunked:
        # http.client takes headers that break off for complete ones: without a length a part passes for the whole.
        message = f"the response of {host} has no length, so that nobody can tell whether it was cut short"
        raise TransportError(message, transient=True)
    body = b"" if (response.length or 0) > limit else response.read(limit + 1)
    if len(body) > limit or (response.length or 0) > limit:
        raise TransportError(
            f"the response of {host} is longer than {limit} bytes: raise max_response_size if it may be"
        )
    if response.length:
        message = f"the response of {host} was cut short: {response.length} bytes are missing"
        raise TransportError(message, transient=True)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, response.isclosed() and not response.will_close)


def _connect(attempt: Attempt, address: tuple[str, int], *_arguments: object) -> socket:
    """Connect to the first of the addresses of a host that takes it; each has its share of the time that is left."""
    failure: OSError | None = None
    places = getaddrinfo(*address, type=SOCK_STREAM)
    for index, (family, kind, protocol, _, place) in enumerate(places):
        try:
            sock = socket(family, kind, protocol)
            try:
                sock.settimeout(left_of(attempt) / (len(places) - index))
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
        del failure  # it holds this frame, and this frame it


# What http.client says where a proxy answers CONNECT with 4xx: asking again would change nothing.
_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: 4\d\d\b")


def _plain(error: OSError) -> str:
    # A proxy's own words may be in it, control characters too.
    return re.sub(r"[^ -~]", "?", str(error))[:200]


@contextmanager
def _closed_on_failure(connection: HTTPConnection) -> Generator[None, None, None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextmanager
def _phase(doing: str, timeout: float, *, waiting: bool = False, arrived: bool = True) -> Generator[None, None, None]:
    # The order matters: RemoteDisconnected, the timeouts and the TLS errors are all OSErrors too.
    try:
        yield
    except TransportError:
        raise
    except RemoteDisconnected:
        message = f"{doing}: the connection was closed without an answer"
        raise Unanswered(message, may_have_arrived=arrived, transient=True) from None
    except TimeoutError:
        raise TransportTimeout(f"{doing}: no answer within {timeout:g} seconds", may_have_arrived=arrived) from None
    except ssl.SSLCertVerificationError as error:
        message = f"{doing}: certificate verification failed: {error.verify_message.rstrip('.')}"
        message += ": check the host name, or give its authority in AWS_CA_BUNDLE"
        raise TransportError(message, may_have_arrived=False) from None
    except gaierror as error:
        message = f"{doing}: the host name was not found ({error.strerror}): check the region"
        raise TransportError(message, may_have_arrived=False, transient=True) from None
    except OSError as error:
        kind = Unanswered if not waiting and isinstance(error, LOST) else TransportError
        message, for_good = f"{doing}: {error.strerror or _plain(error)}", _REFUSED_TUNNEL.match(str(error)) is not None
        raise kind(message, may_have_arrived=arrived, transient=not for_good) from None
    except (HTTPException, ValueError) as error:
        # Not its text: that quotes what was sent or came.
        if waiting or isinstance(error, BadStatusLine):
            # An answer that breaks off is worth another try; one that is no HTTP is not.
            broken = isinstance(error, IncompleteRead)
            raise TransportError(
                f"{doing}: the answer is not valid HTTP ({type(error).__name__})",
                may_have_arrived=arrived,
                transient=broken,
            ) from None
        raise ConfigurationError(f"{doing}: the request holds a character that HTTP cannot carry") from None
