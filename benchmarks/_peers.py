"""The peers that verify tokens, each in the way its documentation recommends, and the floor beneath all of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.utils import base64url_decode

from _rounds import Timed, timed
from _tokens import CLIENT, ISSUER, POOL, Minter

Verify: TypeAlias = Callable[[str], object]

NODE = Path(os.environ.get("SRPCORE_NODE", Path(__file__).parents[1] / ".node"))
NODE_PEER = "aws-jwt-verify"
HAND = "client_id and token_use by hand"


@dataclass(frozen=True)
class Contestant:
    """Accepts a good token and refuses any other; times so many calls."""

    accepts: Callable[[str], bool]
    calls: Callable[[int], Timed]
    remark: str


class Refused(Exception):
    """A claim that was compared by hand is another."""


def by_hand(claims: dict[str, Any], *names: str) -> None:
    for name in names:
        if claims.get(name) != {"client_id": CLIENT, "token_use": "access"}[name]:
            raise Refused(name)


def in_python(verify: Verify, tokens: list[str], remark: str) -> Contestant:
    def accepts(token: str) -> bool:
        try:
            verify(token)
        except Exception:  # noqa: BLE001 - each peer has errors of its own
            return False
        return True

    def calls(count: int) -> Timed:
        several = [tokens[i % len(tokens)] for i in range(count)]

        def work() -> None:
            for token in several:
                verify(token)

        return timed(work)

    return Contestant(accepts, calls, remark)


def floor(minter: Minter, tokens: list[str]) -> Contestant:
    key, padding, algorithm = minter.key.public_key(), PKCS1v15(), SHA256()

    def parts(token: str) -> tuple[bytes, bytes]:
        signing_input, _, signature = token.rpartition(".")
        return base64url_decode(signature), signing_input.encode()

    def accepts(token: str) -> bool:
        try:
            key.verify(*parts(token), padding, algorithm)
        except InvalidSignature:
            return False
        return True

    def calls(count: int) -> Timed:
        several = [parts(tokens[i % len(tokens)]) for i in range(count)]

        def work() -> None:
            for signature, signing_input in several:
                key.verify(signature, signing_input, padding, algorithm)

        return timed(work)

    return Contestant(accepts, calls, "the signature alone, by cryptography")


def pyjwt(minter: Minter) -> Verify:
    key = jwt.PyJWK(minter.jwk)

    def verify(token: str) -> None:
        claims = jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER, options={"require": ["exp", "iss"]})
        by_hand(claims, "client_id", "token_use")

    return verify


def pyjwk_client(minter: Minter) -> Verify:
    client = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", cache_keys=True, lifespan=86400)
    assert client.jwk_set_cache is not None
    client.jwk_set_cache.put(minter.jwks)

    def verify(token: str) -> None:
        key = client.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=["RS256"], issuer=ISSUER, options={"require": ["exp", "iss"]})
        by_hand(claims, "client_id", "token_use")

    return verify


def joserfc(minter: Minter) -> Verify:
    module, jwk = import_module("joserfc.jwt"), import_module("joserfc.jwk")
    keys = jwk.KeySet.import_key_set(minter.jwks)
    registry = module.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        exp={"essential": True},
        client_id={"essential": True, "value": CLIENT},
        token_use={"essential": True, "value": "access"},
    )
    return lambda token: registry.validate(module.decode(token, keys, algorithms=["RS256"]).claims)


def authlib(minter: Minter) -> Verify:
    with warnings.catch_warnings(record=True):  # it says that joserfc is to follow
        jose = import_module("authlib.jose")
    keys, decoder = jose.JsonWebKey.import_key_set(minter.jwks), jose.JsonWebToken(["RS256"])
    demands = {
        "iss": {"essential": True, "value": ISSUER},
        "exp": {"essential": True},
        "client_id": {"essential": True, "value": CLIENT},
        "token_use": {"essential": True, "value": "access"},
    }
    return lambda token: decoder.decode(token, keys, claims_options=demands).validate()


def python_jose(minter: Minter) -> Verify:
    module, jwk = import_module("jose.jwt"), import_module("jose.jwk")
    import_module("jose.backends.cryptography_backend")
    key, demands = jwk.construct(minter.jwk, "RS256"), {"require_exp": True, "require_iss": True}

    def verify(token: str) -> None:
        by_hand(module.decode(token, key, "RS256", demands, issuer=ISSUER), "client_id", "token_use")

    return verify


def pycognito(minter: Minter) -> Verify:
    user = import_module("pycognito").Cognito(POOL, CLIENT, access_key="unused", secret_key="unused")
    user.pool_jwk = minter.jwks

    def verify(token: str) -> None:
        by_hand(user.verify_token(token, "access_token", "access"), "client_id")

    return verify


PEERS: dict[str, tuple[Callable[[Minter], Verify], str]] = {
    "PyJWT": (pyjwt, f"jwt.decode() with a PyJWK, no look-up by kid; {HAND}"),
    "PyJWT's PyJWKClient": (pyjwk_client, f"get_signing_key_from_jwt() with cache_keys; {HAND}"),
    "joserfc": (joserfc, "jwt.decode() with a KeySet; all by JWTClaimsRegistry"),
    "Authlib": (authlib, "JsonWebToken.decode() with a KeySet; all by claims_options"),
    "python-jose": (python_jose, f"jwt.decode() with a constructed key of the cryptography backend; {HAND}"),
    "pycognito": (pycognito, "Cognito.verify_token() with pool_jwk set; client_id by hand"),
}


@contextmanager
def node_peer(minter: Minter, tokens: list[str]) -> Iterator[Contestant | None]:
    """Start the process that aws-jwt-verify runs in, and end it; None where there is none."""
    modules, executable = NODE / "node_modules", shutil.which("node")
    if executable is None or not (modules / NODE_PEER).is_dir():
        yield None
        return
    command = [executable, str(Path(__file__).with_name("verify_tokens.cjs"))]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        pipe_in, pipe_out = process.stdin, process.stdout

        def ask(**request: Any) -> Any:
            print(json.dumps(request), file=pipe_in, flush=True)
            return json.loads(pipe_out.readline())

        node = ask(poolId=POOL, clientId=CLIENT, jwks=minter.jwks, tokens=tokens)["node"]
        version = json.loads((modules / NODE_PEER / "package.json").read_text("utf-8"))["version"]
        yield Contestant(
            lambda token: bool(ask(token=token)["accepted"]),
            lambda count: lambda: float(ask(calls=count)["seconds"]),
            f"verifySync() after cacheJwks(); {version}, timed within node {node}",
        )
        pipe_in.close()
