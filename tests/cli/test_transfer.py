"""``srpcore users export`` and ``import``: what is written is read again, and both go on after an interruption."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import srpcore
from srpcore.cli import transfer
from srpcore.cli.transfer_progress import TransferProgress
from srpcore.cli.user_files import UserFile
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.cli_processes import KEYS, Result
from support.users import PASSWORD

pytestmark = pytest.mark.slow

NAMES = [f"user-{number:03d}" for number in range(150)]


@pytest.fixture
def run_on(run_here: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on a pool that is in this process."""

    def run_on(pool: LocalUserPool, *arguments: str) -> Result:
        monkeypatch.setattr(
            "srpcore.cli.settings.Cognito",
            lambda pool_id, client_id, *_, **__: srpcore.Cognito(pool_id, client_id, transport=pool),
        )
        return run_here(*arguments, "--user-pool-id", pool.user_pool_id, **KEYS)

    return run_on


def admin(pool: LocalUserPool, operation: str, **parameters: Any) -> dict[str, Any]:
    reply = pool.call(Operation(operation, {"UserPoolId": pool.user_pool_id, **parameters}))
    assert reply.status == 200, reply.document
    return dict(reply.document)


@pytest.fixture(scope="module")
def full_pool() -> Iterator[LocalUserPool]:
    with LocalUserPool() as pool:
        admin(pool, "CreateGroup", GroupName="staff")
        for name in NAMES:
            attribute = {"Name": "name", "Value": f'{name} "quoted", with comma\nand Ångström'}
            admin(pool, "AdminCreateUser", Username=name, MessageAction="SUPPRESS", UserAttributes=[attribute])
        admin(pool, "AdminAddUserToGroup", Username=NAMES[0], GroupName="staff")
        admin(pool, "AdminDisableUser", Username=NAMES[1])
        yield pool


