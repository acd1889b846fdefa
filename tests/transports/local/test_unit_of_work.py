"""The unit of work writes the changes that a statement must see, and does not compare the same record many times."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from srpcore_transports.local.model.grants import GrantRecord
from srpcore_transports.local.model.pools import Group, Resource
from srpcore_transports.local.model.records import Record
from srpcore_transports.local.model.users import User
from srpcore_transports.local.operations import import_jobs, user_pools
from srpcore_transports.local.storage import work
from srpcore_transports.local.storage.state import State
from srpcore_transports.local.storage.work import Work, tables_of

from .client import Client

pytestmark = pytest.mark.slow

SUB = "6f1c9f0e-3b7a-4d52-9c1e-0a1b2c3d4e5f"


def grant(client: Client, number: int) -> GrantRecord:
    now = client.clock.now
    names = f"jti {number}", client.pool_id, client.client_id, SUB
    return GrantRecord(*names, int(now), None, "event", f"session {number}", now, now + 3600)


def add_members(client: Client, count: int) -> None:
    """Add alice with so many grants and groups, and as many app clients with a document."""

    def add(state: State) -> None:
        pool = state.pool(client.pool_id)
        user = User("alice", SUB, 0.0, {"sub": SUB})
        state.users.add(pool, user)
        for number in range(count):
            made = grant(client, number)
            state.grants.add(made)
            state.grants.add_refresh_token(made, made.expires)
            state.users.join(state.groups.add(pool, str(number), Group(str(number), 0.0, 0.0)), user)
            other = state.add_client(pool, {"ClientName": str(number)})
            state.documents.put(pool, "risk_configuration", {}, other.client_id)

    client.run(add)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("AdminListUserSessions", {"Username": "alice"}),
        ("AdminUserGlobalSignOut", {"Username": "alice"}),
        ("AdminListGroupsForUser", {"Username": "alice"}),
        ("AdminDeleteUser", {"Username": "alice"}),
        ("DeleteUserPoolClient", {"ClientId": "the first"}),
        ("DeleteUserPool", {}),
    ],
)
def test_an_operation_on_twice_as_many_records_compares_at_most_twice_as_many(
    make: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, operation: str, parameters: dict[str, str]
) -> None:
    compared: list[object] = []
    encode = work.encode

    def counted(record: Record) -> bytes:
        compared.append(record)
        return encode(record)

    monkeypatch.setattr(work, "encode", counted)

    def comparisons(count: int) -> int:
        client = make()
        add_members(client, count)
        compared.clear()
        client.admin(
            operation, **{**parameters, **({"ClientId": client.client_id} if "ClientId" in parameters else {})}
        )
        return len(compared)

    few, many = comparisons(20), comparisons(40)
    assert many <= 2 * few + 10


@pytest.mark.parametrize("act", [import_jobs.end_interrupted, lambda state: user_pools.list_user_pools(state, {})])
def test_what_reads_all_pools_compares_each_of_them_a_few_times(
    make: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, act: Callable[[State], object]
) -> None:
    client = make()

    def add(state: State) -> None:
        for _ in range(30):
            pool = state.add_pool({"PoolName": "p"})
            state.import_jobs.add(pool, "job", Resource("job", 0.0, 0.0, {"Status": "InProgress"}))

    client.run(add)
    compared: list[object] = []
    encode = work.encode

    def counted(record: Record) -> bytes:
        compared.append(record)
        return encode(record)

    monkeypatch.setattr(work, "encode", counted)
    client.run(act)
    assert len(compared) < 5 * 31


def test_an_import_compares_each_record_a_few_times(
    make: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make()
    add_members(client, 30)
    document = client.pool.export_pool()
    compared: list[object] = []
    encode = work.encode

    def counted(record: Record) -> bytes:
        compared.append(record)
        return encode(record)

    monkeypatch.setattr(work, "encode", counted)
    make().pool.import_pool(document)
    assert len(compared) < 5 * 3 * 31


def test_the_tables_of_a_statement_are_those_that_sqlite_uses(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[str] = set()
    wrong: list[str] = []
    execute = Work._execute

    def authorize(action: int, first: str | None, *_: object) -> int:
        if action in (sqlite3.SQLITE_READ, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE):
            used.add(str(first))
        return sqlite3.SQLITE_OK

    def checked(self: Work, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        used.clear()
        result = execute(self, statement, values)
        if not used <= tables_of(statement):
            wrong.append(statement)
        seen.update(used)
        return result

    seen: set[str] = set()
    monkeypatch.setattr(Work, "_execute", checked)
    client.pool._service.database.connection.set_authorizer(authorize)
    add_members(client, 2)
    client.user("bob", email="bob@example.com")
    tokens = client.tokens("bob")
    client.refresh(tokens["RefreshToken"], "bob")
    for name in ("AdminListUserSessions", "AdminListGroupsForUser", "AdminDeleteUser"):
        client.admin(name, Username="alice")
    client.admin("ListUsers", Filter='email ^= "b"')
    client.admin("ListUsersInGroup", GroupName="0")
    client.pool.export_pool()
    client.run(lambda state: state.users.newest(state.pool(client.pool_id), 10))
    client.admin("DeleteGroup", GroupName="0")
    client.admin("DeleteUserPool")
    client.pool._service.database.connection.set_authorizer(None)
    assert wrong == []
    assert {"user", "record", "login", "login_grant", "refresh_token", "member"} <= seen


def test_a_statement_on_a_table_sees_what_was_changed_in_its_records(client: Client) -> None:
    client.user("alice", email="alice@example.com")

    def rename(state: State) -> list[Any]:
        pool = state.pool(client.pool_id)
        user = state.users.having(pool, "email", "alice@example.com")[0]
        user.attributes["email"] = "new@example.com"
        user.attributes["name"] = "Alice"
        newest = state.users.newest(pool, 1)[0][0]
        return [newest.attributes["name"], len(state.users.having(pool, "email", "alice@example.com"))]

    assert client.run(rename) == ["Alice", 0]


def test_a_login_executes_few_statements(client: Client) -> None:
    client.user()
    client.log_in()
    executed: list[str] = []
    connection = client.pool._service.database.connection
    connection.set_trace_callback(lambda statement: executed.append(" ".join(statement.split()[:3])))
    try:
        client.log_in()
    finally:
        connection.set_trace_callback(None)
    assert executed == [
        *("SELECT id, data",),  # the user
        *("BEGIN IMMEDIATE", "INSERT INTO login", "COMMIT"),
        *("BEGIN IMMEDIATE", "DELETE FROM login", "SELECT id, data", "COMMIT"),  # the user again
        *(
            "BEGIN IMMEDIATE",
            "INSERT INTO login_grant",
            "SELECT id, data",
            "INSERT INTO refresh_token",
            "COMMIT",
        ),  # groups
    ]
