"""The operations of an administrator on users: create, read, change, confirm, disable and delete them."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, not_authorized, user_not_found
from ..api.parameters import Parameters, flag, optional_string, string, strings
from ..api.parameters import attributes as read_attributes
from ..auth import codes, mfa, passwords
from ..auth.caller import Caller, read_metadata
from ..model import attributes
from ..model.addresses import ADDRESSES, MEDIUMS
from ..model.pools import PoolRecord
from ..model.users import User
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State
from ..triggers import events
from . import profile

__all__ = ["OPERATIONS", "user_fields"]


def user_fields(user: User, only: list[str] | None = None) -> dict[str, Any]:
    """Return *user* as a UserType of the API.

    Args:
        only: the names of the attributes to include; None or an empty list includes all of them.
    """
    return {
        "Username": user.username,
        "Attributes": attributes.pairs(user.attributes, only or ()),
        **_dates_and_status(user),
    }


def _dates_and_status(user: User) -> dict[str, Any]:
    return {
        "UserCreateDate": user.created,
        "UserLastModifiedDate": user.modified,
        "Enabled": user.enabled,
        "UserStatus": user.status,
    }


def admin_create_user(state: State, parameters: Parameters, *, sub: str | None = None) -> Step[dict[str, Any]]:
    """Answer AdminCreateUser: the user must change the temporary password at the first login.

    Args:
        sub: the ``sub`` of the new user; None for a random one.
    """
    pool, username = state.pool(string(parameters, "UserPoolId")), string(parameters, "Username")
    given = read_attributes(parameters)
    attributes.fill_username_attribute(pool, username, given)
    given = attributes.check(pool, given)
    password = optional_string(parameters, "TemporaryPassword") or passwords.temporary(pool)
    passwords.check_policy(pool, password)
    caller = Caller(pool, None, read_metadata(parameters))
    if optional_string(parameters, "MessageAction") == "RESEND":
        user = yield from _invite_again(state, caller, password, parameters)
    else:
        new = pool.new_user(username, state.clock(), sub)
        new.status, new.attributes = "FORCE_CHANGE_PASSWORD", new.attributes | given
        user = yield from _add(state, caller, new, given, password, parameters)
    return {"User": user_fields(user)}


def _invite_again(state: State, caller: Caller, password: str, parameters: Parameters) -> Step[User]:
    """Give a user who was invited before, and has not logged in, another temporary password."""
    pool, username = caller.pool, string(parameters, "Username")
    user = _find_invited_user(state, pool, username)
    verifier = yield from passwords.make_verifier(pool, user.username, password)
    invitation = yield from _invitation(state, caller, user, password, parameters)
    # Meanwhile the user may have set a password, which must not be replaced, or may have been deleted.
    if _find_invited_user(state, pool, username) is not user:
        raise user_not_found()
    passwords.store(state, pool, user, verifier, "FORCE_CHANGE_PASSWORD")
    if invitation is not None:
        codes.deliver(state, user, "invitation", invitation)
    return user


def _add(
    state: State, caller: Caller, user: User, given: dict[str, str], password: str, parameters: Parameters
) -> Step[User]:
    """Add *user*, and send the invitation unless MessageAction is SUPPRESS."""
    pool, force = caller.pool, flag(parameters, "ForceAliasCreation")
    suppressed = optional_string(parameters, "MessageAction") == "SUPPRESS"
    yield from _call_pre_sign_up(state, caller, user, given, parameters)
    verifier = yield from passwords.make_verifier(pool, user.username, password)
    invitation = None if suppressed else (yield from _invitation(state, caller, user, password, parameters))
    _check_new(state, pool, user, string(parameters, "Username"), given, force=force)
    state.users.add(pool, user)
    passwords.store(state, pool, user, verifier, "FORCE_CHANGE_PASSWORD")
    user.created = user.modified
    if invitation is not None:
        codes.deliver(state, user, "invitation", invitation)
    return user


def _call_pre_sign_up(
    state: State, caller: Caller, user: User, given: dict[str, str], parameters: Parameters
) -> Step[None]:
    subject, validation_data = caller.new_user(user.username, given), read_attributes(parameters, "ValidationData")
    yield from events.pre_sign_up(caller.triggers(state), "AdminCreateUser", subject, validation_data)


def _find_invited_user(state: State, pool: PoolRecord, username: str) -> User:
    user = directory.find(state, pool, username)
    if user is None:
        raise user_not_found()
    if user.status != "FORCE_CHANGE_PASSWORD":
        raise Refusal("UnsupportedUserStateException", "Resend not possible. Status is not FORCE_CHANGE_PASSWORD")
    return user


def _check_new(
    state: State, pool: PoolRecord, user: User, username: str, given: dict[str, str], *, force: bool
) -> None:
    if directory.find(state, pool, username) is not None:
        raise Refusal("UsernameExistsException", "User account already exists")
    directory.check_new_username(state, pool, username)
    for name in ADDRESSES:
        if given.get(f"{name}_verified") == "true" and name in given:
            directory.check_alias_free(state, pool, user, name, given[name], force=force)


def _invitation(
    state: State, caller: Caller, user: User, password: str, parameters: Parameters
) -> Step[codes.ComposedMessage | None]:
    """Return the message with the temporary password, or None if the user has no address to send it to."""
    mediums = strings(parameters, "DesiredDeliveryMediums") or ["SMS"]
    chosen = [attribute for attribute, medium in MEDIUMS.items() if medium in mediums]
    # If the user has no address for the desired medium, use the other medium. Otherwise nobody would
    # receive the temporary password, and the pool itself stores only its verifier.
    found = next((attribute for attribute in [*chosen, *ADDRESSES] if attribute in user.attributes), None)
    if found is None:
        return None
    return (yield from codes.compose(state, caller, user, found, "AdminCreateUser", code=password))


def admin_set_user_password(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer AdminSetUserPassword."""
    pool, user = directory.pool_and_user(state, parameters)
    password = string(parameters, "Password")
    passwords.check_policy(pool, password)
    yield from passwords.check_history(pool, user, password)
    verifier = yield from passwords.make_verifier(pool, user.username, password)
    directory.require_stored(state, user)
    status = "CONFIRMED" if flag(parameters, "Permanent") else "FORCE_CHANGE_PASSWORD"
    passwords.store(state, pool, user, verifier, status)
    return {}


