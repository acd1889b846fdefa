"""The settings of pools and app clients that have operations of their own, such as the risk configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..model.pools import PoolRecord, Resource
from .tables import Table
from .work import Work

__all__ = ["Documents"]


class Documents:
    """One document for each pool, or app client of a pool, and kind of setting."""

    def __init__(self, work: Work, clock: Callable[[], float]) -> None:
        self._table, self._clock = Table(work, "document", Resource, keep_lookups=True), clock

    def get(self, pool: PoolRecord | None, kind: str, client_id: str = "") -> Resource | None:
        """Return a document, or None if it was never written.

        Args:
            pool: None for a setting of all pools.
            client_id: the app client; an empty string for the setting of the pool itself.
        """
        return self._table.get(pool, f"{kind}/{client_id}")

    def put(self, pool: PoolRecord | None, kind: str, settings: dict[str, Any], client_id: str = "") -> Resource:
        """Write a document, and return it. One that was there before is replaced, but keeps its date of creation."""
        name, now = f"{kind}/{client_id}", self._clock()
        before = self._table.get(pool, name)
        if before is not None:
            self._table.remove(before)
        return self._table.add(pool, name, Resource(name, now if before is None else before.created, now, settings))

    def remove(self, pool: PoolRecord, kind: str, client_id: str = "") -> None:
        """Delete a document, if there is one."""
        document = self.get(pool, kind, client_id)
        if document is not None:
            self._table.remove(document)

    def remove_client(self, pool: PoolRecord, client_id: str) -> None:
        """Delete all documents of an app client."""
        self._table.remove_all(pool, ending=f"/{client_id}")

    def remove_all(self, pool: PoolRecord) -> None:
        """Delete all documents of *pool* and of its app clients."""
        self._table.remove_all(pool)
