"""What happens to the state of a local pool if a disk is full, a process forks or ends, or a pool is deleted."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from srpcore.exceptions.base import ConfigurationError
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.auth import passwords
from srpcore_transports.local.model.pools import PoolRecord
from srpcore_transports.local.model.users import User, Verifier
from srpcore_transports.local.operations import import_jobs
from srpcore_transports.local.steps import Step, outside
from srpcore_transports.local.storage import database
from srpcore_transports.local.storage.state import State
from srpcore_transports.local.storage.work import Work
from support.clock import Clock
from support.forks import in_a_child
from support.users import PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.slow


def usernames(client: Client) -> list[str]:
    return [user["Username"] for user in client.admin("ListUsers")["Users"]]


def find(client: Client, state: State, username: str = "alice") -> User:
    user = state.users.get(state.pool(client.pool_id), username)
    assert user is not None
    return user


def test_a_full_disk_undoes_the_request_in_memory_too(make: Callable[..., Client], tmp_path: Path) -> None:
    client = make(state=tmp_path / "pool.db")
    client.user()
    run = client.pool._service.database.connection.execute
    pages = run("PRAGMA page_count").fetchone()[0]
    run(f"PRAGMA max_page_count = {pages}")
    changed: list[User] = []

    def grow(state: State) -> None:
        changed.append(find(client, state))
        changed[0].attributes["name"] = "x" * 1_000_000

    with pytest.raises(sqlite3.OperationalError, match="full"):
        State(client.pool._service).run(grow)
    assert "name" not in changed[0].attributes
    run(f"PRAGMA max_page_count = {pages + 10_000}")
    client.user("bob")
    assert usernames(client) == ["alice", "bob"]


def test_a_second_pool_in_the_process_does_not_give_the_file_to_other_processes(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    with LocalUserPool(state=path):
        with pytest.raises(ConfigurationError, match="using it"):
            LocalUserPool(state=path)
        program = f"from srpcore_transports.local import LocalUserPool; LocalUserPool(state={str(path)!r})"
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "using it" in other.stderr
    assert other.returncode == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork()")
def test_a_forked_child_cannot_use_the_file_and_leaves_its_log_to_the_parent(tmp_path: Path, clock: Clock) -> None:
    program = f"""
import os, sys
from srpcore.exceptions.base import ConfigurationError
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.operations import dispatch

