"""One request that httpx carries, and its response: how far it got, and every failure as a typed error.

Loads httpx: import it where it is needed, and never on an event loop.
"""

from __future__ import annotations

import asyncio
import math
import re
import ssl
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from enum import Enum
from socket import gaierror
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError, SrpcoreError, TransportError, TransportTimeout

from ..calls import Attempt
from ..proxy import Proxy
from ..service import Limits
from .response import Body, Received

__all__ = ["Exchange", "Phase", "send", "send_async"]


class Phase(Enum):
    """How far a request got, as far as is known."""

    HANDED_OVER = "calling"
    """httpx has it: it may wait for a connection, or be with a transport that tells nothing."""
    CONNECTING = "connecting to"
    SENDING = "sending to"
    WAITING = "waiting for"
    """All of it was sent."""


class Exchange:
    """One attempt at one request; *proxy* is named in messages.

    httpx's ``trace`` extension tells how far it is. httpcore goes on to read after a failure to send, so that this is
    the only way to know that not all was sent, and so that nothing can have been carried out. Where a transport tells
    nothing, a request that was lost counts as one that may have arrived.

    Raises:
        ConfigurationError: the request holds what HTTP cannot carry, or its URL is not the one that httpx would send.
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
        """The stream of a connection that is being made, for whoever gives up meanwhile."""
        self.limits = limits
        self._proxy = proxy
        self.host = urlsplit(url).hostname or ""
        connect, read = attempt.seconds_left(limits.connect), attempt.seconds_left(limits.read)
        timeout = httpx.Timeout(connect=connect, read=read, write=read, pool=connect)
        if not all(re.fullmatch(r"[ -~]*", text, re.ASCII) for text in headers.values()):
            # Looked at here, since httpcore's log would quote it.
            raise ConfigurationError(_CANNOT_BE_CARRIED.format(f"calling {self.host}"))
        try:
            # Made here and not by the client, whose headers, cookies and parameters are for other requests.
            self.request = httpx.Request(
                method,
                url,
                headers={**headers, "Accept-Encoding": "identity"},
                content=body,
                extensions={"timeout": timeout.as_dict()},
            )
        except (httpx.InvalidURL, ValueError):
            raise ConfigurationError(_CANNOT_BE_CARRIED.format(f"calling {self.host}")) from None
        if self.request.url.raw_path.decode("ascii") != _target(url):
            raise ConfigurationError("httpx would send another path than the URL has: write it percent-encoded")

    @property
    def under_way(self) -> bool:
        """Whether the request, or a part of it, was sent."""
        return self.phase in (Phase.SENDING, Phase.WAITING)

    def note(self, name: str, info: Mapping[str, Any]) -> None:
        """Take note of an event of httpcore's, such as ``http11.send_request_body.complete``."""
        step, _, state = name.partition(".")[2].partition(".")
        if step in ("connect_tcp", "connect_unix_socket", "start_tls"):
            self.phase = Phase.CONNECTING
            if step != "start_tls" and state == "complete":
                self.opened = info.get("return_value")
        elif (step, state) == ("send_request_headers", "started"):
            # What a proxy is asked first is still a part of connecting.
            tunnel = getattr(info.get("request"), "method", None) == b"CONNECT"
            self.phase = Phase.CONNECTING if tunnel else Phase.SENDING
            if not tunnel:
                self.opened = None
        elif (step, state) == ("send_request_body", "complete") and self.phase is Phase.SENDING:
            self.phase = Phase.WAITING

    async def note_async(self, name: str, info: Mapping[str, Any]) -> None:
        """Take note of an event of httpcore's, as it wants to be told on an event loop."""
        self.note(name, info)

    def body_of(self, response: httpx.Response) -> Body:
        """Return what takes the body of *response*, whose head is there.

        Raises:
            TransportError: the head says already that the answer cannot be taken.
        """
        return Body(self.host, self.limits.size, response.http_version, response.status_code, response.headers.raw)

    @contextmanager
    def typed_errors(self) -> Generator[None, None, None]:
        """Turn what httpx raises within into the error that it means.

        Raises:
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer was had.
            ConfigurationError: the request holds what HTTP cannot carry.
        """
        try:
            yield
        except SrpcoreError:
            raise
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            # Not as the cause: httpx's errors hold the request.
            raise self._meaning(error) from None

    def crowded(self) -> TransportTimeout:
        """Return the error that all connections are in use."""
        message = f"no connection to {self.host} was free within {self.limits.connect:g} seconds"
        return TransportTimeout(f"{message}: raise max_connections", may_have_arrived=False)

    def check_time(self) -> None:
        """Notice that the deadline is over.

        Raises:
            TransportTimeout: it is.
        """
        if monotonic_clock() >= self.attempt.deadline:
            raise self._late()

    def _meaning(self, error: Exception) -> SrpcoreError:
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
            self.phase = Phase.CONNECTING
        elif isinstance(error, (httpx.WriteError, httpx.WriteTimeout)):
            self.phase = Phase.SENDING
        if isinstance(error, httpx.PoolTimeout):
            return self.crowded()
        if isinstance(error, (httpx.TimeoutException, TimeoutError)):
            return self._late()
        if isinstance(error, httpx.RemoteProtocolError):
            return self._broken(str(error))
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                message = f"certificate verification failed: {cause.verify_message.rstrip('.')}"
                message += ": check the host name, or give its authority in AWS_CA_BUNDLE"
                return TransportError(f"{self._doing}: {message}", may_have_arrived=False)
            if isinstance(cause, gaierror):
                message = f"{self._doing}: the host name was not found ({cause.strerror}): check the region"
                return TransportError(message, may_have_arrived=False, transient=True)
        if isinstance(error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError)):
            return ConfigurationError(_CANNOT_BE_CARRIED.format(self._doing))
        # A proxy that refuses for good (4xx) would refuse again.
        refused = isinstance(error, httpx.ProxyError) and str(error).startswith("4")
        return self._lost(_reason(error), transient=isinstance(error, (httpx.TransportError, OSError)) and not refused)

    def _late(self) -> TransportTimeout:
        limit = self.limits.connect if self.phase is Phase.CONNECTING else self.limits.read
        within = "before the time limit of the call"
        if monotonic_clock() < self.attempt.deadline:
            within = f"within {limit:g} seconds"
        return TransportTimeout(f"{self._doing}: no answer {within}", may_have_arrived=self._may_have_arrived)

    def _broken(self, text: str) -> TransportError:
        # The texts are h11's and httpcore's; where they change, an answer that breaks off is not asked for again.
        if "disconnected" in text:
            return self._lost("the connection was closed without an answer", transient=True)
        if "peer closed" in text:
            return self._lost("the answer was cut short", transient=True)
        return self._lost("the answer is not valid HTTP", transient=False)

    def _lost(self, what: str, *, transient: bool) -> TransportError:
        message = f"{self._doing}: {what}"
        return TransportError(message, may_have_arrived=self._may_have_arrived, transient=transient)

    @property
    def _may_have_arrived(self) -> bool:
        return self.phase in (Phase.HANDED_OVER, Phase.WAITING)

    @property
    def _doing(self) -> str:
        phase, where = self.phase or Phase.HANDED_OVER, self.host
        if phase is Phase.CONNECTING and self._proxy is not None:
            where = f"{where} through the proxy {self._proxy.host}:{self._proxy.port}"
        return f"{phase.value} {where}"


