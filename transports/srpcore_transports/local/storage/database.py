"""The SQLite database of a local service, and the unit of work: the records that one request reads and changes.

A record is stored as one MessagePack value, beside the columns by which it is found. :class:`Work` gives the same
object for the same row to all requests that use it at a time, and at the end of a transaction it writes the records
that have changed. So a handler changes a record by setting its attributes, and cannot forget to save it.

Only one transaction runs at a time. It is short: whatever takes long is computed outside of it (see :mod:`..steps`).
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeVar, cast

import msgspec

from srpcore.exceptions.base import ConfigurationError

from ..api.errors import Refusal
from ..model.records import Record

__all__ = ["Database", "Work", "decoder", "encode"]

S = TypeVar("S", bound=msgspec.Struct)
R = TypeVar("R", bound=Record)

_SWEEP_EVERY = 10
_MOST_KNOWN = 1000

VERSION = 1
"""The version of the schema, in ``PRAGMA user_version``."""

# Names by which users are found are stored casefolded; the exact comparison is done on the record. An index ends with
# the rowid, so the rows of one value come out in the order of their creation.
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE record (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, pool INTEGER NOT NULL, name TEXT NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX record_name ON record (kind, name, pool);
CREATE INDEX record_pool ON record (kind, pool);
CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT, pool INTEGER NOT NULL, username TEXT NOT NULL, sub TEXT NOT NULL,
    email TEXT, phone_number TEXT, name TEXT, given_name TEXT, family_name TEXT, preferred_username TEXT,
    user_status TEXT NOT NULL, enabled TEXT NOT NULL, data BLOB NOT NULL
);
CREATE INDEX user_pool ON user (pool);
CREATE INDEX user_username ON user (pool, username);
CREATE INDEX user_sub ON user (pool, sub);
CREATE INDEX user_email ON user (pool, email) WHERE email IS NOT NULL;
CREATE INDEX user_phone_number ON user (pool, phone_number) WHERE phone_number IS NOT NULL;
CREATE INDEX user_name ON user (pool, name) WHERE name IS NOT NULL;
CREATE INDEX user_given_name ON user (pool, given_name) WHERE given_name IS NOT NULL;
CREATE INDEX user_family_name ON user (pool, family_name) WHERE family_name IS NOT NULL;
CREATE INDEX user_preferred_username ON user (pool, preferred_username) WHERE preferred_username IS NOT NULL;
CREATE INDEX user_user_status ON user (pool, user_status);
CREATE INDEX user_enabled ON user (pool, enabled);
CREATE TABLE member (grp INTEGER NOT NULL, user INTEGER NOT NULL, PRIMARY KEY (grp, user)) WITHOUT ROWID;
CREATE INDEX member_user ON member (user);
CREATE TABLE passkey (
    pool INTEGER NOT NULL, credential_id TEXT NOT NULL, user INTEGER NOT NULL, PRIMARY KEY (pool, credential_id)
) WITHOUT ROWID;
CREATE TABLE login (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session BLOB NOT NULL UNIQUE, pool INTEGER NOT NULL, client INTEGER NOT NULL,
    user INTEGER, secret_block BLOB, expires REAL NOT NULL, data BLOB NOT NULL
);
CREATE INDEX login_expires ON login (expires);
CREATE INDEX login_user ON login (user) WHERE user IS NOT NULL;
CREATE INDEX login_secret_block ON login (secret_block) WHERE secret_block IS NOT NULL;
CREATE TABLE expired_session (session BLOB PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX expired_session_expires ON expired_session (expires);
CREATE TABLE auth_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user INTEGER NOT NULL, event_id TEXT NOT NULL, data BLOB NOT NULL
);
CREATE UNIQUE INDEX auth_event_id ON auth_event (user, event_id);
CREATE INDEX auth_event_user ON auth_event (user);
CREATE TABLE login_grant (
    id INTEGER PRIMARY KEY AUTOINCREMENT, origin_jti TEXT NOT NULL UNIQUE, sub TEXT NOT NULL, client TEXT NOT NULL,
    expires REAL NOT NULL, data BLOB NOT NULL
);
CREATE INDEX login_grant_sub ON login_grant (sub);
CREATE INDEX login_grant_client ON login_grant (client);
CREATE INDEX login_grant_expires ON login_grant (expires);
CREATE TABLE refresh_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE, origin_jti TEXT NOT NULL, expires REAL NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX refresh_token_origin_jti ON refresh_token (origin_jti);
CREATE INDEX refresh_token_expires ON refresh_token (expires);
"""

