"""Read the parameters of an operation, and refuse a request if one that the operation needs is missing.

Requests, and the settings that the constructor of LocalUserPool takes, have been validated by the service model already
(``validation.py``), so that the types are right here. These functions are stricter than the model if an operation needs
a member that the model does not require.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from .errors import Refusal, invalid_parameter

__all__ = [
    "Parameters",
    "attributes",
    "flag",
    "mapping",
    "named",
    "optional_string",
    "present",
    "string",
    "strings",
]

Parameters: TypeAlias = Mapping[str, Any]


def optional_string(parameters: Parameters, name: str) -> str | None:
    """Return an optional string parameter, or None if it is absent."""
    value: str | None = parameters.get(name)
    return value


def string(parameters: Parameters, name: str) -> str:
    """Return a required string parameter, which must not be empty.

    Raises:
        Refusal: the value is absent or empty.
    """
    value = optional_string(parameters, name)
    if value is None:
        raise _violation(name, "Member must not be null")
    if not value:
        raise _violation(name, "Member must have length greater than or equal to 1")
    return value


def present(parameters: Parameters, *names: str) -> dict[str, Any]:
    """Return those of the parameters called *names* that are not absent."""
    return {name: parameters[name] for name in names if parameters.get(name) is not None}


def _violation(name: str, rule: str) -> Refusal:
    path = name[:1].lower() + name[1:]
    return invalid_parameter(f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {rule}")


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


def flag(parameters: Parameters, name: str, *, default: bool = False) -> bool:
    """Return an optional boolean parameter, or *default* if it is absent."""
    value = parameters.get(name)
    return default if value is None else bool(value)


def mapping(parameters: Parameters, name: str) -> dict[str, Any]:
    """Return an optional parameter that is a JSON object; an empty dictionary if it is absent."""
    value: dict[str, Any] = parameters.get(name) or {}
    return value


def strings(parameters: Parameters, name: str) -> list[str]:
    """Return an optional parameter that is a list of strings; an empty list if it is absent."""
    value: list[str] = parameters.get(name) or []
    return value


def attributes(parameters: Parameters, name: str = "UserAttributes") -> dict[str, str]:
    """Return an optional list of ``{"Name": ..., "Value": ...}`` as a dictionary; an empty one if it is absent."""
    entries: list[dict[str, Any]] = parameters.get(name) or []
    return {string(entry, "Name"): optional_string(entry, "Value") or "" for entry in entries}
