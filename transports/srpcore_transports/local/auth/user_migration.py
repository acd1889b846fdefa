"""Take over a user from another directory, as the trigger UserMigration returns it."""

from __future__ import annotations

from collections.abc import Mapping

from ..api.errors import Refusal, invalid_parameter
from ..model import attributes
from ..model.addresses import ADDRESSES, MEDIUMS
from ..model.pools import PoolRecord
from ..model.users import User
from ..steps import Step
from ..storage import directory
from ..storage.state import State
from ..triggers.migration import Migration, migrate, migration_failed
from . import codes, passwords
from .caller import Caller

__all__ = ["take_over"]


def take_over(
    state: State, caller: Caller, typed: str, password: str | None, validation_data: Mapping[str, str]
) -> Step[User | None]:
    """Call UserMigration for the name *typed*, and add the user that it returns; return None without such a trigger.

    Args:
        password: the password that the user typed, which the trigger checks; None if the user has forgotten it.
        validation_data: ClientMetadata of InitiateAuth or AdminInitiateAuth.

    Raises:
        Refusal: the trigger refuses the user, or the user cannot be added to the pool.
    """
    pool, subject = caller.pool, caller.stranger(typed)
    migration = yield from migrate(caller.triggers(state), subject, password, validation_data)
    if migration is None:
        return None
    user = pool.new_user(migration.username, state.clock())
    # The pool's password policy is not enforced here (documented).
    verifier = None if password is None else (yield from passwords.make_verifier(pool, user.username, password))
    try:
        given = _check(state, pool, user, migration)
    except Refusal:
        raise migration_failed(subject) from None
    user.attributes |= given
    user.status = migration.status
    if verifier is not None:
        passwords.store(state, pool, user, verifier, migration.status)
    if migration.sms_mfa:
        user.enabled_mfa.add("SMS_MFA")
    state.users.add(pool, user)
    _welcome(state, user, migration.mediums)
    return user


def _check(state: State, pool: PoolRecord, user: User, migration: Migration) -> dict[str, str]:
    given = attributes.check(pool, migration.attributes)
    directory.check_new_username(state, pool, migration.username)
    if migration.sms_mfa and (pool.mfa == "OFF" or not given.get("phone_number")):
        raise invalid_parameter("enableSMSMFA needs a pool with MFA and a phone number")
    for name in ADDRESSES:
        if given.get(f"{name}_verified") == "true" and given.get(name):
            directory.check_alias_free(state, pool, user, name, given[name], force=migration.force_alias)
    return given


def _welcome(state: State, user: User, mediums: tuple[str, ...]) -> None:
    for attribute, medium in MEDIUMS.items():
        if medium in mediums and attribute in user.attributes:
            codes.deliver(state, user, "welcome", codes.ComposedMessage(attribute, user.attributes[attribute], ""))
