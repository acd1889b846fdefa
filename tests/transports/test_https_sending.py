"""Requests too long to be sent at once: early responses, lost connections and slow readers."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from srpcore.exceptions import TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports.deadline import time_limit
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.retries import Retries
from support.loopback import Drop, LoopbackServer, answer, chunked, tls
from support.on_loop import OnLoop
from support.serving_aws import SIGN_IN, echo

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")

BIG = 9_000_000
SIGN_UP = Operation("SignUp", {"Username": "u" * BIG})
"""What must not be sent twice."""
GET_USER = Operation("GetUser", {"AccessToken": "t" * BIG})

REFUSED = b'{"__type":"RequestTooLargeException","message":"m"}'


@pytest.fixture(params=[False, True], ids=["plain", "TLS"])
def secure(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


class Impatient(LoopbackServer):
    """Send *early* where a long request begins, and hang up: what was not read makes the close a reset."""

    def __init__(self, early: bytes, *, secure: bool) -> None:
        super().__init__(echo, tls("localhost") if secure else None)
        self.early = early
        self.begun = 0

    def before_body(self, headers: Mapping[str, str], connection: socket.socket) -> None:
        if int(headers.get("content-length", "0")) >= BIG:
            self.begun += 1
            connection.sendall(self.early)
            raise Drop


@contextmanager
def impatient(maker: Callable[..., Any], early: bytes, bundle: str, *, secure: bool) -> Iterator[tuple[Impatient, Any]]:
    with (
        Impatient(early, secure=secure) as server,
        maker("eu-west-1", server.url, ca_bundle=bundle, timeout=10, max_response_size=100_000) as transport,
    ):
        transport._attempts.retries = Retries(3, lambda: 0.0)
        yield server, transport


BLOCKING = pytest.mark.parametrize("maker", [HttpsTransport, HttpxTransport])


@BLOCKING
@pytest.mark.parametrize("early", [answer(REFUSED, 413), answer(REFUSED, 413, Connection="close")], ids=["", "close"])
@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
def test_an_early_response_is_read(
    maker: Callable[..., Any], early: bytes, used: bool, secure: bool, bundle: str
) -> None:
    with impatient(maker, early, bundle, secure=secure) as (server, transport):
        if used:
            transport.call(SIGN_IN)
        reply = transport.call(SIGN_UP)
        assert (reply.status, reply.error) == (413, {"Code": "RequestTooLargeException", "Message": "m"})
        assert (server.begun, server.connections) == (1, 1)
        assert transport.call(SIGN_IN).status == 200
        assert server.connections == 2


def test_a_connection_with_an_incomplete_request_is_not_kept(secure: bool, bundle: str) -> None:
    with impatient(HttpsTransport, answer(REFUSED, 413), bundle, secure=secure) as (_, transport):
        transport.call(SIGN_UP)
        assert transport._idle._idle == []


@BLOCKING
def test_an_early_response_that_is_not_json_is_reported(maker: Callable[..., Any], secure: bool, bundle: str) -> None:
    page = answer(b"<html>too large", 413, Connection="close")
    with impatient(maker, page, bundle, secure=secure) as (server, transport):
        with pytest.raises(TransportError, match="HTTP 413") as caught:
            transport.call(SIGN_UP)
        assert not caught.value.transient
        assert server.begun == 1


@BLOCKING
@pytest.mark.parametrize(
    ("status", "operation", "times"),
    [(400, GET_USER, 1), (429, SIGN_UP, 3), (500, SIGN_UP, 1), (500, GET_USER, 3), (503, SIGN_UP, 1)],
    ids=lambda value: value.name if isinstance(value, Operation) else str(value),
)
def test_a_request_with_an_early_response_is_retried_like_any_other(
    maker: Callable[..., Any], status: int, operation: Operation, times: int, bundle: str
) -> None:
    with impatient(maker, answer(REFUSED, status), bundle, secure=True) as (server, transport):
        assert transport.call(operation).status == status
        assert server.begun == times


def test_an_early_redirect_is_not_followed(bundle: str) -> None:
    early = answer(b"", 307, Location="https://localhost:1")
    with impatient(HttpsTransport, early, bundle, secure=True) as (server, transport):
        with pytest.raises(TransportError, match="HTTP 307"):
            transport.call(GET_USER)
        assert server.begun == 1


NO_WHOLE_ANSWER = {
    "nothing": b"",
    "a part of a head": answer(REFUSED, 413)[:20],
    "a part of a body": answer(REFUSED, 413)[:-1],
    "a part of the chunks": chunked(b"{}", last=False),
    "no length": b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n{}",
    "too long": answer(b" " * 100_001, 413),
    "an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("early", NO_WHOLE_ANSWER.values(), ids=NO_WHOLE_ANSWER)
def test_an_incomplete_request_without_a_response_has_not_arrived(early: bytes, secure: bool, bundle: str) -> None:
    with impatient(HttpsTransport, early, bundle, secure=secure) as (server, transport):
        with pytest.raises(TransportError, match=r"sending to (localhost|127\.0\.0\.1)") as caught:
            transport.call(SIGN_UP)
        assert (caught.value.may_have_arrived, caught.value.transient) == (False, True)
        assert server.begun == 3
        assert transport.call(SIGN_IN).status == 200


@pytest.mark.parametrize("early", ["nothing", "a part of a head", "a part of a body", "a part of the chunks"])
def test_an_incomplete_request_without_a_response_has_not_arrived_over_httpx(
    early: str, secure: bool, bundle: str
) -> None:
    with impatient(HttpxTransport, NO_WHOLE_ANSWER[early], bundle, secure=secure) as (server, transport):
        with pytest.raises(TransportError, match=r"sending to (localhost|127\.0\.0\.1)") as caught:
            transport.call(SIGN_UP)
        assert (caught.value.may_have_arrived, caught.value.transient) == (False, True)
        assert server.begun == 3


def test_on_an_event_loop_an_early_response_is_read_or_the_connection_is_lost(secure: bool, bundle: str) -> None:
    # asyncio throws away what has come where it cannot send the rest, so that it depends on which is noticed first.
    def maker(*arguments: Any, **named: Any) -> OnLoop:
        return OnLoop(AsyncHttpxTransport(*arguments, **named))

    with impatient(maker, answer(REFUSED, 413), bundle, secure=secure) as (_, transport):
        status, transient = None, None
        try:
            status = transport.call(SIGN_UP).status
        except TransportError as error:
            transient = error.transient
        assert (status, transient) in ((413, None), (None, True))
        assert transport.call(SIGN_IN).status == 200


class Sips(LoopbackServer):
    """Receive a long request at 0.6 megabytes a second, until told to hurry; then hang up."""

    def __init__(self, *, secure: bool) -> None:
        super().__init__(echo, tls("localhost") if secure else None)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
        self.hurry = Event()

    def before_body(self, headers: Mapping[str, str], connection: socket.socket) -> None:
        left = 30_000
        while int(headers.get("content-length", "0")) >= BIG:
            taken = len(connection.recv(65_536))
            if not taken:
                raise Drop
            left -= taken
            if left < 0:
                self.hurry.wait(0.05)
                left = 30_000


@pytest.mark.long
@pytest.mark.parametrize("maker", [HttpsTransport, HttpxTransport, AsyncHttpxTransport])
def test_a_request_that_is_read_slowly_ends_at_the_deadline(
    maker: Callable[..., Any], secure: bool, bundle: str
) -> None:
    # All of it would take more than ten seconds, with no silence that is longer than the timeout.
    long = Operation("SignUp", {"Username": "u" * 12_000_000})
    with Sips(secure=secure) as server:
        transport = maker("eu-west-1", server.url, ca_bundle=bundle, timeout=20, max_attempts=1)
        with OnLoop(transport) if maker is AsyncHttpxTransport else transport as calling:
            calling.call(SIGN_IN)
            started = time.monotonic()
            with time_limit(3.0), pytest.raises(TransportTimeout, match="sending to") as caught:
                calling.call(long)
            lasted = time.monotonic() - started
        server.hurry.set()
        assert server.connections == 1
    assert not caught.value.may_have_arrived
    assert lasted < 9
