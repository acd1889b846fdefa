"""A server of key sets on 127.0.0.1 that counts its requests, and verifiers that fetch from it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Event
from typing import Any

import jwt

from srpcore import AsyncTokenVerifier, TokenVerifier
from support.clock import Clock
from support.loopback import LoopbackServer, Request, answer
from support.minting import CLIENT, KID, NOW, access_claims, jwk, private_key

POOL, OTHER_POOL = "eu-west-1_AbCd12345", "us-east-1_Other6789"
OTHER_ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{OTHER_POOL}"
NEWER_ISSUER = f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{POOL}"
DAY = 86400


def mint(claims: dict[str, Any] | None = None, name: str = KID, kid: str | None = None) -> str:
    """Return a token that PyJWT signed."""
    return jwt.encode(claims or access_claims(), private_key(name), "RS256", headers={"kid": kid or name})


def on_an_event_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        asyncio.run(test(*arguments, **named))

    return run


class Keys:
    """A server of the key sets of two pools. ``instead`` returns a response that is sent instead of a key set."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {POOL: [KID], OTHER_POOL: ["other"]}
        self.instead: Callable[[], bytes] | None = None
        self.clock = Clock(float(NOW))
        self.server = LoopbackServer(self.handle)

    def handle(self, request: Request, _: socket.socket) -> bytes:
        pool, *rest = request.target.removeprefix("/").split("/")
        assert (request.method, rest) == ("GET", [".well-known", "jwks.json"])
        return self.instead() if self.instead else answer(self.document(pool))

    def document(self, pool: str) -> bytes:
        return json.dumps({"keys": [jwk(name) for name in self.names[pool]]}).encode()

    @property
    def count(self) -> int:
        return len(self.server.requests)

    def arguments(self, **changes: Any) -> dict[str, Any]:
        own = {"endpoint_url": self.server.url, "clock": self.clock, "client_id": CLIENT, "token_use": "access"}
        return {**own, **changes}

    def verifier(self, pools: Any = POOL, **changes: Any) -> TokenVerifier:
        return TokenVerifier(pools, **self.arguments(**changes))

    def async_verifier(self, pools: Any = POOL, **changes: Any) -> AsyncTokenVerifier:
        return AsyncTokenVerifier(pools, **self.arguments(**changes))

    def hold(self) -> Event:
        """Delay each response until the returned event is set."""
        release = Event()

        def instead() -> bytes:
            assert release.wait(60)
            return answer(self.document(POOL))

        self.instead = instead
        return release


@contextmanager
def serve() -> Iterator[Keys]:
    """Serve key sets until the block ends."""
    served = Keys()
    with served.server:
        yield served
