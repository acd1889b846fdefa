"""The seed of a local pool: pools, app clients, groups and users that are added at the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from srpcore.crypto.totp import totp
from srpcore.exceptions.base import ConfigurationError
from srpcore_transports.local import LocalUserPool, Triggers
from support.clock import Clock
from support.users import PASSWORD

from .client import Client, refused

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

SUB = "0b0e9f4d-1c1c-4c7e-8e0a-3f0f7c6f2a11"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
TOML = f"""
[[pools]]
id = "eu-west-1_Develop01"
settings = {{ PoolName = "develop" }}

[[pools.clients]]
id = "web"
settings = {{ ClientName = "web" }}

[[pools.clients]]
id = "backend"
secret = "0123456789abcdefghijklmnop"

[[pools.groups]]
name = "staff"
description = "all of us"
precedence = 1

[[pools.users]]
username = "alice"
password = "{PASSWORD}"
sub = "{SUB}"
attributes = {{ email = "alice@example.com", email_verified = true }}
groups = ["staff"]

[[pools.users]]
username = "bob"
temporary_password = "{PASSWORD}"

[[pools.users]]
username = "carol"
password = "{PASSWORD}"
totp_secret = "{SECRET}"

[[pools.users]]
username = "dave"
password = "{PASSWORD}"
enabled = false

[[pools]]
id = "us-east-1_Other0001"
settings = {{ UsernameAttributes = ["email"] }}

