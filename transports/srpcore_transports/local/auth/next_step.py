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

from ..api.errors import Refusal, not_authorized, not_found
from ..model import attributes
from ..model.conversations import Conversation, Custom
from ..model.records import DeviceRecord, User
from ..steps import Step
from ..storage.state import State
from ..triggers import claims, events
from . import codes, custom_auth, devices, mfa, passwords, session_limit, srp, tokens
from .caller import Caller

__all__ = ["advance", "challenge", "complete", "require_can_log_in", "second_factor_challenge", "send_code"]

_DAY = 86400


def advance(state: State, conversation: Conversation, cause: claims.Cause = "Authentication") -> Step[dict[str, Any]]:
    """Return the next challenge of *conversation*, or the tokens that end it.

    Args:
        cause: what the tokens would be issued after, in the words of the event of PreTokenGeneration.

    Raises:
        Refusal: the user is not allowed to log in, or the device is unknown or not confirmed.
    """
    conversation = custom_auth.record_answered_challenge(conversation)
    if _triggers_run_first(conversation):
        if conversation.user is not None:
            require_can_log_in(state, conversation)
        return (yield from _next_custom_challenge(state, conversation))
    user = require_can_log_in(state, conversation)
    if user.status == "FORCE_CHANGE_PASSWORD":
        return _new_password(state, conversation, user)
    device = _device(conversation, user)
    if not _skips_second_factor(conversation, device):
        second_factor = yield from mfa_challenge(state, conversation, user)
        if second_factor is not None:
            return second_factor
    if conversation.custom is not None and not conversation.custom.done:
        return (yield from _next_custom_challenge(state, conversation))
    if device is not None and device.remembered:
        parameters = {"USERNAME": user.username, "DEVICE_KEY": device.key}
        return challenge(state, conversation, "DEVICE_SRP_AUTH", parameters)
    return (yield from complete(state, conversation, device, cause))


def _triggers_run_first(conversation: Conversation) -> bool:
    """Return whether this is a custom login that has not proved the password yet.

    The triggers decide alone then: without a proof, the login must not reach NEW_PASSWORD_REQUIRED or MFA_SETUP, which
    change the user.
    """
    custom = conversation.custom
    return custom is not None and not custom.done and not custom.password_proved


def _next_custom_challenge(state: State, conversation: Conversation) -> Step[dict[str, Any]]:
    custom = conversation.custom
    name = yield from custom_auth.define(state, conversation)
    if custom is None or name is None:
        return (yield from advance(state, replace(conversation, custom=replace(custom or Custom(), done=True))))
    if name == "PASSWORD_VERIFIER" and custom.A is not None:
        challenged = conversation.user or srp.fake_user(conversation.pool, conversation.typed)
        exchange, parameters = yield from srp.password_challenge(conversation.pool, challenged, int(custom.A, 16))
        asked = replace(conversation, exchange=exchange, custom=replace(custom, A=None))
        return challenge(state, asked, name, parameters)
    if name != "CUSTOM_CHALLENGE":
        raise Refusal(
            "InvalidLambdaResponseException", f"DefineAuthChallenge returned the challenge {name}, which cannot be next"
        )
    created, public = yield from custom_auth.create(state, conversation)
    shown = conversation.user or srp.fake_user(conversation.pool, conversation.typed)
    return challenge(state, created, name, {"USERNAME": shown.username, **public})


def _skips_second_factor(conversation: Conversation, device: DeviceRecord | None) -> bool:
    # In a custom login without a password, the triggers have decided what the user must prove.
    by_triggers = conversation.custom is not None and not conversation.custom.password_proved
    return conversation.second_factor_done or by_triggers or _device_replaces_second_factor(conversation, device)


def require_can_log_in(state: State, conversation: Conversation) -> User:
    """Return the user of *conversation*.

    An administrator may have disabled or deleted the user since the login began. So this is checked again before an
    answer changes the user, and before the tokens are issued.

    Raises:
        Refusal: the user does not exist, or is not allowed to log in now.
    """
    user = conversation.user
    if user is None or not state.users.is_stored(user):
        raise not_authorized()
    if not user.enabled:
        raise not_authorized("User is disabled.")
    passwords.refuse_unusable(user)
    if user.status == "FORCE_CHANGE_PASSWORD":
        days = int(conversation.pool.password_policy.get("TemporaryPasswordValidityDays") or 7)
        if state.clock() >= user.password_set + days * _DAY:
            raise not_authorized("Temporary password has expired and must be reset by an administrator.")
    return user


def _new_password(state: State, conversation: Conversation, user: User) -> dict[str, Any]:
    missing = [name for name in attributes.required(conversation.pool) if name not in user.attributes]
    shown = {name: value for name, value in user.attributes.items() if name != "sub"}
    parameters = {
        "USER_ID_FOR_SRP": user.username,
        "requiredAttributes": json.dumps([f"userAttributes.{name}" for name in missing]),
        "userAttributes": json.dumps(shown),
    }
    return challenge(state, conversation, "NEW_PASSWORD_REQUIRED", parameters)


