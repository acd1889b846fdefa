"""What only the transports over httpx do, blocking and on an event loop, and where they must equal HttpsTransport."""

from __future__ import annotations

import contextlib
import gzip
import logging
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports.deadline import time_limit
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.httpx.client_pool import ClientPool
from srpcore_transports.retries import Retries
from support.forks import held_by_another_thread, in_a_child
from support.http_transports import (
    HEAD,
    SIGN_UP,
    MakeTransport,
    answer_sign_in_and_then,
    cut,
    outcome,
    served,
    silent,
)
from support.loopback import Drop, Handler, LoopbackServer, Request, answer, chunked, proxy_server, tls
from support.serving_aws import (
    ADMIN,
    KEYS,
    SIGN_IN,
    echo,
    fixed,
    reset,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


def test_requests_equal_those_of_https(make: MakeTransport, bundle: str) -> None:
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


def test_replies_equal_those_of_https(make: MakeTransport, bundle: str) -> None:
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


@pytest.mark.parametrize("path", ["/a/../b", '/"', "/./a"])
def test_a_path_that_httpx_would_change_is_refused(make: MakeTransport, bundle: str, path: str) -> None:
    # The signature is for the path as it is written.
    with served(make, bundle) as (server, transport):
        with pytest.raises(ConfigurationError, match="path"):
            transport.fetch(server.url + path)
        assert server.connections == 0


def test_cookies_are_not_kept(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle, fixed(answer(Set_Cookie="a=b; Path=/"))) as (server, transport):
        for _ in range(2):
            transport.call(SIGN_IN)
            transport.fetch(server.url)
        kept = transport._pool if isinstance(transport, HttpxTransport) else next(iter(transport._loops.values())).pool
        (pooled,) = kept._clients.values()
        assert list(pooled.client.cookies.jar) == []
    assert not any("cookie" in request.headers for request in server.requests)


def test_a_content_encoding_is_refused(make: MakeTransport, bundle: str) -> None:
    bomb = gzip.compress(b'{"Session":"' + b"s" * 10_000_000 + b'"}')
    with (
        served(make, bundle, fixed(answer(bomb, Content_Encoding="gzip"))) as (_, transport),
        pytest.raises(TransportError, match="Content-Encoding that was not asked for"),
    ):
        transport.call(SIGN_IN)
    with served(make, bundle, fixed(answer(Content_Encoding="Identity"))) as (_, transport):
        assert transport.call(SIGN_IN).status == 200


def test_names_that_a_header_cannot_carry_do_not_reach_httpcore(make: MakeTransport, bundle: str) -> None:
    for name in ("Initiate\r\nX-Secret: hunter2", "Initiate hunter2\u20ac", "Initiate\x00hunter2"):
        with served(make, bundle, credentials=KEYS) as (server, transport):
            with pytest.raises(ConfigurationError, match="invalid operation name"):
                transport.call(Operation(name, {}))
            # The log of httpcore would quote it.
            assert server.connections == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_connections": 0}, "max_connections"),
        ({"max_connections": True}, "max_connections"),
        ({"client": object()}, "client must be"),
        ({"client": "a client"}, "client must be"),
    ],
)
@pytest.mark.parametrize("kind", [HttpxTransport, AsyncHttpxTransport])
def test_bad_arguments_are_refused(kind: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        kind("eu-west-1", **arguments)


def test_a_proxy_that_is_switched_off_is_not_used_for_the_next_call(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(make, bundle) as (server, transport), proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        transport.call(SIGN_IN)
        monkeypatch.setenv("NO_PROXY", "localhost")
        transport.call(SIGN_IN)
        transport.close()
    assert [request.connection for request in server.requests] == [0, 1]


# Connections kept alive.


def test_an_idle_connection_is_used_again_for_five_seconds(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch
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


def test_a_connection_that_was_idle_while_the_machine_slept_or_the_clock_was_set_back_is_not_used(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The monotonic clock stands still while a machine sleeps.
    start, ahead = time.time(), [0.0]
    monkeypatch.setattr("srpcore_transports.httpx.client_pool.time.time", lambda: start + ahead[0])
    with served(make, bundle) as (server, transport):
        for step in (0, 4, 6, 6, -3600):
            ahead[0] += step
            transport.call(SIGN_UP)
    assert [request.connection for request in server.requests] == [0, 0, 1, 2, 3]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_does_not_use_the_connection_of_its_parent(bundle: str) -> None:
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


def test_threads_get_their_own_answers_over_few_connections(bundle: str) -> None:
    def ask(number: int) -> bool:
        name = f"user-{number}-{'x' * (number % 7) * 1000}"
        return bool(transport.call(Operation("SignUp", {"Username": name})).document["Username"] == name)

    with served(HttpxTransport, bundle, max_connections=8) as (server, transport), ThreadPoolExecutor(32) as threads:
        assert all(threads.map(ask, range(320)))
    assert server.connections <= 8


def test_a_tunnel_that_is_not_trusted_does_not_keep_its_place_in_the_pool(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackServer(echo, tls("127.0.0.1")) as server, proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with make(endpoint_url=server.url, ca_bundle=bundle, max_connections=1, connect_timeout=30) as transport:
            for _ in range(3):
                # httpcore would keep the place of such a connection, and the second call wait for it.
                with pytest.raises(TransportError, match="certificate verification failed"):
                    transport.call(SIGN_IN)
    assert server.requests == []


# Faults.


FAULTS: dict[str, Handler] = {
    "closed before the answer": cut(b""),
    "reset before the answer": cut(b"", reset_it=True),
    "closed in the body": cut(HEAD + b"{"),
    "reset in the body": cut(HEAD + b"{", reset_it=True),
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


TIMEOUTS = ("silent", "silent in the body")


def patience(fault: str) -> float:
    """Return the read timeout in seconds: short only if the test waits for it."""
    return 0.3 if fault in TIMEOUTS else 30


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize(
    "fault", [pytest.param(name, marks=pytest.mark.slow) if name in TIMEOUTS else name for name in FAULTS]
)
def test_each_fault_has_the_same_outcome_as_with_https(
    make: MakeTransport, bundle: str, fault: str, secure: bool
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


def test_a_request_that_could_not_be_sent_whole_may_be_sent_again() -> None:
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
    with served(HttpxTransport, "", handler, max_connections=1, connect_timeout=1) as (server, transport):
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
def test_a_response_that_arrives_byte_by_byte_ends_at_the_deadline(
    make: MakeTransport, bundle: str, first: int, secure: bool
) -> None:
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
def test_a_silent_server_ends_at_the_deadline(make: MakeTransport, bundle: str) -> None:
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
def test_a_request_that_is_not_read_ends_at_the_deadline(make: MakeTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            make("eu-west-1", url, total_timeout=3) as transport,  # encoding the request is a part of it
            pytest.raises(TransportTimeout, match="sending to") as caught,
        ):
            transport.call(Operation("SignUp", {"Username": "u" * 9_000_000}))
    assert not caught.value.may_have_arrived


@pytest.mark.slow
def test_a_request_that_is_read_slowly_ends_at_the_deadline(make: MakeTransport) -> None:
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
        # Encoding the request is a part of it.
        with make("eu-west-1", url, total_timeout=3, timeout=30, max_attempts=1) as transport:
            with pytest.raises(TransportTimeout, match="sending to") as caught:
                transport.call(Operation("SignUp", {"Username": "u" * 9_000_000}))
            lasted = time.monotonic() - started
        over.append(True)
        with contextlib.suppress(OSError):
            sipped.result(10)
    assert not caught.value.may_have_arrived
    assert lasted < 12  # all of it would take 15 seconds


# Logging and imports.


def test_nothing_secret_is_logged_at_any_level(
    make: MakeTransport, bundle: str, caplog: pytest.LogCaptureFixture
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
