"""The transports over httpx, blocking and on an event loop, over real sockets and real TLS: both do as HttpsTransport."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import os
import socket
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports.credentials import Credentials
from srpcore_transports.deadline import time_limit
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.httpx.client_pool import ClientPool
from srpcore_transports.retries import Retries
from support.forks import held_by_another_thread, in_a_child
from support.loopback import (
    Drop,
    Handler,
    LoopbackServer,
    Request,
    answer,
    chunked,
    proxy_server,
    tls,
    write_bundle,
)
from support.on_loop import OnLoop
from support.ports import reserved_port
from support.serving_aws import (
    ADMIN,
    KEYS,
    SIGN_IN,
    assert_signature_holds,
    echo,
    fixed,
    refuse_to_look_for_credentials,
    reset,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")

SIGN_UP = Operation("SignUp", {"Username": "zoë", "Password": "hunter2"})
MAKERS: dict[str, Callable[..., Any]] = {
    "httpx": HttpxTransport,
    "httpx on a loop": lambda *arguments, **named: OnLoop(AsyncHttpxTransport(*arguments, **named)),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return MAKERS[request.param]


@contextmanager
def served(
    make: Callable[..., Any], bundle: str, handler: Handler = echo, **options: Any
) -> Iterator[tuple[LoopbackServer, Any]]:
    """Run a server and a transport that trusts it and tries once: over TLS, or plainly without *bundle*."""
    options = {"timeout": 10, "max_attempts": 1, **options}
    with (
        LoopbackServer(handler, tls("localhost") if bundle else None) as server,
        make("eu-west-1", server.url, ca_bundle=bundle or None, **options) as transport,
    ):
        yield server, transport


# What is sent, and what comes back.


def test_what_is_sent_is_what_https_sends(make: Callable[..., Any], bundle: str) -> None:
    varying = ("host", "x-amz-date", "authorization")
    sent = []
    for maker in (HttpsTransport, make):
        with served(maker, bundle, credentials=KEYS) as (server, transport):
            transport.call(SIGN_IN)
            transport.call(ADMIN)
            transport.fetch(f"{server.url}/pool/.well-known/jwks.json?a=b%20c")
            assert [request.headers["host"] for request in server.requests] == [f"localhost:{server.port}"] * 3
        sent.append(
            [
                (
                    request.method,
                    request.target,
                    {name: "" if name in varying else text for name, text in request.headers.items()},
                    request.body,
                )
                for request in server.requests
            ]
        )
    assert sent[0] == sent[1]
    assert sent[1][0][2]["accept-encoding"] == "identity"


def test_what_comes_back_is_what_https_returns(make: Callable[..., Any], bundle: str) -> None:
    responses = [
        answer(b'{"Session":"s","CreationDate":1.5}', x_amzn_RequestId="an-id", X_Odd="caf\u00e9"),
        answer(b'{"__type":"com.amazonaws#NotAuthorizedException","message":"no"}', 400),
        answer(b'{"__type":"InternalErrorException"}', 500),
        answer(b"", 400, x_amzn_ErrorType="CodeMismatchException:http://internal/"),
        answer(b"", 200),
        answer(b"", 204, Content_Length=""),
        chunked(b'{"Session"', b':"', b"s" * 5000, b'"}'),
    ]
    for response in responses:
        replies = []
        for maker in (HttpsTransport, make):
            with served(maker, bundle, fixed(response)) as (server, transport):
                replies.append(transport.call(SIGN_IN))
                transport.call(SIGN_IN)
            assert server.connections == 1
        assert replies[0] == replies[1]
    assert replies[1].document["Session"] == "s" * 5000


def test_fetch(make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_to_look_for_credentials(monkeypatch)
    with served(make, bundle, fixed(answer(b'{"keys":[]}'))) as (server, transport):
        transport.call(SIGN_IN)
        assert transport.fetch(server.url) == b'{"keys":[]}'
    assert server.requests[1].target == "/"
    assert server.connections == 1


@pytest.mark.parametrize(
    "url", ["http://example.com/", "file:///etc/passwd", "https://a:b@example.com/", "https://a b/", ""]
)
def test_fetch_refuses_other_urls(make: Callable[..., Any], url: str) -> None:
    with make("eu-west-1") as transport, pytest.raises(ConfigurationError):
        transport.fetch(url)


@pytest.mark.parametrize("path", ["/a/../b", '/"', "/./a"])
def test_a_path_that_httpx_would_change_is_refused(make: Callable[..., Any], bundle: str, path: str) -> None:
    # The signature is for the path as it is written.
    with served(make, bundle) as (server, transport):
        with pytest.raises(ConfigurationError, match="path"):
            transport.fetch(server.url + path)
        assert server.connections == 0


def test_a_path_is_kept_and_signed(make: Callable[..., Any], bundle: str) -> None:
    with (
        LoopbackServer(echo, tls("localhost")) as server,
        make("eu-west-1", f"{server.url}/under/h%20re/", KEYS, ca_bundle=bundle) as transport,
    ):
        transport.call(ADMIN)
    assert server.requests[0].target == "/under/h%20re"
    signed_by_botocore(server.requests[0], f"{server.url}/under/h%20re")


def signed_by_botocore(request: Request, url: str) -> None:
    """Verify the signature with botocore's signer, from what came over the wire."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as BotocoreCredentials

    names = request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {name: request.headers[name] for name in names}
    signer = SigV4Auth(
        BotocoreCredentials(KEYS.access_key_id, KEYS.secret_access_key, KEYS.session_token), "cognito-idp", "eu-west-1"
    )
    again = AWSRequest(request.method, url, headers=headers, data=request.body)
    again.context["timestamp"] = request.headers["x-amz-date"]
    expected = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert request.headers["authorization"].endswith(f"Signature={expected}")


