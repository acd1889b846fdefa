"""Time-based one-time passwords (RFC 6238), as authenticator apps and the service compute them."""

from __future__ import annotations

import base64
import binascii
import hmac

from ..exceptions.base import ConfigurationError
from .encoding import utf8

__all__ = ["decode_secret", "hotp", "totp", "verify_totp"]

STEP = 30
"""The seconds for which a code is valid (X in RFC 6238, section 4.1)."""


def decode_secret(secret: str) -> bytes:
    """Return the key that *secret* encodes in base32, as AssociateSoftwareToken returns it.

    Upper and lower case are accepted, spaces are ignored, and the padding may be missing.

    Raises:
        ConfigurationError: *secret* is empty or not base32.
    """
    # bytes.upper() changes ASCII letters only; str.upper() would turn some other letters into ASCII letters.
    digits = utf8(secret, name="TOTP secret").replace(b" ", b"").rstrip(b"=").upper()
    try:
        key = base64.b32decode(digits + b"=" * (-len(digits) % 8))
    except binascii.Error:
        key = b""
    if not key:
        raise ConfigurationError("TOTP secret is not base32: use the SecretCode that AssociateSoftwareToken returned")
    return key


def hotp(key: bytes, counter: int, *, digits: int = 6, digest: str = "sha1") -> str:
    """Return the code for *counter*: ``Truncate(HMAC(K, C)) mod 10^digits`` in decimal (RFC 4226, section 5.3)."""
    mac = hmac.digest(key, counter.to_bytes(8, "big"), digest)
    offset = mac[-1] & 0x0F
    truncated = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{truncated % 10**digits:0{digits}d}"


def totp(secret: str, time: float, *, digits: int = 6, digest: str = "sha1") -> str:
    """Return the code for *time*, in seconds since the epoch: ``HOTP(K, floor(time / 30))`` (RFC 6238, section 4.2).

    Raises:
        ConfigurationError: *secret* is not base32.
    """
    return hotp(decode_secret(secret), int(time) // STEP, digits=digits, digest=digest)


def verify_totp(secret: str, code: str, time: float, *, window: int = 1, after: int = -1) -> int | None:
    """Return the time step for which *code* is valid, or None if it is wrong.

    Args:
        secret: the shared secret in base32.
        code: the code that the user typed.
        time: the present time in seconds since the epoch.
        window: how many steps of 30 seconds before and after *time* are accepted too.
        after: the step of the last accepted code. Only later steps are accepted, so that a code cannot be used twice
            (RFC 6238, section 5.2).

    Raises:
        ConfigurationError: *secret* is empty or not base32.
    """
    key, now = decode_secret(secret), int(time) // STEP
    matches = [
        step
        for step in range(max(now - window, 0), now + window + 1)
        if hmac.compare_digest(hotp(key, step).encode(), code.encode("utf-8", "replace")) and step > after
    ]
    return matches[0] if matches else None
