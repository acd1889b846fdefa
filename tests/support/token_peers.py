"""Verifiers of tokens, of this library and of others, as ``check_token_verifier`` takes them.

The others are called as their documentation shows, with every check that they offer. Cognito's own claims, which they do
not know, are compared here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, Literal

import jose.jwt
import jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from srpcore import TokenVerifier
from srpcore.protocol import Operation, Reply
from srpcore.testing import TokenPolicy
from srpcore.tokens import parse_key_set, verify


class WrongClaimError(Exception):
    """A claim that the other library does not know is wrong."""


def ours(token: str, key_set: Mapping[str, object], policy: TokenPolicy) -> Mapping[str, object]:
    keys = parse_key_set(key_set)
    return verify(
        token,
        keys,
        issuers=policy.issuer,
        client_id=policy.client_id,
        token_use=policy.token_use,
        now=time.time(),
    )


class _Keys:
    def __init__(self, key_set: Mapping[str, object]) -> None:
        self.document = json.dumps(key_set).encode()

    def call(self, operation: Operation) -> Reply:
        raise NotImplementedError(operation.name)

    def fetch(self, url: str) -> bytes:
        return self.document

    def close(self) -> None: ...


def our_verifier(token: str, key_set: Mapping[str, object], policy: TokenPolicy) -> Mapping[str, object]:
    pool_id = policy.issuer.rpartition("/")[2]
    use: Literal["access", "id"] = "id" if policy.token_use == "id" else "access"
    with TokenVerifier(pool_id, client_id=policy.client_id, token_use=use, transport=_Keys(key_set)) as verifier:
        return verifier.verify(token)


def _checked(claims: Mapping[str, object], policy: TokenPolicy) -> Mapping[str, object]:
    if claims.get("token_use") != policy.token_use:
        raise WrongClaimError("token_use")
    if policy.token_use == "access" and claims.get("client_id") != policy.client_id:
        raise WrongClaimError("client_id")
    return claims


def _audience(policy: TokenPolicy) -> str | None:
    return policy.client_id if policy.token_use == "id" else None


def pyjwt_verifier(token: str, key_set: Mapping[str, object], policy: TokenPolicy) -> Mapping[str, object]:
    key = jwt.PyJWKSet.from_dict(dict(key_set))[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        issuer=policy.issuer,
        audience=_audience(policy),
        options={"require": ["exp", "iss"], "verify_aud": policy.token_use == "id"},
    )
    return _checked(claims, policy)


def joserfc_verifier(token: str, key_set: Mapping[str, object], policy: TokenPolicy) -> Mapping[str, object]:
    keys = KeySet.import_key_set(dict(key_set))  # type: ignore[arg-type]
    decoded = joserfc_jwt.decode(token, keys, algorithms=["RS256"])
    required: dict[str, Any] = {"iss": {"essential": True, "value": policy.issuer}, "exp": {"essential": True}}
    if policy.token_use == "id":
        required["aud"] = {"essential": True, "value": policy.client_id}
    joserfc_jwt.JWTClaimsRegistry(**required).validate(decoded.claims)
    return _checked(decoded.claims, policy)


def python_jose_verifier(token: str, key_set: Mapping[str, object], policy: TokenPolicy) -> Mapping[str, object]:
    claims: dict[str, Any] = jose.jwt.decode(
        token,
        key_set,
        algorithms=["RS256"],
        issuer=policy.issuer,
        audience=_audience(policy),
        options={"require_exp": True, "require_iss": True, "require_aud": policy.token_use == "id"},
    )
    return _checked(claims, policy)
