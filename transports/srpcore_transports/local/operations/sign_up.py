"""The operations that sign a user up and confirm the account with a code."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, expired_code, invalid_parameter, not_authorized
from ..api.parameters import Parameters, flag, optional_string, string
from ..api.parameters import attributes as read_attributes
from ..auth import auth_events, client_secret, codes, passwords, sign_up_session
from ..auth.caller import Caller, read_metadata
from ..auth.named_user import check_hash_and_find_user, refuse_unknown, simulated_delivery
from ..model import attributes
from ..model.pools import PoolRecord
from ..model.users import User
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State
from ..triggers import events

__all__ = ["OPERATIONS"]


def sign_up(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer SignUp."""
    username, password = string(parameters, "Username"), string(parameters, "Password")
    client, pool = directory.client_and_pool(state, parameters)
    client_secret.check_hash(client, optional_string(parameters, "SecretHash"), username)
    given = read_attributes(parameters)
    if pool.section("AdminCreateUserConfig").get("AllowAdminCreateUserOnly"):
        raise not_authorized("SignUp is not permitted for this user pool")
    passwords.check_policy(pool, password)
    attributes.check_writer(client, given)
    attributes.fill_username_attribute(pool, username, given)
    given = attributes.check(pool, given)
    attributes.check_required(pool, given)
    caller = Caller(pool, client, read_metadata(parameters))
    user = pool.new_user(username, state.clock())
    triggers, subject = caller.triggers(state), caller.new_user(user.username, given)
    validation_data = read_attributes(parameters, "ValidationData")
    decision = yield from events.pre_sign_up(triggers, "SignUp", subject, validation_data)
    user.attributes |= given
    delivery = yield from _add(state, caller, user, parameters, decision)
    if decision.confirm:
        yield from events.post_confirmation(triggers, "ConfirmSignUp", caller.subject(user))
    auth_events.record(state, pool, user, "SignUp")
    session = sign_up_session.new(state, pool, client, user, username)
    return {"UserConfirmed": decision.confirm, "UserSub": user.sub, **delivery, **session}


def _add(
    state: State, caller: Caller, user: User, parameters: Parameters, decision: events.SignUpDecision
) -> Step[dict[str, Any]]:
    """Add *user*, and send a code unless the trigger has confirmed the user; return CodeDeliveryDetails."""
    pool, attribute = caller.pool, None if decision.confirm else _delivery_attribute(caller.pool, user)
    verifier = yield from passwords.make_verifier(pool, user.username, string(parameters, "Password"))
    composed = None if attribute is None else (yield from codes.compose(state, caller, user, attribute, "SignUp"))
    # Check the name only now: another request may have created this user meanwhile.
    directory.check_new_username(state, pool, string(parameters, "Username"))
    _verify(state, pool, user, decision)
    passwords.store(state, pool, user, verifier, "CONFIRMED" if decision.confirm else "UNCONFIRMED")
    user.created = user.modified
    state.users.add(pool, user)
    return {} if composed is None else {"CodeDeliveryDetails": codes.send(state, user, "sign_up", composed)}


def _verify(state: State, pool: PoolRecord, user: User, decision: events.SignUpDecision) -> None:
    for attribute in decision.verified:
        # Documented: an alias of another user is taken away.
        directory.check_alias_free(state, pool, user, attribute, user.attributes[attribute], force=True)
        user.attributes[f"{attribute}_verified"] = "true"


def _delivery_attribute(pool: PoolRecord, user: User) -> str | None:
    """Return the attribute that a confirmation code is sent to: ``phone_number``, ``email`` or None.

    It is the first of them that the user has and that the pool's AutoVerifiedAttributes contains.
    """
    wanted = pool.names("AutoVerifiedAttributes")
    return next((a for a in ("phone_number", "email") if a in wanted and user.attributes.get(a)), None)


def confirm_sign_up(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer ConfirmSignUp: confirm the user, and verify the address that the code was sent to."""
    given = string(parameters, "ConfirmationCode")
    client, pool = directory.client_and_pool(state, parameters)
    caller = Caller(pool, client, read_metadata(parameters))
    username, user = check_hash_and_find_user(state, client, pool, parameters)
    if user is None or not user.enabled:
        raise expired_code()
    if user.status != "UNCONFIRMED":
        raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
    session = optional_string(parameters, "Session")
    signed_up = sign_up_session.take(state, session, pool, client, user, username)
    try:
        code = codes.redeem(state, user, "sign_up", given)
    except Refusal:
        sign_up_session.put_back(state, session, signed_up)
        raise
    force = flag(parameters, "ForceAliasCreation")
    directory.check_alias_free(state, pool, user, code.attribute, user.attributes[code.attribute], force=force)
    user.attributes[f"{code.attribute}_verified"] = "true"
    user.status, user.modified = "CONFIRMED", state.clock()
    # The user remains confirmed if this trigger fails: it runs after the confirmation.
    yield from events.post_confirmation(caller.triggers(state), "ConfirmSignUp", caller.subject(user))
    return sign_up_session.confirmed(state, signed_up)


def resend_confirmation_code(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer ResendConfirmationCode."""
    client, pool = directory.client_and_pool(state, parameters)
    caller = Caller(pool, client, read_metadata(parameters))
    username, user = check_hash_and_find_user(state, client, pool, parameters)
    if user is None or not user.enabled:
        return {"CodeDeliveryDetails": simulated_delivery(pool, username, pool.names("AutoVerifiedAttributes"))}
    if user.status != "UNCONFIRMED":
        raise invalid_parameter("User is already confirmed.")
    attribute = _delivery_attribute(pool, user)
    if attribute is None:
        raise Refusal("CodeDeliveryFailureException", "Cannot resend codes. Auto verification not turned on.")
    try:
        sent = yield from codes.compose_and_send(state, caller, user, "sign_up", attribute, "ResendCode")
    except Refusal:
        if state.users.is_stored(user):
            raise
        # The user was deleted meanwhile.
        refuse_unknown(client)
        return {"CodeDeliveryDetails": simulated_delivery(pool, username, pool.names("AutoVerifiedAttributes"))}
    auth_events.record(state, pool, user, "ResendCode")
    return {"CodeDeliveryDetails": sent}


OPERATIONS: dict[str, Handler] = {
    "SignUp": sign_up,
    "ConfirmSignUp": confirm_sign_up,
    "ResendConfirmationCode": resend_confirmation_code,
}
