"""Sign a million tokens in a minute, with a key that only a benchmark may use.

The modulus has 2048 bits, but 16 prime factors of 128 bits. A verifier sees no difference: it has the product and the
public exponent only. The signer computes 16 short exponentiations instead of one long one, and puts them together with
the Chinese remainder theorem, which takes about a tenth of the time. Such a key is not secure.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from math import prod
from typing import Any

from _tokens import CLIENT, ISSUER, KID

_E = 65537
_PRIMES, _PRIME_BITS = 16, 128
_LENGTH = _PRIMES * _PRIME_BITS // 8
# The fixed part of EMSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 9.2).
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_PREFIX = b"\x00\x01" + b"\xff" * (_LENGTH - 3 - len(_DIGEST_INFO) - 32) + b"\x00" + _DIGEST_INFO


class FastSigner:
    """A key with many short factors, and access tokens signed with it."""

    def __init__(self) -> None:
        gmpy2 = import_module("gmpy2")
        self._powmod = gmpy2.powmod
        primes: list[Any] = []
        # Just below 2^128, so that the product has 2048 bits.
        candidate = gmpy2.mpz((1 << _PRIME_BITS) - (1 << 64))
        while len(primes) < _PRIMES:
            candidate = gmpy2.next_prime(candidate)
            if (candidate - 1) % _E:
                primes.append(candidate)
        self._n = prod(primes)
        others = [self._n // p for p in primes]
        coefficients = [q * pow(q, -1, p) for p, q in zip(primes, others, strict=True)]
        exponents = [pow(_E, -1, p - 1) for p in primes]
        self._parts = list(zip(primes, exponents, coefficients, strict=True))

    @property
    def jwks(self) -> dict[str, Any]:
        n = base64.urlsafe_b64encode(int(self._n).to_bytes(_LENGTH, "big")).rstrip(b"=").decode()
        return {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KID, "n": n, "e": "AQAB"}]}

    def tokens(self, count: int) -> Iterator[str]:
        """Yield *count* access tokens of about 1 kB that differ in their ``jti``."""
        header = _encode(json.dumps({"kid": KID, "alg": "RS256"}).encode())
        now = int(time.time())
        claims = {
            "sub": "6bd2a4a8-60d2-4b3a-9d4f-6a1f3c0a8f11",
            "cognito:groups": ["readers"],
            "iss": ISSUER,
            "client_id": CLIENT,
            "origin_jti": "0f0b1c0a-7b6e-4f6b-8f0a-2b9f4a3d1c77",
            "event_id": "b3e0d7f4-0b55-4a0e-9f0d-7a1c52d4e9aa",
            "token_use": "access",
            "scope": "aws.cognito.signin.user.admin",
            "auth_time": now,
            "exp": now + 86400,
            "iat": now,
            "username": "6bd2a4a8-60d2-4b3a-9d4f-6a1f3c0a8f11",
        }
        start = json.dumps(claims)[:-1].encode()
        for number in range(count):
            signed = header + b"." + _encode(b'%b, "jti": "%032d"}' % (start, number))
            yield (signed + b"." + _encode(self._sign(signed))).decode()

    def _sign(self, message: bytes) -> bytes:
        block = int.from_bytes(_PREFIX + sha256(message).digest(), "big")
        powmod = self._powmod
        signature = sum(powmod(block, exponent, p) * coefficient for p, exponent, coefficient in self._parts) % self._n
        return int(signature).to_bytes(_LENGTH, "big")


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
