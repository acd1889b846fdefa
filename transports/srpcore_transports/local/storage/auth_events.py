"""The table of the events of users."""

from __future__ import annotations

from ..model.auth_events import AuthEvent
from ..model.users import User
from .work import Work, decoder, encode

__all__ = ["NEWEST", "AuthEvents"]

NEWEST = 2**62
"""Greater than the number of any row, so a page *before* it begins with the newest event."""

_KEPT = 200
"""How many events of each user are kept. Older ones are deleted."""


class AuthEvents:
    """The newest events of each user."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._decode = decoder(AuthEvent)

    def get(self, user: User, event_id: str) -> AuthEvent | None:
        """Return an event of *user*, or None."""
        statement = "SELECT data FROM auth_event WHERE user = ? AND event_id = ?"
        found = self._work.execute(statement, self._work.row(user), event_id).fetchone()
        return None if found is None else self._decode(found[0])

    def put(self, user: User, event: AuthEvent) -> None:
        """Insert an event, or replace the one with the same id."""
        row = self._work.row(user)
        self._work.execute(
            "INSERT INTO auth_event (user, event_id, data) VALUES (?, ?, ?) "
            "ON CONFLICT (user, event_id) DO UPDATE SET data = excluded.data",
            row,
            event.id,
            encode(event),
        )
        self._work.execute(
            "DELETE FROM auth_event WHERE user = ? AND id <= "
            "(SELECT id FROM auth_event WHERE user = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
            row,
            row,
            _KEPT,
        )

    def page(self, user: User, before: int, limit: int) -> list[tuple[int, AuthEvent]]:
        """Return at most *limit* events of *user* that precede the row *before*, newest first, with their rows."""
        statement = "SELECT id, data FROM auth_event WHERE user = ? AND id < ? ORDER BY id DESC LIMIT ?"
        found = self._work.execute(statement, self._work.row(user), before, limit).fetchall()
        return [(row, self._decode(data)) for row, data in found]