[[pools.users]]
username = "erin@example.com"
password = "{PASSWORD}"
sub = "{SUB}"
"""
POOL: dict[str, Any] = {"id": "us-east-1_Seed00001"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "seed.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def of_users(*users: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"pools": [{**POOL, "users": list(users), **more}]}


def test_everything_in_the_file_is_added(file: Path, clock: Clock) -> None:
    pool = LocalUserPool(clock=clock, seed=file)
    client = Client(pool, clock)
    assert (pool.region, pool.user_pool_id, pool.client_id) == ("eu-west-1", "eu-west-1_Develop01", "web")
    assert client.admin("DescribeUserPool")["UserPool"]["Name"] == "develop"
    backend = client.admin("DescribeUserPoolClient", ClientId="backend")["UserPoolClient"]
    assert backend["ClientSecret"] == "0123456789abcdefghijklmnop"
    group = client.admin("GetGroup", GroupName="staff")["Group"]
    assert (group["Description"], group["Precedence"]) == ("all of us", 1)
    alice = client.admin("AdminGetUser", Username="alice")
    assert alice["UserStatus"] == "CONFIRMED"
    attributes = {entry["Name"]: entry["Value"] for entry in alice["UserAttributes"]}
    assert attributes == {"sub": SUB, "email": "alice@example.com", "email_verified": "true"}
    assert [user["Username"] for user in client.admin("ListUsersInGroup", GroupName="staff")["Users"]] == ["alice"]
    assert client.tokens("alice")
    assert client.log_in("bob")["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    challenge = client.log_in("carol")
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    code = totp(SECRET, clock.now)
    assert client.answer(challenge, "carol", SOFTWARE_TOKEN_MFA_CODE=code)["AuthenticationResult"]
    with refused("NotAuthorizedException", "disabled"):
        client.log_in("dave")
    assert pool.outbox.messages == []


def test_a_sub_is_the_user_name_in_a_pool_with_email_addresses_as_names(file: Path, clock: Clock) -> None:
    pool = LocalUserPool(clock=clock, seed=file, user_pool_id="us-east-1_Other0001")
    client = Client(pool, clock)
    assert client.admin("AdminGetUser", Username="erin@example.com")["Username"] == SUB
    assert client.tokens("erin@example.com")


def test_json_and_a_dictionary_have_the_same_form(tmp_path: Path) -> None:
    seed = of_users({"username": "alice", "password": PASSWORD})
    path = tmp_path / "seed.JSON"
    path.write_text(json.dumps(seed), encoding="utf-8")
    for source in (seed, path, str(path)):
        pool = LocalUserPool(seed=source)
        assert pool.user_pool_id == POOL["id"]
        assert pool.client_id


def test_what_exists_is_left_alone(tmp_path: Path, clock: Clock, file: Path) -> None:
    state = tmp_path / "pool.db"
    with LocalUserPool(clock=clock, seed=file, state=state) as pool:
        client = Client(pool, clock)
        client.admin("AdminSetUserPassword", Username="alice", Password="Another-Password-1", Permanent=True)
        client.admin("AdminRemoveUserFromGroup", Username="alice", GroupName="staff")
        client.admin("AdminDeleteUser", Username="bob")
        client.admin("UpdateGroup", GroupName="staff", Description="changed")
    with LocalUserPool(clock=clock, seed=file, state=state) as pool:
        client = Client(pool, clock)
        assert client.tokens("alice", "Another-Password-1")
        assert client.admin("ListUsersInGroup", GroupName="staff")["Users"] == []
        assert client.admin("AdminGetUser", Username="bob")["UserStatus"] == "FORCE_CHANGE_PASSWORD"
        assert client.admin("GetGroup", GroupName="staff")["Group"]["Description"] == "changed"


def test_arguments_apply_to_the_first_pool_unless_the_seed_has_other_settings() -> None:
    clients = [{"id": "web", "settings": {"AccessTokenValidity": 2}}, {"id": "app"}]
    seed = {"pools": [{**POOL, "settings": {"MfaConfiguration": "OFF"}, "clients": clients}]}
    arguments: dict[str, Any] = {"remember_devices": True, "client_secret": True}
    pool = LocalUserPool(seed=seed, pool_settings={"MfaConfiguration": "ON", "PoolName": "mine"}, **arguments)
    client = Client(pool, Clock.stopped())
    described = client.admin("DescribeUserPool")["UserPool"]
    assert (described["MfaConfiguration"], described["Name"]) == ("OFF", "mine")
    assert "DeviceConfiguration" in described
    assert pool.client_secret
    assert "ClientSecret" not in client.admin("DescribeUserPoolClient", ClientId="app")["UserPoolClient"]


def test_no_trigger_is_called() -> None:
    def fail(event: dict[str, Any], context: object) -> dict[str, Any]:
        raise AssertionError("called")

    seed = of_users({"username": "alice", "password": PASSWORD})
    LocalUserPool(seed=seed, triggers=Triggers(pre_sign_up=fail, post_confirmation=fail))


USER = {"username": "alice", "password": PASSWORD}


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ({}, "missing required field `pools`"),
        ({"pool": []}, r"unknown key 'pool'; did you mean 'pools'\?"),
        ({"pools": [{**POOL, "user": []}]}, r"pools\[0\]: unknown key 'user'; did you mean 'users'\?"),
        (of_users({**USER, "emial": ""}), r"pools\[0\]\.users\[0\]: unknown key 'emial'; use username, password"),
        (of_users(USER, {**USER, "Password": ""}), r"pools\[0\]\.users\[1\]: unknown key 'Password'; did you mean"),
        (of_users({**USER, "username": 1}), r"pools\[0\]\.users\[0\]\.username: Expected `str`, got `int`"),
        (of_users({"username": "alice"}), r"pools\[0\]\.users\[0\]: give either password or temporary_password"),
        (of_users({**USER, "temporary_password": PASSWORD}), "give either password or temporary_password"),
        (of_users({**USER, "password": "weak"}), r"pools\[0\]\.users\[0\]: Password did not conform"),
        (of_users({**USER, "groups": ["none"]}), r"pools\[0\]\.users\[0\]: the pool has no group 'none'"),
        (of_users({**USER, "sub": "1"}), r"users\[0\]: sub must be a UUID, not '1'"),
        (
            of_users({**USER, "sub": SUB}, {**USER, "username": "bob", "sub": SUB.upper()}),
            r"users\[1\]: another user has the sub",
        ),
        (of_users({**USER, "totp_secret": "1"}), r"users\[0\]: .*base32"),
        (of_users({**USER, "attributes": {"custom:no": "x"}}), r"users\[0\]: .*custom:no"),
        (of_users(USER, USER), r"pools\[0\]\.users\[1\] has the same name or id as an earlier entry"),
        ({"pools": [POOL, POOL]}, r"pools\[1\] has the same name or id"),
        ({"pools": [{"id": "nonsense"}]}, r"pools\[0\]: .*nonsense"),
        ({"pools": [POOL, {"id": "nonsense"}]}, r"pools\[1\]: .*nonsense"),
        ({"pools": [{**POOL, "settings": {"Mfa": "ON"}}]}, r"pools\[0\]: .*Mfa"),
        ({"pools": [{**POOL, "settings": {"MfaConfiguration": "MAYBE"}}]}, r"pools\[0\]: .*mfaConfiguration"),
        (of_users(clients=[{"id": "a b"}]), r"pools\[0\]\.clients\[0\]: client_id must be"),
        (of_users(clients=[{"id": "ab"}, {"id": "a b"}]), r"clients\[1\]: client_id must be"),
        (of_users(clients=[{"id": "ab", "secret": "short"}]), r"clients\[0\]: .*[cC]lientSecret"),
        (of_users({**USER, "username": ""}), r"users\[0\]: .*username"),
        (of_users({**USER, "attributes": {"a" * 33: ""}}), r"users\[0\]: .*userAttributes"),
        (of_users(groups=[{"name": "staff", "role": "not an ARN, but long enough"}]), r"groups\[0\]: .*roleArn"),
        (of_users(groups=[{"name": ""}]), r"groups\[0\]: .*groupName"),
        (
            {"pools": [{**POOL, "clients": [{"id": "ab"}]}, {"id": "us-east-1_2", "clients": [{"id": "ab"}]}]},
            r"pools\[1\]\.clients\[0\]: the pool us-east-1_Seed00001 has an app client with this id",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_place(seed: dict[str, Any], message: str, tmp_path: Path) -> None:
    state = tmp_path / "pool.db"
    with pytest.raises(ConfigurationError, match=message) as caught:
        LocalUserPool(seed=seed, state=state)
    assert PASSWORD not in str(caught.value)
    LocalUserPool(state=state).close()  # the file was closed


@pytest.mark.parametrize(
    "pool",
    [
        {"id": "us-east-1_2", "settings": {"EmailVerificationSubject": "Your code"}},
        {"id": "us-east-1_2", "clients": [{"id": "ab", "settings": {"LogoutURLs": ["https://example.com/"]}}]},
    ],
)
def test_a_strict_pool_refuses_settings_without_effect(pool: dict[str, Any]) -> None:
    seed = {"pools": [POOL, pool]}
    LocalUserPool(seed=seed)
    with pytest.raises(ConfigurationError, match=r"pools\[1\].*: .* has no effect in a local pool"):
        LocalUserPool(seed=seed, strict=True)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("seed.toml", b"[[pools]]\nid = x", r"invalid seed '.*seed\.toml': .*line 2"),
        ("seed.json", b"{", r"invalid seed '.*seed\.json': "),
        ("seed.json", b"\xff", r"invalid seed '.*seed\.json': "),
        ("seed.toml", b"\xff", r"invalid seed '.*seed\.toml': "),
        ("seed.yaml", b"", r"the name must end with \.json or \.toml"),
        ("seed.toml", None, r"cannot read seed '.*seed\.toml': No such file"),
    ],
)
def test_a_file_that_is_not_a_seed_is_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        LocalUserPool(seed=path)
