"""The operations of logged-in users on their own account: read it, change and verify attributes, delete it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, string, strings
from ..api.parameters import attributes as read_attributes
from ..auth import codes, mfa
from ..auth.caller import Caller, read_metadata
from ..auth.token_verification import verify_access_token
from ..model import attributes
from ..model.addresses import ADDRESSES
from ..model.grants import Grant
from ..model.pools import PoolRecord
from ..model.users import User
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State

__all__ = ["OPERATIONS", "delete_user_data", "write_attributes"]


def get_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetUser."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    user = grant.user
    return {
        "Username": user.username,
        "UserAttributes": attributes.pairs(attributes.readable(grant.client, user.attributes)),
        **mfa.settings_of(user),
    }


def update_user_attributes(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer UpdateUserAttributes.

    A changed e-mail address or phone number is unverified. If the pool's AutoVerifiedAttributes has it, a code is sent.
    If AttributesRequireVerificationBeforeUpdate has it, too, the user keeps the old one until the code is entered.
    """
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    given = _writable(grant, read_attributes(parameters))
    composed = yield from _compose(state, grant, given, read_metadata(parameters))
    directory.require_stored(state, grant.user)
    update_settings = grant.pool.section("UserAttributeUpdateSettings")
    first = strings(update_settings, "AttributesRequireVerificationBeforeUpdate")
    pending = {name: given[name] for name in composed if name in first}
    for name, address in pending.items():
        _check_username_free(state, grant.pool, grant.user, name, address)
    changed = write_attributes(
        state, grant.pool, grant.user, {n: value for n, value in given.items() if n not in pending}
    )
    sent = [
        codes.send(state, grant.user, "attribute", composed[name], pending=name in pending)
        for name in (*pending, *changed)
        if name in composed
    ]
    return {"CodeDeliveryDetailsList": sent}


def _writable(grant: Grant, given: Mapping[str, str]) -> dict[str, str]:
    """Return *given* as it is stored, after a check that the user may write it."""
    attributes.check_writer(grant.client, given)
    return attributes.check(grant.pool, given, grant.user)


def _compose(
    state: State, grant: Grant, given: Mapping[str, str], metadata: Mapping[str, str]
) -> Step[dict[str, codes.ComposedMessage]]:
    """Return a message with a code for each new address that must be verified, by the name of its attribute."""
    user, wanted = grant.user, grant.pool.names("AutoVerifiedAttributes")
    future, composed = replace(user, attributes={**user.attributes, **given}), dict[str, codes.ComposedMessage]()
    for name in ADDRESSES:
        if name in wanted and given.get(name) and given[name] != user.attributes.get(name):
            caller = Caller(grant.pool, grant.client, metadata)
            composed[name] = yield from codes.compose(state, caller, future, name, "UpdateUserAttribute")
    return composed


def write_attributes(state: State, pool: PoolRecord, user: User, given: dict[str, str]) -> list[str]:
    """Write *given*, which ``attributes.check`` has accepted, and return the names of attributes to verify.

    These are ``email`` and ``phone_number``, if the value changed and *given* does not set it as verified.

    Raises:
        Refusal: a verified address is an alias of another user, or an address that serves as user name is taken.
    """
    changed = [name for name in ADDRESSES if name in given and given[name] != user.attributes.get(name)]
    for name in changed:
        _check_username_free(state, pool, user, name, given[name])
    for name in ADDRESSES:
        if given.get(f"{name}_verified") == "true":
            directory.check_alias_free(state, pool, user, name, given.get(name) or user.attributes.get(name, ""))
    for name in changed:
        user.attributes[f"{name}_verified"] = "false"
        user.codes.pop(f"attribute:{name}", None)
    # An empty value removes the attribute.
    user.attributes = {name: value for name, value in {**user.attributes, **given}.items() if value}
    for name in ADDRESSES:
        if name not in user.attributes:
            user.attributes.pop(f"{name}_verified", None)
    user.modified = state.clock()
    return [name for name in changed if name in user.attributes and not user.verified(name)]


def _check_username_free(state: State, pool: PoolRecord, user: User, name: str, address: str) -> None:
    if name in pool.names("UsernameAttributes") and directory.find(state, pool, address) not in (None, user):
        raise Refusal("AliasExistsException", f"An account with the given {name} already exists.")


def delete_user_attributes(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUserAttributes."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    given = _writable(grant, dict.fromkeys(strings(parameters, "UserAttributeNames"), ""))
    write_attributes(state, grant.pool, grant.user, given)
    return {}


def get_user_attribute_verification_code(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer GetUserAttributeVerificationCode."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    caller = Caller(grant.pool, grant.client, read_metadata(parameters))
    user, name = grant.user, _verifiable(parameters)
    pending = codes.pending_address(state, user, name)
    if pending is None and name not in user.attributes:
        raise invalid_parameter(f"Invalid user attribute {name}: the user does not have it.")
    composed = yield from codes.compose(state, caller, user, name, "VerifyUserAttribute", address=pending)
    directory.require_stored(state, user)
    return {"CodeDeliveryDetails": codes.send(state, user, "attribute", composed, pending=pending is not None)}


def verify_user_attribute(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer VerifyUserAttribute."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    name, user = _verifiable(parameters), grant.user
    code = codes.redeem(state, user, "attribute", string(parameters, "Code"), name)
    address = code.pending or user.attributes[name]
    _check_username_free(state, grant.pool, user, name, address)
    directory.check_alias_free(state, grant.pool, user, name, address)
    user.attributes |= {name: address, f"{name}_verified": "true"}
    user.modified = state.clock()
    return {}


def _verifiable(parameters: Parameters) -> str:
    name = string(parameters, "AttributeName")
    if name not in ADDRESSES:
        raise invalid_parameter("Only email and phone_number can be verified.")
    return name


def delete_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUser."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    delete_user_data(state, grant.user)
    return {}


def delete_user_data(state: State, user: User) -> None:
    """Delete *user*, revoke the tokens, and end the logins in progress."""
    state.grants.revoke_user(user)
    state.auth_sessions.forget_user(user)
    state.users.remove(user)


OPERATIONS: dict[str, Handler] = {
    "GetUser": get_user,
    "UpdateUserAttributes": update_user_attributes,
    "DeleteUserAttributes": delete_user_attributes,
    "GetUserAttributeVerificationCode": get_user_attribute_verification_code,
    "VerifyUserAttribute": verify_user_attribute,
    "DeleteUser": delete_user,
}
