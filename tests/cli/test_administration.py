"""``srpcore users`` and ``srpcore groups``, against a served pool; boto3 shows what they did."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from support.cli_processes import KEYS, Result, Server
from support.users import NEW_PASSWORD, PASSWORD

pytestmark = pytest.mark.slow  # together they are too slow for the unit tier


@pytest.fixture
def admin_run(server: Server, run_here: Callable[..., Result]) -> Callable[..., Result]:
    """Run a command with AWS credentials, on the served pool."""

    def admin_run(*arguments: str, stdin: str = "") -> Result:
        return run_here(*arguments, *server.pool(), stdin=stdin, **KEYS)

    return admin_run


def test_users_are_listed_and_filtered(make_user: Callable[..., str], admin_run: Callable[..., Result]) -> None:
    name, other = make_user(email="ann@example.com"), make_user(email="bert@example.com")
    every = {user["username"]: user for user in json.loads(admin_run("users", "list").stdout)}
    assert {name, other} <= every.keys()
    assert every[name]["attributes"]["email"] == "ann@example.com"
    found = json.loads(admin_run("users", "list", "--filter", 'email = "ann@example.com"').stdout)
    assert [user["username"] for user in found] == [name]
    assert len(json.loads(admin_run("users", "list", "--limit", "2").stdout)) == 2


def test_a_user_is_created_with_attributes_groups_and_a_permanent_password(
    server: Server, admin: Any, admin_run: Callable[..., Result], run_here: Callable[..., Result]
) -> None:
    assert admin_run("groups", "create", "writers", "--description", "who write").status == 0
    options = ("--attribute", "email=carla@example.com", "--attribute", "name=Carla = C", "--group", "writers")
    created = admin_run("users", "create", "carla", *options, "--permanent", stdin=f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n")
    assert created.status == 0
    shown = json.loads(admin_run("users", "get", "carla").stdout)
    assert (shown["status"], shown["enabled"], shown["groups"]) == ("CONFIRMED", True, ["writers"])
    assert shown["attributes"]["name"] == "Carla = C"
    assert run_here("login", *server.pool(), "--username", "carla", stdin=f"{NEW_PASSWORD}\n").status == 0


def test_an_invalid_attribute_is_refused_before_anything_is_sent(admin_run: Callable[..., Result]) -> None:
    assert "NAME=VALUE" in admin_run("users", "create", "dora", "--attribute", "email").refused(2)
    admin_run("users", "get", "dora").refused(6)


def test_users_are_disabled_enabled_and_deleted(
    server: Server, make_user: Callable[..., str], admin_run: Callable[..., Result], run_here: Callable[..., Result]
) -> None:
    names = make_user(), make_user()
    log_in = ("login", *server.pool(), "--username", names[1])
    assert admin_run("users", "disable", *names).stderr == "".join(f"{name}: disabled\n" for name in names)
    run_here(*log_in, stdin=f"{PASSWORD}\n").refused(3)
    assert admin_run("users", "enable", *names).status == 0
    assert run_here(*log_in, stdin=f"{PASSWORD}\n").status == 0
    assert "nothing was deleted" in admin_run("users", "delete", *names, stdin="no\n").stderr
    assert json.loads(admin_run("users", "get", names[0]).stdout)
    assert admin_run("users", "delete", *names, stdin="yes\n").status == 0
    for name in names:
        admin_run("users", "get", name).refused(6)
    admin_run("users", "delete", "--yes", names[0]).refused(6)


def test_groups_and_their_users_are_managed(make_user: Callable[..., str], admin_run: Callable[..., Result]) -> None:
    name, other = make_user(), make_user()
    admin_run("groups", "create", "readers")
    admin_run("groups", "create", "readers").refused(3)
    assert admin_run("groups", "add", "readers", name, other).status == 0
    assert {user["username"] for user in json.loads(admin_run("groups", "members", "readers").stdout)} == {name, other}
    assert admin_run("groups", "remove", "readers", other).status == 0
    assert [user["username"] for user in json.loads(admin_run("groups", "members", "readers").stdout)] == [name]
    assert "readers" in [group["name"] for group in json.loads(admin_run("groups", "list").stdout)]
    assert admin_run("groups", "delete", "readers").status == 0
    admin_run("groups", "members", "readers").refused(6)


def test_missing_aws_credentials_are_named(
    server: Server, run_here: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_here("users", "list", *server.pool(), AWS_EC2_METADATA_DISABLED="true", HOME="/nonexistent")
    assert "AWS_ACCESS_KEY_ID" in result.refused(2)
