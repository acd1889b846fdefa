"""Make, describe and change pools and app clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import invalid_parameter
from .parameters import Parameters, choice, flag, mapping, number, text, texts
from .records import AppClient, UserPool

if TYPE_CHECKING:
    from .state import State

__all__ = ["OPERATIONS", "check_client_settings", "check_pool_settings"]

_FLOWS = frozenset(
    """
    ALLOW_ADMIN_USER_PASSWORD_AUTH ALLOW_CUSTOM_AUTH ALLOW_USER_PASSWORD_AUTH ALLOW_USER_SRP_AUTH
    ALLOW_REFRESH_TOKEN_AUTH ALLOW_USER_AUTH ADMIN_NO_SRP_AUTH CUSTOM_AUTH_FLOW_ONLY USER_PASSWORD_AUTH
    """.split()
)
_NAMES = {
    "AliasAttributes": {"email", "phone_number", "preferred_username"},
    "UsernameAttributes": {"email", "phone_number"},
    "AutoVerifiedAttributes": {"email", "phone_number"},
}
_UNITS = ("seconds", "minutes", "hours", "days")


def check_pool_settings(settings: Parameters) -> None:
    """Check the parameters of CreateUserPool that the pool acts on.

    Raises:
        Refusal: one has a value that the service would not take.
    """
    for name, allowed in _NAMES.items():
        if not set(texts(settings, name)) <= allowed:
            raise invalid_parameter(f"{name} may have {', '.join(sorted(allowed))}")
    if texts(settings, "AliasAttributes") and texts(settings, "UsernameAttributes"):
        raise invalid_parameter("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")
    choice(settings, "MfaConfiguration", ("OFF", "OPTIONAL", "ON"))
    policy = mapping(mapping(settings, "Policies"), "PasswordPolicy")
    number(policy, "MinimumLength", 8, 6, 99)
    number(policy, "TemporaryPasswordValidityDays", 7, 0, 365)
    for rule in ("RequireUppercase", "RequireLowercase", "RequireNumbers", "RequireSymbols"):
        flag(policy, rule)
    for name in ("DeviceConfiguration", "UsernameConfiguration", "AdminCreateUserConfig"):
        mapping(settings, name)


def check_client_settings(settings: Parameters) -> None:
    """Check the parameters of CreateUserPoolClient that the pool acts on.

    Raises:
        Refusal: one has a value that the service would not take.
    """
    flows = texts(settings, "ExplicitAuthFlows")
    if not set(flows) <= _FLOWS:
        raise invalid_parameter("ExplicitAuthFlows has an unknown flow")
    if len({flow.startswith("ALLOW_") for flow in flows}) > 1:
        raise invalid_parameter("ExplicitAuthFlows must be either all with or all without the prefix ALLOW_")
    choice(settings, "PreventUserExistenceErrors", ("LEGACY", "ENABLED"))
    number(settings, "AuthSessionValidity", 3, 3, 15)
    # Rotation beside ALLOW_REFRESH_TOKEN_AUTH is taken; REFRESH_TOKEN_AUTH is refused when it is used.
    rotation = mapping(settings, "RefreshTokenRotation")
    choice(rotation, "Feature", ("ENABLED", "DISABLED"))
    number(rotation, "RetryGracePeriodSeconds", 0, 0, 60)
    units = mapping(settings, "TokenValidityUnits")
    for token in ("AccessToken", "IdToken", "RefreshToken"):
        choice(units, token, _UNITS)
        number(settings, f"{token}Validity", 0, 0, 315_360_000)


def create_user_pool(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateUserPool."""
    text(parameters, "PoolName")
    check_pool_settings(parameters)
    return {"UserPool": _pool_shown(state.add_pool(dict(parameters)))}


def describe_user_pool(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeUserPool."""
    return {"UserPool": _pool_shown(state.pool(text(parameters, "UserPoolId")))}


def _pool_shown(pool: UserPool) -> dict[str, Any]:
    settings = {"Name" if name == "PoolName" else name: value for name, value in pool.settings.items()}
    settings["SchemaAttributes"] = settings.pop("Schema", [])
    return {
        **settings,
        "Id": pool.id,
        "Arn": f"arn:aws:cognito-idp:{pool.id.split('_')[0]}:000000000000:userpool/{pool.id}",
        "MfaConfiguration": pool.mfa,
        "EstimatedNumberOfUsers": len(pool.users),
        "CreationDate": pool.created,
        "LastModifiedDate": pool.modified,
    }


def create_user_pool_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateUserPoolClient."""
    text(parameters, "ClientName")
    pool = state.pool(text(parameters, "UserPoolId"))
    check_client_settings(parameters)
    return {"UserPoolClient": _client_shown(state.add_client(pool, dict(parameters)))}


def describe_user_pool_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeUserPoolClient."""
    return {"UserPoolClient": _client_shown(_client(state, parameters))}


def update_user_pool_client(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateUserPoolClient: as the service does, what is left out goes back to its default."""
    client = _client(state, parameters)
    check_client_settings(parameters)
    name = {"ClientName": client.settings.get("ClientName", "")}
    client.settings = {**name, **parameters}
    client.modified = state.clock()
    return {"UserPoolClient": _client_shown(client)}


def _client(state: State, parameters: Parameters) -> AppClient:
    pool, client = state.pool(text(parameters, "UserPoolId")), state.client(text(parameters, "ClientId"))
    if client.user_pool_id != pool.id:
        raise state.no_client(client.client_id)
    return client


def _client_shown(client: AppClient) -> dict[str, Any]:
    hidden = ("GenerateSecret", "ClientSecret")
    return {
        "RefreshTokenValidity": 30,
        "TokenValidityUnits": {},
        "AuthSessionValidity": 3,
        "EnableTokenRevocation": True,
        "AllowedOAuthFlowsUserPoolClient": False,
        **{name: value for name, value in client.settings.items() if name not in hidden},
        "ExplicitAuthFlows": client.flows,
        "UserPoolId": client.user_pool_id,
        "ClientId": client.client_id,
        **({"ClientSecret": client.secret} if client.secret else {}),
        "CreationDate": client.created,
        "LastModifiedDate": client.modified,
    }


OPERATIONS = {
    "CreateUserPool": create_user_pool,
    "DescribeUserPool": describe_user_pool,
    "CreateUserPoolClient": create_user_pool_client,
    "DescribeUserPoolClient": describe_user_pool_client,
    "UpdateUserPoolClient": update_user_pool_client,
}
