"""What every store can do, and the key under which a login is kept."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Protocol
from urllib.parse import quote

from ..crypto.encoding import utf8
from ..exceptions.base import ConfigurationError
from .record import Login

__all__ = ["LOCK_TIMEOUT", "TokenStore", "check_timeout", "store_key"]

LOCK_TIMEOUT = 60.0
"""Seconds to wait for a lock: longer than a refresh takes over a slow line."""


class TokenStore(Protocol):
    """A store of logins, each under a key (see :func:`store_key`). Any thread may call any of the methods.

    Write one of your own (over a database, say) by giving these four methods; :class:`StoreError` is what they raise.
    """

    def load(self, key: str) -> Login | None:
        """Return the login kept under *key*, or None."""
        ...

    def save(self, key: str, login: Login) -> None:
        """Keep *login* under *key*, in place of what was there. It is safe, or nothing has changed, when this ends."""
        ...

    def delete(self, key: str) -> None:
        """Forget what is kept under *key*, if anything is."""
        ...

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Return what keeps all other threads and programs out of the lock of *key* while it is entered.

        It may be left on another thread than it was entered on. It is not re-entrant. ``load``, ``save`` and
        ``delete`` do not take it.
        """
        ...


def store_key(pool_id: str, client_id: str, username: str) -> str:
    """Return the key of a user's login: the three texts, percent-encoded (RFC 3986), with ``/`` between them.

    No two users have the same one, and it is ASCII. It is no secret, but it names the user.

    Raises:
        ConfigurationError: one of them is empty, no text, or has no UTF-8 form.
    """
    parts = {"pool_id": pool_id, "client_id": client_id, "username": username}
    for name, part in parts.items():
        if not utf8(part, name=name):
            raise ConfigurationError(f"{name} is empty: a login is kept for one user of one app client")
    return "/".join(quote(part, safe="") for part in parts.values())


def check_timeout(timeout: float) -> float:
    """Return *timeout*, in seconds, if one can wait so long.

    Raises:
        ConfigurationError: it is no number, or below 0, or beyond what the system can wait.
    """
    is_number = isinstance(timeout, (int, float)) and not isinstance(timeout, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_number or not 0 <= timeout <= threading.TIMEOUT_MAX:
        raise ConfigurationError("lock_timeout must be a number of seconds, 0 or more")
    return timeout
