"""Second factors: enrol an authenticator app, choose what is asked for, and match TOTP codes (RFC 6238)."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from srpcore.crypto.totp import verify_totp

from . import directory
from .conversations import Conversation
from .errors import Refusal, invalid_parameter, invalid_session
from .grants import verify_access_token
from .parameters import Parameters, choice, flag, mapping, optional_text, text
from .records import User, UserPool

if TYPE_CHECKING:
    from .state import State

__all__ = ["OPERATIONS", "factors", "match_totp", "settings_of"]

SECRET_BYTES = 32


def factors(pool: UserPool, user: User) -> list[str]:
    """Return the second factors that *user* has set up and *pool* allows."""
    if pool.mfa == "OFF":
        return []
    sms = user.sms_enabled or (pool.mfa == "ON" and not user.totp_enabled and user.verified("phone_number"))
    return ["SMS_MFA"] * (sms and "phone_number" in user.attributes) + ["SOFTWARE_TOKEN_MFA"] * user.totp_enabled


def settings_of(user: User) -> dict[str, Any]:
    """Return PreferredMfaSetting and UserMFASettingList, where there is something to say."""
    enabled = ["SMS_MFA"] * user.sms_enabled + ["SOFTWARE_TOKEN_MFA"] * user.totp_enabled
    preferred = {"PreferredMfaSetting": user.preferred_mfa} if user.preferred_mfa else {}
    return {**preferred, **({"UserMFASettingList": enabled} if enabled else {})}


def match_totp(state: State, secret: str, code: str) -> int | None:
    """Return the time step for which *code* is right, used before or not; None where it is wrong."""
    return verify_totp(secret, code, state.clock())


def associate_software_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AssociateSoftwareToken, with an access token or in the Session of MFA_SETUP."""
    user, pool, conversation = _enrolling(state, parameters)
    if pool.mfa == "OFF":
        raise Refusal("SoftwareTokenMFANotFoundException", "Software Token MFA has not been enabled by the userPool")
    user.totp_pending = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii").rstrip("=")
    return {"SecretCode": user.totp_pending, **_next_session(state, conversation)}


def verify_software_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer VerifySoftwareToken: the code shows that the app has the secret."""
    code = text(parameters, "UserCode")
    user, _, conversation = _enrolling(state, parameters)
    step = None if user.totp_pending is None else match_totp(state, user.totp_pending, code)
    if step is None:
        _allow_retry(state, parameters, conversation)
        raise Refusal("EnableSoftwareTokenMFAException", "Code mismatch")
    user.totp_secret, user.totp_pending, user.totp_step = user.totp_pending, None, step
    user.totp_name = optional_text(parameters, "FriendlyDeviceName") or ""
    if conversation is not None:
        # Enrolled on the way in, where the pool demands a second factor: it is set with that.
        user.totp_enabled = True
    return {"Status": "SUCCESS", **_next_session(state, conversation)}


def _enrolling(state: State, parameters: Parameters) -> tuple[User, UserPool, Conversation | None]:
    token, session = optional_text(parameters, "AccessToken"), optional_text(parameters, "Session")
    if token is not None:
        holder = verify_access_token(state, token)
        return holder.user, holder.pool, None
    if session is None:
        raise invalid_parameter("Either AccessToken or Session is required")
    conversation = state.conversations.take(session)
    if "MFA_SETUP" not in conversation.challenges or conversation.user is None:
        raise invalid_session()
    return conversation.user, conversation.pool, conversation


def _next_session(state: State, conversation: Conversation | None) -> dict[str, str]:
    return {} if conversation is None else {"Session": state.conversations.open(conversation, "MFA_SETUP")}


def _allow_retry(state: State, parameters: Parameters, conversation: Conversation | None) -> None:
    # A mistyped code may be tried again in the Session it came with.
    if conversation is not None and conversation.wrong_codes < 4:
        retried = replace(conversation, wrong_codes=conversation.wrong_codes + 1)
        state.conversations.put_back(text(parameters, "Session"), retried)


def set_user_mfa_preference(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserMFAPreference."""
    holder = verify_access_token(state, text(parameters, "AccessToken"))
    return _set_preference(holder.pool, holder.user, parameters)


def admin_set_user_mfa_preference(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminSetUserMFAPreference."""
    pool = state.pool(text(parameters, "UserPoolId"))
    return _set_preference(pool, directory.require(pool, text(parameters, "Username")), parameters)


def _set_preference(pool: UserPool, user: User, parameters: Parameters) -> dict[str, Any]:
    sms, token = mapping(parameters, "SMSMfaSettings"), mapping(parameters, "SoftwareTokenMfaSettings")
    sms_on = flag(sms, "Enabled", default=user.sms_enabled and not sms)
    token_on = flag(token, "Enabled", default=user.totp_enabled and not token)
    sms_first, token_first = flag(sms, "PreferredMfa"), flag(token, "PreferredMfa")
    _check_preference(pool, user, sms_on, token_on, sms_first, token_first)
    user.sms_enabled, user.totp_enabled = sms_on, token_on
    for factor, given, first in (("SMS_MFA", sms, sms_first), ("SOFTWARE_TOKEN_MFA", token, token_first)):
        if first:
            user.preferred_mfa = factor
        elif given and user.preferred_mfa == factor:
            user.preferred_mfa = None
    return {}


def _check_preference(
    pool: UserPool, user: User, sms_on: bool, token_on: bool, sms_first: bool, token_first: bool
) -> None:
    if (sms_on or token_on) and pool.mfa == "OFF":
        raise invalid_parameter("User pool does not have MFA enabled")
    if sms_first and token_first:
        raise invalid_parameter("Only one of SMS and Software Token MFA can be preferred")
    if (sms_first and not sms_on) or (token_first and not token_on):
        raise invalid_parameter("A factor that is not enabled cannot be preferred")
    if sms_on and "phone_number" not in user.attributes:
        raise invalid_parameter("User does not have delivery config set to turn on SMS_MFA")
    if token_on and user.totp_secret is None:
        raise invalid_parameter("User has not verified software token mfa")


def set_user_pool_mfa_config(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserPoolMfaConfig: OFF, OPTIONAL or ON; the authenticator app and SMS are allowed together."""
    pool = state.pool(text(parameters, "UserPoolId"))
    configuration = choice(parameters, "MfaConfiguration", ("OFF", "OPTIONAL", "ON"))
    if configuration is not None:
        pool.settings["MfaConfiguration"] = configuration
    return _mfa_config(pool)


def get_user_pool_mfa_config(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUserPoolMfaConfig."""
    return _mfa_config(state.pool(text(parameters, "UserPoolId")))


def _mfa_config(pool: UserPool) -> dict[str, Any]:
    return {"MfaConfiguration": pool.mfa, "SoftwareTokenMfaConfiguration": {"Enabled": pool.mfa != "OFF"}}


OPERATIONS = {
    "AssociateSoftwareToken": associate_software_token,
    "VerifySoftwareToken": verify_software_token,
    "SetUserMFAPreference": set_user_mfa_preference,
    "AdminSetUserMFAPreference": admin_set_user_mfa_preference,
    "SetUserPoolMfaConfig": set_user_pool_mfa_config,
    "GetUserPoolMfaConfig": get_user_pool_mfa_config,
}
