"""The operations on the second factors that a user pool allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.errors import invalid_parameter
from ..api.parameters import Parameters, mapping, optional_string, string
from ..model.pools import PoolRecord
from ..storage.state import State

__all__ = ["OPERATIONS", "SETTINGS", "configured_factors"]

_TOTP, _BY_MESSAGE = "SoftwareTokenMfaConfiguration", ("SmsMfaConfiguration", "EmailMfaConfiguration")
_PASSKEYS = "WebAuthnConfiguration"

SETTINGS = (_TOTP, *_BY_MESSAGE, _PASSKEYS)
"""The settings of a pool that SetUserPoolMfaConfig changes, besides MfaConfiguration."""


def set_user_pool_mfa_config(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserPoolMfaConfig.

    MfaConfiguration OPTIONAL or ON allows all second factors together: the pool has no switch for each of them.
    """
    pool = state.pool(string(parameters, "UserPoolId"))
    configuration = optional_string(parameters, "MfaConfiguration")
    given = {name: mapping(parameters, name) for name in SETTINGS if parameters.get(name) is not None}
    _check_configuration(configuration, given)
    if configuration is not None:
        pool.settings["MfaConfiguration"] = configuration
    if configuration == "OFF":
        pool.settings.pop(_TOTP, None)
    pool.settings |= given
    return _mfa_config(pool)


def configured_factors(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings that configure second factors."""
    on = [_TOTP] if mapping(settings, _TOTP).get("Enabled") else []
    return on + [name for name in _BY_MESSAGE if settings.get(name) is not None]


def _check_configuration(configuration: str | None, given: Mapping[str, Any]) -> None:
    # Sources: https://github.com/aws/aws-sdk-js/issues/4186, https://github.com/go-to-k/cdkd/issues/1923. Passkeys are
    # not a second factor.
    if configuration == "OFF" and configured_factors(given):
        raise invalid_parameter("Invalid MFA configuration given, can't turn off MFA and configure an MFA together.")
    if configuration in ("ON", "OPTIONAL") and not configured_factors(given):
        raise invalid_parameter(
            "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration."
        )


def get_user_pool_mfa_config(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUserPoolMfaConfig."""
    return _mfa_config(state.pool(string(parameters, "UserPoolId")))


def _mfa_config(pool: PoolRecord) -> dict[str, Any]:
    set_up = {name: pool.settings[name] for name in (*_BY_MESSAGE, _PASSKEYS) if name in pool.settings}
    totp = {} if pool.mfa == "OFF" else {_TOTP: {"Enabled": True}}
    return {"MfaConfiguration": pool.mfa, **totp, **set_up}


OPERATIONS = {
    "SetUserPoolMfaConfig": set_user_pool_mfa_config,
    "GetUserPoolMfaConfig": get_user_pool_mfa_config,
}
