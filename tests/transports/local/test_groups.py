"""Groups, with boto3 as the client: its parser and its model are the oracles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import jwt
import pytest

from srpcore_transports.local import LocalUserPool
from support.clock import Clock

from .boto import KEYS, connected
from .client import Client

pytestmark = pytest.mark.counterpart

ROLE = "arn:aws:iam::000000000000:role/"


@pytest.fixture
def pool(clock: Clock) -> LocalUserPool:
    return LocalUserPool(clock=clock, credentials=KEYS)


@pytest.fixture
def boto(pool: LocalUserPool) -> Iterator[Any]:
    with connected(pool) as client:
        yield client


@pytest.fixture
def client(pool: LocalUserPool, clock: Clock) -> Client:
    client = Client(pool, clock)
    client.user()
    return client


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def make(boto: Any, pool: LocalUserPool, name: str, **settings: Any) -> dict[str, Any]:
    group: dict[str, Any] = boto.create_group(UserPoolId=pool.user_pool_id, GroupName=name, **settings)["Group"]
    return group


def add(boto: Any, pool: LocalUserPool, name: str, username: str = "alice") -> None:
    boto.admin_add_user_to_group(UserPoolId=pool.user_pool_id, Username=username, GroupName=name)


def test_a_group_is_created_read_changed_and_deleted(boto: Any, pool: LocalUserPool, clock: Clock) -> None:
    made = make(boto, pool, "admins", Description="who may", RoleArn=ROLE + "a", Precedence=0)
    assert made == {
        "GroupName": "admins",
        "UserPoolId": pool.user_pool_id,
        "Description": "who may",
        "RoleArn": ROLE + "a",
        "Precedence": 0,
        "CreationDate": made["CreationDate"],
        "LastModifiedDate": made["CreationDate"],
    }
    assert isinstance(made["CreationDate"], datetime)
    assert made["CreationDate"].timestamp() == clock.now
    named: dict[str, Any] = {"UserPoolId": pool.user_pool_id, "GroupName": "admins"}
    assert boto.get_group(**named)["Group"] == made
    clock.now += 60
    changed = boto.update_group(**named, Precedence=7)["Group"]
    assert (changed["Precedence"], changed["Description"], changed["RoleArn"]) == (7, "who may", ROLE + "a")
    assert (changed["LastModifiedDate"] - changed["CreationDate"]).total_seconds() == 60
    assert boto.update_group(**named, Description="", RoleArn=ROLE + "b")["Group"]["RoleArn"] == ROLE + "b"
    assert boto.get_group(**named)["Group"]["Description"] == ""
    boto.delete_group(**named)
    for operation in (boto.get_group, boto.update_group, boto.delete_group, boto.list_users_in_group):
        with pytest.raises(boto.exceptions.ResourceNotFoundException, match="Group not found"):
            operation(**named)


def test_a_group_name_is_unique(boto: Any, pool: LocalUserPool) -> None:
    make(boto, pool, "admins", Precedence=1)
    with pytest.raises(boto.exceptions.GroupExistsException):
        make(boto, pool, "admins", Precedence=2)
    assert boto.get_group(UserPoolId=pool.user_pool_id, GroupName="admins")["Group"]["Precedence"] == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"GroupName": "x" * 129},
        {"GroupName": "with space"},
        {"GroupName": "a\nb"},
        {"Description": "x" * 2049},
        {"RoleArn": "short"},
        {"RoleArn": "x" * 2049},
        {"Precedence": 2**31},
        {"Precedence": -1},
    ],
)
def test_what_the_model_does_not_allow_is_refused(client: Client, settings: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"\b(InvalidParameter|Serialization)Exception\b"):
        client.admin("CreateGroup", **{"GroupName": "fine", **settings})
    assert client.admin("ListGroups")["Groups"] == []
    client.admin("CreateGroup", GroupName="fine")
    if "GroupName" not in settings:
        with pytest.raises(Exception, match=r"\b(InvalidParameter|Serialization)Exception\b"):
            client.admin("UpdateGroup", GroupName="fine", **settings)
        assert set(client.admin("GetGroup", GroupName="fine")["Group"]).isdisjoint(settings)


def test_values_at_the_limits_are_accepted(client: Client) -> None:
    settings = {"Description": "x" * 2048, "RoleArn": "arn:aws:iam::0:role/", "Precedence": 2**31 - 1}
    group = client.admin("CreateGroup", GroupName="é" * 128, **settings)["Group"]
    assert {name: group[name] for name in settings} == settings


def test_groups_are_listed_in_pages(boto: Any, pool: LocalUserPool) -> None:
    names = [f"group{index}" for index in range(5)]
    for name in names:
        make(boto, pool, name)
    pages = list(
        boto.get_paginator("list_groups").paginate(UserPoolId=pool.user_pool_id, PaginationConfig={"PageSize": 2})
    )
    assert [[group["GroupName"] for group in page["Groups"]] for page in pages] == [names[:2], names[2:4], names[4:]]
    assert "NextToken" not in boto.list_groups(UserPoolId=pool.user_pool_id, Limit=5)
    with pytest.raises(boto.exceptions.InvalidParameterException):
        boto.list_groups(UserPoolId=pool.user_pool_id, NextToken="made up")
    with pytest.raises(boto.exceptions.InvalidParameterException):
        boto.list_groups(UserPoolId=pool.user_pool_id, Limit=61)
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.list_groups(UserPoolId="us-east-1_Nope00000")


def test_a_page_has_sixty_groups_by_default(client: Client) -> None:
    for index in range(61):
        client.admin("CreateGroup", GroupName=f"group{index}")
        client.admin("AdminAddUserToGroup", GroupName=f"group{index}", Username="alice")
    for name, named in (("ListGroups", {}), ("AdminListGroupsForUser", {"Username": "alice"})):
        first = client.admin(name, **named)
        assert len(first["Groups"]) == 60
        rest = client.admin(name, **named, Limit=0, NextToken=first["NextToken"])
        assert [group["GroupName"] for group in rest["Groups"]] == ["group60"]


def test_a_user_s_groups_are_listed_in_pages_and_precedence(boto: Any, pool: LocalUserPool, client: Client) -> None:
    for name, precedence in (("none", None), ("nine", 9), ("zero", 0), ("other", 4)):
        make(boto, pool, name, **({} if precedence is None else {"Precedence": precedence}))
    for name in ("none", "nine", "zero"):
        add(boto, pool, name)
        add(boto, pool, name)
    pages = boto.get_paginator("admin_list_groups_for_user").paginate(
        UserPoolId=pool.user_pool_id, Username="alice", PaginationConfig={"PageSize": 2}
    )
    assert [[group["GroupName"] for group in page["Groups"]] for page in pages] == [["zero", "nine"], ["none"]]


def test_the_users_of_a_group_are_listed_in_pages(boto: Any, pool: LocalUserPool, client: Client) -> None:
    make(boto, pool, "readers")
    names = ["alice", *(f"user{index}" for index in range(4))]
    for name in names[1:]:
        client.user(name)
    client.user("outsider")
    for name in names:
        add(boto, pool, "readers", name)
    pages = list(
        boto.get_paginator("list_users_in_group").paginate(
            UserPoolId=pool.user_pool_id, GroupName="readers", PaginationConfig={"PageSize": 3}
        )
    )
    assert [[user["Username"] for user in page["Users"]] for page in pages] == [names[:3], names[3:]]
    assert pages[0]["Users"][0]["UserStatus"] == "CONFIRMED"
    boto.admin_remove_user_from_group(UserPoolId=pool.user_pool_id, Username="alice", GroupName="readers")
    boto.admin_remove_user_from_group(UserPoolId=pool.user_pool_id, Username="alice", GroupName="readers")
    boto.admin_delete_user(UserPoolId=pool.user_pool_id, Username="user0")
    left = boto.list_users_in_group(UserPoolId=pool.user_pool_id, GroupName="readers")["Users"]
    assert [user["Username"] for user in left] == names[2:]


def test_unknown_users_and_groups_are_refused(boto: Any, pool: LocalUserPool, client: Client) -> None:
    make(boto, pool, "readers")
    for operation in (boto.admin_add_user_to_group, boto.admin_remove_user_from_group):
        with pytest.raises(boto.exceptions.UserNotFoundException):
            operation(UserPoolId=pool.user_pool_id, Username="nobody", GroupName="readers")
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            operation(UserPoolId=pool.user_pool_id, Username="alice", GroupName="writers")
    with pytest.raises(boto.exceptions.UserNotFoundException):
        boto.admin_list_groups_for_user(UserPoolId=pool.user_pool_id, Username="nobody")


def test_a_group_that_is_created_again_is_empty(boto: Any, pool: LocalUserPool, client: Client) -> None:
    make(boto, pool, "readers")
    add(boto, pool, "readers")
    boto.delete_group(UserPoolId=pool.user_pool_id, GroupName="readers")
    make(boto, pool, "readers")
    assert boto.list_users_in_group(UserPoolId=pool.user_pool_id, GroupName="readers")["Users"] == []


def test_both_tokens_contain_the_groups_of_the_time_of_issue(boto: Any, pool: LocalUserPool, client: Client) -> None:
    tokens = client.tokens()
    for token in (tokens["AccessToken"], tokens["IdToken"]):
        assert not {"cognito:groups", "cognito:roles", "cognito:preferred_role"} & set(claims_of(token))
    make(boto, pool, "late", Precedence=5, RoleArn=ROLE + "late")
    make(boto, pool, "last", RoleArn=ROLE + "last")
    make(boto, pool, "first", Precedence=1, RoleArn=ROLE + "first")
    make(boto, pool, "zero", Precedence=0)
    for name in ("last", "late", "first", "zero"):
        add(boto, pool, name)
    result = client.call("GetTokensFromRefreshToken", ClientId=client.client_id, RefreshToken=tokens["RefreshToken"])
    access = claims_of(result["AuthenticationResult"]["AccessToken"])
    identity = claims_of(result["AuthenticationResult"]["IdToken"])
    assert access["cognito:groups"] == identity["cognito:groups"] == ["zero", "first", "late", "last"]
    assert identity["cognito:roles"] == [ROLE + "first", ROLE + "late", ROLE + "last"]
    assert identity["cognito:preferred_role"] == ROLE + "first"
    assert not {"cognito:roles", "cognito:preferred_role"} & set(access)


@pytest.mark.parametrize(("other", "preferred"), [("b", None), ("a", ROLE + "a")])
def test_groups_of_equal_precedence_give_a_preferred_role_only_if_it_is_the_same(
    client: Client, other: str, preferred: str | None
) -> None:
    for name, role in (("one", "a"), ("two", other)):
        client.admin("CreateGroup", GroupName=name, Precedence=3, RoleArn=ROLE + role)
        client.admin("AdminAddUserToGroup", GroupName=name, Username="alice")
    identity = claims_of(client.tokens()["IdToken"])
    assert identity.get("cognito:preferred_role") == preferred
    assert identity["cognito:roles"] == sorted({ROLE + "a", ROLE + other})
