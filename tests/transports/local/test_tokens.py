"""Tokens: minted, verified, refreshed, rotated, revoked. PyJWT reads them with the published keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from srpcore.exceptions import TransportError
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.storage.retention import KEPT_AFTER_EXPIRY
from support.users import PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.slow

Make = Callable[..., Client]


def keys_of(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        client.pool.fetch(f"https://any.example/{client.pool_id}/.well-known/jwks.json")
    )
    return document


def read(client: Client, token: str, audience: str | None = None) -> dict[str, Any]:
    key = jwt.PyJWKSet.from_dict(keys_of(client))[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=audience,
        issuer=f"https://cognito-idp.us-east-1.amazonaws.com/{client.pool_id}",
    )
    return claims


def forge(client: Client, token: str, key: Any, algorithm: str, **changes: Any) -> str:
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": jwt.get_unverified_header(token)["kid"]})


def get_user(client: Client, token: str) -> dict[str, Any]:
    return client.call("GetUser", AccessToken=token)


def get_tokens(client: Client, token: str, **parameters: Any) -> dict[str, Any]:
    reply = client.call("GetTokensFromRefreshToken", ClientId=client.client_id, RefreshToken=token, **parameters)
    result: dict[str, Any] = reply["AuthenticationResult"]
    return result


class TestClaims:
    def test_claims_of_an_access_token(self, client: Client) -> None:
        client.user()
        claims = read(client, client.tokens()["AccessToken"])
        assert claims["username"] == "alice"
        assert claims["client_id"] == client.client_id
        assert claims["token_use"] == "access"
        assert claims["scope"] == "aws.cognito.signin.user.admin"
        assert claims["exp"] - claims["iat"] == 3600
        assert claims["iat"] == claims["auth_time"] == int(client.clock.now)
        assert {"sub", "jti", "origin_jti", "event_id"} <= set(claims)
        assert "aud" not in claims

    def test_claims_of_an_id_token(self, client: Client) -> None:
        client.user(email="alice@example.com", email_verified="true", name="Alice")
        claims = read(client, client.tokens()["IdToken"], client.client_id)
        assert claims["cognito:username"] == "alice"
        assert claims["token_use"] == "id"
        assert claims["email"] == "alice@example.com"
        assert claims["email_verified"] is True
        assert claims["name"] == "Alice"
        assert "client_id" not in claims

    def test_claims_that_both_tokens_share(self, client: Client) -> None:
        client.user()
        tokens = client.tokens()
        access, identity = read(client, tokens["AccessToken"]), read(client, tokens["IdToken"], client.client_id)
        for name in ("sub", "origin_jti", "event_id"):
            assert access[name] == identity[name]
        assert access["jti"] != identity["jti"]

    def test_validities_are_set_by_the_client(self, make: Make) -> None:
        units = {"AccessToken": "minutes", "IdToken": "hours"}
        client = make(client_settings={"AccessTokenValidity": 5, "IdTokenValidity": 2, "TokenValidityUnits": units})
        client.user()
        tokens = client.tokens()
        assert tokens["ExpiresIn"] == 300  # type: ignore[comparison-overlap]  # the fixture's type says text
        claims = read(client, tokens["IdToken"], client.client_id)
        assert claims["exp"] - claims["iat"] == 7200

    def test_the_issuer_can_be_chosen(self, make: Make) -> None:
        client = make(issuer="https://id.example/")
        client.user()
        claims = jwt.decode(client.tokens()["AccessToken"], options={"verify_signature": False})
        assert claims["iss"] == f"https://id.example/{client.pool_id}"


class TestAccessTokensThatAreRefused:
    def test_a_forged_token_is_refused(self, client: Client) -> None:
        client.user()
        token = client.tokens()["AccessToken"]
        get_user(client, token)
        foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        modulus = keys_of(client)["keys"][0]["n"]
        head, payload, signature = token.split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","kid":"%s"}' % jwt.get_unverified_header(token)["kid"].encode())
        forgeries = [
            forge(client, token, foreign, "RS256"),
            forge(client, token, modulus, "HS256"),
            f"{none.rstrip(b'=').decode()}.{payload}.",
            f"{head}.{payload}.{signature[:-8]}AAAAAAAA",
            f"{head}.{payload[:-4]}AAAA.{signature}",
            f"{head}.{payload}.",
            "not-a-token",
            "a.b.c",
        ]
        for forgery in forgeries:
            with refused(
                "NotAuthorizedException", "(Invalid Access Token|Could not verify signature for Access Token)"
            ):
                get_user(client, forgery)
        with refused("NotAuthorizedException", "Could not verify signature for Access Token"):
            get_user(client, forgeries[0])

    def test_id_and_refresh_tokens_are_refused(self, client: Client) -> None:
        client.user()
        tokens = client.tokens()
        for name in ("IdToken", "RefreshToken"):
            with refused("NotAuthorizedException", "Invalid Access Token"):
                get_user(client, tokens[name])
        with refused("NotAuthorizedException", "Invalid Access Token"):
            get_user(client, tokens["IdToken"][:-8] + "AAAAAAAA")

    def test_a_token_of_another_server_is_refused(self, client: Client, make: Make) -> None:
        other = make()
        other.user()
        with refused("NotAuthorizedException", "Invalid Access Token"):
            get_user(client, other.tokens()["AccessToken"])

    def test_an_expired_token_is_refused(self, client: Client) -> None:
        client.user()
        token = client.tokens()["AccessToken"]
        client.clock.now += 3599
        get_user(client, token)
        client.clock.now += 1
        with refused("NotAuthorizedException", "Access Token has expired"):
            get_user(client, token)

    def test_a_token_is_refused_after_global_sign_out(self, client: Client) -> None:
        client.user()
        first, second = client.tokens(), client.tokens()
        client.call("GlobalSignOut", AccessToken=first["AccessToken"])
        for tokens in (first, second):
            with refused("NotAuthorizedException", "Access Token has been revoked"):
                get_user(client, tokens["AccessToken"])
            with refused("NotAuthorizedException", "Refresh Token has been revoked"):
                client.refresh(tokens["RefreshToken"])
        get_user(client, client.tokens()["AccessToken"])

    def test_a_token_is_refused_after_sign_out_by_an_administrator(self, client: Client) -> None:
        client.user()
        client.user("bob")
        alice, bob = client.tokens(), client.tokens("bob")
        client.admin("AdminUserGlobalSignOut", Username="alice")
        with refused("NotAuthorizedException", "Access Token has been revoked"):
            get_user(client, alice["AccessToken"])
        get_user(client, bob["AccessToken"])

    def test_a_token_of_a_disabled_or_deleted_user_is_refused(self, client: Client) -> None:
        client.user()
        tokens = client.tokens()
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "User is disabled."):
            get_user(client, tokens["AccessToken"])
        with refused("NotAuthorizedException", "User is disabled."):
            client.refresh(tokens["RefreshToken"])
        client.admin("AdminEnableUser", Username="alice")
        with refused("NotAuthorizedException", "Access Token has been revoked"):
            get_user(client, tokens["AccessToken"])
        tokens = client.tokens()
        client.admin("AdminDeleteUser", Username="alice")
        client.user()
        with refused("UserNotFoundException", "User does not exist."):
            get_user(client, tokens["AccessToken"])
        with refused("NotAuthorizedException", "Refresh Token has been revoked"):
            client.refresh(tokens["RefreshToken"])


class TestRefresh:
    def test_both_operations_give_new_tokens_and_keep_the_refresh_token(self, client: Client) -> None:
        client.user()
        tokens = client.tokens()
        client.clock.now += 60
        for result in (
            client.refresh(tokens["RefreshToken"])["AuthenticationResult"],
            get_tokens(client, tokens["RefreshToken"]),
        ):
            assert "RefreshToken" not in result
            claims = jwt.decode(result["AccessToken"], options={"verify_signature": False})
            assert claims["auth_time"] == int(client.clock.now) - 60
            assert claims["iat"] == int(client.clock.now)
            get_user(client, result["AccessToken"])

    def test_made_up_tokens_are_refused(self, client: Client) -> None:
        client.user()
        for token in ("made-up", client.tokens()["AccessToken"]):
            with refused("NotAuthorizedException", "Invalid Refresh Token"):
                client.refresh(token)
            with refused("NotAuthorizedException", "Invalid Refresh Token"):
                get_tokens(client, token)

    def test_a_token_expires(self, client: Client) -> None:
        client.user()
        token = client.tokens()["RefreshToken"]
        client.clock.now += 30 * 86400
        with refused("NotAuthorizedException", "Refresh Token has expired"):
            client.refresh(token)
        with refused("NotAuthorizedException", "Refresh Token has expired"):
            get_tokens(client, token)

    def test_a_token_that_expired_long_ago_is_forgotten(self, client: Client) -> None:
        client.user()
        token = client.tokens()["RefreshToken"]
        client.clock.now += 30 * 86400 + KEPT_AFTER_EXPIRY
        client.tokens()  # a login deletes what is forgotten
        with refused("NotAuthorizedException", "Refresh Token has expired"):
            client.refresh(token)
        client.clock.now += 60
        client.tokens()
        with refused("NotAuthorizedException", "Invalid Refresh Token"):
            client.refresh(token)

    def test_a_token_of_another_client_is_refused(self, client: Client) -> None:
        client.user()
        token = client.tokens()["RefreshToken"]
        other = client.use(client.admin("CreateUserPoolClient", ClientName="o")["UserPoolClient"]["ClientId"])
        with refused("NotAuthorizedException", "Refresh Token has different Client"):
            other.refresh(token)
        with refused("NotAuthorizedException", "Refresh Token has different Client"):
            get_tokens(other, token)
        with refused("UnauthorizedException"):
            other.call("RevokeToken", ClientId=other.client_id, Token=token)
        client.refresh(token)

    def test_a_secret_hash_is_required(self, make: Make) -> None:
        client = make(client_secret=True)
        client.user()
        token = client.tokens()["RefreshToken"]
        for given in ({}, {"ClientSecret": "wrong" * 6}):
            with refused("NotAuthorizedException"):
                get_tokens(client, token, **given)
            with refused("UnauthorizedException"):
                client.call("RevokeToken", ClientId=client.client_id, Token=token, **given)
        for given in ({"SECRET_HASH": ""}, {"SECRET_HASH": "AAAA"}):
            with refused("NotAuthorizedException"):
                client.refresh(token, **given)
        assert get_tokens(client, token, ClientSecret=client.secret)
        assert client.refresh(token)

    def test_revoking_a_refresh_token_revokes_its_access_tokens(self, client: Client) -> None:
        client.user()
        tokens, other = client.tokens(), client.tokens()
        refreshed = get_tokens(client, tokens["RefreshToken"])
        client.call("RevokeToken", ClientId=client.client_id, Token=tokens["RefreshToken"])
        for token in (tokens["AccessToken"], refreshed["AccessToken"]):
            with refused("NotAuthorizedException", "Access Token has been revoked"):
                get_user(client, token)
        with refused("NotAuthorizedException", "Refresh Token has been revoked"):
            get_tokens(client, tokens["RefreshToken"])
        get_user(client, other["AccessToken"])
        client.refresh(other["RefreshToken"])

    def test_an_unknown_token_counts_as_revoked(self, client: Client) -> None:
        client.call("RevokeToken", ClientId=client.client_id, Token="made-up")

    def test_an_access_token_cannot_be_revoked(self, client: Client) -> None:
        client.user()
        token = client.tokens()["AccessToken"]
        with refused("UnsupportedTokenTypeException"):
            client.call("RevokeToken", ClientId=client.client_id, Token=token)
        get_user(client, token)


class TestRotation:
    @pytest.fixture
    def client(self, make: Make) -> Client:
        rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}
        client = make(client_settings={"RefreshTokenRotation": rotation})
        client.user()
        return client

    def test_a_new_refresh_token_replaces_the_old_one_after_the_grace_period(self, client: Client) -> None:
        first = client.tokens()["RefreshToken"]
        second = get_tokens(client, first)["RefreshToken"]
        assert second != first
        client.clock.now += 9
        assert get_tokens(client, first)["RefreshToken"] not in (first, second)
        client.clock.now += 1
        with refused("RefreshTokenReuseException"):
            get_tokens(client, first)
        assert get_tokens(client, second)["RefreshToken"]

    @pytest.mark.parametrize("seconds", [10, 3600])
    def test_a_clock_that_is_moved_back_does_not_make_the_old_refresh_token_valid_again(
        self, client: Client, seconds: int
    ) -> None:
        first = client.tokens()["RefreshToken"]
        client.clock.now += 3600
        second = get_tokens(client, first)["RefreshToken"]
        client.clock.now -= seconds
        with refused("RefreshTokenReuseException"):
            get_tokens(client, first)
        assert get_tokens(client, second)["RefreshToken"]

    def test_the_new_refresh_token_expires_with_the_first(self, client: Client) -> None:
        first = client.tokens()["RefreshToken"]
        client.clock.now += 29 * 86400
        second = get_tokens(client, first)["RefreshToken"]
        client.clock.now += 86400
        with refused("NotAuthorizedException", "Refresh Token has expired"):
            get_tokens(client, second)

    def test_the_older_flow_is_refused_with_rotation(self, client: Client) -> None:
        with refused("InvalidParameterException", "not enabled"):
            client.refresh(client.tokens()["RefreshToken"])

    def test_there_is_no_grace_period_by_default(self, make: Make) -> None:
        client = make(client_settings={"RefreshTokenRotation": {"Feature": "ENABLED"}})
        client.user()
        first = client.tokens()["RefreshToken"]
        get_tokens(client, first)
        with refused("RefreshTokenReuseException"):
            get_tokens(client, first)


def test_there_are_key_sets_for_the_pools_of_the_server_only(client: Client) -> None:
    configuration = json.loads(
        client.pool.fetch(f"https://x.example/{client.pool_id}/.well-known/openid-configuration")
    )
    assert configuration["jwks_uri"] == f"{configuration['issuer']}/.well-known/jwks.json"
    for path in ("us-east-1_Nope00000/.well-known/jwks.json", f"{client.pool_id}/.well-known/x", client.pool_id, ""):
        with pytest.raises(TransportError):
            client.pool.fetch(f"https://x.example/{path}")


def test_pools_do_not_share_keys() -> None:
    with LocalUserPool() as pool:
        from srpcore.protocol import Operation

        other = pool.call(Operation("CreateUserPool", {"PoolName": "other"})).document["UserPool"]["Id"]
        first, second = (json.loads(pool.fetch(f"/{i}/.well-known/jwks.json")) for i in (pool.user_pool_id, other))
        assert first["keys"][0]["n"] != second["keys"][0]["n"]
        assert first["keys"][0]["kid"] != second["keys"][0]["kid"]


def test_the_password_of_a_token_holder_can_change_without_ending_the_session(client: Client) -> None:
    client.user()
    token = client.tokens()["AccessToken"]
    client.call("ChangePassword", AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="Another-Pass-3")
    get_user(client, token)
