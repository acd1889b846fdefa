"""The operations on groups: create, update, delete and list them, and add and remove users."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, not_found
from ..api.parameters import Parameters, present, string
from ..auth import membership
from ..model.pools import Group, PoolRecord
from ..storage import directory, pages
from ..storage.state import State
from .admin_users import user_fields

__all__ = ["OPERATIONS"]


def create_group(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateGroup."""
    pool, name = state.pool(string(parameters, "UserPoolId")), string(parameters, "GroupName")
    if state.groups.get(pool, name) is not None:
        raise Refusal("GroupExistsException", f"A group with the name {name} already exists.")
    now = state.clock()
    group = Group(name, now, now)
    _write(group, parameters)
    state.groups.add(pool, name, group)
    return {"Group": _group_fields(pool, group)}


def _write(group: Group, parameters: Parameters) -> None:
    # A parameter that is absent leaves the value as it is.
    given = present(parameters, "Description", "RoleArn", "Precedence")
    group.description = given.get("Description", group.description)
    group.role = given.get("RoleArn", group.role)
    group.precedence = given.get("Precedence", group.precedence)


def _pool_and_group(state: State, parameters: Parameters) -> tuple[PoolRecord, Group]:
    pool, name = state.pool(string(parameters, "UserPoolId")), string(parameters, "GroupName")
    group = state.groups.get(pool, name)
    if group is None:
        raise not_found("Group not found.")
    return pool, group


def get_group(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetGroup."""
    pool, group = _pool_and_group(state, parameters)
    return {"Group": _group_fields(pool, group)}


def update_group(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateGroup: parameters that are left out do not change."""
    pool, group = _pool_and_group(state, parameters)
    _write(group, parameters)
    group.modified = state.clock()
    return {"Group": _group_fields(pool, group)}


def delete_group(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteGroup: its users are not deleted."""
    _, group = _pool_and_group(state, parameters)
    state.users.empty(group)
    state.groups.remove(group)
    return {}


def list_groups(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListGroups, with at most 60 groups per page."""
    pool = state.pool(string(parameters, "UserPoolId"))
    return _list(state, pool, state.groups.all(pool), parameters)


def admin_list_groups_for_user(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminListGroupsForUser, with at most 60 groups per page."""
    pool, user = directory.pool_and_user(state, parameters)
    return _list(state, pool, membership.groups_of(state, user), parameters)


def _list(state: State, pool: PoolRecord, groups: list[Group], parameters: Parameters) -> dict[str, Any]:
    page, following = pages.requested_page(state, parameters, groups)
    return {"Groups": [_group_fields(pool, group) for group in page], **following}


def list_users_in_group(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUsersInGroup, with at most 60 users per page."""
    _, group = _pool_and_group(state, parameters)
    page, following = pages.requested_rows(
        state, parameters, lambda after, limit: state.users.in_group(group, after, limit), first=0
    )
    return {"Users": [user_fields(user) for user in page], **following}


def admin_add_user_to_group(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminAddUserToGroup; it is not an error if the user is in the group already."""
    pool, group = _pool_and_group(state, parameters)
    state.users.join(group, directory.require_user(state, pool, string(parameters, "Username")))
    return {}


def admin_remove_user_from_group(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminRemoveUserFromGroup; it is not an error if the user is not in the group."""
    pool, group = _pool_and_group(state, parameters)
    state.users.leave(group, directory.require_user(state, pool, string(parameters, "Username")))
    return {}


def _group_fields(pool: PoolRecord, group: Group) -> dict[str, Any]:
    optional = {"Description": group.description, "RoleArn": group.role, "Precedence": group.precedence}
    return {
        "GroupName": group.name,
        "UserPoolId": pool.id,
        **{name: value for name, value in optional.items() if value is not None},
        "LastModifiedDate": group.modified,
        "CreationDate": group.created,
    }


OPERATIONS = {
    "CreateGroup": create_group,
    "GetGroup": get_group,
    "UpdateGroup": update_group,
    "DeleteGroup": delete_group,
    "ListGroups": list_groups,
    "AdminListGroupsForUser": admin_list_groups_for_user,
    "ListUsersInGroup": list_users_in_group,
    "AdminAddUserToGroup": admin_add_user_to_group,
    "AdminRemoveUserFromGroup": admin_remove_user_from_group,
}
