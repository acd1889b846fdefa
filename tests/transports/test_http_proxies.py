"""Proxies of the environment, for every transport over HTTP."""

from __future__ import annotations

from base64 import b64encode

import pytest

from srpcore.exceptions import ConfigurationError, TransportError
from support.http_transports import (
    SIGN_UP,
    MakeTransport,
    cut,
    served,
    silent,
)
from support.loopback import LoopbackServer, proxy_server, tls
from support.serving_aws import (
    ADMIN,
    KEYS,
    SIGN_IN,
    assert_signature_holds,
    echo,
)

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


def test_https_goes_through_a_tunnel_of_the_proxy(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(make, bundle) as (server, transport), proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://us%40er:p%3Ass@127.0.0.1:{proxy.port}")
        transport.call(SIGN_IN)
        transport.call(SIGN_IN)
        transport.close()
    (request,) = proxy.requests
    assert (request.method, request.target) == ("CONNECT", f"localhost:{server.port}")
    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"us@er:p:ss").decode()
    assert [request.connection for request in server.requests] == [0, 0]
    assert "proxy-authorization" not in server.requests[0].headers


def test_the_lower_case_variable_wins_and_needs_no_scheme(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(make, bundle) as (_, transport), proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{proxy.port}")
        transport.call(SIGN_IN)
        transport.close()
    assert [request.method for request in proxy.requests] == ["CONNECT"]
    assert "proxy-authorization" not in proxy.requests[0].headers


@pytest.mark.parametrize("no_proxy", ["localhost", "example.com, localhost", "*", "localhost:{port}"])
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_hosts_in_no_proxy_are_reached_directly(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch, name: str, no_proxy: str
) -> None:
    with served(make, bundle) as (server, transport):
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv(name, no_proxy.format(port=server.port))
        assert transport.call(SIGN_IN).status == 200


@pytest.mark.parametrize("name", ["ALL_PROXY", "HTTP_PROXY"])
def test_other_proxy_variables_are_ignored(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    with served(make, bundle) as (_, transport):
        assert transport.call(SIGN_IN).status == 200


@pytest.mark.parametrize(("status", "tried"), [(407, 1), (502, 2)])
def test_a_proxy_that_refuses_is_an_error(
    make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch, status: int, tried: int
) -> None:
    with served(make, bundle, max_attempts=2) as (server, transport), proxy_server(refuse=status) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@127.0.0.1:{proxy.port}")
        with pytest.raises(
            TransportError, match=rf"localhost:\d+ through the proxy 127.0.0.1:\d+: .*{status}"
        ) as caught:
            transport.call(SIGN_UP)
        assert "hunter2" not in str(caught.value)
        assert (caught.value.may_have_arrived, caught.value.transient) == (False, tried == 2)
        assert len(proxy.requests) == tried
    assert server.connections == 0


@pytest.mark.parametrize("reply", [b"SSH-2.0-OpenSSH\r\n\r\n", b"", pytest.param(None, marks=pytest.mark.slow)])
def test_a_server_that_is_not_a_proxy_is_an_error(
    make: MakeTransport, monkeypatch: pytest.MonkeyPatch, reply: bytes | None
) -> None:
    with LoopbackServer(silent() if reply is None else cut(reply)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with (
            make("eu-west-1", "https://localhost:1", max_attempts=1, timeout=0.3) as transport,
            pytest.raises(TransportError, match=r"connecting to localhost:\d+ through the proxy") as caught,
        ):
            transport.call(SIGN_UP)
    assert not caught.value.may_have_arrived


def test_the_tunnel_is_verified_end_to_end(make: MakeTransport, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer(echo, tls("127.0.0.1")) as server, proxy_server() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with (
            make(endpoint_url=server.url, ca_bundle=bundle) as transport,
            pytest.raises(TransportError, match="certificate verification failed"),
        ):
            transport.call(SIGN_IN)
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    ["socks5://user:hunter2@127.0.0.1:1", "https://user:hunter2@127.0.0.1:1", "http://:hunter2@", "http://h:hunter2"],
)
def test_another_kind_of_proxy_is_refused(make: MakeTransport, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    with (
        make("eu-west-1") as transport,
        pytest.raises(ConfigurationError, match="HTTPS_PROXY is not the URL of an HTTP proxy") as caught,
    ):
        transport.call(SIGN_IN)
    assert "hunter2" not in str(caught.value)


def test_plain_http_to_this_machine_does_not_use_the_proxy(
    make: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with LoopbackServer(echo) as server:
        for host in ("127.0.0.1", "localhost"):
            with make(endpoint_url=f"http://{host}:{server.port}") as transport:
                assert transport.call(SIGN_IN).status == 200


def test_plain_http_to_another_machine_uses_the_proxy(make: MakeTransport, monkeypatch: pytest.MonkeyPatch) -> None:
    # The proxy answers for a host that does not exist, so that nothing leaves this machine.
    with LoopbackServer(echo) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:word@127.0.0.1:{proxy.port}")
        with make("eu-west-1", "http://no-such-host.invalid:8080/path", KEYS, allow_http=True) as transport:
            transport.call(ADMIN)
    (request,) = proxy.requests
    assert request.target == "http://no-such-host.invalid:8080/path"
    assert request.headers["host"] == "no-such-host.invalid:8080"
    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"user:word").decode()
    assert "proxy-authorization" not in request.headers["authorization"]
    assert_signature_holds(request, "/path")
