"""Second factors: set up an authenticator app, set preferences, and check TOTP codes (RFC 6238)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from srpcore.crypto.totp import verify_totp

from ..api.errors import Refusal, invalid_parameter, invalid_session, not_authorized
from ..api.parameters import Parameters, flag, mapping, optional_string, string
from ..model.auth_sessions import AuthSession
from ..model.records import PoolRecord, User
from ..storage import directory
from ..storage.state import State
from . import tries
from .tokens import verify_access_token

__all__ = ["OPERATIONS", "can_set_up", "configured_factors", "factors", "match_totp", "set_preference", "settings_of"]

SECRET_BYTES = 32
_SET_UP = "totp_setup"
# What a user must have for each factor, and the parameter of SetUserMFAPreference that sets it.
_FACTORS = {"SMS_MFA": "phone_number", "SOFTWARE_TOKEN_MFA": "totp", "EMAIL_OTP": "email"}
_SETTINGS = {
    "SMS_MFA": "SMSMfaSettings",
    "SOFTWARE_TOKEN_MFA": "SoftwareTokenMfaSettings",
    "EMAIL_OTP": "EmailMfaSettings",
}
_OTHER_CONFIGURATIONS = ("SmsMfaConfiguration", "EmailMfaConfiguration", "WebAuthnConfiguration")


def factors(pool: PoolRecord, user: User) -> list[str]:
    """Return the second factors that *user* has set up and *pool* allows."""
    if pool.mfa == "OFF":
        return []
    enabled = set(user.enabled_mfa)
    if pool.mfa == "ON" and "SOFTWARE_TOKEN_MFA" not in enabled:
        # If the pool requires a second factor, a verified phone number or e-mail address is used without being enabled.
        enabled |= {"SMS_MFA"} if user.verified("phone_number") else set()
        enabled |= {"EMAIL_OTP"} if user.verified("email") and pool.section("EmailMfaConfiguration") else set()
    return [factor for factor, needed in _FACTORS.items() if factor in enabled and _has_required(user, needed)]


def _has_required(user: User, needed: str) -> bool:
    return user.totp_secret is not None if needed == "totp" else needed in user.attributes


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


def associate_software_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AssociateSoftwareToken, called with an access token or with the Session of MFA_SETUP."""
    user, pool, auth_session = _enrolling_user(state, parameters)
    if pool.mfa == "OFF":
        raise Refusal("SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
    user.totp_pending = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii").rstrip("=")
    return {"SecretCode": user.totp_pending, **_next_session(state, auth_session)}


def verify_software_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer VerifySoftwareToken: a right code proves that the authenticator app has the secret."""
    code = string(parameters, "UserCode")
    user, _, auth_session = _enrolling_user(state, parameters)
    tries.require(state, user, _SET_UP, tries.locked())
    step = None if user.totp_pending is None else match_totp(state, user.totp_pending, code)
    if step is None:
        tries.count_wrong(state, user, _SET_UP)
        if auth_session is not None:
            tries.allow_another(state, string(parameters, "Session"), auth_session)
        raise Refusal("EnableSoftwareTokenMFAException", "Code mismatch")
    tries.forgive(user, _SET_UP)
    user.totp_secret, user.totp_pending, user.totp_step = user.totp_pending, None, step
    user.totp_name = optional_string(parameters, "FriendlyDeviceName") or ""
    if auth_session is not None:
        # With a Session the user is logging in to a pool that requires a second factor, so enable this one at once.
        # With an access token the user enables it later, with SetUserMFAPreference.
        user.enabled_mfa.add("SOFTWARE_TOKEN_MFA")
    return {"Status": "SUCCESS", **_next_session(state, auth_session)}


def _enrolling_user(state: State, parameters: Parameters) -> tuple[User, PoolRecord, AuthSession | None]:
    token, session = optional_string(parameters, "AccessToken"), optional_string(parameters, "Session")
    if token is not None:
        holder = verify_access_token(state, token)
        return holder.user, holder.pool, None
    if session is None:
        raise invalid_parameter("Either AccessToken or Session is required")
    auth_session = state.auth_sessions.take(session)
    if "MFA_SETUP" not in auth_session.challenges or auth_session.user is None:
        raise invalid_session()
    if not auth_session.user.enabled:
        raise not_authorized("User is disabled.")
    return auth_session.user, auth_session.pool, auth_session


def _next_session(state: State, auth_session: AuthSession | None) -> dict[str, str]:
    return {} if auth_session is None else {"Session": state.auth_sessions.open(auth_session, "MFA_SETUP")}


def set_user_mfa_preference(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserMFAPreference."""
    holder = verify_access_token(state, string(parameters, "AccessToken"))
    return set_preference(holder.pool, holder.user, parameters)


def admin_set_user_mfa_preference(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminSetUserMFAPreference."""
    return set_preference(*directory.pool_and_user(state, parameters), parameters)


def set_preference(pool: PoolRecord, user: User, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserMFAPreference for *user*.

    Raises:
        Refusal: the pool or the user does not have what a factor needs, or the preference is contradictory.
    """
    given = {factor: mapping(parameters, name) for factor, name in _SETTINGS.items() if mapping(parameters, name)}
    on = {factor for factor, settings in given.items() if flag(settings, "Enabled")}
    first = [factor for factor, settings in given.items() if flag(settings, "PreferredMfa")]
    _check_preference(pool, user, on, first)
    user.enabled_mfa = (user.enabled_mfa - set(given)) | on
    if first:
        user.preferred_mfa = first[0]
    elif user.preferred_mfa in given:
        user.preferred_mfa = None
    return {}


def _check_preference(pool: PoolRecord, user: User, on: set[str], first: list[str]) -> None:
    if on and pool.mfa == "OFF":
        raise invalid_parameter("User pool does not have MFA enabled")
    if len(first) > 1:
        raise invalid_parameter("Only one factor can be preferred")
    if not set(first) <= on:
        raise invalid_parameter("A factor that is not enabled cannot be preferred")
    for factor in sorted(on):
        if not _has_required(user, _FACTORS[factor]):
            if factor == "SOFTWARE_TOKEN_MFA":
                raise invalid_parameter("User has not verified software token mfa")
            raise invalid_parameter(f"User does not have delivery config set to turn on {factor}")


def set_user_pool_mfa_config(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserPoolMfaConfig.

    MfaConfiguration OPTIONAL or ON allows all second factors together: the pool has no switch for each of them.
    """
    pool = state.pool(string(parameters, "UserPoolId"))
    configuration = optional_string(parameters, "MfaConfiguration")
    given = {
        name: mapping(parameters, name)
        for name in ("SoftwareTokenMfaConfiguration", *_OTHER_CONFIGURATIONS)
        if parameters.get(name) is not None
    }
    _check_configuration(configuration, given)
    if configuration is not None:
        pool.settings["MfaConfiguration"] = configuration
    if configuration == "OFF":
        pool.settings.pop("SoftwareTokenMfaConfiguration", None)
    pool.settings |= given
    return _mfa_config(pool)


def configured_factors(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings that configure second factors."""
    on = ["SoftwareTokenMfaConfiguration"] if mapping(settings, "SoftwareTokenMfaConfiguration").get("Enabled") else []
    return on + [name for name in ("SmsMfaConfiguration", "EmailMfaConfiguration") if settings.get(name) is not None]


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
    set_up = {name: pool.settings[name] for name in _OTHER_CONFIGURATIONS if name in pool.settings}
    return {
        "MfaConfiguration": pool.mfa,
        "SoftwareTokenMfaConfiguration": {"Enabled": pool.mfa != "OFF"},
        **set_up,
    }


OPERATIONS = {
    "AssociateSoftwareToken": associate_software_token,
    "VerifySoftwareToken": verify_software_token,
    "SetUserMFAPreference": set_user_mfa_preference,
    "AdminSetUserMFAPreference": admin_set_user_mfa_preference,
    "SetUserPoolMfaConfig": set_user_pool_mfa_config,
    "GetUserPoolMfaConfig": get_user_pool_mfa_config,
}
