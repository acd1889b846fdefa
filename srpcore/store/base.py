"""The methods that every store has, and the key under which a login is stored."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError
from .record import Login

__all__ = ["LOCK_TIMEOUT", "TokenStore", "check_timeout", "store_key"]

LOCK_TIMEOUT = 60.0
"""Seconds to wait for a lock. A refresh over a slow connection takes less."""


class TokenStore(Protocol):
    """A store of logins, each under a key (see :func:`store_key`). Any thread may call any of the methods.

    To write a store of your own, for example over another database, write a class with these four methods. They should
    raise :class:`StoreError`. If a lock can end before it is released, ``save`` must not replace a login that was saved
    after that: raise :class:`StoreConflict`, and the client uses the newer login.
    """

    def load(self, key: str) -> Login | None:
        """Return the login stored under *key*, or None."""
        ...

    def save(self, key: str, login: Login) -> None:
        """Store *login* under *key*, instead of what was there.

        When this returns, the login is stored for good. If it raises, the old one is still there.
        """
        ...

    def delete(self, key: str) -> None:
        """Delete what is stored under *key*, if there is anything."""
        ...

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Return a context manager that holds the lock of *key*, against all other threads and programs.

        The thread that leaves it may be another one than the thread that entered it. The lock is not reentrant.
        ``load``, ``save`` and ``delete`` do not acquire it.
        """
        ...


def store_key(pool_id: str, client_id: str, username: str) -> str:
    """Return the key of a user's login: the three strings, percent-encoded (RFC 3986), with ``/`` between them.

    The key is ASCII, and different users have different keys. It is not a secret, but the username can be read in it.

    Raises:
        ConfigurationError: an argument is empty, is not a string, or cannot be encoded as UTF-8.
    """
    from urllib.parse import quote  # imported only here: it is slow, and a login without a store needs no key

    parts = {"pool_id": pool_id, "client_id": client_id, "username": username}
    for name, part in parts.items():
        if not utf8(part, name=name):
            raise ConfigurationError(f"{name} is empty: a login is stored for one user of one app client")
    return "/".join(quote(part, safe="") for part in parts.values())


def check_timeout(timeout: float) -> float:
    """Return *timeout*, a number of seconds, if it is valid.

    Raises:
        ConfigurationError: *timeout* is not a number, is negative, or is longer than the system can wait.
    """
    from threading import TIMEOUT_MAX  # imported only here: a login without a store does not need it

    is_number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_number or not 0 <= timeout <= TIMEOUT_MAX:
        raise ConfigurationError(f"invalid lock_timeout {timeout!r}: use a number of seconds, 0 or more")
    return timeout
