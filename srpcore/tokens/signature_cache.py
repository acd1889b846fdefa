"""Remember which signatures were valid under which key.

Verifying a signature is the slowest step, and its result never changes for the same token and key. Everything else
(issuer, key, time, client) is checked again at each call.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Any, cast

from .._fork import ForkSafeLock, reset_in_child
from .jwks import KeySet
from .rsa import PublicKey

__all__ = ["MAX_CACHED_LENGTH", "SignatureCache", "VerifiedSignature"]

MAX_CACHED_LENGTH = 16 * 1024
"""The longest token that is cached, in characters. Longer ones are verified each time: the cache must stay small."""


class VerifiedSignature:
    """The fact that the signature of a token with these claims is valid under this key of this pool."""

    __slots__ = ("cached_claims", "containers", "key", "kid", "pool")

    def __init__(
        self, pool: str, kid: str, key: PublicKey, cached_claims: dict[str, Any], containers: list[str]
    ) -> None:
        self.pool, self.kid, self.key = pool, kid, key
        self.cached_claims = cached_claims
        self.containers = containers  # the names of the claims that are lists or objects

    def __repr__(self) -> str:
        return f"VerifiedSignature(pool={self.pool!r}, kid={self.kid!r})"

    def claims(self) -> dict[str, Any]:
        """Return a copy of the claims, lists and objects in them included, so that a caller cannot change the cache."""
        claims = self.cached_claims.copy()
        for name in self.containers:
            claims[name] = _deep_copy(claims[name])
        return claims


class SignatureCache:
    """The last *size* valid signatures, by the SHA-256 of the whole token.

    It does not keep the tokens themselves, and it returns copies of the claims, so that a caller cannot change the
    cached ones. It does not check the claims: the verifier does that again at each call.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[bytes, VerifiedSignature] = OrderedDict()
        self._keys: dict[str, KeySet] = {}
        self._lock = ForkSafeLock()
        reset_in_child(self, SignatureCache._after_fork)

    def _after_fork(self) -> None:
        # A thread of the parent may have been in the middle of a change when the process forked: start empty.
        self._entries, self._keys = OrderedDict(), {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, token: str) -> VerifiedSignature | None:
        """Return the cached fact about *token*, or None."""
        digest = _digest(token)
        if digest is None:
            return None
        with self._lock.lock:
            cached = self._entries.get(digest)
            if cached is not None:
                self._entries.move_to_end(digest)
        return cached

    def add(self, token: str, pool: str, kid: str, key: PublicKey, claims: dict[str, Any]) -> None:
        """Remember that the signature of *token* is valid under *key*."""
        digest = _digest(token)
        if digest is None:
            return
        containers = [name for name, value in claims.items() if isinstance(value, (list, dict))]
        cached = VerifiedSignature(pool, kid, key, _deep_copy(claims), containers)
        with self._lock.lock:
            self._entries[digest] = cached
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def drop_replaced_keys(self, pool: str, keys: KeySet) -> None:
        """Forget signatures that were verified with a key of *pool* that is not in *keys*, its present key set."""
        if self._keys.get(pool) is keys:
            return
        with self._lock.lock:
            self._keys[pool] = keys
            for digest, cached in [*self._entries.items()]:
                if cached.pool == pool and keys.keys.get(cached.kid) != cached.key:
                    del self._entries[digest]


def _digest(token: str) -> bytes | None:
    """Return the SHA-256 of *token*, or None if it must not be cached."""
    # *token* is not checked yet, so it may be any object. A subclass of str is refused here because it could return
    # different strings at different calls: one for the digest, and another for the verification.
    if type(token) is not str or len(token) > MAX_CACHED_LENGTH or not token.isascii():
        return None
    return sha256(token.encode("ascii")).digest()


def _deep_copy(value: Any) -> Any:
    if type(value) is list:
        return [_deep_copy(item) for item in cast(list[Any], value)]
    if type(value) is dict:
        return {name: _deep_copy(item) for name, item in cast(dict[str, Any], value).items()}
    return value
