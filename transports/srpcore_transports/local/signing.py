"""A pool's RSA key: mint and verify its RS256 tokens (RFC 7515, RFC 7518 section 3.3), by PyJWT and cryptography."""

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

from .errors import not_authorized

__all__ = ["SigningKey"]

_UNCHECKED = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


def generate() -> rsa.RSAPrivateKey:
    """Return a fresh 2048-bit RSA key, which takes a tenth of a second or more."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class SigningKey:
    """A 2048-bit RSA key with its key id; it is generated when it is first used, and once."""

    def __init__(self) -> None:
        self.kid = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
        self._lock = threading.Lock()

    @cached_property
    def _generated(self) -> rsa.RSAPrivateKey:
        return generate()

    def _private(self) -> rsa.RSAPrivateKey:
        # cached_property takes no lock from Python 3.12 on: two first uses would make two keys.
        with self._lock:
            return self._generated

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return *claims* as a token in compact form."""
        # Any options PyJWT would add (typ) are what the service leaves out.
        return jwt.encode(dict(claims), self._private(), algorithm="RS256", headers={"kid": self.kid, "typ": None})

    @staticmethod
    def key_id(token: str) -> str | None:
        """Return the key id that the header of *token* names, unverified; None where it has none."""
        try:
            kid: object = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, ValueError):
            return None
        return kid if isinstance(kid, str) else None

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token of this key; times are left to the caller, who has the pool's clock.

        Raises:
            Refusal: the signature is not this key's.
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
