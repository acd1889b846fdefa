"""Cognito's dialect of SRP-6a, both sides: log-in by password, and (with other names) by device.

It differs from RFC 5054 in four places. Integers are hashed as minimal two's complement, not padded to the width of
*N*. The identity in *x* is a pool's suffix and the user's id (``AbCd1234alice``), or a device's group key and key. The
key is HKDF of *S* with *u* as the salt. The proof is an HMAC over identity, secret block and timestamp.

::

    k = SHA-256(00 | N | 02)                              u = SHA-256(tc(A) | tc(B))
    x = SHA-256(tc(salt) | SHA-256(identity | ":" | P))   v = g^x mod N
    K = HKDF(S; salt = tc(u), info = "Caldera Derived Key")[:16]
    claim = HMAC-SHA-256(K, identity | secret block | timestamp)

``tc`` is :func:`~srpcore.crypto.encoding.to_bytes`. Source: AWS's own JavaScript clients.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timezone

from ..exceptions.base import UnsafeServerValue
from . import srp
from .encoding import to_bytes, utf8
from .groups import MODP_3072
from .hkdf import hkdf
from .modexp import modexp

__all__ = [
    "GROUP",
    "claim",
    "client_key",
    "client_pair",
    "format_timestamp",
    "private_key",
    "scrambling",
    "server_key",
    "server_pair",
    "verifier",
]

GROUP = MODP_3072
INFO = b"Caldera Derived Key"
KEY_LENGTH = 16

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _hash_int(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


k = _hash_int(to_bytes(GROUP.N), to_bytes(GROUP.g))
"""The multiplier, ``SHA-256(00 | N | 02)``."""


def private_key(identity: str, password: str, salt: int) -> int:
    """Return ``x = SHA-256(tc(salt) | SHA-256(identity | ":" | password))``; *salt* may be negative.

    Raises:
        ConfigurationError: a text has no UTF-8 form.
    """
    inner = hashlib.sha256(utf8(identity, name="username") + b":" + utf8(password, name="password")).digest()
    return _hash_int(to_bytes(salt), inner)


def verifier(x: int) -> int:
    """Return ``v = g^x mod N``, what a server keeps instead of a password."""
    return modexp(GROUP.g, x, GROUP.N)


def scrambling(A: int, B: int) -> int:
    """Return ``u = SHA-256(tc(A) | tc(B))``."""
    return _hash_int(to_bytes(A), to_bytes(B))


def client_pair(a: int | None = None) -> srp.Ephemeral:
    """Return the client's one-time pair: ``A = g^a mod N`` for a fresh random *a* of 256 bits unless *a* is given."""
    return srp.client_pair(GROUP, a)


def server_pair(verifier: int, b: int | None = None) -> srp.Ephemeral:
    """Return the server's one-time pair: ``B = k * v + g^b mod N``."""
    return srp.server_pair(GROUP, k, verifier, b)


def client_key(pair: srp.Ephemeral, B: int, x: int) -> bytes:
    """Return the client's 16-byte key for the server's *B* and the private key *x*.

    Raises:
        UnsafeServerValue: *B* is not between 0 and N, or *u* is 0; nothing was computed from *x*.
    """
    if not 0 < B < GROUP.N:
        raise UnsafeServerValue("B is not between 0 and N: refused to answer it")
    u = scrambling(pair.public, B)
    return _derive(srp.client_premaster(GROUP, k, pair, B, x, u), u)


def server_key(pair: srp.Ephemeral, A: int, verifier: int) -> bytes:
    """Return the server's 16-byte key for the client's *A* and the user's *verifier*.

    Raises:
        UnsafeServerValue: *A* is not between 0 and N, or *u* is 0.
    """
    if not 0 < A < GROUP.N:
        raise UnsafeServerValue("A is not between 0 and N: refused to answer it")
    u = scrambling(A, pair.public)
    return _derive(srp.server_premaster(GROUP, pair, A, verifier, u), u)


def _derive(premaster: int, u: int) -> bytes:
    return hkdf(to_bytes(premaster), salt=to_bytes(u), info=INFO, length=KEY_LENGTH)


def claim(key: bytes, identity: str, secret_block: bytes, timestamp: str) -> str:
    """Return PASSWORD_CLAIM_SIGNATURE, ``base64(HMAC-SHA-256(key, identity | secret block | timestamp))``.

    Raises:
        ConfigurationError: a text has no UTF-8 form.
    """
    message = utf8(identity, name="username") + secret_block + utf8(timestamp, name="timestamp")
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode("ascii")


def format_timestamp(time: datetime) -> str:
    """Return *time* as TIMESTAMP: ``EEE MMM d HH:mm:ss UTC yyyy``, English whatever the locale.

    An aware *time* is turned to UTC; a naive one is taken as UTC, as pycognito's callers give it.
    """
    t = time if time.tzinfo is None else time.astimezone(timezone.utc)
    return f"{_DAYS[t.weekday()]} {_MONTHS[t.month - 1]} {t.day} {t:%H:%M:%S} UTC {t.year}"
