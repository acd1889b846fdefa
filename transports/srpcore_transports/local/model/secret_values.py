"""Secrets that clients send back: compare them in constant time, and store only a hash of them."""

from __future__ import annotations

import hashlib
import hmac

__all__ = ["digest", "equal"]


def equal(given: str, expected: str) -> bool:
    """Return whether two strings are equal, in a time that does not depend on where they differ."""
    # JSON that a client has encoded itself, such as clientDataJSON, may have lone surrogates.
    first, second = (value.encode("utf-8", "surrogatepass") for value in (given, expected))
    return hmac.compare_digest(first, second)


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a random *secret*. The database stores it instead of the secret, and finds rows by it."""
    return hashlib.sha256(secret.encode("utf-8")).digest()