_ENCODER = msgspec.msgpack.Encoder()


def encode(record: msgspec.Struct) -> bytes:
    """Return *record* in the form in which it is stored."""
    return _ENCODER.encode(record)


def decoder(kind: type[S]) -> Callable[[bytes], S]:
    """Return a function that turns what :func:`encode` has returned into a record of the type *kind* again."""
    return cast(Callable[[bytes], S], _decoder(kind).decode)


@cache
def _decoder(kind: type[msgspec.Struct]) -> msgspec.msgpack.Decoder[msgspec.Struct]:
    return msgspec.msgpack.Decoder(kind)


class Database:
    """The connection to a database, and the lock that lets one transaction run at a time.

    Args:
        path: the file, which only its owner can read and write; None keeps everything in memory.

    Attributes:
        path: the file, or None.
        live: the records in use, by table and row.
        known: records that nearly every request reads (pools and app clients), by what they are found by; with None for
            those that do not exist.
        swept: when expired rows were deleted last, by table.
        restored: how many times :meth:`restore` was called.

    Raises:
        ConfigurationError: the file cannot be opened, is in use, or is not the state of a local pool.
    """

    def __init__(self, path: str | None = None) -> None:
        self.lock = threading.Lock()
        self.path = path
        self.restored = 0
        self.known: dict[tuple[object, ...], tuple[int, Record] | None] = {}
        self.swept: dict[str, float] = {}
        self.live: weakref.WeakValueDictionary[tuple[str, int], Record] = weakref.WeakValueDictionary()
        try:
            if path is not None:
                # Create the file with its final mode: sqlite3 would use the umask's.
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self.connection = sqlite3.connect(
                path or ":memory:", timeout=1, isolation_level=None, check_same_thread=False
            )
            # A pool in memory is never closed: close the connection when nobody uses the database any more.
            weakref.finalize(self, self.connection.close)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"cannot use {path} as the state of a local pool: {error}") from None

    def _prepare(self) -> None:
        run = self.connection.execute
        # Nobody else may write to the file while the server runs: the records in memory would be out of date.
        run("PRAGMA locking_mode = EXCLUSIVE")
        # With a write-ahead log, what was committed survives the end of the process at any moment. NORMAL does not wait
        # for the disk at each transaction, so a power failure may lose the last ones, but does not damage the file.
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("BEGIN IMMEDIATE")
        version = run("PRAGMA user_version").fetchone()[0]
        if version == 0 and run("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
            for statement in _SCHEMA.split(";"):
                run(statement)
            run(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise sqlite3.DatabaseError(f"its version is {version}, not {VERSION}")
        run("COMMIT")

    def secret(self, name: str) -> bytes:
        """Return 32 random bytes, the same ones for *name* at each call and at each start."""
        with self.lock:
            self.connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, secrets.token_bytes(32)))
            found = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        value: bytes = found[0]
        return value

    def copy(self) -> sqlite3.Connection:
        """Return a copy of the whole database, in memory. The caller must close it."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with self.lock:
            self.connection.backup(copy)
        return copy

    def restore(self, copy: sqlite3.Connection) -> None:
        """Replace everything by what is in *copy*. The requests in progress fail at their next transaction."""
        with self.lock:
            copy.backup(self.connection)
            self.live.clear()
            self.known.clear()
            self.restored += 1

    def close(self) -> None:
        """Close the connection. Closing twice is safe."""
        with self.lock:
            self.connection.close()


@dataclass(slots=True)
class _Loaded:
    """A record in use: what the database has now, and what it had when the transaction began."""

    record: Record
    row: int
    begun: bytes
    data: bytes
    write: Callable[[int, Record, bytes], object]


class Work:
    """The records that one request has read, and the transactions in which it changes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._restored = database.restored
        self._loaded: dict[int, _Loaded] = {}
        self._added: list[tuple[str, Record]] = []
        self._begun = False

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Run a ``with`` block in a transaction, while no other request changes anything.

        At its end the changed records are written, also if the block raises :class:`Refusal`: a refused request may
        have counted a wrong password. For any other exception all changes are undone.
        """
        with self._database.lock:
            if self._restored != self._database.restored:
                # The rows of this request's records may now be those of other records.
                raise Refusal("InternalErrorException", "The state of the local pool was reset during the request")
            self._begun = False
            self._added.clear()
            for loaded in self._loaded.values():
                loaded.begun = loaded.data = encode(loaded.record)
            try:
                yield
            except Refusal:
                self._commit()
                raise
            except BaseException:
                self._roll_back()
                raise
            else:
                self._commit()

    def release(self) -> None:
        """Stop watching all records. The request is over."""
        # Each watched record refers to its table, and that to this object. Without this, the memory of every request
        # would wait for a garbage collection.
        self._loaded.clear()

    def _commit(self) -> None:
        try:
            self.flush()
            if self._begun:
                self._database.connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._begun:
            self._database.connection.execute("ROLLBACK")
        self._database.known.clear()
        for table, record in self._added:
            # The next record that is inserted may get the same row.
            self.forget(table, record)
        for loaded in self._loaded.values():
            stored = msgspec.msgpack.decode(loaded.begun, type=type(loaded.record))
            for name in loaded.record.__struct_fields__:
                setattr(loaded.record, name, getattr(stored, name))

    def flush(self) -> None:
        """Write the records that were changed since they were read or written."""
        for loaded in self._loaded.values():
            data = encode(loaded.record)
            if data != loaded.data:
                loaded.write(loaded.row, loaded.record, data)
                loaded.data = data

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Execute an SQL statement. What it reads includes the changes that this request has made so far."""
        self.flush()
        return self._execute(statement, values)

    def _execute(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        # A transaction that only resumes a handler executes nothing.
        if not self._begun:
            self._database.connection.execute("BEGIN IMMEDIATE")
            self._begun = True
        return self._database.connection.execute(statement, values)

    def write(self, statement: str, *values: object) -> None:
        """Execute an SQL statement that writes one record, as a part of :meth:`flush`."""
        self._execute(statement, values)

    def may_sweep(self, table: str, now: float) -> bool:
        """Return whether the expired rows of a table may be deleted: at most every ten seconds."""
        last = self._database.swept.get(table)
        if last is not None and 0 <= now - last < _SWEEP_EVERY:
            return False
        self._database.swept[table] = now
        return True

    def known(
        self, key: tuple[object, ...], table: str, write: Callable[[int, Record, bytes], object]
    ) -> tuple[bool, Record | None]:
        """Return whether a lookup by *key* is known, and what it has found."""
        if key not in self._database.known:
            return False, None
        found = self._database.known[key]
        if found is None:
            return True, None
        row, record = found
        if id(record) not in self._loaded:
            data = encode(record)
            self._loaded[id(record)] = _Loaded(record, row, data, data, write)
            self._database.live[table, row] = record
        return True, record

    def know(self, key: tuple[object, ...], record: Record | None) -> None:
        """Remember what a lookup by *key* has found, for all requests, until :meth:`forget_known`."""
        if len(self._database.known) >= _MOST_KNOWN:
            self._database.known.clear()
        self._database.known[key] = None if record is None else (self.row(record), record)

    def forget_known(self) -> None:
        """Forget the results of all lookups, because a record was added or deleted."""
        self._database.known.clear()

    def is_stored(self, table: str, record: Record) -> bool:
        """Return whether a record that this request has read was not deleted since."""
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
            self._loaded[id(record)] = _Loaded(record, row, data, data, write)
        return record  # type: ignore[return-value]

    def added(
        self, table: str, row: int, record: Record, data: bytes, write: Callable[[int, Record, bytes], object]
    ) -> None:
        """Watch a record for changes that was inserted as *row*."""
        self._database.live[table, row] = record
        self._loaded[id(record)] = _Loaded(record, row, data, data, write)
        self._added.append((table, record))

    def uses(self, record: Record) -> bool:
        """Return whether this request has read or inserted *record*."""
        return id(record) in self._loaded

    def row(self, record: Record) -> int:
        """Return the row of a record that this request uses."""
        return self._loaded[id(record)].row

    def forget(self, table: str, record: Record) -> None:
        """Stop watching a record that was deleted."""
        loaded = self._loaded.pop(id(record), None)
        if loaded is not None:
            self._database.live.pop((table, loaded.row), None)
