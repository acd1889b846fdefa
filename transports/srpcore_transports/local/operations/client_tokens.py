"""GetClientToken: an access token for a program, which proves itself with the secret of an app client."""

from __future__ import annotations

import uuid
from typing import Any

from ..api.errors import invalid_parameter
from ..api.parameters import Parameters, string, strings
from ..auth import client_secret, tokens
from ..auth.caller import Caller, read_metadata
from ..model.pools import AppClient, PoolRecord
from ..model.token_groups import TokenGroups
from ..steps import Step, outside
from ..storage import directory
from ..storage.signing_keys import signing_key
from ..storage.state import Handler, State
from ..triggers.claims import pre_token_generation

__all__ = ["FLOW", "OPERATIONS", "custom_scopes"]

FLOW = "ALLOW_CLIENT_TOKEN_AUTH"
"""The flow in ExplicitAuthFlows of the app client. It excludes all others."""


def custom_scopes(state: State, pool: PoolRecord) -> set[str]:
    """Return the scopes of all resource servers of *pool*, in the form ``identifier/name``."""
    servers = state.resource_servers.all(pool)
    return {f"{server.name}/{scope['ScopeName']}" for server in servers for scope in server.settings["Scopes"]}


def get_client_token(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer GetClientToken. The token has no user, so the pool's own operations refuse it."""
    client, pool = directory.client_and_pool(state, parameters)
    if FLOW not in client.flows or client.secret is None:
        raise invalid_parameter(f"{FLOW} is not enabled for the client {client.client_id}")
    client_secret.check_secret(client, string(parameters, "Secret"))
    scopes = _scopes(state, pool, client, strings(parameters, "Scopes"))
    caller = Caller(pool, client, read_metadata(parameters))
    subject = caller.new_user(client.client_id, {})
    changes = yield from pre_token_generation(
        caller.triggers(state), "ClientCredentials", subject, TokenGroups(), scopes
    )
    key = yield from signing_key(pool)
    state.client(client.client_id)  # raises if the app client was deleted while the trigger ran
    seconds = client.validity("AccessToken", tokens.HOUR, "hours")
    claims = changes.access_claims(_claims(state, pool, client, scopes, seconds))
    token = yield from outside(lambda: key.sign(claims))
    return {"ClientAuthenticationResult": {"AccessToken": token, "ExpiresIn": seconds, "TokenType": "Bearer"}}


def _scopes(state: State, pool: PoolRecord, client: AppClient, wanted: list[str]) -> list[str]:
    known = custom_scopes(state, pool)
    allowed = [scope for scope in client.settings.get("AllowedOAuthScopes") or () if scope in known]
    for scope in wanted:
        if scope not in known:
            raise invalid_parameter(f"The scope {scope} does not belong to a resource server of the user pool.")
        if scope not in allowed:
            raise invalid_parameter(f"The scope {scope} is not allowed for the client {client.client_id}.")
    return list(dict.fromkeys(wanted)) or allowed


def _claims(state: State, pool: PoolRecord, client: AppClient, scopes: list[str], seconds: int) -> dict[str, Any]:
    now = int(state.clock())
    return {
        "sub": client.client_id,
        "token_use": "access",
        "scope": " ".join(scopes),
        "auth_time": now,
        "iss": state.issuer(pool),
        "exp": now + seconds,
        "iat": now,
        "version": 2,
        "jti": str(uuid.uuid4()),
        "client_id": client.client_id,
    }


OPERATIONS: dict[str, Handler] = {"GetClientToken": get_client_token}
