"""The RSA key of a pool: sign and verify its RS256 tokens (RFC 7515; RFC 7518, section 3.3) with PyJWT."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ..api.errors import not_authorized

__all__ = ["SigningKey"]

_UNCHECKED = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


def generate() -> rsa.RSAPrivateKey:
    """Return a new 2048-bit RSA key. This takes a tenth of a second or more."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SigningKey:
    """A 2048-bit RSA key with a random key id (``kid``). The key is generated at its first use."""

    def __init__(self) -> None:
        self.kid = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
        self._lock = threading.Lock()

    @cached_property
    def _generated(self) -> rsa.RSAPrivateKey:
        return generate()

    def _private(self) -> rsa.RSAPrivateKey:
        # Since Python 3.12 cached_property does not lock: without this lock, two threads that use the key first at the
        # same time would generate two keys, and tokens of one of them would fail verification.
        with self._lock:
            return self._generated

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return *claims* as a signed token in the compact serialization."""
        # PyJWT would add the header typ, which tokens of the service do not have; None leaves it out.
        return jwt.encode(dict(claims), self._private(), algorithm="RS256", headers={"kid": self.kid, "typ": None})

    @staticmethod
    def key_id(token: str) -> str | None:
        """Return the key id in the header of *token*, which is not verified; None if it is missing or not a string."""
        try:
            kid: object = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, ValueError):
            return None
        return kid if isinstance(kid, str) else None

    def verify(self, token: str) -> dict[str, Any]:
        """Verify the signature of *token* with this key, and return its claims.

        Times are not checked: the caller must compare them with the pool's clock.

        Raises:
            Refusal: the token is malformed, or was not signed with this key.
        """
        try:
            public = self._private().public_key()
            claims: dict[str, Any] = jwt.decode(token, public, algorithms=["RS256"], options=_UNCHECKED)  # type: ignore[arg-type]
        except (jwt.PyJWTError, ValueError):
            raise not_authorized("Invalid Access Token") from None
        return claims

    def jwk(self) -> dict[str, str]:
        """Return the public key as a JSON Web Key (RFC 7517)."""
        numbers = RSAAlgorithm.to_jwk(self._private().public_key(), as_dict=True)
        return {"alg": "RS256", "e": numbers["e"], "kid": self.kid, "kty": "RSA", "n": numbers["n"], "use": "sig"}
