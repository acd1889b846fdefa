"""The users in the CSV file of a user import job: read them, and add them to a pool.

An imported user must set a password with ForgotPassword.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from ..api.errors import Refusal, invalid_parameter
from ..model import attributes, schema
from ..model.addresses import ADDRESSES
from ..model.pools import PoolRecord
from ..storage import directory
from ..storage.state import State

__all__ = ["add", "header", "read"]

# Source: the sample response in the developer guide, "Creating the CSV file".
_STANDARD = """
    name given_name family_name middle_name nickname preferred_username profile picture website email email_verified
    gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at
""".split()
_MFA, _USERNAME = "cognito:mfa_enabled", "cognito:username"


def header(pool: PoolRecord) -> list[str]:
    """Return the names of the columns that a file for *pool* must have, in any order."""
    custom = sorted(name for name in schema.names(pool) if name.startswith(("custom:", "dev:")))
    return [*_STANDARD, *custom, _MFA, _USERNAME]


def read(pool: PoolRecord, file: bytes) -> Iterator[dict[str, str]]:
    """Yield the users of a file: the values by the names of their columns.

    Raises:
        ValueError: the file is not UTF-8, its header is not the expected one, or a line has too few or many columns.
        csv.Error: a line cannot be read.
    """
    # Documented: values are not in quotation marks, and a comma in a value has a backslash in front.
    lines = csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""), quoting=csv.QUOTE_NONE, escapechar="\\")
    columns = next(lines, list[str]())
    if sorted(columns) != sorted(header(pool)):
        raise ValueError("The header in the CSV file does not match the expected headers.")
    for values in lines:
        if len(values) not in (0, len(columns)):
            raise ValueError(f"Line {lines.line_num} of the CSV file has {len(values)} columns, not {len(columns)}.")
        if values:
            yield dict(zip(columns, values, strict=True))


def add(state: State, pool: PoolRecord, row: Mapping[str, str]) -> str:
    """Add the user in *row* to *pool*, and return the name of the count to increase."""
    username = row[_USERNAME]
    given = {name: value for name, value in row.items() if value and name not in (_MFA, _USERNAME)}
    for name in ("email_verified", "phone_number_verified"):
        if name in given:
            given[name] = given[name].lower()
    if not username or not any(
        given.get(f"{name}_verified") == "true" for name in pool.names("AutoVerifiedAttributes")
    ):
        return "FailedUsers"
    if directory.find(state, pool, username) is not None:
        return "SkippedUsers"
    try:
        _add_checked(state, pool, username, given, sms=row[_MFA].lower() == "true")
    except Refusal:
        return "FailedUsers"
    return "ImportedUsers"


def _add_checked(state: State, pool: PoolRecord, username: str, given: dict[str, str], *, sms: bool) -> None:
    attributes.fill_username_attribute(pool, username, given)
    given = attributes.check(pool, given)
    attributes.check_required(pool, given)
    directory.check_new_username(state, pool, username)
    user = pool.new_user(username, state.clock())
    for name in ADDRESSES:
        if given.get(f"{name}_verified") == "true":
            if name not in given:
                raise invalid_parameter(f"{name}_verified is true, but {name} is missing.")
            directory.check_alias_free(state, pool, user, name, given[name])
    user.attributes |= given
    user.status = "RESET_REQUIRED"
    user.enabled_mfa = {"SMS_MFA"} if sms else set()
    state.users.add(pool, user)
