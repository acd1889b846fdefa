"""The outbox has a message exactly if the work of the request that sent it is committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.api.parameters import Parameters
from srpcore_transports.local.auth import codes
from srpcore_transports.local.model.outbox import Message
from srpcore_transports.local.operations.table import OPERATIONS
from srpcore_transports.local.steps import Step, outside
from srpcore_transports.local.storage.state import State
from support.users import PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.slow


def send(client: Client, state: State) -> None:
    user = state.users.get(state.pool(client.pool_id), "alice")
    assert user is not None
    codes.send(state, user, "reset", codes.ComposedMessage("email", "alice@example.com", "123456"))


def test_a_request_that_fails_after_sending_leaves_no_message(client: Client) -> None:
    client.user(email="alice@example.com", email_verified="true")

    def send_and_fail(state: State) -> None:
        send(client, state)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.run(send_and_fail)
    client.run(lambda state: state.pool(client.pool_id))
    assert client.pool.outbox.messages == []


def test_a_request_that_cannot_be_committed_leaves_no_message(make: Callable[..., Client], tmp_path: Path) -> None:
    client = make(state=tmp_path / "pool.db")
    client.user(email="alice@example.com", email_verified="true")
    run = client.pool._service.database.connection.execute
    run(f"PRAGMA max_page_count = {run('PRAGMA page_count').fetchone()[0]}")

    def send_too_much(state: State) -> None:
        send(client, state)
        state.pool(client.pool_id).settings["PoolName"] = "x" * 1_000_000

    with pytest.raises(sqlite3.OperationalError, match="full"):
        client.run(send_too_much)
    assert client.pool.outbox.messages == []
    with refused("ExpiredCodeException"):
        client.call(
            "ConfirmForgotPassword",
            ClientId=client.client_id,
            Username="alice",
            ConfirmationCode="123456",
            Password="Other-Passw0rd!",
        )


def test_a_message_appears_when_its_transaction_is_committed(client: Client) -> None:
    client.user(email="alice@example.com", email_verified="true")
    seen: list[int] = []

    def send_and_compute(state: State) -> Step[None]:
        send(client, state)
        seen.append(len(client.pool.outbox.messages))
        yield from outside(lambda: seen.append(len(client.pool.outbox.messages)))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.run(send_and_compute)
    assert seen == [0, 1]
    assert [message.code for message in client.pool.outbox.messages] == ["123456"]


def test_a_message_of_a_refused_request_is_announced(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.user(email="alice@example.com", email_verified="true")
    announced: list[Message] = []
    client.pool.outbox.on_message = announced.append

    def send_and_refuse(state: State, _: Parameters) -> dict[str, Any]:
        send(client, state)
        raise Refusal("NotAuthorizedException", "no")

    monkeypatch.setitem(OPERATIONS, "GetUser", send_and_refuse)
    with refused("NotAuthorizedException"):
        client.call("GetUser", AccessToken="a.b.c")
    assert announced == client.pool.outbox.messages
    assert len(announced) == 1


def test_an_exception_of_on_message_is_logged_and_does_not_fail_the_request(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    announced: list[str] = []

    def fail_once(message: Message) -> None:
        announced.append(message.username)
        if len(announced) == 1:
            raise BrokenPipeError

    client.pool.outbox.on_message = fail_once
    for username in ("alice", "bob"):
        attributes = [{"Name": "email", "Value": f"{username}@example.com"}]
        client.call(
            "SignUp", ClientId=client.client_id, Username=username, Password=PASSWORD, UserAttributes=attributes
        )
    assert announced == ["alice", "bob"]
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is BrokenPipeError
