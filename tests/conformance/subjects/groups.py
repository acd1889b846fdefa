"""Groups: create, describe, list and delete them, their members, and what tokens say of them."""

from __future__ import annotations

from ..probes import api, guide, members, probe, refused
from ..stage import Stage, claims
from .user_pools import NUMBER

CLAIMS = guide("amazon-cognito-user-pools-using-the-id-token")
ROLE = "arn:aws:iam::123456789012:role/{}"


@probe(api("CreateGroup"))
def creation(s: Stage) -> None:
    name = s.name("staff")
    made = s.pool.admin("CreateGroup", GroupName=name, Description="people", Precedence=3)
    members(
        made["Group"],
        GroupName=name,
        UserPoolId=s.pool.id,
        Description="people",
        Precedence=3,
        CreationDate=NUMBER,
        LastModifiedDate=made["Group"]["CreationDate"],
    )
    assert s.pool.admin("GetGroup", GroupName=name)["Group"] == made["Group"]


@probe(api("GroupType"))
def members_that_were_not_given_are_left_out(s: Stage) -> None:
    made = s.pool.admin("CreateGroup", GroupName=s.name("staff"))["Group"]
    assert made.keys() == {"GroupName", "UserPoolId", "CreationDate", "LastModifiedDate"}


@probe(api("GroupExistsException"))
def group_that_exists(s: Stage) -> None:
    name = s.name("staff")
    s.pool.admin("CreateGroup", GroupName=name)
    with refused("GroupExistsException", "already exists"):
        s.pool.admin("CreateGroup", GroupName=name)


@probe(api("ResourceNotFoundException"))
def group_that_does_not_exist(s: Stage) -> None:
    name, user = s.name("nobody"), s.pool.user()
    for operation in ("GetGroup", "UpdateGroup", "DeleteGroup", "ListUsersInGroup"):
        with refused("ResourceNotFoundException", "^Group not found.$"):
            s.pool.admin(operation, GroupName=name)
    with refused("ResourceNotFoundException", "^Group not found.$"):
        s.pool.admin("AdminAddUserToGroup", GroupName=name, Username=user)


@probe(api("AdminAddUserToGroup"))
def membership(s: Stage) -> None:
    pool = s.new_pool()
    user = pool.user()
    pool.admin("CreateGroup", GroupName="staff")
    for _ in range(2):
        pool.admin("AdminAddUserToGroup", GroupName="staff", Username=user)
    listed = pool.admin("AdminListGroupsForUser", Username=user)["Groups"]
    assert [group["GroupName"] for group in listed] == ["staff"]
    found = pool.admin("ListUsersInGroup", GroupName="staff")["Users"]
    assert [entry["Username"] for entry in found] == [user]
    assert "Attributes" in found[0]
    for _ in range(2):
        pool.admin("AdminRemoveUserFromGroup", GroupName="staff", Username=user)
    assert pool.admin("ListUsersInGroup", GroupName="staff")["Users"] == []


@probe(CLAIMS)
def tokens_name_the_groups(s: Stage) -> None:
    pool = s.new_pool()
    user = pool.user()
    for name in ("low", "high"):
        pool.admin("CreateGroup", GroupName=name)
        pool.admin("AdminAddUserToGroup", GroupName=name, Username=user)
    result = pool.client.tokens(user)
    for token in (result["AccessToken"], result["IdToken"]):
        assert set(claims(token)["cognito:groups"]) == {"low", "high"}


@probe(CLAIMS, unsuitable_for={"AWS": "needs IAM roles in the account"})
def tokens_name_the_roles_of_the_groups(s: Stage) -> None:
    pool = s.new_pool()
    user = pool.user()
    for precedence, name in ((5, "low"), (1, "high")):
        pool.admin("CreateGroup", GroupName=name, Precedence=precedence, RoleArn=ROLE.format(name))
        pool.admin("AdminAddUserToGroup", GroupName=name, Username=user)
    identity = claims(pool.client.tokens(user)["IdToken"])
    assert set(identity["cognito:roles"]) == {ROLE.format("low"), ROLE.format("high")}
    assert identity["cognito:preferred_role"] == ROLE.format("high")


@probe(CLAIMS)
def tokens_without_groups_have_no_claim(s: Stage) -> None:
    result = s.pool.client.tokens(s.pool.user())
    for token in (result["AccessToken"], result["IdToken"]):
        assert "cognito:groups" not in claims(token)


@probe(api("DeleteGroup"))
def deleted_group_has_no_members(s: Stage) -> None:
    pool = s.new_pool()
    user = pool.user()
    pool.admin("CreateGroup", GroupName="staff")
    pool.admin("AdminAddUserToGroup", GroupName="staff", Username=user)
    pool.admin("DeleteGroup", GroupName="staff")
    assert pool.admin("AdminListGroupsForUser", Username=user)["Groups"] == []
    assert pool.admin("ListGroups")["Groups"] == []


@probe(api("UpdateGroup"))
def update_changes_what_is_given(s: Stage) -> None:
    name = s.name("staff")
    made = s.pool.admin("CreateGroup", GroupName=name, Description="people")["Group"]
    updated = s.pool.admin("UpdateGroup", GroupName=name, Precedence=2)["Group"]
    assert updated["Precedence"] == 2
    assert updated["CreationDate"] == made["CreationDate"]
    assert updated["LastModifiedDate"] >= made["LastModifiedDate"]
