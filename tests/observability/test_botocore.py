"""Events of calls over botocore, and request ids of errors. Nothing else may change through hooks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import botocore.exceptions
import pytest

from srpcore import ServiceError, TransportError, exceptions
from srpcore.exceptions.base import TransportTimeout
from srpcore.protocol import Operation, Reply
from srpcore_transports.botocore import BotocoreTransport
from srpcore_transports.deadline import time_limit
from srpcore_transports.events import RequestEvent, ResponseEvent
from srpcore_transports.https import HttpsTransport
from support.loopback import LoopbackServer, answer
from support.users import PASSWORD
from support.world import KEYS, World

READ = Operation("GetUser", {"AccessToken": "a-secret-token"})


class Told:
    """The events of one transport."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.hooks: dict[str, Any] = {"on_request": self.events.append, "on_response": self.events.append}

    @property
    def answers(self) -> list[tuple[Any, ...]]:
        return [
            (event.request.operation, event.request.host, event.status, event.error)
            for event in self.events
            if isinstance(event, ResponseEvent)
        ]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def served(make_world: Callable[..., World]) -> World:
    world = make_world(kind="botocore")
    world.create()
    return world


def client_of(world: World) -> Any:
    transport: Any = world.transport
    return transport.client


def test_each_call_makes_one_event_of_each_kind(served: World, told: Told, caplog: pytest.LogCaptureFixture) -> None:
    transport = BotocoreTransport(client_of(served), **told.hooks)
    with caplog.at_level(logging.DEBUG, "srpcore"):
        refused = transport.call(READ)
        transport.fetch(f"{served.url}/{served.pool.user_pool_id}/.well-known/jwks.json")
    request, response, *_ = told.events
    assert isinstance(request, RequestEvent)
    assert (response.request, request.attempt, response.will_retry) == (request, 1, False)
    assert response.request_id == refused.request_id is not None
    assert told.answers == [
        ("GetUser", "127.0.0.1", 400, "NotAuthorizedException"),
        ("GET", "127.0.0.1", 200, None),
    ]
    lines = [record.message for record in caplog.records if record.name == "srpcore"]
    assert lines[0] == "GetUser to 127.0.0.1, attempt 1"
    assert f"NotAuthorizedException, HTTP status 400, request id {refused.request_id}, " in lines[1]
    assert "secret" not in "".join(lines)


def test_hooks_are_called_for_logins_over_the_same_client(served: World, told: Told) -> None:
    client = client_of(served)
    with BotocoreTransport(client, **told.hooks) as transport:
        served.user(transport=transport).authenticate(PASSWORD)
    assert [name for name, *_ in told.answers] == ["InitiateAuth", "RespondToAuthChallenge", "GET"]
    other = Told()
    BotocoreTransport(MagicMock(), **other.hooks)
    BotocoreTransport(client).call(READ)
    assert other.events == []
    assert told.answers[-1][0] == "GetUser"


