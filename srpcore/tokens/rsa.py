"""Verify RS256: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.2; RFC 7518, section 3.3).

The whole expected block EM is built and compared whole with the one that the signature opens to, of which nothing is
looked for (``cryptography`` hands out what is behind the padding, once that is right: it is put back in front).
Verification uses public values only, so nothing here needs to be constant-time.

Engines: ``openssl``, the libcrypto that Python itself has loaded; where it cannot be used, ``cryptography`` if a
program has imported that already or asks for it; else ``python``, the built-in ``pow``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import TypeAlias

from ..exceptions.base import ConfigurationError
from ..exceptions.tokens import InvalidKey, InvalidSignature

__all__ = ["ENGINES", "MAX_BITS", "MAX_EXPONENT_BITS", "MIN_BITS", "PublicKey", "default_engine", "verify_rs256"]

ENGINES = ("openssl", "cryptography", "python")
"""The engines by name, in the order of preference."""

MIN_BITS = 2048
"""The smallest modulus: RFC 7518, section 3.3."""

MAX_BITS = 8192
"""The largest modulus; a larger one would make each verification slow enough to be a lever."""

MAX_EXPONENT_BITS = 64
"""The largest public exponent, for the same reason; the usual one is 65537."""

# DER of DigestInfo for SHA-256 up to the digest: RFC 8017, section 9.2, note 1.
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")

# The block that a signature opens to, for one that is as long as n and below it.
Rsavp1: TypeAlias = Callable[[bytes], bytes]


class PublicKey:
    """An RSA public key that may verify: modulus *n* of :data:`MIN_BITS` to :data:`MAX_BITS`, exponent *e*.

    Raises:
        InvalidKey: *n* is even, too small or too large, or is of the flawed generator of CVE-2017-15361 (ROCA);
            or *e* is even, 1 or too large.
    """

    __slots__ = ("_before_digest", "_e", "_n", "_octets", "_rsavp1_by_engine")

    def __init__(self, n: int, e: int) -> None:
        bits = n.bit_length()
        if n < 0 or not MIN_BITS <= bits <= MAX_BITS:
            raise InvalidKey("the key's size in bits is refused", expected=f"{MIN_BITS} to {MAX_BITS}", actual=bits)
        if n % 2 == 0:
            raise InvalidKey("the key's modulus is even")
        if e < 3 or e % 2 == 0 or e.bit_length() > MAX_EXPONENT_BITS:
            raise InvalidKey("the key's exponent is even, 1 or too large")
        if _is_roca(n):
            raise InvalidKey("the key's modulus can be factored (CVE-2017-15361): the issuer must make a new key")
        self._n = n
        self._e = e
        size = _size(n)
        self._octets = n.to_bytes(size, "big")
        self._before_digest = b"\x00\x01" + b"\xff" * (size - 3 - len(_DIGEST_INFO) - 32) + b"\x00" + _DIGEST_INFO
        self._rsavp1_by_engine: dict[str | None, Rsavp1] = {}  # by engine, None for the default one

    @property
    def n(self) -> int:
        """The modulus."""
        return self._n

    @property
    def e(self) -> int:
        """The public exponent."""
        return self._e

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and (self._n, self._e) == (other._n, other._e)

    def __hash__(self) -> int:
        return hash((self._n, self._e))

    def __repr__(self) -> str:
        return f"PublicKey(n={self._n}, e={self._e})"

    def verify(self, message: bytes, signature: bytes, engine: str | None = None) -> None:
        """Verify as :func:`verify_rs256` does.

        Raises:
            InvalidSignature, ConfigurationError: as there.
        """
        octets = self._octets
        rsavp1 = self._rsavp1_by_engine.get(engine) or self._load_rsavp1(engine)
        # As bytes of one length, big-endian, numbers compare as they do.
        if (
            len(signature) != len(octets)
            or signature >= octets
            or rsavp1(signature) != self._before_digest + sha256(message).digest()
        ):
            raise self._signature_error(signature)

    def _load_rsavp1(self, engine: str | None) -> Rsavp1:
        """Return the rsavp1 of *engine*, with what depends on the key alone done once."""
        name = engine or default_engine()
        if name not in _LOADERS:
            raise ConfigurationError(f"there is no engine {name!r}: choose one of {', '.join(ENGINES)}")
        try:
            rsavp1 = _LOADERS[name](self._n, self._e)
        except (ImportError, OSError, AttributeError, ArithmeticError):
            raise ConfigurationError(f"the engine {name!r} is missing or wrong here") from None
        self._rsavp1_by_engine[engine] = rsavp1
        return rsavp1

    def _signature_error(self, signature: bytes) -> InvalidSignature:
        size = len(self._octets)
        if len(signature) != size:
            return InvalidSignature("the signature has not the length of the key", expected=size, actual=len(signature))
        if signature >= self._octets:
            return InvalidSignature("the signature is not below the key's modulus")
        return InvalidSignature("the signature is not the issuer's over this token")


def verify_rs256(key: PublicKey, message: bytes, signature: bytes, *, engine: str | None = None) -> None:
    """Verify that *signature* is the holder of *key*'s over *message*: ``s^e mod n = EM``.

    ``EM = 00 01 FF...FF 00 || DigestInfo || SHA-256(message)``, as long as *n*; and so must *signature* be, big-endian
    and below *n*. The *engine* is one of :data:`ENGINES`, or None for the best there is.

    Raises:
        InvalidSignature: it is not.
        ConfigurationError: there is no such *engine* here.
    """
    key.verify(message, signature, engine)


def default_engine() -> str:
    """Return the name of the engine that serves where none is asked for."""
    # cryptography is never imported for its own sake: that takes longer than thousands of verifications.
    return "openssl" if _has_openssl() else "cryptography" if _CRYPTOGRAPHY in sys.modules else "python"


_CRYPTOGRAPHY = "cryptography.hazmat.primitives.asymmetric.rsa"


@cache
def _has_openssl() -> bool:
    try:
        from ._openssl import make_rsavp1

        make_rsavp1(3, 3)
    except Exception:  # noqa: BLE001 - whatever a foreign library does while loading, another engine serves
        return False
    return True


def _openssl_rsavp1(n: int, e: int) -> Rsavp1:
    from ._openssl import make_rsavp1

    return make_rsavp1(n, e)


def _cryptography_rsavp1(n: int, e: int) -> Rsavp1:
    from cryptography.exceptions import InvalidSignature as Refused
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    public_key, padding, size = RSAPublicNumbers(e, n).public_key(), PKCS1v15(), _size(n)

    def rsavp1(signature: bytes) -> bytes:
        # It takes off the padding once it has found it whole, and there is one padding for each length.
        try:
            content = public_key.recover_data_from_signature(signature, padding, None)
        except Refused:
            return b""
        return (b"\x00" + content).rjust(size - 2, b"\xff").rjust(size - 1, b"\x01").rjust(size, b"\x00")

    return rsavp1


def _pow_rsavp1(n: int, e: int) -> Rsavp1:
    size = _size(n)
    return lambda signature: pow(int.from_bytes(signature, "big"), e, n).to_bytes(size, "big")


def _size(n: int) -> int:
    return (n.bit_length() + 7) // 8


_LOADERS: dict[str, Callable[[int, int], Rsavp1]] = {
    "openssl": _openssl_rsavp1,
    "cryptography": _cryptography_rsavp1,
    "python": _pow_rsavp1,
}

# The primes p for which 65537 generates a proper subgroup modulo p, small enough to tell.
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def _is_roca(n: int) -> bool:
    """Return whether *n* is a power of 65537 modulo every one of the primes, as the flawed generator's moduli are.

    One other modulus in about 2^28 is (Nemec et al., "The Return of Coppersmith's Attack", section 2).
    """
    return all(n % prime in {pow(65537, i, prime) for i in range(prime)} for prime in _ROCA_PRIMES)
