"""The operations of a logged-in user on the own account: read it, change and verify attributes, delete it."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, string, strings
from ..api.parameters import attributes as read_attributes
from ..auth import codes, mfa
from ..auth.tokens import verify_access_token
from ..model import attributes
from ..model.records import PoolRecord, User
from ..storage import directory
from ..storage.state import State

__all__ = ["OPERATIONS", "delete", "write"]

_VERIFIABLE = ("email", "phone_number")


def get_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUser."""
    user = verify_access_token(state, string(parameters, "AccessToken")).user
    return {
        "Username": user.username,
        "UserAttributes": attributes.pairs(user.attributes),
        **mfa.settings_of(user),
    }


def update_user_attributes(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateUserAttributes.

    A changed e-mail address or phone number is unverified. If the pool's AutoVerifiedAttributes has it, a code is sent.
    """
    holder = verify_access_token(state, string(parameters, "AccessToken"))
    given = read_attributes(parameters)
    attributes.check(holder.pool, given, by_user=True)
    changed = write(state, holder.pool, holder.user, given)
    wanted = holder.pool.names("AutoVerifiedAttributes")
    sent = [codes.issue(state, holder.user, "attribute", name) for name in changed if name in wanted]
    return {"CodeDeliveryDetailsList": sent}


def write(state: State, pool: PoolRecord, user: User, given: dict[str, str]) -> list[str]:
    """Write *given*, which ``attributes.check`` has accepted, and return the names of attributes to verify.

    These are ``email`` and ``phone_number``, if the value changed and *given* does not set it as verified.

    Raises:
        Refusal: a verified address is an alias of another user, or an address that serves as user name is taken.
    """
    changed = [name for name in _VERIFIABLE if name in given and given[name] != user.attributes.get(name)]
    for name in changed:
        if name in pool.names("UsernameAttributes") and directory.find(state, pool, given[name]) not in (None, user):
            raise Refusal("AliasExistsException", f"An account with the given {name} already exists.")
    for name in _VERIFIABLE:
        if given.get(f"{name}_verified") == "true":
            directory.check_alias_free(state, pool, user, name, given.get(name) or user.attributes.get(name, ""))
    for name in changed:
        user.attributes[f"{name}_verified"] = "false"
        user.codes.pop(f"attribute:{name}", None)
    # An empty value removes the attribute.
    user.attributes = {name: value for name, value in {**user.attributes, **given}.items() if value}
    for name in _VERIFIABLE:
        if name not in user.attributes:
            user.attributes.pop(f"{name}_verified", None)
    user.modified = state.clock()
    return [name for name in changed if name in user.attributes and not user.verified(name)]


def delete_user_attributes(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUserAttributes."""
    holder = verify_access_token(state, string(parameters, "AccessToken"))
    given = dict.fromkeys(strings(parameters, "UserAttributeNames"), "")
    attributes.check(holder.pool, given, by_user=True)
    write(state, holder.pool, holder.user, given)
    return {}


def get_user_attribute_verification_code(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUserAttributeVerificationCode."""
    user = verify_access_token(state, string(parameters, "AccessToken")).user
    name = _verifiable(parameters)
    if name not in user.attributes:
        raise invalid_parameter(f"Invalid user attribute {name}: the user does not have it.")
    return {"CodeDeliveryDetails": codes.issue(state, user, "attribute", name)}


def verify_user_attribute(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer VerifyUserAttribute."""
    holder = verify_access_token(state, string(parameters, "AccessToken"))
    name, user = _verifiable(parameters), holder.user
    codes.check(state, user, "attribute", string(parameters, "Code"), name)
    directory.check_alias_free(state, holder.pool, user, name, user.attributes[name])
    user.attributes[f"{name}_verified"] = "true"
    return {}


def _verifiable(parameters: Parameters) -> str:
    name = string(parameters, "AttributeName")
    if name not in _VERIFIABLE:
        raise invalid_parameter("Only email and phone_number can be verified.")
    return name


def delete_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUser."""
    holder = verify_access_token(state, string(parameters, "AccessToken"))
    delete(state, holder.user)
    return {}


def delete(state: State, user: User) -> None:
    """Delete *user*, revoke the tokens, and end the logins in progress."""
    state.grants.revoke_user(user)
    state.conversations.forget_user(user)
    state.users.remove(user)


OPERATIONS = {
    "GetUser": get_user,
    "UpdateUserAttributes": update_user_attributes,
    "DeleteUserAttributes": delete_user_attributes,
    "GetUserAttributeVerificationCode": get_user_attribute_verification_code,
    "VerifyUserAttribute": verify_user_attribute,
    "DeleteUser": delete_user,
}
