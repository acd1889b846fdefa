"""Store logins: what is stored of one (:class:`Login`), and where (:class:`TokenStore`).

This is the only package of the core that reads and writes files. Hold the lock from reading a login until its new
version is written. Otherwise two programs could use the same refresh token, and if the pool rotates refresh tokens, one
of them would lose its login::

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
