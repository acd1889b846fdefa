"""The httpx clients that a transport makes for itself, who uses them, and when they are closed.

Loads httpx: import it where it is needed, and never on an event loop.
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

# Seconds of monotonic_clock(), for the blocking calls of one thread.
_DEADLINE: ContextVar[float] = ContextVar("srpcore_httpx_deadline", default=float("inf"))


def make_client(context: ssl.SSLContext, proxy: Proxy | None, max_connections: int) -> httpx.Client:
    """Return a client that verifies by *context* and takes nothing from the environment: no proxy, no netrc.

    Raises:
        ConfigurationError: httpx cannot reach the proxy by its name.
    """
    transport = _PoolTransport(context, proxy, max_connections)
    return httpx.Client(transport=transport, trust_env=False, cookies=_no_cookies())


def make_async_client(context: ssl.SSLContext, proxy: Proxy | None, max_connections: int) -> httpx.AsyncClient:
    """Return a client that verifies by *context* and takes nothing from the environment: no proxy, no netrc.

    Raises:
        ConfigurationError: httpx cannot reach the proxy by its name.
    """
    # httpcore closes idle connections as soon as there are more connections at all than it may keep.
    limits = httpx.Limits(
        max_connections=max_connections, max_keepalive_connections=max_connections, keepalive_expiry=FRESH_SECONDS
    )
    through = None if proxy is None else httpx.Proxy(_proxy_url(proxy), headers=proxy.headers)
    transport = httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits, proxy=through)
    return httpx.AsyncClient(transport=transport, trust_env=False, cookies=_no_cookies())


def load_backend(context: ssl.SSLContext) -> None:
    """Load what httpx, httpcore and anyio load only when they are first used, which would be on the event loop."""
    make_async_client(context, None, 1)
    anyio.run(anyio.sleep, 0)


@contextmanager
def until(deadline: float) -> Generator[None, None, None]:
    """Have the blocking clients of :func:`make_client` be done by *deadline* (of ``monotonic_clock()``)."""
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
        raise ConfigurationError("the host name of the proxy is none that httpx can reach") from None


class _PoolTransport(httpx.BaseTransport):
    """httpx's HTTPTransport, but for the deadline: httpx has a timeout for each read alone, which a drip outlives."""

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
        """Carry *request* to its host and return the response, of which the body is still to come."""
        url = request.url
        to_send = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_of_httpx():
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
        """Close the child's ends, without the locks, which another thread of the parent may have held."""
        for connection in self._pool.connections:
            connection.close()


class _Body(httpx.SyncByteStream):
    """The body of a response as it comes."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Generator[bytes, None, None]:
        with _as_of_httpx():
            yield from self._response.iter_stream()

    def close(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        self._response.close()


class _Backend(httpcore.NetworkBackend):
    """httpcore's blocking sockets, but for the deadline."""

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
        timeout = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, timeout, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write is over by the deadline of the call that makes it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what comes next."""
        return self._inner.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of *buffer*."""
        for start in range(0, len(buffer), _PART):
            self._inner.write(buffer[start : start + _PART], _left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands."""
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks about the socket."""
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        """Close the socket."""
        self._inner.close()


_PART = 65536
"""How many bytes are sent before the deadline is looked at again."""


def _left(timeout: float | None, late: type[Exception]) -> float:
    left = _DEADLINE.get() - monotonic_clock()
    if left <= 0:
        raise late("the deadline is over")
    return left if timeout is None else min(left, timeout)


@contextmanager
def _as_of_httpx() -> Generator[None, None, None]:
    # httpx has an exception of the same name for each of httpcore's.
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