@pytest.mark.counterpart
def test_botocore_finds_the_signature_right(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle, credentials=KEYS) as (server, transport):
        transport.call(ADMIN)
        transport.call(Operation("ListUsers", {"UserPoolId": "eu-west-1_abc", "Filter": 'name = "ü"'}))
    for request in server.requests:
        signed_by_botocore(request, server.url)
        assert_signature_holds(request)
        assert request.headers["x-amz-security-token"] == "a-session-token"


def test_each_attempt_has_its_own_signature(make: Callable[..., Any], bundle: str) -> None:
    given = iter([Credentials("AKIDOTHER", "old"), KEYS])

    def handler(request: Request, _: socket.socket) -> bytes:
        return answer(b"{}", 503 if len(server.requests) == 1 else 200)

    with served(make, bundle, handler, max_attempts=2, credentials=lambda: next(given)) as (server, transport):
        assert transport.call(ADMIN).status == 200
    assert "AKIDOTHER" in server.requests[0].headers["authorization"]
    assert_signature_holds(server.requests[1])


def test_an_unsigned_operation_looks_for_no_credentials(
    make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_look_for_credentials(monkeypatch)
    with served(make, bundle) as (server, transport):
        transport.call(SIGN_IN)
    assert "authorization" not in server.requests[0].headers


def test_no_credentials_no_call(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle) as (server, transport):
        with pytest.raises(ConfigurationError, match=r"AdminGetUser must be signed.*AWS_ACCESS_KEY_ID"):
            transport.call(ADMIN)
        assert server.connections == 0


def test_a_provider_that_has_none_left_is_told(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle, credentials=iter([KEYS]).__next__, total_timeout=5) as (server, transport):
        transport.call(ADMIN)
        with pytest.raises(ConfigurationError, match="provider of credentials"):
            transport.call(ADMIN)
    assert len(server.requests) == 1


def test_what_no_header_carries_is_refused(make: Callable[..., Any], bundle: str) -> None:
    for name in ("Initiate\r\nX-Secret: hunter2", "Initiate hunter2\u20ac", "Initiate\x00hunter2"):
        with served(make, bundle, credentials=KEYS) as (server, transport):
            with pytest.raises(ConfigurationError, match="HTTP does not allow") as caught:
                transport.call(Operation(name, {}))
            assert "hunter2" not in str(caught.value)
            # Not as far as httpcore, whose log would quote it.
            assert server.connections == 0
            assert transport.call(SIGN_IN).status == 200


def test_no_netrc(make: Callable[..., Any], bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine localhost login alice password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with served(make, bundle) as (server, transport):
        transport.call(SIGN_IN)
        transport.fetch(server.url)
    assert not any("authorization" in request.headers for request in server.requests)


def test_no_cookie_is_kept(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle, fixed(answer(Set_Cookie="a=b; Path=/"))) as (server, transport):
        for _ in range(2):
            transport.call(SIGN_IN)
            transport.fetch(server.url)
        kept = transport._pool if isinstance(transport, HttpxTransport) else next(iter(transport._loops.values())).pool
        (pooled,) = kept._clients.values()
        assert list(pooled.client.cookies.jar) == []
    assert not any("cookie" in request.headers for request in server.requests)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(make: Callable[..., Any], bundle: str, status: int) -> None:
    with (
        LoopbackServer(echo, tls("localhost")) as other,
        served(make, bundle, fixed(answer(b"{}", status, Location=other.url))) as (server, transport),
    ):
        with pytest.raises(TransportError, match=f"HTTP {status} from localhost: redirects are not followed"):
            transport.call(SIGN_IN)
        with pytest.raises(TransportError, match=f"HTTP {status} from localhost: redirects are not followed"):
            transport.fetch(server.url)
    assert other.connections == 0


# Arguments.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "AWS_REGION"),
        ({"endpoint_url": "http://example.com"}, "http"),
        ({"region": "eu-west-1", "timeout": 0}, "connect_timeout"),
        ({"region": "eu-west-1", "read_timeout": -1}, "read_timeout"),
        ({"region": "eu-west-1", "total_timeout": float("inf")}, "total_timeout"),
        ({"region": "eu-west-1", "max_response_size": 0}, "max_response_size"),
        ({"region": "eu-west-1", "max_response_size": "1"}, "max_response_size"),
        ({"region": "eu-west-1", "max_connections": 0}, "max_connections"),
        ({"region": "eu-west-1", "max_connections": True}, "max_connections"),
        ({"region": "eu-west-1", "max_attempts": 0}, "max_attempts"),
        ({"region": "eu-west-1", "client": object()}, "client must be"),
        ({"region": "eu-west-1", "client": "a client"}, "client must be"),
    ],
)
@pytest.mark.parametrize("kind", [HttpxTransport, AsyncHttpxTransport])
def test_bad_arguments_are_refused(kind: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        kind(**arguments)


@pytest.mark.parametrize("kind", [HttpxTransport, AsyncHttpxTransport])
def test_the_repr_shows_no_secret(kind: Any) -> None:
    shown = repr(kind("eu-west-1", "https://a.example", KEYS))
    assert shown == f"{kind.__name__}(region='eu-west-1', endpoint_url='https://a.example')"


def test_region_and_endpoint(make: Callable[..., Any]) -> None:
    with make("us-gov-west-1", use_fips=True) as transport:
        assert transport.endpoint_url == "https://cognito-idp-fips.us-gov-west-1.amazonaws.com"
        assert transport.region == "us-gov-west-1"


def test_hooks(make: Callable[..., Any], bundle: str) -> None:
    told: list[Any] = []
    with served(make, bundle, on_request=told.append, on_response=told.append) as (_, transport):
        transport.call(SIGN_IN)
    assert [type(event).__name__ for event in told] == ["RequestEvent", "ResponseEvent"]
    assert told[1].status == 200


# Connections kept alive.


def test_one_connection_serves_many_calls(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle) as (server, transport):
        for _ in range(5):
            transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0] * 5


