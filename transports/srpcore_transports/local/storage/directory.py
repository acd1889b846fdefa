"""Find users and app clients, and check that a new user name or alias is free.

A user can be found by the canonical name, by a verified alias, and by e-mail address or phone number in pools that use
these as user names.
"""

from __future__ import annotations

import unicodedata

from ..api.errors import Refusal, invalid_parameter, user_not_found
from ..api.parameters import Parameters, optional_string, string
from ..model.addresses import ADDRESSES
from ..model.attributes import looks_like
from ..model.pools import AppClient, PoolRecord
from ..model.users import User
from .state import State

__all__ = [
    "check_alias_free",
    "check_new_username",
    "client_and_pool",
    "find",
    "pool_and_user",
    "require_stored",
    "require_user",
]

_LONGEST_NAME = 128


def find(state: State, pool: PoolRecord, name: str) -> User | None:
    """Return the user who can log in as *name*, or None.

    *name* is the canonical name, a verified alias, or an e-mail address or phone number if the pool uses these as user
    names.
    """
    folded, exact = pool.fold(name), state.users.get(pool, name)
    if exact is not None:
        return exact
    for attribute in ("username", *pool.names("UsernameAttributes"), *pool.names("AliasAttributes")):
        for user in state.users.having(pool, attribute, name):
            if _can_log_in_by(pool, user, attribute) and pool.fold(_value(user, attribute)) == folded:
                return user
    return None


def _value(user: User, attribute: str) -> str:
    return user.username if attribute == "username" else user.attributes.get(attribute, "")


def _can_log_in_by(pool: PoolRecord, user: User, attribute: str) -> bool:
    is_name = attribute == "username" or attribute in pool.names("UsernameAttributes")
    return is_name or attribute == "preferred_username" or user.verified(attribute)


def require_user(state: State, pool: PoolRecord, name: str) -> User:
    """Return the user called *name*, for an operation of an administrator; *name* may also be the user's ``sub``.

    Raises:
        Refusal: the user does not exist.
    """
    user = find(state, pool, name) or state.users.by_sub(pool, name)
    if user is None:
        raise user_not_found()
    return user


def require_stored(state: State, user: User) -> None:
    """Check that *user* still exists, after this request has computed outside of the transaction.

    Raises:
        Refusal: another request has deleted the user meanwhile.
    """
    if not state.users.is_stored(user):
        raise user_not_found()


def pool_and_user(state: State, parameters: Parameters) -> tuple[PoolRecord, User]:
    """Return the pool and the user that ``UserPoolId`` and ``Username`` of an administrator's operation name.

    Raises:
        Refusal: the pool or the user does not exist.
    """
    pool = state.pool(string(parameters, "UserPoolId"))
    return pool, require_user(state, pool, string(parameters, "Username"))


def client_and_pool(state: State, parameters: Parameters) -> tuple[AppClient, PoolRecord]:
    """Return the app client that ``ClientId`` names, and its pool.

    Raises:
        Refusal: the app client does not exist, or the parameters have a ``UserPoolId`` and it is not the client's pool.
    """
    client = state.client(string(parameters, "ClientId"))
    pool_id = optional_string(parameters, "UserPoolId")
    if pool_id is not None and pool_id != client.user_pool_id:
        state.pool(pool_id)
        raise state.client_not_found(client.client_id)
    return client, state.pool(client.user_pool_id)


def check_new_username(state: State, pool: PoolRecord, username: str) -> None:
    """Check that a new user can have this name.

    Raises:
        Refusal: the name is taken, or the pool does not allow its form.
    """
    # The service model checks the names in requests, but not those that UserMigration and a user import job bring.
    if len(username) > _LONGEST_NAME or not all(unicodedata.category(letter)[0] in "LMSNP" for letter in username):
        raise invalid_parameter(
            "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must satisfy "
            "regular expression pattern: [\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+ and have at most 128 characters"
        )
    kinds = pool.names("UsernameAttributes")
    if kinds and not any(looks_like(kind, username) for kind in kinds):
        descriptions = ["an email" if kind == "email" else "a phone number" for kind in sorted(kinds)]
        either = "either " if len(descriptions) > 1 else ""
        raise invalid_parameter(f"Username should be {either}{' or '.join(descriptions)}.")
    for alias in ADDRESSES:
        if alias in pool.names("AliasAttributes") and looks_like(alias, username):
            description = "email" if alias == "email" else "phone number"
            raise invalid_parameter(
                f"Username cannot be of {description} format, since user pool is configured for {description} alias."
            )
    if find(state, pool, username) is not None:
        message = "An account with the given email already exists." if "email" in kinds else "User already exists"
        raise Refusal("UsernameExistsException", message)


def check_alias_free(
    state: State, pool: PoolRecord, user: User, attribute: str, value: str, *, force: bool = False
) -> None:
    """Check that *value*, which is about to be verified for *user*, is not an alias of another user.

    Args:
        force: if another user has the alias, make it unverified there instead of raising.

    Raises:
        Refusal: another user has the alias, and *force* is false.
    """
    if attribute not in pool.names("AliasAttributes"):
        return
    for other in state.users.having(pool, attribute, value):
        taken = other.verified(attribute) and pool.fold(other.attributes[attribute]) == pool.fold(value)
        if other is not user and taken:
            if not force:
                raise Refusal("AliasExistsException", f"An account with the {attribute} already exists.")
            other.attributes[f"{attribute}_verified"] = "false"
