"""The limit of sessions of a user: the setting of a pool, and how a login keeps within it."""

from __future__ import annotations

from typing import Any

from ..model.pools import PoolRecord
from ..model.users import User
from ..storage.state import State

__all__ = ["KIND", "configuration", "make_room"]

KIND = "session_configuration"
"""The kind of the document with the settings."""

# Source: API reference, GetUserPoolSessionConfiguration: "this operation returns the default values".
_DEFAULT: dict[str, Any] = {"UserSessionTracking": "DISABLED", "TokenSession": {"MaxPerUser": 20}}


def configuration(state: State, pool: PoolRecord) -> dict[str, Any]:
    """Return UserSessionTracking and TokenSession of *pool*, or their defaults."""
    document = state.documents.get(pool, KIND)
    return _DEFAULT if document is None else document.settings


def make_room(state: State, pool: PoolRecord, user: User) -> None:
    """Revoke the least recently used sessions of *user*, so that one more does not exceed the limit of *pool*."""
    settings = configuration(state, pool)
    if settings["UserSessionTracking"] != "ENABLED":
        return
    most = int(settings["TokenSession"]["MaxPerUser"])
    active = sorted(state.grants.active(user), key=lambda grant: grant.last_active)
    for grant in active[: max(len(active) - most + 1, 0)]:
        grant.revoked = True
