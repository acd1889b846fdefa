"""One request that is sent with httpx: how far it got, its response, and a typed error for every failure.

This module imports httpx: import it only when it is needed, and never on an event loop.

Whether a request may be sent again depends on how far it got. httpx reports that through its ``trace`` extension::

    HANDED_OVER --connect_tcp, start_tls--> CONNECTING --send_request_headers--> SENDING --send_request_body--> WAITING
    (may have arrived)                      (has not arrived)                    (has not arrived)    (may have arrived)

A request that was only partly sent cannot have been processed, because the server does not know its end. A transport
of the program's own may report nothing; then a lost request counts as one that may have arrived.
"""

from __future__ import annotations

import asyncio
import math
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from enum import Enum
from socket import gaierror
from typing import Any, cast

import httpx

from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError, SrpcoreError, TransportError, TransportTimeout
from srpcore.exceptions.context import without_context
from srpcore.offload import uninterrupted

from ..attempts import Attempt
from ..options import Limits
from ..proxy import Proxy
from ..urls import Origin, origin_and_target, what_to_check
from .response import Body, Received

__all__ = ["HttpxRequest", "Phase", "send", "send_async"]


class Phase(Enum):
    """How far a request got; the value is the word for messages."""

    HANDED_OVER = "calling"
    """httpx has the request. It may wait for a connection, or be with a transport that reports nothing."""
    CONNECTING = "connecting to"
    SENDING = "sending to"
    WAITING = "waiting for"
    """The whole request was sent."""


