"""The tables of records that are found by a name: user pools, app clients, groups, identity providers and the like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar, cast

from ..model.pools import PoolRecord
from ..model.records import Record
from .work import Work, decoder, encode

__all__ = ["Table"]

R = TypeVar("R", bound=Record)


class Table(Generic[R]):
    """The records of one kind, each with a name that is unique in its pool.

    In the methods *pool* is the pool that a record belongs to; None for the pools themselves.
    """

    def __init__(self, work: Work, kind: str, record_type: type[R], *, keep_lookups: bool = False) -> None:
        """Make the table of one request.

        Args:
            keep_lookups: keep the results of lookups in memory, because nearly every request reads such a record.
        """
        self._work = work
        self._kind = kind
        self._keep_lookups = keep_lookups
        self._decode = decoder(record_type)

    def get(self, pool: PoolRecord | None, name: str) -> R | None:
        """Return the record called *name*, or None."""
        return self._first(
            "SELECT id, data FROM record WHERE kind = ? AND name = ? AND pool = ?", name, self._row(pool)
        )

    def find(self, name: str) -> R | None:
        """Return the record called *name* of any pool, or None."""
        return self._first("SELECT id, data FROM record WHERE kind = ? AND name = ?", name)

    def by_row(self, row: int) -> R | None:
        """Return the record in *row*, or None if it was deleted."""
        return self._first("SELECT id, data FROM record WHERE kind = ? AND id = ?", row)

    def add(self, pool: PoolRecord | None, name: str, record: R) -> R:
        """Insert a record, and return it. The name must be free."""
        data = encode(record)
        statement = "INSERT INTO record (kind, pool, name, data) VALUES (?, ?, ?, ?)"
        pool_row = 0 if pool is None else self._work.pool_row(pool)
        row = self._work.execute(statement, self._kind, pool_row, name, data).lastrowid or 0
        self._work.added("record", row, record, data, self._write)
        self._forget_lookups()
        return record

    def remove(self, record: R) -> None:
        """Delete a record."""
        self._work.execute("DELETE FROM record WHERE id = ?", self._work.row(record))
        self._work.forget("record", record)
        self._forget_lookups()

    def _forget_lookups(self) -> None:
        if self._keep_lookups:
            self._work.forget_lookups()

    def remove_all(self, pool: PoolRecord, *, ending: str = "") -> None:
        """Delete all records of *pool* whose names end with *ending*."""
        # One statement for all of them: the unit of work compares all records of a table at each statement on it.
        statement, values = (
            "DELETE FROM record WHERE kind = ? AND pool = ?",
            list[object]([self._kind, self._row(pool)]),
        )
        if ending:
            statement, values = f"{statement} AND substr(name, ?) = ?", [*values, -len(ending), ending]
        for (row,) in self._work.execute(f"{statement} RETURNING id", *values).fetchall():
            self._work.forget_row("record", row)
        self._forget_lookups()

    def rows(self, pool: PoolRecord | None, after: int = 0, limit: int = -1) -> Iterator[tuple[int, R]]:
        """Yield the records of *pool*, the oldest first, with their rows.

        Args:
            after: the row after which to begin.
            limit: the maximum number of records; -1 for all.
        """
        statement = "SELECT id, data FROM record WHERE kind = ? AND pool = ? AND id > ? ORDER BY id LIMIT ?"
        for row, data in self._work.execute(statement, self._kind, self._row(pool), after, limit).fetchall():
            yield row, self._use(row, data)

    def where(self, condition: str, *values: object) -> list[R]:
        """Return the records for which *condition* holds, an SQL expression, the oldest first."""
        statement = f"SELECT id, data FROM record WHERE kind = ? AND {condition} ORDER BY id"
        return [self._use(*found) for found in self._work.execute(statement, self._kind, *values).fetchall()]

    def count(self, pool: PoolRecord | None) -> int:
        """Return how many records *pool* has."""
        statement = "SELECT count(*) FROM record WHERE kind = ? AND pool = ?"
        return int(self._work.execute(statement, self._kind, self._row(pool)).fetchone()[0])

    def all(self, pool: PoolRecord | None) -> list[R]:
        """Return all records of *pool*, the oldest first."""
        return [record for _, record in self.rows(pool)]

    def of_all_pools(self) -> list[R]:
        """Return the records of all pools."""
        return self.where("pool <> 0")

    def _row(self, pool: PoolRecord | None) -> int:
        return 0 if pool is None else self._work.row(pool)

    def _first(self, statement: str, *values: object) -> R | None:
        if not self._keep_lookups:
            return self._read(statement, *values)
        key = (statement, self._kind, *values)
        known, record = self._work.known_lookup(key, "record", self._write)
        if not known:
            record = self._read(statement, *values)
            self._work.remember_lookup(key, record)
        return cast("R | None", record)

    def _read(self, statement: str, *values: object) -> R | None:
        found = self._work.execute(statement, self._kind, *values).fetchone()
        return None if found is None else self._use(*found)

    def _use(self, row: int, data: bytes) -> R:
        return self._work.use("record", row, data, self._decode, self._write)

    def _write(self, row: int, _record: Record, data: bytes) -> None:
        self._work.write("UPDATE record SET data = ? WHERE id = ?", data, row)
