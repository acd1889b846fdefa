"""What only HttpsTransport does. The tests of every transport over HTTP are in test_http_*.py."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError, TransportError
from srpcore.protocol import Operation
from srpcore_transports.https import HttpsTransport
from support.http_transports import (
    served,
)
from support.loopback import LoopbackServer, Request
from support.serving_aws import (
    KEYS,
    SIGN_IN,
    fixed,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


def test_the_reason_phrase_of_a_proxy_is_not_quoted(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def handler(request: Request, _: socket.socket) -> bytes:
        return b"HTTP/1.1 407 evil\x1b[31m\xff" + b"x" * 500 + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    with LoopbackServer(handler) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with (
            HttpsTransport("eu-west-1", "https://service.example", ca_bundle=bundle) as transport,
            pytest.raises(TransportError) as raised,
        ):
            transport.call(SIGN_IN)
        assert len(proxy.requests) == 1
    assert str(raised.value).endswith("answered HTTP 407: check the user name and password in the URL of the proxy")
    assert "evil" not in str(raised.value)


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