class HttpxRequest:
    """One request for one attempt.

    The phase is taken from httpx's ``trace`` extension. The exception would not do: httpcore reads a response even if
    the sending failed, so the exception of an incomplete request may be one of reading.

    Args:
        attempt: its deadline applies.
        method: the HTTP method.
        url: the URL.
        headers: the headers.
        body: the body, or None.
        proxy: the proxy that the request goes through, for messages.
        limits: the timeouts and the largest accepted body.

    Raises:
        ConfigurationError: the request contains a character that HTTP does not allow, or httpx would change its URL.
    """

    def __init__(
        self,
        attempt: Attempt,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        proxy: Proxy | None,
        limits: Limits,
    ) -> None:
        self.attempt = attempt
        self.phase: Phase | None = None
        self.opened: Any = None
        """The stream of a connection that is being made. It must be closed if the call is cancelled meanwhile."""
        self.verify_code = 0
        """OpenSSL's reason why the certificate of the server was refused; 0 if it was not."""
        self.limits = limits
        self._proxy = proxy
        self._origin = origin_and_target(url)[0]
        self.host = self._origin.host
        connect, read = attempt.seconds_left(limits.connect), attempt.seconds_left(limits.read)
        self._connect_until = monotonic_clock() + connect
        timeout = httpx.Timeout(connect=connect, read=read, write=read, pool=connect)
        if not all(re.fullmatch(r"[ -~]*", text, re.ASCII) for text in headers.values()):
            # Checked here, because httpcore would write the header with its value to its log.
            raise ConfigurationError(_NOT_ALLOWED.format(f"calling {self.host}"))
        try:
            # Made here and not by the client: a client adds its own headers, cookies and parameters.
            self.message = httpx.Request(
                method,
                url,
                headers={**headers, "Accept-Encoding": "identity"},
                content=body,
                extensions={"timeout": timeout.as_dict()},
            )
        except (httpx.InvalidURL, ValueError):
            raise ConfigurationError(_NOT_ALLOWED.format(f"calling {self.host}")) from None
        if self.message.url.raw_path.decode("ascii") != origin_and_target(url)[1]:
            raise ConfigurationError("httpx would change the path of the URL: write it percent-encoded")

    @property
    def under_way(self) -> bool:
        """Return whether the request, or a part of it, was sent."""
        return self.phase in (Phase.SENDING, Phase.WAITING)

    def note(self, name: str, info: Mapping[str, Any]) -> None:
        """Update the phase for an event of httpcore, such as ``http11.send_request_body.complete``."""
        step, _, state = name.partition(".")[2].partition(".")
        if step in ("connect_tcp", "connect_unix_socket", "start_tls"):
            self.phase = Phase.CONNECTING
            if step != "start_tls" and state == "complete":
                self.opened = info.get("return_value")
        elif (step, state) == ("send_request_headers", "started"):
            # The CONNECT request to a proxy is a part of connecting.
            tunnel = getattr(info.get("request"), "method", None) == b"CONNECT"
            self.phase = Phase.CONNECTING if tunnel else Phase.SENDING
            if not tunnel:
                self.opened = None
        elif (step, state) == ("send_request_body", "complete") and self.phase is Phase.SENDING:
            self.phase = Phase.WAITING

    async def note_async(self, name: str, info: Mapping[str, Any]) -> None:
        """Update the phase: the async version of :meth:`note`, as httpcore requires on an event loop."""
        self.note(name, info)

    def body_of(self, response: httpx.Response) -> Body:
        """Return the reader for the body of *response*.

        Raises:
            TransportError: the headers show that the body cannot be accepted.
        """
        return Body(self.host, self.limits.size, response.http_version, response.status_code, response.headers.raw)

    @contextmanager
    def typed_errors(self) -> Generator[None, None, None]:
        """Translate the exceptions of httpx inside the ``with`` block.

        Raises:
            TransportTimeout: connecting, or the answer, took too long.
            TransportError: the server did not answer.
            ConfigurationError: the request contains a character that HTTP does not allow.
        """
        # httpx's exceptions contain the request, and with it passwords and tokens.
        with without_context:
            try:
                yield
            except SrpcoreError:
                raise
            except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
                self._correct_phase(error)
                raise self._translate(error) from None

    def no_free_connection(self) -> TransportTimeout:
        """Return the error for the case that all connections are in use."""
        message = f"no connection to {self.host} was free within {self.limits.connect:g} seconds"
        message += ": raise max_connections"
        return TransportTimeout(message, may_have_arrived=False, reason="connect timeout", url=f"{self._origin.url}/")

    def connect_again(self) -> None:
        """Prepare for a second connection, which must be made in what is left of the time for connecting.

        Raises:
            TransportTimeout: no time is left.
        """
        left = self._connect_until - monotonic_clock()
        if left <= 0:
            raise self._timeout()
        timeout = {**self.message.extensions["timeout"], "connect": left, "pool": left}
        self.message.extensions = {**self.message.extensions, "timeout": timeout}

    def check_time(self) -> None:
        """Check the deadline.

        Raises:
            TransportTimeout: it is over.
        """
        if monotonic_clock() >= self.attempt.deadline:
            raise self._timeout()

    def _correct_phase(self, error: Exception) -> None:
        """Set the phase that *error* proves. A transport of the program's own may not have reported it."""
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
            self.phase = Phase.CONNECTING
        elif isinstance(error, (httpx.WriteError, httpx.WriteTimeout)):
            self.phase = Phase.SENDING

    def _translate(self, error: Exception) -> SrpcoreError:
        if isinstance(error, httpx.PoolTimeout):
            return self.no_free_connection()
        if isinstance(error, (httpx.TimeoutException, TimeoutError)):
            return self._timeout()
        if isinstance(error, httpx.RemoteProtocolError):
            return self._protocol_error(str(error))
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                self.verify_code = cause.verify_code
                message = f"certificate verification failed: {cause.verify_message.rstrip('.')}"
                message += ": check the host name, or give its authority in AWS_CA_BUNDLE"
                return self._lost(message, transient=False, tls=True)
            if isinstance(cause, gaierror):
                what = f"the host name was not found ({cause.strerror}): {what_to_check(self.host)}"
                return self._lost(what, transient=True)
        if isinstance(error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError)):
            return ConfigurationError(_NOT_ALLOWED.format(self._action))
        # A proxy that answered 4xx would refuse a second request too.
        refused = isinstance(error, httpx.ProxyError) and str(error).startswith("4")
        transient = isinstance(error, (httpx.TransportError, OSError)) and not refused
        causes = tuple(_causes(error))
        tls = any(isinstance(cause, ssl.SSLError) for cause in causes)
        closed = any(isinstance(cause, (ConnectionResetError, BrokenPipeError)) for cause in causes)
        return self._lost(_reason(error), transient=transient, tls=tls, closed=closed)

    def _timeout(self) -> TransportTimeout:
        connecting = self.phase is Phase.CONNECTING
        limit = self.limits.connect if connecting else self.limits.read
        within = "before the time limit of the call"
        if monotonic_clock() < self.attempt.deadline:
            within = f"within {limit:g} seconds"
        return TransportTimeout(
            f"{self._action}: no answer {within}",
            may_have_arrived=self._may_have_arrived,
            reason="connect timeout" if connecting else "read timeout",
            url=f"{self._origin.url}/",
        )

    def _protocol_error(self, message: str) -> TransportError:
        # These are messages of h11 and httpcore. If they change, truncated answers are no longer retried.
        if "disconnected" in message:
            return self._lost("the connection was closed without an answer", transient=True, closed=True)
        if "peer closed" in message:
            return self._lost("the answer was cut short", transient=True, closed=True)
        return self._lost("the answer is not valid HTTP", transient=False, closed=True)

    def _lost(self, what: str, *, transient: bool, tls: bool = False, closed: bool = False) -> TransportError:
        reason, url = "tls" if tls else "closed", f"{self._origin.url}/"
        if self.phase is Phase.CONNECTING and not (tls or closed):
            reason = "connect"
            if self._proxy is not None:
                reason, url = "proxy", Origin("http", self._proxy.host, self._proxy.port).url
        return TransportError(
            f"{self._action}: {what}",
            may_have_arrived=self._may_have_arrived,
            transient=transient,
            reason=reason,
            url=url,
        )

    @property
    def _may_have_arrived(self) -> bool:
        return self.phase in (Phase.HANDED_OVER, Phase.WAITING)

    @property
    def _action(self) -> str:
        phase, where = self.phase or Phase.HANDED_OVER, self.host
        if phase is Phase.CONNECTING:
            where = self._origin.authority
            if self._proxy is not None:
                where = f"{where} through the proxy {self._proxy.host}:{self._proxy.port}"
        return f"{phase.value} {where}"


