"""The pools and app clients that are made without a request: their default settings, and the check of given ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from srpcore.exceptions.base import ConfigurationError

from ..api import validation
from ..api.errors import Refusal
from . import app_clients, pool_mfa, stored, user_pools

__all__ = ["CLIENT", "POOL", "REMEMBERED_DEVICES", "check_client", "check_client_id", "check_pool", "check_settings"]

POOL: dict[str, Any] = {
    "PoolName": "local",
    "AutoVerifiedAttributes": ["email"],
    "MfaConfiguration": "OPTIONAL",
    "WebAuthnConfiguration": {"RelyingPartyId": "localhost", "UserVerification": "preferred"},
}
REMEMBERED_DEVICES = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}
"""DeviceConfiguration of a pool that remembers each device that is confirmed."""

CLIENT: dict[str, Any] = {
    "ClientName": "local",
    "PreventUserExistenceErrors": "ENABLED",
    "ExplicitAuthFlows": [
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_AUTH",
        "ALLOW_CUSTOM_AUTH",
    ],
}
_ANY_POOL = "us-east-1_000000000"


def check_client_id(client_id: str | None) -> None:
    """Check that *client_id* can be the id of an app client; None is accepted, too.

    Raises:
        ConfigurationError: it has a character that is not allowed, or it is too long.
    """
    # The pattern and the length are those of ClientIdType in the service model.
    if client_id is not None and not re.fullmatch(r"[\w+]{1,128}", client_id):
        raise ConfigurationError(f"client_id must be 1 to 128 letters, digits, '_' or '+', not {client_id!r:.80}")


def check_pool(settings: Mapping[str, Any], *, strict: bool = False) -> None:
    """Check the settings of a pool: parameters of CreateUserPool and SetUserPoolMfaConfig.

    Args:
        strict: refuse settings without effect.

    Raises:
        Refusal: the service would not accept them, or they have no effect.
    """
    # In the service these settings are not parameters of CreateUserPool: SetUserPoolMfaConfig sets them later.
    of_mfa = {name: value for name, value in settings.items() if name in pool_mfa.SETTINGS}
    validation.check("CreateUserPool", {name: value for name, value in settings.items() if name not in of_mfa})
    validation.check("SetUserPoolMfaConfig", {"UserPoolId": _ANY_POOL, **of_mfa})
    user_pools.check_pool_settings(settings)
    if strict:
        stored.check_strict("CreateUserPool", settings)
        stored.check_strict("SetUserPoolMfaConfig", settings)


def check_client(settings: Mapping[str, Any], *, strict: bool = False) -> None:
    """Check the settings of an app client: parameters of CreateUserPoolClient.

    Args:
        strict: refuse settings without effect.

    Raises:
        Refusal: the service would not accept them, or they have no effect.
    """
    validation.check("CreateUserPoolClient", {"UserPoolId": _ANY_POOL, **settings})
    app_clients.check_client_settings(settings)
    if strict:
        stored.check_strict("CreateUserPoolClient", settings)


def check_settings(pool: Mapping[str, Any], client: Mapping[str, Any], *, strict: bool = False) -> None:
    """Check the settings of the first pool and its app client.

    Args:
        strict: refuse settings without effect.

    Raises:
        ConfigurationError: the service would not accept them, or they have no effect.
    """
    try:
        check_pool(pool, strict=strict)
        check_client(client, strict=strict)
    except Refusal as error:
        raise ConfigurationError(f"settings of the local user pool are invalid: {error.message}") from None
