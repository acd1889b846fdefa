"""Limits, broken responses, servers that cannot be reached, and trust: what every transport over HTTP reports."""

from __future__ import annotations

import json
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports.deadline import time_limit
from srpcore_transports.retries import Retries
from support.http_transports import (
    HEAD,
    SIGN_UP,
    MakeTransport,
    answer_sign_in_and_then,
    cut,
    outcome,
    served,
    silent,
    unreachable,
)
from support.loopback import Drop, Handler, LoopbackServer, Request, answer, chunked, tls, write_bundle
from support.ports import reserved_port
from support.serving_aws import (
    SIGN_IN,
    echo,
    fixed,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


# Limits.


def test_a_response_may_be_as_long_as_the_limit(make: MakeTransport, bundle: str) -> None:
    body = json.dumps({"Session": "s" * 985}).encode()
    assert len(body) == 1000
    for response in (answer(body), chunked(body[:500], body[500:])):
        with served(make, bundle, fixed(response), max_response_size=1000) as (_, transport):
            assert transport.call(SIGN_IN).document["Session"] == "s" * 985
        with served(make, bundle, fixed(response), max_response_size=999) as (_, transport):
            for _ in range(2):
                with pytest.raises(TransportError, match="localhost is longer than 999 bytes"):
                    transport.call(SIGN_IN)


@pytest.mark.parametrize("form", ["length", "chunked"])
def test_a_response_longer_than_the_limit_is_refused(make: MakeTransport, bundle: str, form: str) -> None:
    body = b'"' + b"s" * 999 + b'"'
    response = {
        "length": answer(body),
        "chunked": chunked(body[:500], body[500:]),
    }[form]
    with served(make, bundle, fixed(response), max_response_size=1000) as (server, transport):
        for _ in range(2):
            with pytest.raises(TransportError, match="localhost is longer than 1000 bytes"):
                transport.fetch(server.url)
    assert server.connections == 2


def test_an_endless_response_is_not_read_to_its_end(make: MakeTransport, bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(2000):
            connection.sendall(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        finished.append(request)
        raise Drop

    finished: list[Request] = []
    with (
        served(make, bundle, handler, max_response_size=100_000) as (_, transport),
        pytest.raises(TransportError, match="longer than 100000 bytes"),
    ):
        transport.call(SIGN_IN)
    assert finished == []


def test_a_content_length_above_the_limit_is_refused(make: MakeTransport, bundle: str) -> None:
    with (
        served(make, bundle, fixed(answer(b"", Content_Length=str(10**12)))) as (_, transport),
        pytest.raises(TransportError, match="longer than"),
    ):
        transport.call(SIGN_IN)


# Responses that are broken.


@pytest.mark.parametrize(
    "response",
    [answer(b"{}", Content_Length="9", Connection="close"), chunked(b"{}", last=False) + b"5\r\nab"],
)
def test_a_truncated_body_is_an_error(make: MakeTransport, bundle: str, response: bytes) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(response)
        raise Drop

    with (
        served(make, bundle, handler) as (_, transport),
        pytest.raises(TransportError, match=r"localhost.*(cut short|not valid HTTP)"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.parametrize("junk", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 two hundred\r\n\r\n"])
def test_a_response_that_is_not_http_is_an_error(make: MakeTransport, bundle: str, junk: bytes) -> None:
    with (
        served(make, bundle, fixed(junk + b"Connection: close\r\n\r\n")) as (_, transport),
        pytest.raises(TransportError, match="waiting for localhost: the answer is not valid HTTP"),
    ):
        transport.call(SIGN_IN)


def test_a_response_without_a_content_length_is_an_error(make: MakeTransport, bundle: str) -> None:
    # Its body ends where the connection ends, so nobody could see that the connection was cut too early.
    with (
        served(make, bundle, fixed(answer(b"{}", Content_Length="", Connection="close"))) as (_, transport),
        pytest.raises(TransportError, match="localhost has no Content-Length"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.parametrize("status", [102, 103, 199])
def test_interim_responses_are_skipped(make: MakeTransport, bundle: str, status: int) -> None:
    interim = f"HTTP/1.1 {status} Wait\r\nLink: </style>\r\n\r\n".encode()
    with served(make, bundle, lambda request, _: interim * 2 + answer(request.body)) as (server, transport):
        for name in ("alice", "bob"):
            operation = Operation("GetUser", {"AccessToken": name})
            assert transport.call(operation).document["AccessToken"] == name
        assert [request.connection for request in server.requests] == [0, 0]


def test_a_switched_protocol_is_an_error(make: MakeTransport, bundle: str) -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    with (
        served(make, bundle, fixed(switched)) as (_, transport),
        pytest.raises(TransportError, match=r"HTTP 101|not valid HTTP"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.parametrize(
    ("fault", "sent", "read_timeout"),
    [
        pytest.param(cut(b""), 1, 30, id="closed before the response"),
        pytest.param(silent(HEAD), 1, 0.3, id="silent in the body", marks=pytest.mark.slow),
        pytest.param(fixed(answer(b"", 429)), 2, 30, id="too many requests"),
    ],
)
def test_only_repeatable_operations_are_sent_again_after_a_fault(
    make: MakeTransport, bundle: str, fault: Handler, sent: int, read_timeout: float
) -> None:
    for operation, times in ((SIGN_UP, sent), (SIGN_IN, 2)):
        with served(make, bundle, fault, read_timeout=read_timeout, max_attempts=2) as (server, transport):
            transport._attempts.retries = Retries(2, lambda: 0.0)
            outcome(transport, operation)
        assert len(server.requests) == times


# Failures to connect, and timeouts.


def test_a_refused_connection_is_an_error(make: MakeTransport) -> None:
    with reserved_port() as port:
        url = f"https://localhost:{port}"
        assert unreachable(make, url) == (TransportError, False, True, "")
        with (
            make(endpoint_url=url, max_attempts=1) as transport,
            pytest.raises(TransportError, match=r"connecting to localhost:\d+: .*([Rr]efused|Connect call failed)"),
        ):
            transport.call(SIGN_IN)


def test_an_unknown_host_is_an_error(make: MakeTransport) -> None:
    url = "https://no-such-host.invalid"
    with (
        make(endpoint_url=url, max_attempts=1) as transport,
        pytest.raises(TransportError, match=r"no-such-host\.invalid: the host name was not found") as caught,
    ):
        transport.call(SIGN_IN)
    # The region does not decide the name of an emulator's host.
    assert str(caught.value).endswith(": check the endpoint URL")
    assert (caught.value.may_have_arrived, caught.value.transient) == (False, True)


def test_a_host_name_that_cannot_exist_is_an_error(make: MakeTransport) -> None:
    # asyncio reports that the host was not found, the socket module that the name is not valid.
    with (
        make(endpoint_url=f"https://{'a' * 64}.example") as transport,
        pytest.raises((ConfigurationError, TransportError), match="connecting to aaa"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.slow
def test_a_silent_server_is_a_timeout_while_connecting(make: MakeTransport, bundle: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://localhost:{listening.getsockname()[1]}"
        assert unreachable(make, url, bundle, connect_timeout=0.3) == (TransportTimeout, False, True, "")
        with (
            make(endpoint_url=url, ca_bundle=bundle, connect_timeout=0.2, max_attempts=1) as transport,
            pytest.raises(TransportTimeout, match=r"connecting to localhost:\d+: no answer within 0\.2 seconds"),
        ):
            transport.call(SIGN_IN)


@pytest.mark.slow
@pytest.mark.parametrize("read_timeout", [1.5, 30])
def test_a_silent_server_is_a_timeout_while_reading(make: MakeTransport, bundle: str, read_timeout: float) -> None:
    with served(make, bundle, answer_sign_in_and_then(silent()), read_timeout=read_timeout) as (_, transport):
        transport.call(SIGN_IN)  # connects: a busy machine takes long for that, and must answer within the timeout
        with (
            time_limit(30 if read_timeout < 30 else 0.5),
            pytest.raises(TransportTimeout, match="waiting for localhost: no answer") as caught,
        ):
            transport.call(SIGN_UP)
    assert caught.value.may_have_arrived


def test_silence_within_a_body_is_a_timeout(make: MakeTransport, bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(answer(b"{", Content_Length="2"))
        connection.recv(1)
        raise Drop

    with (
        served(make, bundle, handler, read_timeout=0.2) as (_, transport),
        pytest.raises(TransportTimeout, match="waiting for localhost"),
    ):
        transport.call(SIGN_IN)


def test_a_time_limit_that_has_passed_is_a_timeout_and_nothing_is_sent(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle) as (server, transport), time_limit(1e-9):
        with pytest.raises(TransportTimeout):
            transport.call(SIGN_IN)
        assert server.connections == 0


# Trust.


def test_certificates_that_do_not_verify_are_refused(make: MakeTransport, bundle: str) -> None:
    cases = [
        (tls("elsewhere.example"), bundle),
        (tls("localhost", issuer=trustme.CA()), bundle),
        (tls("localhost"), None),
    ]
    for context, authorities in cases:
        with LoopbackServer(echo, context) as server:
            with make(endpoint_url=server.url, ca_bundle=authorities, max_attempts=3) as transport:
                with pytest.raises(TransportError, match=r"localhost:\d+: certificate verification failed") as caught:
                    transport.call(SIGN_IN)
                assert (caught.value.may_have_arrived, caught.value.transient) == (False, False)
            assert server.requests == []
            assert server.connections == 1


def test_the_bundle_is_read_from_the_environment(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
    with LoopbackServer(echo, tls("localhost")) as server:
        with make(endpoint_url=server.url) as transport:
            assert transport.call(SIGN_IN).status == 200
        with (
            make(endpoint_url=server.url, ca_bundle=write_bundle(tmp_path, trustme.CA())) as transport,
            pytest.raises(TransportError, match="certificate verification failed"),
        ):
            transport.call(SIGN_IN)


@pytest.mark.parametrize("content", [None, "not a certificate", ""], ids=["no file", "not a certificate", "empty"])
def test_a_bundle_that_cannot_be_read_is_an_error_until_it_can(
    make: MakeTransport, tmp_path: Path, bundle: str, content: str | None
) -> None:
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_text(content)
    with LoopbackServer(echo, tls("localhost")) as server, make(endpoint_url=server.url, ca_bundle=path) as transport:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="AWS_CA_BUNDLE"):
                transport.call(SIGN_IN)
        assert server.connections == 0
        path.write_text(Path(bundle).read_text())
        assert transport.call(SIGN_IN).status == 200


def test_tls_1_1_is_refused(make: MakeTransport, bundle: str) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    trustme.CA().issue_cert("localhost").configure_cert(old)
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with LoopbackServer(echo, old) as server:
        assert unreachable(make, server.url, bundle) == (TransportError, False, True, "")
    assert server.requests == []


def test_a_server_without_tls_is_an_error(make: MakeTransport, bundle: str) -> None:
    with LoopbackServer(fixed(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")) as server:
        assert unreachable(make, f"https://localhost:{server.port}", bundle) == (TransportError, False, True, "")
