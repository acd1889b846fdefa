"""The groups of a user."""

from __future__ import annotations

from ..model.pools import Group
from ..model.token_groups import TokenGroups
from ..model.users import User
from ..storage.state import State

__all__ = ["groups_in_tokens", "groups_of"]


def groups_of(state: State, user: User) -> list[Group]:
    """Return the groups of *user*, sorted by precedence: the lowest number first, groups without one last."""
    return sorted(state.users.groups(user), key=_rank)


def _rank(group: Group) -> tuple[bool, int]:
    return group.precedence is None, group.precedence or 0


def groups_in_tokens(state: State, user: User) -> TokenGroups:
    """Return the groups of *user* as tokens show them.

    The preferred role is that of the first group with a role. If other groups of the same precedence have other roles,
    there is no preferred role.
    """
    groups = groups_of(state, user)
    names = tuple(group.name for group in groups)
    roles = [(_rank(group), group.role) for group in groups if group.role is not None]
    if not roles:
        return TokenGroups(names)
    preferred = {role for rank, role in roles if rank == roles[0][0]}
    preferred_role = roles[0][1] if len(preferred) == 1 else None
    return TokenGroups(names, tuple(dict.fromkeys(role for _, role in roles)), preferred_role)