def admin_get_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminGetUser."""
    _, user = directory.pool_and_user(state, parameters)
    return {
        "Username": user.username,
        "UserAttributes": attributes.pairs(user.attributes),
        **_dates_and_status(user),
        **mfa.settings_of(user),
    }


def admin_confirm_sign_up(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer AdminConfirmSignUp."""
    pool, user = directory.pool_and_user(state, parameters)
    caller = Caller(pool, None, read_metadata(parameters))
    if user.status != "UNCONFIRMED":
        raise not_authorized(f"User cannot be confirmed. Current status is {user.status}")
    user.status, user.modified = "CONFIRMED", state.clock()
    yield from events.post_confirmation(caller.triggers(state), "ConfirmSignUp", caller.subject(user))
    return {}


def admin_delete_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminDeleteUser."""
    _, user = directory.pool_and_user(state, parameters)
    profile.delete_user_data(state, user)
    return {}


def admin_disable_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminDisableUser; this also revokes the user's tokens."""
    _, user = directory.pool_and_user(state, parameters)
    user.enabled, user.modified = False, state.clock()
    state.grants.revoke_user(user)
    return {}


def admin_enable_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminEnableUser."""
    _, user = directory.pool_and_user(state, parameters)
    user.enabled, user.modified = True, state.clock()
    return {}


def admin_update_user_attributes(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminUpdateUserAttributes."""
    pool, user = directory.pool_and_user(state, parameters)
    given = attributes.check(pool, read_attributes(parameters), user)
    profile.write_attributes(state, pool, user, given)
    return {}


def admin_delete_user_attributes(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminDeleteUserAttributes."""
    pool, user = directory.pool_and_user(state, parameters)
    given = attributes.check(pool, dict.fromkeys(strings(parameters, "UserAttributeNames"), ""), user)
    profile.write_attributes(state, pool, user, given)
    return {}


OPERATIONS: dict[str, Handler] = {
    "AdminCreateUser": admin_create_user,
    "AdminSetUserPassword": admin_set_user_password,
    "AdminGetUser": admin_get_user,
    "AdminConfirmSignUp": admin_confirm_sign_up,
    "AdminDeleteUser": admin_delete_user,
    "AdminDisableUser": admin_disable_user,
    "AdminEnableUser": admin_enable_user,
    "AdminUpdateUserAttributes": admin_update_user_attributes,
    "AdminDeleteUserAttributes": admin_delete_user_attributes,
}
