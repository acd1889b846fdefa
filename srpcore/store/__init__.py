"""Logins that keep: what is kept of one (:class:`Login`), and where (:class:`TokenStore`).

This is the one room of the core that touches a disk. Hold the lock from reading a login to writing its successor, so
that two programs do not spend one rotating refresh token::

    with store.lock(key):
        login = store.load(key)  # another program may have refreshed it meanwhile
        ...
        store.save(key, refreshed)  # before the new tokens are used
"""

from __future__ import annotations

from .base import TokenStore, store_key
from .file import FileStore
from .keyring import KeyringStore
from .memory import MemoryStore
from .record import Login, Tokens

__all__ = ["FileStore", "KeyringStore", "Login", "MemoryStore", "TokenStore", "Tokens", "store_key"]
