"""The schema of a pool: the 20 standard attributes and the custom ones, with their types and constraints.

An attribute is described as the API describes it in SchemaAttributes: a dictionary with Name, AttributeDataType,
Mutable, Required, DeveloperOnlyAttribute, and the constraints of a string or a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..api.errors import invalid_parameter
from .pools import PoolRecord

__all__ = ["STANDARD", "check", "definition", "describe", "names"]

_LONGEST = 2048


def _standard(name: str, kind: str, *, fixed: bool = False, **constraints: object) -> dict[str, Any]:
    return {
        "Name": name,
        "AttributeDataType": kind,
        "DeveloperOnlyAttribute": False,
        "Mutable": not fixed,
        "Required": fixed,
        **constraints,
    }


def _string(name: str, least: int = 0, most: int = _LONGEST, *, fixed: bool = False) -> dict[str, Any]:
    lengths = {"MinLength": str(least), "MaxLength": str(most)}
    return _standard(name, "String", fixed=fixed, StringAttributeConstraints=lengths)


# In the order in which the service describes them. Source: an answer of DescribeUserPool of 2023,
# https://github.com/kengraf/nadialin
STANDARD: dict[str, dict[str, Any]] = {
    entry["Name"]: entry
    for entry in (
        _string("profile"),
        _string("address"),
        _string("birthdate", 10, 10),
        _string("gender"),
        _string("preferred_username"),
        _standard("updated_at", "Number", NumberAttributeConstraints={"MinValue": "0"}),
        _string("website"),
        _string("picture"),
        _string("sub", 1, fixed=True),
        _string("phone_number"),
        _standard("phone_number_verified", "Boolean"),
        _string("zoneinfo"),
        _string("locale"),
        _string("email"),
        _standard("email_verified", "Boolean"),
        _string("given_name"),
        _string("family_name"),
        _string("middle_name"),
        _string("name"),
        _string("nickname"),
    )
}
# Source: https://github.com/aws/aws-cdk/issues/14175: in Schema these become custom attributes.
_NOT_CONFIGURABLE = ("email_verified", "phone_number_verified")
_CONSTRAINTS = {
    "String": ("StringAttributeConstraints", "MinLength", "MaxLength", "length"),
    "Number": ("NumberAttributeConstraints", "MinValue", "MaxValue", "value"),
}


def describe(pool: PoolRecord) -> list[dict[str, Any]]:
    """Return SchemaAttributes of *pool*."""
    declared = {entry["Name"]: entry for entry in map(_completed, pool.schema)}
    return [*({**STANDARD, **declared}).values()]


def definition(pool: PoolRecord, name: str) -> dict[str, Any] | None:
    """Return the attribute called *name*, with its prefix, or None if *pool* does not have it."""
    for entry in pool.schema:
        if name.endswith(entry.get("Name") or "") and _full_name(entry) == name:
            return _completed(entry)
    return STANDARD.get(name)


def names(pool: PoolRecord) -> set[str]:
    """Return the names of the attributes that users of *pool* can have."""
    return set(STANDARD).union(map(_full_name, pool.schema))


def _full_name(entry: Mapping[str, Any]) -> str:
    name = str(entry.get("Name") or "")
    if _is_standard(entry):
        return name
    custom = name if name.startswith("custom:") else f"custom:{name}"
    return f"dev:{custom}" if entry.get("DeveloperOnlyAttribute") else custom


def _is_standard(entry: Mapping[str, Any]) -> bool:
    return entry.get("Name") in STANDARD and entry["Name"] not in _NOT_CONFIGURABLE


def _completed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of Schema with the members that it leaves out."""
    # Source of the defaults of custom attributes: moto, whose answers were compared with the service,
    # https://github.com/getmoto/moto/blob/master/moto/cognitoidp/models.py
    kind = str(entry.get("AttributeDataType") or "String")
    base = STANDARD[entry["Name"]] if _is_standard(entry) else _standard("", kind)
    given = {name: entry[name] for name in ("Mutable", "Required") if entry.get(name) is not None}
    complete = {**base, "Name": _full_name(entry), **given}
    complete["DeveloperOnlyAttribute"] = bool(entry.get("DeveloperOnlyAttribute"))
    member = _CONSTRAINTS.get(complete["AttributeDataType"], ("",))[0]
    if member:
        complete[member] = dict(entry.get(member) or base.get(member) or {})
    return complete


def check(schema: Sequence[Mapping[str, Any]]) -> None:
    """Check entries of Schema.

    Raises:
        Refusal: a custom attribute has no name, has no type or is required, a standard attribute is redefined, a
            minimum is above its maximum, or a constraint is not a number.
    """
    # The messages are those that moto has taken over from the service.
    for entry in schema:
        if not entry.get("Name"):
            raise invalid_parameter("Name of a custom attribute is missing.")
        if _is_standard(entry):
            kind = STANDARD[entry["Name"]]["AttributeDataType"]
            if entry.get("AttributeDataType") not in (None, kind) or entry.get("DeveloperOnlyAttribute"):
                raise invalid_parameter(
                    "You can not change AttributeDataType or set developerOnlyAttribute for standard schema attribute "
                    f"{entry['Name']}"
                )
        elif entry.get("Required"):
            raise invalid_parameter("Required custom attributes are not supported currently.")
        elif not entry.get("AttributeDataType"):
            # Source: https://github.com/aws/aws-cdk/issues/8585.
            raise invalid_parameter(
                "Invalid AttributeDataType input, consider using the provided AttributeDataType enum."
            )
        _check_constraints(_completed(entry))


def _check_constraints(attribute: Mapping[str, Any]) -> None:
    name, kind = attribute["Name"], attribute["AttributeDataType"]
    if kind not in _CONSTRAINTS:
        return
    member, minimum, maximum, what = _CONSTRAINTS[kind]
    invalid = f"Invalid {member} for schema attribute {name}"
    least = _limit(attribute[member].get(minimum), invalid)
    most = _limit(attribute[member].get(maximum), invalid)
    if kind == "String" and any(limit is not None and not 0 <= limit <= _LONGEST for limit in (least, most)):
        raise invalid_parameter(f"user.{name}: String attributes cannot have a length of more than {_LONGEST}")
    if least is not None and most is not None and most < least:
        raise invalid_parameter(f"user.{name}: Max {what} cannot be less than min {what}.")


def _limit(value: str | None, message: str) -> int | None:
    if not value:
        return None
    try:
        return int(value)
    except ValueError:
        raise invalid_parameter(message) from None
