"""Store logins in Redis or Valkey, for web back ends on many machines (extra ``srpcore[redis]``).

Each login has two keys, which a cluster keeps on one node (the part in braces is hashed)::

    <prefix>{<SHA-256 of the key>}:login    <version, 32 characters>:<record in Base64>
    <prefix>{<SHA-256 of the key>}:lease    <owner>, with an expiry

Each operation is one Lua script, so no other client runs between its steps. Redis ends a lease by its own clock: the
clocks of the programs do not matter. See :mod:`srpcore.store.leases` for the lease and the version.
"""

from __future__ import annotations

import binascii
from typing import Protocol

from ..exceptions.base import ConfigurationError
from ..exceptions.store import StoreCorrupt, StoreError
from .base import LOCK_TIMEOUT
from .leases import LEASE, LeaseStore
from .sealing import EncryptionKeys

__all__ = ["RedisClient", "RedisStore"]

_VERSION_SIZE = 32

_ACQUIRE = """
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return false end
local version = redis.call('GETRANGE', KEYS[2], 0, 31)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return version
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""
_READ = "return redis.call('GET', KEYS[1])"
# ARGV: the expected version, or '*' for any; the new version; the value; the milliseconds until it expires, or '0'.
_SAVE = """
local version = redis.call('GETRANGE', KEYS[1], 0, 31)
if ARGV[1] ~= '*' and version ~= ARGV[1] and version ~= ARGV[2] then return 0 end
if ARGV[4] == '0' then redis.call('SET', KEYS[1], ARGV[3]) else redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end
return 1
"""
_DELETE = """
local version = redis.call('GETRANGE', KEYS[1], 0, 31)
if ARGV[1] ~= '*' and version ~= ARGV[1] and version ~= '' then return 0 end
redis.call('DEL', KEYS[1])
return 1
"""


class RedisClient(Protocol):
    """The method of ``redis.Redis``, ``redis.RedisCluster`` and ``valkey.Valkey`` that the store calls."""

    def eval(self, script: str, numkeys: int, /, *keys_and_args: str) -> object:
        """Run the Lua *script* with the keys and arguments, and return what it returns."""
        ...


class RedisStore(LeaseStore):
    """A store that keeps logins in Redis, for any number of machines.

    Any thread may use the store, and ``AsyncCognito`` calls it in threads, so *client* is not a client of
    ``redis.asyncio``.

    Redis must keep what it is sent: use an append-only file and the policy ``noeviction``. If a replica takes over, the
    last seconds may be lost: then a user whose refresh token was rotated in that time has to log in again.

    Args:
        client: a ``redis.Redis`` or ``redis.RedisCluster``, with any settings. Give it a ``socket_timeout``.
        encryption_key: 32 random bytes, for example from ``os.urandom(32)``. The logins are encrypted with them
            (AES-256-GCM). To change the key, give a list: the first key encrypts, all of them decrypt. With None the
            logins are not encrypted.
        lease: seconds, at least 1, after which the lock of a process that was killed ends. It must be longer than a
            refresh can take: more than five times the ``total_timeout`` of the transport.
        lock_timeout: seconds to wait for a lock.
        expire_after: seconds after which a login expires that was not saved again. Choose at least the life of the
            app client's refresh tokens. Devices expire too. With None nothing expires.
        prefix: the beginning of the names of the keys.

    Raises:
        ConfigurationError: an argument is not valid, or the package ``cryptography`` is not installed.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        encryption_key: EncryptionKeys,
        lease: float = LEASE,
        lock_timeout: float = LOCK_TIMEOUT,
        expire_after: float | None = None,
        prefix: str = "srpcore:",
    ) -> None:
        super().__init__(encryption_key, lease=lease, lock_timeout=lock_timeout, expire_after=expire_after)
        _check_client(client)
        if not isinstance(prefix, str) or "{" in prefix:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"invalid prefix {prefix!r}: use a string without a brace")
        self._client = client
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"RedisStore(prefix={self._prefix!r})"

    def _acquire(self, name: str, owner: str) -> str | None:
        keys = self._key(name, "lease"), self._key(name, "login")
        found = self._eval("lock", _ACQUIRE, keys, owner, _milliseconds(self._lease))
        return None if found is None else _string(found)

    def _release(self, name: str, owner: str) -> None:
        self._eval("unlock", _RELEASE, (self._key(name, "lease"),), owner)

    def _read(self, name: str) -> tuple[str, bytes | None]:
        found = self._eval("read", _READ, (self._key(name, "login"),))
        if found is None:
            return "", None
        value = _string(found)
        return value[:_VERSION_SIZE], _decode(value)

    def _write(self, name: str, record: bytes | None, version: str, expected: str | None) -> bool:
        keys, old = (self._key(name, "login"),), "*" if expected is None else expected
        if record is None:
            return self._eval("delete", _DELETE, keys, old) == 1
        value = f"{version}:{binascii.b2a_base64(record, newline=False).decode('ascii')}"
        life = "0" if self._expire_after is None else _milliseconds(self._expire_after)
        return self._eval("write", _SAVE, keys, old, version, value, life) == 1

    def _key(self, name: str, kind: str) -> str:
        return f"{self._prefix}{{{name}}}:{kind}"

    def _eval(self, verb: str, script: str, keys: tuple[str, ...], *arguments: str) -> object:
        try:
            return self._client.eval(script, len(keys), *keys, *arguments)
        except Exception as error:  # the clients for Redis and Valkey have no common class of errors
            raise StoreError(f"Redis could not {verb} the stored login ({type(error).__name__}): {error}") from error


def _check_client(client: object) -> None:
    if any(".asyncio." in f"{base.__module__}." for base in type(client).__mro__):
        raise ConfigurationError("client is an asyncio client: give a redis.Redis, which AsyncCognito uses in a thread")
    if not callable(getattr(client, "eval", None)):
        raise ConfigurationError(f"client must be a redis.Redis, not {type(client).__name__}")


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


def _string(value: object) -> str:
    # A client with decode_responses=True returns strings. What is not ASCII was not written by this store.
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _decode(value: str) -> bytes:
    try:
        if value[_VERSION_SIZE : _VERSION_SIZE + 1] == ":":
            return binascii.a2b_base64(value[_VERSION_SIZE + 1 :], strict_mode=True)
    except ValueError:
        pass  # raised below: the parser's error would be its context
    raise StoreCorrupt(
        "the stored record is not a login (it was not written by this store): delete it, and log in again"
    )
