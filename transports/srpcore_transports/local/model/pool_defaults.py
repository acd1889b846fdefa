"""The settings of a user pool that the service fills in if CreateUserPool or UpdateUserPool leaves them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .pools import PoolRecord

__all__ = ["described_settings", "has_threat_protection", "is_default", "temporary_password_days", "tier"]

# Source: an answer of DescribeUserPool of 2023, https://github.com/kengraf/nadialin, and for what is newer the API
# reference of SignInPolicyType, and "User pool feature plans" of the developer guide.
_PASSWORD_POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
_SIGN_IN_POLICY = {"AllowedFirstAuthFactors": ["PASSWORD"]}
_DEFAULTS: dict[str, Any] = {
    "DeletionProtection": "INACTIVE",
    "LambdaConfig": {},
    "UserPoolTier": "ESSENTIALS",
}
_SECTIONS: dict[str, dict[str, Any]] = {
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
    "EmailConfiguration": {"EmailSendingAccount": "COGNITO_DEFAULT"},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False, "UnusedAccountValidityDays": 7},
}
# The older names of members of VerificationMessageTemplate. The service describes both, and the template wins. Source:
# https://github.com/hashicorp/terraform-provider-aws/issues/2423.
_OLDER_NAMES = {
    "SmsVerificationMessage": "SmsMessage",
    "EmailVerificationMessage": "EmailMessage",
    "EmailVerificationSubject": "EmailSubject",
}


def temporary_password_days(pool: PoolRecord) -> int:
    """Return how many days a temporary password is valid.

    The API reference of PasswordPolicyType: "If you submit a value of 0, Amazon Cognito treats it as a null value and
    sets TemporaryPasswordValidityDays to its default value."
    """
    default = _PASSWORD_POLICY["TemporaryPasswordValidityDays"]
    return int(pool.password_policy.get("TemporaryPasswordValidityDays") or default)


def is_default(name: str, value: object) -> bool:
    """Return whether *value* is the default of the setting *name*."""
    return bool(value == _DEFAULTS.get(name, _SECTIONS.get(name)))


def has_threat_protection(settings: Mapping[str, Any]) -> bool:
    """Return whether AdvancedSecurityMode is on in the *settings* of a pool."""
    add_ons: Mapping[str, Any] = settings.get("UserPoolAddOns") or {}
    return bool(add_ons.get("AdvancedSecurityMode", "OFF") != "OFF")


def tier(settings: Mapping[str, Any]) -> str:
    """Return UserPoolTier of a pool with these *settings*. PLUS is the default if they need it."""
    return str(settings.get("UserPoolTier") or ("PLUS" if has_threat_protection(settings) else "ESSENTIALS"))


def described_settings(pool: PoolRecord) -> dict[str, Any]:
    """Return the settings of *pool* as DescribeUserPool shows them."""
    settings = {**_DEFAULTS, **{name: value for name, value in pool.settings.items() if value is not None}}
    for name, section in _SECTIONS.items():
        settings[name] = {**section, **(settings.get(name) or {})}
    template = settings["VerificationMessageTemplate"]
    for older, name in _OLDER_NAMES.items():
        text = template.get(name) or settings.get(older)
        if text:
            settings[older] = template[name] = text
    settings["UserPoolTier"] = tier(pool.settings)
    settings["Policies"] = {"PasswordPolicy": _password_policy(pool), "SignInPolicy": _sign_in_policy(pool)}
    days = settings["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"]
    if "UnusedAccountValidityDays" not in pool.section("AdminCreateUserConfig"):
        # This is the older name of the same setting.
        settings["AdminCreateUserConfig"]["UnusedAccountValidityDays"] = days
    return settings


def _password_policy(pool: PoolRecord) -> dict[str, Any]:
    policy = {**_PASSWORD_POLICY, **{name: value for name, value in pool.password_policy.items() if value is not None}}
    policy["TemporaryPasswordValidityDays"] = temporary_password_days(pool)
    if not policy.get("PasswordHistorySize"):
        policy.pop("PasswordHistorySize", None)
    return policy


def _sign_in_policy(pool: PoolRecord) -> dict[str, Any]:
    return {**_SIGN_IN_POLICY, "AllowedFirstAuthFactors": pool.first_factors}
