"""The table of logins in progress, by Session."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable

import msgspec

from ..api.errors import Refusal, invalid_session, not_authorized
from ..model.auth_sessions import AuthSession, AuthSessionRecord
from ..model.pools import AppClient, PoolRecord
from ..model.secret_values import digest
from ..model.users import User
from .retention import KEPT_AFTER_EXPIRY
from .tables import Table
from .users import Users
from .work import Work, decoder, encode

__all__ = ["SESSION_EXPIRED", "AuthSessions"]

SESSION_EXPIRED = "Invalid session for the user, session is expired."

_decode = decoder(AuthSessionRecord)


class AuthSessions:
    """The logins in progress. An answer without a Session is matched by secret block, or by user and device."""

    def __init__(
        self, work: Work, clock: Callable[[], float], pools: Table[PoolRecord], clients: Table[AppClient], users: Users
    ) -> None:
        self._work, self._clock = work, clock
        self._pools, self._clients, self._users = pools, clients, users

    def open(self, auth_session: AuthSession, *challenges: str) -> str:
        """Store *auth_session* until one of *challenges* is answered, and return a new Session for it."""
        self._forget_expired()
        session = _new_session()
        expires = self._clock() + auth_session.client.session_seconds
        self.put_back(session, msgspec.structs.replace(auth_session, challenges=challenges, expires=expires))
        return session

    def _forget_expired(self) -> None:
        now = self._clock()
        if not self._work.start_sweep("login", now):
            return
        expired = "FROM login WHERE expires <= ?"
        self._work.execute(f"INSERT INTO expired_session SELECT session, user, expires {expired}", now)
        self._work.execute(f"DELETE {expired}", now)
        self._work.execute("DELETE FROM expired_session WHERE expires < ?", now - KEPT_AFTER_EXPIRY)

    def put_back(self, session: str | None, auth_session: AuthSession) -> None:
        """Store *auth_session* under its old Session again, so that the client can correct a mistyped code.

        Args:
            session: the old Session; None if the answer was matched without one. The next answer of the client is then
                matched without one, too.
        """
        exchange, user = auth_session.exchange, auth_session.user
        self._work.execute(
            "INSERT INTO login (session, pool, client, user, secret_block, expires, data) VALUES (?, ?, ?, ?, ?, ?, ?)",
            digest(session or _new_session()),
            self._work.row(auth_session.pool),
            self._work.row(auth_session.client),
            None if user is None else self._work.row(user),
            None if exchange is None else digest(exchange.secret_block),
            auth_session.expires,
            encode(_record(auth_session)),
        )

    def take(self, session: str) -> AuthSession:
        """Return the login of *session*, and remove it: a Session can be used once.

        Raises:
            Refusal: the Session is unknown, already used, or expired.
        """
        stored = digest(session)
        expired = self._work.execute("DELETE FROM expired_session WHERE session = ? RETURNING user", stored).fetchone()
        if expired is not None:
            user = expired[0]
            deleted = user is not None and self._users.by_row(user) is None
            raise invalid_session() if deleted else _session_expired()
        auth_session = self._take("session = ?", stored)
        return msgspec.structs.replace(auth_session, previous_session=stored)

    def take_by_secret_block(self, secret_block: str) -> AuthSession:
        """Return and remove the login whose SRP exchange has *secret_block*.

        Raises:
            Refusal: there is none, which is answered like a wrong password, or it has expired.
        """
        # Source: https://github.com/ministackorg/ministack/pull/1758.
        return self._take("secret_block = ?", digest(secret_block), not_authorized())

    def take_by_device(
        self, client: AppClient, user: User, device_key: str, previous: str | None = None
    ) -> AuthSession:
        """Return and remove the newest login of *user* in which *device_key* was challenged.

        Args:
            previous: the Session of the challenge before; None for any.

        Raises:
            Refusal: there is none, or it has expired.
        """
        statement = "SELECT id, data FROM login WHERE user = ? AND client = ? ORDER BY id DESC"
        for row, data in self._work.execute(statement, self._work.row(user), self._work.row(client)).fetchall():
            record = _decode(data)
            if record.device_key != device_key or "DEVICE_SRP_AUTH" not in record.challenges:
                continue
            if previous is None or record.previous_session == digest(previous):
                return self._take("id = ?", row)
        raise invalid_session()

    def _take(self, condition: str, value: object, missing: Refusal | None = None) -> AuthSession:
        statement = f"DELETE FROM login WHERE {condition} RETURNING pool, client, user, data"
        found = self._work.execute(statement, value).fetchone()
        if found is None:
            raise missing or invalid_session()
        pool, client = self._pools.by_row(found[0]), self._clients.by_row(found[1])
        record, user = _decode(found[3]), self._users.by_row(found[2])
        if pool is None or client is None or (user is None and found[2] is not None):
            raise invalid_session()
        if record.expires <= self._clock():
            raise _session_expired()
        fields = {name: getattr(record, name) for name in AuthSessionRecord.__struct_fields__}
        return AuthSession(pool=pool, client=client, user=user, **fields)

    def forget_user(self, user: User) -> None:
        """Remove the logins in progress of *user*."""
        self._work.execute("DELETE FROM login WHERE user = ?", self._work.row(user))

    def forget_client(self, client: AppClient) -> None:
        """Remove the logins in progress of *client*."""
        self._work.execute("DELETE FROM login WHERE client = ?", self._work.row(client))

    def forget_pool(self, pool: PoolRecord) -> None:
        """Remove the logins in progress of *pool*."""
        self._work.execute("DELETE FROM login WHERE pool = ?", self._work.row(pool))


def _session_expired() -> Refusal:
    return not_authorized(SESSION_EXPIRED)


def _record(auth_session: AuthSession) -> AuthSessionRecord:
    return AuthSessionRecord(**{name: getattr(auth_session, name) for name in AuthSessionRecord.__struct_fields__})


def _new_session() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(300)).decode("ascii")
