"""Verify the tokens that clients send, and find the completed login that they belong to (a Grant)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.errors import not_authorized, user_not_found
from ..model.grants import Grant, GrantRecord
from ..model.pools import PoolRecord
from ..model.signing import SigningKey, from_pem
from ..storage.state import State
from .tokens import API_SCOPE

__all__ = ["grant_record_of", "verify", "verify_access_token"]


def verify_access_token(state: State, token: str) -> Grant:
    """Verify an access token, and return the login that it belongs to.

    Raises:
        Refusal: the token is forged, expired or revoked, is not an access token, or was not issued by a pool of this
            server; or its user was deleted or disabled.
    """
    # Before the signature: the service has one message for other tokens, and another for a forged access token.
    if SigningKey.unverified_claims(token).get("token_use") != "access":
        raise not_authorized("Invalid Access Token")
    pool, claims = verify(state, token, "Could not verify signature for Access Token")
    if int(claims["exp"]) <= state.clock():
        raise not_authorized("Access Token has expired")
    record = grant_record_of(state, claims)
    if record is None or record.pool_id != pool.id:
        raise not_authorized("Invalid Access Token")
    user, client = state.users.by_sub(pool, record.sub), state.clients.find(record.client_id)
    if user is None:
        raise user_not_found()
    if not user.enabled:
        raise not_authorized("User is disabled.")
    if record.revoked or client is None:
        raise not_authorized("Access Token has been revoked")
    if API_SCOPE not in str(claims.get("scope")).split():
        raise not_authorized("Access Token does not have required scopes")
    return Grant(pool, client, user, record)


def grant_record_of(state: State, claims: Mapping[str, Any]) -> GrantRecord | None:
    """Return the grant record of the token that has these *claims*, or None."""
    return state.grants.get(str(claims.get("origin_jti") or claims.get("event_id")))


def verify(state: State, token: str, forged: str = "Invalid Access Token") -> tuple[PoolRecord, dict[str, Any]]:
    """Verify only the signature of a token, and return the pool that has issued it, and its claims.

    Args:
        forged: the message if the signature does not match.

    Raises:
        Refusal: the token is forged, or was not issued by a pool of this server.
    """
    # Only the pool's id is read from the claims before they are verified, to find the key.
    issuer = str(SigningKey.unverified_claims(token).get("iss"))
    pool = state.pools.get(None, issuer.rpartition("/")[2])
    if pool is None:
        raise not_authorized("Invalid Access Token")
    if pool.key is None:
        raise not_authorized(forged)  # the pool has signed nothing yet
    return pool, from_pem(pool.key).verify(token, forged)
