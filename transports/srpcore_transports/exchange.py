"""One HTTP/1.1 request and its response on one connection; every failure is a typed error that names host and phase."""

from __future__ import annotations

import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, RemoteDisconnected
from socket import gaierror
from typing import NamedTuple

from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout

from .connections import Origin
from .proxy import Proxy

__all__ = ["Answer", "Unanswered", "exchange", "open_connection"]

_LOST = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class Unanswered(TransportError):
    """There was no connection, or it was lost before the first byte of a response came."""


class Answer(NamedTuple):
    """One response: its headers have lower-case names; ``keep`` says whether the connection is good for another."""

    status: int
    headers: dict[str, str]
    body: bytes
    keep: bool


def open_connection(
    origin: Origin,
    *,
    proxy: Proxy | None,
    context: ssl.SSLContext | None,
    connect_timeout: float,
    read_timeout: float,
) -> HTTPConnection:
    """Return a new connection to *origin*: for https verified with *context*, and through *proxy* by CONNECT.

    Raises:
        TransportTimeout: the connection, TLS included, was not there in *connect_timeout* seconds.
        TransportError: there is no such host, nobody listens, the certificate is not accepted, the proxy refused.
    """
    host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
    connection: HTTPConnection
    if origin.scheme == "https":
        connection = HTTPSConnection(host, port, timeout=connect_timeout, context=context)
        if proxy is not None:
            connection.set_tunnel(origin.host, origin.port, headers=proxy.headers)
    else:
        connection = HTTPConnection(host, port, timeout=connect_timeout)
    connection.response_class = _Response
    where = origin.host if proxy is None else f"{origin.host} through the proxy {proxy.host}:{proxy.port}"
    with _closed_on_failure(connection), _phase(f"connecting to {where}", connect_timeout):
        connection.connect()
    connection.sock.settimeout(read_timeout)
    return connection


def exchange(
    connection: HTTPConnection,
    host: str,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    limit: int,
) -> Answer:
    """Send one request on *connection* and return the response, whose body has at most *limit* bytes.

    Raises:
        Unanswered: the connection was lost before the first byte of a response came.
        TransportTimeout: the server was silent for longer than the connection's timeout.
        TransportError: the response is cut short, longer than *limit*, or no HTTP.
    """
    timeout = connection.sock.gettimeout()
    with _closed_on_failure(connection):
        with _phase(f"sending to {host}", timeout):
            connection.request(method, target, body=body, headers=dict(headers))
        with _phase(f"waiting for {host}", timeout, waiting=True), connection.getresponse() as response:
            return _read(response, host, limit)


def _read(response: HTTPResponse, host: str, limit: int) -> Answer:
    if response.length is None and not response.chunked:
        # http.client takes headers that break off for complete ones: without a length a part passes for the whole.
        raise TransportError(f"the response of {host} has no length, so that nobody can tell whether it was cut short")
    body = b"" if (response.length or 0) > limit else response.read(limit + 1)
    if len(body) > limit or (response.length or 0) > limit:
        raise TransportError(
            f"the response of {host} is longer than {limit} bytes: raise max_response_size if it may be"
        )
    if response.length:
        raise TransportError(f"the response of {host} was cut short: {response.length} bytes are missing")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, response.isclosed() and not response.will_close)


class _Response(HTTPResponse):
    """A response that tells a connection lost before its first byte (RemoteDisconnected) from one lost later."""

    def begin(self) -> None:
        """Read the status line and the headers."""
        try:
            # Nothing was read so far, so an error in this one look means that not one byte came.
            self.fp.peek(1)
        except _LOST:
            raise RemoteDisconnected("the connection was lost") from None
        super().begin()


@contextmanager
def _closed_on_failure(connection: HTTPConnection) -> Generator[None, None, None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextmanager
def _phase(doing: str, timeout: float | None, *, waiting: bool = False) -> Generator[None, None, None]:
    # The order matters: RemoteDisconnected, the timeouts and the TLS errors are all OSErrors too.
    try:
        yield
    except TransportError:
        raise
    except RemoteDisconnected:
        raise Unanswered(f"{doing}: the connection was closed without an answer") from None
    except TimeoutError:
        raise TransportTimeout(f"{doing}: no answer within {timeout:g} seconds") from None
    except ssl.SSLCertVerificationError as error:
        message = f"{doing}: certificate verification failed: {error.verify_message.rstrip('.')}"
        raise TransportError(f"{message}: check the host name, or give its authority in AWS_CA_BUNDLE") from None
    except gaierror as error:
        raise TransportError(f"{doing}: the host name was not found ({error.strerror}): check the region") from None
    except OSError as error:
        unanswered = not waiting and isinstance(error, _LOST)
        raise (Unanswered if unanswered else TransportError)(f"{doing}: {error.strerror or error}") from None
    except (HTTPException, ValueError) as error:
        # Not its text: that quotes what was sent or came.
        if waiting or isinstance(error, BadStatusLine):
            raise TransportError(f"{doing}: the answer is not valid HTTP ({type(error).__name__})") from None
        raise ConfigurationError(f"{doing}: the request holds a character that HTTP cannot carry") from None
