"""The SQLite database of a local service: its schema, the connection, and the lock.

A record is stored as one MessagePack value, beside the columns by which it is found. Only one transaction runs at a
time (see :mod:`.work`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import sqlite3
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from srpcore._fork import ForkSafeLock, reset_in_child
from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError

from ..model.records import Record

__all__ = ["Database"]

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

_IN_USE = "another process is using it: stop that `srpcore serve`, or choose another file"


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
        lookups: a cache of lookups of pools and app clients, which nearly every request needs: the statement and its
            values, with the row and the record that were found, or None.
        swept: when expired rows were deleted last, by table.
        restored: how many times :meth:`restore` was called.
        unusable: why this copy in a forked child cannot be used; None if it can.

    Raises:
        ConfigurationError: the file cannot be opened, belongs to another user of the system, is in use, or is not the
            state of a local pool.
    """

    def __init__(self, path: str | None = None) -> None:
        self.lock = threading.Lock()
        self.path = path
        self.restored = 0
        self.unusable: str | None = None
        self.lookups: dict[tuple[object, ...], tuple[int, Record] | None] = {}
        self.swept: dict[str, float] = {}
        self.live: weakref.WeakValueDictionary[tuple[str, int], Record] = weakref.WeakValueDictionary()
        try:
            if path is not None:
                _make_private(path)
            self.connection = sqlite3.connect(
                path or ":memory:", timeout=1, isolation_level=None, check_same_thread=False
            )
            # A pool in memory is never closed: close the connection when nobody uses the database any more.
            self._closing = weakref.finalize(self, self.connection.close)
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            in_use = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            reason = _IN_USE if in_use else error
            raise ConfigurationError(f"cannot use {path} as the state of a local pool: {reason}") from None
        reset_in_child(self, Database._after_fork)
        if path is None:
            _in_memory.add(self)

    def _after_fork(self) -> None:
        """Give up the database in a child of the process, unless it is in memory and no transaction was running."""
        self.lock = threading.Lock()
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
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.connection))
        self.connection = sqlite3.connect(":memory:")
        self.connection.close()

    def check_not_forked(self) -> None:
        """Check that this process can use the database.

        Raises:
            ConfigurationError: a parent process opened the file, or a transaction was running when it forked.
        """
        if self.unusable is not None:
            raise ConfigurationError(self.unusable)

    def _prepare(self) -> None:
        run = self.connection.execute
        # A user takes about 1 KiB; larger pages than the default of 4096 bytes have less unused space.
        run("PRAGMA page_size = 8192")
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
            raise sqlite3.DatabaseError(f"its version is {version}, not {VERSION}: another version of srpcore wrote it")
        run("COMMIT")

    def secret(self, name: str) -> bytes:
        """Return 32 random bytes, the same ones for *name* at each call and at each start."""
        with self.lock:
            self.check_not_forked()
            self.connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, secrets.token_bytes(32)))
            found = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        value: bytes = found[0]
        return value

    def copy(self) -> sqlite3.Connection:
        """Return a copy of the whole database, in memory. The caller must close it."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with self.lock:
            self.check_not_forked()
            self.connection.backup(copy)
        return copy

    def restore(self, copy: sqlite3.Connection, finish: Callable[[], object]) -> None:
        """Replace everything by what is in *copy*. The requests in progress fail at their next transaction.

        Args:
            finish: called at the end, before the next transaction begins.
        """
        with self.lock:
            self.check_not_forked()
            copy.backup(self.connection)
            self.live.clear()
            self.lookups.clear()
            self.restored += 1
            finish()

    def close(self) -> None:
        """Close the connection. Closing twice is safe."""
        with self.lock:
            self.connection.close()


def _make_private(path: str) -> None:
    """Create the file if it does not exist, and let only its owner read and write it.

    Closing any descriptor of a file releases all locks that this process holds on the file, even the lock of another
    pool that is using it. So a file that is already private is not opened here: it may be in use. Any other file is
    closed again before SQLite opens it.
    """
    if sys.platform != "win32" and _is_private(path):
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform != "win32":
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid():
                raise ConfigurationError(
                    f"cannot use {path} as the state of a local pool: it belongs to another user of this computer, who "
                    "could read the keys in it; choose another file"
                )
            # Another file, given by mistake, keeps its mode: SQLite refuses it.
            if status.st_mode & 0o777 != 0o600 and os.read(descriptor, 16) in (b"", b"SQLite format 3\0"):
                os.fchmod(descriptor, 0o600)
                # The write-ahead log of a process that was killed has the mode that the file had.
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{path}-wal").chmod(0o600)
    finally:
        os.close(descriptor)


def _is_private(path: str) -> bool:
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return False
    return status.st_mode & 0o777 == 0o600 and status.st_uid == os.geteuid()


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
