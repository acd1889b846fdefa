"""The second factors of a user, and the check of TOTP codes (RFC 6238)."""

from __future__ import annotations

from typing import Any

from srpcore.crypto.totp import verify_totp

from ..model.addresses import CODE_CHALLENGES
from ..model.pools import PoolRecord
from ..model.users import User
from ..storage.state import State

__all__ = ["can_set_up", "factors", "has_what_it_needs", "match_totp", "settings_of"]

_FACTORS = ("SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP")


def factors(pool: PoolRecord, user: User) -> list[str]:
    """Return the second factors that *user* has set up and *pool* allows."""
    if pool.mfa == "OFF":
        return []
    enabled = set(user.enabled_mfa)
    if pool.mfa == "ON" and "SOFTWARE_TOKEN_MFA" not in enabled:
        # If the pool requires a second factor, a verified phone number or e-mail address is used without being enabled.
        enabled |= {"SMS_MFA"} if user.verified("phone_number") else set()
        enabled |= {"EMAIL_OTP"} if user.verified("email") and pool.section("EmailMfaConfiguration") else set()
    return [factor for factor in _FACTORS if factor in enabled and has_what_it_needs(user, factor)]


def has_what_it_needs(user: User, factor: str) -> bool:
    """Return whether *user* has the authenticator app, the phone number or the e-mail address that *factor* needs."""
    if factor == "SOFTWARE_TOKEN_MFA":
        return user.totp_secret is not None
    return CODE_CHALLENGES[factor] in user.attributes


def can_set_up(pool: PoolRecord) -> list[str]:
    """Return the second factors that a user of *pool* can set up while logging in."""
    return ["SOFTWARE_TOKEN_MFA", *(["EMAIL_OTP"] if pool.section("EmailMfaConfiguration") else [])]


def settings_of(user: User) -> dict[str, Any]:
    """Return PreferredMfaSetting and UserMFASettingList, each only if the user has such a setting."""
    enabled = [factor for factor in _FACTORS if factor in user.enabled_mfa]
    preferred = {"PreferredMfaSetting": user.preferred_mfa} if user.preferred_mfa else {}
    return {**preferred, **({"UserMFASettingList": enabled} if enabled else {})}


def match_totp(state: State, secret: str, code: str) -> int | None:
    """Return the time step for which *code* is right, or None. The caller must refuse a step that was used before."""
    return verify_totp(secret, code, state.clock())
