"""The next step of a login after a factor was proved: another challenge, or the tokens.

:func:`advance` takes the first line that applies. After the right answer to a challenge it is called again::

    custom login, password not proved --> DefineAuthChallenge decides
    temporary password ----------------> NEW_PASSWORD_REQUIRED
    second factor needed --------------> SELECT_MFA_TYPE, SMS_MFA, EMAIL_OTP, SOFTWARE_TOKEN_MFA or MFA_SETUP
    custom login, not done ------------> DefineAuthChallenge decides
    remembered device -----------------> DEVICE_SRP_AUTH, DEVICE_PASSWORD_VERIFIER, then tokens
    otherwise -------------------------> tokens

DefineAuthChallenge can choose PASSWORD_VERIFIER, CUSTOM_CHALLENGE, the tokens, or the end of the login.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from ..api.errors import Refusal, not_authorized
from ..model import attributes
from ..model.addresses import CODE_CHALLENGES
from ..model.auth_sessions import AuthSession, CustomLogin
from ..model.clock import DAY
from ..model.pool_defaults import temporary_password_days
from ..model.users import DeviceRecord, User
from ..steps import Step
from ..storage.state import State
from ..triggers import claims, events
from . import codes, custom_auth, devices, mfa, passwords, session_limit, srp, tokens
from .caller import Caller

__all__ = ["advance", "complete", "open_challenge", "require_can_log_in", "second_factor_challenge", "send_code"]


def advance(state: State, auth_session: AuthSession, cause: claims.Cause = "Authentication") -> Step[dict[str, Any]]:
    """Return the next challenge of *auth_session*, or the tokens that end it.

    Args:
        cause: what the tokens would be issued after, in the words of the event of PreTokenGeneration.

    Raises:
        Refusal: the user is not allowed to log in, or the device is unknown or not confirmed.
    """
    auth_session = custom_auth.record_answered_challenge(auth_session)
    if _triggers_run_first(auth_session):
        if auth_session.user is not None:
            require_can_log_in(state, auth_session)
        return (yield from _next_custom_challenge(state, auth_session))
    user = require_can_log_in(state, auth_session)
    if user.status == "FORCE_CHANGE_PASSWORD":
        return _new_password_challenge(state, auth_session, user)
    device = devices.of_login(auth_session, user)
    if not _skips_second_factor(auth_session, device):
        second_factor = yield from _mfa_challenge(state, auth_session, user)
        if second_factor is not None:
            return second_factor
    if auth_session.custom is not None and not auth_session.custom.done:
        return (yield from _next_custom_challenge(state, auth_session))
    if device is not None and device.remembered:
        parameters = {"USERNAME": user.username, "DEVICE_KEY": device.key}
        return open_challenge(state, auth_session, "DEVICE_SRP_AUTH", parameters)
    return (yield from complete(state, auth_session, device, cause))


def _triggers_run_first(auth_session: AuthSession) -> bool:
    """Return whether this is a custom login that has not proved the password yet.

    The triggers decide alone then: without a proof, the login must not reach NEW_PASSWORD_REQUIRED or MFA_SETUP, which
    change the user.
    """
    custom = auth_session.custom
    return custom is not None and not custom.done and not custom.password_proved


def _next_custom_challenge(state: State, auth_session: AuthSession) -> Step[dict[str, Any]]:
    custom = auth_session.custom
    name = yield from custom_auth.define(state, auth_session)
    if custom is None or name is None:
        return (yield from advance(state, replace(auth_session, custom=replace(custom or CustomLogin(), done=True))))
    if name == "PASSWORD_VERIFIER" and custom.A is not None:
        pool, user, typed = auth_session.pool, auth_session.user, auth_session.typed
        exchange, parameters = yield from srp.password_challenge(pool, user, typed, int(custom.A, 16))
        asked = replace(auth_session, exchange=exchange, custom=replace(custom, A=None))
        return open_challenge(state, asked, name, parameters)
    if name != "CUSTOM_CHALLENGE":
        raise Refusal(
            "InvalidLambdaResponseException", f"DefineAuthChallenge returned the challenge {name}, which cannot be next"
        )
    created, public = yield from custom_auth.create(state, auth_session)
    shown = auth_session.user or srp.fake_user(auth_session.pool, auth_session.typed)
    return open_challenge(state, created, name, {"USERNAME": shown.username, **public})


def _skips_second_factor(auth_session: AuthSession, device: DeviceRecord | None) -> bool:
    # In a custom login without a password, the triggers have decided what the user must prove.
    by_triggers = auth_session.custom is not None and not auth_session.custom.password_proved
    return auth_session.second_factor_done or by_triggers or devices.replaces_second_factor(auth_session, device)


def require_can_log_in(state: State, auth_session: AuthSession) -> User:
    """Return the user of *auth_session*.

    An administrator may have disabled or deleted the user, or deleted the app client, since the login began. So this is
    checked again before an answer changes the user, and before the tokens are issued.

    Raises:
        Refusal: the user or the app client does not exist, or the user is not allowed to log in now.
    """
    client, user = auth_session.client, auth_session.user
    if state.clients.find(client.client_id) is not client:
        raise state.client_not_found(client.client_id)
    if user is None or not state.users.is_stored(user):
        raise not_authorized()
    if not user.enabled:
        raise not_authorized("User is disabled.")
    passwords.refuse_unusable(user)
    if user.status == "FORCE_CHANGE_PASSWORD":
        days = temporary_password_days(auth_session.pool)
        if state.clock() >= user.password_set + days * DAY:
            raise not_authorized("Temporary password has expired and must be reset by an administrator.")
    return user


def _new_password_challenge(state: State, auth_session: AuthSession, user: User) -> dict[str, Any]:
    missing = [name for name in attributes.required(auth_session.pool) if name not in user.attributes]
    shown = {name: value for name, value in user.attributes.items() if name != "sub"}
    parameters = {
        "USER_ID_FOR_SRP": user.username,
        "requiredAttributes": json.dumps([f"userAttributes.{name}" for name in missing]),
        "userAttributes": json.dumps(shown),
    }
    return open_challenge(state, auth_session, "NEW_PASSWORD_REQUIRED", parameters)


def _mfa_challenge(state: State, auth_session: AuthSession, user: User) -> Step[dict[str, Any] | None]:
    """Return the challenge for the second factor, or None if the user does not need one."""
    factors = mfa.factors(auth_session.pool, user)
    if user.preferred_mfa in factors:
        factors = [user.preferred_mfa]
    if len(factors) > 1:
        return open_challenge(state, auth_session, "SELECT_MFA_TYPE", {"MFAS_CAN_CHOOSE": json.dumps(factors)})
    if factors:
        return (yield from second_factor_challenge(state, auth_session, user, factors[0]))
    if auth_session.pool.mfa == "ON":
        return open_challenge(
            state, auth_session, "MFA_SETUP", {"MFAS_CAN_SETUP": json.dumps(mfa.can_set_up(auth_session.pool))}
        )
    return None


def second_factor_challenge(state: State, auth_session: AuthSession, user: User, factor: str) -> Step[dict[str, Any]]:
    """Return the challenge *factor*: SOFTWARE_TOKEN_MFA, SMS_MFA or EMAIL_OTP. The last two also send a code."""
    if factor == "SOFTWARE_TOKEN_MFA":
        parameters = {"USER_ID_FOR_SRP": user.username, "FRIENDLY_DEVICE_NAME": user.totp_name}
        return open_challenge(state, auth_session, factor, parameters)
    return (yield from send_code(state, auth_session, user, factor, CODE_CHALLENGES[factor], "mfa"))


def send_code(
    state: State, auth_session: AuthSession, user: User, factor: str, attribute: str, purpose: str
) -> Step[dict[str, Any]]:
    """Send a code, and return the challenge *factor*: SMS_MFA, SMS_OTP or EMAIL_OTP.

    Args:
        attribute: the attribute that has the address: ``email`` or ``phone_number``.
        purpose: the purpose of the message in the outbox: ``mfa`` or ``sign_in``.
    """
    composed = yield from codes.compose(state, Caller.of(auth_session), user, attribute, "Authentication")
    # The user of auth_session, because *user* may be a copy with an address that is being set up.
    if auth_session.user is None or not state.users.is_stored(auth_session.user):
        raise not_authorized()
    delivery = codes.deliver(state, user, purpose, composed)
    parameters = {
        "USER_ID_FOR_SRP": user.username,
        "CODE_DELIVERY_DELIVERY_MEDIUM": delivery["DeliveryMedium"],
        "CODE_DELIVERY_DESTINATION": delivery["Destination"],
    }
    address = None if auth_session.new_address is not None else composed.address
    sent = replace(auth_session, code=composed.code, code_address=address)
    return open_challenge(state, sent, factor, parameters)


def open_challenge(state: State, auth_session: AuthSession, name: str, parameters: dict[str, str]) -> dict[str, Any]:
    """Store the login until *name* is answered, and return the challenge with the new Session."""
    session = state.auth_sessions.open(auth_session, name)
    return {"ChallengeName": name, "Session": session, "ChallengeParameters": parameters}


def complete(
    state: State, auth_session: AuthSession, device: DeviceRecord | None, cause: claims.Cause
) -> Step[dict[str, Any]]:
    """Return the reply that ends the login: its tokens, and the key of a new device.

    Args:
        device: the device that the user logged in from; if it is None and the pool tracks devices, a device is added.
        cause: what the tokens are issued after, in the words of the event of PreTokenGeneration.
    """
    pool, client, user = auth_session.pool, auth_session.client, require_can_log_in(state, auth_session)
    caller = Caller.of(auth_session)
    new = pool.tracks_devices and device is None
    yield from events.post_authentication(caller.triggers(state), caller.subject(user), new_device=new)
    changes = yield from tokens.call_trigger(state, caller, user, cause)
    # A trigger takes time, and may change the user itself.
    user = require_can_log_in(state, auth_session)
    new_device = None
    if pool.tracks_devices and device is None:
        device = new_device = devices.add(state, pool, user)
    if device is not None:
        device.authenticated = state.clock()
    until = state.clock() + tokens.refresh_seconds(client)
    session_limit.make_room(state, pool, user)
    grant = tokens.start_grant(state, pool, client, user, device, until, auth_session.event_id)
    result = yield from tokens.issue(state, grant, changes, refresh_until=until)
    if new_device is not None:
        result["NewDeviceMetadata"] = {"DeviceKey": new_device.key, "DeviceGroupKey": new_device.group_key}
    return {"ChallengeParameters": {}, "AuthenticationResult": result}
