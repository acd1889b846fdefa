"""User attributes: which ones a pool has, which ones it requires, and which ones a user may write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..api.errors import invalid_parameter, not_authorized
from .records import PoolRecord

__all__ = ["check", "check_required", "looks_like", "names", "pairs", "required"]

STANDARD = frozenset(
    """
    sub name given_name family_name middle_name nickname preferred_username profile picture website email
    email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at
    """.split()
)
_UNWRITABLE = ("email_verified", "phone_number_verified")
_FORMS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "phone_number": re.compile(r"\+\d{2,15}", re.ASCII),
    "preferred_username": re.compile(r".+"),
}


def looks_like(attribute: str, value: str) -> bool:
    """Return whether *value* has the form of *attribute*, which is ``email`` or ``phone_number``."""
    return _FORMS[attribute].fullmatch(value) is not None


def names(pool: PoolRecord) -> set[str]:
    """Return the names of the attributes that users of *pool* can have."""
    declared = {str(entry.get("Name", "")) for entry in pool.schema} - STANDARD
    return set(STANDARD) | {name if name.startswith("custom:") else f"custom:{name}" for name in declared}


def required(pool: PoolRecord) -> list[str]:
    """Return the names of the attributes that every user of *pool* must have."""
    return [str(entry["Name"]) for entry in pool.schema if entry.get("Required") and entry.get("Name") != "sub"]


def check(pool: PoolRecord, given: Mapping[str, str], *, by_user: bool) -> None:
    """Check that the attributes *given* may be written.

    Args:
        by_user: the user writes them, not an administrator. Only an administrator may set ``email_verified`` and
            ``phone_number_verified``.

    Raises:
        Refusal: an attribute does not exist in the pool, may not be written, or is malformed.
    """
    known = names(pool)
    for name, value in given.items():
        if name not in known:
            raise invalid_parameter(
                f"Attributes did not conform to the schema: {name}: Attribute does not exist in the schema.\n"
            )
        if name == "sub":
            raise invalid_parameter("Cannot modify the non-mutable attribute sub")
        if by_user and name in _UNWRITABLE:
            raise not_authorized("A client attempted to write unauthorized attribute")
        if name in ("email", "phone_number") and value and not looks_like(name, value):
            kind = "email address" if name == "email" else "phone number"
            raise invalid_parameter(f"Invalid {kind} format.")


def check_required(pool: PoolRecord, given: Mapping[str, str]) -> None:
    """Check that *given* has a value for every attribute that the pool requires.

    Raises:
        Refusal: a required attribute is missing or empty.
    """
    for name in required(pool):
        if not given.get(name):
            raise invalid_parameter(
                f"Attributes did not conform to the schema: {name}: The attribute {name} is required\n"
            )


def pairs(values: Mapping[str, str], only: Iterable[str] = ()) -> list[dict[str, str]]:
    """Return attributes as a list of ``{"Name": ..., "Value": ...}``.

    Args:
        only: the names of the attributes to include; an empty iterable includes all of them.
    """
    wanted = list(only)
    return [{"Name": name, "Value": value} for name, value in values.items() if not wanted or name in wanted]
