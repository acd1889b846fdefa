"""Keys and verification over the facade: which tokens are accepted, and how often the key set is fetched."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable

import pytest

import srpcore
from srpcore import exceptions
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support import minting
from support.users import PASSWORD
from support.world import World


@pytest.fixture
def user(world: World) -> srpcore.Cognito:
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    return user


def test_restored_tokens_are_verified(world: World, user: srpcore.Cognito) -> None:
    restored = world.user(id_token=user.id_token, access_token=user.access_token)
    assert restored.access_claims is None
    restored.verify_tokens()
    assert restored.access_claims == user.access_claims
    assert restored.id_claims == user.id_claims


def test_missing_tokens_are_refused(world: World) -> None:
    with pytest.raises(exceptions.TokenVerificationException, match="log in first"):
        world.user().verify_tokens()


def test_key_set_is_fetched_once(world: World, user: srpcore.Cognito) -> None:
    user.verify_tokens()
    user.renew_access_token()
    assert world.wire.fetched == [f"{user.user_pool_url}/.well-known/jwks.json"]


def test_access_token_of_another_app_client_is_refused(world: World, user: srpcore.Cognito) -> None:
    made = world.pool.call(
        Operation("CreateUserPoolClient", {"UserPoolId": world.pool.user_pool_id, "ClientName": "other"})
    )
    other = srpcore.Cognito(
        world.pool.user_pool_id,
        made.document["UserPoolClient"]["ClientId"],
        username="alice",
        transport=world.wire,
        endpoint_url=world.url,
        clock=world.clock,
    )
    for token, name, use in ((user.access_token, "access_token", "access"), (user.id_token, "id_token", "id")):
        assert token is not None
        with pytest.raises(exceptions.AudienceMismatch) as caught:
            other.verify_token(token, name, use)
        assert token not in str(caught.value)
    assert other.access_token is None
    assert other.access_claims is None


def test_token_of_another_use_is_refused(user: srpcore.Cognito) -> None:
    assert user.id_token is not None
    with pytest.raises(exceptions.TokenUseMismatch):
        user.verify_token(user.id_token, "access_token", "access")


def test_expired_token_is_refused(world: World, user: srpcore.Cognito) -> None:
    world.clock.ahead += 3601
    with pytest.raises(exceptions.TokenExpired):
        user.verify_tokens()


def test_tampered_token_is_refused(user: srpcore.Cognito) -> None:
    assert user.access_token is not None
    head, payload, signature = user.access_token.split(".")
    with pytest.raises(exceptions.TokenVerificationException):
        user.verify_token(f"{head}.{payload[:-2]}AA.{signature}", "access_token", "access")


def test_token_of_another_pool_is_refused(make_world: Callable[..., World], user: srpcore.Cognito) -> None:
    other = make_world()
    other.create()
    stranger = other.user()
    stranger.authenticate(PASSWORD)
    assert stranger.access_token is not None
    with pytest.raises(exceptions.UnknownKey):
        user.verify_token(stranger.access_token, "access_token", "access")


def test_unknown_key_ids_fetch_the_key_set_once_a_minute(world: World, user: srpcore.Cognito) -> None:
    for _ in range(3):
        with pytest.raises(exceptions.UnknownKey):
            user.get_key("another")
    assert len(world.wire.fetched) == 1
    world.clock.ahead += 61
    for _ in range(3):
        with pytest.raises(exceptions.UnknownKey):
            user.get_key("another")
    assert len(world.wire.fetched) == 2


@pytest.mark.parametrize("form", [json.dumps, repr], ids=["json", "python"])
def test_keys_are_read_from_the_environment(
    world: World, user: srpcore.Cognito, monkeypatch: pytest.MonkeyPatch, form: Callable[[object], str]
) -> None:
    monkeypatch.setenv("COGNITO_JWKS", form(dict(user.get_keys())))
    restored = world.user(id_token=user.id_token, access_token=user.access_token)
    world.wire.clear()
    restored.verify_tokens()
    with pytest.raises(exceptions.UnknownKey):
        restored.get_key("another")
    assert world.wire.fetched == []


@pytest.mark.parametrize("text", ["{", "[]", "print(1)", "7", "{'keys': open('x')}", "{[]: 0}"])
def test_unusable_keys_of_the_environment_are_errors(world: World, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("COGNITO_JWKS", text)
    with pytest.raises(exceptions.ConfigurationError, match="COGNITO_JWKS"):
        world.user().get_keys()


def test_an_invalid_key_set_is_refused_and_not_kept(world: World) -> None:
    world.wire.fetch = lambda url: b'{"keys": []}'  # type: ignore[method-assign]
    user = world.user()
    with pytest.raises(exceptions.TransportError):
        user.get_keys()
    assert user.pool_jwk is None


def test_keys_can_be_set_as_an_attribute(world: World, user: srpcore.Cognito) -> None:
    restored = world.user(id_token=user.id_token, access_token=user.access_token)
    restored.pool_jwk = user.get_keys()
    world.wire.clear()
    restored.verify_tokens()
    assert world.wire.fetched == []


def test_overridden_verification_is_used(world: World) -> None:
    class Lenient(srpcore.Cognito):
        def verify_token(self, token: str, id_name: str, token_use: str) -> dict[str, str]:
            setattr(self, id_name, token)
            return {}

    world.create()
    user = Lenient(
        world.pool.user_pool_id,
        world.pool.client_id,
        username="alice",
        client_secret=world.pool.client_secret,
        transport=world.wire,
        endpoint_url=world.url,
    )
    user.authenticate(PASSWORD)
    assert user.access_token
    assert user.access_claims is None
    assert world.wire.fetched == []


def test_at_hash_of_an_id_token_must_match_the_access_token(user: srpcore.Cognito) -> None:
    pool = srpcore.Cognito("eu-west-1_AbCd12345", minting.CLIENT, transport=LocalUserPool())
    pool.pool_jwk = {"keys": [minting.jwk()]}
    access_token = minting.mint(minting.access_claims())
    # OpenID Connect Core, section 3.1.3.6: the left half of the hash, base64url.
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    id_token = minting.mint(minting.id_claims(at_hash=base64.urlsafe_b64encode(half).rstrip(b"=").decode()))
    pool.verify_token(id_token, "id_token", "id")
    pool.verify_token(access_token, "access_token", "access")
    pool.verify_token(id_token, "id_token", "id")
    pool.verify_token(minting.mint(minting.access_claims(jti="another")), "access_token", "access")
    with pytest.raises(exceptions.AccessTokenHashMismatch):
        pool.verify_token(id_token, "id_token", "id")


def test_tokens_of_an_emulator_may_name_the_issuer_of_aws() -> None:
    with LocalUserPool(issuer="https://cognito-idp.us-east-1.amazonaws.com") as pool, pool.serve() as server:
        user = srpcore.Cognito(pool.user_pool_id, pool.client_id, endpoint_url=server.url)
        with user:
            user.register("alice", PASSWORD)
            user.client = pool
            user.admin_confirm_sign_up()
            user.authenticate(PASSWORD)
        assert user.access_claims is not None
        assert user.access_claims["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.user_pool_id}"


def test_another_issuer_is_refused() -> None:
    with LocalUserPool(issuer="https://example.com") as pool, pool.serve() as server:
        user = srpcore.Cognito(pool.user_pool_id, pool.client_id, endpoint_url=server.url, transport=pool)
        user.register("alice", PASSWORD)
        user.admin_confirm_sign_up()
        with pytest.raises(exceptions.IssuerMismatch):
            user.authenticate(PASSWORD)
        assert user.access_token is None
