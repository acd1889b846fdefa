"""A key, its key set and access tokens like a user pool's, made by PyJWT, for the benchmarks of verification."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

POOL, CLIENT = "eu-west-1_AbCd1234", "4rt6vb8xk2m0qzs1d5fgh7jnlp"
ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL}"
KID = "Qm3vXh0Jr8ZtC5yKf1LwNdPs7uEoBgAi2TkRxMqYvWc="


class Minter:
    """A 2048-bit key, and access tokens of about 1 kB signed with it."""

    def __init__(self) -> None:
        self.key = _new_key()
        self.jwk = _jwk(self.key, KID)
        # A user pool has two keys, and signs its ID tokens with the other.
        self.jwks: dict[str, Any] = {"keys": [_jwk(_new_key(), "the other"), self.jwk]}

    def token(self, **changed: Any) -> str:
        """Return an access token that differs from every other, with the claims that are *changed*."""
        return jwt.encode({**access_claims(), **changed}, self.key, "RS256", headers={"kid": KID, "typ": None})


def access_claims() -> Mapping[str, Any]:
    """Return the claims of an access token that a login over SRP brings a user who is in one group."""
    subject, now = str(uuid4()), int(time.time())
    return {
        "sub": subject,
        "cognito:groups": ["readers"],
        "iss": ISSUER,
        "client_id": CLIENT,
        "origin_jti": str(uuid4()),
        "event_id": str(uuid4()),
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": now,
        "exp": now + 86400,
        "iat": now,
        "jti": str(uuid4()),
        "username": subject,
    }


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, str]:
    members = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, "n": members["n"], "e": members["e"]}
