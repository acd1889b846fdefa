"""The operations on the second factors of a user: set up or remove an authenticator app, and choose the factors."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from msgspec.structs import replace

from ..api.errors import Refusal, invalid_parameter, invalid_session, not_authorized
from ..api.parameters import Parameters, flag, mapping, optional_string, string
from ..auth import mfa, tries
from ..auth.token_verification import verify_access_token
from ..model.auth_sessions import AuthSession
from ..model.pools import PoolRecord
from ..model.users import User
from ..storage import directory
from ..storage.state import State

__all__ = ["OPERATIONS", "set_preference"]

SECRET_BYTES = 32
_SET_UP = "totp_setup"
# The parameter of SetUserMFAPreference for each second factor.
_SETTINGS = {
    "SMS_MFA": "SMSMfaSettings",
    "SOFTWARE_TOKEN_MFA": "SoftwareTokenMfaSettings",
    "EMAIL_OTP": "EmailMfaSettings",
}


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
    tries.require_code(state, user, _SET_UP, tries.locked())
    time_step = None if user.totp_pending is None else mfa.match_totp(state, user.totp_pending, code)
    if time_step is None:
        tries.count_wrong(state, user, _SET_UP)
        if auth_session is not None:
            tries.allow_another(state, string(parameters, "Session"), auth_session)
        raise Refusal("EnableSoftwareTokenMFAException", "Code mismatch")
    tries.forgive(user, _SET_UP)
    user.totp_secret, user.totp_pending, user.totp_step = user.totp_pending, None, time_step
    user.totp_name = optional_string(parameters, "FriendlyDeviceName") or ""
    if auth_session is not None:
        # With a Session the user is logging in to a pool that requires a second factor, so enable this one at once.
        # With an access token the user enables it later, with SetUserMFAPreference.
        user.enabled_mfa.add("SOFTWARE_TOKEN_MFA")
        auth_session = replace(auth_session, wrong=0)
    return {"Status": "SUCCESS", **_next_session(state, auth_session)}


def _enrolling_user(state: State, parameters: Parameters) -> tuple[User, PoolRecord, AuthSession | None]:
    token, session = optional_string(parameters, "AccessToken"), optional_string(parameters, "Session")
    if token is not None:
        grant = verify_access_token(state, token)
        return grant.user, grant.pool, None
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


def admin_delete_software_token(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminDeleteSoftwareToken, for a user who has lost the phone; it is not an error if there is no token."""
    _, user = directory.pool_and_user(state, parameters)
    user.totp_secret = user.totp_pending = None
    user.totp_name = ""
    user.enabled_mfa.discard("SOFTWARE_TOKEN_MFA")
    if user.preferred_mfa == "SOFTWARE_TOKEN_MFA":
        user.preferred_mfa = None
    user.modified = state.clock()
    return {}


def set_user_mfa_preference(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetUserMFAPreference."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    return set_preference(grant.pool, grant.user, parameters)


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
    preferred = [factor for factor, settings in given.items() if flag(settings, "PreferredMfa")]
    _check_preference(pool, user, on, preferred)
    user.enabled_mfa = (user.enabled_mfa - set(given)) | on
    if preferred:
        user.preferred_mfa = preferred[0]
    elif user.preferred_mfa in given:
        user.preferred_mfa = None
    return {}


def _check_preference(pool: PoolRecord, user: User, on: set[str], preferred: list[str]) -> None:
    if on and pool.mfa == "OFF":
        raise invalid_parameter("User pool does not have MFA enabled")
    if len(preferred) > 1:
        raise invalid_parameter("Only one factor can be preferred")
    if not set(preferred) <= on:
        raise invalid_parameter("A factor that is not enabled cannot be preferred")
    for factor in sorted(on):
        if not mfa.has_what_it_needs(user, factor):
            if factor == "SOFTWARE_TOKEN_MFA":
                raise invalid_parameter("User has not verified software token mfa")
            raise invalid_parameter(f"User does not have delivery config set to turn on {factor}")


OPERATIONS = {
    "AssociateSoftwareToken": associate_software_token,
    "VerifySoftwareToken": verify_software_token,
    "AdminDeleteSoftwareToken": admin_delete_software_token,
    "SetUserMFAPreference": set_user_mfa_preference,
    "AdminSetUserMFAPreference": admin_set_user_mfa_preference,
}
