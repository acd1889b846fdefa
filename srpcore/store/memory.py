"""Store logins in memory, for the threads and tasks of one process."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from .._fork import ForkSafeLock
from ..exceptions.store import StoreLocked
from .base import LOCK_TIMEOUT, check_timeout
from .record import Login, check_key, encode

__all__ = ["MemoryStore", "ThreadLocks"]


class ThreadLocks:
    """A lock for each key, between the threads of one process."""

    def __init__(self, timeout: float) -> None:
        self._timeout = check_timeout(timeout)
        # Weak references, so that a lock is freed when it is not in use. A server may see many users.
        self._locks: WeakValueDictionary[str, ForkSafeLock] = WeakValueDictionary()
        self._making = ForkSafeLock()

    @contextmanager
    def lock(self, key: str) -> Generator[None, None, None]:
        """Hold the lock of *key*.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreLocked: another thread held the lock until the timeout.
        """
        check_key(key)
        with self._making.lock:
            kept = self._locks.setdefault(key, ForkSafeLock())
        lock = kept.lock
        if not lock.acquire(timeout=self._timeout):
            raise StoreLocked(
                f"could not lock the stored login within {self._timeout:g} seconds: "
                "another thread is using it; try again"
            )
        try:
            yield
        finally:
            lock.release()


class MemoryStore:
    """A store that keeps logins in memory. All objects of one process can share it. It ends with the process."""

    def __init__(self, *, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self._locks = ThreadLocks(lock_timeout)
        self._logins: dict[str, Login] = {}

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._logins)} logins)"

    def load(self, key: str) -> Login | None:
        """Return the login stored under *key*, or None.

        Raises:
            ConfigurationError: *key* is empty or not a string.
        """
        check_key(key)
        return self._logins.get(key)

    def save(self, key: str, login: Login) -> None:
        """Store *login* under *key*, instead of what was there.

        Raises:
            ConfigurationError: *key* is empty or not a string, or *login* is not a :class:`Login`.
        """
        encode(key, login)
        self._logins[key] = login

    def delete(self, key: str) -> None:
        """Delete what is stored under *key*, if there is anything.

        Raises:
            ConfigurationError: *key* is empty or not a string.
        """
        check_key(key)
        self._logins.pop(key, None)

    @contextmanager
    def lock(self, key: str) -> Generator[None, None, None]:
        """Hold the lock of *key* against the other threads of this process.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreLocked: another thread held the lock until the timeout.
        """
        with self._locks.lock(key):
            yield
