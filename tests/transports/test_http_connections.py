"""Connections kept alive by every transport over HTTP."""

from __future__ import annotations

import socket
import time

import pytest

from srpcore.exceptions import TransportError
from support.http_transports import (
    SIGN_UP,
    MakeTransport,
    outcome,
    served,
)
from support.loopback import Drop, LoopbackServer, Request, answer, tls
from support.serving_aws import (
    SIGN_IN,
    echo,
    fixed,
    reset,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


def test_one_connection_serves_many_calls(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle) as (server, transport):
        for _ in range(5):
            transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0] * 5


def test_a_connection_that_the_server_closes_is_not_used_again(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle, fixed(answer(Connection="close"))) as (server, transport):
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1]


def test_a_connection_closed_while_idle_is_replaced(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle) as (server, transport):
        transport.call(SIGN_UP)
        server.drop_connections()
        time.sleep(0.05)
        transport.call(SIGN_UP)
    assert [request.connection for request in server.requests] == [0, 1]


def test_data_on_an_idle_connection_is_not_taken_for_the_next_response(make: MakeTransport) -> None:
    with LoopbackServer(echo) as server, make(endpoint_url=server.url) as transport:
        transport.call(SIGN_IN)
        server.push(answer(b'{"Session": "of somebody else"}'))
        time.sleep(0.05)
        assert "Session" not in transport.call(SIGN_IN).document
    assert [request.connection for request in server.requests] == [0, 1]


@pytest.mark.parametrize("by_reset", [False, True])
def test_a_lost_reused_connection_is_replaced_only_for_repeatable_operations(
    make: MakeTransport, bundle: str, by_reset: bool
) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if request.connection == 0 and len(server.requests) > 1:
            if by_reset:
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


def test_a_closed_transport_can_be_used_again(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle) as (server, transport):
        transport.close()
        transport.call(SIGN_IN)
        transport.close()
        transport.close()
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [0, 1, 1]


def test_each_host_and_port_has_its_own_connections(make: MakeTransport, bundle: str) -> None:
    with served(make, bundle) as (first, transport), LoopbackServer(echo, tls("localhost")) as second:
        for server in (first, second, first, second):
            transport.fetch(server.url)
    assert first.connections == second.connections == 1


def test_a_new_connection_that_is_lost_is_not_replaced(make: MakeTransport, bundle: str) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        raise Drop

    with (
        served(make, bundle, handler) as (server, transport),
        pytest.raises(TransportError, match="closed without an answer"),
    ):
        transport.call(SIGN_IN)
    assert len(server.requests) == 1