def test_a_server_that_closes_is_called_on_a_new_connection(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle, fixed(answer(Connection="close"))) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1]


def test_a_connection_closed_while_idle_is_replaced(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle) as (server, transport):
        transport.call(SIGN_UP)
        server.drop_connections()
        time.sleep(0.05)
        transport.call(SIGN_UP)
    assert [request.connection for request in server.requests] == [0, 1]


def test_what_comes_unasked_is_no_answer_to_the_next_call(make: Callable[..., Any]) -> None:
    with LoopbackServer(echo) as server, make(endpoint_url=server.url) as transport:
        transport.call(SIGN_IN)
        server.push(answer(b'{"Session": "of somebody else"}'))
        time.sleep(0.05)
        assert "Session" not in transport.call(SIGN_IN).document
    assert [request.connection for request in server.requests] == [0, 1]


@pytest.mark.parametrize("rudely", [False, True])
def test_a_reused_connection_that_is_lost(make: Callable[..., Any], bundle: str, rudely: bool) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if request.connection == 0 and len(server.requests) > 1:
            if rudely:
                reset(connection)
            raise Drop
        return answer()

    for operation, expected in ((SIGN_IN, [0, 0, 1]), (SIGN_UP, [0, 0])):
        with served(make, bundle, handler, max_attempts=2) as (server, transport):
            transport.call(SIGN_IN)
            if operation is SIGN_IN:
                transport.call(operation)
            else:
                assert outcome(transport, operation)[1]
            assert [request.connection for request in server.requests] == expected


