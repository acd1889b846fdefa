"""The verifiers over a real server of key sets on 127.0.0.1, which counts its requests."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from srpcore import AsyncTokenVerifier, TokenVerifier
from srpcore.exceptions import (
    AccessTokenHashMismatch,
    AudienceMismatch,
    ConfigurationError,
    GroupMismatch,
    InvalidClaim,
    InvalidKey,
    InvalidSignature,
    IssuerMismatch,
    ScopeMismatch,
    SrpcoreError,
    TokenExpired,
    TokenUseMismatch,
    TransportError,
    UnknownKey,
)
from srpcore.protocol import Reply
from srpcore.tokens import access_token_hash
from srpcore_transports.https import HttpsTransport
from support.key_server import DAY, NEWER_ISSUER, OTHER_ISSUER, OTHER_POOL, POOL, Keys, mint, on_an_event_loop, serve
from support.loopback import proxy_server
from support.minting import CLIENT, ISSUER, KID, NOW, access_claims, id_claims, jwk


@pytest.fixture
def keys() -> Iterator[Keys]:
    with serve() as served:
        yield served


def test_the_claims_are_returned_and_the_keys_fetched_once(keys: Keys) -> None:
    with keys.verifier() as verifier:
        assert verifier.verify(mint()) == access_claims()
        assert verifier.verify(mint(access_claims(iss=NEWER_ISSUER)))["iss"] == NEWER_ISSUER
        assert keys.count == 1


@on_an_event_loop
async def test_the_claims_are_returned_and_the_keys_fetched_once_on_an_event_loop(keys: Keys) -> None:
    async with keys.async_verifier() as verifier:
        assert await verifier.verify(mint()) == access_claims()
        with pytest.raises(AudienceMismatch):
            await verifier.verify(mint(), client_id="another")
        for _ in range(2):
            with pytest.raises(UnknownKey) as caught:
                await verifier.verify(mint(kid="unknown"))
            assert caught.value.actual == "unknown"
        assert keys.count == 1


@pytest.mark.parametrize(
    ("claims", "named", "error"),
    [
        (access_claims(client_id="another"), {}, AudienceMismatch),
        (id_claims(), {}, TokenUseMismatch),
        (access_claims(exp=NOW), {}, TokenExpired),
        (access_claims(iss=OTHER_ISSUER), {}, IssuerMismatch),
        (access_claims(iss=None), {}, InvalidClaim),
        (access_claims(), {"groups": "admin"}, GroupMismatch),
        (access_claims(), {"scope": ["a", "b"]}, ScopeMismatch),
        (access_claims(), {"issuers": NEWER_ISSUER}, IssuerMismatch),
        (id_claims(at_hash="x"), {"token_use": "id", "access_token": "y"}, AccessTokenHashMismatch),
        (access_claims(), {"token_use": "neither"}, ConfigurationError),
        (access_claims(), {"leeway": -1}, ConfigurationError),
        (access_claims(), {"client_id": []}, ConfigurationError),
        (access_claims(), {"pool": POOL}, TypeError),
    ],
)
def test_invalid_tokens_are_refused(
    keys: Keys, claims: dict[str, Any], named: dict[str, Any], error: type[Exception]
) -> None:
    with keys.verifier() as verifier, pytest.raises(error):
        # jwt.encode refuses an iss that is no string.
        verifier.verify(mint({name: value for name, value in claims.items() if value is not None}), **named)


def test_a_forged_token_is_refused(keys: Keys) -> None:
    with keys.verifier() as verifier, pytest.raises(InvalidSignature):
        verifier.verify(mint(name="forger", kid=KID))


def test_each_call_may_have_other_requirements(keys: Keys) -> None:
    claims = access_claims(client_id="second", exp=NOW, **{"cognito:groups": ["admin"]})
    with keys.verifier(groups="staff", custom_check=pytest.fail) as verifier:
        verified = verifier.verify(
            mint(claims), client_id=["first", "second"], leeway=1, groups=["admin"], custom_check=None, issuers=ISSUER
        )
        assert verified == claims
        assert verifier.verify(mint(claims), client_id=None, token_use=None, groups=None, leeway=1, custom_check=None)
        # The next call has the verifier's own demands again.
        with pytest.raises(AudienceMismatch):
            verifier.verify(mint(claims))


def test_client_and_use_must_be_given() -> None:
    for missing in ("client_id", "token_use"):
        named: dict[str, Any] = {"client_id": None, "token_use": None}
        del named[missing]
        with pytest.raises(TypeError, match=missing):
            TokenVerifier(POOL, **named)


def test_explicit_none_accepts_any_client_or_use(keys: Keys) -> None:
    with keys.verifier(client_id=None, token_use=None) as verifier:
        assert verifier.verify(mint(access_claims(client_id="another")))["client_id"] == "another"
        assert verifier.verify(mint({**id_claims(), "aud": "another"}))["aud"] == "another"


def test_custom_check_sees_verified_claims_and_raises_to_refuse(keys: Keys) -> None:
    seen: list[Any] = []

    def check(claims: Any) -> None:
        seen.append(claims["username"])
        if claims["username"] == "mallory":
            raise PermissionError("not she")

    with keys.verifier(custom_check=check) as verifier:
        verifier.verify(mint())
        with pytest.raises(PermissionError):
            verifier.verify(mint(access_claims(username="mallory")))
        with pytest.raises(TokenExpired):
            verifier.verify(mint(access_claims(username="late", exp=NOW)))
    assert seen == ["alice", "mallory"]


@pytest.mark.parametrize("verdict", [False, True])
def test_a_custom_check_that_returns_a_verdict_accepts_nothing(keys: Keys, verdict: bool) -> None:
    check: Any = lambda claims: verdict  # noqa: E731
    with keys.verifier(custom_check=check) as verifier, pytest.raises(ConfigurationError, match="custom_check"):
        verifier.verify(mint())


def test_two_pools_have_keys_and_issuers_of_their_own(keys: Keys) -> None:
    other = access_claims(iss=OTHER_ISSUER)
    with keys.verifier([POOL, OTHER_POOL]) as verifier:
        assert verifier.verify(mint(other, "other")) == other
        assert [request.target.split("/")[1] for request in keys.server.requests] == [OTHER_POOL]
        assert verifier.verify(mint()) == access_claims()
        # A key of one pool signs for no other.
        with pytest.raises(UnknownKey):
            verifier.verify(mint(other, KID))
        with pytest.raises(IssuerMismatch):
            verifier.verify(mint(), issuers=[OTHER_ISSUER])
        assert keys.count == 2


def test_a_token_of_a_foreign_issuer_causes_no_fetch(keys: Keys) -> None:
    with keys.verifier() as verifier:
        for token in (mint(access_claims(iss="https://evil.example")), "no token", mint()[:-4] + "."):
            with pytest.raises(SrpcoreError):
                verifier.verify(token)
        assert keys.count == 0


def test_given_issuers_replace_the_one_of_aws(keys: Keys) -> None:
    with keys.verifier(issuers="https://own.example") as verifier:
        assert verifier.verify(mint(access_claims(iss="https://own.example")))
        with pytest.raises(IssuerMismatch):
            verifier.verify(mint())
    issuers = {POOL: ["https://own.example"], OTHER_POOL: "https://other.example"}
    with keys.verifier([POOL, OTHER_POOL], issuers=issuers) as verifier:
        assert verifier.verify(mint(access_claims(iss="https://other.example"), "other"))


def test_the_whole_issuer_is_compared() -> None:
    short, longer = "eu-west-1_Abc", "eu-west-1_Abcd"
    aws = "https://cognito-idp.eu-west-1.amazonaws.com/"
    verifier = TokenVerifier([short, longer], client_id=CLIENT, token_use="access")
    for pool in (short, longer):
        verifier.load_jwks({"keys": [jwk()]}, user_pool_id=pool)
    token = mint(access_claims(iss=aws + short, exp=2**40))
    assert verifier.verify(token, issuers=[aws + short])
    with pytest.raises(IssuerMismatch):
        verifier.verify(token, issuers=aws + longer)


@pytest.mark.parametrize(
    ("pools", "named"),
    [
        ([], {}),
        (None, {}),
        ("nonsense", {}),
        (POOL, {"client_id": ""}),
        (POOL, {"client_id": []}),
        (POOL, {"client_id": [CLIENT, ""]}),
        (POOL, {"client_id": b"bytes"}),
        (POOL, {"client_id": 5}),
        (POOL, {"token_use": "refresh"}),
        (POOL, {"leeway": float("nan")}),
        (POOL, {"leeway": float("inf")}),
        (POOL, {"leeway": True}),
        (POOL, {"leeway": "1"}),
        (POOL, {"max_age": 0}),
        (POOL, {"cool_down": 0}),
        (POOL, {"stale_if_error": -1}),
        (POOL, {"stale_if_error": float("inf")}),
        (POOL, {"max_age": "1"}),
        (POOL, {"timeout": 0}),
        (POOL, {"timeout": None}),
        (POOL, {"custom_check": "no function"}),
        (POOL, {"issuers": {OTHER_POOL: "https://own.example"}}),
        ([POOL, OTHER_POOL], {"issuers": "https://own.example"}),
        ([POOL, OTHER_POOL], {"issuers": {POOL: "https://x.example", OTHER_POOL: "https://x.example"}}),
        (POOL, {"transport": "https"}),
        (POOL, {"endpoint_url": "http://elsewhere.example"}),
    ],
)
@pytest.mark.parametrize("kind", [TokenVerifier, AsyncTokenVerifier])
def test_invalid_arguments_are_refused(kind: type[TokenVerifier], pools: Any, named: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        kind(pools, **{"client_id": CLIENT, "token_use": "access", **named})


async def _coroutine(*_: object) -> None:
    pass


def test_coroutine_functions_are_refused(keys: Keys) -> None:
    check: Any = _coroutine
    with pytest.raises(ConfigurationError, match="must not be a coroutine function"):
        keys.verifier(custom_check=check)
    hidden: Any = lambda claims: _coroutine(claims)  # noqa: E731
    with keys.verifier(custom_check=hidden) as verifier, pytest.raises(ConfigurationError):
        verifier.verify(mint())


def test_an_asynchronous_transport_is_refused_by_the_synchronous_verifier(keys: Keys) -> None:
    transport = type("Transport", (), {"call": _coroutine, "fetch": _coroutine})()
    with pytest.raises(ConfigurationError):
        keys.verifier(transport=transport)


def test_changing_the_arguments_afterwards_has_no_effect(keys: Keys) -> None:
    clients = [CLIENT]
    with keys.verifier(client_id=clients) as verifier:
        clients.clear()
        assert verifier.verify(mint())


def test_environment_variables_do_not_change_the_trusted_issuer(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"):
        monkeypatch.setenv(name, keys.server.url)
    monkeypatch.setenv("SRPCORE_TRANSPORT", "botocore")
    # What is not this machine's goes to a proxy, which tells where to.
    with proxy_server(refuse=403) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        for pool, suffix in ((POOL, "amazonaws.com"), ("cn-north-1_A", "amazonaws.com.cn")):
            with TokenVerifier(pool, client_id=None, token_use=None) as verifier, pytest.raises(TransportError):
                verifier.hydrate()
            assert proxy.requests[-1].target == f"cognito-idp.{pool.split('_')[0]}.{suffix}:443"
        with TokenVerifier(POOL, client_id=None, token_use=None) as verifier, pytest.raises(IssuerMismatch):
            verifier.verify(mint(access_claims(iss=f"{keys.server.url}/{POOL}")))
    assert keys.count == 0


@on_an_event_loop
async def test_the_default_transport_is_made_when_needed_and_closed(keys: Keys) -> None:
    async with keys.async_verifier() as other:
        await other.verify(mint())
        await other.close()
        await other.hydrate()
    with keys.verifier() as verifier:
        verifier.verify(mint())
        verifier.close()
        keys.clock.now += 60
        with pytest.raises(UnknownKey):
            verifier.verify(mint(kid="unknown"))
    # The connection that was open was closed, and another opened.
    assert keys.server.connections == keys.count == 3


class _Counting(HttpsTransport):
    closed = 0

    def close(self) -> None:
        self.closed += 1
        super().close()


@on_an_event_loop
async def test_a_given_transport_is_used_and_left_open(keys: Keys) -> None:
    with _Counting("eu-west-1") as transport:
        with keys.verifier(transport=transport) as verifier:
            verifier.hydrate()
            assert verifier._own_transport is None
        async with keys.async_verifier(transport=transport) as other:
            await other.hydrate()
        assert transport.closed == 0
        assert keys.count == 2


class _Asynchronous:
    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.urls: list[str] = []
        self.closed = 0

    async def call(self, operation: object) -> Reply:
        raise AssertionError

    async def fetch(self, url: str) -> bytes:
        self.urls.append(url)
        return self.keys.document(POOL)

    async def close(self) -> None:
        self.closed += 1


@on_an_event_loop
async def test_an_asynchronous_transport_is_awaited(keys: Keys) -> None:
    transport = _Asynchronous(keys)
    async with keys.async_verifier(transport=transport, endpoint_url=None) as verifier:
        assert await verifier.verify(mint())
    # For the newer issuer, too, the keys are at the classic URL.
    async with keys.async_verifier(transport=transport, endpoint_url=None) as verifier:
        assert await verifier.verify(mint(access_claims(iss=NEWER_ISSUER)))
    assert transport.urls == [f"{ISSUER}/.well-known/jwks.json"] * 2
    assert transport.closed == 0


@on_an_event_loop
async def test_hydrate_fetches_the_keys_of_every_pool_once(keys: Keys) -> None:
    with keys.verifier([POOL, OTHER_POOL]) as verifier:
        verifier.hydrate()
        verifier.hydrate()
        assert keys.count == 2
        verifier.verify(mint())
        assert keys.count == 2
    async with keys.async_verifier([POOL, OTHER_POOL]) as other:
        await other.hydrate()
        await other.verify(mint())
        assert keys.count == 4


def _document(*names: str) -> dict[str, Any]:
    return {"keys": [jwk(name) for name in names]}


@on_an_event_loop
async def test_given_keys_are_never_fetched(keys: Keys, tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(_document(KID)))
    for source in (_document(KID), path.read_bytes(), path, str(path)):
        with keys.verifier() as verifier:
            verifier.load_jwks(source)
            verifier.hydrate()
            keys.clock.now = float(NOW)
            assert verifier.verify(mint())
            keys.clock.now += 10 * DAY
            assert verifier.verify(mint(access_claims(exp=NOW + 11 * DAY)))
            with pytest.raises(UnknownKey):
                verifier.verify(mint(name="other"))
    keys.clock.now = float(NOW)
    async with keys.async_verifier() as other:
        other.load_jwks(path)
        assert await other.verify(mint())
    assert keys.count == 0


@pytest.mark.parametrize("form", [json.dumps, repr])
def test_keys_are_read_from_the_environment(
    keys: Keys, monkeypatch: pytest.MonkeyPatch, form: Callable[[Any], str]
) -> None:
    with keys.verifier() as verifier:
        monkeypatch.setenv("COGNITO_JWKS", form(_document("mine")))
        # Only where the program says so.
        verifier.verify(mint())
        verifier.load_jwks()
        assert verifier.verify(mint(name="mine"))
        with pytest.raises(UnknownKey):
            verifier.verify(mint())


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (None, ConfigurationError, "not set"),
        ("", ConfigurationError, "not set"),
        ("nonsense", ConfigurationError, "must contain the key set"),
        ("('a', 'tuple')", ConfigurationError, "must contain the key set"),
        ("(" * 9999, ConfigurationError, "must contain the key set"),
        ("[1]", ConfigurationError, "must contain the key set"),
        ('{"keys": [], "keys": []}', InvalidKey, "twice"),
        ("{'a': 1}", InvalidKey, "no list 'keys'"),
        ("{'keys': []}" + " " * 300_000, InvalidKey, "too large"),
    ],
)
def test_invalid_keys_of_the_environment_are_errors(
    keys: Keys, monkeypatch: pytest.MonkeyPatch, text: str | None, error: type[Exception], words: str
) -> None:
    monkeypatch.delenv("COGNITO_JWKS", raising=False)
    if text is not None:
        monkeypatch.setenv("COGNITO_JWKS", text)
    with keys.verifier() as verifier, pytest.raises(error, match=words):
        verifier.load_jwks()


def test_keys_in_a_file_or_a_string_may_have_256_kib(
    keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, largest = tmp_path / "jwks.json", json.dumps(_document(KID)).ljust(256 * 1024)
    # An environment cannot hold as much on every system.
    environment: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", environment)
    with keys.verifier() as verifier:
        for text, refused in ((largest, False), (repr(_document(KID)).ljust(256 * 1024), False), (f"{largest} ", True)):
            environment["COGNITO_JWKS"] = text
            with pytest.raises(InvalidKey, match="too large") if refused else nullcontext():
                verifier.load_jwks()
        for text, refused in ((largest, False), (f"{largest} ", True)):
            path.write_text(text)
            with pytest.raises(InvalidKey, match="too large") if refused else nullcontext():
                verifier.load_jwks(path)


def test_invalid_sources_of_keys_are_refused(keys: Keys, tmp_path: Path) -> None:
    bad: Any
    with keys.verifier() as verifier:
        for bad in (tmp_path, tmp_path / "none", "a\0b", 1.5):
            with pytest.raises(ConfigurationError, match="cannot be read"):
                verifier.load_jwks(bad)
        for bad in ({}, b"", b"x" * 300_000):
            with pytest.raises(InvalidKey):
                verifier.load_jwks(bad)
        assert verifier.verify(mint())


def test_given_keys_belong_to_one_pool(keys: Keys) -> None:
    with keys.verifier([POOL, OTHER_POOL]) as verifier:
        for pool in (None, "eu-west-1_Third"):
            with pytest.raises(ConfigurationError):
                verifier.load_jwks(_document(KID), user_pool_id=pool)
        verifier.load_jwks(_document("mine"), user_pool_id=OTHER_POOL)
        assert verifier.verify(mint(access_claims(iss=OTHER_ISSUER), "mine"))
        with pytest.raises(UnknownKey):
            verifier.verify(mint(name="mine"))
        assert [request.target.split("/")[1] for request in keys.server.requests] == [POOL]


def test_a_repr_shows_the_pools(keys: Keys) -> None:
    assert repr(keys.verifier([POOL, OTHER_POOL])) == f"TokenVerifier(['{POOL}', '{OTHER_POOL}'])"


def test_both_verifiers_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, inspect.Signature]:
        names = [name for name in dir(kind) if not name.startswith("_")]
        return {name: inspect.signature(getattr(kind, name)) for name in names}

    assert methods(TokenVerifier) == methods(AsyncTokenVerifier)
    assert inspect.signature(TokenVerifier) == inspect.signature(AsyncTokenVerifier)


@pytest.mark.parametrize("token", [b"bytes", 7, ["a"]])
def test_an_access_token_that_is_not_a_string_is_refused(keys: Keys, token: Any) -> None:
    with keys.verifier(token_use="id") as verifier, pytest.raises(ConfigurationError, match="access_token"):
        verifier.verify(mint(id_claims()), access_token=token)


@on_an_event_loop
async def test_an_id_token_is_compared_with_the_access_token_on_an_event_loop_too(keys: Keys) -> None:
    access_token = mint(access_claims())
    token = mint(id_claims(at_hash=access_token_hash(access_token)))
    async with keys.async_verifier(token_use="id") as verifier:
        assert (await verifier.verify(token, access_token=access_token))["at_hash"]
        with pytest.raises(AccessTokenHashMismatch):
            await verifier.verify(token, access_token=mint(access_claims(jti="another")))
