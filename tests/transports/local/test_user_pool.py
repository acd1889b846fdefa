"""UserPool: users and tokens in one call, for the tests of an app."""

from __future__ import annotations

import asyncio
import math
import re
from typing import Any, Literal

import jwt
import pytest

from srpcore import AsyncTokenVerifier, Cognito, TokenVerifier
from srpcore.exceptions import (
    AudienceMismatch,
    ConfigurationError,
    InvalidPasswordException,
    IssuerMismatch,
    TokenExpired,
    TokenUseMismatch,
    UsernameExistsException,
)
from srpcore_transports.local import LocalUserPool, UserPool

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save


@pytest.fixture
def pool() -> UserPool:
    return UserPool(region="eu-west-1")


def verify(pool: UserPool, token: str, **changes: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"client_id": pool.client_id, "token_use": "access", **changes}
    return dict(TokenVerifier(pool.user_pool_id, transport=pool, **options).verify(token))


def test_a_verifier_accepts_a_minted_access_token(pool: UserPool) -> None:
    claims = verify(pool, pool.token())
    assert claims["username"] == "test-user"
    assert claims["scope"] == "aws.cognito.signin.user.admin"
    assert "cognito:groups" not in claims


def test_an_async_verifier_accepts_a_minted_token(pool: UserPool) -> None:
    async def verify() -> None:
        options: dict[str, Any] = {"client_id": pool.client_id, "token_use": "access", "transport": pool}
        async with AsyncTokenVerifier(pool.user_pool_id, **options) as verifier:
            assert (await verifier.verify(pool.token("alice")))["username"] == "alice"

    asyncio.run(verify())


def test_a_minted_token_has_the_claims_of_a_real_login(pool: UserPool) -> None:
    sub = pool.add_user("alice", groups=["staff"], email="alice@example.com", email_verified="true")
    user = Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)
    user.authenticate("Correct-Horse-1")
    tokens: dict[Literal["access", "id"], str] = {"access": user.tokens.access_token, "id": user.tokens.id_token}
    for use, token in tokens.items():
        real, minted = verify(pool, token, token_use=use), verify(pool, pool.token("alice", use=use), token_use=use)
        assert minted.keys() == real.keys()
        different = {"origin_jti", "event_id", "auth_time", "exp", "iat", "jti"}
        assert [name for name in real if minted[name] != real[name] and name not in different] == []
        assert minted["sub"] == sub
        assert minted["exp"] - minted["iat"] == real["exp"] - real["iat"] == 3600


def test_operations_accept_a_minted_token_of_a_user(pool: UserPool) -> None:
    pool.add_user("alice", email="alice@example.com")
    user = Cognito(pool.user_pool_id, pool.client_id, access_token=pool.token("alice"), transport=pool)
    assert user.get_user().email == "alice@example.com"


def test_a_user_logs_in_with_the_given_password_and_sees_the_groups(pool: UserPool) -> None:
    pool.add_user("alice", password="Battery-Staple-2", groups="staff", email="alice@example.com")
    pool.add_user("bob", groups=["staff", "admin"])
    user = Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)
    user.authenticate("Battery-Staple-2")
    assert verify(pool, user.tokens.access_token)["cognito:groups"] == ["staff"]
    assert sorted(verify(pool, pool.token("bob"))["cognito:groups"]) == ["admin", "staff"]
    assert pool.outbox.messages == []


def test_scopes_groups_and_claims_replace_those_of_the_user(pool: UserPool) -> None:
    pool.add_user("alice", groups="staff")
    more = {"custom:tenant": "acme"}
    token = pool.token("alice", more, scopes=["orders/read", "orders/write"], groups=["admin"])
    claims = verify(pool, token, scope="orders/write", groups="admin")
    assert claims["scope"] == "orders/read orders/write"
    assert claims["cognito:groups"] == ["admin"]
    assert claims["custom:tenant"] == "acme"
    claims = verify(pool, pool.token("alice", {"username": None}, scopes="orders/read", groups=[], sub="0"))
    assert claims["scope"] == "orders/read"
    assert claims["sub"] == "0"
    assert {"username", "cognito:groups"} & claims.keys() == set()


