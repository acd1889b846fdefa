"""`http.client.HTTPConnection.debuglevel = 1`, with which a program looks at its own requests, changes nothing here."""

from __future__ import annotations

import http.client
import socket
import ssl
from pathlib import Path

import pytest

from srpcore.protocol import Operation
from srpcore_transports.https import HttpsTransport
from support.loopback import LoopbackServer, Request, answer, proxy_server, tls, write_bundle

SECRET_HASH, SRP_A, PASSWORD = "the-secret-hash-of-alice", "abcdef0123456789", "Correct-Horse-1"
LOGIN = Operation(
    "InitiateAuth",
    {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": {"SRP_A": SRP_A, "SECRET_HASH": SECRET_HASH, "X": PASSWORD}},
)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return write_bundle(tmp_path)


@pytest.mark.parametrize("way", ["plain", "TLS", "through a proxy"])
def test_debuglevel_of_http_client_neither_breaks_nor_prints_a_request(
    way: str, bundle: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    context: ssl.SSLContext | None = None if way == "plain" else tls("localhost")

    def handle(_request: Request, _connection: socket.socket) -> bytes:
        return answer(b'{"Session": "the-session"}', Set_Cookie="the-cookie")

    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with LoopbackServer(handle, context) as server, proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:the-proxy-password@127.0.0.1:{proxy.port}")
        if way != "through a proxy":
            monkeypatch.setenv("NO_PROXY", "localhost")
        with HttpsTransport("us-east-1", server.url, ca_bundle=bundle) as transport:
            for _ in range(2):  # on a new connection, and on the same one again
                assert transport.call(LOGIN).document["Session"] == "the-session"
            assert transport.fetch(f"{server.url}/jwks.json") == b'{"Session": "the-session"}'
        assert bool(proxy.requests) == (way == "through a proxy")
    assert capfd.readouterr() == ("", "")
    assert http.client.HTTPConnection.debuglevel == 1
