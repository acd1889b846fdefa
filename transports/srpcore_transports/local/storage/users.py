"""The table of users, and of the groups that they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import cast

from ..model.pools import Group, PoolRecord
from ..model.records import Record, fold_case
from ..model.users import User
from .tables import Table
from .work import Work, decoder, encode

__all__ = ["SEARCHABLE", "Search", "Users"]

_ATTRIBUTES = ("email", "phone_number", "name", "given_name", "family_name", "preferred_username")
_GREATEST = "\U0010ffff" * 2048  # no attribute is longer
_COLUMNS = ("username", "sub", *_ATTRIBUTES, "user_status", "enabled")

SEARCHABLE = {
    **{name: name for name in ("username", "sub", *_ATTRIBUTES)},
    "cognito:user_status": "user_status",
    "status": "enabled",
}
"""The columns by which users can be searched, by the names in filters of ListUsers."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search for users.

    Attributes:
        attribute: a name in :data:`SEARCHABLE`.
        prefix: search for values that begin with *value*, not for those that equal it.
    """

    attribute: str
    value: str
    prefix: bool


class Users:
    """All users."""

    def __init__(self, work: Work, groups: Table[Group]) -> None:
        self._work, self._groups = work, groups
        self._decode = decoder(User)

    def get(self, pool: PoolRecord, username: str) -> User | None:
        """Return the user with the canonical name *username*, or None."""
        return next((user for user in self.having(pool, "username", username) if user.username == username), None)

    def by_sub(self, pool: PoolRecord, sub: str) -> User | None:
        """Return the user with this ``sub``, or None."""
        return next((user for user in self.having(pool, "sub", sub) if user.sub == sub), None)

    def by_row(self, row: int | None) -> User | None:
        """Return the user in *row*, or None if the user was deleted."""
        found = self._work.execute("SELECT id, data FROM user WHERE id = ?", row).fetchone()
        return None if found is None else self._use(*found)

    def having(self, pool: PoolRecord, attribute: str, value: str) -> list[User]:
        """Return the users whose *attribute* (see :data:`SEARCHABLE`) equals *value* without regard to case."""
        statement = f"SELECT id, data FROM user WHERE pool = ? AND {SEARCHABLE[attribute]} = ? ORDER BY id"
        found = self._work.execute(statement, self._work.row(pool), fold_case(value)).fetchall()
        return [self._use(row, data) for row, data in found]

    def is_stored(self, user: User) -> bool:
        """Return whether *user* exists in the database: was added, and was not deleted by this or another request."""
        return self._work.uses(user) and self._work.is_stored("user", user)

    def add(self, pool: PoolRecord, user: User) -> None:
        """Insert a user, whose name must be free."""
        data = encode(user)
        places = ", ".join("?" * (len(_COLUMNS) + 2))
        statement = f"INSERT INTO user (pool, {', '.join(_COLUMNS)}, data) VALUES ({places})"
        row = self._work.execute(statement, self._work.pool_row(pool), *_columns(user), data).lastrowid or 0
        self._work.added("user", row, user, data, self._write)

    def remove(self, user: User) -> None:
        """Delete a user, and take the user out of all groups."""
        row = self._work.row(user)
        self._work.execute("DELETE FROM member WHERE user = ?", row)
        self._work.execute("DELETE FROM auth_event WHERE user = ?", row)
        self._work.execute("DELETE FROM user WHERE id = ?", row)
        self._work.forget("user", user)

    def remove_all(self, pool: PoolRecord) -> None:
        """Delete all users of *pool*."""
        row = self._work.row(pool)
        for table in ("member", "auth_event"):
            self._work.execute(f"DELETE FROM {table} WHERE user IN (SELECT id FROM user WHERE pool = ?)", row)
        deleted = self._work.execute("DELETE FROM user WHERE pool = ? RETURNING id", row).fetchall()
        for (each,) in deleted:
            self._work.forget_row("user", each)

    def count(self, pool: PoolRecord) -> int:
        """Return how many users *pool* has."""
        statement = "SELECT count(*) FROM user WHERE pool = ?"
        return cast(int, self._work.execute(statement, self._work.row(pool)).fetchone()[0])

    def page(self, pool: PoolRecord, after: int, limit: int) -> list[tuple[int, User]]:
        """Return users of *pool* with their rows, the oldest first, beginning after the row *after*."""
        statement = "SELECT id, data FROM user INDEXED BY user_pool WHERE pool = ? AND id > ? ORDER BY id LIMIT ?"
        found = self._work.execute(statement, self._work.row(pool), after, limit).fetchall()
        return [(row, self._use(row, data)) for row, data in found]

    def newest(self, pool: PoolRecord, limit: int) -> list[tuple[User, list[str]]]:
        """Return the last *limit* users of *pool* with the names of their groups, the newest first.

        They are copies that the unit of work does not watch, because it compares all watched users at each
        statement on users. Changes of them are not stored.
        """
        chosen = "FROM user WHERE pool = ? ORDER BY id DESC LIMIT ?"
        values = self._work.row(pool), limit
        users = self._work.execute(f"SELECT id, data {chosen}", *values).fetchall()
        groups: dict[int, list[str]] = {row: [] for row, _ in users}
        statement = (
            "SELECT member.user, record.name FROM member JOIN record ON record.id = member.grp "
            f"WHERE member.user IN (SELECT id {chosen}) ORDER BY record.id"
        )
        for row, name in self._work.execute(statement, *values).fetchall():
            groups[row].append(name)
        return [(self._decode(data), groups[row]) for row, data in users]

    def search(
        self,
        pool: PoolRecord,
        search: Search,
        after: tuple[str, int],
        limit: int,
        accept: Callable[[User], bool] | None = None,
    ) -> list[tuple[tuple[str, int], User]]:
        """Return the users that *search* finds without regard to case, each with its key: the value and the row.

        They are sorted by the keys, so users with equal values come in the order of their creation.

        Args:
            after: the key after which to begin.
            limit: the maximum number of users.
            accept: returns whether a user is wanted; others do not count. None accepts all.
        """
        column, value = SEARCHABLE[search.attribute], fold_case(search.value)
        # U+10FFFF is the greatest character, so this is not less than any value that begins with *value*.
        end = value + _GREATEST if search.prefix else value
        statement = (
            f"SELECT id, {column}, data FROM user WHERE pool = ? AND {column} BETWEEN ? AND ? "
            f"AND ({column}, id) > (?, ?) ORDER BY {column}, id"
        )
        found = self._work.execute(statement, self._work.row(pool), value, end, *after)
        wanted = ((row, key, data) for row, key, data in found if accept is None or accept(self._decode(data)))
        return [((key, row), self._use(row, data)) for row, key, data in islice(wanted, limit)]

    def groups(self, user: User) -> list[Group]:
        """Return the groups that *user* is in, the oldest first; a user who is not stored is in none."""
        if not self._work.uses(user):
            return []
        return self._groups.where("id IN (SELECT grp FROM member WHERE user = ?)", self._work.row(user))

    def join(self, group: Group, user: User) -> None:
        """Add *user* to *group*, if the user is not in it."""
        self._work.execute("INSERT OR IGNORE INTO member VALUES (?, ?)", self._work.row(group), self._work.row(user))

    def leave(self, group: Group, user: User) -> None:
        """Remove *user* from *group*, if the user is in it."""
        row = self._work.row(group)
        self._work.execute("DELETE FROM member WHERE grp = ? AND user = ?", row, self._work.row(user))

    def empty(self, group: Group) -> None:
        """Remove all users from *group*."""
        self._work.execute("DELETE FROM member WHERE grp = ?", self._work.row(group))

    def in_group(self, group: Group, after: int, limit: int) -> Iterator[tuple[int, User]]:
        """Yield the users in *group* with their rows, the oldest first, beginning after the row *after*."""
        statement = (
            "SELECT user.id, user.data FROM member JOIN user ON user.id = member.user "
            "WHERE grp = ? AND member.user > ? ORDER BY member.user LIMIT ?"
        )
        for row, data in self._work.execute(statement, self._work.row(group), after, limit).fetchall():
            yield row, self._use(row, data)

    def _use(self, row: int, data: bytes) -> User:
        return self._work.use("user", row, data, self._decode, self._write)

    def _write(self, row: int, record: Record, data: bytes) -> None:
        user = cast(User, record)
        columns = ", ".join(f"{column} = ?" for column in _COLUMNS)
        self._work.write(f"UPDATE user SET {columns}, data = ? WHERE id = ?", *_columns(user), data, row)


def _columns(user: User) -> list[str | None]:
    attributes = [user.attributes.get(name) for name in _ATTRIBUTES]
    values = [user.username, user.sub, *attributes, user.status, "enabled" if user.enabled else "disabled"]
    return [None if value is None else fold_case(value) for value in values]
