"""A user of an embedded pool, and a transport that keeps what was asked and can answer otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

import srpcore
from srpcore.protocol import Operation, Reply, Transport
from srpcore_transports.botocore import BotocoreTransport
from srpcore_transports.credentials import Credentials
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import HttpxTransport
from srpcore_transports.local import LocalUserPool

PASSWORD = "Correct-Horse-1"


class Clock:
    """The real time, which a test can move on."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Wire:
    """Carry everything to *inner*, keep it, and let a test answer in its place."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.operations: list[Operation] = []
        self.fetched: list[str] = []
        self.instead: Callable[[Operation], Reply | None] = lambda operation: None

    def call(self, operation: Operation) -> Reply:
        self.operations.append(operation)
        return self.instead(operation) or self.inner.call(operation)

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.inner.fetch(url)

    def close(self) -> None:
        pass

    @property
    def names(self) -> list[str]:
        """What was asked: the operation, with the flow or challenge that it names."""
        return [
            ":".join(
                [
                    operation.name,
                    *(
                        operation.parameters[key]
                        for key in ("AuthFlow", "ChallengeName")
                        if key in operation.parameters
                    ),
                ]
            )
            for operation in self.operations
        ]

    def clear(self) -> None:
        self.operations.clear()
        self.fetched.clear()


def error(code: str, message: str = "", status: int = 400) -> Reply:
    """Return the reply that an error document of the service is."""
    return Reply({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}})


KINDS = ("in process", "https", "botocore", "httpx")
"""The transports that the stories run over: their results are equal."""

KEYS = Credentials("AKIDLOCAL", "secret-of-the-tests")


class World:
    """A pool, an app client of it, and the wire to them: over a transport of that *kind*."""

    def __init__(self, kind: str = "in process", **settings: Any) -> None:
        self.clock = Clock()
        self.pool = LocalUserPool(clock=self.clock, credentials=KEYS, **settings)
        self.server = None if kind == "in process" else self.pool.serve()
        self.url = None if self.server is None else self.server.url
        self.transport = self.transport_of(kind)
        self.wire = Wire(self.transport)

    def transport_of(self, kind: str) -> Transport:
        """Return a new transport of that *kind* to the pool."""
        if kind == "https":
            return HttpsTransport("us-east-1", self.url, KEYS)
        if kind == "httpx":
            return HttpxTransport("us-east-1", self.url, KEYS)
        if kind == "botocore":
            return BotocoreTransport(
                boto3.client(
                    "cognito-idp",
                    region_name="us-east-1",
                    endpoint_url=self.url,
                    aws_access_key_id=KEYS.access_key_id,
                    aws_secret_access_key=KEYS.secret_access_key,
                    config=Config(retries={"total_max_attempts": 1}),
                )
            )
        return self.pool

    def close(self) -> None:
        """Stop what was started."""
        self.transport.close()
        if self.server is not None:
            self.server.close()
        self.pool.close()

    def create(self, username: str = "alice", *, permanent: bool = True, **attributes: str) -> str:
        """Create a user with PASSWORD, and return the service's name for it."""
        of_user = {"UserPoolId": self.pool.user_pool_id, "Username": username}
        given = [{"Name": name, "Value": value} for name, value in attributes.items()]
        made = self.pool.call(
            Operation(
                "AdminCreateUser",
                {**of_user, "TemporaryPassword": PASSWORD, "MessageAction": "SUPPRESS", "UserAttributes": given},
            )
        )
        assert made.error is None, made.error
        if permanent:
            self.pool.call(Operation("AdminSetUserPassword", {**of_user, "Password": PASSWORD, "Permanent": True}))
        name: str = made.document["User"]["Username"]
        return name

    def user(
        self, username: str | None = "alice", *, cls: type[srpcore.Cognito] = srpcore.Cognito, **arguments: Any
    ) -> srpcore.Cognito:
        """Return a new object of *cls* for *username* over the wire."""
        return cls(
            self.pool.user_pool_id,
            self.pool.client_id,
            username=username,
            client_secret=self.pool.client_secret,
            **{"transport": self.wire, "endpoint_url": self.url, "clock": self.clock, **arguments},
        )

    def async_user(self, username: str | None = "alice", **arguments: Any) -> srpcore.AsyncCognito:
        """Return a new asynchronous facade for *username* over the wire."""
        return srpcore.AsyncCognito(
            self.pool.user_pool_id,
            self.pool.client_id,
            username=username,
            client_secret=self.pool.client_secret,
            **{"transport": self.wire, "endpoint_url": self.url, "clock": self.clock, **arguments},
        )

    def asked(self, name: str) -> list[Operation]:
        """Return what was asked of the operation *name*."""
        return [operation for operation in self.wire.operations if operation.name == name]


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def make(**settings: Any) -> World:
        worlds.append(World(**settings))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


WORLDS = [
    pytest.param(
        (kind, secret),
        id=f"{kind}, {'confidential' if secret else 'public'}",
        marks=[pytest.mark.counterpart] if kind == "botocore" else [],
    )
    for kind in KINDS
    for secret in (False, True)
    # Over httpx only the confidential client, which sends all that the public one sends and more.
    if secret or kind != "httpx"
]
"""What the stories run with: a kind of transport, and whether the app client has a secret."""


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    kind, secret = request.param
    return make_world(kind=kind, client_secret=secret)
