"""The httpx clients that a transport makes if the program gives none.

This module imports httpx: import it only when it is needed, and never on an event loop.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast

import anyio
import httpcore
import httpx

from srpcore._fork import reset_in_child
from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError

from ..connections import FRESH_SECONDS
from ..proxy import Proxy

__all__ = ["load_backend", "make_async_client", "make_client", "until"]

# A reading of monotonic_clock(): the deadline of the blocking call that this thread makes.
_DEADLINE: ContextVar[float] = ContextVar("srpcore_httpx_deadline", default=float("inf"))


def make_client(context: ssl.SSLContext, proxy: Proxy | None, max_connections: int) -> httpx.Client:
    """Return a client that reads nothing from the environment: no proxy, no netrc.

    Args:
        context: verifies the certificates.
        proxy: the proxy to use, or None.
        max_connections: how many connections are open at a time.

    Raises:
        ConfigurationError: the proxy's host name is not valid for httpx.
    """
    transport = _PoolTransport(context, proxy, max_connections)
    return httpx.Client(transport=transport, trust_env=False, cookies=_no_cookies())


def make_async_client(context: ssl.SSLContext, proxy: Proxy | None, max_connections: int) -> httpx.AsyncClient:
    """Return a client that reads nothing from the environment: no proxy, no netrc.

    Args:
        context: verifies the certificates.
        proxy: the proxy to use, or None.
        max_connections: how many connections are open at a time.

    Raises:
        ConfigurationError: the proxy's host name is not valid for httpx.
    """
    # max_keepalive_connections must not be smaller: httpcore compares it with the number of all connections, not only
    # of idle ones, and would close connections that could be used again.
    limits = httpx.Limits(
        max_connections=max_connections, max_keepalive_connections=max_connections, keepalive_expiry=FRESH_SECONDS
    )
    through = None if proxy is None else httpx.Proxy(_proxy_url(proxy), headers=proxy.headers)
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits, proxy=through)
    return httpx.AsyncClient(transport=transport, trust_env=False, cookies=_no_cookies())


def load_backend(context: ssl.SSLContext) -> None:
    """Load the modules that httpx, httpcore and anyio would load at the first request, on the event loop."""
    make_async_client(context, None, 1)
    anyio.run(anyio.sleep, 0)


@contextmanager
def until(deadline: float) -> Generator[None, None, None]:
    """Set the deadline (of ``monotonic_clock()``) of requests with the blocking clients of :func:`make_client`."""
    token = _DEADLINE.set(deadline)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def _no_cookies() -> CookieJar:
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _proxy_url(proxy: Proxy) -> httpx.URL:
    try:
        return httpx.URL(scheme="http", host=proxy.host, port=proxy.port)
    except httpx.InvalidURL:
        raise ConfigurationError("the host name of the proxy is not valid for httpx: check the variable") from None


class _PoolTransport(httpx.BaseTransport):
    """httpx's HTTPTransport with a deadline.

    httpx's timeouts limit each read, so a response that comes byte by byte could take for ever. Its transport does not
    let one replace the sockets, so this one uses httpcore's pool directly.
    """

    def __init__(self, context: ssl.SSLContext, proxy: Proxy | None, max_connections: int) -> None:
        settings: dict[str, Any] = {
            "ssl_context": context,
            "max_connections": max_connections,
            "max_keepalive_connections": max_connections,
            "keepalive_expiry": FRESH_SECONDS,
            "network_backend": _Backend(),
        }
        if proxy is None:
            self._pool = httpcore.ConnectionPool(**settings)
        else:
            self._pool = httpcore.HTTPProxy(
                str(_proxy_url(proxy)), proxy_headers=list(proxy.headers.items()), **settings
            )
        reset_in_child(self, _PoolTransport._after_fork)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* and return the response. Its body is not read yet."""
        url = request.url
        to_send = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _httpx_exceptions():
            response = self._pool.handle_request(to_send)
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=cast(Any, response).extensions,
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _after_fork(self) -> None:
        """Close the connections in the child. The pool's locks are not used: a thread of the parent may hold them."""
        for connection in self._pool.connections:
            connection.close()


class _Body(httpx.SyncByteStream):
    """The body of a response, read as it is received."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Generator[bytes, None, None]:
        with _httpx_exceptions():
            yield from self._response.iter_stream()

    def close(self) -> None:
        """Return the connection to the pool, or close it if the body was not read completely."""
        self._response.close()


class _Backend(httpcore.NetworkBackend):
    """httpcore's blocking sockets with a deadline."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to *host*."""
        timeout = _time_left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end at the deadline of the current call."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return the next bytes."""
        return self._inner.read(max_bytes, _time_left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of *buffer*."""
        for start in range(0, len(buffer), _PART):
            self._inner.write(buffer[start : start + _PART], _time_left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Do the TLS handshake."""
        return _Stream(
            self._inner.start_tls(ssl_context, server_hostname, _time_left(timeout, httpcore.ConnectTimeout))
        )

    def get_extra_info(self, info: str) -> Any:
        """Return information about the socket, for httpcore."""
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()


_PART = 65536
"""How many bytes are sent before the deadline is checked again."""


def _time_left(timeout: float | None, late: type[Exception]) -> float:
    left = _DEADLINE.get() - monotonic_clock()
    if left <= 0:
        raise late("the deadline is over")
    return left if timeout is None else min(left, timeout)


@contextmanager
def _httpx_exceptions() -> Generator[None, None, None]:
    # httpx has an exception with the same name for each exception of httpcore.
    try:
        yield
    except tuple(_EXCEPTIONS) as error:
        raise _EXCEPTIONS[type(error)](str(error)) from error


_EXCEPTIONS: dict[type[Exception], Callable[[str], httpx.TransportError]] = {
    getattr(httpcore, name): getattr(httpx, name)
    for name in """
        ConnectError ConnectTimeout LocalProtocolError NetworkError PoolTimeout ProtocolError ProxyError ReadError
        ReadTimeout RemoteProtocolError TimeoutException UnsupportedProtocol WriteError WriteTimeout
    """.split()
}
