"""The first pool and its first app client, which the constructor of LocalUserPool finds or adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..model.pools import AppClient, PoolRecord
from ..model.records import Record
from ..model.seed import Seed
from ..storage.state import State
from ..storage.tables import Table

__all__ = ["FirstPool", "first_ids"]

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class FirstPool:
    """The ids and settings for the first pool and its first app client.

    Attributes:
        id: the id, or None for any.
        client_id: the id of its first app client, or None for any.
        pool: the settings of the pool, unless the seed has others.
        client: the settings of its first app client, unless the seed has others.
        signing_key: returns the key as a PEM, or None to generate it when it is needed.
    """

    id: str | None
    client_id: str | None
    pool: Mapping[str, Any]
    client: Mapping[str, Any]
    signing_key: Callable[[], str | None]

    def find_or_add(self, state: State) -> AppClient:
        """Return the first app client of the first pool. Add the pool and the app client if they do not exist."""
        pool = _find(state.pools, None, self.id)
        if pool is None:
            pool = state.add_pool(dict(self.pool), self.id)
            pool.key = self.signing_key()
        client = _find(state.clients, pool, self.client_id)
        return client or state.add_client(pool, dict(self.client), self.client_id)


def _find(table: Table[R], pool: PoolRecord | None, name: str | None) -> R | None:
    """Return the record called *name* of *pool*, or its oldest one if *name* is None."""
    if name is not None:
        return table.get(pool, name)
    return next((record for _, record in table.rows(pool, limit=1)), None)


def first_ids(seed: Seed, user_pool_id: str | None, client_id: str | None) -> tuple[str | None, str | None]:
    """Return the ids of the first pool and its first app client: those that are given, else those of *seed*."""
    pool = next((pool for pool in seed.pools if user_pool_id in (None, pool.id)), None)
    if pool is None:
        return user_pool_id, client_id
    return pool.id, client_id or (pool.clients[0].id if pool.clients else None)