def test_an_idle_connection_is_used_again_for_five_seconds(
    make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = [0.0]
    real = time.monotonic
    with served(make, bundle) as (server, transport):
        transport.call(SIGN_UP)
        with monkeypatch.context() as patch:
            patch.setattr("httpcore._sync.http11.time.monotonic", lambda: real() + moved[0])
            for ahead in (4.5, 10):
                moved[0] += ahead
                transport.call(SIGN_UP)
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_a_connection_that_slept_with_the_machine_is_not_used_again(
    make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The monotonic clock stands still meanwhile.
    ahead = [0.0]
    monkeypatch.setattr("srpcore_transports.httpx.client_pool.time.time", lambda: real() + ahead[0])
    with served(make, bundle) as (server, transport):
        for step in (0, 4, 6, 6):
            ahead[0] += step
            transport.call(SIGN_UP)
    assert [request.connection for request in server.requests] == [0, 0, 1, 2]


real = time.time


def test_close_then_use_again(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle) as (server, transport):
        transport.close()
        transport.call(SIGN_IN)
        transport.close()
        transport.close()
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_does_not_speak_on_the_parents_connection(bundle: str) -> None:
    with served(HttpxTransport, bundle, max_connections=1, connect_timeout=30) as (server, transport):
        transport.call(SIGN_IN)
        with held_by_another_thread(transport._pool._lock.lock, transport._pool.free):
            assert in_a_child(lambda: transport.call(SIGN_IN)) == 0
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1, 0]


def test_a_client_is_closed_when_its_last_call_ends() -> None:
    made = iter("abcdef")
    clients: ClientPool[str] = ClientPool(4)
    one, two = (clients.take("key", lambda: next(made))[0] for _ in range(2))
    assert one is two
    assert clients.give_back(one, good=False) == []  # the other call is still on its way
    three, closing = clients.take("key", lambda: next(made))
    assert (three.client, closing) == ("b", [])
    assert clients.give_back(two, good=True) == ["a"]
    assert clients.retire() == []
    assert clients.give_back(three, good=True) == ["b"]
    four, _ = clients.take("key", lambda: next(made))
    assert clients.give_back(four, good=True) == []
    assert clients.take("key", lambda: next(made))[0] is four
    clients._after_fork()
    assert clients.take("key", lambda: next(made))[0].client == "d"


def test_many_threads_at_once(bundle: str) -> None:
    def ask(number: int) -> bool:
        name = f"user-{number}-{'x' * (number % 7) * 1000}"
        return bool(transport.call(Operation("SignUp", {"Username": name})).document["Username"] == name)

    with served(HttpxTransport, bundle, max_connections=8) as (server, transport), ThreadPoolExecutor(32) as threads:
        assert all(threads.map(ask, range(320)))
    assert server.connections <= 8


# Limits.


def test_a_response_up_to_the_limit(make: Callable[..., Any], bundle: str) -> None:
    body = json.dumps({"Session": "s" * 985}).encode()
    assert len(body) == 1000
    for response in (answer(body), chunked(body[:500], body[500:])):
        with served(make, bundle, fixed(response), max_response_size=1000) as (_, transport):
            assert transport.call(SIGN_IN).document["Session"] == "s" * 985
        with served(make, bundle, fixed(response), max_response_size=999) as (_, transport):
            for _ in range(2):
                with pytest.raises(TransportError, match="localhost is longer than 999 bytes"):
                    transport.call(SIGN_IN)


def test_an_endless_response_is_not_read_to_its_end(make: Callable[..., Any], bundle: str) -> None:
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


def test_an_encoding_that_nobody_asked_for_is_refused(make: Callable[..., Any], bundle: str) -> None:
    bomb = gzip.compress(b'{"Session":"' + b"s" * 10_000_000 + b'"}')
    with (
        served(make, bundle, fixed(answer(bomb, Content_Encoding="gzip"))) as (_, transport),
        pytest.raises(TransportError, match="Content-Encoding that was not asked for"),
    ):
        transport.call(SIGN_IN)
    with served(make, bundle, fixed(answer(Content_Encoding="Identity"))) as (_, transport):
        assert transport.call(SIGN_IN).status == 200


# Faults: what HttpsTransport makes of each, so do these.


def cut(response: bytes, *, rudely: bool = False) -> Handler:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(response)
        if rudely:
            time.sleep(0.05)  # a reset overtakes what was not read yet
            reset(connection)
        raise Drop

    return handler


def silent(part: bytes = b"") -> Handler:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(part)
        connection.recv(1)  # until the client gives up
        raise Drop

    return handler


def answer_sign_in_and_then(fault: Handler) -> Handler:
    """Answer SIGN_IN, and every other request by *fault*."""

    def handler(request: Request, connection: socket.socket) -> bytes:
        is_sign_in = request.headers["x-amz-target"].endswith(SIGN_IN.name)
        return answer() if is_sign_in else fault(request, connection)

    return handler


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
FAULTS: dict[str, Handler] = {
    "closed before the answer": cut(b""),
    "reset before the answer": cut(b"", rudely=True),
    "closed in the body": cut(HEAD + b"{"),
    "reset in the body": cut(HEAD + b"{", rudely=True),
    "closed in a chunk": cut(chunked(b"{}", last=False) + b"5\r\nab"),
    "closed before the last chunk": cut(chunked(b"{}", last=False)),
    "no length": cut(b"HTTP/1.1 200 OK\r\n\r\n{}"),
    "silent": silent(),
    "silent in the body": silent(HEAD),
    "no HTTP": fixed(b"SSH-2.0-OpenSSH\r\nConnection: close\r\n\r\n"),
    "no status": fixed(b"HTTP/1.1 two hundred\r\nConnection: close\r\n\r\n"),
    "headers without end": cut(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 99_999),
    "too long": fixed(answer(b"x" * 100_001)),
    "a length too long": fixed(answer(b"", Content_Length=str(10**12))),
    "a page": fixed(answer(b"<html>", 200)),
    "a page of a gateway": fixed(answer(b"<html>", 502, Retry_After="3")),
    "too many": fixed(answer(b"", 429)),
    "a redirect": fixed(answer(b"", 302, Location="https://localhost:1")),
}


def outcome(transport: Any, operation: Operation) -> tuple[type, bool, bool, str]:
    with pytest.raises(TransportError) as caught:
        transport.call(operation)
    error = caught.value
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert "localhost" in str(error) or "127.0.0.1" in str(error) or "HTTP" in str(error)
    # HttpsTransport has a kind of its own below TransportError.
    kind = TransportTimeout if isinstance(error, TransportTimeout) else TransportError
    return kind, error.may_have_arrived, error.transient, error.retry_after


SILENT = ("silent", "silent in the body")


def patience(fault: str) -> float:
    """Return the read timeout in seconds, which is short only if it is what the test waits for."""
    return 0.3 if fault in SILENT else 30


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=pytest.mark.slow) if name in SILENT else name for name in FAULTS]
)
def test_each_fault_is_the_error_that_https_makes_of_it(
    make: Callable[..., Any], bundle: str, fault: str, secure: bool
) -> None:
    found = []
    for maker in (HttpsTransport, make):
        with served(
            maker, bundle if secure else "", FAULTS[fault], read_timeout=patience(fault), max_response_size=100_000
        ) as (
            server,
            transport,
        ):
            found.append(outcome(transport, SIGN_IN))
        assert len(server.requests) == 1
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "fault",
    ["closed before the answer", pytest.param("silent in the body", marks=pytest.mark.slow), "too many"],
)
def test_what_may_have_been_carried_out_is_not_sent_again(make: Callable[..., Any], bundle: str, fault: str) -> None:
    for operation, times in ((SIGN_UP, 2 if fault == "too many" else 1), (SIGN_IN, 2)):
        with served(make, bundle, FAULTS[fault], read_timeout=patience(fault), max_attempts=2) as (server, transport):
            transport._attempts.retries = Retries(2, lambda: 0.0)
            outcome(transport, operation)
        assert len(server.requests) == times


