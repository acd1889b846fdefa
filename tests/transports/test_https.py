"""What only HttpsTransport does. The tests of every transport over HTTP are in test_http_*.py."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError, TransportError
from srpcore.protocol import Operation
from srpcore_transports.attempts import Attempt
from srpcore_transports.http_connection import open_connection, send_request
from srpcore_transports.https import HttpsTransport
from srpcore_transports.urls import Origin, origin_and_target
from support.http_transports import (
    served,
)
from support.loopback import Drop, LoopbackServer, Request, answer, chunked, proxy_server, tls
from support.serving_aws import (
    KEYS,
    SIGN_IN,
    fixed,
    reset,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (b"evil\xff" + b"x" * 500, "answered HTTP 407: check the user name and password in the URL of the proxy"),
        (b"evil\x1b[31m", "not valid HTTP (its reason contains a control character)"),
    ],
    ids=["long", "with an escape"],
)
def test_the_reason_phrase_of_a_proxy_is_not_quoted(
    bundle: str, monkeypatch: pytest.MonkeyPatch, reason: bytes, message: str
) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        return b"HTTP/1.1 407 " + reason + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    with LoopbackServer(handler) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with (
            HttpsTransport("eu-west-1", "https://service.example", ca_bundle=bundle) as transport,
            pytest.raises(TransportError) as raised,
        ):
            transport.call(SIGN_IN)
        assert len(proxy.requests) == 1
    assert str(raised.value).endswith(message)
    assert "evil" not in str(raised.value)


@pytest.mark.parametrize("host", ["service.example:443", "[2001:db8::1]:8443"])
def test_a_tunnel_is_asked_for_by_host_and_port(bundle: str, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with proxy_server(refuse=502) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with (
            HttpsTransport("eu-west-1", f"https://{host}", ca_bundle=bundle, max_attempts=1) as transport,
            pytest.raises(TransportError, match="answered HTTP 502") as caught,
        ):
            transport.call(SIGN_IN)
        assert (caught.value.reason, caught.value.url) == ("proxy", proxy.url)
        (request,) = proxy.requests
    assert (request.method, request.target, request.headers["host"]) == ("CONNECT", host, host)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (answer(b"{}", Content_length="2"), "it contains the length of its body twice"),
        (answer(b"{}", Transfer_Encoding="chunked"), "it contains the length of its body twice"),
        (chunked(b"{}").replace(b"\r\n2", b"\r\n0x2"), "the size of a chunk is not a hexadecimal number"),
        (answer(b"{}", X_Folded="a\r\n b"), "the name of a header is not a token"),
    ],
    ids=["two lengths", "a length and chunks", "0x", "folded"],
)
def test_a_response_whose_end_is_doubtful_is_refused_and_not_asked_for_again(
    bundle: str, response: bytes, message: str
) -> None:
    with served(HttpsTransport, bundle, fixed(response), max_attempts=3) as (server, transport):
        with pytest.raises(TransportError) as caught:
            transport.call(SIGN_IN)
        assert str(caught.value) == f"waiting for localhost: the answer is not valid HTTP ({message})"
        assert (caught.value.may_have_arrived, caught.value.transient, caught.value.reason) == (True, False, "closed")
        assert len(server.requests) == 1
        assert transport._idle._idle == []


@pytest.mark.parametrize("by_reset", [False, True], ids=["closed", "reset"])
def test_a_connection_that_is_lost_within_a_response_is_reported_as_a_truncation(bundle: str, by_reset: bool) -> None:
    def handler(_request: Request, connection: socket.socket) -> bytes:
        connection.sendall(answer(b"{}")[:-1])
        time.sleep(0.02)  # a reset that comes too soon takes what was sent with it
        if by_reset:
            reset(connection)
        raise Drop

    with served(HttpsTransport, bundle, handler, max_attempts=1) as (_, transport):
        with pytest.raises(TransportError, match="waiting for localhost: the response was cut short") as caught:
            transport.call(SIGN_IN)
        assert (caught.value.may_have_arrived, caught.value.transient, caught.value.reason) == (True, True, "closed")


class Moody(LoopbackServer):
    """A server that closes new connections before the TLS handshake while it is *moody*."""

    moody = False

    def greet(self, connection: socket.socket) -> ssl.SSLContext | None:
        if self.moody:
            raise Drop
        return super().greet(connection)


def test_a_tls_session_is_forgotten_if_a_handshake_with_it_fails(bundle: str) -> None:
    with (
        Moody(fixed(answer()), tls("localhost")) as server,
        HttpsTransport("eu-west-1", server.url, ca_bundle=bundle, max_attempts=1, max_idle_connections=0) as transport,
    ):
        transport.call(SIGN_IN)
        origin, _ = origin_and_target(server.url)
        assert transport._tls().session(origin) is not None
        server.moody = True
        with pytest.raises(TransportError, match="connecting to localhost"):
            transport.call(SIGN_IN)
        assert transport._tls().session(origin) is None


def test_a_response_without_a_length_may_be_asked_for_again(bundle: str) -> None:
    # The header may be missing because the response was cut short.
    response = answer(b"{}", Content_Length="", Connection="close")
    with served(HttpsTransport, bundle, fixed(response), max_attempts=1) as (_, transport):
        with pytest.raises(TransportError, match="has no Content-Length") as caught:
            transport.call(SIGN_IN)
        assert (caught.value.may_have_arrived, caught.value.transient) == (True, True)


def test_an_error_of_a_connection_has_no_hidden_context() -> None:
    # The exceptions of the codecs contain what they could not encode.
    attempt, origin = Attempt(float("inf"), repeatable=False), Origin("http", "127.0.0.1", 1)
    with LoopbackServer(fixed(b"SSH-2.0\r\n")) as server:
        here = Origin("http", "127.0.0.1", server.port)
        for value, error in (("\u20ac", ConfigurationError), ("x", TransportError)):
            connection = open_connection(here, attempt, proxy=None, tls=None, timeout=10)
            with pytest.raises(error) as caught:
                send_request(connection, attempt, here, "GET", "/", {"X": value}, None, timeout=10, limit=10)
            assert caught.value.__context__ is None
    with pytest.raises(TransportError) as refused:
        open_connection(origin, attempt, proxy=None, tls=None, timeout=10)
    assert refused.value.__context__ is None


def test_no_compressed_response_is_asked_for(bundle: str) -> None:
    with served(HttpsTransport, bundle) as (server, transport):
        transport.call(SIGN_IN)
        transport.fetch(server.url)
        assert [request.headers["accept-encoding"] for request in server.requests] == ["identity", "identity"]


def test_a_connection_with_bytes_after_the_response_is_not_used_again(bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        return answer() + (answer(b'{"Session": "of somebody else"}') if request.connection == 0 else b"")

    with served(HttpsTransport, bundle, handler) as (server, transport):
        for _ in range(2):
            assert "Session" not in transport.call(SIGN_IN).document
        assert [request.connection for request in server.requests] == [0, 1]


def test_an_error_about_a_header_does_not_quote_it_in_its_context(bundle: str) -> None:
    with served(HttpsTransport, bundle, credentials=KEYS) as (_, transport):
        with pytest.raises(ConfigurationError, match="invalid operation name") as caught:
            transport.call(Operation("Initiate\r\nX-Secret: hunter2", {}))
        assert caught.value.__context__ is None


def test_a_response_with_too_many_headers_is_an_error(bundle: str) -> None:
    response = b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 999 + b"Connection: close\r\n\r\n"
    with (
        served(HttpsTransport, bundle, fixed(response)) as (_, transport),
        pytest.raises(TransportError, match="waiting for localhost: the answer is not valid HTTP"),
    ):
        transport.call(SIGN_IN)


def test_no_bundle_is_read_before_the_first_connection() -> None:
    program = (
        "import ssl, sys\n"
        "def fail(*a, **k): raise AssertionError('a context was made')\n"
        "ssl.create_default_context = fail\n"
        "from srpcore_transports.https import HttpsTransport\n"
        "HttpsTransport('eu-west-1').close()\n"
        "slow = {'asyncio', 'urllib.request', 'requests', 'botocore'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60, env={"PYTHONPATH": path})


def test_the_tls_context_is_made_once(bundle: str) -> None:
    with HttpsTransport("eu-west-1", ca_bundle=bundle) as transport:
        assert transport._tls().context.minimum_version.name == "TLSv1_2"
        assert transport._tls() is transport._tls()


@pytest.mark.parametrize("value", [-1, "16"])
def test_max_idle_connections_must_be_a_number_that_is_not_negative(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_idle_connections"):
        HttpsTransport("eu-west-1", max_idle_connections=value)
