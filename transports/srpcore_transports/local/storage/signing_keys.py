"""The signing keys of pools: each is generated when it is first needed, because that takes long."""

from __future__ import annotations

from ..model.pools import PoolRecord
from ..model.signing import SigningKey, from_pem, generate_pem
from ..steps import Step, outside

__all__ = ["signing_key"]


def signing_key(pool: PoolRecord) -> Step[SigningKey]:
    """Return the key that signs the pool's tokens. The first call for a pool generates it."""
    if pool.key is None:
        pem = yield from outside(generate_pem)
        # Another request may have generated one meanwhile.
        pool.key = pool.key or pem
    return from_pem(pool.key)