def unreachable(
    maker: Callable[..., Any], url: str, bundle: str | None = None, *, connect_timeout: float = 30
) -> tuple[type, bool, bool, str]:
    with maker("eu-west-1", url, ca_bundle=bundle, max_attempts=1, connect_timeout=connect_timeout) as transport:
        return outcome(transport, SIGN_UP)


def test_nobody_listens(make: Callable[..., Any]) -> None:
    with reserved_port() as port:
        url = f"https://localhost:{port}"
        assert unreachable(make, url) == unreachable(HttpsTransport, url) == (TransportError, False, True, "")
        with (
            make(endpoint_url=url, max_attempts=1) as transport,
            pytest.raises(TransportError, match=r"connecting to localhost: .*([Rr]efused|Connect call failed)"),
        ):
            transport.call(SIGN_IN)


def test_no_such_host(make: Callable[..., Any]) -> None:
    url = "https://no-such-host.invalid"
    with (
        make(endpoint_url=url, max_attempts=1) as transport,
        pytest.raises(TransportError, match=r"no-such-host\.invalid: the host name was not found") as caught,
    ):
        transport.call(SIGN_IN)
    assert (caught.value.may_have_arrived, caught.value.transient) == (False, True)


def test_a_host_that_no_name_service_takes(make: Callable[..., Any]) -> None:
    # asyncio's look-up says that there is none, Python's own that there cannot be one.
    with (
        make(endpoint_url=f"https://{'a' * 64}.example") as transport,
        pytest.raises((ConfigurationError, TransportError), match="connecting to aaa"),
    ):
        transport.call(SIGN_IN)


