"""The unit of work: the records that one request reads and changes, and its transactions.

All requests that use a row at the same time share one object, and :class:`Work` writes the records that have changed
at the end of the transaction. So a handler changes a record by setting its attributes, and cannot forget to save it.

Only one transaction runs at a time. It is short: what takes long is computed outside of it (see :mod:`..steps`).

A statement must see what the same request has changed before. So the changed records of the tables that it names are
written first. To find them, each record of these tables that the request uses is encoded and compared. Therefore a
handler that uses many records of a table should not execute a statement on this table for each of them.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeVar, cast

import msgspec

from ..api.errors import Refusal, not_found
from ..model.records import Record
from .database import Damaged, Database

__all__ = ["Work", "decoder", "encode", "tables_of"]

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
R = TypeVar("R", bound=Record)

_SWEEP_EVERY = 10
_MOST_LOOKUPS = 1000

_ENCODER = msgspec.msgpack.Encoder()

_TABLE = re.compile(r"\b(?:FROM|JOIN|UPDATE)\s+(\w+)")


def encode(record: msgspec.Struct) -> bytes:
    """Return *record* as MessagePack, the format in which it is stored."""
    return _ENCODER.encode(record)


def decoder(kind: type[S]) -> Callable[[bytes], S]:
    """Return the reverse of :func:`encode` for records of the type *kind*. It raises :class:`Damaged`."""
    return cast("Callable[[bytes], S]", _decoder(kind))


@cache
def _decoder(kind: type[msgspec.Struct]) -> Callable[[bytes], msgspec.Struct]:
    decode = msgspec.msgpack.Decoder(kind).decode

    def read(data: bytes) -> msgspec.Struct:
        try:
            return decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError) as error:
            raise Damaged(f"a record of the type {kind.__name__} cannot be read: {error}") from None

    return read


@lru_cache(maxsize=500)
def tables_of(statement: str) -> frozenset[str]:
    """Return the names of the tables whose rows an SQL statement reads or changes. Its keywords must be in upper case.

    A table into which it only inserts is not one of them.
    """
    return frozenset(_TABLE.findall(statement))


@dataclass(slots=True)
class _Loaded:
    """A record that this request uses.

    Attributes:
        table: the table that it is stored in.
        at_begin: the encoded record when the transaction began, for a rollback.
        data: the encoded record as the database has it now.
        write: writes the record to its row.
    """

    table: str
    record: Record
    row: int
    at_begin: bytes
    data: bytes
    write: Callable[[int, Record, bytes], object]


class Work:
    """The records that one request has read, and the transactions in which it changes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._restored = database.restored
        self._loaded: dict[int, _Loaded] = {}
        self._by_table: dict[str, dict[int, _Loaded]] = {}
        self._added: list[tuple[str, Record]] = []
        self._removed: list[tuple[str, int, Record, _Loaded | None]] = []
        self._begun = self._committing = self._committed = False
        self._when_committed: list[Callable[[], object]] = []

    def transact(self, function: Callable[[], T]) -> T:
        """Call *function* in a transaction, while no other request changes anything, and return its result.

        At its end the changed records are written, also if *function* raises :class:`Refusal`: a refused request may
        have counted a wrong password. For any other exception all changes are undone.

        Raises:
            ConfigurationError: the file of the state is damaged, or the database is closed or belongs to a parent
                process.
            Refusal: the state was reset during the request; or *function* raises it.
        """
        with self._database.lock:
            try:
                self._prepare()
                return self._call_and_commit(function)
            except sqlite3.DatabaseError as error:
                raise self._database.explained(error) from None

    def _prepare(self) -> None:
        self._database.check_usable()
        if self._database.end_interrupted() and not self._loaded:
            self._restored = self._database.restored
        if self._restored != self._database.restored:
            # The rows of this request's records may now be those of other records.
            raise Refusal("InternalErrorException", "The state of the local pool was reset during the request")
        self._begun = self._committing = self._committed = False
        self._added.clear()
        self._removed.clear()
        self._when_committed.clear()
        for loaded in self._loaded.values():
            loaded.at_begin = loaded.data = encode(loaded.record)

    def _call_and_commit(self, function: Callable[[], T]) -> T:
        # A signal handler or a debugger can raise an exception anywhere here, also between two calls.
        try:
            try:
                self._database.unfinished = True
                result = function()
            except Refusal:
                self._commit()
                raise
            self._commit()
            return result
        except BaseException as error:
            if not self._is_committed(error):
                self._roll_back()
            self._database.unfinished = False
            raise

    def release(self) -> None:
        """Stop watching all records. The request is over."""
        # This breaks a reference cycle: this object -> record -> the table's write method -> this object. Otherwise the
        # memory of every request would wait for a garbage collection.
        self._loaded.clear()
        self._by_table.clear()
        self._removed.clear()

    def _watch(self, loaded: _Loaded) -> None:
        key = id(loaded.record)
        self._loaded[key] = self._by_table.setdefault(loaded.table, {})[key] = loaded

    def _unwatch(self, record: Record) -> _Loaded | None:
        loaded = self._loaded.pop(id(record), None)
        if loaded is not None:
            del self._by_table[loaded.table][id(record)]
        return loaded

    def _commit(self) -> None:
        for table in self._by_table:
            self._flush(table)
        self._committing = True
        if self._begun:
            self._database.connection.execute("COMMIT")
        self._committed = True
        self._database.unfinished = False
        for function in self._when_committed:
            function()

    def _is_committed(self, error: BaseException) -> bool:
        if self._committed:
            return True
        # A signal that arrives during COMMIT raises its exception just after it. After an error of SQLite, for example
        # if the disk is full, there may not be a transaction any more, either.
        interrupted = self._begun and self._committing and not isinstance(error, sqlite3.Error)
        return interrupted and not self._database.connection.in_transaction

    def _roll_back(self) -> None:
        # SQLite itself has rolled back after some errors, for example if the disk is full.
        if self._database.connection.in_transaction:
            self._database.connection.execute("ROLLBACK")
        self._restore_records()

    def _restore_records(self) -> None:
        self._database.lookups.clear()
        for table, row, record, watched in self._removed:
            # The row is there again, and other requests in progress use this object for it.
            self._database.live[table, row] = record
            if watched is not None:
                self._watch(watched)
        for table, record in self._added:
            # The next record that is inserted may get the same row.
            self.forget(table, record)
        for loaded in self._loaded.values():
            stored = msgspec.msgpack.decode(loaded.at_begin, type=type(loaded.record))
            for name in loaded.record.__struct_fields__:
                setattr(loaded.record, name, getattr(stored, name))

    def when_committed(self, function: Callable[[], object]) -> None:
        """Call *function* as soon as this transaction is committed, and not at all if it is undone.

        It is called while no other request changes anything, so it must be short, and must not raise an exception.
        """
        self._when_committed.append(function)

    def _flush(self, table: str) -> None:
        """Write the records of *table* that were changed since they were read or written."""
        for loaded in self._by_table.get(table, {}).values():
            data = encode(loaded.record)
            if data != loaded.data:
                loaded.write(loaded.row, loaded.record, data)
                loaded.data = data

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Execute an SQL statement. What it reads includes the changes that this request has made so far."""
        for table in tables_of(statement):
            self._flush(table)
        return self._execute(statement, values)

    def _execute(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        # SELECT needs no transaction of SQLite: the lock excludes other requests, and only this process uses the file.
        # A transaction that only resumes a handler executes nothing.
        if not self._begun and not statement.startswith("SELECT"):
            self._database.connection.execute("BEGIN IMMEDIATE")
            self._begun = True
        return self._database.connection.execute(statement, values)

    def write(self, statement: str, *values: object) -> None:
        """Execute an SQL statement that writes one changed record. Only callbacks passed to :meth:`use` call this."""
        self._execute(statement, values)

    def start_sweep(self, table: str, now: float) -> bool:
        """Return whether to delete the expired rows of a table now; if so, remember the time.

        They are deleted at most every ten seconds.
        """
        last = self._database.swept.get(table)
        if last is not None and 0 <= now - last < _SWEEP_EVERY:
            return False
        self._database.swept[table] = now
        return True

    def known_lookup(
        self, key: tuple[object, ...], table: str, write: Callable[[int, Record, bytes], object]
    ) -> tuple[bool, Record | None]:
        """Return whether the result of the lookup *key* is in the cache, and the result."""
        if key not in self._database.lookups:
            return False, None
        found = self._database.lookups[key]
        if found is None:
            return True, None
        row, record = found
        if id(record) not in self._loaded:
            data = encode(record)
            self._watch(_Loaded(table, record, row, data, data, write))
            self._database.live[table, row] = record
        return True, record

    def remember_lookup(self, key: tuple[object, ...], record: Record | None) -> None:
        """Put the result of the lookup *key* into the cache of all requests, until :meth:`forget_lookups`."""
        if len(self._database.lookups) >= _MOST_LOOKUPS:
            self._database.lookups.clear()
        self._database.lookups[key] = None if record is None else (self.row(record), record)

    def forget_lookups(self) -> None:
        """Clear the cache of lookups, because a record was added or deleted."""
        self._database.lookups.clear()

    def is_stored(self, table: str, record: Record) -> bool:
        """Return whether a record that this request has read still exists."""
        return self._database.live.get((table, self.row(record))) is record

    def use(
        self,
        table: str,
        row: int,
        data: bytes,
        decode: Callable[[bytes], R],
        write: Callable[[int, Record, bytes], object],
    ) -> R:
        """Return the record in a row, the same object as for other requests in progress, and watch it for changes.

        Args:
            data: what the row has in the column ``data``.
            decode: makes the record, if no request in progress uses it.
            write: writes the record to its row, if it has changed.
        """
        record = self._database.live.get((table, row))
        if record is None:
            record = decode(data)
            self._database.live[table, row] = record
        if id(record) not in self._loaded:
            self._watch(_Loaded(table, record, row, data, data, write))
        return record  # type: ignore[return-value]

    def added(
        self, table: str, row: int, record: Record, data: bytes, write: Callable[[int, Record, bytes], object]
    ) -> None:
        """Watch a record that was just inserted as *row* for changes."""
        self._database.live[table, row] = record
        self._watch(_Loaded(table, record, row, data, data, write))
        self._added.append((table, record))

    def uses(self, record: Record) -> bool:
        """Return whether this request has read or inserted *record*."""
        return id(record) in self._loaded

    def row(self, record: Record) -> int:
        """Return the row of a record that this request uses."""
        return self._loaded[id(record)].row

    def pool_row(self, pool: Record) -> int:
        """Return the row of a pool to which a record is about to be added.

        Raises:
            Refusal: the pool was deleted while this request computed.
        """
        if not self.is_stored("record", pool):
            raise not_found("The user pool was deleted during the request.")
        return self.row(pool)

    def forget_row(self, table: str, row: int) -> None:
        """Stop watching the record in a row that was deleted, if it is in use."""
        record = self._database.live.pop((table, row), None)
        if record is not None:
            self._removed.append((table, row, record, self._unwatch(record)))

    def forget(self, table: str, record: Record) -> None:
        """Stop watching a record that was deleted."""
        loaded = self._loaded.get(id(record))
        if loaded is not None:
            self.forget_row(table, loaded.row)
            # If another request has deleted it before, forget_row() has not found it.
            self._unwatch(record)
