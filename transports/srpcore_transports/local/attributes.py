"""User attributes: which a pool has, which it requires, and which a user may write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .directory import looks_like
from .errors import invalid_parameter, not_authorized
from .records import UserPool

__all__ = ["check", "check_required", "names", "pairs", "required"]

STANDARD = frozenset(
    """
    sub name given_name family_name middle_name nickname preferred_username profile picture website email
    email_verified gender birthdate zoneinfo locale phone_number phone_number_verified address updated_at
    """.split()
)
_UNWRITABLE = ("email_verified", "phone_number_verified")


def names(pool: UserPool) -> set[str]:
    """Return the names of the attributes that users of *pool* can have."""
    declared = {str(entry.get("Name", "")) for entry in pool.schema} - STANDARD
    return set(STANDARD) | {name if name.startswith("custom:") else f"custom:{name}" for name in declared}


def required(pool: UserPool) -> list[str]:
    """Return the names of the attributes that every user of *pool* must have."""
    return [str(entry["Name"]) for entry in pool.schema if entry.get("Required") and entry.get("Name") != "sub"]


def check(pool: UserPool, given: Mapping[str, str], *, by_user: bool) -> None:
    """Check that *given* may be written, by the user or by an administrator.

    Raises:
        Refusal: an attribute is unknown, immutable, or of the wrong form.
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
            spoken = "email address" if name == "email" else "phone number"
            raise invalid_parameter(f"Invalid {spoken} format.")


def check_required(pool: UserPool, given: Mapping[str, str]) -> None:
    """Check that *given* has everything that the pool requires.

    Raises:
        Refusal: something is missing.
    """
    for name in required(pool):
        if not given.get(name):
            raise invalid_parameter(
                f"Attributes did not conform to the schema: {name}: The attribute {name} is required\n"
            )


def pairs(values: Mapping[str, str], only: Iterable[str] = ()) -> list[dict[str, str]]:
    """Return attributes as a list of ``{"Name": ..., "Value": ...}``, all of them or *only* some."""
    wanted = list(only)
    return [{"Name": name, "Value": value} for name, value in values.items() if not wanted or name in wanted]
