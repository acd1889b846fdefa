"""Lists: the filters of ListUsers, and the pages of every operation that lists."""

from __future__ import annotations

from typing import Any

from ..probes import UNSURE, api, guide, members, probe, refused
from ..stage import Pool, Stage, attributes

FILTERS = api("ListUsers")
SEARCH = guide("how-to-manage-user-accounts")


def _names(pool: Pool, expression: str | None = None, **parameters: Any) -> list[str]:
    given = {} if expression is None else {"Filter": expression}
    return sorted(user["Username"] for user in pool.admin("ListUsers", **given, **parameters)["Users"])


@probe(FILTERS)
def without_a_filter_all_are_listed(s: Stage) -> None:
    pool = s.new_pool()
    names = sorted(pool.create(s.name())["Username"] for _ in range(3))
    assert _names(pool) == _names(pool, "") == names


@probe(FILTERS)
def by_name(s: Stage) -> None:
    pool = s.new_pool()
    for name in ("anna", "annabel", "berta"):
        pool.create(name)
    assert _names(pool, 'username = "anna"') == ["anna"]
    assert _names(pool, 'username ^= "ann"') == ["anna", "annabel"]
    assert _names(pool, 'username = "nobody"') == []


@probe(FILTERS)
def names_are_compared_with_case(s: Stage) -> None:
    pool = s.new_pool(UsernameConfiguration={"CaseSensitive": True})
    pool.create("Anna")
    assert _names(pool, 'username = "anna"') == []
    assert _names(pool, 'username ^= "ann"') == []
    assert _names(pool, 'username = "Anna"') == ["Anna"]


@probe(FILTERS)
def by_status(s: Stage) -> None:
    pool = s.new_pool()
    first, second = pool.create(s.name())["Username"], pool.create(s.name())["Username"]
    pool.admin("AdminDisableUser", Username=second)
    assert _names(pool, 'status = "Enabled"') == [first]
    assert _names(pool, 'status = "Disabled"') == [second]


@probe(FILTERS)
def by_user_status_without_case(s: Stage) -> None:
    pool = s.new_pool()
    temporary, confirmed = pool.create(s.name())["Username"], pool.user()
    for value in ("FORCE_CHANGE_PASSWORD", "force_change_password"):
        assert _names(pool, f'cognito:user_status = "{value}"') == [temporary]
    assert _names(pool, 'cognito:user_status = "CONFIRMED"') == [confirmed]


@probe(FILTERS)
def by_attributes(s: Stage) -> None:
    pool = s.new_pool()
    values = {"name": "Anna Bell", "given_name": "Anna", "family_name": "Bell", "preferred_username": "bell"}
    made = pool.create("anna", email="anna@example.com", phone_number="+15555550100", **values)
    pool.create("berta", email="berta@example.com")
    for name, value in (values | {"email": "anna@example.com", "phone_number": "+15555550100"}).items():
        assert _names(pool, f'{name} = "{value}"') == ["anna"], name
        assert _names(pool, f'{name} ^= "{value[:3]}"') == ["anna"], name
    assert _names(pool, f'sub = "{attributes(made)["sub"]}"') == ["anna"]


@probe(UNSURE, question="does ListUsers compare an e-mail address with its case?")
def case_of_an_address(s: Stage) -> None:
    pool = s.new_pool()
    pool.create("anna", email="Anna@example.com")
    assert _names(pool, 'email = "Anna@example.com"') == ["anna"]
    assert _names(pool, 'email = "anna@example.com"') in ([], ["anna"])


@probe(FILTERS)
def attributes_that_cannot_be_searched(s: Stage) -> None:
    pool = s.new_pool(Schema=[{"Name": "tenant", "AttributeDataType": "String", "Mutable": True}])
    for expression in ('custom:tenant = "acme"', 'address = "x"', 'nickname = "x"'):
        with refused("InvalidParameterException"):
            _names(pool, expression)


@probe(SEARCH)
def malformed_filters(s: Stage) -> None:
    for expression in ("anna", 'username != "anna"', 'username = "anna" and email = "x"', "username = anna"):
        with refused("InvalidParameterException"):
            _names(s.pool, expression)


@probe(FILTERS)
def quotation_mark_in_a_value(s: Stage) -> None:
    pool = s.new_pool()
    pool.create("anna", name='Anna "Bell"')
    assert _names(pool, 'name = "Anna \\"Bell\\""') == ["anna"]


@probe(FILTERS)
def attributes_to_get(s: Stage) -> None:
    pool = s.new_pool()
    pool.create("anna", name="Anna", nickname="an")
    (found,) = pool.admin("ListUsers", AttributesToGet=["name"])["Users"]
    assert attributes(found) == {"name": "Anna"}


@probe(FILTERS)
def attributes_to_get_must_be_set(s: Stage) -> None:
    pool = s.new_pool()
    pool.create("anna", nickname="an")
    pool.create("berta")
    with refused("InvalidParameterException"):
        pool.admin("ListUsers", AttributesToGet=["nickname"])


@probe(FILTERS)
def attributes_to_get_must_exist(s: Stage) -> None:
    with refused("InvalidParameterException"):
        s.pool.admin("ListUsers", AttributesToGet=["custom:nope"])


@probe(FILTERS)
def members_of_a_listed_user(s: Stage) -> None:
    pool = s.new_pool()
    made = pool.create("anna", name="Anna")
    (found,) = pool.admin("ListUsers")["Users"]
    assert found == made


@probe(FILTERS)
def pages_of_users(s: Stage) -> None:
    pool = s.new_pool()
    names = sorted(pool.create(s.name())["Username"] for _ in range(5))
    first = pool.admin("ListUsers", Limit=2)
    members(first, PaginationToken=str)
    second = pool.admin("ListUsers", Limit=2, PaginationToken=first["PaginationToken"])
    third = pool.admin("ListUsers", Limit=2, PaginationToken=second["PaginationToken"])
    assert "PaginationToken" not in third
    pages = [first, second, third]
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert sorted(user["Username"] for page in pages for user in page["Users"]) == names


@probe(api("ListGroups"))
def pages_of_groups_and_clients(s: Stage) -> None:
    pool = s.new_pool()
    pool.new_client()
    for name in ("a", "b"):
        pool.admin("CreateGroup", GroupName=name)
    user = pool.user()
    for name in ("a", "b"):
        pool.admin("AdminAddUserToGroup", GroupName=name, Username=user)
    for operation, items, limit, more in (
        ("ListGroups", "Groups", "Limit", {}),
        ("AdminListGroupsForUser", "Groups", "Limit", {"Username": user}),
        ("ListUserPoolClients", "UserPoolClients", "MaxResults", {}),
    ):
        first = pool.admin(operation, **{limit: 1}, **more)
        assert (len(first[items]), "NextToken" in first) == (1, True), operation
        second = pool.admin(operation, **{limit: 1}, NextToken=first["NextToken"], **more)
        assert first[items] != second[items]
        assert "NextToken" not in second


@probe(FILTERS)
def token_that_nobody_issued(s: Stage) -> None:
    with refused("InvalidParameterException"):
        s.pool.admin("ListUsers", PaginationToken="made-up")
    with refused("InvalidParameterException"):
        s.pool.admin("ListGroups", NextToken="made-up")
