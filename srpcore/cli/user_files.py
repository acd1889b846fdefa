"""Files of users: JSON lines or CSV, one user in each line, written and read a part at a time.

The form is chosen by the name of the file. A user is an object as :func:`srpcore.cli.users.flat_user` returns it, with
``groups`` if they were exported. In CSV each attribute has a column with its name, groups are separated by spaces, and
an empty cell is an attribute that the user does not have.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO, cast

from ..exceptions.base import ConfigurationError
from .output import json_value

__all__ = ["STANDARD_ATTRIBUTES", "UserFile"]

STANDARD_ATTRIBUTES: Final = tuple(
    "sub name given_name family_name middle_name nickname preferred_username email email_verified phone_number "
    "phone_number_verified birthdate gender address locale zoneinfo picture profile website updated_at".split()
)
"""The standard attributes of OpenID Connect, as Cognito has them."""

_MEMBERS: Final = ("username", "status", "enabled", "created", "modified", "groups")


class UserFile:
    """A file of users.

    Args:
        path: the file; its name ends in ``.jsonl`` or ``.csv``.
        custom: the names of the pool's custom attributes, for the columns of a CSV file that is written.

    Raises:
        ConfigurationError: the name of the file ends otherwise.
    """

    def __init__(self, path: str, custom: Iterable[str] = ()) -> None:
        self.path = Path(path)
        if self.path.suffix not in (".jsonl", ".csv"):
            raise ConfigurationError(f"{path!r}: the name must end in .jsonl or .csv, because it chooses the form")
        self._csv = self.path.suffix == ".csv"
        self._columns = [*_MEMBERS, *dict.fromkeys((*STANDARD_ATTRIBUTES, *custom))]

    def head(self) -> str:
        """Return what stands before the first user."""
        return self._line(self._columns) if self._csv else ""

    def lines(self, users: Iterable[dict[str, Any]]) -> str:
        """Return the lines for *users*."""
        return "".join(map(self._csv_line if self._csv else self._json_line, users))

    def _json_line(self, user: dict[str, Any]) -> str:
        return json.dumps(user, ensure_ascii=False, default=json_value) + "\n"

    def _csv_line(self, user: dict[str, Any]) -> str:
        row = {**user["attributes"], **user, "groups": " ".join(user.get("groups", []))}
        return self._line([_cell(row.get(column)) for column in self._columns])

    def _line(self, cells: list[str]) -> str:
        from io import StringIO

        line = StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        return line.getvalue()

    def read(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each user with the number of its line.

        Raises:
            ConfigurationError: the file cannot be read, or a line is not a user.
        """
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield from self._read_csv(file) if self._csv else self._read_json(file)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise ConfigurationError(f"could not read {self.path}: {error}") from None

    def _read_json(self, file: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                user: object = json.loads(line)
            except ValueError as error:
                raise self._wrong(number, f"not JSON ({error})") from None
            if not isinstance(user, dict):
                raise self._wrong(number, "not a JSON object")
            yield number, self._checked(number, cast("dict[str, Any]", user))

    def _read_csv(self, file: TextIO) -> Iterator[tuple[int, dict[str, Any]]]:
        reader = csv.DictReader(file, strict=True)
        if "username" not in (reader.fieldnames or ()):
            raise self._wrong(
                1, "the first line must name the columns, separated by commas, and one of them must be username"
            )
        for row in reader:
            if None in row or None in row.values():
                raise self._wrong(reader.line_num, "it must have as many cells as the first line")
            attributes = {name: value for name, value in row.items() if value and name not in _MEMBERS}
            user: dict[str, Any] = {"username": row["username"], "attributes": attributes}
            if row.get("groups"):
                user["groups"] = row["groups"].split()
            if row.get("enabled"):
                user["enabled"] = row["enabled"].lower() != "false"
            yield reader.line_num, self._checked(reader.line_num, user)

    def _checked(self, number: int, user: dict[str, Any]) -> dict[str, Any]:
        attributes, groups = user.get("attributes", {}), user.get("groups", [])
        if not isinstance(user.get("username"), str) or not user["username"]:
            raise self._wrong(number, "no username")
        if not isinstance(attributes, dict) or not _all_strings(cast("dict[str, object]", attributes).values()):
            raise self._wrong(number, "attributes must be an object with strings")
        if not isinstance(groups, list) or not _all_strings(cast("list[object]", groups)):
            raise self._wrong(number, "groups must be a list of strings")
        return user

    def _wrong(self, number: int, what: str) -> ConfigurationError:
        return ConfigurationError(f"{self.path}, line {number}: {what}")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json_value(value)


def _all_strings(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)
