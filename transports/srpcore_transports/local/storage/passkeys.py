"""Which user has a passkey: the id of a credential is unique in a pool."""

from __future__ import annotations

from ..model.pools import PoolRecord
from ..model.users import User
from .work import Work

__all__ = ["PasskeyOwners"]


class PasskeyOwners:
    """The owners of all passkeys."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def claim(self, pool: PoolRecord, credential_id: str, user: User) -> bool:
        """Make *user* the owner of a passkey, and return True; return False if the passkey already has an owner."""
        self._work.execute(
            "DELETE FROM passkey WHERE pool = ? AND credential_id = ? AND user NOT IN (SELECT id FROM user)",
            self._work.row(pool),
            credential_id,
        )
        statement = "INSERT OR IGNORE INTO passkey (pool, credential_id, user) VALUES (?, ?, ?)"
        return self._work.execute(statement, self._work.row(pool), credential_id, self._work.row(user)).rowcount == 1

    def release(self, pool: PoolRecord, credential_id: str) -> None:
        """Let anybody register the passkey again."""
        statement = "DELETE FROM passkey WHERE pool = ? AND credential_id = ?"
        self._work.execute(statement, self._work.row(pool), credential_id)