pool = LocalUserPool(state={str(tmp_path / "pool.db")!r}, user_pool_id="us-east-1_Forked001")
body = b'{{"UserPoolId": "us-east-1_Forked001", "Username": "NAME", "MessageAction": "SUPPRESS"}}'
child = os.fork()
if not child:
    try:
        dispatch.answer(pool._service, "AdminCreateUser", body)
    except ConfigurationError as error:
        pool.close()
        sys.exit(7 if "forked process" in str(error) else 1)
    sys.exit(1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
dispatch.answer(pool._service, "AdminCreateUser", body.replace(b"NAME", b"alice"))
os.kill(os.getpid(), 9)
"""
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (killed.returncode, killed.stderr) == (-9, "")
    with LocalUserPool(state=tmp_path / "pool.db", clock=clock) as pool:
        assert usernames(Client(pool, clock)) == ["alice"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork()")
def test_a_forked_child_can_use_its_copy_of_a_pool_in_memory(client: Client) -> None:
    client.user()
    assert in_a_child(lambda: client.user("bob"), lambda: expect(usernames(client), ["alice", "bob"])) == 0
    assert usernames(client) == ["alice"]


def expect(found: object, expected: object) -> None:
    assert found == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork()")
def test_a_fork_waits_for_the_transactions_of_other_threads(client: Client) -> None:
    client.user()
    begun = threading.Event()

    def add_two(state: State) -> None:
        pool = state.pool(client.pool_id)
        find(client, state).attributes["name"] = "Alice"
        state.users.add(pool, User("bob", "1", 0.0))
        begun.set()
        time.sleep(0.2)
        state.users.add(pool, User("carol", "2", 0.0))

    other = threading.Thread(target=lambda: client.run(add_two))
    other.start()
    assert begun.wait(10)
    seen = ["alice", "bob", "carol"]
    assert in_a_child(lambda: expect(usernames(client), seen), lambda: client.user("dave")) == 0
    other.join(10)
    client.user("erin")
    assert usernames(client) == [*seen, "erin"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork()")
def test_a_child_that_was_forked_within_a_transaction_gets_an_error(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_LONGEST_WAIT", 0.1)
    service = client.pool._service

    def use_in_the_child() -> None:
        for use in (
            lambda: client.user("bob"),
            client.pool.export_pool,
            lambda: service.database.secret("page_secret"),
        ):
            with pytest.raises(ConfigurationError, match="forked during a request"):
                use()
        LocalUserPool().close()

    def fork(state: State) -> int:
        state.users.add(state.pool(client.pool_id), User("alice", "1", 0.0))
        return in_a_child(use_in_the_child)

    assert client.run(fork) == 0
    client.user("bob")
    assert usernames(client) == ["alice", "bob"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork()")
def test_threads_that_fork_at_the_same_time_do_not_wait_for_each_other(client: Client, clock: Clock) -> None:
    pools = [client, *(Client(LocalUserPool(clock=clock), clock) for _ in range(5))]
    codes: list[int] = []

    def fork() -> None:
        for _ in range(5):
            codes.append(in_a_child(*(partial(each.admin, "ListUsers") for each in pools)))

    threads = [threading.Thread(target=fork) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert codes == [0] * 10


def test_a_request_cannot_add_to_a_pool_that_was_deleted_meanwhile(client: Client) -> None:
    client.user()
    stored: list[bool] = []

    def add_late(state: State) -> Step[None]:
        pool, user = state.pool(client.pool_id), find(client, state)
        yield from outside(lambda: client.admin("DeleteUserPool"))
        stored.append(state.users.is_stored(user))
        with pytest.raises(Refusal, match="deleted"):
            state.add_client(pool, {})
        state.users.add(pool, pool.new_user("bob", 0.0))

    with pytest.raises(Refusal, match="deleted"):
        State(client.pool._service).run(add_late)
    assert stored == [False]
    assert client.pool._service.database.connection.execute("SELECT count(*) FROM user").fetchone() == (0,)


def test_an_import_job_that_a_kill_interrupted_has_failed(make: Callable[..., Client], tmp_path: Path) -> None:
    client = make(state=tmp_path / "pool.db", pool_settings={"AutoVerifiedAttributes": ["email"]})
    role = "arn:aws:iam::123456789012:role/import"
    job = client.admin("CreateUserImportJob", JobName="job", CloudWatchLogsRoleArn=role)["UserImportJob"]["JobId"]

    def start(state: State) -> None:
        found = state.import_jobs.find(job)
        assert found is not None
        found.settings["Status"] = "InProgress"

    State(client.pool._service).run(start)
    client.pool.close()
    shutil.copy(tmp_path / "pool.db", tmp_path / "copy.db")
    client = make(state=tmp_path / "copy.db")
    assert client.admin("DescribeUserImportJob", JobId=job)["UserImportJob"]["Status"] == "Failed"
    client.admin("AddCustomAttributes", CustomAttributes=[{"Name": "added", "AttributeDataType": "String"}])


def test_an_upload_with_a_very_long_time_is_refused(client: Client) -> None:
    with pytest.raises(Refusal, match="signature"):
        State(client.pool._service).run(
            lambda state: import_jobs.receive(state, "x", f"expires={'9' * 5000}&signature=a", b"")
        )


def test_a_page_token_of_a_list_in_another_order_is_refused(client: Client) -> None:
    for number in range(3):
        client.user(f"user{number}")
    by_creation = client.admin("ListUsers", Limit=1)["PaginationToken"]
    by_name = client.admin("ListUsers", Limit=1, Filter='username ^= "u"')["PaginationToken"]
    with refused("InvalidParameterException", "Invalid pagination token"):
        client.admin("ListUsers", Limit=1, Filter='username ^= "u"', PaginationToken=by_creation)
    with refused("InvalidParameterException", "Invalid pagination token"):
        client.admin("ListUsers", Limit=1, PaginationToken=by_name)


@pytest.mark.long
@pytest.mark.parametrize("expression", ['username ^= "user"', 'status = "enabled"'])
def test_a_filter_passes_over_any_number_of_users_whose_names_differ_in_case(client: Client, expression: str) -> None:
    def add(state: State) -> None:
        pool = state.pool(client.pool_id)
        for number in range(2500):
            state.users.add(pool, User(f"USER{number}", str(number), 0.0))

    State(client.pool._service).run(add)
    assert client.admin("ListUsers", Limit=1, Filter=expression)["Users"] == []


@pytest.mark.parametrize("change", ["delete", "replace"])
def test_the_code_of_a_sign_up_does_not_verify_another_address(make: Callable[..., Client], change: str) -> None:
    client = make(pool_settings={"AutoVerifiedAttributes": ["email"]})
    address = [{"Name": "email", "Value": "bob@example.com"}]
    client.call("SignUp", ClientId=client.client_id, Username="bob", Password="Passw0rd!", UserAttributes=address)
    code = client.pool.outbox.messages[-1].code
    if change == "delete":
        client.admin("AdminDeleteUserAttributes", Username="bob", UserAttributeNames=["email"])
    else:
        other = [{"Name": "email", "Value": "other@example.com"}]
        client.admin("AdminUpdateUserAttributes", Username="bob", UserAttributes=other)
    with refused("ExpiredCodeException"):
        client.call("ConfirmSignUp", ClientId=client.client_id, Username="bob", ConfirmationCode=code)


def test_a_code_for_a_stranger_is_announced_with_the_same_members(make: Callable[..., Client]) -> None:
    policies = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
    flows = {"ExplicitAuthFlows": ["ALLOW_USER_AUTH"], "PreventUserExistenceErrors": "ENABLED"}
    client = make(pool_settings={"Policies": policies}, client_settings=flows)
    client.user(email="alice@example.com", email_verified="true")

    def announced(name: str) -> dict[str, str]:
        values = {"USERNAME": name, "PREFERRED_CHALLENGE": "EMAIL_OTP"}
        reply = client.call("InitiateAuth", ClientId=client.client_id, AuthFlow="USER_AUTH", AuthParameters=values)
        parameters: dict[str, str] = reply["ChallengeParameters"]
        return parameters

    assert announced("nobody").keys() == announced("alice").keys()
    assert announced("nobody")["USER_ID_FOR_SRP"] == "nobody"


def test_a_bug_does_not_undo_what_another_request_has_changed_meanwhile(client: Client) -> None:
    client.user()

    def fail_late(state: State) -> Step[None]:
        user = find(client, state)
        yield from outside(lambda: client.admin("AdminDisableUser", Username="alice"))
        user.attributes["name"] = "Alice"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        State(client.pool._service).run(fail_late)
    found = client.admin("AdminGetUser", Username="alice")
    assert not found["Enabled"]
    assert [pair["Name"] for pair in found["UserAttributes"]] == ["sub"]


def test_a_value_that_is_changed_back_after_another_request_changed_it_is_stored(client: Client) -> None:
    client.user()

    def enable_late(state: State) -> Step[None]:
        user = find(client, state)
        yield from outside(lambda: State(client.pool._service).run(disable))
        user.enabled = True

    def disable(state: State) -> None:
        find(client, state).enabled = False

    State(client.pool._service).run(enable_late)
    assert client.admin("AdminGetUser", Username="alice")["Enabled"]


def test_a_deletion_that_a_bug_undoes_does_not_part_requests_from_the_record(client: Client) -> None:
    client.user()

    def remove(state: State) -> None:
        state.users.remove(find(client, state))
        raise ZeroDivisionError

    def fail() -> None:
        with pytest.raises(ZeroDivisionError):
            State(client.pool._service).run(remove)

    def change_late(state: State) -> Step[None]:
        user = find(client, state)
        yield from outside(fail)
        assert state.users.is_stored(user)
        assert find(client, state) is user

    State(client.pool._service).run(change_late)


def test_a_filter_finds_values_with_the_greatest_character(client: Client) -> None:
    client.user(name="x\U0010ffffy")
    found = client.admin("ListUsers", Filter='name ^= "x"')["Users"]
    assert [user["Username"] for user in found] == ["alice"]


def test_a_password_that_was_set_meanwhile_is_not_replaced(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.user()
    token = client.tokens()["AccessToken"]
    make_verifier = passwords.make_verifier

    def make_late(pool: PoolRecord, username: str, password: str) -> Step[Verifier]:
        if password == "Users-Own-1":
            settings = {"Username": username, "Password": "Administrators-1", "Permanent": True}
            yield from outside(lambda: client.admin("AdminSetUserPassword", **settings))
        return (yield from make_verifier(pool, username, password))

    monkeypatch.setattr(passwords, "make_verifier", make_late)
    with refused("NotAuthorizedException"):
        client.call("ChangePassword", AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="Users-Own-1")
    assert client.tokens(password="Administrators-1")


def test_a_bug_does_not_part_requests_from_a_record_that_was_added_before(client: Client) -> None:
    added: list[User] = []

    def fail_late(state: State) -> Step[None]:
        pool = state.pool(client.pool_id)
        added.append(pool.new_user("alice", 0.0))
        state.users.add(pool, added[0])
        yield from outside(lambda: None)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        State(client.pool._service).run(fail_late)
    assert State(client.pool._service).run(lambda state: find(client, state)) is added[0]


def test_a_value_that_is_changed_and_changed_back_in_one_request_is_stored(client: Client) -> None:
    client.user()

    def change_twice(state: State) -> None:
        user = find(client, state)
        user.enabled = False
        assert find(client, state) is user
        user.enabled = True

    State(client.pool._service).run(change_twice)
    assert client.admin("AdminGetUser", Username="alice")["Enabled"]


def test_expired_rows_are_deleted_also_after_the_clock_was_moved_back(client: Client) -> None:
    work = Work(client.pool._service.database)
    assert [work.start_sweep("login", now) for now in (5000.0, 5009.0, 5010.0, 100.0, 109.0)] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_lookups_of_ids_that_do_not_exist_do_not_fill_the_memory(client: Client) -> None:
    def look_up(state: State) -> None:
        for number in range(1500):
            assert state.clients.find(f"client{number}") is None

    State(client.pool._service).run(look_up)
    assert len(client.pool._service.database.lookups) <= 1000
