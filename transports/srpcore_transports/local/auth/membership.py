"""The groups of a user."""

from __future__ import annotations

from ..model.pools import Group
from ..model.users import User
from ..storage.state import State
from ..triggers.claims import Groups

__all__ = ["groups_of", "names_and_roles"]


def groups_of(state: State, user: User) -> list[Group]:
    """Return the groups of *user*, sorted by precedence: the lowest number first, groups without one last."""
    return sorted(state.users.groups(user), key=_rank)


def _rank(group: Group) -> tuple[bool, int]:
    return group.precedence is None, group.precedence or 0


def names_and_roles(state: State, user: User) -> Groups:
    """Return the groups of *user* as tokens show them.

    The preferred role is that of the first group with a role. If other groups of the same precedence have other roles,
    there is no preferred role.
    """
    groups = groups_of(state, user)
    names, with_role = tuple(group.name for group in groups), [group for group in groups if group.role]
    if not with_role:
        return Groups(names)
    roles = tuple(dict.fromkeys(group.role or "" for group in with_role))
    first = {group.role for group in with_role if _rank(group) == _rank(with_role[0])}
    return Groups(names, roles, roles[0] if len(first) == 1 else None)
