"""A pool as one JSON document, to move it to another state: export and import.

The document has everything of the pool, secrets too, except what belongs to logins: Sessions, tokens and their
revocation, and the events of users.
"""

from __future__ import annotations

import sqlite3
from typing import Literal

import msgspec

from srpcore.exceptions.base import ConfigurationError
from srpcore.pool import Pool

from ..model.pools import AppClient, Group, IdentityProvider, PoolRecord, Resource
from ..model.records import Fixed
from ..model.users import User
from ..steps import Step
from .signing_keys import signing_key
from .state import State
from .tables import Table
from .work import decoder

__all__ = ["Export", "ExportedUser", "export_pool", "import_pool", "parse"]

_KINDS = ("pool", "client", "group", "provider", "stranger")
"""The kinds of records that are not resources. The tries for names that do not exist are not exported."""


class ExportedUser(Fixed, frozen=True, forbid_unknown_fields=True):
    """A user, and the names of the user's groups."""

    user: User
    groups: list[str]


class Export(Fixed, frozen=True, forbid_unknown_fields=True):
    """The document."""

    format: Literal["srpcore local pool"]
    version: Literal[1]
    pool: PoolRecord
    clients: list[AppClient]
    groups: list[Group]
    providers: list[IdentityProvider]
    resources: dict[str, list[Resource]]
    users: list[ExportedUser]


def export_pool(state: State, pool_id: str) -> Step[bytes]:
    """Return the pool as a JSON document.

    It has the signing key, which is generated if the pool has not needed it yet: otherwise the pool and its copy would
    each generate a key of their own later.

    Raises:
        Refusal: the pool does not exist.
    """
    yield from signing_key(state.pool(pool_id))
    pool = state.pool(pool_id)  # it may have been deleted meanwhile
    statement = "SELECT DISTINCT kind FROM record WHERE pool = ? AND kind NOT IN (?, ?, ?, ?, ?) ORDER BY kind"
    kinds = [kind for (kind,) in state.work.execute(statement, state.work.row(pool), *_KINDS).fetchall()]
    document = Export(
        format="srpcore local pool",
        version=1,
        pool=pool,
        clients=state.clients.all(pool),
        groups=state.groups.all(pool),
        providers=state.providers.all(pool),
        resources={kind: Table(state.work, kind, Resource).all(pool) for kind in kinds},
        users=_users(state, pool),
    )
    return msgspec.json.encode(document)


def _users(state: State, pool: PoolRecord) -> list[ExportedUser]:
    # Not by state.users: the unit of work would keep all users in memory, and compare them at each statement.
    row, decode = state.work.row(pool), decoder(User)
    groups: dict[int, list[str]] = {}
    statement = "SELECT user, name FROM member JOIN record ON record.id = grp WHERE pool = ? ORDER BY record.id"
    for user, name in state.work.execute(statement, row):
        groups.setdefault(user, []).append(name)
    found = state.work.execute("SELECT id, data FROM user WHERE pool = ? ORDER BY id", row)
    return [ExportedUser(decode(data), groups.get(user, [])) for user, data in found]


def parse(document: bytes | str) -> Export:
    """Return what :func:`export_pool` has written. Its values are not checked (see :mod:`..operations.pool_import`).

    Raises:
        ConfigurationError: the document is not an export of a pool.
    """
    try:
        export = msgspec.json.decode(document, type=Export)
        Pool(export.pool.id)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ConfigurationError) as error:
        raise ConfigurationError(f"not an export of a local pool: {error}") from None
    if not export.resources.keys().isdisjoint(_KINDS):
        raise ConfigurationError("not an export of a local pool: resources has records of another kind")
    if any(client.user_pool_id != export.pool.id for client in export.clients):
        raise ConfigurationError("not an export of a local pool: an app client belongs to another pool")
    return export


def import_pool(state: State, export: Export, *, replace: bool) -> str:
    """Add the pool, and return its id. All of it is added, or nothing.

    Args:
        replace: delete a pool of the same id first, with everything that belongs to it.

    Raises:
        ConfigurationError: a pool of the same id exists, another pool has one of the app clients or domains, or two
            records have the same name.
    """
    pool = export.pool
    existing = state.pools.get(None, pool.id)
    if existing is not None:
        if not replace:
            raise ConfigurationError(
                f"the pool {pool.id} exists already: pass replace=True (--replace) to delete it first"
            )
        state.remove_pool(existing)
    _require_free(state, export)
    try:
        _add(state, state.pools.add(None, pool.id, pool), export)
    except sqlite3.IntegrityError:
        raise ConfigurationError("cannot import the pool: two of its records have the same name") from None
    return pool.id


def _require_free(state: State, export: Export) -> None:
    for client in export.clients:
        if state.clients.find(client.client_id) is not None:
            raise ConfigurationError(f"another pool has an app client with the id {client.client_id!r:.130}")
    for domain in export.resources.get("domain", []):
        if state.domains.find(domain.name) is not None:
            raise ConfigurationError(f"another pool has the domain {domain.name!r:.80}")


def _add(state: State, pool: PoolRecord, export: Export) -> None:
    for client in export.clients:
        state.clients.add(pool, client.client_id, client)
    groups = {group.name: state.groups.add(pool, group.name, group) for group in export.groups}
    for provider in export.providers:
        state.providers.add(pool, provider.name, provider)
    for kind, resources in export.resources.items():
        table = Table(state.work, kind, Resource)
        for resource in resources:
            table.add(pool, resource.name, resource)
    for entry in export.users:
        state.users.add(pool, entry.user)
        for name in entry.groups:
            state.users.join(groups[name], entry.user)
        for passkey in entry.user.passkeys.values():
            state.passkey_owners.claim(pool, passkey.id, entry.user)
        state.work.forget("user", entry.user)  # see _users
