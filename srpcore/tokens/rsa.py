"""Verify RS256: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.2; RFC 7518, section 3.3).

Verification computes ``s^e mod n`` (RSAVP1), builds the whole expected block *EM*, and compares the two as a whole::

    EM = 00 01 FF FF ... FF 00 | DigestInfo | SHA-256(message)        as long as n

It never parses the computed block. Forgeries such as Bleichenbacher's of 2006 are possible only if a verifier parses
the padding and accepts a block with something else in it. Only public values are used, so nothing here needs to be
constant-time.

Three engines can compute the power:

- ``openssl``: the libcrypto that Python itself has loaded, through ctypes. It is the default.
- ``cryptography``: the default if ``openssl`` cannot be used and the program has already imported the package.
- ``python``: the built-in ``pow``, otherwise.
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
"""The names of the engines, the preferred one first."""

MIN_BITS = 2048
"""The size of the smallest accepted modulus, in bits (RFC 7518, section 3.3)."""

MAX_BITS = 8192
"""The size of the largest accepted modulus, in bits. Larger ones make verification so slow that it helps attackers."""

MAX_EXPONENT_BITS = 64
"""The size of the largest accepted public exponent, in bits, for the same reason. The usual exponent is 65537."""

# The DER encoding of DigestInfo for SHA-256, without the digest at its end (RFC 8017, section 9.2, note 1).
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")

# RSAVP1 for one key: s -> s^e mod n, both as bytes of the length of n. The caller has checked that s < n.
Rsavp1: TypeAlias = Callable[[bytes], bytes]


class PublicKey:
    """An RSA public key for verifying: modulus *n* of :data:`MIN_BITS` to :data:`MAX_BITS` bits, exponent *e*.

    Raises:
        InvalidKey: *n* is even, too small or too large, or was made by the flawed key generator of CVE-2017-15361
            (ROCA); or *e* is even, 1 or too large.
    """

    __slots__ = ("_before_digest", "_e", "_n", "_octets", "_rsavp1_by_engine")

    def __init__(self, n: int, e: int) -> None:
        bits = n.bit_length()
        if n < 0 or not MIN_BITS <= bits <= MAX_BITS:
            raise InvalidKey(
                "size of the RSA key in bits is not accepted", expected=f"{MIN_BITS} to {MAX_BITS}", actual=bits
            )
        if n % 2 == 0:
            raise InvalidKey("RSA modulus is even")
        if e < 3 or e % 2 == 0 or e.bit_length() > MAX_EXPONENT_BITS:
            raise InvalidKey("RSA exponent is even, 1 or too large")
        if _is_roca(n):
            raise InvalidKey("RSA modulus can be factored (CVE-2017-15361): the issuer must make a new key")
        self._n = n
        self._e = e
        size = _size(n)
        self._octets = n.to_bytes(size, "big")
        self._before_digest = b"\x00\x01" + b"\xff" * (size - 3 - len(_DIGEST_INFO) - 32) + b"\x00" + _DIGEST_INFO
        self._rsavp1_by_engine: dict[str | None, Rsavp1] = {}  # None: the default engine

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
        """Verify *signature*; see :func:`verify_rs256`.

        Raises:
            InvalidSignature, ConfigurationError: see :func:`verify_rs256`.
        """
        octets = self._octets
        rsavp1 = self._rsavp1_by_engine.get(engine) or self._load_rsavp1(engine)
        # Big-endian bytes of the same length compare like the integers, so no conversion is needed.
        if (
            len(signature) != len(octets)
            or signature >= octets
            or rsavp1(signature) != self._before_digest + sha256(message).digest()
        ):
            raise self._signature_error(signature)

    def load_engine(self) -> None:
        """Load the default engine and convert the key for it now, so that the first verification need not do that."""
        if None not in self._rsavp1_by_engine:
            self._load_rsavp1(None)

    def _load_rsavp1(self, engine: str | None) -> Rsavp1:
        """Load RSAVP1 of *engine* for this key and keep it, so that the precomputation for the key is done once."""
        name = engine or default_engine()
        if name not in _LOADERS:
            raise ConfigurationError(f"engine {name!r} does not exist: choose one of {', '.join(ENGINES)}")
        try:
            rsavp1 = _LOADERS[name](self._n, self._e)
        except (ImportError, OSError, AttributeError, ArithmeticError):
            raise ConfigurationError(f"engine {name!r} is missing or computes wrong results on this computer") from None
        self._rsavp1_by_engine[engine] = rsavp1
        return rsavp1

    def _signature_error(self, signature: bytes) -> InvalidSignature:
        size = len(self._octets)
        if len(signature) != size:
            return InvalidSignature(
                "signature does not have the length of the key", expected=size, actual=len(signature)
            )
        if signature >= self._octets:
            return InvalidSignature("signature is not below the modulus of the key")
        return InvalidSignature("signature does not match the token: it was changed, or the issuer did not sign it")


def verify_rs256(key: PublicKey, message: bytes, signature: bytes, *, engine: str | None = None) -> None:
    """Verify that the holder of *key* signed *message*: ``s^e mod n = EM`` (see the module).

    Args:
        key: the public key.
        message: the signed bytes; of a token, :attr:`srpcore.tokens.Jws.signing_input`.
        signature: *s* as big-endian bytes of the length of *n*; ``s < n``.
        engine: one of :data:`ENGINES`; None uses the best available one.

    Raises:
        InvalidSignature: *signature* has the wrong length, is not below *n*, or does not match.
        ConfigurationError: *engine* does not exist or does not work on this computer.
    """
    key.verify(message, signature, engine)


def default_engine() -> str:
    """Return the name of the engine that is used by default."""
    # Do not import cryptography only for this: the import takes longer than thousands of verifications.
    return "openssl" if _has_openssl() else "cryptography" if _CRYPTOGRAPHY in sys.modules else "python"


_CRYPTOGRAPHY = "cryptography.hazmat.primitives.asymmetric.rsa"


@cache
def _has_openssl() -> bool:
    try:
        from ._openssl import make_rsavp1

        make_rsavp1(3, 3)
    except Exception:  # noqa: BLE001 - loading a library can fail in any way; another engine is used then
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
        # cryptography has checked the whole padding and removed it, and for each length there is only one padding.
        # Put it back, so that the comparison with the expected block is the same for all engines.
        try:
            content = public_key.recover_data_from_signature(signature, padding, None)
        except Refused:
            return b""  # equal to no expected block
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

# Small primes p for which 65537 generates a proper subgroup modulo p, so that most numbers are not a power of it.
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def _is_roca(n: int) -> bool:
    """Return whether *n* was made by the flawed key generator: it is a power of 65537 modulo each of the primes.

    About one in 2^28 other moduli is reported by mistake (Nemec et al., "The Return of Coppersmith's Attack",
    section 2).
    """
    return all(n % prime in {pow(65537, i, prime) for i in range(prime)} for prime in _ROCA_PRIMES)
