"""The key derivation function HKDF with SHA-256 (RFC 5869)."""

from __future__ import annotations

import hashlib
import hmac

from ..exceptions.base import ConfigurationError

__all__ = ["expand", "extract", "hkdf"]

_HASH_LENGTH = hashlib.sha256().digest_size


def extract(salt: bytes, input_key: bytes) -> bytes:
    """Return ``PRK = HMAC-SHA-256(salt, IKM)``, 32 bytes (RFC 5869, section 2.2)."""
    return hmac.digest(salt, input_key, "sha256")


def expand(pseudorandom_key: bytes, info: bytes, length: int) -> bytes:
    """Return *length* bytes ``T(1) | T(2) | ...``, ``T(i) = HMAC(PRK, T(i-1) | info | i)`` (RFC 5869, section 2.3).

    Raises:
        ConfigurationError: *length* is negative, or over 8160 bytes (255 times the length of the hash).
    """
    if not 0 <= length <= 255 * _HASH_LENGTH:
        raise ConfigurationError(f"invalid HKDF length {length}: use 0 to {255 * _HASH_LENGTH} bytes")
    block, output = b"", bytearray()
    for counter in range(1, -(-length // _HASH_LENGTH) + 1):
        block = hmac.digest(pseudorandom_key, block + info + bytes([counter]), "sha256")
        output += block
    return bytes(output[:length])


def hkdf(input_key: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """Return *length* bytes of key material derived from *input_key*: :func:`extract`, then :func:`expand`.

    Raises:
        ConfigurationError: *length* is negative, or over 8160 bytes.
    """
    return expand(extract(salt, input_key), info, length)
