"""The settings of sessions: how many a user may have in a pool, and how long an app client reuses one.

The pool enforces the number. It has no hosted login pages, so it does not reuse sessions.
"""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, present, string
from ..auth import session_limit
from ..model.pool_defaults import tier
from ..model.pools import PoolRecord
from ..storage.state import State
from .app_clients import require_client

__all__ = ["OPERATIONS"]

_CLIENT_KIND = "client_session_configuration"
_DEFAULT = {"SSOSession": {"MaxValidityMinutes": 60}}


def set_user_pool_session_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserPoolSessionConfiguration."""
    pool = state.pool(string(parameters, "UserPoolId"))
    _check_tier(pool)
    settings = present(parameters, "UserSessionTracking", "TokenSession")
    state.documents.put(pool, session_limit.KIND, settings)
    return {"UserPoolId": pool.id, **settings}


def _check_tier(pool: PoolRecord) -> None:
    if tier(pool.settings) == "LITE":
        raise Refusal(
            "FeatureUnavailableInTierException",
            "Session configuration is not available in the tier LITE of user pools.",
        )


def get_user_pool_session_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUserPoolSessionConfiguration."""
    pool = state.pool(string(parameters, "UserPoolId"))
    return {"UserPoolId": pool.id, **session_limit.configuration(state, pool)}


def set_user_pool_client_session_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserPoolClientSessionConfiguration; the pool must track sessions."""
    client = require_client(state, parameters)
    pool = state.pool(client.user_pool_id)
    _check_tier(pool)
    if session_limit.configuration(state, pool)["UserSessionTracking"] != "ENABLED":
        raise invalid_parameter("Session tracking is not enabled for the user pool.")
    settings = present(parameters, "SSOSession")
    state.documents.put(pool, _CLIENT_KIND, settings, client.client_id)
    return {"UserPoolId": pool.id, "ClientId": client.client_id, **settings}


def get_user_pool_client_session_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUserPoolClientSessionConfiguration."""
    client = require_client(state, parameters)
    document = state.documents.get(state.pool(client.user_pool_id), _CLIENT_KIND, client.client_id)
    settings = _DEFAULT if document is None else document.settings
    return {"UserPoolId": client.user_pool_id, "ClientId": client.client_id, **settings}


OPERATIONS = {
    "SetUserPoolSessionConfiguration": set_user_pool_session_configuration,
    "GetUserPoolSessionConfiguration": get_user_pool_session_configuration,
    "SetUserPoolClientSessionConfiguration": set_user_pool_client_session_configuration,
    "GetUserPoolClientSessionConfiguration": get_user_pool_client_session_configuration,
}
