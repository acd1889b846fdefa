"""The peers that verify tokens, each in the way its documentation recommends, and the floor beneath all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Protocol, TypeAlias

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.utils import base64url_decode

import _node
from _perf import TimeFunction, processor_time
from _tokens import CLIENT, ISSUER, POOL

Verify: TypeAlias = Callable[[str], object]

NODE_PEER = "aws-jwt-verify"
HAND = "client_id and token_use by hand"


class Keys(Protocol):
    """A key, and the key set that has it."""

    @property
    def jwk(self) -> dict[str, str]: ...

    @property
    def jwks(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Contestant:
    """Accepts a good token and refuses any other; ``seconds(n)`` is the time that n rounds over all tokens take."""

    accepts: Callable[[str], bool]
    seconds: TimeFunction
    remark: str


class Refused(Exception):
    """A claim that was compared by hand is wrong."""


def by_hand(claims: dict[str, Any], *names: str) -> None:
    for name in names:
        if claims.get(name) != {"client_id": CLIENT, "token_use": "access"}[name]:
            raise Refused(name)


def in_python(verify: Verify, tokens: list[str], remark: str) -> Contestant:
    return Contestant(partial(_accepts, verify), processor_time(partial(_each, verify, tokens)), remark)


def _accepts(verify: Verify, token: str) -> bool:
    try:
        verify(token)
    except Exception:  # noqa: BLE001 - each peer has errors of its own
        return False
    return True


def _each(verify: Verify, tokens: list[str]) -> None:
    for token in tokens:
        verify(token)


def floor(keys: Keys, tokens: list[str]) -> Contestant:
    key, padding, algorithm = jwt.PyJWK(keys.jwk).key, PKCS1v15(), SHA256()

    def parts(token: str) -> tuple[bytes, bytes]:
        signing_input, _, signature = token.rpartition(".")
        return base64url_decode(signature), signing_input.encode()

    def accepts(token: str) -> bool:
        try:
            key.verify(*parts(token), padding, algorithm)
        except InvalidSignature:
            return False
        return True

    several = [parts(token) for token in tokens]

    def work() -> None:
        for signature, signing_input in several:
            key.verify(signature, signing_input, padding, algorithm)

    return Contestant(accepts, processor_time(work), "the signature alone, by cryptography")


def pyjwt(keys: Keys) -> Verify:
    key = jwt.PyJWK(keys.jwk)

    def verify(token: str) -> None:
        claims = jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER, options={"require": ["exp", "iss"]})
        by_hand(claims, "client_id", "token_use")

    return verify


def pyjwk_client(keys: Keys) -> Verify:
    client = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", cache_keys=True, lifespan=86400)
    assert client.jwk_set_cache is not None
    client.jwk_set_cache.put(keys.jwks)

    def verify(token: str) -> None:
        key = client.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER, options={"require": ["exp", "iss"]})
        by_hand(claims, "client_id", "token_use")

    return verify


def joserfc(keys: Keys) -> Verify:
    module, jwk = import_module("joserfc.jwt"), import_module("joserfc.jwk")
    key_set = jwk.KeySet.import_key_set(keys.jwks)
    registry = module.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        exp={"essential": True},
        client_id={"essential": True, "value": CLIENT},
        token_use={"essential": True, "value": "access"},
    )
    return lambda token: registry.validate(module.decode(token, key_set, algorithms=["RS256"]).claims)


def authlib(keys: Keys) -> Verify:
    with warnings.catch_warnings(record=True):  # it announces that joserfc will follow
        jose = import_module("authlib.jose")
    key_set, decoder = jose.JsonWebKey.import_key_set(keys.jwks), jose.JsonWebToken(["RS256"])
    demands = {
        "iss": {"essential": True, "value": ISSUER},
        "exp": {"essential": True},
        "client_id": {"essential": True, "value": CLIENT},
        "token_use": {"essential": True, "value": "access"},
    }
    return lambda token: decoder.decode(token, key_set, claims_options=demands).validate()


def python_jose(keys: Keys) -> Verify:
    module, jwk = import_module("jose.jwt"), import_module("jose.jwk")
    import_module("jose.backends.cryptography_backend")
    key, demands = jwk.construct(keys.jwk, "RS256"), {"require_exp": True, "require_iss": True}

    def verify(token: str) -> None:
        by_hand(module.decode(token, key, "RS256", demands, issuer=ISSUER), "client_id", "token_use")

    return verify


def pycognito(keys: Keys) -> Verify:
    user = import_module("pycognito").Cognito(POOL, CLIENT, access_key="unused", secret_key="unused")
    user.pool_jwk = keys.jwks

    def verify(token: str) -> None:
        by_hand(user.verify_token(token, "access_token", "access"), "client_id")

    return verify


# By name: the module that must be installed, what makes the verifier, and a remark.
PEERS: dict[str, tuple[str, Callable[[Keys], Verify], str]] = {
    "PyJWT": ("jwt", pyjwt, f"jwt.decode() with a PyJWK, no look-up by kid; {HAND}"),
    "PyJWT's PyJWKClient": ("jwt", pyjwk_client, f"get_signing_key_from_jwt() with cache_keys; {HAND}"),
    "joserfc": ("joserfc", joserfc, "jwt.decode() with a KeySet; all by JWTClaimsRegistry"),
    "Authlib": ("authlib", authlib, "JsonWebToken.decode() with a KeySet; all by claims_options"),
    "python-jose": ("jose", python_jose, f"jwt.decode() with a constructed key of the cryptography backend; {HAND}"),
    "pycognito": ("pycognito", pycognito, "Cognito.verify_token() with pool_jwk set; client_id by hand"),
}


def in_javascript(keys: Keys, tokens: list[str]) -> Contestant:
    """Return aws-jwt-verify, in a process of Node.js that ends with this one."""
    ask = _node.start("verify_tokens.cjs")
    node = ask(poolId=POOL, clientId=CLIENT, jwks=keys.jwks, tokens=tokens)["node"]
    remark = f"verifySync() after cacheJwks(); {_node.version(NODE_PEER)}, by the clock within Node.js {node}"
    return Contestant(
        lambda token: bool(ask(token=token)["accepted"]),
        _node.time_function(ask, warm_up=200, calls=len(tokens)),
        remark,
    )
