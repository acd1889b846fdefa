"""The idle connections of HttpsTransport."""

from __future__ import annotations

import os
import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from srpcore.exceptions import TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports import connections
from srpcore_transports.http_connection import Connection
from srpcore_transports.https import HttpsTransport
from srpcore_transports.urls import Origin
from support.forks import held_by_another_thread, in_a_child
from support.http_transports import (
    served,
)
from support.loopback import Drop, LoopbackServer, Request, answer, tls
from support.serving_aws import (
    SIGN_IN,
    echo,
    reset,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


def test_no_connection_is_kept_if_max_idle_connections_is_zero(bundle: str) -> None:
    with served(HttpsTransport, bundle, max_idle_connections=0) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1]


def test_the_connection_used_last_is_the_next_one_used() -> None:
    idle = connections.IdleConnections(4)
    with LoopbackServer(echo) as server:
        origin = Origin("http", "127.0.0.1", server.port)
        opened = [Connection(socket.create_connection((origin.host, origin.port))) for _ in range(3)]
        for connection in opened:
            idle.give_back(origin, connection, idle.generation)
        taken = [idle.take(origin) for _ in range(4)]
        assert taken == [*reversed(opened), None]
        for connection in opened:
            connection.close()


def lost_when_reused(request: Request, _: socket.socket) -> bytes:
    if request.connection == 0 and request.headers["x-amz-target"].endswith("GetUser"):
        raise Drop
    return answer()