def _device(conversation: Conversation, user: User) -> DeviceRecord | None:
    if not conversation.device_key:
        return None
    device = user.devices.get(conversation.device_key)
    if device is None or not device.confirmed:
        raise not_found("Device does not exist.")
    return device


def _device_replaces_second_factor(conversation: Conversation, device: DeviceRecord | None) -> bool:
    # With ChallengeRequiredOnNewDevice a remembered device replaces the second factor.
    section = conversation.pool.section("DeviceConfiguration")
    return device is not None and device.remembered and bool(section.get("ChallengeRequiredOnNewDevice"))


def mfa_challenge(state: State, conversation: Conversation, user: User) -> Step[dict[str, Any] | None]:
    """Return the challenge for the second factor, or None if the user does not need one."""
    factors = mfa.factors(conversation.pool, user)
    if user.preferred_mfa in factors:
        factors = [user.preferred_mfa]
    if len(factors) > 1:
        return challenge(state, conversation, "SELECT_MFA_TYPE", {"MFAS_CAN_CHOOSE": json.dumps(factors)})
    if factors:
        return (yield from second_factor_challenge(state, conversation, user, factors[0]))
    if conversation.pool.mfa == "ON":
        return challenge(
            state, conversation, "MFA_SETUP", {"MFAS_CAN_SETUP": json.dumps(mfa.can_set_up(conversation.pool))}
        )
    return None


def second_factor_challenge(state: State, conversation: Conversation, user: User, factor: str) -> Step[dict[str, Any]]:
    """Return the challenge *factor*: SOFTWARE_TOKEN_MFA, SMS_MFA or EMAIL_OTP. The last two also send a code."""
    if factor == "SOFTWARE_TOKEN_MFA":
        parameters = {"USER_ID_FOR_SRP": user.username, "FRIENDLY_DEVICE_NAME": user.totp_name}
        return challenge(state, conversation, factor, parameters)
    attribute = "email" if factor == "EMAIL_OTP" else "phone_number"
    return (yield from send_code(state, conversation, user, factor, attribute, "mfa"))


def send_code(
    state: State, conversation: Conversation, user: User, factor: str, attribute: str, purpose: str
) -> Step[dict[str, Any]]:
    """Send a code, and return the challenge *factor*: SMS_MFA, SMS_OTP or EMAIL_OTP.

    Args:
        attribute: the attribute that has the address: ``email`` or ``phone_number``.
        purpose: the purpose of the message in the outbox: ``mfa`` or ``sign_in``.
    """
    letter = yield from codes.compose(state, Caller.of(conversation), user, attribute, "Authentication")
    # The conversation's user, because *user* may be a copy with an address that is being set up.
    if conversation.user is None or not state.users.is_stored(conversation.user):
        raise not_authorized()
    delivery = codes.deliver(state, user, purpose, letter)
    parameters = {
        "USER_ID_FOR_SRP": user.username,
        "CODE_DELIVERY_DELIVERY_MEDIUM": delivery["DeliveryMedium"],
        "CODE_DELIVERY_DESTINATION": delivery["Destination"],
    }
    return challenge(state, replace(conversation, code=letter.code), factor, parameters)


def challenge(state: State, conversation: Conversation, name: str, parameters: dict[str, str]) -> dict[str, Any]:
    """Return the challenge *name*, with a new Session for its answer."""
    session = state.conversations.open(conversation, name)
    return {"ChallengeName": name, "Session": session, "ChallengeParameters": parameters}


def complete(
    state: State, conversation: Conversation, device: DeviceRecord | None, cause: claims.Cause
) -> Step[dict[str, Any]]:
    """Return the reply that ends the login: its tokens, and the key of a new device.

    Args:
        device: the device that the user logged in from; if it is None and the pool tracks devices, a device is added.
        cause: what the tokens are issued after, in the words of the event of PreTokenGeneration.
    """
    pool, client, user = conversation.pool, conversation.client, require_can_log_in(state, conversation)
    caller = Caller.of(conversation)
    new = pool.tracks_devices and device is None
    yield from events.post_authentication(caller.triggers(state), caller.subject(user), new_device=new)
    changes = yield from tokens.call_trigger(state, caller, user, cause)
    # A trigger takes time, and may change the user itself.
    user = require_can_log_in(state, conversation)
    new_device = None
    if pool.tracks_devices and device is None:
        device = new_device = devices.add(state, pool, user)
    if device is not None:
        device.authenticated = state.clock()
    until = state.clock() + tokens.refresh_seconds(client)
    session_limit.make_room(state, pool, user)
    grant = tokens.start(state, pool, client, user, device, until, conversation.event_id)
    result = yield from tokens.issue(state, grant, changes, refresh_until=until)
    if new_device is not None:
        result["NewDeviceMetadata"] = {"DeviceKey": new_device.key, "DeviceGroupKey": new_device.group_key}
    return {"ChallengeParameters": {}, "AuthenticationResult": result}