def users_in(pool: LocalUserPool) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    token: dict[str, str] = {}
    while True:
        reply = admin(pool, "ListUsers", **token)
        found |= {user["Username"]: user for user in reply["Users"]}
        if "PaginationToken" not in reply:
            return found
        token = {"PaginationToken": reply["PaginationToken"]}


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_export_is_imported_into_another_pool(
    suffix: str, full_pool: LocalUserPool, run_on: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / f"users.{suffix}"
    result = run_on(full_pool, "users", "export", str(file), "--groups")
    assert (result.status, result.stderr) == (0, f"150 users were written to {file}\n")
    assert file.stat().st_mode & 0o777 == 0o600
    with LocalUserPool() as other:
        admin(other, "CreateGroup", GroupName="staff")
        dry = run_on(other, "users", "import", str(file), "--dry-run")
        assert (dry.status, dry.stderr) == (0, "150 would be created, 0 existed already, 0 refused\n")
        assert users_in(other) == {}
        assert run_on(other, "users", "import", str(file)).status == 0
        before, after = users_in(full_pool), users_in(other)
        assert before.keys() == after.keys()
        for name in NAMES:
            (full,) = (entry["Value"] for entry in after[name]["Attributes"] if entry["Name"] == "name")
            assert full == f'{name} "quoted", with comma\nand Ångström'
            assert after[name]["Enabled"] == before[name]["Enabled"]
        members = admin(other, "ListUsersInGroup", GroupName="staff")["Users"]
        assert [user["Username"] for user in members] == [NAMES[0]]
        again = run_on(other, "users", "import", str(file))
        assert again.stderr == "0 created, 150 existed already, 0 refused\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name]


def test_the_progress_of_an_export_shows_the_estimated_number_of_users(
    full_pool: LocalUserPool, run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals: list[int | None] = []

    @contextmanager
    def progress(what: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        totals.append(total)
        yield lambda _: None

    monkeypatch.setattr(transfer, "progress", progress)
    run_on(full_pool, "users", "export", str(tmp_path / "all.csv"))
    run_on(full_pool, "users", "export", str(tmp_path / "some.csv"), "--filter", 'status = "Enabled"')
    assert totals == [150, None]


def test_the_progress_of_an_export_with_groups_advances_with_each_user(
    full_pool: LocalUserPool, run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []

    @contextmanager
    def progress(what: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        yield shown.append

    monkeypatch.setattr(transfer, "progress", progress)
    run_on(full_pool, "users", "export", str(tmp_path / "users.csv"), "--groups")
    assert sorted(set(shown)) == list(range(1, len(NAMES) + 1))
    assert shown == sorted(shown)


def test_csv_is_read_by_other_programs(full_pool: LocalUserPool, run_on: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    run_on(full_pool, "users", "export", str(file))
    with file.open(encoding="utf-8", newline="") as opened:
        rows = [*csv.DictReader(opened)]
    assert [row["username"] for row in rows] == NAMES
    assert rows[1]["enabled"] == "false"


def interrupt(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """Let Ctrl-C come while the page after *pages* is written."""
    write, count = UserFile.lines, 0

    def lines(self: UserFile, users: Any) -> str:
        nonlocal count
        count += 1
        if count > pages:
            raise KeyboardInterrupt
        return write(self, users)

    monkeypatch.setattr(UserFile, "lines", lines)


@pytest.mark.parametrize("pages", [0, 1, 2])
def test_an_interrupted_export_goes_on(
    pages: int, full_pool: LocalUserPool, run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.jsonl"
    command = ("users", "export", str(file))
    with monkeypatch.context() as patched:
        interrupt(patched, pages)
        assert run_on(full_pool, *command).status == 130
    with file.open("a") as opened:
        opened.write('{"half a li')  # what a killed process may leave
    assert run_on(full_pool, *command, "--filter", 'status = "Enabled"').status == 2
    result = run_on(full_pool, *command)
    assert result.status == 0, result
    assert (f"Going on after {60 * pages} users." in result.stderr) == (pages > 0)
    assert [json.loads(line)["username"] for line in file.read_text().splitlines()] == NAMES
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert "exists" in run_on(full_pool, *command).refused(2)


@pytest.mark.parametrize("name", ["users.csv", "users.jsonl"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(file.read_bytes()[:-1])])
def test_an_export_does_not_go_on_without_what_it_wrote(
    name: str,
    damage: Callable[[Path], object],
    full_pool: LocalUserPool,
    run_on: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / name
    with monkeypatch.context() as patched:
        interrupt(patched, 1)
        assert run_on(full_pool, "users", "export", str(file)).status == 130
    whole = file.read_bytes()
    damage(file)
    left = file.read_bytes() if file.exists() else None
    assert run_on(full_pool, "users", "export", str(file)).refused(2) == (
        f"srpcore: {file} is missing or shorter than when the export stopped ({len(whole)} bytes): put it back, or pass "
        "--restart\n"
    )
    assert (file.read_bytes() if file.exists() else None) == left
    file.write_bytes(whole)
    assert run_on(full_pool, "users", "export", str(file)).status == 0
    continued = file.read_bytes()
    assert run_on(full_pool, "users", "export", str(file), "--restart").status == 0
    assert continued == file.read_bytes()


@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--restart"], ["--restart", "--dry-run"]])
def test_an_unfinished_export_is_not_imported(
    options: list[str],
    full_pool: LocalUserPool,
    run_on: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "users.csv"
    with monkeypatch.context() as patched:
        interrupt(patched, 1)
        assert run_on(full_pool, "users", "export", str(file)).status == 130
    with file.open("a") as opened:
        opened.write('"half a li')
    with LocalUserPool() as other:
        assert run_on(other, "users", "import", str(file), *options).refused(2) == (
            f"srpcore: {file} is an unfinished export (60 users): finish it first with the same users export command\n"
        )
        assert users_in(other) == {}
    assert "Going on after 60 users." in run_on(full_pool, "users", "export", str(file)).stderr


@pytest.mark.parametrize("options", [[], ["--restart"]])
def test_the_file_of_an_unfinished_import_is_not_overwritten_by_an_export(
    options: list[str], run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.csv"
    file.write_text("username\nann\nben\n")
    with LocalUserPool() as pool:
        with monkeypatch.context() as patched:
            fail(patched, pool, 1, "AdminCreateUser")
            assert run_on(pool, "users", "import", str(file)).status == 7
        assert run_on(pool, "users", "export", str(file), *options).refused(2) == (
            f"srpcore: {file} is an unfinished import (line 2): finish it first with the same users import command\n"
        )
        assert file.read_text() == "username\nann\nben\n"
        assert run_on(pool, "users", "import", str(file)).status == 0
        assert users_in(pool).keys() == {"ann", "ben"}


GO_ON = "run the same command again to go on after {}, or with --restart to begin again."


def fail(monkeypatch: pytest.MonkeyPatch, pool: LocalUserPool, after: int, of: str) -> None:
    """Let the connection be lost at the call after *after* calls of the operation *of*."""
    call, count = pool.call, 0

    def lost(operation: Operation) -> Any:
        nonlocal count
        count += operation.name == of
        if count > after:
            raise TransportError("the connection was lost", reason="closed")
        return call(operation)

    monkeypatch.setattr(pool, "call", lost)


def test_an_export_that_is_stopped_by_an_error_says_how_to_go_on(
    full_pool: LocalUserPool, run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.csv"
    with monkeypatch.context() as patched:
        fail(patched, full_pool, after=1, of="ListUsers")
        result = run_on(full_pool, "users", "export", str(file))
    assert result.status == 7
    assert result.stderr == f"Stopped by an error: {GO_ON.format('60 users')}\nsrpcore: the connection was lost\n"
    assert run_on(full_pool, "users", "export", str(file)).status == 0
    with file.open(newline="") as opened:
        assert [row["username"] for row in csv.DictReader(opened)] == NAMES


def test_an_error_before_anything_was_done_does_not_say_how_to_go_on(
    full_pool: LocalUserPool, run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(monkeypatch, full_pool, after=0, of="DescribeUserPool")
    assert run_on(full_pool, "users", "export", str(tmp_path / "users.csv")).refused(7)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("begun", "continued", "named"),
    [
        (["--groups"], [], "was begun with --groups: repeat it, or pass --restart"),
        ([], ["--groups"], "was begun without --groups: leave it out, or pass --restart"),
        (
            ["--filter", 'status = "Enabled"'],
            [],
            """was begun with --filter 'status = "Enabled"': repeat it, or pass --restart""",
        ),
        ([], ["--filter", 'status = "Enabled"'], "was begun without --filter: leave it out, or pass --restart"),
    ],
)
def test_an_export_goes_on_with_the_same_options_only(
    begun: list[str],
    continued: list[str],
    named: str,
    full_pool: LocalUserPool,
    run_on: Callable[..., Result],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "users.jsonl"
    with monkeypatch.context() as patched:
        interrupt(patched, 1)
        assert run_on(full_pool, "users", "export", str(file), *begun).status == 130
    error = run_on(full_pool, "users", "export", str(file), *continued).refused(2)
    assert error == f"srpcore: {file} {named}\n"
    assert run_on(full_pool, "users", "export", str(file), *continued, "--restart").status == 0
    users = [json.loads(line) for line in file.read_text().splitlines()]
    assert {"groups" in user for user in users} == {"--groups" in continued}


def test_an_export_keeps_its_columns_if_the_pool_gets_an_attribute_meanwhile(
    run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.csv"
    with LocalUserPool() as pool:
        admin(pool, "AdminCreateUser", Username="ann", MessageAction="SUPPRESS")
        with monkeypatch.context() as patched:
            interrupt(patched, 0)
            assert run_on(pool, "users", "export", str(file)).status == 130
        call = pool.call

        def with_another_attribute(operation: Operation) -> Any:
            reply = call(operation)
            if operation.name == "DescribeUserPool":
                reply.document["UserPool"]["SchemaAttributes"] = [{"Name": "custom:seat"}]
            return reply

        monkeypatch.setattr(pool, "call", with_another_attribute)
        assert run_on(pool, "users", "export", str(file)).status == 0
        assert "custom:seat" not in file.read_text()
        assert run_on(pool, "users", "export", str(file), "--restart").status == 0
        assert "custom:seat" in file.read_text()


def test_an_export_that_is_interrupted_after_the_last_page_is_complete(
    full_pool: LocalUserPool, run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.csv"
    with monkeypatch.context() as patched:
        patched.setattr(transfer, "_opened", interrupted_at_the_end(transfer._opened))
        result = run_on(full_pool, "users", "export", str(file))
    assert (result.status, "run the same command again" in result.stderr) == (130, True)
    assert run_on(full_pool, "users", "export", str(file)).status == 0
    with file.open(newline="") as opened:
        assert [row["username"] for row in csv.DictReader(opened)] == NAMES


def interrupted_at_the_end(opened: Any) -> Any:
    """Return *opened*, with a Ctrl-C after the last line was written."""

    @contextmanager
    def interrupted(*arguments: Any) -> Generator[Any]:
        with opened(*arguments) as output:
            yield output
            raise KeyboardInterrupt

    return interrupted


@pytest.mark.parametrize("step", range(6))
def test_an_import_that_is_interrupted_anywhere_leaves_no_half_made_user(
    step: int, run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.jsonl"
    lines = [{"username": name, "groups": ["staff"], "enabled": False} for name in NAMES[:3]]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with LocalUserPool() as pool:
        admin(pool, "CreateGroup", GroupName="staff")
        call, seen = pool.call, 0

        def interrupted(operation: Operation) -> Any:
            nonlocal seen
            of_the_second = operation.parameters.get("Username") == NAMES[1]
            seen += of_the_second
            if of_the_second and seen == step:
                raise KeyboardInterrupt
            reply = call(operation)
            if of_the_second and seen == step + 1:
                raise KeyboardInterrupt
            return reply

        command = ("users", "import", str(file), "--confirm")
        with monkeypatch.context() as patched:
            patched.setattr(pool, "call", interrupted)
            assert run_on(pool, *command).status == 130
        result = run_on(pool, *command)
        assert (result.status, [*tmp_path.iterdir()]) == (0, [file]), result
        users = users_in(pool)
        assert {name: (user["UserStatus"], user["Enabled"]) for name, user in users.items()} == dict.fromkeys(
            NAMES[:3], ("CONFIRMED", False)
        )
        members = admin(pool, "ListUsersInGroup", GroupName="staff")["Users"]
        assert sorted(user["Username"] for user in members) == NAMES[:3]


def half_an_import(
    pool: LocalUserPool,
    run_on: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
    file: Path,
    *options: str,
) -> None:
    """Import the first three users of *file*, and lose the connection when the fourth is created."""
    with monkeypatch.context() as patched:
        fail(patched, pool, after=3, of="AdminCreateUser")
        result = run_on(pool, "users", "import", str(file), *options)
    assert result.status == 7
    assert re.search(GO_ON.format(r"line \d+"), result.stderr)


@pytest.fixture
def five_users(tmp_path: Path) -> Path:
    file = tmp_path / "users.csv"
    file.write_text("username,email,email_verified\n" + "".join(f"{n},{n}@example.com,true\n" for n in NAMES[:5]))
    return file


def statuses(pool: LocalUserPool) -> list[str]:
    return [user["UserStatus"] for user in users_in(pool).values()]


@pytest.mark.parametrize("option", ["--confirm", "--messages", "--update-groups"])
def test_an_import_goes_on_with_the_same_options_only(
    option: str, five_users: Path, run_on: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("users", "import", str(five_users))
    with LocalUserPool() as pool, LocalUserPool() as other:
        half_an_import(pool, run_on, monkeypatch, five_users, option)
        error = run_on(pool, *command).refused(2)
        assert f"the import of {five_users} was begun with {option}: repeat it, or pass --restart" in error
        assert "was begun with --user-pool-id" in run_on(other, *command, option).refused(2)
        assert run_on(pool, *command, option, "--dry-run").status == 0
        result = run_on(pool, *command, option)
        assert result.stderr == "Going on after line 4.\n5 created, 0 existed already, 0 refused\n"
        assert len({*statuses(pool)}) == 1
        assert len(statuses(pool)) == 5


def test_a_refused_user_is_counted_after_an_import_has_gone_on(
    five_users: Path, run_on: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    five_users.write_text(five_users.read_text().replace(f"{NAMES[0]}@example.com", "not an address"))
    with LocalUserPool() as pool:
        half_an_import(pool, run_on, monkeypatch, five_users)
        result = run_on(pool, "users", "import", str(five_users))
        assert result.status == 3
        assert result.stderr.endswith("\n4 created, 0 existed already, 1 refused\n")


def test_an_import_does_not_skip_lines_that_were_changed_meanwhile(
    five_users: Path, run_on: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = five_users.read_text().splitlines(keepends=True)
    with LocalUserPool() as pool:
        half_an_import(pool, run_on, monkeypatch, five_users)
        five_users.write_text("".join([lines[0], *lines[2:]]))  # the first user is gone: the others move up
        assert "was changed in the first 4 lines" in run_on(pool, "users", "import", str(five_users)).refused(2)
        five_users.write_text("".join(lines).replace(NAMES[4], "another"))  # a line that is still to be imported
        assert run_on(pool, "users", "import", str(five_users)).status == 0
        assert sorted(users_in(pool)) == ["another", *NAMES[:4]]


@pytest.mark.parametrize("options", [["--confirm"], ["--confirm", "--dry-run"]])
def test_users_without_a_verified_address_are_counted(
    options: list[str], run_on: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "users.csv"
    file.write_text(
        "username,email,email_verified,phone_number,phone_number_verified\n"
        "a,a@example.com,,,\nb,b@example.com,TRUE,,\nc,c@example.com,false,+15550100,true\nd,,true,,\n"
    )
    with LocalUserPool() as pool:
        warning, _ = run_on(pool, "users", "import", str(file), *options).stderr.splitlines()
        assert warning.startswith("Warning: 2 users of the file have no verified address.")


def test_a_user_that_existed_before_keeps_the_password_and_groups(
    run_on: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "users.jsonl"
    file.write_text(json.dumps({"username": "ann", "groups": ["staff"], "enabled": False}) + "\n")
    with LocalUserPool() as pool:
        admin(pool, "CreateGroup", GroupName="staff")
        admin(pool, "AdminCreateUser", Username="ann", MessageAction="SUPPRESS")
        admin(pool, "AdminSetUserPassword", Username="ann", Password=PASSWORD, Permanent=True)
        result = run_on(pool, "users", "import", str(file), "--confirm")
        assert result.stderr.endswith("\n0 created, 1 existed already, 0 refused\n")
        srpcore.Cognito(pool.user_pool_id, pool.client_id, username="ann", transport=pool).authenticate(PASSWORD)
        assert admin(pool, "ListUsersInGroup", GroupName="staff")["Users"] == []


def test_groups_of_users_that_exist_are_updated_if_this_is_asked_for(
    run_on: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "users.jsonl"
    file.write_text(json.dumps({"username": "ann", "groups": ["staff"], "enabled": False}) + "\n")
    with LocalUserPool() as pool:
        admin(pool, "CreateGroup", GroupName="staff")
        admin(pool, "AdminCreateUser", Username="ann", MessageAction="SUPPRESS")
        dry = run_on(pool, "users", "import", str(file), "--update-groups", "--dry-run")
        assert (dry.status, admin(pool, "ListUsersInGroup", GroupName="staff")["Users"]) == (0, [])
        result = run_on(pool, "users", "import", str(file), "--update-groups")
        assert result.stderr == "0 created, 1 existed already, 0 refused\n"
        assert [user["Username"] for user in admin(pool, "ListUsersInGroup", GroupName="staff")["Users"]] == ["ann"]
        assert users_in(pool)["ann"]["Enabled"] is True


def test_missing_groups_are_named_before_anything_is_created(run_on: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "users.jsonl"
    lines = [{"username": "ann", "groups": ["staff", "readers"]}, {"username": "bert", "groups": ["staff"]}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with LocalUserPool() as pool:
        admin(pool, "CreateGroup", GroupName="readers")
        for options in ([], ["--dry-run"]):
            error = run_on(pool, "users", "import", str(file), *options).refused(2)
            assert "does not have the groups of the file: staff." in error
        assert users_in(pool) == {}
        assert run_on(pool, "users", "import", str(file), "--dry-run", "--create-groups").status == 0
        assert run_on(pool, "users", "import", str(file), "--create-groups").status == 0
        members = admin(pool, "ListUsersInGroup", GroupName="staff")["Users"]
        assert sorted(user["Username"] for user in members) == ["ann", "bert"]


def test_a_user_that_was_created_without_all_groups_is_counted(
    run_on: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.jsonl"
    file.write_text(json.dumps({"username": "ann", "groups": ["staff"]}) + "\n")
    with LocalUserPool() as pool:
        admin(pool, "CreateGroup", GroupName="staff")
        call = pool.call

        def deleted_meanwhile(operation: Operation) -> Any:
            if operation.name == "AdminAddUserToGroup":
                call(Operation("DeleteGroup", {"UserPoolId": pool.user_pool_id, "GroupName": "staff"}))
            return call(operation)

        monkeypatch.setattr(pool, "call", deleted_meanwhile)
        result = run_on(pool, "users", "import", str(file))
        assert result.status == 3
        assert result.stderr.endswith("0 created, 1 created incompletely, 0 existed already, 0 refused\n")


def test_a_user_that_the_service_refuses_is_reported_and_the_others_are_created(
    run_on: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "users.jsonl"
    lines = [{"username": "a"}, {"username": "b", "attributes": {"email": "not an address"}}, {"username": "c"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with LocalUserPool() as pool:
        result = run_on(pool, "users", "import", str(file))
        assert result.status == 3
        first, last = result.stderr.splitlines()
        assert first.startswith("line 2, b: ")
        assert "InvalidParameterException" in first
        assert last == "2 created, 0 existed already, 1 refused"
        assert sorted(users_in(pool)) == ["a", "c"]


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_an_import_into_a_pool_that_does_not_exist_ends_at_the_first_user(
    run_on: Callable[..., Result], tmp_path: Path, dry_run: list[str]
) -> None:
    file = tmp_path / "users.csv"
    file.write_text("username\na\nb\n")
    with LocalUserPool() as pool:
        admin(pool, "DeleteUserPool")
        result = run_on(pool, "users", "import", str(file), *dry_run)
    assert result.refused(6)
    assert "check the user pool id" in result.stderr


def test_an_imported_user_can_set_a_password_with_a_code(run_on: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "users.jsonl"
    attributes = {"email": "ann@example.com", "email_verified": "true"}
    file.write_text(json.dumps({"username": "ann", "attributes": attributes}) + "\n")
    with LocalUserPool() as pool:
        assert run_on(pool, "users", "import", str(file), "--confirm").status == 0
        user = srpcore.Cognito(pool.user_pool_id, pool.client_id, username="ann", transport=pool)
        user.initiate_forgot_password()
        user.confirm_forgot_password(pool.outbox.latest("ann").code, PASSWORD)
        user.authenticate(PASSWORD)


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("users.txt", "", r"\.jsonl or \.csv"),
        ("users.jsonl", "{}", "line 1: no username"),
        ("users.jsonl", '{"username": "a"}\n[1]', "line 2: not a JSON object"),
        ("users.jsonl", '{"username": "a"', "line 1: not JSON"),
        ("users.jsonl", '{"username": "a", "attributes": {"name": 1}}', "attributes must be"),
        ("users.jsonl", '{"username": "a", "groups": "staff"}', "groups must be"),
        ("users.csv", "name\nann", "one of them must be username"),
        ("users.csv", "username,email\nann", "line 2: it must have as many cells"),
        ("users.csv", "username\nann,x", "line 2: it must have as many cells"),
        ("users.csv", "username\n\n,", "line 3"),
    ],
)
def test_an_invalid_file_is_refused_before_anything_is_sent(
    name: str, content: str, named: str, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=named):
        [*UserFile(str(file)).read()]


def test_a_file_that_does_not_exist_is_named(run_on: Callable[..., Result], tmp_path: Path) -> None:
    with LocalUserPool() as pool:
        assert "none.csv" in run_on(pool, "users", "import", str(tmp_path / "none.csv")).refused(2)
        assert "folder" in run_on(pool, "users", "export", str(tmp_path / "folder" / "x.csv")).refused(1)


def test_a_transfer_that_is_terminated_says_how_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    progress = TransferProgress(tmp_path / "users.csv", "export", restart=False, dry_run=False)
    progress.save(done=60)

    def be_terminated() -> None:
        # Not by a timer that starts before the block: until the signal is handled, it ends the process of the tests.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt), progress.explained():
        be_terminated()
    assert "Interrupted: run the same command again to go on" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_transfer_that_is_interrupted_before_the_first_user_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "Interrupted before the first user: run the same command again.\n"
    for dry_run, expected in ((False, said), (True, "")):  # a dry run saves nothing, so it may have seen many users
        progress = TransferProgress(tmp_path / "users.csv", "import", restart=False, dry_run=dry_run)
        with pytest.raises(KeyboardInterrupt), progress.explained():
            raise KeyboardInterrupt
        assert capsys.readouterr().err == expected