@pytest.mark.slow
def test_a_silent_server_is_a_timeout_while_connecting(make: Callable[..., Any], bundle: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://localhost:{listening.getsockname()[1]}"
        assert unreachable(make, url, bundle, connect_timeout=0.3) == (TransportTimeout, False, True, "")
        with (
            make(endpoint_url=url, ca_bundle=bundle, connect_timeout=0.2, max_attempts=1) as transport,
            pytest.raises(TransportTimeout, match=r"connecting to localhost: no answer within 0\.2 seconds"),
        ):
            transport.call(SIGN_IN)


@pytest.mark.slow
@pytest.mark.parametrize("read_timeout", [0.2, 30])
def test_a_silent_server_is_a_timeout_while_reading(make: Callable[..., Any], bundle: str, read_timeout: float) -> None:
    within = "within 0.2 seconds" if read_timeout < 1 else "before the time limit of the call"
    with served(make, bundle, answer_sign_in_and_then(silent()), read_timeout=read_timeout) as (_, transport):
        transport.call(SIGN_IN)  # connects: a busy machine takes long for that
        with (
            time_limit(30 if read_timeout < 1 else 0.5),
            pytest.raises(TransportTimeout, match=f"waiting for localhost: no answer {within}") as caught,
        ):
            transport.call(SIGN_UP)
    assert caught.value.may_have_arrived


def test_trust(make: Callable[..., Any], bundle: str) -> None:
    cases = [
        (tls("elsewhere.example"), bundle),
        (tls("localhost", issuer=trustme.CA()), bundle),
        (tls("localhost"), None),
    ]
    for context, authorities in cases:
        with LoopbackServer(echo, context) as server:
            with make(endpoint_url=server.url, ca_bundle=authorities, max_attempts=3) as transport:
                with pytest.raises(TransportError, match="localhost: certificate verification failed") as caught:
                    transport.call(SIGN_IN)
                assert (caught.value.may_have_arrived, caught.value.transient) == (False, False)
            assert server.requests == []
            assert server.connections == 1


def test_the_bundle_of_the_environment(
    make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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


def test_a_bundle_that_cannot_be_read(make: Callable[..., Any], tmp_path: Path, bundle: str) -> None:
    path = tmp_path / "bundle.pem"
    with LoopbackServer(echo, tls("localhost")) as server, make(endpoint_url=server.url, ca_bundle=path) as transport:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="AWS_CA_BUNDLE"):
                transport.call(SIGN_IN)
        path.write_text(Path(bundle).read_text())
        assert transport.call(SIGN_IN).status == 200


def test_tls_1_1_is_refused(make: Callable[..., Any], bundle: str) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    trustme.CA().issue_cert("localhost").configure_cert(old)
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with LoopbackServer(echo, old) as server:
        assert unreachable(make, server.url, bundle) == (TransportError, False, True, "")
    assert server.requests == []


def test_a_server_that_speaks_no_tls(make: Callable[..., Any], bundle: str) -> None:
    with LoopbackServer(fixed(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")) as server:
        assert unreachable(make, f"https://localhost:{server.port}", bundle) == (TransportError, False, True, "")


def test_what_could_not_all_be_sent_has_not_arrived() -> None:
    # The server hangs up while the request is on its way: nothing can have been carried out. On an event loop nobody
    # learns of it, since asyncio takes all there is to write; what is not known counts as arrived.
    def hang_up(listener: socket.socket) -> int:
        number = -1
        for number in range(3):  # noqa: B007 - how often it was called
            connection, _ = listener.accept()
            connection.recv(1000)
            reset(connection)
            connection.close()
        return number

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        listener.settimeout(10)
        hung_up = threads.submit(hang_up, listener)
        with HttpxTransport("eu-west-1", f"http://127.0.0.1:{listener.getsockname()[1]}") as transport:
            transport._attempts.retries = Retries(3, lambda: 0.0)
            with pytest.raises(TransportError, match=r"sending to 127\.0\.0\.1") as caught:
                transport.call(Operation("SignUp", {"Username": "u" * 9_000_000}))
        assert (caught.value.may_have_arrived, caught.value.transient) == (False, True)
        assert hung_up.result(10) == 2


@pytest.mark.slow
def test_no_free_connection_is_a_timeout_before_anything_is_sent() -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        with pytest.raises(TransportTimeout, match=r"no connection to 127\.0\.0\.1 was free") as caught:
            transport.call(SIGN_UP)
        assert not caught.value.may_have_arrived
        return answer(b'{"Session":"s"}')

    # Without TLS, whose handshake may take longer than the timeout on a busy machine.
    with served(HttpxTransport, "", handler, max_connections=1, connect_timeout=0.3) as (server, transport):
        assert transport.call(SIGN_IN).document["Session"] == "s"
        assert transport.call(Operation("GetUser", {})).document["Session"] == "s"
    assert len(server.requests) == 2


# The deadline.


def drip(response: bytes, first: int = 0) -> Handler:
    """Send *response* byte by byte, each soon enough for a read timeout."""

    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(response[:first])
        for byte in response[first:]:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
        raise Drop

    return handler


@pytest.mark.slow
@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("first", [0, 9000])
def test_a_drip_ends_at_the_deadline(make: Callable[..., Any], bundle: str, first: int, secure: bool) -> None:
    response = b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"Content-Length: 9999\r\n\r\n" + b"x" * 9999
    dripping = answer_sign_in_and_then(drip(response, first))
    with served(make, bundle if secure else "", dripping, read_timeout=30) as (server, transport):
        transport.call(SIGN_IN)  # connects: a busy machine takes long for that
        started = time.monotonic()
        with time_limit(0.5), pytest.raises(TransportTimeout, match="before the time limit of the call") as caught:
            transport.call(SIGN_UP)
        assert time.monotonic() - started < 25
        assert caught.value.may_have_arrived
        server.drop_connections()
    assert len(server.requests) == 2


@pytest.mark.slow
def test_silence_at_the_deadline_is_not_waited_out(make: Callable[..., Any], bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(HEAD + b"{")
        time.sleep(0.3)
        connection.sendall(b" ")
        connection.recv(1)
        raise Drop

    started = time.monotonic()
    with (
        served(make, bundle, handler, read_timeout=30, total_timeout=0.6) as (_, transport),
        pytest.raises(TransportTimeout),
    ):
        transport.call(SIGN_IN)
    assert time.monotonic() - started < 25


@pytest.mark.slow
def test_a_request_that_nobody_takes_ends_at_the_deadline(make: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            make("eu-west-1", url, total_timeout=1) as transport,
            pytest.raises(TransportTimeout, match="sending to") as caught,
        ):
            transport.call(Operation("SignUp", {"Username": "u" * 9_000_000}))
    assert not caught.value.may_have_arrived


@pytest.mark.slow
def test_a_request_that_is_taken_in_sips_ends_at_the_deadline(make: Callable[..., Any]) -> None:
    def sip(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            while connection.recv(30_000):
                if not over:
                    time.sleep(0.05)

    over: list[bool] = []
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 30_000)
        sipped = threads.submit(sip, listener)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with make("eu-west-1", url, total_timeout=0.6, timeout=30, max_attempts=1) as transport:
            with pytest.raises(TransportTimeout, match="sending to") as caught:
                transport.call(Operation("SignUp", {"Username": "u" * 9_000_000}))
            lasted = time.monotonic() - started
        over.append(True)
        with contextlib.suppress(OSError):
            sipped.result(10)
    assert not caught.value.may_have_arrived
    assert lasted < 10  # all of it would take 15 seconds


def test_no_time_is_left(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle) as (server, transport), time_limit(1e-9):
        with pytest.raises(TransportTimeout):
            transport.call(SIGN_IN)
        assert server.connections == 0


# Proxies.


def test_a_tunnel_through_the_proxy(make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(make, bundle) as (server, transport), proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%40er:p%3Ass@127.0.0.1:{proxy.port}")
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
        monkeypatch.setenv("NO_PROXY", "localhost")
        transport.call(SIGN_IN)
        transport.close()
    (request,) = proxy.requests
    assert (request.method, request.target) == ("CONNECT", f"localhost:{server.port}")
    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"us@er:p:ss").decode()
    assert [request.connection for request in server.requests] == [0, 0, 1]
    assert "proxy-authorization" not in server.requests[0].headers


@pytest.mark.parametrize("name", ["ALL_PROXY", "HTTP_PROXY"])
def test_no_other_variable_is_obeyed(
    make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with served(make, bundle) as (_, transport):
        assert transport.call(SIGN_IN).status == 200


@pytest.mark.parametrize(("status", "tried"), [(407, 1), (502, 2)])
def test_a_proxy_that_refuses(
    make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch, status: int, tried: int
) -> None:
    with served(make, bundle, max_attempts=2) as (server, transport), proxy_server(refuse=status) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@127.0.0.1:{proxy.port}")
        with pytest.raises(TransportError, match=rf"localhost through the proxy 127.0.0.1:\d+: .*{status}") as caught:
            transport.call(SIGN_UP)
        assert "hunter2" not in str(caught.value)
        assert (caught.value.may_have_arrived, caught.value.transient) == (False, tried == 2)
        assert len(proxy.requests) == tried
    assert server.connections == 0


@pytest.mark.parametrize("reply", [b"SSH-2.0-OpenSSH\r\n\r\n", b"", pytest.param(None, marks=pytest.mark.slow)])
def test_a_proxy_that_is_none(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, reply: bytes | None) -> None:
    with LoopbackServer(silent() if reply is None else cut(reply)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with (
            make("eu-west-1", "https://localhost:1", max_attempts=1, timeout=0.3) as transport,
            pytest.raises(TransportError, match="connecting to localhost through the proxy") as caught,
        ):
            transport.call(SIGN_UP)
    assert not caught.value.may_have_arrived


def test_the_tunnel_is_verified_end_to_end(
    make: Callable[..., Any], bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackServer(echo, tls("127.0.0.1")) as server, proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with make(endpoint_url=server.url, ca_bundle=bundle, max_connections=1, connect_timeout=30) as transport:
            for _ in range(3):
                # httpcore would keep the place of such a connection, and the second call wait for it.
                with pytest.raises(TransportError, match="certificate verification failed"):
                    transport.call(SIGN_IN)
    assert server.requests == []


@pytest.mark.parametrize("url", ["socks5://user:hunter2@127.0.0.1:1", "http://h:hunter2"])
def test_another_kind_of_proxy_is_refused(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with (
        make("eu-west-1") as transport,
        pytest.raises(ConfigurationError, match="HTTPS_PROXY is not the URL of an HTTP proxy") as caught,
    ):
        transport.call(SIGN_IN)
    assert "hunter2" not in str(caught.value)


def test_plain_http_elsewhere_goes_through_the_proxy(make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    # The proxy answers for a host that does not exist, so that nothing leaves this machine.
    with LoopbackServer(echo) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{proxy.port}")
        with make("eu-west-1", "http://no-such-host.invalid:8080/path", KEYS, allow_http=True) as transport:
            transport.call(ADMIN)
    (request,) = proxy.requests
    assert request.target == "http://no-such-host.invalid:8080/path"
    assert request.headers["host"] == "no-such-host.invalid:8080"
    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"user:word").decode()
    assert_signature_holds(request, "/path")


# Silence, and being cheap.


def test_nothing_secret_is_logged_at_any_level(
    make: Callable[..., Any], bundle: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), served(make, bundle, credentials=KEYS, max_attempts=2) as (_server, transport):
        transport.call(SIGN_UP)
        transport.call(ADMIN)
    assert {"srpcore", "httpcore.http11"} <= {record.name for record in caplog.records}
    for secret in ("hunter2", "zoë", "zo\\xc3", KEYS.secret_access_key, "a-session-token", "AWS4-HMAC"):
        assert secret not in caplog.text


PROGRAM = """
import sys
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.httpx.client_pool import ClientPool
from srpcore_transports.retries import Retries
AsyncHttpxTransport("eu-west-1")
HttpxTransport("eu-west-1")
assert not {"httpx", "httpcore", "anyio", "certifi"} & set(sys.modules), sys.modules
sys.modules["httpx"] = None
from srpcore.exceptions import ConfigurationError
from srpcore.protocol import Operation
try:
    HttpxTransport("eu-west-1").call(Operation("GetUser", {}))
except ConfigurationError as error:
    assert str(error) == "httpx is not installed: pip install 'srpcore[httpx]'", error
else:
    raise AssertionError("it was carried out")
"""


def test_httpx_is_loaded_by_the_first_call() -> None:
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], check=True, timeout=60, env={"PYTHONPATH": path})


def test_dates(make: Callable[..., Any], bundle: str) -> None:
    with served(make, bundle, fixed(answer(b'{"CreationDate":1.5}'))) as (_, transport):
        assert transport.call(SIGN_IN).document["CreationDate"] == datetime.fromtimestamp(1.5, tz=timezone.utc)
