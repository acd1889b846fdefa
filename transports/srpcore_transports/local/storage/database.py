"""The SQLite database of a local service: its schema, the connection, and the lock.

A record is stored as one MessagePack value, beside the columns by which it is found. Only one transaction runs at a
time (see :mod:`.work`).
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Callable

from srpcore._fork import ForkSafeLock, reset_in_child
from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError

from ..model.records import Record
from .state_file import IN_USE, StateFile

__all__ = ["Damaged", "Database"]

VERSION = 3
"""The version of the schema, in ``PRAGMA user_version``."""

# Names by which users are found are stored folded (see fold_case); the exact comparison is done on the record. An
# index ends with the rowid, so the rows of one value come out in the order of their creation.
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
CREATE TABLE expired_session (session BLOB PRIMARY KEY, user INTEGER, expires REAL NOT NULL) WITHOUT ROWID;
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

_NAMES = frozenset(re.findall(r"CREATE (?:UNIQUE )?(?:TABLE|INDEX) (\w+)", _SCHEMA))
_OWN_NAMES = frozenset({"meta", "record", "login_grant"})
"""Tables that all versions of the schema have, and hardly any other program's database."""


class Damaged(sqlite3.DatabaseError):
    """What is stored is not what this version stores."""


class Database:
    """The connection to a database, and the lock that lets one transaction run at a time.

    After ``fork()`` the child of a process can use its own copy of a database in memory. It has all that was committed:
    ``fork()`` waits until no transaction is running, because the child would otherwise have half of it, and locks in
    SQLite that nobody releases. If it has waited for ten seconds, for example because the thread that forks is itself
    in a transaction, the child gets an error instead. Only the parent can use a file.

    Args:
        path: the file, which is made readable and writable for its owner only; None keeps everything in memory.

    Attributes:
        path: the file, or None.
        live: the records in use, by table and row.
        lookups: a cache of lookups of pools, app clients and their settings, which nearly every request needs: the
            statement and its values, with the row and the record that were found, or None.
        swept: when expired rows were deleted last, by table.
        restored: how many times :meth:`forget_records` was called, for example by :meth:`restore`.
        unfinished: a transaction is neither committed nor rolled back.
        unusable: why this database, or its copy in a forked child, cannot be used; None if it can.

    Raises:
        ConfigurationError: the file cannot be opened, belongs to another user of the system, is in use, or is not the
            state of a local pool.
    """

    def __init__(self, path: str | None = None) -> None:
        self.lock = threading.Lock()
        self.path = path
        self.restored = 0
        self.unfinished = False
        self.unusable: str | None = None
        self.lookups: dict[tuple[object, ...], tuple[int, Record] | None] = {}
        self.swept: dict[str, float] = {}
        self.live: weakref.WeakValueDictionary[tuple[str, int], Record] = weakref.WeakValueDictionary()
        try:
            self._file = None if path is None else StateFile(path)
        except OSError as error:
            raise _cannot_use(path, error) from None
        self.connection = self._connect()
        # A pool in memory is never closed: close the connection when nobody uses the database any more.
        self._closing = weakref.finalize(self, _close, self.connection, self._file)
        try:
            self._prepare()
        except BaseException as error:
            # Not by a garbage collection later: the exception refers to this object.
            self._closing()
            if isinstance(error, UnicodeDecodeError):  # from sqlite3, if the message of an error quotes damaged data
                raise _cannot_use(path, Damaged(str(error))) from None
            if isinstance(error, OSError | sqlite3.Error):
                raise _cannot_use(path, error) from None
            raise
        reset_in_child(self, Database._after_fork)
        if path is None:
            _in_memory.add(self)

    def _after_fork(self) -> None:
        """Give up the database in a child of the process, unless it is in memory and no transaction was running."""
        self.lock = threading.Lock()
        if not self._closing.alive:
            return  # it was closed before the fork
        if self.path is not None:
            self.unusable = (
                f"cannot use {self.path} as the state of a local pool in a forked process: only the process that "
                "opened it can use it; serve the pool there, and connect to it"
            )
        elif self not in _forking.held:
            self.unusable = (
                "cannot use a local pool in a process that was forked during a request to the pool: make a new pool in "
                "this process, or fork when no request is being processed"
            )
        else:
            return
        # The connection must never be closed here, not even at the end of the interpreter. If it is to a file, SQLite
        # would delete the write-ahead log, into which the parent goes on writing; in memory it would perhaps wait for
        # a thread that only the parent has. So it gets a reference that nothing releases.
        self._closing.detach()
        if self._file is not None:
            self._file.inherit()
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.connection))
        self.connection = sqlite3.connect(":memory:")
        self.connection.close()

    def check_usable(self) -> None:
        """Check that this process can use the database.

        Raises:
            ConfigurationError: the database is closed. Or a parent process opened the file, or a transaction was
                running when it forked.
        """
        if self.unusable is not None:
            raise ConfigurationError(self.unusable)

    def _connect(self) -> sqlite3.Connection:
        path = ":memory:" if self._file is None else str(self._file.path)
        try:
            return sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        except BaseException as error:
            if self._file is not None:
                self._file.release()
            if isinstance(error, sqlite3.Error):
                raise _cannot_use(self.path, error) from None
            raise

    def _prepare(self) -> None:
        run = self.connection.execute
        # Nobody else may write to the file while the server runs: the records in memory would be out of date.
        run("PRAGMA locking_mode = EXCLUSIVE")
        if self._file is not None:
            # Another file, given by mistake, stays as it is. An empty one is not read before the transaction: two
            # processes that start at the same time would both keep a shared lock, and each would wait for the other.
            if not self._file.empty:
                self._check_contents()
            self._file.make_private()
        # A user takes about 1 KiB; larger pages than the default of 4096 bytes have less unused space.
        run("PRAGMA page_size = 8192")
        # With a write-ahead log, what was committed survives the end of the process at any moment. NORMAL does not wait
        # for the disk at each transaction, so a power failure may lose the last ones, but does not damage the file.
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = NORMAL")
        run("BEGIN IMMEDIATE")
        if self._check_contents():
            for statement in _SCHEMA.split(";"):
                run(statement)
            run(f"PRAGMA user_version = {VERSION}")
        run("COMMIT")

    def _check_contents(self) -> bool:
        """Check that this is the state of a local pool, and return whether it is a new one, without any tables."""
        version = self.connection.execute("PRAGMA user_version").fetchone()[0]
        names = {name for (name,) in self.connection.execute("SELECT name FROM sqlite_schema")}
        if not names and version == 0:
            return True
        if not names >= _OWN_NAMES:
            raise sqlite3.DatabaseError(
                "it is not the state of a local pool, but the database of another program; choose another file"
            )
        if version != VERSION:
            raise sqlite3.DatabaseError(f"its version is {version}, not {VERSION}: another version of srpcore wrote it")
        if not names >= _NAMES:
            missing = ", ".join(sorted(_NAMES - names))
            raise Damaged(f"missing: {missing}")
        return False

    def secret(self, name: str) -> bytes:
        """Return 32 random bytes, the same ones for *name* at each call and at each start."""
        with self.lock:
            self.check_usable()
            try:
                self.connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, secrets.token_bytes(32)))
                value = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0]
                if not isinstance(value, bytes):
                    raise Damaged(f"the secret {name} is not stored as bytes")
            except sqlite3.DatabaseError as error:
                raise self.explained(error) from None
        return value

    def explained(self, error: sqlite3.DatabaseError) -> Exception:
        """Return the exception to raise for *error*: a ConfigurationError if the file is damaged, otherwise *error*.

        In memory, such an error is a bug.
        """
        return error if self.path is None or not _is_damage(error) else _cannot_use(self.path, error)

    def copy(self) -> sqlite3.Connection:
        """Return a copy of the whole database, in memory. The caller must close it."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with self.lock:
            self.check_usable()
            self.end_interrupted()
            self.connection.backup(copy)
        return copy

    def restore(self, copy: sqlite3.Connection, finish: Callable[[], object]) -> None:
        """Replace everything by what is in *copy*. The requests in progress fail at their next transaction.

        Args:
            finish: called at the end, before the next transaction begins.
        """
        with self.lock:
            self.check_usable()
            self.end_interrupted()
            copy.backup(self.connection)
            self.forget_records()
            finish()

    def forget_records(self) -> None:
        """Read all records again from now on. The requests in progress fail at their next transaction."""
        self.live.clear()
        self.lookups.clear()
        self.restored += 1

    def end_interrupted(self) -> bool:
        """Roll back the transaction of a request, if a second exception has interrupted its rollback.

        Return whether there was such a transaction. The caller has the lock.
        """
        if not self.unfinished:
            return False
        # SQLite has no transaction if nothing was written yet, or if the interrupted rollback had already ended it.
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
        # The records in memory may have changes that are not stored. The requests that use them fail.
        self.forget_records()
        self.unfinished = False
        return True

    def close(self) -> None:
        """Close the connection, and give up the file. Closing twice is safe."""
        with self.lock:
            self._closing()
            if self.unusable is None:
                name = "in memory" if self.path is None else self.path
                self.unusable = f"the local pool was closed (its state: {name}): make a new LocalUserPool"


def _close(connection: sqlite3.Connection, file: StateFile | None) -> None:
    connection.close()
    if file is not None:
        file.release()


def _code(error: Exception) -> int:
    # The lowest byte is the kind of the error; the others have details.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF


def _is_damage(error: Exception) -> bool:
    # sqlite3 itself raises OperationalError, without a code, for text that is not UTF-8.
    return (
        isinstance(error, Damaged)
        or _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        or (isinstance(error, sqlite3.OperationalError) and "decode to UTF-8" in str(error))
    )


def _cannot_use(path: str | None, error: OSError | sqlite3.Error) -> ConfigurationError:
    reason: object = error
    if _code(error) == sqlite3.SQLITE_BUSY:
        reason = IN_USE
    elif _is_damage(error):
        reason = (
            f"it is not the state of a local pool, or it is damaged ({error}): restore it from a copy, or choose "
            "another file"
        )
    return ConfigurationError(f"cannot use {path} as the state of a local pool: {reason}")


class _Forking(threading.local):
    """What the thread that forks holds while it does.

    Attributes:
        held: the databases in memory in which no transaction is running.
        alone: no other thread is forking.
    """

    def __init__(self) -> None:
        self.held: list[Database] = []
        self.alone = False


_in_memory: weakref.WeakSet[Database] = weakref.WeakSet()
_forking, _one_fork = _Forking(), ForkSafeLock()
_LONGEST_WAIT = 10.0


def _before_fork() -> None:
    """Wait until no transaction is running. Then no record has changes that are not committed, either."""
    until = monotonic_clock() + _LONGEST_WAIT
    # Two threads that fork would otherwise each wait for a lock that the other one has.
    _forking.alone = _one_fork.lock.acquire(timeout=_LONGEST_WAIT)
    for database in list(_in_memory) if _forking.alone else ():
        if database.lock.acquire(timeout=max(until - monotonic_clock(), 0)):
            _forking.held.append(database)


def _after_fork_in_parent() -> None:
    for database in _forking.held:
        database.lock.release()
    _forking.held.clear()
    if _forking.alone:
        _one_fork.lock.release()


def _after_fork_in_child() -> None:
    # The databases have new locks.
    _forking.held.clear()


if hasattr(os, "register_at_fork"):
    # After Database._after_fork in the child, whose function was registered before.
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