_CANNOT_BE_CARRIED = "{}: the request holds a character that HTTP cannot carry"


def send(client: httpx.Client, exchange: Exchange) -> Received:
    """Carry *exchange* out by *client* and return the response.

    Raises:
        TransportTimeout: no connection, or no answer, in time.
        TransportError: no answer was had; it is cut short, too long, or in an encoding that was not asked for.
        ConfigurationError: the request holds what HTTP cannot carry.
    """
    exchange.request.extensions = {**exchange.request.extensions, "trace": exchange.note}
    exchange.phase = Phase.HANDED_OVER
    try:
        with exchange.typed_errors():
            response = client.send(exchange.request, stream=True, auth=None, follow_redirects=False)
            with closing(response):
                body = exchange.body_of(response)
                # A hook of the client's, or a transport that makes answers up, may have read it already.
                for part in [response.content] if response.is_stream_consumed else response.iter_raw():
                    exchange.check_time()
                    body.add(part)
            return body.received()
    except BaseException:
        if exchange.opened is not None:
            exchange.opened.close()
        raise


async def send_async(client: httpx.AsyncClient, exchange: Exchange) -> Received:
    """Carry *exchange* out by *client* on the event loop and return the response.

    Raises:
        TransportTimeout: no connection, or no answer, in time.
        TransportError: no answer was had; it is cut short, too long, or in an encoding that was not asked for.
        ConfigurationError: the request holds what HTTP cannot carry.
    """
    exchange.request.extensions = {**exchange.request.extensions, "trace": exchange.note_async}
    exchange.phase = Phase.HANDED_OVER
    try:
        with exchange.typed_errors():
            async with asyncio.timeout(exchange.attempt.seconds_left(math.inf)):
                response = await client.send(exchange.request, stream=True, auth=None, follow_redirects=False)
                parts = cast(AsyncGenerator[bytes, None], response.aiter_raw())
                async with aclosing(response), aclosing(parts):
                    body = exchange.body_of(response)
                    if response.is_stream_consumed:
                        body.add(response.content)
                    else:
                        async for part in parts:
                            body.add(part)
                return body.received()
    except BaseException:
        if exchange.opened is not None:
            # httpcore leaves it open where a TLS handshake is cancelled.
            await exchange.opened.aclose()
        raise


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield *error* and what it came of, outermost first; of several that came of a race, the first."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = cast(BaseExceptionGroup[BaseException], error).exceptions[0]
        else:
            error = error.__cause__ or error.__context__


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.ProxyError):
        return f"the proxy answered HTTP {str(error)[:3]}"
    texts = [cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror]
    return texts[0] if texts else f"the connection was lost ({type(error).__name__})"
