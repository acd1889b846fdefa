"""The groups of a user, and the claims about them in tokens."""

from __future__ import annotations

from typing import Any

from ..model.pools import Group
from ..model.users import User
from ..storage.state import State

__all__ = ["claim", "groups_of", "role_claims"]


def groups_of(state: State, user: User) -> list[Group]:
    """Return the groups of *user*, sorted by precedence: the lowest number first, groups without one last."""
    return sorted(state.users.groups(user), key=_rank)


def _rank(group: Group) -> tuple[bool, int]:
    return group.precedence is None, group.precedence or 0


def claim(state: State, user: User) -> dict[str, Any]:
    """Return ``cognito:groups``, a claim of both tokens; an empty dictionary if the user is not in a group."""
    names = [group.name for group in groups_of(state, user)]
    return {"cognito:groups": names} if names else {}


def role_claims(state: State, user: User) -> dict[str, Any]:
    """Return ``cognito:roles`` and ``cognito:preferred_role``, claims of the ID token.

    The preferred role is that of the first group. If other groups of the same precedence have other roles, there is no
    preferred role.
    """
    groups = [group for group in groups_of(state, user) if group.role is not None]
    if not groups:
        return {}
    roles = list(dict.fromkeys(group.role for group in groups))
    first = {group.role for group in groups if _rank(group) == _rank(groups[0])}
    preferred = {"cognito:preferred_role": roles[0]} if len(first) == 1 else {}
    return {"cognito:roles": roles, **preferred}
