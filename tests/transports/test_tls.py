"""Certificate authorities and proxies of every transport, with botocore's own behaviour as the oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
import trustme
from botocore.config import Config

from srpcore.exceptions import TransportError
from srpcore.protocol import Operation
from srpcore.utils import RequestsSrpAuth
from srpcore_transports.botocore import BotocoreTransport
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.local import LocalUserPool
from support.loopback import LoopbackServer, answer, proxy_server, tls, write_bundle
from support.on_loop import OnLoop


class Site(NamedTuple):
    """A server with a certificate of an authority that nobody trusts by default."""

    url: str
    good: str
    """The path of a file with that authority."""
    bad: str
    """The path of a file with another authority."""

    @property
    def keys(self) -> str:
        return f"{self.url}/us-east-1_AbCd12345/.well-known/jwks.json"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    authorities = trustme.CA(), trustme.CA()
    paths = []
    for number, authority in enumerate(authorities):
        (tmp_path / str(number)).mkdir()
        paths.append(write_bundle(tmp_path / str(number), authority))
    with LoopbackServer(lambda request, _: answer(b"{}"), tls("localhost", issuer=authorities[0])) as server:
        yield Site(server.url, *paths)


def boto3_client(site: Site, **arguments: Any) -> Any:
    return boto3.client(
        "cognito-idp",
        "us-east-1",
        endpoint_url=site.url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        **{"config": Config(retries={"total_max_attempts": 1}), **arguments},
    )


KINDS: dict[str, Callable[[Site], Any]] = {
    "https": lambda site: HttpsTransport("us-east-1", site.url, max_attempts=1),
    "httpx": lambda site: HttpxTransport("us-east-1", site.url, max_attempts=1),
    "async httpx": lambda site: OnLoop(AsyncHttpxTransport("us-east-1", site.url, max_attempts=1)),
    "botocore": lambda site: BotocoreTransport(boto3_client(site)),
}

LOGOUT = Operation("GlobalSignOut", {"AccessToken": "token"})


def end(transport: Any) -> None:
    getattr(transport, "end", transport.close)()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("variable", "profile", "requests", "trusted"),
    [
        (None, None, None, False),
        ("good", None, None, True),
        (None, "good", None, True),
        (None, None, "good", True),
        ("good", "bad", "bad", True),
        ("bad", "good", "good", False),
        (None, "good", "bad", True),
        (None, "bad", "good", False),
    ],
)
def test_certificate_authorities_count_in_botocores_order(
    site: Site,
    kind: str,
    variable: str | None,
    profile: str | None,
    requests: str | None,
    trusted: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = {"good": site.good, "bad": site.bad}
    if variable:
        monkeypatch.setenv("AWS_CA_BUNDLE", paths[variable])
    if requests:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", paths[requests])
    if profile:
        config = tmp_path / "config"
        config.write_text(f"[profile tester]\nca_bundle = {paths[profile]}\n", encoding="utf-8")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_PROFILE", "tester")
    transport = KINDS[kind](site)
    try:
        if trusted:
            assert transport.call(LOGOUT).error is None
            assert transport.fetch(site.keys) == b"{}"
        else:
            with pytest.raises(TransportError):
                transport.call(LOGOUT)
            with pytest.raises(TransportError):
                transport.fetch(site.keys)
    finally:
        end(transport)


def test_verify_of_a_botocore_client_counts_for_the_key_fetch(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", site.bad)
    assert BotocoreTransport(boto3_client(site, verify=site.good)).fetch(site.keys) == b"{}"
    monkeypatch.setenv("AWS_CA_BUNDLE", site.good)
    with pytest.raises(TransportError):
        BotocoreTransport(boto3_client(site, verify=site.bad)).fetch(site.keys)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_botocore_client_that_does_not_verify_certificates_fetches_keys_in_the_same_way(site: Site) -> None:
    assert BotocoreTransport(boto3_client(site, verify=False)).fetch(site.keys) == b"{}"


def test_the_proxies_of_a_botocore_client_count_for_the_key_fetch(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy_server() as proxy, proxy_server(refuse=502) as broken:
        monkeypatch.setenv("HTTPS_PROXY", broken.url)
        client = boto3_client(site, verify=site.good, config=Config(proxies={"https": proxy.url}))
        assert BotocoreTransport(client).fetch(site.keys) == b"{}"
        assert [request.method for request in proxy.requests] == ["CONNECT"]
        direct = boto3_client(site, verify=site.good, config=Config(proxies={}))
        assert BotocoreTransport(direct).fetch(site.keys) == b"{}"
        by_the_environment = boto3_client(site, verify=site.good)
        with pytest.raises(TransportError):
            BotocoreTransport(by_the_environment).fetch(site.keys)
        client.close()


def test_the_settings_of_a_botocore_client_count_when_requests_fetches_the_keys(site: Site) -> None:
    with proxy_server() as proxy:
        config = Config(proxies={"https": proxy.url})
        auth = RequestsSrpAuth(
            "alice",
            "password",
            "us-east-1_AbCd12345",
            "us-east-1",
            "client",
            boto3_client_kwargs={"endpoint_url": site.url, "verify": site.good, "config": config},
        )
        with pytest.raises(Exception, match="key set"):
            auth.cognito_client.get_keys()  # the server's document has no keys: it was fetched, and refused
        assert [request.method for request in proxy.requests] == ["CONNECT"]


def test_a_bundle_that_cannot_be_read_is_named(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with pytest.raises(Exception, match=r"the CA bundle '.*missing.pem' cannot be read"):
        HttpsTransport("us-east-1", site.url).fetch(site.keys)


def test_a_server_without_tls_is_named() -> None:
    with LocalUserPool() as pool, pool.serve() as plain:
        transport = HttpsTransport("us-east-1", plain.url.replace("http:", "https:"), max_attempts=1)
        with pytest.raises(TransportError, match="is the URL of the server http:// instead") as caught:
            transport.call(LOGOUT)
        transport.close()
    assert not caught.value.may_have_arrived
