"""Logins kept in memory, for the threads and tasks of one process."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from weakref import WeakValueDictionary

from .._fork import ForkSafeLock
from ..exceptions.store import StoreLocked
from .base import LOCK_TIMEOUT, check_timeout
from .record import Login, check_key, encode

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keep logins in memory: they are shared between the clients of one process and end with it."""

    def __init__(self, *, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self._lock_timeout = check_timeout(lock_timeout)
        self._logins: dict[str, Login] = {}
        # Weak, so that the locks of users who are long gone do not pile up.
        self._locks: WeakValueDictionary[str, ForkSafeLock] = WeakValueDictionary()
        self._making = ForkSafeLock()

    def __repr__(self) -> str:
        return f"MemoryStore({len(self._logins)} logins)"

    def load(self, key: str) -> Login | None:
        """Return the login kept under *key*, or None.

        Raises:
            ConfigurationError: *key* is no key.
        """
        check_key(key)
        return self._logins.get(key)

    def save(self, key: str, login: Login) -> None:
        """Keep *login* under *key*, in place of what was there.

        Raises:
            ConfigurationError: *key* is no key, or *login* is no :class:`Login`.
        """
        encode(key, login)
        self._logins[key] = login

    def delete(self, key: str) -> None:
        """Forget what is kept under *key*, if anything is.

        Raises:
            ConfigurationError: *key* is no key.
        """
        check_key(key)
        self._logins.pop(key, None)

    @contextmanager
    def lock(self, key: str) -> Generator[None, None, None]:
        """Keep the other threads of this process out of the lock of *key*.

        Raises:
            ConfigurationError: *key* is no key.
            StoreLocked: another thread held it until the timeout.
        """
        check_key(key)
        with self._making:
            lock = self._locks.setdefault(key, ForkSafeLock())
        if not lock.acquire(timeout=self._lock_timeout):
            raise StoreLocked(f"the lock of this login was not to be had in {self._lock_timeout:g} seconds: try again")
        try:
            yield
        finally:
            lock.release()
