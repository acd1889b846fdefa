"""The database of the local pool: transactions, the unit of work, and what several requests see of one record."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.exceptions.base import ConfigurationError
from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.model.pools import Group, PoolRecord
from srpcore_transports.local.model.records import fold_case
from srpcore_transports.local.model.users import User, Verifier
from srpcore_transports.local.steps import Step, outside
from srpcore_transports.local.storage import work
from srpcore_transports.local.storage.database import Database
from srpcore_transports.local.storage.service import Service
from srpcore_transports.local.storage.state import State
from srpcore_transports.local.storage.users import Search
from srpcore_transports.local.storage.work import Work
from srpcore_transports.local.triggers.configuration import NO_TRIGGERS

POOL = "us-east-1_Storage1"


@pytest.fixture
def service() -> Service:
    return make_service()


def make_service(path: str | None = None) -> Service:
    made = Service.open("us-east-1", lambda: 1_700_000_000.0, None, NO_TRIGGERS, path)
    State(made).run(lambda state: state.pools.get(None, POOL) or state.add_pool({}, POOL))
    return made


def add(service: Service, username: str = "alice", **attributes: str) -> None:
    user = User(username, f"sub of {username}", 0.0, dict(attributes))
    State(service).run(lambda state: state.users.add(state.pool(POOL), user))


def read(service: Service, username: str = "alice") -> User | None:
    return State(service).run(lambda state: state.users.get(state.pool(POOL), username))


def required(state: State, username: str = "alice") -> User:
    user = state.users.get(state.pool(POOL), username)
    assert user is not None
    return user


def test_a_changed_attribute_is_stored_without_being_saved(service: Service) -> None:
    add(service)
    State(service).run(lambda state: required(state).attributes.update(email="a@example.com"))
    found = State(service).run(lambda state: state.users.having(state.pool(POOL), "email", "A@example.com"))
    assert [user.username for user in found] == ["alice"]
    # Nothing refers to the object any more, so this one is read from the database.
    del found
    assert read(service).attributes == {"email": "a@example.com"}  # type: ignore[union-attr]


def test_a_search_sees_what_the_same_request_has_changed(service: Service) -> None:
    add(service)

    def rename(state: State) -> list[User]:
        required(state).attributes["email"] = "a@example.com"
        return state.users.having(state.pool(POOL), "email", "a@example.com")

    assert len(State(service).run(rename)) == 1


def test_a_refused_request_keeps_what_it_changed(service: Service) -> None:
    add(service)

    def count_and_refuse(state: State) -> None:
        required(state).totp_step = 5
        raise Refusal("NotAuthorizedException", "no")

    with pytest.raises(Refusal):
        State(service).run(count_and_refuse)
    assert read(service).totp_step == 5  # type: ignore[union-attr]


def test_a_bug_changes_nothing(service: Service) -> None:
    add(service)
    held = read(service)
    assert held is not None

    def change_and_fail(state: State) -> None:
        required(state).attributes["email"] = "a@example.com"
        state.users.add(state.pool(POOL), User("bob", "sub of bob", 0.0))
        state.users.join(state.groups.add(state.pool(POOL), "g", group()), required(state, "bob"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        State(service).run(change_and_fail)
    assert held.attributes == {}
    assert read(service, "bob") is None
    assert State(service).run(lambda state: state.groups.all(state.pool(POOL))) == []
    # A new user may get the row that bob's would have been.
    add(service, "carol")
    assert read(service, "carol").username == "carol"  # type: ignore[union-attr]


@pytest.mark.parametrize("refuse", [False, True])
def test_an_interrupt_before_the_commit_changes_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch, refuse: bool
) -> None:
    add(service)
    held = read(service)
    assert held is not None

    def change(state: State) -> None:
        required(state).attributes["email"] = "a@example.com"
        state.users.add(state.pool(POOL), User("bob", "sub of bob", 0.0))
        if refuse:
            raise Refusal("NotAuthorizedException", "no")

    with monkeypatch.context() as patch:
        patch.setattr(Work, "_commit", interrupt)
        with pytest.raises(KeyboardInterrupt):
            State(service).run(change)
    assert held.attributes == {}
    assert read(service, "bob") is None


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_interrupt_just_after_the_commit_undoes_nothing(service: Service) -> None:
    add(service)
    held = read(service)
    assert held is not None

    def interrupt_after_commit(frame: FrameType, event: str, _: object) -> None:
        returned = event == "c_return" and frame.f_code is Work._commit.__code__
        if returned and not service.database.connection.in_transaction:
            interrupt()

    def change(state: State) -> None:
        required(state).attributes["email"] = "a@example.com"

    profile = sys.getprofile()
    sys.setprofile(interrupt_after_commit)
    try:
        with pytest.raises(KeyboardInterrupt):
            State(service).run(change)
    finally:
        sys.setprofile(profile)
    assert held.attributes == {"email": "a@example.com"}
    del held
    assert read(service).attributes == {"email": "a@example.com"}  # type: ignore[union-attr]


def interrupt_at_line(number: int, function: Callable[[], object]) -> bool:
    """Call *function*, and interrupt it at a line of the unit of work. Return whether it has so many lines."""
    left = number

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        # Not in the method that has the lock: a signal cannot arrive between the lock and the block, but this can.
        if frame.f_code.co_filename != work.__file__ or frame.f_code is Work.transact.__code__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                interrupt()
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    except Refusal:
        pass
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("refuse", [False, True])
def test_an_interrupt_at_any_line_leaves_what_is_stored_in_memory(service: Service, refuse: bool) -> None:
    add(service)
    execute = service.database.connection.execute
    number, interrupted = 0, True

    def change(state: State) -> None:
        user = required(state)
        user.attributes["name"] = str(number)
        state.users.having(state.pool(POOL), "name", "x")
        state.documents.put(state.pool(POOL), "kind", {"number": number})
        if refuse:
            raise Refusal("NotAuthorizedException", "no")

    def interrupt_change() -> None:
        nonlocal interrupted
        interrupted = interrupt_at_line(number, lambda: State(service).run(change))

    def other_request(state: State) -> Step[None]:
        user, pool = required(state), state.pool(POOL)
        state.documents.get(pool, "kind")
        yield from outside(interrupt_change)
        document = state.documents.get(pool, "kind")
        stored = (
            execute("SELECT data FROM user").fetchone()[0],
            execute("SELECT data FROM record WHERE kind = 'document'").fetchone(),
        )
        assert stored == (work.encode(user), None if document is None else (work.encode(document),))
        assert user.attributes.get("name") == (None if document is None else str(document.settings["number"]))

    while interrupted:
        number += 1
        State(service).run(other_request)
    assert number > 100


@pytest.mark.parametrize("method", ["_roll_back", "_restore_records"])
@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("copy", [True, False])
def test_the_next_request_rolls_back_the_transaction_of_one_whose_rollback_was_interrupted(
    service: Service, monkeypatch: pytest.MonkeyPatch, method: str, write: bool, copy: bool
) -> None:
    add(service)
    held = read(service)

    def change_and_fail(state: State) -> None:
        required(state).attributes["email"] = "a@example.com"
        state.pool(POOL).settings["MfaConfiguration"] = "ON"
        if write:
            state.users.add(state.pool(POOL), User("bob", "sub of bob", 0.0))
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Work, method, interrupt)
        with pytest.raises(KeyboardInterrupt):
            State(service).run(change_and_fail)
    if copy:
        with closing(service.database.copy()) as saved:
            service.database.restore(saved, lambda: None)
    assert read(service, "bob") is None
    found = read(service)
    assert found is not None
    assert found is not held
    assert found.attributes == {}
    assert State(service).run(lambda state: state.pool(POOL).settings) == {}


def group() -> Group:
    return Group("g", 0.0, 0.0)


def interleaved(service: Service, between: Callable[[State], object]) -> Callable[[State], Step[User]]:
    """Return a handler that reads alice, lets another request run *between*, and then uses a code."""

    def handler(state: State) -> Step[User]:
        user = required(state)
        yield from outside(lambda: State(service).run(between))
        user.totp_step = 5
        return user

    return handler


def test_two_requests_change_one_record(service: Service) -> None:
    add(service)

    def rename(state: State) -> None:
        required(state).attributes["name"] = "Alice"

    State(service).run(interleaved(service, rename))
    user = read(service)
    assert user is not None
    assert (user.totp_step, user.attributes) == (5, {"name": "Alice"})


def test_a_user_who_was_deleted_meanwhile_stays_deleted(service: Service) -> None:
    add(service)
    State(service).run(interleaved(service, lambda state: state.users.remove(required(state))))
    assert read(service) is None


def test_a_user_who_was_created_again_meanwhile_is_another(service: Service) -> None:
    add(service)

    def replace(state: State) -> None:
        state.users.remove(required(state))
        state.users.add(state.pool(POOL), User("alice", "another", 0.0))

    State(service).run(interleaved(service, replace))
    user = read(service)
    assert user is not None
    assert (user.sub, user.totp_step) == ("another", -1)


def test_no_transaction_is_open_while_a_handler_computes(service: Service) -> None:
    add(service)
    elsewhere: list[User | None] = []

    def compute() -> None:
        other = threading.Thread(target=lambda: elsewhere.append(read(service)), daemon=True)
        other.start()
        other.join(10)

    def handler(state: State) -> Step[None]:
        required(state)
        yield from outside(compute)

    State(service).run(handler)
    assert len(elsewhere) == 1


def test_an_exception_of_the_computation_reaches_the_handler(service: Service) -> None:
    def handler(state: State) -> Step[str]:
        try:
            yield from outside(lambda: 1 // 0)
        except ZeroDivisionError:
            return state.pool(POOL).id
        return "no exception"

    assert State(service).run(handler) == POOL


@given(st.integers(-(2**3100), 2**3100), st.integers(0, 2**3100))
def test_numbers_of_any_size_are_kept(salt: int, value: int) -> None:
    verifier = Verifier.of(salt, value)
    assert (verifier.salt, verifier.value) == (salt, value)


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=12),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=2),
    st.booleans(),
    st.integers(1, 4),
)
def test_a_search_finds_what_a_scan_finds(names: list[str], value: str, prefix: bool, size: int) -> None:
    service = make_service()
    for index, name in enumerate(names):
        add(service, f"user{index}", name=name)
    search, key, found = Search("name", value, prefix), ("", 0), list[str]()

    def fetch(state: State) -> list[tuple[tuple[str, int], User]]:
        return state.users.search(state.pool(POOL), search, key, size)

    while page := State(service).run(fetch):
        found += [user.attributes["name"] for _, user in page]
        key = page[-1][0]
    folded = fold_case(value)
    matches = [n for n in names if (fold_case(n).startswith(folded) if prefix else fold_case(n) == folded)]
    assert found == sorted(matches, key=lambda n: (fold_case(n).encode(), names.index(n)))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ÄÖX", "äöx", True),
        ("ΟΔΟΣ", "οδος", True),
        ("ΟΔΟΣ", "οδοσ", True),
        ("ß", "ss", False),
        ("ß", "s", False),
        ("İ", "i", False),
        ("ﬁ", "fi", False),
    ],
)
def test_case_is_ignored_character_by_character(service: Service, one: str, other: str, same: bool) -> None:
    add(service, name=f"{one}eta")

    def found(state: State) -> tuple[int, int]:
        pool = state.pool(POOL)
        begins = state.users.search(pool, Search("name", other, prefix=True), ("", 0), 5)
        return len(begins), len(state.users.having(pool, "name", f"{other}eta"))

    assert State(service).run(found) == (same, same)
    insensitive = PoolRecord(POOL, 0.0, 0.0, {"UsernameConfiguration": {"CaseSensitive": False}})
    assert (insensitive.fold(one) == insensitive.fold(other)) == same


@given(st.text(max_size=8), st.text(max_size=8))
def test_case_folding_keeps_prefixes_and_lengths(prefix: str, rest: str) -> None:
    assert fold_case(prefix + rest) == fold_case(prefix) + fold_case(rest)
    assert len(fold_case(prefix)) == len(prefix)


def test_a_deleted_pool_leaves_nothing(service: Service) -> None:
    add(service)

    def fill_and_delete(state: State) -> None:
        pool = state.pool(POOL)
        state.users.join(state.groups.add(pool, "g", group()), required(state))
        state.add_client(pool, {})
        state.remove_pool(pool)

    State(service).run(fill_and_delete)
    for table in ("record", "user", "member"):
        assert service.database.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_the_number_of_strangers_does_not_change_how_many_statements_delete_a_pool(service: Service) -> None:
    def statements(names: int) -> int:
        def fill(state: State) -> None:
            pool = state.add_pool({}, "us-east-1_Strangers")
            for number in range(names):
                state.strangers.of(pool, str(number))

        State(service).run(fill)
        executed: list[str] = []
        service.database.connection.set_trace_callback(executed.append)
        State(service).run(lambda state: state.remove_pool(state.pool("us-east-1_Strangers")))
        service.database.connection.set_trace_callback(None)
        return len(executed)

    assert statements(20) == statements(2)
    left = service.database.connection.execute("SELECT count(*) FROM record WHERE kind = 'stranger'")
    assert left.fetchone() == (0,)


def test_a_request_that_only_reads_begins_no_transaction(service: Service) -> None:
    add(service)
    executed: list[str] = []
    service.database.connection.set_trace_callback(executed.append)
    try:
        State(service).run(required)
    finally:
        service.database.connection.set_trace_callback(None)
    assert [statement.split()[0] for statement in executed] == ["SELECT"]


def test_a_file_is_private_and_is_used_by_one_process(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    service = make_service(str(path))
    add(service)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigurationError, match="another process is using it"):
        Database(str(path))
    service.database.close()
    again = make_service(str(path))
    assert read(again) is not None
    assert again.page_secret == service.page_secret
    again.database.close()


def test_a_file_that_others_can_read_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    make_service(str(path)).database.close()
    log = tmp_path / "pool.db-wal"
    log.write_bytes(bytes(64))
    for file in (path, log):
        file.chmod(0o644)
    again = make_service(str(path))
    assert [file.stat().st_mode & 0o777 for file in (path, log)] == [0o600, 0o600]
    again.database.close()


def test_a_file_of_another_user_of_the_computer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pool.db"
    path.touch(0o644)
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigurationError, match="belongs to another user of this computer"):
        Database(str(path))
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("contents", [b"not a database at all", b"SQLite format 3\0" + b"x" * 200])
def test_another_file_is_refused_and_stays_as_it_is(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "pool.db"
    path.write_bytes(contents)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match=r"cannot use .*pool\.db"):
        Database(str(path))
    assert path.read_bytes() == contents
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_record_of_another_type_is_not_read(service: Service) -> None:
    service.database.connection.execute("UPDATE record SET data = ?", (b"\x81\xa2id\x01",))
    with pytest.raises(Exception, match="Expected"):
        State(service).run(lambda state: state.pool(POOL))


def test_pools_do_not_share_records(service: Service) -> None:
    add(service)

    def other(state: State) -> tuple[object, ...]:
        pool: PoolRecord = state.add_pool({}, "us-east-1_Storage2")
        return state.users.get(pool, "alice"), state.users.page(pool, 0, 9), state.users.by_sub(pool, "sub of alice")

    assert State(service).run(other) == (None, [], None)


def test_a_client_that_was_not_found_is_found_once_it_exists(service: Service) -> None:
    assert State(service).run(lambda state: state.clients.find("later")) is None
    State(service).run(lambda state: state.add_client(state.pool(POOL), {}, "later"))
    assert State(service).run(lambda state: state.client("later").user_pool_id) == POOL
    State(service).run(lambda state: state.remove_client(state.client("later")))
    assert State(service).run(lambda state: state.clients.find("later")) is None


def test_a_client_that_was_added_by_a_bug_is_not_found(service: Service) -> None:
    def add_and_fail(state: State) -> None:
        state.add_client(state.pool(POOL), {}, "never")
        assert state.client("never")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        State(service).run(add_and_fail)
    assert State(service).run(lambda state: state.clients.find("never")) is None
    # A change of a record that is kept in memory is stored, too.
    State(service).run(lambda state: state.pool(POOL).settings.update(PoolName="changed"))
    service.database.lookups.clear()
    assert State(service).run(lambda state: state.pool(POOL).settings["PoolName"]) == "changed"
