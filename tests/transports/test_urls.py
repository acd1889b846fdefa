"""Origin, target and Host header of a URL, and its proxy."""

from __future__ import annotations

import pytest

from srpcore_transports.proxy import Proxy, parse_proxy, proxy_for
from srpcore_transports.urls import Origin, host_of, origin_and_target, what_to_check

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")


@pytest.mark.parametrize(
    ("url", "origin", "target", "host"),
    [
        ("https://a.example", Origin("https", "a.example", 443), "/", "a.example"),
        ("http://a.example/", Origin("http", "a.example", 80), "/", "a.example"),
        ("https://a.example:443/b/c?d=e&f", Origin("https", "a.example", 443), "/b/c?d=e&f", "a.example"),
        ("http://A.example:8080?q", Origin("http", "a.example", 8080), "/?q", "a.example:8080"),
        ("https://[::1]:9/x", Origin("https", "::1", 9), "/x", "[::1]:9"),
        ("http://a.example:443/", Origin("http", "a.example", 443), "/", "a.example:443"),
    ],
)
def test_a_url_has_an_origin_a_target_and_a_host_header(url: str, origin: Origin, target: str, host: str) -> None:
    assert origin_and_target(url) == (origin, target)
    assert host_of(url) == host


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_plain_http_to_this_machine_does_not_use_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert proxy_for("http", host, 80) is None


@pytest.mark.parametrize("host", ["127.evil.example", "127.0.0.1.example", "a.example"])
def test_a_name_that_looks_like_a_loopback_address_goes_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert proxy_for("http", host, 80) == Proxy("proxy.example", 3128)


def test_the_repr_of_a_proxy_does_not_show_the_password() -> None:
    proxy = parse_proxy("http://alice:secret@proxy.example:3128", "HTTP_PROXY")
    assert proxy.headers == {"Proxy-Authorization": "Basic YWxpY2U6c2VjcmV0"}
    assert repr(proxy) == "Proxy(host='proxy.example', port=3128)"


def test_proxies_are_equal_if_their_user_and_password_are() -> None:
    one, same, other = (parse_proxy(f"http://{user}@proxy.example", "HTTP_PROXY") for user in ("a:b", "a:b", "a:c"))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("cognito-idp.eu-west-9.amazonaws.com", "check the region"),
        ("cognito-idp-fips.us-east-9.amazonaws.com", "check the region"),
        ("cognito-local", "check the endpoint URL"),
        ("amazonaws.com.attacker.example", "check the endpoint URL"),
    ],
)
def test_the_region_is_named_only_for_the_hosts_of_aws(host: str, advice: str) -> None:
    assert what_to_check(host) == advice
