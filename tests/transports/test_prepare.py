"""``prepare()`` of the transports: the first call finds the certificate authorities read, and a connection open."""

from __future__ import annotations

import os
import socket
import ssl
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports import connections
from srpcore_transports.deadline import time_limit
from srpcore_transports.https import HttpsTransport
from srpcore_transports.urls import Origin
from support.first_use import loaded_by
from support.forks import in_a_child
from support.http_transports import SIGN_UP, served
from support.loopback import Drop, LoopbackServer, answer, authority, proxy_server, tls
from support.ports import reserved_port
from support.serving_aws import SIGN_IN
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bare_environment", "no_leaks")]


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("operation", [SIGN_IN, SIGN_UP], ids=["repeatable", "not repeatable"])
def test_the_first_call_uses_the_prepared_connection(bundle: str, secure: bool, operation: Operation) -> None:
    with served(HttpsTransport, bundle if secure else "") as (server, transport):
        transport.prepare()
        wait_until(lambda: server.connections == 1)  # it accepts a connection after the client has it
        assert server.requests == []
        transport.call(operation)
        transport.call(SIGN_IN)
        assert [request.connection for request in server.requests] == [0, 0]
        assert server.connections == 1


def test_a_server_with_an_older_version_of_tls_can_be_prepared_too(bundle: str) -> None:
    older = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    older.maximum_version = ssl.TLSVersion.TLSv1_2
    authority().issue_cert("localhost").configure_cert(older)
    with (
        LoopbackServer(lambda request, connection: answer(), older) as server,
        HttpsTransport("eu-west-1", server.url, ca_bundle=bundle) as transport,
    ):
        transport.prepare()
        transport.call(SIGN_IN)
        assert server.connections == 1


def test_one_connection_is_prepared(bundle: str) -> None:
    with served(HttpsTransport, bundle) as (server, transport):
        transport.prepare()
        transport.prepare()
        transport.call(SIGN_IN)
        transport.prepare()
        assert server.connections == 1


@pytest.mark.parametrize("secure", [True, False])
def test_a_prepared_connection_that_is_closed_meanwhile_is_replaced_by_the_next_prepare(
    bundle: str, secure: bool
) -> None:
    with served(HttpsTransport, bundle if secure else "") as (server, transport):
        transport.prepare()
        wait_until(lambda: any(isinstance(one, ssl.SSLSocket) is secure for one in [*server._open]))
        server.drop_connections()
        transport.prepare()
        wait_until(lambda: server.connections == 2)
        transport.call(SIGN_IN)
        assert [request.connection for request in server.requests] == [1]
        assert (server.connections, len(transport._idle._idle)) == (2, 1)


def test_a_prepared_connection_is_replaced_by_a_later_prepare_if_it_is_too_old(bundle: str) -> None:
    clock = [0.0, 0.0]
    with served(HttpsTransport, bundle) as (server, transport):
        transport._idle = connections.IdleConnections(4, lambda: clock[0], lambda: clock[1])
        # prepare() does not make a connection younger: it is used for a minute since it was opened.
        for which, seconds, expected in [(0, 0.0, 1), (0, 59.0, 1), (0, 2.0, 2), (1, 59.0, 2), (1, 2.0, 3)]:
            clock[which] += seconds
            transport.prepare()
            assert (server.connections, len(transport._idle._idle)) == (expected, 1)


def test_the_session_of_a_prepared_connection_is_kept_after_the_first_response(bundle: str) -> None:
    with served(HttpsTransport, bundle) as (server, transport):
        origin = Origin("https", "localhost", server.port)
        transport.prepare()
        assert transport._tls().session(origin) is None
        transport.call(SIGN_IN)
        assert transport._tls().session(origin) is not None


def test_nothing_is_connected_without_connect_or_if_no_connection_is_kept(bundle: str) -> None:
    with served(HttpsTransport, bundle) as (server, transport):
        transport.prepare(connect=False)
        assert server.connections == 0
    with served(HttpsTransport, bundle, max_idle_connections=0) as (server, transport):
        transport.prepare()
        assert server.connections == 0


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("operation", [SIGN_IN, SIGN_UP], ids=["repeatable", "not repeatable"])
def test_a_prepared_connection_that_the_server_has_closed_is_replaced(
    bundle: str, secure: bool, operation: Operation
) -> None:
    with served(HttpsTransport, bundle if secure else "") as (server, transport):
        transport.prepare()
        wait_until(lambda: any(isinstance(one, ssl.SSLSocket) is secure for one in [*server._open]))
        server.drop_connections()
        transport.call(operation)
        assert [request.connection for request in server.requests] == [1]


