"""A user pool with an app client, reached over a transport that records the operations and can answer them itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

import srpcore
from srpcore import exceptions
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation, Reply, Transport
from srpcore_transports.botocore import BotocoreTransport
from srpcore_transports.credentials import Credentials
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import HttpxTransport
from srpcore_transports.local import LocalUserPool
from support.clock import Clock
from support.users import PASSWORD


class Wire:
    """Record each call and pass it to *inner*. ``instead`` can return a reply, which is then used instead."""

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
        """The recorded operations: each name, with the flow or the challenge of the request."""
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
    """Return a reply with an error of the service."""
    return Reply({"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}})


KINDS = ("in process", "https", "botocore", "httpx")
"""The transports that tests run over, with equal results."""

KEYS = Credentials("AKIDLOCAL", "secret-of-the-tests")


class World:
    """A local user pool, its app client, and a recording wire to them over a transport of the given *kind*."""

    def __init__(self, kind: str = "in process", **settings: Any) -> None:
        self.clock = Clock()
        self.pool = LocalUserPool(clock=self.clock, credentials=KEYS, **settings)
        self.server = None if kind == "in process" else self.pool.serve()
        self.url = None if self.server is None else self.server.url
        self.transport = self.transport_of(kind)
        self.wire = Wire(self.transport)

    def transport_of(self, kind: str) -> Transport:
        """Return a new transport of the given *kind* to the pool."""
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
        """Close the transport, the server and the pool."""
        self.transport.close()
        if self.server is not None:
            self.server.close()
        self.pool.close()

    def create(self, username: str = "alice", *, permanent: bool = True, **attributes: str) -> str:
        """Create a user with PASSWORD, and return the canonical username."""
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

    @property
    def arguments(self) -> dict[str, Any]:
        """The keyword arguments with which a facade uses the wire and the clock of this world."""
        return {"transport": self.wire, "endpoint_url": self.url, "clock": self.clock}

    def user(
        self, username: str | None = "alice", *, cls: type[srpcore.Cognito] = srpcore.Cognito, **arguments: Any
    ) -> srpcore.Cognito:
        """Return a new object of *cls* for *username* over the wire."""
        return cls(
            self.pool.user_pool_id,
            self.pool.client_id,
            username=username,
            client_secret=self.pool.client_secret,
            **{**self.arguments, **arguments},
        )

    def async_user(self, username: str | None = "alice", **arguments: Any) -> srpcore.AsyncCognito:
        """Return a new ``AsyncCognito`` for *username* over the wire."""
        return srpcore.AsyncCognito(
            self.pool.user_pool_id,
            self.pool.client_id,
            username=username,
            client_secret=self.pool.client_secret,
            **{**self.arguments, **arguments},
        )

    def asked(self, name: str) -> list[Operation]:
        """Return the recorded operations with this *name*."""
        return [operation for operation in self.wire.operations if operation.name == name]


def enrol(world: World) -> str:
    """Enrol an authenticator app for alice, and return its secret."""
    user = world.user()
    user.authenticate(PASSWORD)
    secret = user.associate_software_token()
    with pytest.raises(exceptions.EnableSoftwareTokenMFAException):
        user.verify_software_token("000000" if totp(secret, world.clock()) != "000000" else "111111")
    assert user.verify_software_token(totp(secret, world.clock()), "my phone")
    user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
    world.clock.ahead += 60
    return secret


WORLDS = [
    pytest.param(
        (kind, secret),
        id=f"{kind}, {'confidential' if secret else 'public'}",
        marks=[pytest.mark.counterpart] if kind == "botocore" else [],
    )
    for kind in KINDS
    for secret in (False, True)
    # Only a confidential client over httpx: it sends all that a public client sends, and the secret hash.
    if secret or kind != "httpx"
]
"""Parameters of a test: the kind of transport, and whether the app client has a secret."""


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    """Make worlds with the given settings, and close them after the test."""
    worlds: list[World] = []

    def make(**settings: Any) -> World:
        worlds.append(World(**settings))
        return worlds[-1]

    yield make
    for made in worlds:
        made.close()


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """Run the test in each kind of world: with a public and with a confidential app client."""
    kind, secret = request.param
    return make_world(kind=kind, client_secret=secret)
