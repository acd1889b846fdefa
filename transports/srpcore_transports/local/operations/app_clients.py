"""The operations on app clients: create, describe, update, delete and list them."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, string, strings
from ..model import schema
from ..model.clock import DAY
from ..model.pools import AppClient, PoolRecord
from ..storage import pages
from ..storage.state import State
from . import client_tokens

__all__ = ["OPERATIONS", "check_client_settings", "require_client"]

_STANDARD_SCOPES = {"phone", "email", "openid", "profile", "aws.cognito.signin.user.admin"}
# Source: the API reference of CreateUserPoolClient: each token with its default unit and its limits in seconds.
_VALIDITY = (
    ("AccessToken", "hours", 300, DAY),
    ("IdToken", "hours", 300, DAY),
    ("RefreshToken", "days", 3600, 3650 * DAY),
)
_LIST_FIELDS = ("ClientId", "UserPoolId", "ClientName")


def check_client_settings(settings: Parameters) -> None:
    """Check what the service model does not say about the parameters of CreateUserPoolClient.

    A client may have both token rotation and ALLOW_REFRESH_TOKEN_AUTH. The flow REFRESH_TOKEN_AUTH is refused only when
    such a client calls it.

    Raises:
        Refusal: a parameter has a value that the service would not accept.
    """
    flows = strings(settings, "ExplicitAuthFlows")
    if len({flow.startswith("ALLOW_") for flow in flows}) > 1:
        raise invalid_parameter("ExplicitAuthFlows must be either all with or all without the prefix ALLOW_")
    grants = strings(settings, "AllowedOAuthFlows")
    if "client_credentials" in grants and len(grants) > 1:
        raise Refusal(
            "InvalidOAuthFlowException",
            "client_credentials flow can not be selected along with code flow or implicit flow.",
        )


def _check_for_pool(pool: PoolRecord, settings: Parameters, doing: str) -> None:
    """Check the attributes, which depend on the pool, and the validity of tokens.

    The constructor of LocalUserPool does not call this, so it accepts any validity.

    Args:
        doing: "creating" or "updating", for the message.

    Raises:
        Refusal: an attribute does not exist, or may not be written by users, or a token would be valid for too short or
            too long.
    """
    known = schema.names(pool)
    for setting, kind, refused in (
        ("ReadAttributes", "read", ()),
        ("WriteAttributes", "write", ("sub", "email_verified", "phone_number_verified")),
    ):
        given = strings(settings, setting)
        if not set(given) <= known or set(given) & set(refused):
            raise invalid_parameter(f"Invalid {kind} attributes specified while {doing} a client")
    client = AppClient("", "", None, 0, 0, dict(settings))
    for token, unit, least, most in _VALIDITY:
        seconds = client.validity(token, least, unit)
        if not least <= seconds <= most:
            raise invalid_parameter(f"Invalid range for token validity. {token} must be valid from {least} to {most} s")


def create_user_pool_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateUserPoolClient."""
    pool = state.pool(string(parameters, "UserPoolId"))
    if parameters.get("ClientSecret") and parameters.get("GenerateSecret"):
        raise invalid_parameter("GenerateSecret must not be true if ClientSecret is given.")
    check_client_settings(parameters)
    _check_client_tokens(parameters, secret=bool(parameters.get("ClientSecret") or parameters.get("GenerateSecret")))
    _check_scopes(state, pool, parameters)
    _check_for_pool(pool, parameters, "creating")
    return {"UserPoolClient": _client_fields(state.add_client(pool, dict(parameters)))}


def _check_client_tokens(settings: Parameters, *, secret: bool) -> None:
    flows = strings(settings, "ExplicitAuthFlows")
    if client_tokens.FLOW in flows and (len(set(flows)) > 1 or not secret):
        raise invalid_parameter(
            f"{client_tokens.FLOW} must be the only flow in ExplicitAuthFlows, and the app client must have a secret."
        )


def _check_scopes(state: State, pool: PoolRecord, settings: Parameters) -> None:
    known = _STANDARD_SCOPES | client_tokens.custom_scopes(state, pool)
    unknown = [scope for scope in strings(settings, "AllowedOAuthScopes") if scope not in known]
    if unknown:
        raise Refusal("ScopeDoesNotExistException", f"Invalid scope requested: {', '.join(unknown)}")


def describe_user_pool_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeUserPoolClient."""
    return {"UserPoolClient": _client_fields(require_client(state, parameters))}


def update_user_pool_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateUserPoolClient: as in the service, settings that are left out are reset to their defaults."""
    client = require_client(state, parameters)
    check_client_settings(parameters)
    _check_client_tokens(parameters, secret=client.secret is not None)
    _check_scopes(state, state.pool(client.user_pool_id), parameters)
    _check_for_pool(state.pool(client.user_pool_id), parameters, "updating")
    name = {"ClientName": client.settings.get("ClientName", "")}
    client.settings = {**name, **parameters}
    client.modified = state.clock()
    return {"UserPoolClient": _client_fields(client)}


def delete_user_pool_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUserPoolClient; this also revokes the client's tokens."""
    state.remove_client(require_client(state, parameters))
    return {}


def list_user_pool_clients(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUserPoolClients, with at most 60 app clients per page."""
    pool = state.pool(string(parameters, "UserPoolId"))
    page, following = pages.requested_page(state, parameters, state.clients.all(pool), limit="MaxResults")
    shown = [_client_fields(client) for client in page]
    return {"UserPoolClients": [{name: client[name] for name in _LIST_FIELDS} for client in shown], **following}


def require_client(state: State, parameters: Parameters) -> AppClient:
    """Return the app client that UserPoolId and ClientId name.

    Raises:
        Refusal: the pool or the app client does not exist.
    """
    pool, client = state.pool(string(parameters, "UserPoolId")), state.client(string(parameters, "ClientId"))
    if client.user_pool_id != pool.id:
        raise state.client_not_found(client.client_id)
    return client


def _client_fields(client: AppClient) -> dict[str, Any]:
    hidden = ("GenerateSecret", "ClientSecret")
    settings = {name: value for name, value in client.settings.items() if name not in hidden}
    if settings.get("RefreshTokenValidity") == 0:
        # Documented: "Amazon Cognito overrides the value with the default value of 30 days."
        units: dict[str, str] = {**(settings.get("TokenValidityUnits") or {}), "RefreshToken": "days"}
        settings |= {"RefreshTokenValidity": 30, "TokenValidityUnits": units}
    return {
        "RefreshTokenValidity": 30,
        "TokenValidityUnits": {},
        "AuthSessionValidity": 3,
        "EnableTokenRevocation": True,
        "EnablePropagateAdditionalUserContextData": False,
        "AllowedOAuthFlowsUserPoolClient": False,
        **settings,
        "ExplicitAuthFlows": client.flows,
        "UserPoolId": client.user_pool_id,
        "ClientId": client.client_id,
        **({"ClientSecret": client.secret} if client.secret else {}),
        "CreationDate": client.created,
        "LastModifiedDate": client.modified,
    }


OPERATIONS = {
    "CreateUserPoolClient": create_user_pool_client,
    "DescribeUserPoolClient": describe_user_pool_client,
    "UpdateUserPoolClient": update_user_pool_client,
    "DeleteUserPoolClient": delete_user_pool_client,
    "ListUserPoolClients": list_user_pool_clients,
}