def test_an_unknown_user_has_the_same_sub_in_every_token(pool: UserPool) -> None:
    first, again, other = (verify(pool, pool.token(name))["sub"] for name in ("alice", "alice", "bob"))
    assert first == again != other


def test_a_token_that_has_expired_is_refused_for_this_reason_only(pool: UserPool) -> None:
    for seconds in (0, -1, -86400):
        token = pool.token(expires_in=seconds)
        with pytest.raises(TokenExpired):
            verify(pool, token)
        claims = verify(pool, token, leeway=90000)
        assert claims["iat"] == claims["auth_time"] == claims["exp"] - 3600
    claims = verify(pool, pool.token(expires_in=60))
    assert claims["exp"] - claims["iat"] == 60


def test_a_token_is_valid_for_less_than_a_second() -> None:
    def clock() -> float:
        return 1_800_000_000.25

    with UserPool(clock=clock) as pool:
        assert verify(pool, pool.token(expires_in=0.5), clock=clock)


def test_a_token_of_another_client_or_use_is_refused(pool: UserPool) -> None:
    with pytest.raises(AudienceMismatch):
        verify(pool, pool.token(client_id="other"))
    with pytest.raises(AudienceMismatch):
        verify(pool, pool.token(use="id", client_id="other"), token_use="id")
    with pytest.raises(TokenUseMismatch):
        verify(pool, pool.token(use="id"))
    with pytest.raises(TokenUseMismatch):
        verify(pool, pool.token(), token_use="id")


def test_a_token_of_another_pool_is_refused_although_the_key_is_shared(pool: UserPool) -> None:
    other = UserPool(region="eu-west-1")
    assert other.jwks() == pool.jwks()
    with pytest.raises(IssuerMismatch):
        verify(pool, other.token())


def test_key_set_and_ids_fit_a_verifier_with_fixed_ids() -> None:
    verifier = TokenVerifier("eu-west-1_AbCd12345", client_id="4dn6jbcbhqcofxyczo3ms9z4cc", token_use="access")
    pool = UserPool(user_pool_id="eu-west-1_AbCd12345", client_id="4dn6jbcbhqcofxyczo3ms9z4cc", region="us-east-1")
    verifier.load_jwks(pool.jwks())
    assert verifier.verify(pool.token("alice"))["username"] == "alice"
    assert (pool.region, pool.user_pool_id, pool.client_id) == (
        "eu-west-1",
        "eu-west-1_AbCd12345",
        "4dn6jbcbhqcofxyczo3ms9z4cc",
    )


@pytest.mark.parametrize(
    ("name", "value"), [("user_pool_id", "nonsense"), ("client_id", ""), ("client_id", "a b"), ("client_id", "x" * 129)]
)
def test_invalid_ids_are_refused(name: str, value: str) -> None:
    arguments: dict[str, Any] = {name: value}
    with pytest.raises(ConfigurationError, match=name):
        LocalUserPool(**arguments)


def test_invalid_arguments_are_refused(pool: UserPool) -> None:
    use: Any = "refresh"
    with pytest.raises(ConfigurationError, match="use must be 'access' or 'id', not 'refresh'"):
        pool.token(use=use)
    with pytest.raises(ConfigurationError, match="an ID token has no scopes"):
        pool.token(use="id", scopes=[])


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("group", "groups"),
        ("gruops", "groups"),
        ("scope_", "scopes"),
        ("scpoes", "scopes"),
        ("clientid", "client_id"),
        ("client_ids", "client_id"),
        ("expire_in", "expires_in"),
        ("expires", "expires_in"),
        ("user", "username or use"),
        ("more_claim", "more_claims"),
    ],
)
def test_a_misspelt_argument_does_not_become_a_claim(pool: UserPool, name: str, meant: str) -> None:
    given: dict[str, Any] = {name: ["x"]}
    message = f"unknown argument '{name}': use {meant}, or give a claim of this name in more_claims"
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        pool.token("alice", **given)
    assert verify(pool, pool.token("alice", given))[name] == ["x"]


