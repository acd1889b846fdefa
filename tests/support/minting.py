"""Tokens with real signatures, made with the package cryptography: the code under test signs nothing."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import RSAAlgorithm

from srpcore.exceptions import TokenVerificationException
from srpcore.tokens import KeySet, parse_key_set

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCd12345"
CLIENT = "1h57kf5cpq17m0eml12EXAMPLE"
KID = "uWlSd2cRf2YmTeHkRzxVUzD/mjg="
NOW = int(time.time())


def private_key(name: str = KID) -> RSAPrivateKey:
    return _private_key(name)


@cache
def _private_key(_: str) -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def jwk(name: str = KID, **changes: Any) -> dict[str, Any]:
    public = RSAAlgorithm.to_jwk(private_key(name).public_key(), as_dict=True)
    members = {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": name, "use": "sig", "alg": "RS256", **changes}
    return {member: value for member, value in members.items() if value is not None}


def key_set(*names: str) -> KeySet:
    return parse_key_set({"keys": [jwk(name) for name in names or (KID,)]})


def access_claims(**changes: Any) -> dict[str, Any]:
    return {
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "iss": ISSUER,
        "client_id": CLIENT,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "exp": NOW + 3600,
        "iat": NOW - 1,
        "jti": "11111111-2222-3333-4444-555555555555",
        "username": "alice",
        **changes,
    }


def id_claims(**changes: Any) -> dict[str, Any]:
    claims = access_claims(token_use="id", aud=CLIENT, **changes)
    del claims["client_id"], claims["scope"]
    return claims


def segment(value: Any) -> str:
    """Return the base64url form of bytes, of a string, or of any other value as JSON."""
    data = value if isinstance(value, bytes) else value if isinstance(value, str) else json.dumps(value)
    return urlsafe_b64encode(data if isinstance(data, bytes) else data.encode("utf-8")).rstrip(b"=").decode("ascii")


def sign(signing_input: str, name: str = KID) -> str:
    signature = private_key(name).sign(signing_input.encode("utf-8"), PKCS1v15(), SHA256())
    return f"{signing_input}.{segment(signature)}"


def mint(payload: Any, header: Any = None, name: str = KID) -> str:
    """Return a signed token of *payload* and *header*: bytes and strings as they are, other values as JSON."""
    return sign(f"{segment(header or {'kid': name, 'alg': 'RS256'})}.{segment(payload)}", name)


def refusal(function: Callable[..., object], *arguments: Any, **named: Any) -> TokenVerificationException | None:
    """Return the typed error that *function* raises, or None. Any other exception fails the test."""
    try:
        function(*arguments, **named)
    except TokenVerificationException as error:
        return error
    return None
