"""Store logins: what is stored of one (:class:`Login`), and where (:class:`TokenStore`).

This is the only package of the core that reads and writes files, or uses a database. Hold the lock from reading a login
until its new version is written. Otherwise two programs could use the same refresh token, and if the pool rotates
refresh tokens, one of them would lose its login::

    with store.lock(key):
        login = store.load(key)  # another program may have refreshed it meanwhile
        ...
        store.save(key, refreshed)  # before the new tokens are used

The stores are imported when they are first used: a program that keeps its tokens itself, such as a function in AWS
Lambda, does not wait for their modules.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .record import Login, Tokens

if TYPE_CHECKING:
    from .base import TokenStore, store_key
    from .dynamodb import DynamoDBStore
    from .file import FileStore
    from .keyring import KeyringStore
    from .memory import MemoryStore
    from .redis import RedisStore

__all__ = [
    "DynamoDBStore",
    "FileStore",
    "KeyringStore",
    "Login",
    "MemoryStore",
    "RedisStore",
    "TokenStore",
    "Tokens",
    "store_key",
]

_MODULE_OF = {
    "DynamoDBStore": "dynamodb",
    "FileStore": "file",
    "KeyringStore": "keyring",
    "MemoryStore": "memory",
    "RedisStore": "redis",
    "TokenStore": "base",
    "store_key": "base",
}

if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