def test_token_use_is_not_taken_for_a_claim(pool: UserPool) -> None:
    """The argument has this name at a verifier, and the claim by itself would not make an ID token."""
    given: dict[str, Any] = {"token_use": "id"}
    with pytest.raises(ConfigurationError, match="unknown argument 'token_use': pass use="):
        pool.token("alice", **given)
    assert verify(pool, pool.token("alice", given, aud=pool.client_id), token_use="id")["token_use"] == "id"


def test_a_misspelt_argument_does_not_become_an_attribute(pool: UserPool) -> None:
    misspelt: list[dict[str, Any]] = [{"group": ["staff"]}, {"passwrod": "Battery-Staple-2"}]
    for given in misspelt:
        with pytest.raises(ConfigurationError, match="unknown argument"):
            pool.add_user("alice", **given)
    pool.add_user("alice", gender="x", profile="x", picture="x")


@pytest.mark.parametrize("name", ["scope", "sub", "iss", "exp", "iat", "aud", "nonce", "auth_time", "origin_jti"])
def test_names_of_claims_are_not_taken_for_arguments(pool: UserPool, name: str) -> None:
    claims: dict[str, Any] = {name: "1"}
    assert jwt.decode(pool.token(**claims), options={"verify_signature": False})[name] == "1"


def test_a_user_that_the_pool_refuses_is_an_error(pool: UserPool) -> None:
    pool.add_user("alice")
    with pytest.raises(UsernameExistsException):
        pool.add_user("alice")
    with pytest.raises(InvalidPasswordException):
        pool.add_user("bob", password="short")


def test_users_of_a_pool_with_email_addresses_as_names_are_found_by_them() -> None:
    pool = UserPool(pool_settings={"UsernameAttributes": ["email"]})
    sub = pool.add_user("alice@example.com", groups="staff")
    claims = verify(pool, pool.token("alice@example.com"))
    assert (claims["sub"], claims["username"], claims["cognito:groups"]) == (sub, sub, ["staff"])


@pytest.mark.parametrize(
    "password", ["Short-1", "correct-horse-1", "CORRECT-HORSE-1", "Correct-Horse", "CorrectHorse1"]
)
def test_the_default_policy_of_passwords_is_that_of_the_documentation(pool: UserPool, password: str) -> None:
    # docs/testing-your-app.md: at least 8 characters, with upper-case and lower-case letters, a digit and a symbol
    with pytest.raises(InvalidPasswordException):
        pool.add_user("alice", password=password)
    pool.add_user("bob", password="Short-12")


def test_the_policy_of_passwords_can_be_changed_as_documented() -> None:
    policy = {"MinimumLength": 12, "RequireSymbols": False}
    pool = UserPool(pool_settings={"Policies": {"PasswordPolicy": policy}})
    pool.add_user("alice", password="CorrectHorse1")
    with pytest.raises(InvalidPasswordException, match="not long enough"):
        pool.add_user("bob", password="Short-12")


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -1.0, 1e18, 1_800_000_000_000.0, None])
def test_a_clock_that_does_not_return_seconds_is_named_in_the_error(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"clock returned {re.escape(repr(wrong))}, which is not a time"):
        UserPool(clock=lambda: wrong)
    times = [1_800_000_000.0]
    pool = UserPool(clock=lambda: times[0])
    times[0] = wrong
    with pytest.raises(ConfigurationError, match="seconds since 1970"):
        pool.token()


def test_a_user_whose_password_is_refused_is_not_created(pool: UserPool) -> None:
    with pytest.raises(InvalidPasswordException):
        pool.add_user("dora", password="short")
    assert pool.add_user("dora")