def test_a_reused_connection_lost_before_the_first_byte_is_replaced_once(bundle: str) -> None:
    with served(HttpsTransport, bundle, lost_when_reused) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(Operation("GetUser", {}))
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_sign_up_is_not_sent_again_on_a_lost_reused_connection(bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        if request.headers["x-amz-target"].endswith("SignUp"):
            raise Drop
        return answer()

    with served(HttpsTransport, bundle, handler, max_attempts=3) as (server, transport):
        transport.call(SIGN_IN)
        with pytest.raises(TransportError, match="closed without an answer") as raised:
            transport.call(Operation("SignUp", {}))
        assert raised.value.may_have_arrived
        assert [request.connection for request in server.requests] == [0, 0]
        transport.call(SIGN_IN)


def test_sign_up_does_not_use_a_connection_that_was_idle_for_five_seconds(bundle: str) -> None:
    clock = [0.0, 0.0]
    with served(HttpsTransport, bundle) as (server, transport):
        transport._idle = connections.IdleConnections(4, lambda: clock[0], lambda: clock[1])
        for step, name in [(0, "SignUp"), (4.9, "SignUp"), (5.1, "SignUp"), (5.1, "GetUser"), (59, "GetUser")]:
            # Either clock will do: the monotonic one may have stood still while the machine was asleep.
            clock[0 if name == "SignUp" else 1] += step
            transport.call(Operation(name, {}))
        assert [request.connection for request in server.requests] == [0, 0, 1, 1, 1]
        clock[1] += 61
        transport.call(Operation("GetUser", {}))
        assert server.requests[-1].connection == 2


@pytest.mark.parametrize("secure", [True, False])
def test_a_reused_connection_that_is_reset_is_replaced_once(bundle: str, secure: bool) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if len(server.requests) == 2:
            reset(connection)
            raise Drop
        return answer()

    with served(HttpsTransport, bundle if secure else "", handler) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_sending_on_a_dead_connection_is_tried_once_more(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The server's end comes between the look at the idle connection and the sending: nobody can look in time.
    monkeypatch.setattr(connections, "_is_open", lambda connection: True)
    big = Operation("SignUp", {"Username": "u" * 3_000_000})
    with served(HttpsTransport, bundle) as (server, transport):
        transport.call(SIGN_IN)
        server.drop_connections()
        transport.call(big)
    assert [request.connection for request in server.requests] == [0, 1]


def test_a_replaced_connection_that_is_lost_too_is_an_error(bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        if len(server.requests) > 1:
            raise Drop
        return answer()

    with served(HttpsTransport, bundle, handler) as (server, transport):
        transport.call(SIGN_IN)
        with pytest.raises(TransportError, match="localhost: the connection was closed without an answer"):
            transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 0, 1]


@pytest.mark.parametrize(
    "part", [b"H", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
@pytest.mark.parametrize("by_reset", [False, True])
@pytest.mark.parametrize("secure", [True, False])
def test_a_request_is_not_sent_again_after_a_partial_response(
    bundle: str, part: bytes, by_reset: bool, secure: bool
) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if len(server.requests) == 1:
            return answer()
        connection.sendall(part)
        if by_reset:
            time.sleep(0.05)  # a reset overtakes what was not read yet
            reset(connection)
        raise Drop

    with served(HttpsTransport, bundle if secure else "", handler) as (server, transport):
        transport.call(SIGN_IN)
        with pytest.raises(TransportError, match=r"localhost|127\.0\.0\.1"):
            transport.call(SIGN_IN)
    assert len(server.requests) == 2


@pytest.mark.slow
def test_a_request_is_not_sent_again_after_a_timeout_on_a_reused_connection(bundle: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if len(server.requests) == 2:
            connection.recv(1)  # until the client gives up
            raise Drop
        return answer()

    # The other answers must come within this timeout.
    with served(HttpsTransport, bundle, handler, read_timeout=3) as (server, transport):
        transport.call(SIGN_IN)
        with pytest.raises(TransportTimeout):
            transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 0, 1]


def test_a_connection_in_use_during_close_is_not_kept(bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        if len(server.requests) == 1:
            transport.close()
        return answer()

    with served(HttpsTransport, bundle, handler) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1]


def test_idle_connections_are_bounded_and_the_oldest_is_closed_first(bundle: str) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(LoopbackServer(echo, tls("localhost"))) for _ in range(3)]
        transport = stack.enter_context(HttpsTransport("eu-west-1", ca_bundle=bundle, max_idle_connections=2))
        for server in (*servers, servers[2], servers[1], servers[0]):
            transport.fetch(server.url)
    assert [server.connections for server in servers] == [2, 1, 1]


def test_a_connection_idle_for_long_is_not_used(bundle: str) -> None:
    now = 1000.0
    idle = connections.IdleConnections(4, clock=lambda: now)
    with served(HttpsTransport, bundle) as (server, transport):
        transport._idle = idle
        transport.call(SIGN_IN)
        now += connections.IDLE_SECONDS - 1
        transport.call(SIGN_IN)
        now += connections.IDLE_SECONDS
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 0, 1]


@pytest.mark.slow
def test_threads_get_their_own_answers(bundle: str) -> None:
    def ask(number: int) -> bool:
        name = f"user-{number}-{'x' * (number % 7) * 1000}"
        return bool(transport.call(Operation("SignUp", {"Username": name})).document["Username"] == name)

    with served(HttpsTransport, bundle) as (server, transport), ThreadPoolExecutor(32) as threads:
        assert all(threads.map(ask, range(320)))
        assert len(transport._idle._idle) <= 16
    assert server.connections < 320


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_does_not_use_the_connection_of_its_parent(bundle: str) -> None:
    with served(HttpsTransport, bundle) as (server, transport):
        transport.call(SIGN_IN)
        with held_by_another_thread(transport._idle._lock.lock):
            assert in_a_child(lambda: transport.call(SIGN_IN)) == 0
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1, 0]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the open descriptors cannot be told here")
def test_checking_an_idle_connection_needs_no_file_descriptor(bundle: str) -> None:
    with served(HttpsTransport, bundle) as (server, transport):
        transport.call(SIGN_IN)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (max(int(entry.name) for entry in Path("/proc/self/fd").iterdir()) + 8, limit[1])
        )
        taken: list[int] = []
        try:
            with suppress(OSError):
                while True:
                    taken.append(os.dup(0))
            transport.call(SIGN_IN)
        finally:
            for descriptor in taken:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        assert [request.connection for request in server.requests] == [0, 0]
