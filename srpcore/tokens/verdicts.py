"""Remember whose signature was good under which key: the one thing about a token that time does not change."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock
from typing import Any, cast

from .jwks import KeySet
from .jws import Jws, octets, take_apart
from .rsa import PublicKey

__all__ = ["MAX_REMEMBERED_LENGTH", "OpenedToken", "Verdicts"]

MAX_REMEMBERED_LENGTH = 16 * 1024
"""Octets of a token that is remembered; a longer one is verified each time, so that the cache's size is bounded."""


@dataclass(slots=True)
class OpenedToken:
    """A token whose parts are known. ``claims`` are the caller's own: a change in them changes nothing remembered."""

    kid: str
    claims: dict[str, Any]
    octets: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    jws: Jws | None = None
    verified_with: PublicKey | None = None
    """The key that its signature was found good under, None where nothing is verified."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    pool: str
    kid: str
    key: PublicKey
    claims: dict[str, Any]
    containers: list[str]

    def copied_claims(self) -> dict[str, Any]:
        """Return the claims with all that can be changed in them copied."""
        claims = self.claims.copy()
        for name in self.containers:
            claims[name] = _copied(claims[name])
        return claims


class Verdicts:
    """The last *size* signatures that were good, by the SHA-256 of the whole token; none if *size* is 0.

    It keeps no token, and hands out copies of the claims, so that nobody can change what is remembered. The claims
    are not judged here: each call does that anew.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[bytes, _Verdict] = OrderedDict()
        self._keys: dict[str, KeySet] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def open(self, token: str) -> OpenedToken:
        """Return *token* taken apart, from memory where it is remembered.

        Raises:
            MalformedToken, UnsupportedAlgorithm: it is no token that can be verified.
        """
        data = octets(token)
        if not self._size:
            return _opened(data, b"")
        digest = sha256(data).digest()
        with self._lock:
            verdict = self._held.get(digest)
            if verdict is not None:
                self._held.move_to_end(digest)
        if verdict is None:
            return _opened(data, digest)
        return OpenedToken(verdict.kid, verdict.copied_claims(), data, digest, verified_with=verdict.key)

    def keep(self, opened: OpenedToken, pool: str, keys: KeySet) -> None:
        """Remember that the signature of *opened* is good under its key among *keys*, *pool*'s."""
        if not self._size or len(opened.octets) > MAX_REMEMBERED_LENGTH:
            return
        containers = [name for name, value in opened.claims.items() if isinstance(value, (list, dict))]
        verdict = _Verdict(pool, opened.kid, keys.key(opened.kid), _copied(opened.claims), containers)
        with self._lock:
            self._held[opened.digest] = verdict
            if len(self._held) > self._size:
                self._held.popitem(last=False)

    def follow(self, pool: str, keys: KeySet) -> None:
        """Drop what was verified with keys that *pool* has no longer: *keys* are those it has."""
        if not self._size or self._keys.get(pool) is keys:
            return
        with self._lock:
            self._keys[pool] = keys
            for digest, verdict in [*self._held.items()]:
                if verdict.pool == pool and keys.keys.get(verdict.kid) != verdict.key:
                    del self._held[digest]


def _opened(data: bytes, digest: bytes) -> OpenedToken:
    jws = take_apart(data)
    return OpenedToken(jws.kid, jws.claims(), data, digest, jws)


def _copied(value: Any) -> Any:
    if type(value) is list:
        return [_copied(item) for item in cast(list[Any], value)]
    if type(value) is dict:
        return {name: _copied(item) for name, item in cast(dict[str, Any], value).items()}
    return value
