"""RSA keys that the tests share: generating a 2048-bit key takes longer than most tests."""

from __future__ import annotations

from functools import cache
from itertools import count

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

__all__ = ["next_key"]

# Enough that pools which are alive at the same time in one test have different keys.
_NUMBER = 4
_made = count()


@cache
def _key(_: int) -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def next_key() -> RSAPrivateKey:
    """Return one of four real 2048-bit keys, in turn; each is generated when it is first returned."""
    return _key(next(_made) % _NUMBER)