class Talkative(LoopbackServer):
    """On the first connection it sends a response that nobody has asked for, right after the handshake."""

    sent = Event()

    def greet(self, connection: socket.socket) -> ssl.SSLContext | None:
        context = super().greet(connection)
        if context is None or self.connections > 1:
            return context
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(answer(b'{"not": "asked for"}'))
            self.sent.set()
            secured.recv(1)  # until the client closes the connection
        raise Drop


def test_a_prepared_connection_on_which_the_server_has_sent_data_is_not_used(bundle: str) -> None:
    with (
        Talkative(lambda request, connection: answer(b'{"asked": "for"}'), tls("localhost")) as server,
        HttpsTransport("eu-west-1", server.url, ca_bundle=bundle) as transport,
    ):
        transport.prepare()
        assert server.sent.wait(20)
        assert "asked" in transport.call(SIGN_IN).document
        assert [request.connection for request in server.requests] == [1]


def test_a_prepared_connection_is_used_for_a_minute_only(bundle: str) -> None:
    clock = [0.0, 0.0]
    with served(HttpsTransport, bundle) as (server, transport):
        for which, age, expected in [(0, 59.0, 1), (1, 59.0, 1), (0, 61.0, 2), (1, 61.0, 2)]:
            transport._idle.close()
            transport._idle = connections.IdleConnections(4, lambda: clock[0], lambda: clock[1])
            before = server.connections
            transport.prepare()
            # Either clock counts: the monotonic one may stand still while a function is frozen.
            clock[which] += age
            transport.call(SIGN_IN)
            assert server.connections - before == expected


def test_a_service_that_cannot_be_reached_is_an_error_and_a_later_call_works(bundle: str) -> None:
    with (
        reserved_port() as port,
        HttpsTransport("eu-west-1", f"http://127.0.0.1:{port}", max_attempts=1) as transport,
    ):
        with pytest.raises(TransportError) as caught:
            transport.prepare()
        assert not caught.value.may_have_arrived
        server = LoopbackServer(lambda request, connection: answer())
        server._listener.close()
        server._listener = socket.create_server(("127.0.0.1", port))
        with server:
            transport.call(SIGN_IN)


def test_connecting_takes_no_longer_than_it_may(bundle: str) -> None:
    # It accepts no connection, and so never answers the handshake.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}"
        impatient = HttpsTransport("eu-west-1", url, ca_bundle=bundle, connect_timeout=0.05)
        with pytest.raises(TransportTimeout):
            impatient.prepare()
        patient = HttpsTransport("eu-west-1", url, ca_bundle=bundle)
        patient.prepare(connect=False)
        with pytest.raises(TransportTimeout, match=r"within 0\.[0-4]"), time_limit(0.5):
            patient.prepare()


def test_a_file_of_authorities_that_cannot_be_read_is_an_error(make: Any, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with make("eu-west-1", "https://localhost:1", ca_bundle=missing) as transport, pytest.raises(ConfigurationError):
        transport.prepare(connect=False)


def test_the_tunnel_of_a_proxy_is_prepared(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy_server() as proxy, served(HttpsTransport, bundle) as (server, transport):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        transport.prepare()
        transport.call(SIGN_IN)
        transport.close()
        assert (len(proxy.requests), server.connections) == (1, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_does_not_use_the_prepared_connection_of_its_parent(bundle: str) -> None:
    with served(HttpsTransport, bundle) as (server, transport):
        transport.prepare()
        assert in_a_child(lambda: transport.call(SIGN_IN)) == 0
        transport.call(SIGN_IN)
    assert [request.connection for request in server.requests] == [1, 0]


@pytest.mark.parametrize("name", ["HttpxTransport", "AsyncHttpxTransport"])
def test_the_first_call_with_httpx_loads_and_opens_nothing(bundle: str, name: str) -> None:
    before = f"""
import asyncio, inspect
from srpcore.protocol import Operation
from srpcore_transports.httpx import {name}
transport = {name}("eu-west-1", sys.argv[1], ca_bundle=sys.argv[2])
runner = asyncio.Runner()
async def do(function, *arguments):
    found = function(*arguments)
    return await found if inspect.isawaitable(found) else found
runner.run(do(transport.prepare))
"""
    call = """runner.run(do(transport.call, Operation("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH"})))"""
    with LoopbackServer(lambda request, connection: answer(), tls("localhost")) as server:
        found = loaded_by(before, call, server.url, bundle, path=[str(Path(httpx.__file__).parents[1])])
    assert [event for event in found if not event.startswith("socket.")] == []
