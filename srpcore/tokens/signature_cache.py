"""Remember whose signature was good under which key: the one thing about a token that time does not change."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Any, NamedTuple, cast

from .._fork import ForkSafeLock, reset_in_child
from .jwks import KeySet
from .rsa import PublicKey

__all__ = ["MAX_CACHED_LENGTH", "SignatureCache", "VerifiedSignature"]

MAX_CACHED_LENGTH = 16 * 1024
"""Octets of a token that is remembered; a longer one is verified each time, so that the cache's size is bounded."""


class VerifiedSignature(NamedTuple):
    """The signature of a token with these claims was good under this key of this pool."""

    pool: str
    kid: str
    key: PublicKey
    cached_claims: dict[str, Any]
    containers: list[str]

    def __repr__(self) -> str:
        return f"VerifiedSignature(pool={self.pool!r}, kid={self.kid!r})"

    def claims(self) -> dict[str, Any]:
        """Return the claims with all that can be changed in them copied."""
        claims = self.cached_claims.copy()
        for name in self.containers:
            claims[name] = _deep_copy(claims[name])
        return claims


class SignatureCache:
    """The last *size* signatures that were good, by the SHA-256 of the whole token.

    It keeps no token, and hands out copies of the claims, so that nobody can change what is remembered. The claims
    are not judged here: each call does that anew.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[bytes, VerifiedSignature] = OrderedDict()
        self._keys: dict[str, KeySet] = {}
        self._lock = ForkSafeLock()
        reset_in_child(self, SignatureCache._after_fork)

    def _after_fork(self) -> None:
        # What a thread of the parent was changing may be half changed.
        self._entries, self._keys = OrderedDict(), {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, token: str) -> VerifiedSignature | None:
        """Return what is remembered of *token*."""
        digest = _digest(token)
        if digest is None:
            return None
        with self._lock:
            remembered = self._entries.get(digest)
            if remembered is not None:
                self._entries.move_to_end(digest)
        return remembered

    def add(self, token: str, pool: str, kid: str, key: PublicKey, claims: dict[str, Any]) -> None:
        """Remember that the signature of *token* is good under *key*."""
        digest = _digest(token)
        if digest is None:
            return
        containers = [name for name, value in claims.items() if isinstance(value, (list, dict))]
        remembered = VerifiedSignature(pool, kid, key, _deep_copy(claims), containers)
        with self._lock:
            self._entries[digest] = remembered
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def drop_replaced_keys(self, pool: str, keys: KeySet) -> None:
        """Drop what was verified with keys that *pool* has no longer: *keys* are those that it has."""
        if self._keys.get(pool) is keys:
            return
        with self._lock:
            self._keys[pool] = keys
            for digest, remembered in [*self._entries.items()]:
                if remembered.pool == pool and keys.keys.get(remembered.kid) != remembered.key:
                    del self._entries[digest]


def _digest(token: str) -> bytes | None:
    """Return the SHA-256 of *token*, or None where it is not one to be remembered."""
    # Anything may be asked for: what it is has not been looked at. A subclass might tell one text here, another there.
    if type(token) is not str or len(token) > MAX_CACHED_LENGTH or not token.isascii():
        return None
    return sha256(token.encode("ascii")).digest()


def _deep_copy(value: Any) -> Any:
    if type(value) is list:
        return [_deep_copy(item) for item in cast(list[Any], value)]
    if type(value) is dict:
        return {name: _deep_copy(item) for name, item in cast(dict[str, Any], value).items()}
    return value
