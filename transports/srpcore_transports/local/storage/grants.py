"""The tables of completed logins and of their refresh tokens."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from ..model.grants import GrantRecord, RefreshRecord
from ..model.pools import AppClient, PoolRecord
from ..model.records import Record
from ..model.secret_values import digest
from ..model.users import User
from .retention import KEPT_AFTER_EXPIRY
from .work import Work, decoder, encode

__all__ = ["Grants"]


class Grants:
    """The grants by ``origin_jti``, and the refresh tokens by the SHA-256 of the token."""

    def __init__(self, work: Work, clock: Callable[[], float]) -> None:
        self._work, self._clock = work, clock
        self._decode_grant, self._decode_token = decoder(GrantRecord), decoder(RefreshRecord)

    def add(self, grant: GrantRecord) -> None:
        """Insert a grant, and delete those that expired more than a year ago."""
        now = self._clock()
        if self._work.start_sweep("login_grant", now):
            self._work.execute("DELETE FROM login_grant WHERE expires < ?", now - KEPT_AFTER_EXPIRY)
            self._work.execute("DELETE FROM refresh_token WHERE expires < ?", now - KEPT_AFTER_EXPIRY)
        data = encode(grant)
        statement = "INSERT INTO login_grant (origin_jti, sub, client, expires, data) VALUES (?, ?, ?, ?, ?)"
        values = (grant.origin_jti, grant.sub, grant.client_id, grant.expires, data)
        row = self._work.execute(statement, *values).lastrowid or 0
        self._work.added("login_grant", row, grant, data, self._write_grant)

    def get(self, origin_jti: str) -> GrantRecord | None:
        """Return the grant with this ``origin_jti``, or None."""
        return next(iter(self._grants("origin_jti = ?", origin_jti)), None)

    def of_user(self, user: User) -> list[GrantRecord]:
        """Return the grants of *user*, the oldest first."""
        return self._grants("sub = ?", user.sub)

    def revoke_user(self, user: User) -> None:
        """Revoke every token of *user*."""
        for grant in self.of_user(user):
            grant.revoked = True

    def revoke_client(self, client: AppClient) -> None:
        """Revoke every token of *client*."""
        for grant in self._grants("client = ?", client.client_id):
            grant.revoked = True

    def revoke_clients(self, pool: PoolRecord) -> None:
        """Revoke every token of all app clients of *pool*."""
        clients = "client IN (SELECT name FROM record WHERE kind = 'client' AND pool = ?)"
        for grant in self._grants(clients, self._work.row(pool)):
            grant.revoked = True

    def active(self, user: User) -> list[GrantRecord]:
        """Return the grants of *user* whose tokens can still be refreshed, oldest first."""
        # One statement for all grants: the unit of work compares all records of a table at each statement on it.
        statement = (
            "SELECT refresh_token.origin_jti, refresh_token.data FROM login_grant "
            "JOIN refresh_token ON refresh_token.origin_jti = login_grant.origin_jti "
            "WHERE login_grant.sub = ? AND refresh_token.expires > ?"
        )
        found = self._work.execute(statement, user.sub, self._clock()).fetchall()
        refreshable = {origin_jti for origin_jti, data in found if self._decode_token(data).rotated is None}
        return [grant for grant in self.of_user(user) if not grant.revoked and grant.origin_jti in refreshable]

    def _grants(self, condition: str, value: object) -> list[GrantRecord]:
        found = self._work.execute(f"SELECT id, data FROM login_grant WHERE {condition} ORDER BY id", value).fetchall()
        return [self._work.use("login_grant", row, data, self._decode_grant, self._write_grant) for row, data in found]

    def _write_grant(self, row: int, _record: Record, data: bytes) -> None:
        self._work.write("UPDATE login_grant SET data = ? WHERE id = ?", data, row)

    def add_refresh_token(self, grant: GrantRecord, expires: float) -> str:
        """Create and return a refresh token for *grant*, valid until *expires* in seconds since the epoch."""
        token = secrets.token_urlsafe(900)
        record = RefreshRecord(grant.origin_jti, expires)
        statement = "INSERT INTO refresh_token (digest, origin_jti, expires, data) VALUES (?, ?, ?, ?)"
        self._work.execute(statement, digest(token), grant.origin_jti, expires, encode(record))
        return token

    def refresh_token(self, token: str) -> RefreshRecord | None:
        """Return the record of a refresh token, or None if this server did not issue it."""
        found = self._work.execute("SELECT id, data FROM refresh_token WHERE digest = ?", digest(token)).fetchone()
        if found is None:
            return None
        row, data = found
        return self._work.use("refresh_token", row, data, self._decode_token, self._write_token)

    def _write_token(self, row: int, _record: Record, data: bytes) -> None:
        self._work.write("UPDATE refresh_token SET data = ? WHERE id = ?", data, row)
