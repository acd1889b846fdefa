"""RSA keys that sign tokens in tests. Anybody can compute their private halves: never trust them outside of a test.

The primes are derived from the name of the key, so the keys are the same everywhere, and no private key is stored.
Signing needs no dependency, and it can sign any block, for example one with wrong padding.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from functools import cache

from ..crypto.modexp import modexp

__all__ = ["SigningKey", "base64url"]

# The DER encoding of DigestInfo without the digest (RFC 8017, section 9.2, note 1), and the length of the digest.
DIGEST_INFO = {
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300d060960864801650304020305000440"),
}


@dataclass(frozen=True)
class SigningKey:
    """An RSA key for tests: *kid*, modulus *n*, public exponent *e* and private exponent *d*."""

    kid: str
    n: int
    e: int
    d: int

    @property
    def length(self) -> int:
        """The length of *n* in bytes, which is the length of a signature."""
        return (self.n.bit_length() + 7) // 8

    def jwk(self) -> dict[str, object]:
        """Return the public key as a JWK (RFC 7517), as a user pool publishes it."""
        numbers = {name: base64url(_unsigned(number)) for name, number in (("n", self.n), ("e", self.e))}
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, **numbers}

    def der(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo in DER (RFC 5280)."""
        numbers = _der(0x30, _der_integer(self.n) + _der_integer(self.e))
        algorithm = _der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
        return _der(0x30, algorithm + _der(0x03, b"\0" + numbers))

    def pem(self) -> bytes:
        """Return the public key in PEM (RFC 7468)."""
        text = b64encode(self.der()).decode("ascii")
        lines = [text[n : n + 64] for n in range(0, len(text), 64)]
        return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]).encode("ascii")

    def block(self, message: bytes, digest: str = "sha256") -> bytes:
        """Return the padded block EMSA-PKCS1-v1_5 for *message* (RFC 8017, section 9.2)."""
        end = b"\0" + DIGEST_INFO[digest] + hashlib.new(digest, message).digest()
        return b"\0\1" + b"\xff" * (self.length - 2 - len(end)) + end

    def sign(self, message: bytes, digest: str = "sha256") -> bytes:
        """Return the signature of *message*: RSASSA-PKCS1-v1_5, RS256 by default (RFC 8017, section 8.2.1)."""
        return self.sign_block(self.block(message, digest))

    def sign_block(self, block: bytes) -> bytes:
        """Return ``block^d mod n``, whatever the block is."""
        return modexp(int.from_bytes(block, "big"), self.d, self.n).to_bytes(self.length, "big")


@cache
def first_key() -> SigningKey:
    """Return the key that signs the tokens."""
    return _derive("first", 1024, 65537, (646, 380))


@cache
def second_key() -> SigningKey:
    """Return another key: of the same key set, or of an attacker."""
    return _derive("second", 1024, 65537, (2496, 118))


@cache
def weak_key() -> SigningKey:
    """Return a key of 1024 bits, which is too short (RFC 7518, section 3.3)."""
    return _derive("weak", 512, 65537, (84, 410))


@cache
def exponent_3_key() -> SigningKey:
    """Return a key with the exponent 3, for which signatures can be forged if the padding is parsed."""
    return _derive("exponent 3", 1024, 3, (104, 98))


def _derive(name: str, bits: int, e: int, offsets: tuple[int, int]) -> SigningKey:
    """Return the key whose primes follow by *offsets* on numbers that are derived from *name*."""
    p, q = (
        _start(f"srpcore test key {name} {letter}", bits) + offset for letter, offset in zip("pq", offsets, strict=True)
    )
    return SigningKey(f"{name} key=", p * q, e, pow(e, -1, (p - 1) * (q - 1)))


def _start(label: str, bits: int) -> int:
    digest = hashlib.shake_256(label.encode("ascii")).digest(bits // 8)
    return int.from_bytes(digest, "big") | 3 << bits - 2 | 1  # the top bits make n exactly twice as long


def base64url(data: bytes | str) -> str:
    """Return *data*, strings as UTF-8, in base64url without padding (RFC 7515, section 2)."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _unsigned(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _der(tag: int, contents: bytes) -> bytes:
    length = len(contents)
    if length < 0x80:
        return bytes([tag, length]) + contents
    octets = _unsigned(length)
    return bytes([tag, 0x80 | len(octets)]) + octets + contents


def _der_integer(number: int) -> bytes:
    return _der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))
