"""The operations that refresh and revoke tokens, and that log a user out everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_authorized
from ..api.parameters import Parameters, named, optional_string, string
from ..auth import client_secret, token_verification, tokens
from ..auth.caller import Caller, read_metadata
from ..model.grants import Grant, RefreshRecord
from ..model.pools import AppClient, PoolRecord
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State

__all__ = ["OPERATIONS", "answer_refresh_flow"]


def answer_refresh_flow(
    state: State, pool: PoolRecord, client: AppClient, values: Mapping[str, Any]
) -> Step[dict[str, Any]]:
    """Answer the flow REFRESH_TOKEN_AUTH of InitiateAuth.

    Here SECRET_HASH must be computed for the canonical user name, not for an alias that the user typed.

    Raises:
        Refusal: the client rotates refresh tokens, SECRET_HASH is wrong, or the refresh token is not valid.
    """
    token = named(values, "REFRESH_TOKEN")
    if client.rotation_grace is not None:
        raise invalid_parameter("REFRESH_TOKEN_AUTH flow not enabled for this client")
    record = state.grants.refresh_token(token)
    grant = _grant(state, record)
    names = [] if grant is None else [grant.user.username]
    client_secret.check_hash(client, optional_string(values, "SECRET_HASH"), *names)
    device_key = optional_string(values, "DEVICE_KEY")
    valid = _require_valid_token(state, client, record, grant, device_key)[1]
    changes = yield from tokens.call_trigger(state, Caller(pool, client), valid.user, "RefreshTokens")
    # The token may have been revoked while the trigger ran.
    valid = _require_valid_token(state, client, record, _grant(state, record), device_key)[1]
    return {"ChallengeParameters": {}, "AuthenticationResult": (yield from tokens.issue(state, valid, changes))}


def get_tokens_from_refresh_token(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer GetTokensFromRefreshToken.

    Unlike REFRESH_TOKEN_AUTH it takes the client secret itself, not SECRET_HASH. If the client rotates refresh tokens,
    the reply has a new one, and the old one remains valid for the client's grace period.
    """
    token = string(parameters, "RefreshToken")
    client, pool = directory.client_and_pool(state, parameters)
    caller = Caller(pool, client, read_metadata(parameters))
    client_secret.check_secret(client, optional_string(parameters, "ClientSecret"))
    found = state.grants.refresh_token(token)
    device_key = optional_string(parameters, "DeviceKey")
    _, grant = _require_valid_token(state, client, found, _grant(state, found), device_key)
    changes = yield from tokens.call_trigger(state, caller, grant.user, "RefreshTokens")
    # The token may have been rotated or revoked while the trigger ran.
    record, grant = _require_valid_token(state, client, found, _grant(state, found), device_key)
    if client.rotation_grace is None:
        return {"AuthenticationResult": (yield from tokens.issue(state, grant, changes))}
    # If the token was rotated before, the grace period must not start again.
    record.rotated = state.clock() if record.rotated is None else record.rotated
    # The new refresh token expires when the old one would have expired, so rotation does not prolong a login.
    return {"AuthenticationResult": (yield from tokens.issue(state, grant, changes, refresh_until=record.expires))}


def _grant(state: State, record: RefreshRecord | None) -> Grant | None:
    stored = None if record is None else state.grants.get(record.origin_jti)
    return None if stored is None else tokens.grant_of(state, stored)


def _require_valid_token(
    state: State, client: AppClient, record: RefreshRecord | None, grant: Grant | None, device_key: str | None
) -> tuple[RefreshRecord, Grant]:
    if record is None or (grant is not None and grant.client.user_pool_id != client.user_pool_id):
        raise not_authorized("Invalid Refresh Token")
    if grant is not None and grant.client is not client:
        raise not_authorized("Refresh Token has different Client")
    now = state.clock()
    if grant is not None and not grant.user.enabled:
        raise not_authorized("User is disabled.")
    if grant is None or grant.record.revoked:
        raise not_authorized("Refresh Token has been revoked")
    if record.expires <= now:
        raise not_authorized("Refresh Token has expired")
    if grant.record.device_key is not None and not _is_device(grant, device_key):
        raise not_authorized("Invalid Refresh Token")
    # The distance, because a clock that was moved back must not make the token valid again.
    if record.rotated is not None and abs(now - record.rotated) >= (client.rotation_grace or 0):
        raise Refusal("RefreshTokenReuseException", "Refresh token has been invalidated by rotation")
    return record, grant


def _is_device(grant: Grant, device_key: str | None) -> bool:
    device = grant.device
    return device is not None and device.key == device_key and device.confirmed


def revoke_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer RevokeToken: revoke a refresh token and all access tokens of the same login."""
    token = string(parameters, "Token")
    client, _ = directory.client_and_pool(state, parameters)
    client_secret.check_secret(client, optional_string(parameters, "ClientSecret"), "UnauthorizedException")
    if not client.revokes_tokens:
        raise Refusal("UnsupportedOperationException", "Revoking tokens is not enabled for this client")
    record = state.grants.refresh_token(token)
    grant = None if record is None else state.grants.get(record.origin_jti)
    if grant is None:
        if token.count(".") == 2:
            raise Refusal("UnsupportedTokenTypeException", "Unsupported token type")
        # RFC 7009, section 2.2: an unknown token is not an error, because it cannot be used anyway.
        return {}
    if grant.client_id != client.client_id:
        raise Refusal("UnauthorizedException", "Refresh token was not issued to this client")
    grant.revoked = True
    return {}


def global_sign_out(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GlobalSignOut: revoke all tokens of the user."""
    grant = token_verification.verify_access_token(state, string(parameters, "AccessToken"))
    state.grants.revoke_user(grant.user)
    return {}


def admin_user_global_sign_out(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminUserGlobalSignOut: revoke all tokens of the user."""
    _, user = directory.pool_and_user(state, parameters)
    state.grants.revoke_user(user)
    return {}


OPERATIONS: dict[str, Handler] = {
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "RevokeToken": revoke_token,
    "GlobalSignOut": global_sign_out,
    "AdminUserGlobalSignOut": admin_user_global_sign_out,
}
