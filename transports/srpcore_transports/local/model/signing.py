"""The RSA key of a pool: sign and verify its RS256 tokens (RFC 7515; RFC 7518, section 3.3) with PyJWT."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ..api.errors import not_authorized

__all__ = ["SigningKey", "from_pem", "generate_pem"]

_UNCHECKED = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


def generate() -> rsa.RSAPrivateKey:
    """Return a new 2048-bit RSA key. This takes a tenth of a second or more."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def generate_pem() -> str:
    """Return a new 2048-bit RSA key as an unencrypted PEM. This takes a tenth of a second or more."""
    form = serialization.PrivateFormat.PKCS8
    encoded = generate().private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return encoded.decode("ascii")


@lru_cache(maxsize=64)
def from_pem(pem: str) -> SigningKey:
    """Return the key in *pem*."""
    key = serialization.load_pem_private_key(pem.encode("ascii"), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the signing key of a pool must be an RSA key")
    if key.key_size < 2048:
        raise ValueError("the signing key of a pool must have at least 2048 bits")
    return SigningKey(key)


class SigningKey:
    """A 2048-bit RSA key. Its key id (``kid``) is the SHA-256 of the public key."""

    def __init__(self, private: rsa.RSAPrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        digest = hashlib.sha256(self._public.public_bytes(serialization.Encoding.DER, form)).digest()
        self.kid = base64.b64encode(digest).decode("ascii")

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return *claims* as a signed token in the compact serialization."""
        # PyJWT would add the header typ, which tokens of the service do not have; None leaves it out.
        return jwt.encode(dict(claims), self._private, algorithm="RS256", headers={"kid": self.kid, "typ": None})

    def verify(self, token: str, forged: str = "Invalid Access Token") -> dict[str, Any]:
        """Verify the signature of *token* with this key, and return its claims.

        Times are not checked: the caller must compare them with the pool's clock.

        Args:
            forged: the message if the signature does not match.

        Raises:
            Refusal: the token is malformed, or was not signed with this key.
        """
        try:
            claims: dict[str, Any] = jwt.decode(token, self._public, algorithms=["RS256"], options=_UNCHECKED)  # type: ignore[arg-type]
        except jwt.InvalidSignatureError:
            raise not_authorized(forged) from None
        except (jwt.PyJWTError, ValueError):
            raise not_authorized("Invalid Access Token") from None
        return claims

    @staticmethod
    def unverified_claims(token: str) -> dict[str, Any]:
        """Return the claims of *token* without verifying anything: only to find the key that verifies it.

        Raises:
            Refusal: the token is malformed.
        """
        try:
            claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        except (jwt.PyJWTError, ValueError):
            raise not_authorized("Invalid Access Token") from None
        return claims

    def jwk(self) -> dict[str, str]:
        """Return the public key as a JSON Web Key (RFC 7517)."""
        numbers = RSAAlgorithm.to_jwk(self._public, as_dict=True)
        return {"alg": "RS256", "e": numbers["e"], "kid": self.kid, "kty": "RSA", "n": numbers["n"], "use": "sig"}

    def certificate(self, name: str, now: float) -> str:
        """Return an X.509 certificate of the key that is valid for ten years, as DER in base64.

        Args:
            name: the common name (CN) of the subject and of the issuer.
            now: the time of issue, in seconds since the epoch.
        """
        # Only one operation needs it, and the import takes some milliseconds.
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes

        owner = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        start = datetime.fromtimestamp(int(now), tz=timezone.utc)
        certificate = (
            x509.CertificateBuilder(owner, owner, self._public, x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=3650))
            .sign(self._private, hashes.SHA256())
        )
        return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode("ascii")
