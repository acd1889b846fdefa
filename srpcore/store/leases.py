"""A store in a database that many machines share: locks that end by themselves, and writes that cannot go back.

Theory of operation
===================

A file lock ends with its process. A database does not notice the end of a process on another machine. So the lock is a
lease: it ends when it is released, or *lease* seconds after it was acquired, if its holder was killed::

    process A                          database                        process B
    lock      ──► lease A, version 1
    load      ──► login 1
    refresh: the service rotates the refresh token                     lock: waits
       │                               lease A ends after *lease* s
       │                                                          ◄──  lock: lease B, version 1
       │                               login 2, version 2         ◄──  load, refresh, save if version is 1
    save if version is 1  ──► refused: StoreConflict                   unlock
    lock, load ──► login 2, which is newer: used instead

While A is only slow, the lease protects the refresh token from being used twice. If A is stopped for longer than its
lease (a suspended virtual machine, a frozen Lambda environment), the version protects what B has saved. Each save
writes a new random version. Within a lock, a save or delete succeeds only if the record still has the version that the
lock, or the last load, save or delete in it, has seen. Outside of a lock they always succeed: a new login replaces an
old one.

The client of the database may repeat a request after its answer was lost. So a lease that the caller has already counts
as acquired, and a record that has the new version already counts as saved.

The lease is found by the context of the caller (:mod:`contextvars`), so it also works if an event loop runs each call
in a thread of its own. The threads of one process that share a store wait for each other first, without the database.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

from ..clock import monotonic_clock
from ..exceptions.base import ConfigurationError
from ..exceptions.store import StoreConflict, StoreError, StoreLocked
from .base import check_timeout
from .memory import ThreadLocks
from .record import Login, check_key
from .sealing import EncryptionKeys, RecordCipher

__all__ = ["LEASE", "LeaseStore", "check_seconds"]

LEASE = 360.0
"""The seconds after which a lock ends by itself. A refresh makes at most five calls: for the key set, for the key set
again if the stored or the new tokens have another key, and two ways to refresh. The default transport ends each call
after 60 seconds.
"""

_MAX_LEASE = 3600.0
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 0.5


class _Lease:
    """A lock that is held, and the version of the record that was last seen in it; "" if there was no record."""

    __slots__ = ("ended", "name", "owner", "process", "store", "version")

    def __init__(self, store: LeaseStore, name: str, owner: str, version: str) -> None:
        self.store, self.name, self.owner, self.version = store, name, owner, version
        self.process = os.getpid()
        self.ended = False


_held: ContextVar[tuple[_Lease, ...]] = ContextVar("srpcore_leases", default=())


class LeaseStore(ABC):
    """What :class:`RedisStore` and :class:`DynamoDBStore` have in common."""

    def __init__(
        self, encryption_key: EncryptionKeys, *, lease: float, lock_timeout: float, expire_after: float | None
    ):
        self._cipher = RecordCipher(encryption_key)
        self._lease = check_seconds("lease", lease, 1, _MAX_LEASE)
        self._lock_timeout = check_timeout(lock_timeout)
        self._expire_after = None if expire_after is None else check_seconds("expire_after", expire_after, 1, 2.0**31)
        self._threads = ThreadLocks(lock_timeout)

    def load(self, key: str) -> Login | None:
        """Return the login stored under *key*, or None.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreCorrupt: the record was changed, or is not a login of this key. It is not changed.
            StoreError: the database cannot be read, or the record is encrypted with a key that the store does not have.
        """
        name = _record_name(key)
        version, record = self._read(name)
        lease = self._held_lease(name)
        if lease is not None:
            lease.version = version
        return None if record is None else self._cipher.open(key, record)

    def save(self, key: str, login: Login) -> None:
        """Store *login* under *key*, instead of what was there.

        Raises:
            ConfigurationError: *key* is empty or not a string, or *login* is not a :class:`Login`, or is too big.
            StoreConflict: the caller holds the lock, and another process has changed the login meanwhile.
            StoreError: the database cannot be written. If it did not answer, it has the old login or the new one.
        """
        name = _record_name(key)
        self._change(name, self._cipher.seal(key, login))

    def delete(self, key: str) -> None:
        """Delete what is stored under *key*, if there is anything.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreConflict: the caller holds the lock, and another process has changed the login meanwhile.
            StoreError: the database cannot be written.
        """
        self._change(_record_name(key), None)

    @contextmanager
    def lock(self, key: str) -> Generator[None, None, None]:
        """Hold the lock of *key* against all other threads and programs, for at most *lease* seconds.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreLocked: another thread or program held the lock until the timeout.
            StoreError: the database cannot be used.
        """
        name, deadline = _record_name(key), monotonic_clock() + self._lock_timeout
        with self._threads.lock(key):
            lease = self._wait_for_lease(name, deadline)
            try:
                # Without those whose blocks were left on another thread, which has another context.
                _held.set((*(one for one in _held.get() if not one.ended), lease))
                yield
            finally:
                self._end(lease)

    @abstractmethod
    def _acquire(self, name: str, owner: str) -> str | None:
        """Give *owner* the lease of *name*, and return the version of the record, or None if another one has it."""

    @abstractmethod
    def _release(self, name: str, owner: str) -> None:
        """End the lease of *name* if *owner* still has it."""

    @abstractmethod
    def _read(self, name: str) -> tuple[str, bytes | None]:
        """Return the version of the record and the record; "" and None if there is none."""

    @abstractmethod
    def _write(self, name: str, record: bytes | None, version: str, expected: str | None) -> bool:
        """Replace the record, or delete it if *record* is None, and return True.

        If *expected* is not None, and the present version is neither *expected* nor *version*, return False instead.
        """

    def _held_lease(self, name: str) -> _Lease | None:
        # A task that was started within the block has a copy of the context, and may outlive the lease.
        held = (one for one in _held.get() if one.store is self and one.name == name and not one.ended)
        return next(held, None)

    def _change(self, name: str, record: bytes | None) -> None:
        lease = self._held_lease(name)
        version = secrets.token_hex(16)
        if not self._write(name, record, version, None if lease is None else lease.version):
            raise StoreConflict(
                "the stored login was changed by another process meanwhile, so it was not replaced: load it again"
            )
        if lease is not None:
            lease.version = "" if record is None else version

    def _wait_for_lease(self, name: str, deadline: float) -> _Lease:
        owner, pause = secrets.token_hex(16), _FIRST_PAUSE
        while (version := self._try_to_acquire(name, owner)) is None:
            left = deadline - monotonic_clock()
            if left <= 0:
                raise StoreLocked(
                    f"could not lock the stored login within {self._lock_timeout:g} seconds: another process is using "
                    f"it, or was killed less than {self._lease:g} seconds ago; try again"
                )
            # Vary the pause, so that processes that began to wait at the same time do not ask at the same times.
            time.sleep(min(left, pause * (0.5 + secrets.randbelow(1000) / 1000)))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return _Lease(self, name, owner, version)

    def _try_to_acquire(self, name: str, owner: str) -> str | None:
        try:
            return self._acquire(name, owner)
        except BaseException:
            # The database may have given the lease although its answer was lost.
            with suppress(StoreError):
                self._release(name, owner)
            raise

    def _end(self, lease: _Lease) -> None:
        lease.ended = True
        _held.set(tuple(one for one in _held.get() if one is not lease))
        if lease.process != os.getpid():
            return  # a forked child leaves the block of its parent, which still has the lease
        # If this fails, the lease ends by itself. An error here would hide that the work in the block has succeeded, or
        # why it has failed.
        with suppress(StoreError):
            self._release(lease.name, lease.owner)


def _record_name(key: str) -> str:
    # A hash, so that the name has a fixed length and does not show the username.
    return hashlib.sha256(check_key(key)).hexdigest()


def check_seconds(name: str, seconds: float, least: float, most: float) -> float:
    """Return *seconds* if it is a number from *least* to *most*.

    Raises:
        ConfigurationError: it is not.
    """
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_number or not least <= seconds <= most:
        raise ConfigurationError(f"invalid {name} {seconds!r}: use a number of seconds from {least:g} to {most:.0f}")
    return seconds
