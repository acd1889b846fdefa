"""User attributes: what users of a pool can have, and which values they, apps and administrators may write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_authorized
from . import schema
from .addresses import ADDRESSES
from .pools import AppClient, PoolRecord
from .users import User

__all__ = [
    "check",
    "check_required",
    "check_unset",
    "check_writer",
    "fill_username_attribute",
    "looks_like",
    "pairs",
    "readable",
    "required",
]

_UNWRITABLE = ("email_verified", "phone_number_verified")
_ALWAYS_READABLE = ("sub", "identities")
_FORMS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "phone_number": re.compile(r"\+\d{2,15}", re.ASCII),
    "preferred_username": re.compile(r".+"),
}
_NUMBER = re.compile(r"-?\d{1,30}", re.ASCII)


def looks_like(attribute: str, value: str) -> bool:
    """Return whether *value* has the form of *attribute*, which is ``email`` or ``phone_number``."""
    return _FORMS[attribute].fullmatch(value) is not None


def fill_username_attribute(pool: PoolRecord, username: str, given: dict[str, str]) -> None:
    """Add the user name to *given* as ``email`` or ``phone_number``, if the pool uses that as user name.

    Raises:
        Refusal: *given* has another address than the user name.
    """
    for kind in pool.names("UsernameAttributes"):
        if looks_like(kind, username) and given.setdefault(kind, username) != username:
            # Source: https://github.com/jagregory/cognito-local/issues/102.
            shown = kind.replace("_", " ")
            raise invalid_parameter(
                f"User {shown} should be empty or same as username, since username attribute is {kind}."
            )


def required(pool: PoolRecord) -> list[str]:
    """Return the names of the attributes that every user of *pool* must have."""
    return [str(entry["Name"]) for entry in pool.schema if entry.get("Required") and entry.get("Name") != "sub"]


def check(pool: PoolRecord, given: Mapping[str, str], user: User | None = None) -> dict[str, str]:
    """Check that the attributes *given* conform to the schema of *pool*, and return them as they are stored.

    Args:
        user: the user whose attributes are changed; None for a new user, whose immutable attributes may be set.

    Raises:
        Refusal: an attribute does not exist in the pool, cannot be changed or removed, or its value does not conform.
    """
    stored = dict(given)
    for name, value in given.items():
        attribute = schema.definition(pool, name)
        if attribute is None:
            raise _nonconforming(name, "Attribute does not exist in the schema.")
        if name == "sub":
            raise invalid_parameter("Cannot modify the non-mutable attribute sub")
        if user is not None:
            _check_change(attribute, value)
        if value:
            stored[name] = _conforming(attribute, value)
    return stored


def check_unset(pool: PoolRecord, user: User, given: Iterable[str]) -> None:
    """Check that the first login of *user* does not change an immutable attribute that the user has already.

    Raises:
        Refusal: an immutable attribute would be changed.
    """
    for name in given:
        attribute = schema.definition(pool, name)
        if name in user.attributes and attribute is not None and not attribute["Mutable"]:
            raise _immutable(name)


def _check_change(attribute: Mapping[str, Any], value: str) -> None:
    name = attribute["Name"]
    if not attribute["Mutable"]:
        raise _immutable(name)
    if not value and attribute["Required"]:
        raise _nonconforming(name, f"The attribute {name} is required")


def _immutable(name: str) -> Refusal:
    # Source: https://github.com/aws-amplify/amplify-js/issues/3526
    return invalid_parameter(f"user.{name}: Attribute cannot be updated.\n")


def _nonconforming(name: str, reason: str) -> Refusal:
    return invalid_parameter(f"Attributes did not conform to the schema: {name}: {reason}\n")


def _conforming(attribute: Mapping[str, Any], value: str) -> str:
    """Return *value* as it is stored: that of a boolean in lower case.

    Raises:
        Refusal: the value does not have the type of *attribute*, or violates its constraints.
    """
    name, kind = attribute["Name"], attribute["AttributeDataType"]
    if name in ADDRESSES and not looks_like(name, value):
        raise invalid_parameter(f"Invalid {'email address' if name == 'email' else 'phone number'} format.")
    if kind == "Boolean":
        # Programs send str(True): stored as it is, "True" would not count as true.
        if value.lower() not in ("true", "false"):
            raise _nonconforming(name, "The value must be true or false")
        return value.lower()
    if kind == "Number":
        if not _NUMBER.fullmatch(value):
            raise _nonconforming(name, "The value must be a number")
        _check_range(name, int(value), "The value", attribute["NumberAttributeConstraints"], "Value")
    if kind == "String":
        _check_range(name, len(value), "The length of the value", attribute["StringAttributeConstraints"], "Length")
    return value


def _check_range(name: str, size: int, what: str, constraints: Mapping[str, str], suffix: str) -> None:
    least, most = constraints.get(f"Min{suffix}"), constraints.get(f"Max{suffix}")
    if least and size < int(least):
        raise _nonconforming(name, f"{what} must not be less than {least}")
    if most and size > int(most):
        raise _nonconforming(name, f"{what} must not be more than {most}")


def check_writer(client: AppClient, given: Iterable[str]) -> None:
    """Check that users of *client* may write the attributes called *given*.

    Only an administrator may write ``email_verified``, ``phone_number_verified`` and developer attributes. A client
    without WriteAttributes may write all others.

    Raises:
        Refusal: an attribute may not be written.
    """
    allowed = client.settings.get("WriteAttributes")
    for name in given:
        if name in _UNWRITABLE or name.startswith("dev:") or (allowed and name not in allowed):
            raise not_authorized("A client attempted to write unauthorized attribute")


def readable(client: AppClient, values: Mapping[str, str]) -> dict[str, str]:
    """Return those attributes that users of *client* may read (ReadAttributes); by default all of them."""
    allowed = client.settings.get("ReadAttributes")
    if not allowed:
        return dict(values)
    return {name: value for name, value in values.items() if name in allowed or name in _ALWAYS_READABLE}


def check_required(pool: PoolRecord, given: Mapping[str, str]) -> None:
    """Check that *given* has a value for every attribute that the pool requires.

    Raises:
        Refusal: a required attribute is missing or empty.
    """
    for name in required(pool):
        if not given.get(name):
            raise _nonconforming(name, f"The attribute {name} is required")


def pairs(values: Mapping[str, str], only: Iterable[str] = ()) -> list[dict[str, str]]:
    """Return attributes as a list of ``{"Name": ..., "Value": ...}``.

    Args:
        only: the names of the attributes to include; an empty iterable includes all of them.
    """
    wanted = list(only)
    return [{"Name": name, "Value": value} for name, value in values.items() if not wanted or name in wanted]
