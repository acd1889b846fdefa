"""PyJWT as pycognito calls it, and the closed list of what it accepts and the library does not."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import jwt
from jwt.types import Options

from srpcore.exceptions import (
    AudienceMismatch,
    InvalidClaim,
    MalformedToken,
    TokenNotYetValid,
    TokenUseMismatch,
    TokenVerificationException,
    UnknownKey,
    UnsupportedAlgorithm,
)

from .minting import CLIENT, ISSUER, KID, NOW, access_claims, id_claims, mint, private_key

Difference = tuple[type[TokenVerificationException], str, str]

# A refusal for any other reason, of a token that PyJWT accepts, fails the test that compares them.
ALLOWED: list[Difference] = [
    (MalformedToken, "canonical base64url", "PyJWT accepts padding, which is a second spelling of the same token"),
    (MalformedToken, "names a member twice", "decoders differ in which of the two values they take"),
    (MalformedToken, "NaN or an infinity", "these are not JSON"),
    (MalformedToken, "number out of range", "decoders read it as an infinity"),
    (MalformedToken, "not UTF-8", "PyJWT accepts UTF-16 and UTF-32"),
    (MalformedToken, "not JSON", "PyJWT accepts UTF-16 without a byte order mark, and UTF-8 with one"),
    (MalformedToken, "surrogate", "a string that cannot be encoded breaks programs that print it"),
    (MalformedToken, "nested too deep", "the depth is limited"),
    (MalformedToken, "kid in the token header is missing", "the key is selected by kid only"),
    (UnknownKey, "unknown key", "PyJWT is called with the key"),
    (UnsupportedAlgorithm, "extension", "PyJWT accepts b64 if it is true"),
    (InvalidClaim, "exp is missing or not a finite number", "PyJWT accepts strings and booleans as numbers"),
    (InvalidClaim, "nbf is missing or not a finite number", "PyJWT accepts strings and booleans as numbers"),
    (InvalidClaim, "iat is missing or not a finite number", "pycognito tells PyJWT to ignore iat"),
    (InvalidClaim, "aud is missing or not a string", "in a user pool aud is one client, never a list"),
    (InvalidClaim, "client_id is missing or not a string", "pycognito ignores client_id"),
    (AudienceMismatch, "client_id", "pycognito ignores client_id"),
    (InvalidClaim, "token_use is missing or not a string", "pycognito checks it after PyJWT"),
    (TokenUseMismatch, "wrong kind", "pycognito checks it after PyJWT"),
    (InvalidClaim, "scope is", "PyJWT ignores scope"),
    (InvalidClaim, "cognito:groups is not a list of strings", "PyJWT ignores groups"),
    (TokenNotYetValid, "nbf", "PyJWT drops the fraction of nbf, so it accepts up to a second early"),
]


def by_pyjwt(
    token: str,
    token_use: str,
    *,
    issuers: str | Collection[str] = ISSUER,
    client_id: str | Collection[str] | None = CLIENT,
    leeway: float = 0,
    now: float = NOW,
) -> dict[str, Any] | None:
    """Return the claims if PyJWT, called as pycognito calls it, accepts *token* at the time *now*."""
    # An access token's audience is its client_id; pycognito gives PyJWT none to compare.
    looks_at_audience = token_use == "id" and client_id is not None
    options: Options = {"require": ["iss", "exp"], "verify_iat": False, "verify_aud": looks_at_audience}
    if looks_at_audience:
        options["require"] = ["aud", "iss", "exp"]
    try:
        with pyjwt_at(now):
            claims: dict[str, Any] = jwt.decode(
                token,
                private_key().public_key(),
                ["RS256"],
                options=options,
                audience=client_id,
                issuer=issuers,
                leeway=leeway,
            )
    except jwt.PyJWTError:
        return None
    return claims


def allowed_reasons(error: TokenVerificationException, allowed: list[Difference]) -> list[str]:
    """Return the reasons for which *error* may refuse a token that PyJWT accepts."""
    return [reason for kind, text, reason in allowed if type(error) is kind and text in str(error)]


@contextmanager
def pyjwt_at(now: float) -> Iterator[None]:
    """Set the clock of PyJWT."""

    class Clock(jwt.api_jwt.datetime):  # type: ignore[name-defined,misc]  # PyJWT's own name for the clock
        @classmethod
        def now(cls, tz: object = None) -> Clock:
            return cls.fromtimestamp(now, tz)  # type: ignore[no-any-return]

    with patch.object(jwt.api_jwt, "datetime", Clock):
        yield


def with_payload(payload: bytes) -> str:
    return mint(payload.replace(b"EXP", b'"token_use":"access","iss":"%s","exp":9e9' % ISSUER.encode()))


# A token for each entry of ALLOWED, in its order.
DIFFERENCES: list[tuple[str, str]] = [
    (mint(access_claims()) + "==", "access"),
    (with_payload(b'{EXP,"a":1,"a":1}'), "access"),
    (with_payload(b'{EXP,"a":NaN}'), "access"),
    (with_payload(b'{EXP,"a":1e999}'), "access"),
    (mint(json.dumps(access_claims()).encode("utf-16")), "access"),
    (mint(json.dumps(access_claims()).encode("utf-16-le")), "access"),
    (with_payload(b'{EXP,"a":"\\ud800"}'), "access"),
    (mint(access_claims(a=json.loads("[" * 40 + "]" * 40))), "access"),
    (mint(access_claims(), {"alg": "RS256"}), "access"),
    (mint(access_claims(), {"alg": "RS256", "kid": "another"}), "access"),
    (mint(access_claims(), {"alg": "RS256", "kid": KID, "b64": True}), "access"),
    (mint(access_claims(exp=str(NOW + 86_400))), "access"),
    (mint(access_claims(nbf=True)), "access"),
    (mint(access_claims(iat="yesterday")), "access"),
    (mint({**id_claims(), "aud": [CLIENT]}), "id"),
    (mint(access_claims(client_id=None)), "access"),
    (mint(access_claims(client_id="another")), "access"),
    (mint(access_claims(token_use=None)), "access"),
    (mint(access_claims(token_use="refresh")), "access"),
    (mint(access_claims(scope=["a"])), "access"),
    (mint(access_claims(**{"cognito:groups": "admin"})), "access"),
    (mint(access_claims(nbf=NOW + 0.5)), "access"),
]
