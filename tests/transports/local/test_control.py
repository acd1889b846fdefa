"""The control endpoint of a served pool: tests in other processes move the clock, read the outbox and reset the pools."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from srpcore import Cognito
from srpcore.exceptions import NotAuthorizedException
from srpcore.exceptions.base import ConfigurationError
from srpcore.service_client import ServiceClient
from srpcore_transports.local import LocalServer, LocalUserPool, Message, UserPool
from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.model.pools import PoolRecord
from srpcore_transports.local.model.signing import from_pem, generate_pem
from srpcore_transports.local.steps import Step, outside
from srpcore_transports.local.storage import signing_keys
from srpcore_transports.local.storage.state import State
from support.users import PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

NOW = 1_800_000_000.0
CONTROL = {"x-srpcore-control": "1"}
TOKEN = "6f1c9f0e3b7a4d52"
ENDPOINTS = (("GET", "outbox"), ("GET", "clock"), ("POST", "clock"), ("POST", "reset"))


@pytest.fixture
def pool() -> UserPool:
    return UserPool(clock=lambda: NOW)


@pytest.fixture
def server(pool: UserPool) -> Iterator[LocalServer]:
    with pool.serve(control=True) as server:
        yield server


def send(
    server: LocalServer, method: str, path: str, body: object = None, headers: dict[str, str] = CONTROL
) -> tuple[int, Any, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=10)
    try:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, f"/_srpcore/{path}", data, headers)
        response = connection.getresponse()
        document = response.read()
        return response.status, json.loads(document or b"null"), {k.lower(): v for k, v in response.getheaders()}
    finally:
        connection.close()


def move(server: LocalServer, **change: object) -> Any:
    status, document, _ = send(server, "POST", "clock", change)
    assert status == 200, document
    return document


def test_the_clock_is_moved_and_goes_on(server: LocalServer) -> None:
    assert send(server, "GET", "clock")[:2] == (200, {"now": NOW, "moved": 0.0})
    assert move(server, advance=3600) == {"now": NOW + 3600, "moved": 3600}
    assert move(server, advance=-0.5)["moved"] == 3599.5
    assert move(server, set=NOW + 10) == {"now": NOW + 10, "moved": 10}
    assert move(server, set="2030-01-31T12:00:00Z")["now"] == 1896091200
    assert move(server, set="2030-01-31T13:00:00+01:00")["now"] == 1896091200
    assert send(server, "GET", "clock")[2]["date"] == "Thu, 31 Jan 2030 12:00:00 GMT"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone of a process cannot be set on Windows")
def test_a_time_without_a_zone_is_in_utc(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        try:
            assert move(server, set="2030-01-31T12:00:00")["now"] == 1896091200
        finally:
            patch.undo()
            time.tzset()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"advance": "1"},
        {"advance": True},
        {"advance": None},
        {"advance": 1, "set": 1},
        {"set": 1, "more": 1},
        {"set": "tomorrow"},
        {"set": True},
        {"set": None},
        {"set": 0},
        {"advance": 1e300},
        {"advance": 10**400},
        {"advance": -NOW},
        b'{"advance": NaN}',
        b'{"advance": Infinity}',
        b"{",
        b"\xff",
    ],
)
def test_a_time_that_is_not_one_is_refused(server: LocalServer, body: object) -> None:
    status, document, _ = send(server, "POST", "clock", body)
    assert (status, document["__type"]) == (400, "InvalidParameterException")
    assert send(server, "GET", "clock")[1]["moved"] == 0


def test_a_token_expires_when_the_clock_is_moved() -> None:
    with UserPool() as pool, pool.serve(control=True) as server:
        pool.add_user("alice", password=PASSWORD)
        with Cognito(pool.user_pool_id, pool.client_id, username="alice", endpoint_url=server.url) as user:
            user.authenticate(PASSWORD)
            access_token = user.access_token
            user.client.get_user(AccessToken=access_token)
            move(server, advance=3601)
            with pytest.raises(NotAuthorizedException, match="expired"):
                user.client.get_user(AccessToken=access_token)
            # This client's own clock is an hour behind the pool's.
            user.authenticate(PASSWORD)
            user.client.get_user(AccessToken=user.access_token)


def test_a_client_with_the_real_time_logs_in_after_the_clock_was_moved(client: Client) -> None:
    client.user()
    client.pool._service.clock.advance(86_400)
    client.tokens()
    exchange = client.begin()
    with refused("NotAuthorizedException"):
        exchange.respond(exchange.answers(PASSWORD, timestamp=client.timestamp(3600)))


def test_the_outbox_has_all_messages_or_those_of_a_user(pool: UserPool, server: LocalServer) -> None:
    assert send(server, "GET", "outbox")[1] == {"messages": []}
    for name in ("alice", "bob"):
        user = Cognito(pool.user_pool_id, pool.client_id, transport=pool)
        user.set_base_attributes(email=f"{name}@example.com")
        user.register(name, PASSWORD)
    messages = send(server, "GET", "outbox")[1]["messages"]
    assert [message["username"] for message in messages] == ["alice", "bob"]
    assert messages[1] == {
        "username": "bob",
        "destination": "bob@example.com",
        "medium": "EMAIL",
        "attribute": "email",
        "purpose": "sign_up",
        "code": pool.outbox.latest("bob").code,
        "text": None,
        "subject": None,
    }
    for query in ("username=bob", "username=bob%40example.com"):
        assert send(server, "GET", f"outbox?{query}")[1] == {"messages": messages[1:]}
    assert send(server, "GET", "outbox?username=")[1] == {"messages": []}
    assert send(server, "GET", "outbox?user=bob")[0] == 400


def test_a_reset_puts_everything_back_as_it_was_at_the_start(pool: UserPool) -> None:
    pool.add_user("alice", password=PASSWORD, groups="staff")
    with pool.serve(control=True) as server:
        user = Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool)
        keys = pool.jwks()
        pool.add_user("bob", password=PASSWORD, groups="staff")
        user.client.admin_delete_user(UserPoolId=pool.user_pool_id, Username="alice")
        user.client.create_user_pool(PoolName="other")
        user.set_base_attributes(email="carol@example.com")
        user.register("carol", PASSWORD)
        assert pool.outbox.messages
        user.client.update_user_pool(UserPoolId=pool.user_pool_id, MfaConfiguration="OFF")
        move(server, advance=100)
        for _ in range(2):
            assert send(server, "POST", "reset")[:2] == (200, {})
        assert send(server, "GET", "clock")[1]["moved"] == 0
        assert send(server, "GET", "outbox")[1] == {"messages": []}
        users = user.client.list_users(UserPoolId=pool.user_pool_id)["Users"]
        assert [found["Username"] for found in users] == ["alice"]
        assert [found["Id"] for found in user.client.list_user_pools(MaxResults=60)["UserPools"]] == [pool.user_pool_id]
        described = user.client.describe_user_pool(UserPoolId=pool.user_pool_id)["UserPool"]
        assert described["MfaConfiguration"] == "OPTIONAL"
        assert pool.jwks() == keys
        password = {"USERNAME": "alice", "PASSWORD": PASSWORD}
        user.client.initiate_auth(ClientId=pool.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=password)


def test_a_reset_does_not_delete_a_message_of_a_request_after_it(pool: UserPool, server: LocalServer) -> None:
    free: list[bool] = []

    class Messages(list[Message]):
        def clear(self) -> None:
            free.append(not pool._service.database.lock.locked())
            super().clear()

    pool.outbox.messages = Messages()
    assert send(server, "POST", "reset")[0] == 200
    # No other request could be processed between the reset of the database and that of the outbox.
    assert free == [False]


def test_a_reset_writes_to_the_file_with_the_state(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    with UserPool(state=path) as pool:
        pool.add_user("alice")
        with pool.serve(control=True) as server:
            pool.add_user("bob")
            assert send(server, "POST", "reset")[0] == 200
            pool.add_user("carol")
    with UserPool(state=path) as pool:
        users = ServiceClient(pool, pool.region).list_users(UserPoolId=pool.user_pool_id)["Users"]
        assert [found["Username"] for found in users] == ["alice", "carol"]


def test_a_signing_key_made_after_the_start_survives_a_reset() -> None:
    pool = UserPool()
    State(pool._service).run(lambda state: setattr(state.pool(pool.user_pool_id), "key", None))
    with pool.serve(control=True) as server:
        keys = pool.jwks()
        send(server, "POST", "reset")
        assert pool.jwks() == keys


def test_a_key_set_that_is_read_during_a_reset_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    generated: list[str] = []

    def generate_and_reset() -> str:
        generated.append(generate_pem())
        if len(generated) == 1:
            send(served, "POST", "reset")
        return generated[-1]

    monkeypatch.setattr(signing_keys, "generate_pem", generate_and_reset)
    pool = LocalUserPool()
    with pool.serve(control=True) as served:
        document = pool.document(f"/{pool.user_pool_id}/.well-known/jwks.json")
    assert document is not None
    assert json.loads(document) == {"keys": [from_pem(generated[1]).jwk()]}


def test_a_request_in_progress_during_a_reset_changes_nothing(pool: UserPool, server: LocalServer) -> None:
    records: list[PoolRecord] = []

    def rename(state: State) -> Step[None]:
        records.append(state.pool(pool.user_pool_id))
        yield from outside(lambda: send(server, "POST", "reset"))

    with pytest.raises(Refusal, match="reset"):
        State(pool._service).run(rename)
    # Nobody else uses the same object any more.
    records[0].settings["PoolName"] = "renamed"
    name = State(pool._service).run(lambda state: state.pool(pool.user_pool_id).settings["PoolName"])
    assert name == "local"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-srpcore-control": "0"},
        {**CONTROL, "Origin": "http://localhost:3000"},
        {**CONTROL, "Origin": "null"},
    ],
)
@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_web_pages_are_kept_out(server: LocalServer, method: str, path: str, headers: dict[str, str]) -> None:
    status, document, answered = send(server, method, path, {"advance": 1}, headers)
    assert (status, document["__type"]) == (403, "ForbiddenException")
    assert not [name for name in answered if name.startswith("access-control")]


def test_a_preflight_is_refused(server: LocalServer) -> None:
    headers = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-srpcore-control",
    }
    status, _, answered = send(server, "OPTIONS", "outbox", headers=headers)
    assert status == 403
    assert not [name for name in answered if name.startswith("access-control")]


def test_only_loopback_names_are_accepted_even_if_the_server_accepts_every_name(pool: UserPool) -> None:
    with pool.serve(control=True, allowed_hosts="*") as server:
        assert send(server, "GET", "outbox", headers={**CONTROL, "Host": "evil.example"})[0] == 403
        assert send(server, "GET", "outbox", headers={**CONTROL, "Host": "localhost:80"})[0] == 200


def test_unknown_paths_and_methods_are_refused(server: LocalServer) -> None:
    assert send(server, "GET", "elsewhere")[0] == 404
    assert send(server, "GET", "reset")[0] == 405
    assert send(server, "DELETE", "outbox")[0] == 405


def test_it_is_off_unless_asked_for(pool: UserPool) -> None:
    with pool.serve() as server:
        for method, path in ENDPOINTS:
            status, _, answered = send(server, method, path, {"advance": 1})
            assert status in (400, 404)
            assert "access-control-allow-origin" not in answered
        assert pool._service.clock.moved == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])
def test_without_a_token_it_is_served_on_loopback_only(pool: UserPool, host: str) -> None:
    with pytest.raises(ConfigurationError, match="without a token"):
        pool.serve(host, control=True)


@pytest.mark.parametrize("token", ["", "1", "fifteen-letters", "sixteen letters!", "sixteen-lettérs!", "x" * 16 + "\n"])
def test_a_token_that_is_short_or_is_not_a_header_is_refused(pool: UserPool, token: str) -> None:
    with pytest.raises(ConfigurationError, match="at least 16 ASCII characters") as caught:
        pool.serve("0.0.0.0", control=token)
    assert not token or len(token) < 2 or token not in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("name", ["cognito:9229", "localhost"])
def test_with_a_token_it_is_served_on_any_address_and_name(pool: UserPool, host: str, name: str) -> None:
    with pool.serve(host, control=TOKEN, allowed_hosts=["cognito"]) as server:
        headers = {"x-srpcore-control": TOKEN, "Host": name}
        for method, path in ENDPOINTS:
            assert send(server, method, path, {"advance": 1}, headers)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        CONTROL,
        {"x-srpcore-control": TOKEN[:-1]},
        {"x-srpcore-control": TOKEN.upper()},
        {"x-srpcore-control": "é" * 16},
        {"Authorization": f"Bearer {TOKEN}"},
        {"x-srpcore-control": TOKEN, "Origin": "http://localhost:3000"},
    ],
)
@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])
def test_requests_without_the_token_and_from_web_pages_are_refused(
    pool: UserPool, headers: dict[str, str], host: str
) -> None:
    with pool.serve(host, control=TOKEN) as server:
        for method, path in ENDPOINTS:
            status, document, _ = send(server, method, path, {"advance": 1}, headers)
            assert (status, document["__type"]) == (403, "ForbiddenException")
            assert TOKEN not in document["message"]
        assert send(server, "OPTIONS", "outbox", headers={"Origin": "http://localhost:3000"})[0] == 403
    assert pool._service.clock.moved == 0
