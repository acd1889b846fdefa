"""Tokens: their claims and their key, refreshing, rotating and revoking them."""

from __future__ import annotations

import base64
import json

from ..probes import api, guide, members, probe, refused
from ..stage import Pool, Stage, claims
from ..targets import HttpTarget
from .user_pools import NUMBER
from .users import UUID

ACCESS = guide("amazon-cognito-user-pools-using-the-access-token")
IDENTITY = guide("amazon-cognito-user-pools-using-the-id-token")
ROTATION = guide("amazon-cognito-user-pools-using-the-refresh-token")
REVOCATION = guide("token-revocation")
KEYS = guide("amazon-cognito-user-pools-using-tokens-verifying-a-jwt")


@probe(ACCESS)
def claims_of_an_access_token(s: Stage) -> None:
    user = s.pool.user()
    found = claims(s.pool.client.tokens(user)["AccessToken"])
    members(
        found,
        sub=UUID,
        token_use="access",
        client_id=s.pool.client.id,
        username=user,
        scope="aws.cognito.signin.user.admin",
        origin_jti=UUID,
        jti=UUID,
        event_id=UUID,
        auth_time=NUMBER,
        iat=NUMBER,
        exp=NUMBER,
    )
    assert found["iss"].endswith(f"/{s.pool.id}")
    assert found["exp"] - found["iat"] == 3600
    assert "aud" not in found


@probe(IDENTITY)
def claims_of_an_id_token(s: Stage) -> None:
    email = s.email()
    user = s.pool.user(email=email, email_verified="true", name="Alice")
    result = s.pool.client.tokens(user)
    found = claims(result["IdToken"])
    members(
        found,
        sub=claims(result["AccessToken"])["sub"],
        token_use="id",
        aud=s.pool.client.id,
        email=email,
        email_verified=True,
        name="Alice",
        origin_jti=claims(result["AccessToken"])["origin_jti"],
    )
    assert found["cognito:username"] == user
    assert found["iss"] == claims(result["AccessToken"])["iss"]
    assert "client_id" not in found
    assert "at_hash" not in found


@probe(IDENTITY)
def custom_attributes_are_claims(s: Stage) -> None:
    pool = s.new_pool(Schema=[{"Name": "tenant", "AttributeDataType": "String", "Mutable": True}])
    token = pool.client.tokens(pool.user(**{"custom:tenant": "acme"}))["IdToken"]
    assert claims(token)["custom:tenant"] == "acme"


@probe(KEYS)
def key_of_a_token_is_published(s: Stage) -> None:
    result = s.pool.client.tokens(s.pool.user())
    keys = {key["kid"]: key for key in json.loads(s.target.fetch(f"/{s.pool.id}/.well-known/jwks.json"))["keys"]}
    for token in (result["AccessToken"], result["IdToken"]):
        segment = token.split(".")[0]
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
        assert header.keys() == {"kid", "alg"}
        assert header["alg"] == "RS256"
        members(keys[header["kid"]], alg="RS256", kty="RSA", use="sig", e="AQAB", n=str)


@probe(KEYS)
def issuer_is_the_one_that_is_published(s: Stage) -> None:
    issuer = claims(s.pool.client.tokens(s.pool.user())["AccessToken"])["iss"]
    known = [f"https://{host}.{s.target.region}.amazonaws.com" for host in ("cognito-idp", "issuer-cognito-idp")]
    if isinstance(s.target, HttpTarget):
        known.append(s.target.url)
    assert issuer in [f"{base}/{s.pool.id}" for base in known]
    published = json.loads(s.target.fetch(f"/{s.pool.id}/.well-known/openid-configuration"))
    assert published["issuer"] == issuer
    assert published["jwks_uri"] == f"{issuer}/.well-known/jwks.json"


@probe(api("InitiateAuth"))
def refresh_by_the_flow(s: Stage) -> None:
    result = s.pool.client.tokens(s.pool.user())
    refreshed = s.pool.client.refresh(result["RefreshToken"])
    assert "RefreshToken" not in refreshed
    before, after = claims(result["AccessToken"]), claims(refreshed["AccessToken"])
    for name in ("origin_jti", "auth_time", "sub", "username"):
        assert before[name] == after[name]
    assert before["jti"] != after["jti"]


@probe(api("GetTokensFromRefreshToken"))
def refresh_without_rotation(s: Stage) -> None:
    result = s.pool.client.tokens(s.pool.user())
    refreshed = s.pool.client.call("GetTokensFromRefreshToken", RefreshToken=result["RefreshToken"])
    members(refreshed["AuthenticationResult"], AccessToken=str, IdToken=str, ExpiresIn=3600, TokenType="Bearer")
    assert "RefreshToken" not in refreshed["AuthenticationResult"]


@probe(api("GetTokensFromRefreshToken"))
def refresh_with_the_client_secret(s: Stage) -> None:
    client, user = s.pool.new_client(GenerateSecret=True), s.pool.user()
    assert client.secret is not None
    token = client.tokens(user)["RefreshToken"]
    given = {"RefreshToken": token, "ClientSecret": client.secret}
    assert "AuthenticationResult" in client.call("GetTokensFromRefreshToken", **given)
    with refused("NotAuthorizedException|InvalidParameterException"):
        client.call("GetTokensFromRefreshToken", RefreshToken=token)
    with refused("NotAuthorizedException"):
        client.call("GetTokensFromRefreshToken", RefreshToken=token, ClientSecret="x" * 51)


def _rotating(s: Stage, grace: int) -> Pool:
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": grace}
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH"]
    return s.new_pool({"RefreshTokenRotation": rotation, "ExplicitAuthFlows": flows})


