"""The operations that refresh and revoke tokens, and that log a user out everywhere."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..api.errors import Refusal, invalid_parameter, not_authorized
from ..api.parameters import Parameters, named, optional_string, string
from ..model import directory
from ..model.records import AppClient, PoolRecord
from . import tokens

if TYPE_CHECKING:
    from ..storage.state import State

__all__ = ["OPERATIONS", "by_flow"]


def by_flow(state: State, pool: PoolRecord, client: AppClient, values: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the flow REFRESH_TOKEN_AUTH of InitiateAuth.

    Here SECRET_HASH must be computed for the canonical user name, not for an alias that the user typed.

    Raises:
        Refusal: the client rotates refresh tokens, SECRET_HASH is wrong, or the refresh token is not valid.
    """
    token = named(values, "REFRESH_TOKEN")
    if client.rotation_grace is not None:
        raise invalid_parameter("REFRESH_TOKEN_AUTH flow not enabled for this client")
    record = state.grants.find_refresh_token(token)
    names = [] if record is None else [record.grant.user.username]
    directory.check_secret_hash(client, optional_string(values, "SECRET_HASH"), *names)
    grant = _require_valid_token(state, pool, client, record, optional_string(values, "DEVICE_KEY")).grant
    return {"ChallengeParameters": {}, "AuthenticationResult": tokens.issue(state, grant)}


def get_tokens_from_refresh_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetTokensFromRefreshToken.

    Unlike REFRESH_TOKEN_AUTH it takes the client secret itself, not SECRET_HASH. If the client rotates refresh tokens,
    the reply has a new one, and the old one remains valid for the client's grace period.
    """
    token = string(parameters, "RefreshToken")
    client, pool = directory.client_and_pool(state, parameters)
    _check_secret(client, optional_string(parameters, "ClientSecret"))
    record = state.grants.find_refresh_token(token)
    record = _require_valid_token(state, pool, client, record, optional_string(parameters, "DeviceKey"))
    if client.rotation_grace is None:
        return {"AuthenticationResult": tokens.issue(state, record.grant)}
    state.grants.rotate(token, state.clock())
    # The new refresh token expires when the old one would have expired, so rotation does not prolong a login.
    return {"AuthenticationResult": tokens.issue(state, record.grant, refresh_until=record.expires)}


def _require_valid_token(
    state: State, pool: PoolRecord, client: AppClient, record: tokens.RefreshRecord | None, device_key: str | None
) -> tokens.RefreshRecord:
    if record is None or record.grant.client is not client:
        raise not_authorized("Invalid Refresh Token")
    grant, now = record.grant, state.clock()
    if not grant.user.enabled:
        raise not_authorized("User is disabled.")
    if grant.revoked or pool.users.get(grant.user.username) is not grant.user:
        raise not_authorized("Refresh Token has been revoked")
    if record.expires <= now:
        raise not_authorized("Refresh Token has expired")
    if grant.device is not None and not _is_device(grant, device_key):
        raise not_authorized("Invalid Refresh Token")
    if record.rotated is not None and record.rotated + (client.rotation_grace or 0) <= now:
        raise Refusal("RefreshTokenReuseException", "Refresh token has been invalidated by rotation")
    return record


def _is_device(grant: tokens.Grant, device_key: str | None) -> bool:
    device = grant.user.devices.get(device_key or "")
    return device is not None and device is grant.device and device.confirmed


def _check_secret(client: AppClient, given: str | None, code: str = "NotAuthorizedException") -> None:
    if client.secret is None:
        return
    if not given:
        raise Refusal(code, f"Client {client.client_id} is configured with secret but ClientSecret was not received")
    if not hmac.compare_digest(given.encode("utf-8"), client.secret.encode("utf-8")):
        raise Refusal(code, f"Unable to verify secret for client {client.client_id}")


def revoke_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer RevokeToken: revoke a refresh token and all access tokens of the same login."""
    token = string(parameters, "Token")
    client, _ = directory.client_and_pool(state, parameters)
    _check_secret(client, optional_string(parameters, "ClientSecret"), "UnauthorizedException")
    record = state.grants.find_refresh_token(token)
    if record is None:
        if token.count(".") == 2:
            raise Refusal("UnsupportedTokenTypeException", "Unsupported token type")
        # RFC 7009, section 2.2: an unknown token is not an error, because it cannot be used anyway.
        return {}
    if record.grant.client is not client:
        raise Refusal("UnauthorizedException", "Refresh token was not issued to this client")
    record.grant.revoked = True
    return {}


def global_sign_out(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GlobalSignOut: revoke all tokens of the user."""
    holder = tokens.verify_access_token(state, string(parameters, "AccessToken"))
    state.grants.revoke_user(holder.user)
    return {}


def admin_user_global_sign_out(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminUserGlobalSignOut: revoke all tokens of the user."""
    pool = state.pool(string(parameters, "UserPoolId"))
    state.grants.revoke_user(directory.require(pool, string(parameters, "Username")))
    return {}


OPERATIONS = {
    "GetTokensFromRefreshToken": get_tokens_from_refresh_token,
    "RevokeToken": revoke_token,
    "GlobalSignOut": global_sign_out,
    "AdminUserGlobalSignOut": admin_user_global_sign_out,
}
