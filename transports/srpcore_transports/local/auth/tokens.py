"""The tokens that logins have granted: issue and verify access and ID tokens, store and revoke refresh tokens."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..api.errors import not_authorized, user_not_found
from ..model import membership
from ..model.records import AppClient, DeviceRecord, PoolRecord, User, random_string
from ..model.signing import SigningKey

if TYPE_CHECKING:
    from ..storage.state import State

__all__ = [
    "Grant",
    "Grants",
    "Holder",
    "RefreshRecord",
    "access_claims",
    "id_claims",
    "issue",
    "start",
    "verify_access_token",
]

_BOOLEANS = ("email_verified", "phone_number_verified")
_HOUR, _THIRTY_DAYS = 3600, 30 * 86400


@dataclass
class Grant:
    """One completed login. All its tokens have the same ``origin_jti``, and are revoked together."""

    origin_jti: str
    pool: PoolRecord
    client: AppClient
    user: User
    auth_time: int
    device: DeviceRecord | None
    event_id: str
    session_id: str
    last_active: float
    revoked: bool = False


@dataclass(frozen=True)
class RefreshRecord:
    """What the pool stores about a refresh token.

    Attributes:
        expires: when it expires, in seconds since the epoch.
        rotated: when another token replaced it (rotation), in seconds since the epoch; None if it is the current one.
    """

    grant: Grant
    expires: float
    rotated: float | None = None


@dataclass(frozen=True)
class Holder:
    """The pool, app client, user and login that an access token belongs to."""

    pool: PoolRecord
    client: AppClient
    user: User
    grant: Grant


@dataclass
class Grants:
    """All grants by ``origin_jti``, and all refresh tokens by the SHA-256 of the token in hexadecimal."""

    by_origin: dict[str, Grant] = field(default_factory=dict[str, Grant], repr=False)
    refresh: dict[str, RefreshRecord] = field(default_factory=dict[str, RefreshRecord], repr=False)

    def add_refresh_token(self, grant: Grant, expires: float) -> str:
        """Create and return a refresh token for *grant*, valid until *expires* in seconds since the epoch."""
        token = secrets.token_urlsafe(900)
        self.refresh[_digest(token)] = RefreshRecord(grant, expires)
        return token

    def find_refresh_token(self, token: str) -> RefreshRecord | None:
        """Return the record of a refresh token, or None if this server did not issue it."""
        return self.refresh.get(_digest(token))

    def rotate(self, token: str, now: float) -> None:
        """Mark *token* as replaced at *now*, unless it is marked already: the grace period must not start again."""
        record = self.refresh[_digest(token)]
        if record.rotated is None:
            self.refresh[_digest(token)] = replace(record, rotated=now)

    def revoke_user(self, user: User) -> None:
        """Revoke every token of *user*."""
        for grant in self.by_origin.values():
            if grant.user is user:
                grant.revoked = True

    def revoke_client(self, client: AppClient) -> None:
        """Revoke every token of *client*."""
        for grant in self.by_origin.values():
            if grant.client is client:
                grant.revoked = True

    def active(self, user: User, now: float) -> list[Grant]:
        """Return the grants of *user* whose tokens can still be refreshed, oldest first."""
        current = {
            record.grant.origin_jti for record in self.refresh.values() if record.expires > now and not record.rotated
        }
        grants = self.by_origin.values()
        return [grant for grant in grants if grant.user is user and not grant.revoked and grant.origin_jti in current]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def start(state: State, pool: PoolRecord, client: AppClient, user: User, device: DeviceRecord | None) -> Grant:
    """Add and return a grant for a login that is complete."""
    now, session = state.clock(), f"tkn{random_string(25)}"
    grant = Grant(str(uuid.uuid4()), pool, client, user, int(now), device, str(uuid.uuid4()), session, now)
    state.grants.by_origin[grant.origin_jti] = grant
    return grant


def issue(state: State, grant: Grant, *, refresh_until: float | None = None) -> dict[str, Any]:
    """Return an AuthenticationResult with new access and ID tokens of *grant*.

    Args:
        refresh_until: if given, also issue a refresh token that expires at this time, in seconds since the epoch.
    """
    access_seconds = grant.client.validity("AccessToken", _HOUR, "hours")
    id_seconds = grant.client.validity("IdToken", _HOUR, "hours")
    access, identity = access_claims(state, grant, access_seconds), id_claims(state, grant, id_seconds)
    key = grant.pool.key
    result: dict[str, Any] = {"ExpiresIn": access_seconds, "TokenType": "Bearer"}
    grant.last_active = state.clock()
    if refresh_until is not None:
        result["RefreshToken"] = state.grants.add_refresh_token(grant, refresh_until)
    with state.unlocked():
        result["AccessToken"], result["IdToken"] = key.sign(access), key.sign(identity)
    return result


def refresh_seconds(client: AppClient) -> int:
    """Return how many seconds a refresh token of *client* is valid; the default is 30 days."""
    return client.validity("RefreshToken", _THIRTY_DAYS, "days")


def _common_claims(state: State, grant: Grant, seconds: int, use: str) -> dict[str, Any]:
    now = int(state.clock())
    return {
        "sub": grant.user.sub,
        "iss": state.issuer(grant.pool),
        "origin_jti": grant.origin_jti,
        "event_id": grant.event_id,
        "token_use": use,
        "auth_time": grant.auth_time,
        "exp": now + seconds,
        "iat": now,
        "jti": str(uuid.uuid4()),
    }


def access_claims(state: State, grant: Grant, seconds: int) -> dict[str, Any]:
    """Return the claims of a new access token of *grant* that is valid for so many *seconds*."""
    claims = _common_claims(state, grant, seconds, "access")
    claims |= {"client_id": grant.client.client_id, "username": grant.user.username}
    claims["scope"] = "aws.cognito.signin.user.admin"
    claims |= membership.claim(grant.pool, grant.user)
    if grant.device is not None:
        claims["device_key"] = grant.device.key
    return claims


def id_claims(state: State, grant: Grant, seconds: int) -> dict[str, Any]:
    """Return the claims of a new ID token of *grant* that is valid for so many *seconds*."""
    user = grant.user
    attributes: dict[str, Any] = {**user.attributes}
    attributes |= {name: attributes[name] == "true" for name in _BOOLEANS if name in attributes}
    own = {"aud": grant.client.client_id, "cognito:username": user.username}
    member = membership.claim(grant.pool, user) | membership.role_claims(grant.pool, user)
    return attributes | _common_claims(state, grant, seconds, "id") | own | member


def verify_access_token(state: State, token: str) -> Holder:
    """Verify an access token and return its holder.

    Raises:
        Refusal: the token is forged, expired or revoked, is not an access token, or was not issued by a pool of this
            server; or its user was deleted or disabled.
    """
    claims = _verified_claims(state, token)
    grant = state.grants.by_origin.get(str(claims.get("origin_jti")))
    if claims.get("token_use") != "access" or grant is None:
        raise not_authorized("Invalid Access Token")
    if int(claims["exp"]) <= state.clock():
        raise not_authorized("Access Token has expired")
    if grant.pool.users.get(grant.user.username) is not grant.user:
        raise user_not_found()
    if not grant.user.enabled:
        raise not_authorized("User is disabled.")
    if grant.revoked:
        raise not_authorized("Access Token has been revoked")
    return Holder(grant.pool, grant.client, grant.user, grant)


def _verified_claims(state: State, token: str) -> dict[str, Any]:
    kid = SigningKey.key_id(token)
    pool = next((pool for pool in state.pools.values() if pool.key.kid == kid), None)
    if pool is None:
        raise not_authorized("Invalid Access Token")
    return pool.key.verify(token)