@probe(ROTATION)
def rotation_replaces_the_refresh_token(s: Stage) -> None:
    pool = _rotating(s, 0)
    first = pool.client.tokens(pool.user())["RefreshToken"]
    refreshed = pool.client.call("GetTokensFromRefreshToken", RefreshToken=first)["AuthenticationResult"]
    assert refreshed["RefreshToken"] != first
    assert "AuthenticationResult" in pool.client.call(
        "GetTokensFromRefreshToken", RefreshToken=refreshed["RefreshToken"]
    )


@probe(ROTATION)
def rotated_token_is_refused(s: Stage) -> None:
    pool = _rotating(s, 0)
    first = pool.client.tokens(pool.user())["RefreshToken"]
    pool.client.call("GetTokensFromRefreshToken", RefreshToken=first)
    with refused("RefreshTokenReuseException"):
        pool.client.call("GetTokensFromRefreshToken", RefreshToken=first)


@probe(ROTATION)
def rotated_token_has_a_period_of_grace(s: Stage) -> None:
    pool = _rotating(s, 60)
    first = pool.client.tokens(pool.user())["RefreshToken"]
    for _ in range(2):
        assert "AuthenticationResult" in pool.client.call("GetTokensFromRefreshToken", RefreshToken=first)


@probe(ROTATION)
def rotation_excludes_the_flow(s: Stage) -> None:
    pool = _rotating(s, 0)
    token = pool.client.tokens(pool.user())["RefreshToken"]
    with refused("InvalidParameterException|NotAuthorizedException"):
        pool.client.refresh(token)


@probe("https://github.com/NabuCasa/pycognito/blob/master/pycognito/__init__.py")
def hash_of_a_refresh_is_of_the_canonical_name(s: Stage) -> None:
    pool, email = s.new_pool({"GenerateSecret": True}, UsernameAttributes=["email"]), s.email()
    user = pool.user(email)
    token = pool.client.tokens(email)["RefreshToken"]
    assert "AccessToken" in pool.client.refresh(token, **pool.client.hash(user))


@probe(REVOCATION)
def refresh_token_that_nobody_issued(s: Stage) -> None:
    with refused("NotAuthorizedException", "^Invalid Refresh Token"):
        s.pool.client.refresh("AAAA.BBBB")


@probe(REVOCATION)
def revoked_tokens(s: Stage) -> None:
    result = s.pool.client.tokens(s.pool.user())
    s.pool.client.call("RevokeToken", Token=result["RefreshToken"])
    with refused("NotAuthorizedException", "^Refresh Token has been revoked$"):
        s.pool.client.refresh(result["RefreshToken"])
    with refused("NotAuthorizedException", "^Access Token has been revoked$"):
        s.call("GetUser", AccessToken=result["AccessToken"])


@probe(api("RevokeToken"))
def access_token_cannot_be_revoked_alone(s: Stage) -> None:
    result = s.pool.client.tokens(s.pool.user())
    with refused("UnsupportedTokenTypeException"):
        s.pool.client.call("RevokeToken", Token=result["AccessToken"])


@probe(api("RevokeToken"))
def token_of_another_client_is_not_revoked(s: Stage) -> None:
    user, other = s.pool.user(), s.pool.new_client()
    token = s.pool.client.tokens(user)["RefreshToken"]
    with refused("UnauthorizedException|NotAuthorizedException|InvalidParameterException"):
        other.call("RevokeToken", Token=token)
    assert "AccessToken" in s.pool.client.refresh(token)


@probe(api("GlobalSignOut"))
def log_out_everywhere(s: Stage) -> None:
    user = s.pool.user()
    first, second = s.pool.client.tokens(user), s.pool.client.tokens(user)
    s.call("GlobalSignOut", AccessToken=first["AccessToken"])
    for result in (first, second):
        with refused("NotAuthorizedException", "^Access Token has been revoked$"):
            s.call("GetUser", AccessToken=result["AccessToken"])
        with refused("NotAuthorizedException", "^Refresh Token has been revoked$"):
            s.pool.client.refresh(result["RefreshToken"])


@probe(api("AdminUserGlobalSignOut"))
def administrator_logs_a_user_out(s: Stage) -> None:
    user = s.pool.user()
    token = s.pool.client.tokens(user)["RefreshToken"]
    s.pool.admin("AdminUserGlobalSignOut", Username=user)
    with refused("NotAuthorizedException", "^Refresh Token has been revoked$"):
        s.pool.client.refresh(token)


@probe(api("GetUser"))
def forged_access_token(s: Stage) -> None:
    token = s.pool.client.tokens(s.pool.user())["AccessToken"]
    head, body, signature = token.split(".")
    for wrong in ("x", f"{head}.{body}.{signature[:-6]}AAAAAA", s.pool.client.tokens(s.pool.user())["IdToken"]):
        with refused("NotAuthorizedException", "^(Invalid Access Token|Could not verify signature for Access Token)$"):
            s.call("GetUser", AccessToken=wrong)


@probe(api("ListUserSessions"))
def sessions_of_a_user(s: Stage) -> None:
    user = s.pool.user()
    result = s.pool.client.tokens(user)
    s.pool.client.tokens(user)
    listed = s.call("ListUserSessions", AccessToken=result["AccessToken"])["Sessions"]
    assert len(listed) == 2
    members(listed[0], SessionId=str, ClientId=s.pool.client.id, CreateDate=NUMBER)
    assert sorted(entry["IsCurrentSession"] for entry in listed) == [False, True]
