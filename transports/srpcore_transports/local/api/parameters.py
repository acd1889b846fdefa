"""Read the parameters of an operation, and refuse a request if a parameter is missing, malformed or out of range.

Requests, and the settings that the constructor of LocalUserPool takes, have been validated by the service model already
(``validation.py``), so that the types are right here. These functions are stricter than the model if an operation needs
a member that the model does not require.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from srpcore.service_model import ENUMS

from .errors import Refusal, invalid_parameter

__all__ = [
    "Parameters",
    "attributes",
    "choice",
    "flag",
    "limited_string",
    "mapping",
    "named",
    "null_member",
    "number",
    "optional_string",
    "present",
    "require_mapping",
    "string",
    "strings",
]

Parameters: TypeAlias = Mapping[str, Any]


def optional_string(parameters: Parameters, name: str) -> str | None:
    """Return an optional string parameter, or None if it is absent."""
    return cast(str | None, parameters.get(name))


def string(parameters: Parameters, name: str) -> str:
    """Return a required string parameter, which must not be empty.

    Raises:
        Refusal: the value is absent or empty.
    """
    value = optional_string(parameters, name)
    if value is None:
        raise null_member(name)
    if not value:
        raise invalid_parameter(_constraint(name, "Member must have length greater than or equal to 1"))
    return value


def limited_string(parameters: Parameters, name: str, least: int, most: int) -> str | None:
    """Return an optional string parameter of *least* to *most* characters, or None if it is absent.

    Raises:
        Refusal: the value is too short or too long.
    """
    value = optional_string(parameters, name)
    if value is not None and len(value) < least:
        raise invalid_parameter(_constraint(name, f"Member must have length greater than or equal to {least}"))
    if value is not None and len(value) > most:
        raise invalid_parameter(_constraint(name, f"Member must have length less than or equal to {most}"))
    return value


def choice(parameters: Parameters, name: str, enumeration: str) -> str | None:
    """Return an optional string parameter whose values the service model's *enumeration* lists, or None if absent.

    Raises:
        Refusal: the value is not one of the enumeration.
    """
    value, choices = optional_string(parameters, name), ENUMS[enumeration]
    if value is not None and value not in choices:
        raise invalid_parameter(_constraint(name, f"Member must satisfy enum value set: [{', '.join(choices)}]"))
    return value


def present(parameters: Parameters, *names: str) -> dict[str, Any]:
    """Return those of the parameters called *names* that are not absent."""
    return {name: parameters[name] for name in names if parameters.get(name) is not None}


def null_member(name: str) -> Refusal:
    """Return the refusal for a required parameter that is absent: InvalidParameterException."""
    return invalid_parameter(_constraint(name, "Member must not be null"))


def _constraint(name: str, rule: str) -> str:
    return f"1 validation error detected: Value at '{name[:1].lower() + name[1:]}' failed to satisfy constraint: {rule}"


def named(values: Mapping[str, Any], name: str) -> str:
    """Return a required entry of AuthParameters or ChallengeResponses.

    The service has another message for a missing entry than for a missing parameter of the operation.

    Raises:
        Refusal: the value is absent or empty.
    """
    value = optional_string(values, name)
    if not value:
        raise invalid_parameter(f"Missing required parameter {name}")
    return value


def require_mapping(parameters: Parameters, name: str) -> dict[str, Any]:
    """Return a required parameter that is a JSON object.

    Raises:
        Refusal: the value is absent.
    """
    if parameters.get(name) is None:
        raise null_member(name)
    return mapping(parameters, name)


def flag(parameters: Parameters, name: str, *, default: bool = False) -> bool:
    """Return an optional boolean parameter, or *default* if it is absent."""
    value = parameters.get(name)
    return default if value is None else bool(value)


def number(parameters: Parameters, name: str, default: int, least: int, most: int) -> int:
    """Return an optional integer parameter from *least* to *most*, or *default* if it is absent.

    Raises:
        Refusal: the value is out of range.
    """
    value = cast(int | None, parameters.get(name))
    if value is None:
        return default
    if value < least:
        raise invalid_parameter(_constraint(name, f"Member must have value greater than or equal to {least}"))
    if value > most:
        raise invalid_parameter(_constraint(name, f"Member must have value less than or equal to {most}"))
    return value


def mapping(parameters: Parameters, name: str) -> dict[str, Any]:
    """Return an optional parameter that is a JSON object; an empty dictionary if it is absent."""
    return cast(dict[str, Any], parameters.get(name) or {})


def strings(parameters: Parameters, name: str) -> list[str]:
    """Return an optional parameter that is a list of strings; an empty list if it is absent."""
    return cast(list[str], parameters.get(name) or [])


def attributes(parameters: Parameters, name: str = "UserAttributes") -> dict[str, str]:
    """Return an optional list of ``{"Name": ..., "Value": ...}`` as a dictionary; an empty one if it is absent."""
    entries = cast(list[dict[str, Any]], parameters.get(name) or [])
    return {string(entry, "Name"): optional_string(entry, "Value") or "" for entry in entries}
