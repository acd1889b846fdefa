"""``srpcore users export`` and ``import``: what is written is read again, and both go on after an interruption."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import srpcore
from srpcore.cli import transfer
from srpcore.cli.user_files import UserFile
from srpcore.exceptions.base import ConfigurationError
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from support.cli_processes import KEYS, Result
from support.users import PASSWORD

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
        assert result.stderr == "0 created, 1 existed already, 0 refused\n"
        srpcore.Cognito(pool.user_pool_id, pool.client_id, username="ann", transport=pool).authenticate(PASSWORD)
        assert admin(pool, "ListUsersInGroup", GroupName="staff")["Users"] == []


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
