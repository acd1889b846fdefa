"""Time-based one-time passwords (RFC 6238), as authenticator apps and the service compute them."""

from __future__ import annotations

import base64
import binascii
import hmac

from ..exceptions.base import ConfigurationError
from .encoding import utf8

__all__ = ["decode_secret", "hotp", "totp", "verify_totp"]

STEP = 30
"""Seconds a code is good for (RFC 6238, section 4.1: X)."""


def decode_secret(secret: str) -> bytes:
    """Return the key in a base32 *secret* as AssociateSoftwareToken gives it; case, spaces and padding are optional.

    Raises:
        ConfigurationError: *secret* is not base32, or empty.
    """
    # As bytes, of which upper() turns ASCII letters only.
    digits = utf8(secret, name="TOTP secret").replace(b" ", b"").rstrip(b"=").upper()
    try:
        key = base64.b32decode(digits + b"=" * (-len(digits) % 8))
    except binascii.Error:
        key = b""
    if not key:
        raise ConfigurationError("the TOTP secret is not base32: use the SecretCode of AssociateSoftwareToken")
    return key


def hotp(key: bytes, counter: int, *, digits: int = 6, digest: str = "sha1") -> str:
    """Return ``Truncate(HMAC(K, C)) mod 10^digits`` as decimal text (RFC 4226, section 5.3)."""
    mac = hmac.digest(key, counter.to_bytes(8, "big"), digest)
    offset = mac[-1] & 0x0F
    truncated = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{truncated % 10**digits:0{digits}d}"


def totp(secret: str, time: float, *, digits: int = 6, digest: str = "sha1") -> str:
    """Return the code for *time*, in seconds since the epoch: ``HOTP(K, floor(time / 30))`` (RFC 6238, section 4.2).

    Raises:
        ConfigurationError: *secret* is not base32.
    """
    return hotp(decode_secret(secret), int(time // STEP), digits=digits, digest=digest)


def verify_totp(secret: str, code: str, time: float, *, window: int = 1, after: int = -1) -> int | None:
    """Return the time step for which *code* is right, or None: *window* steps either side of *time* are accepted.

    Give the step of the last accepted code as *after*: a code is accepted once (RFC 6238, section 5.2).

    Raises:
        ConfigurationError: *secret* is not base32.
    """
    key, now = decode_secret(secret), int(time // STEP)
    matches = [
        step
        for step in range(max(now - window, 0), now + window + 1)
        if hmac.compare_digest(hotp(key, step).encode(), code.encode("utf-8", "replace")) and step > after
    ]
    return matches[0] if matches else None
