"""The table of strangers: names that no user has, but for which a client tried passwords or codes, with their tries."""

from __future__ import annotations

import hashlib

from ..model.pools import PoolRecord
from ..model.users import Stranger
from .tables import Table
from .work import Work

__all__ = ["Strangers"]

_MOST = 10_000


class Strangers:
    """At most 10,000 names of each pool. If there are more, the oldest ones are forgotten."""

    def __init__(self, work: Work) -> None:
        self._table = Table(work, "stranger", Stranger)

    def of(self, pool: PoolRecord, name: str) -> Stranger:
        """Return the tries for *name*. They are stored, so call this only if the request tries a password or a code."""
        # A hash, because names in AuthParameters may have any length.
        key = hashlib.sha256(pool.fold(name).encode("utf-8")).hexdigest()
        return self._table.get(pool, key) or self._add(pool, key)

    def _add(self, pool: PoolRecord, key: str) -> Stranger:
        surplus = self._table.count(pool) + 1 - _MOST
        if surplus > 0:
            for _, oldest in list(self._table.rows(pool, limit=surplus)):
                self._table.remove(oldest)
        return self._table.add(pool, key, Stranger())

    def remove_all(self, pool: PoolRecord) -> None:
        """Forget the names of *pool*."""
        self._table.remove_all(pool)