@pytest.mark.parametrize(
    "error",
    [
        botocore.exceptions.ParamValidationError(report="what is wrong"),
        botocore.exceptions.NoCredentialsError(),
        KeyboardInterrupt(),
        StopIteration("the stub has no more"),
        RuntimeError("the stub's own"),
        ZeroDivisionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_exceptions_of_a_client_propagate_unchanged(error: BaseException, told: Told) -> None:
    client = MagicMock()
    client.get_user.side_effect = error if not isinstance(error, StopIteration) else lambda **_: next(iter(()))
    with pytest.raises(type(error)) as caught:
        BotocoreTransport(client, **told.hooks).call(READ)
    assert caught.value is error or isinstance(error, StopIteration)
    assert told.answers == [("GetUser", "unknown", None, type(error).__name__)]


def test_a_failure_is_reported_by_the_name_of_its_class(told: Told) -> None:
    client = MagicMock()
    client.meta.endpoint_url = "https://cognito-idp.eu-west-1.amazonaws.com"
    client.get_user.side_effect = botocore.exceptions.ReadTimeoutError(endpoint_url="https://x")
    with pytest.raises(TransportTimeout):
        BotocoreTransport(client, **told.hooks).call(READ)
    client.get_user.side_effect = botocore.exceptions.EndpointConnectionError(endpoint_url="https://x")
    with pytest.raises(TransportError):
        BotocoreTransport(client, **told.hooks).call(READ)
    host = "cognito-idp.eu-west-1.amazonaws.com"
    assert told.answers == [("GetUser", host, None, "TransportTimeout"), ("GetUser", host, None, "TransportError")]
    assert client.get_user.call_count == 2


def test_the_method_is_looked_up_when_it_is_called(told: Told) -> None:
    client = MagicMock()
    transport = BotocoreTransport(client, **told.hooks)
    client.get_user = lambda **parameters: {"Username": parameters["AccessToken"]}
    assert transport.call(READ) == Reply({"Username": "a-secret-token"})
    assert told.answers == [("GetUser", "unknown", 200, None)]


@pytest.mark.parametrize("client", [object(), None, type("Slotted", (), {"__slots__": ()})(), {}])
def test_a_client_that_cannot_be_weakly_referenced_works(client: Any, told: Told) -> None:
    for hooks in ({}, told.hooks):
        reply = BotocoreTransport(client, **hooks).call(READ)
        assert reply.error is not None
        assert reply.error["Code"] == "UnknownOperationException"
    assert told.answers == [("GetUser", "unknown", 200, "UnknownOperationException")]


def test_no_call_begins_after_the_time_limit(told: Told) -> None:
    client = MagicMock()
    transport = BotocoreTransport(client, **told.hooks)
    with LoopbackServer(lambda _request, _connection: answer()) as server, time_limit(0.001):
        time.sleep(0.002)
        with pytest.raises(TransportTimeout, match="over"):
            transport.call(READ)
        with pytest.raises(TransportTimeout, match="over"):
            transport.fetch(f"{server.url}/keys")
        assert server.requests == []
    assert client.get_user.call_count == 0
    client.get_user.return_value = {}
    with time_limit(60):
        assert transport.call(READ).error is None


def test_a_hook_that_cannot_be_called_is_refused() -> None:
    wrong: Any = "print"
    with pytest.raises(exceptions.ConfigurationError, match="on_request"):
        BotocoreTransport(MagicMock(), on_request=wrong)


# Request ids


@pytest.mark.parametrize("kind", ["in process", "https", "botocore"])
def test_errors_have_the_request_id(kind: str, make_world: Callable[..., World], told: Told) -> None:
    world = make_world(kind=kind)
    world.create()
    transport: Any = world.transport
    if kind == "https":
        transport = HttpsTransport("us-east-1", world.url, KEYS, **told.hooks)
    elif kind == "botocore":
        transport = BotocoreTransport(client_of(world), **told.hooks)
    user = world.user(transport=transport, access_token="not-a-token")
    wrong: list[Callable[[], Any]] = [
        lambda: user.authenticate("Wrong-Horse-1"),
        lambda: user.sign_in("Wrong-Horse-1", auth_flow="USER_PASSWORD_AUTH"),
        user.get_user,
        lambda: user.confirm_sign_up("123456"),
        lambda: user.register("alice", PASSWORD),
        lambda: user.confirm_forgot_password("123456", PASSWORD),
        lambda: user.admin_disable_user("nobody"),
    ]
    ids: list[str | None] = []
    for do in wrong:
        with pytest.raises(ServiceError) as caught:
            do()
        ids.append(caught.value.request_id)
        assert caught.value.response["ResponseMetadata"]["RequestId"] == ids[-1]
    assert all(ids)
    assert len(set(ids)) == len(wrong)
    if kind != "in process":
        assert ids == [event.request_id for event in told.events if isinstance(event, ResponseEvent) and event.error]
    transport.close()
