"""The clients that the faults happen to: every transport, under the blocking facade and the asynchronous one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

import srpcore
from srpcore.store import Login, MemoryStore, Tokens, store_key
from srpcore_transports.botocore import BotocoreTransport
from srpcore_transports.events import RequestEvent
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

from .catalogue import LIMIT, Asked
from .serving import KEYS, FaultyService

__all__ = ["KINDS", "Client", "Kind", "Pool"]

Make = Callable[[str, dict[str, Any]], Any]


@dataclass(frozen=True)
class Kind:
    """A transport under one of the facades."""

    name: str
    make: Make
    asynchronous: bool
    botocore: bool = False
    resends: bool = False
    """Whether a connection that was kept and is lost is made anew within the attempt."""

    def __str__(self) -> str:
        return self.name


def _https(url: str, options: dict[str, Any]) -> HttpsTransport:
    return HttpsTransport("us-east-1", url, KEYS, **{"max_response_size": LIMIT, **options})


def _httpx(url: str, options: dict[str, Any]) -> HttpxTransport:
    return HttpxTransport("us-east-1", url, KEYS, **{"max_response_size": LIMIT, **options})


def _async_httpx(url: str, options: dict[str, Any]) -> AsyncHttpxTransport:
    return AsyncHttpxTransport("us-east-1", url, KEYS, **{"max_response_size": LIMIT, **options})


def _botocore(url: str, options: dict[str, Any]) -> BotocoreTransport:
    hooks = {name: options.pop(name) for name in ("on_request", "on_response") if name in options}
    options.pop("max_response_size", None)
    client = _session().create_client(
        "cognito-idp",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id=KEYS.access_key_id,
        aws_secret_access_key=KEYS.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=100, **options),
    )
    return BotocoreTransport(client, **hooks)


@cache
def _session() -> Session:
    return get_session()


KINDS = (
    Kind("https", _https, asynchronous=False, resends=True),
    Kind("https in threads", _https, asynchronous=True, resends=True),
    Kind("httpx", _httpx, asynchronous=False),
    Kind("httpx on the loop", _async_httpx, asynchronous=True),
    Kind("botocore", _botocore, asynchronous=False, botocore=True),
    Kind("botocore in threads", _botocore, asynchronous=True, botocore=True),
)


class Pool:
    """An embedded pool with users, and what one of them has from an earlier login."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.local = LocalUserPool(credentials=KEYS, clock=self.clock)
        for name in ("alice", "bob"):
            self.create(name)
        with srpcore.Cognito(
            self.local.user_pool_id, self.local.client_id, username="alice", transport=self.local
        ) as user:
            user.authenticate(PASSWORD)
            self.tokens, self.keys = user.tokens.stored, user.get_keys()

    def clock(self) -> float:
        """Return the real time, or one that is ahead of it."""
        return time.time() + self.ahead

    def create(self, name: str) -> None:
        """Create a user with PASSWORD."""
        admin = srpcore.Cognito(self.local.user_pool_id, self.local.client_id, transport=self.local)
        admin.admin_create_user(name, PASSWORD, {"MessageAction": "SUPPRESS"})
        admin.client.admin_set_user_password(
            UserPoolId=self.local.user_pool_id, Username=name, Password=PASSWORD, Permanent=True
        )


_PATIENCE = {"connect_timeout": 60, "read_timeout": 60}


class Client:
    """A client of *service* of one kind, which has tokens already; a context manager that must leave nothing behind."""

    def __init__(self, kind: Kind, pool: Pool, service: FaultyService, **options: Any) -> None:
        self.kind = kind
        self.attempts: list[RequestEvent] = []
        self._pool = pool
        self._runner = asyncio.Runner() if kind.asynchronous else None
        self.transport = kind.make(service.url, {"on_request": self.attempts.append, **_PATIENCE, **options})
        self.store = MemoryStore()
        facade = srpcore.AsyncCognito if kind.asynchronous else srpcore.Cognito
        self._key = store_key(pool.local.user_pool_id, pool.local.client_id, "alice")
        self.user: Any = facade(
            pool.local.user_pool_id,
            pool.local.client_id,
            username="alice",
            transport=self.transport,
            endpoint_url=service.url,
            store=self.store,
            clock=pool.clock,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.disconnect()
        if self._runner is not None:
            tasks = asyncio.all_tasks(self._runner.get_loop())
            self._runner.close()
            assert tasks == set()

    def disconnect(self) -> None:
        """Have the next call open a connection."""
        closed = self.transport.close()
        if self._runner is not None and closed is not None:
            self._runner.run(closed)

    def start(self, asked: Asked) -> None:
        """Be as at the beginning, but for what the transport remembers."""
        self.disconnect()
        self.attempts.clear()
        tokens = self._pool.tokens
        self.store.save(self._key, Login(tokens, None, None, None))
        self.user.id_token, self.user.access_token = tokens.id_token, tokens.access_token
        self.user.refresh_token, self.user.token_type = tokens.refresh_token, tokens.token_type
        self.user._expire_at(tokens.expires_at)
        self.user.pool_jwk = None if asked.at == "GET" else self._pool.keys

    def do(self, asked: Asked) -> Any:
        """Do what is *asked* of the facade, and return its result."""
        if asked.at == "GET":
            return self.run(self.user.verify_tokens())
        if asked.name.startswith("log in"):
            return self.run(self.user.authenticate(PASSWORD))
        if asked.name == "refresh":
            return self.run(self.user.renew_access_token())
        return self.run(self.user.get_users())

    def run(self, result: Any) -> Any:
        """Return the result of a method of the facade, which is to be awaited with an asynchronous one."""
        return result if self._runner is None else self._runner.run(result)

    @property
    def tokens(self) -> tuple[Tokens, Tokens | None]:
        """The tokens of the client, and those in its store."""
        login = self.store.load(self._key)
        return self.user.tokens.stored, None if login is None else login.tokens

    def attempts_at(self, name: str) -> int:
        """Return how often the operation *name* was tried."""
        return sum(event.operation == name for event in self.attempts)
