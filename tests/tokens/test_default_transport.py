"""What a verifier passes on: to the transport that it makes for itself, to its policy, and to its caches."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from srpcore import AsyncTokenVerifier, TokenVerifier
from srpcore.exceptions import ConfigurationError, TransportError
from srpcore.protocol import Operation, Reply, Transport
from srpcore.tokens import PublicKey, parse_key
from srpcore.tokens.jwks import MAX_DOCUMENT_LENGTH
from srpcore_transports import https
from support.minting import jwk


def test_the_default_transport_is_for_the_region_of_the_pool_and_does_not_retry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, Any]] = []

    class Transport:
        def __init__(self, **arguments: Any) -> None:
            made.append(arguments)

        def fetch(self, url: str) -> bytes:
            return b'{"keys": []}'

        def close(self) -> None:
            pass

    monkeypatch.setattr(https, "HttpsTransport", Transport)
    verifier = TokenVerifier("cn-north-1_abc", client_id=None, token_use=None, timeout=7.0)
    with verifier, pytest.raises(TransportError, match="no RS256 key"):
        verifier.hydrate()
    assert made == [
        {
            "region": "cn-north-1",
            "endpoint_url": "https://cognito-idp.cn-north-1.amazonaws.com.cn",
            "allow_http": False,
            "timeout": 7.0,
            "total_timeout": 7.0,
            "max_attempts": 1,
            "max_idle_connections": 0,
            "max_response_size": MAX_DOCUMENT_LENGTH,
        }
    ]


def test_the_arguments_of_a_verifier_are_those_of_its_policy() -> None:
    def check(claims: Any) -> None:
        pass

    issuer = "https://example.com/eu-west-1_abc"
    verifier = TokenVerifier(
        "eu-west-1_abc",
        client_id="client",
        token_use="id",
        groups=["g"],
        scope="s",
        leeway=3,
        custom_check=check,
        issuers=issuer,
        cache_size=5,
        claims_in_errors=True,
    )
    policy = verifier._policy
    given = (policy.client_id, policy.token_use, policy.groups, policy.scope, policy.leeway, policy.custom_check)
    assert given == ("client", "id", ("g",), "s", 3, check)
    assert verifier._pool_of_issuer == {issuer: "eu-west-1_abc"}
    assert verifier._signature_cache is not None
    assert verifier._signature_cache._size == 5
    assert verifier._claims_in_errors is True
    usual = TokenVerifier("eu-west-1_abc", client_id=None, token_use=None)
    assert (usual._signature_cache, usual._claims_in_errors, usual._allow_http) == (None, False, False)
    assert (usual._policy.groups, usual._policy.scope, usual._policy.leeway) == (None, None, 0)


def test_several_pools_and_an_endpoint_have_their_own_key_sets() -> None:
    verifier = TokenVerifier(
        ["eu-west-1_a", "eu-west-1_b", "eu-west-1_a"],
        client_id=None,
        token_use=None,
        endpoint_url="http://example.com",
        allow_http=True,
    )
    assert {name: cache.url for name, cache in verifier._caches.items()} == {
        "eu-west-1_a": "http://example.com/eu-west-1_a/.well-known/jwks.json",
        "eu-west-1_b": "http://example.com/eu-west-1_b/.well-known/jwks.json",
    }
    assert verifier._allow_http is True
    with pytest.raises(ConfigurationError, match="http"):
        TokenVerifier("eu-west-1_a", client_id=None, token_use=None, endpoint_url="http://example.com")


def test_the_engine_is_loaded_for_each_key_once() -> None:
    engines: list[str | None] = []

    class Key(PublicKey):
        def _load_rsavp1(self, engine: str | None) -> Any:
            engines.append(engine)
            return super()._load_rsavp1(engine)

    key = Key(parse_key(jwk()).n, 65537)
    key.load_engine()
    key.load_engine()
    assert engines == [None]


@pytest.mark.counterpart
def test_plain_http_for_the_keys_is_never_allowed_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    monkeypatch.setenv("SRPCORE_ALLOW_HTTP", "true")
    client: Any = boto3.client(
        "cognito-idp", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    arguments: dict[str, Any] = {"client_id": None, "token_use": None, "transport": client}
    url = "http://example.com/.well-known/jwks.json"
    with pytest.raises(ConfigurationError, match="allow_http"):
        cast(Transport, TokenVerifier("eu-west-1_a", **arguments)._given_transport).fetch(url)
    with pytest.raises(ConfigurationError, match="allow_http"):
        asyncio.run(AsyncTokenVerifier("eu-west-1_a", **arguments)._transport.fetch(url))


@pytest.mark.parametrize("given", [True, False])
def test_an_async_verifier_closes_only_the_transport_that_it_made(given: bool) -> None:
    class Closing:
        closed = 0

        async def call(self, operation: Operation) -> Reply:
            raise AssertionError

        async def fetch(self, url: str) -> bytes:
            raise AssertionError

        async def close(self) -> None:
            self.closed += 1

    transport = Closing()
    verifier = AsyncTokenVerifier("eu-west-1_a", client_id=None, token_use=None, transport=transport if given else None)
    verifier._transport = transport
    asyncio.run(verifier.close())
    assert transport.closed == (0 if given else 1)
