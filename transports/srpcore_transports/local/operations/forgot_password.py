"""The operations that reset a forgotten password."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, code_mismatch, expired_code, invalid_parameter, not_authorized
from ..api.parameters import Parameters, optional_string, string
from ..auth import auth_events, client_secret, codes, passwords, user_migration
from ..auth.caller import Caller, read_metadata
from ..auth.named_user import check_hash_and_find_user, find_user, refuse_unknown, simulated_delivery
from ..model.pools import AppClient, PoolRecord
from ..model.users import User
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State
from ..triggers import events

__all__ = ["OPERATIONS"]

_BY_DEFAULT = ["phone_number", "email"]


def forgot_password(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer ForgotPassword: send a code to a verified address, in the order of the pool's AccountRecoverySetting."""
    client, pool = directory.client_and_pool(state, parameters)
    caller = Caller(pool, client, read_metadata(parameters))
    yield from _migrate(state, caller, client, parameters)
    username, user = check_hash_and_find_user(state, client, pool, parameters)
    mechanisms = _mechanisms(pool)
    if not mechanisms:
        raise not_authorized("Contact administrator to reset password.")
    attribute = None if user is None else _recovery_attribute(user, mechanisms)
    if client.hides_users and (user is None or not user.enabled or attribute is None):
        codes.store_unmatchable(state, user or state.strangers.of(pool, username), "reset")
        return {"CodeDeliveryDetails": simulated_delivery(pool, username, mechanisms)}
    if user is None or not user.enabled:
        raise not_authorized("User is disabled.")
    try:
        delivery = yield from _send_code(state, caller, user, attribute)
    except Refusal:
        if state.users.is_stored(user):
            raise
        # The user was deleted meanwhile.
        refuse_unknown(client)
        codes.store_unmatchable(state, state.strangers.of(pool, username), "reset")
        return {"CodeDeliveryDetails": simulated_delivery(pool, username, mechanisms)}
    auth_events.record(state, pool, user, "ForgotPassword")
    return {"CodeDeliveryDetails": delivery}


def _migrate(state: State, caller: Caller, client: AppClient, parameters: Parameters) -> Step[None]:
    """Take over the user by the trigger UserMigration, if the pool has it and the user does not exist."""
    username = string(parameters, "Username")
    if caller.triggers(state).user_migration is None or find_user(state, caller.pool, username) is not None:
        return
    client_secret.check_hash(client, optional_string(parameters, "SecretHash"), username)
    yield from user_migration.take_over(state, caller, username, None, {})


def _send_code(state: State, caller: Caller, user: User, attribute: str | None) -> Step[dict[str, str]]:
    if user.status == "FORCE_CHANGE_PASSWORD":
        raise not_authorized("User password cannot be reset in the current state.")
    if attribute is None:
        raise invalid_parameter(
            "Cannot reset password for the user as there is no registered/verified email or phone_number"
        )
    return (yield from codes.compose_and_send(state, caller, user, "reset", attribute, "ForgotPassword"))


def admin_reset_user_password(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer AdminResetUserPassword: the password no longer works, and a code is sent for setting a new one."""
    pool, user = directory.pool_and_user(state, parameters)
    if not user.enabled:
        # Source: https://github.com/amazon-archives/amazon-cognito-identity-js/issues/373.
        raise not_authorized("User is disabled.")
    if user.status == "UNCONFIRMED":
        raise not_authorized("User password cannot be reset in the current state.")
    yield from _send_code(
        state,
        Caller(pool, None, read_metadata(parameters)),
        user,
        _recovery_attribute(user, _mechanisms(pool) or _BY_DEFAULT),
    )
    user.status, user.modified = "RESET_REQUIRED", state.clock()
    return {}


def _mechanisms(pool: PoolRecord) -> list[str]:
    """Return the attributes whose verified addresses get codes, in this order; none if only administrators may help."""
    given: list[dict[str, Any]] = pool.section("AccountRecoverySetting").get("RecoveryMechanisms") or []
    by_priority = sorted(given, key=lambda mechanism: int(mechanism["Priority"]))
    chosen = [str(mechanism["Name"]).removeprefix("verified_") for mechanism in by_priority]
    return [name for name in chosen if name != "admin_only"] if chosen else _BY_DEFAULT


def _recovery_attribute(user: User, mechanisms: list[str]) -> str | None:
    return next((name for name in mechanisms if user.verified(name)), None)


def confirm_forgot_password(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer ConfirmForgotPassword."""
    given, password = string(parameters, "ConfirmationCode"), string(parameters, "Password")
    client, pool = directory.client_and_pool(state, parameters)
    caller = Caller(pool, client, read_metadata(parameters))
    username, user = check_hash_and_find_user(state, client, pool, parameters)
    passwords.check_policy(pool, password)
    # For a stranger no code is right.
    code = codes.redeem(state, user or state.strangers.of(pool, username), "reset", given)
    if user is None or not user.enabled:
        raise code_mismatch()
    try:
        yield from passwords.check_history(pool, user, password)
    except Refusal:
        # The code proved who the user is, and is still good for another password.
        codes.put_back(user, "reset", code)
        raise
    verifier = yield from passwords.make_verifier(pool, user.username, password)
    if not state.users.is_stored(user):
        # The user was deleted meanwhile. The name no longer exists, so the answer is the one for a name without a code.
        refuse_unknown(client)
        raise expired_code()
    passwords.store(state, pool, user, verifier, "CONFIRMED")
    yield from events.post_confirmation(caller.triggers(state), "ConfirmForgotPassword", caller.subject(user))
    return {}


OPERATIONS: dict[str, Handler] = {
    "ForgotPassword": forgot_password,
    "ConfirmForgotPassword": confirm_forgot_password,
    "AdminResetUserPassword": admin_reset_user_password,
}