_NOT_ALLOWED = "{}: the request contains a character that HTTP does not allow"


def send(client: httpx.Client, request: HttpxRequest) -> Received:
    """Send *request* with *client* and return the response.

    Raises:
        TransportTimeout: connecting, or the answer, took too long.
        TransportError: the server did not answer, or the answer is truncated, too long, or in an encoding that was not
            asked for.
        ConfigurationError: the request contains a character that HTTP does not allow.
    """
    request.message.extensions = {**request.message.extensions, "trace": request.note}
    request.phase = Phase.HANDED_OVER
    try:
        with request.typed_errors():
            response = client.send(request.message, stream=True, auth=None, follow_redirects=False)
            with closing(response):
                body = request.body_of(response)
                # A hook of the client, or a fake transport, may have read the whole body already.
                for part in [response.content] if response.is_stream_consumed else response.iter_raw():
                    request.check_time()
                    body.add(part)
            return body.received()
    except BaseException:
        if request.opened is not None:
            request.opened.close()
        raise


async def send_async(client: httpx.AsyncClient, request: HttpxRequest) -> Received:
    """Send *request* with *client* on the event loop and return the response: the async version of :func:`send`.

    Raises:
        TransportTimeout: connecting, or the answer, took too long.
        TransportError: the server did not answer, or the answer is truncated, too long, or in an encoding that was not
            asked for.
        ConfigurationError: the request contains a character that HTTP does not allow.
    """
    request.message.extensions = {**request.message.extensions, "trace": request.note_async}
    request.phase = Phase.HANDED_OVER
    try:
        with request.typed_errors():
            async with asyncio.timeout(request.attempt.seconds_left(math.inf)):
                response = await client.send(request.message, stream=True, auth=None, follow_redirects=False)
                response.stream = _ClosedWhole(cast(httpx.AsyncByteStream, response.stream))
                parts = cast(AsyncGenerator[bytes, None], response.aiter_raw())
                async with aclosing(response), aclosing(parts):
                    body = request.body_of(response)
                    if response.is_stream_consumed:
                        body.add(response.content)
                    else:
                        async for part in parts:
                            body.add(part)
                return body.received()
    except BaseException:
        if request.opened is not None:
            # httpcore does not close the connection if a TLS handshake is cancelled.
            await request.opened.aclose()
        raise


class _ClosedWhole(httpx.AsyncByteStream):
    """The body of a response, which is closed completely even if the task is cancelled meanwhile.

    At the end of the body httpx closes the stream, and httpcore then makes the connection free for the next request.
    If a cancellation by asyncio interrupts that, httpcore counts the connection as in use forever.
    """

    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._inner.__aiter__()

    async def aclose(self) -> None:
        """Close the stream."""
        await uninterrupted(self._inner.aclose())


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield *error* and its causes, outermost first; of an exception group, the first member only."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = cast(BaseExceptionGroup[BaseException], error).exceptions[0]
        else:
            error = error.__cause__ or error.__context__


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.ProxyError):
        # httpx puts the reason phrase of the proxy after the status. It may quote the request, so leave it out.
        status = str(error)[:3]
        hint = ": check the user name and password in the URL of the proxy" if status == "407" else ""
        return f"the proxy answered HTTP {status}{hint}"
    texts = [cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror]
    return texts[0] if texts else f"the connection was lost ({type(error).__name__})"
