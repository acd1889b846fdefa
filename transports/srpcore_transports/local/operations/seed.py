"""Add the pools, app clients, groups and users of a seed. Those that exist already are not changed."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from srpcore.crypto import totp
from srpcore.exceptions.base import ConfigurationError

from ..api import validation
from ..api.errors import Refusal, invalid_parameter
from ..model.pools import Group, PoolRecord
from ..model.seed import Seed, SeedClient, SeedGroup, SeedPool, SeedUser
from ..steps import Step
from ..storage import directory
from ..storage.service import Service
from ..storage.state import State
from ..triggers.configuration import NO_TRIGGERS
from . import admin_users, defaults
from .first_pool import FirstPool
from .groups import create_group

__all__ = ["add_seed"]


def add_seed(service: Service, seed: Seed, name: str, first: FirstPool) -> None:
    """Add what *seed* has and *service* does not. No trigger is called, and no message is sent.

    Args:
        name: the name of the seed for error messages.

    Raises:
        ConfigurationError: the service would not accept something.
    """
    quiet = replace(service, triggers=NO_TRIGGERS)
    for number, pool in enumerate(seed.pools):
        place = f"invalid {name}: pools[{number}]"
        wanted = first if pool.id == first.id else _OTHER
        with _errors_begin_with(place):
            State(quiet).run(partial(_add_pool, given=pool, wanted=wanted))
        _add_members(quiet, pool, place, wanted)


def _add_members(service: Service, pool: SeedPool, place: str, wanted: FirstPool) -> None:
    for number, client in enumerate(pool.clients):
        settings = {**(defaults.CLIENT if number else wanted.client), **client.settings}
        with _errors_begin_with(f"{place}.clients[{number}]"):
            State(service).run(partial(_add_client, pool_id=pool.id, given=client, settings=settings))
    for number, group in enumerate(pool.groups):
        with _errors_begin_with(f"{place}.groups[{number}]"):
            State(service).run(partial(_add_group, pool_id=pool.id, given=group))
    for number, user in enumerate(pool.users):
        with _errors_begin_with(f"{place}.users[{number}]"):
            State(service).run(partial(_add_user, pool_id=pool.id, given=user))


_OTHER = FirstPool(None, None, defaults.POOL, defaults.CLIENT, lambda: None)


@contextmanager
def _errors_begin_with(place: str) -> Generator[None]:
    """Turn an error in the ``with`` block into a ConfigurationError that begins with *place*."""
    try:
        yield
    except Refusal as error:
        raise ConfigurationError(f"{place}: {error.message}") from None
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: {error}") from None


def _add_pool(state: State, given: SeedPool, wanted: FirstPool) -> None:
    settings = {**wanted.pool, **given.settings}
    defaults.check_pool(settings, strict=state.service.strict)
    if state.pools.get(None, given.id) is None:
        state.add_pool(settings, given.id).key = wanted.signing_key()


def _add_client(state: State, pool_id: str, given: SeedClient, settings: dict[str, Any]) -> None:
    defaults.check_client_id(given.id)
    if given.secret is not None:
        settings = {**settings, "ClientSecret": given.secret}
    defaults.check_client(settings, strict=state.service.strict)
    pool, found = state.pool(pool_id), state.clients.find(given.id)
    if found is None:
        state.add_client(pool, settings, given.id)
    elif found.user_pool_id != pool_id:
        raise invalid_parameter(f"the pool {found.user_pool_id} has an app client with this id")


def _add_group(state: State, pool_id: str, given: SeedGroup) -> None:
    values = {
        "GroupName": given.name,
        "Description": given.description,
        "Precedence": given.precedence,
        "RoleArn": given.role,
    }
    parameters = {"UserPoolId": pool_id} | {name: value for name, value in values.items() if value is not None}
    validation.check("CreateGroup", parameters)
    if state.groups.get(state.pool(pool_id), given.name) is None:
        create_group(state, parameters)


def _add_user(state: State, pool_id: str, given: SeedUser) -> Step[None]:
    pool = state.pool(pool_id)
    parameters = _parameters(pool, given)
    validation.check("AdminCreateUser", parameters)
    if directory.find(state, pool, given.username) is not None:
        return
    sub = _check_sub(state, pool, given)
    groups = [_find_group(state, pool, name) for name in given.groups]
    yield from admin_users.admin_create_user(state, parameters, sub=sub)
    # The user was added in this transaction, so nobody has seen the user without the following.
    user = directory.require_user(state, pool, given.username)
    user.enabled = given.enabled
    if given.password is not None:
        user.status = "CONFIRMED"
    if given.totp_secret is not None:
        totp.decode_secret(given.totp_secret)
        user.totp_secret, user.preferred_mfa = given.totp_secret, "SOFTWARE_TOKEN_MFA"
        user.enabled_mfa.add("SOFTWARE_TOKEN_MFA")
    for group in groups:
        state.users.join(group, user)


def _find_group(state: State, pool: PoolRecord, name: str) -> Group:
    group = state.groups.get(pool, name)
    if group is None:
        raise invalid_parameter(f"the pool has no group {name!r:.80}: add it to groups")
    return group


def _parameters(pool: PoolRecord, given: SeedUser) -> dict[str, Any]:
    if (given.password is None) == (given.temporary_password is None):
        raise invalid_parameter("give either password or temporary_password")
    values = {name: str(value).lower() if value in (True, False) else value for name, value in given.attributes.items()}
    return {
        "UserPoolId": pool.id,
        "Username": given.username,
        "UserAttributes": [{"Name": name, "Value": value} for name, value in values.items()],
        "TemporaryPassword": given.password or given.temporary_password or "",
        "MessageAction": "SUPPRESS",
    }


def _check_sub(state: State, pool: PoolRecord, given: SeedUser) -> str | None:
    if given.sub is None:
        return None
    try:
        sub = str(uuid.UUID(given.sub))
    except ValueError:
        raise invalid_parameter(f"sub must be a UUID, not {given.sub!r:.80}") from None
    if state.users.by_sub(pool, sub) is not None:
        raise invalid_parameter(f"another user has the sub {sub}")
    return sub
