"""Read the parameters of an operation: what is missing or of the wrong kind is refused before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar, cast

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
    "require_mapping",
    "string",
    "strings",
]

T = TypeVar("T")
Parameters: TypeAlias = Mapping[str, Any]

TEXT_LIMIT = 131_072
"""The characters of the longest text that is read: the service's own limit for ListUsers' token and the like."""


def _get_typed(parameters: Parameters, name: str, kind: type[T]) -> T | None:
    value = parameters.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refusal("SerializationException", f"{name} can not be converted to {kind.__name__}")
    return value


def optional_string(parameters: Parameters, name: str) -> str | None:
    """Return a string parameter, or None where it is absent.

    Raises:
        Refusal: it is of another type, or too long.
    """
    value = _get_typed(parameters, name, str)
    if value is not None and len(value) > TEXT_LIMIT:
        raise invalid_parameter(_constraint(name, f"Member must have length less than or equal to {TEXT_LIMIT}"))
    return value


def string(parameters: Parameters, name: str) -> str:
    """Return a required string parameter that is not empty.

    Raises:
        Refusal: it is absent, empty or of another type.
    """
    value = optional_string(parameters, name)
    if value is None:
        raise null_member(name)
    if not value:
        raise invalid_parameter(_constraint(name, "Member must have length greater than or equal to 1"))
    return value


def limited_string(parameters: Parameters, name: str, least: int, most: int) -> str | None:
    """Return an optional string parameter of *least* to *most* characters.

    Raises:
        Refusal: it is shorter, longer or of another type.
    """
    value = optional_string(parameters, name)
    if value is not None and len(value) < least:
        raise invalid_parameter(_constraint(name, f"Member must have length greater than or equal to {least}"))
    if value is not None and len(value) > most:
        raise invalid_parameter(_constraint(name, f"Member must have length less than or equal to {most}"))
    return value


def choice(parameters: Parameters, name: str, enumeration: str) -> str | None:
    """Return an optional string parameter that is a value of the service model's *enumeration*.

    Raises:
        Refusal: it is something else.
    """
    value, choices = optional_string(parameters, name), ENUMS[enumeration]
    if value is not None and value not in choices:
        raise invalid_parameter(_constraint(name, f"Member must satisfy enum value set: [{', '.join(choices)}]"))
    return value


def null_member(name: str) -> Refusal:
    """Return the refusal for a required parameter that is absent."""
    return invalid_parameter(_constraint(name, "Member must not be null"))


def _constraint(name: str, rule: str) -> str:
    return f"1 validation error detected: Value at '{name[:1].lower() + name[1:]}' failed to satisfy constraint: {rule}"


def named(values: Mapping[str, Any], name: str) -> str:
    """Return an entry of AuthParameters or ChallengeResponses, which the service calls a missing parameter.

    Raises:
        Refusal: it is absent, empty or no string.
    """
    value = optional_string(values, name)
    if not value:
        raise invalid_parameter(f"Missing required parameter {name}")
    return value


def require_mapping(parameters: Parameters, name: str) -> dict[str, Any]:
    """Return a required parameter that is an object.

    Raises:
        Refusal: it is absent or of another type.
    """
    if parameters.get(name) is None:
        raise null_member(name)
    return mapping(parameters, name)


def flag(parameters: Parameters, name: str, *, default: bool = False) -> bool:
    """Return a boolean parameter, or *default* where it is absent.

    Raises:
        Refusal: it is of another type.
    """
    value = _get_typed(parameters, name, bool)
    return default if value is None else value


def number(parameters: Parameters, name: str, default: int, least: int, most: int) -> int:
    """Return an integer parameter between *least* and *most*, or *default* where it is absent.

    Raises:
        Refusal: it is of another type, or out of range.
    """
    value = _get_typed(parameters, name, int)
    if value is None:
        return default
    if value < least:
        raise invalid_parameter(_constraint(name, f"Member must have value greater than or equal to {least}"))
    if value > most:
        raise invalid_parameter(_constraint(name, f"Member must have value less than or equal to {most}"))
    return value


def mapping(parameters: Parameters, name: str) -> dict[str, Any]:
    """Return a parameter that is an object, empty where it is absent.

    Raises:
        Refusal: it is of another type.
    """
    return cast(dict[str, Any], _get_typed(parameters, name, dict) or {})


def strings(parameters: Parameters, name: str) -> list[str]:
    """Return a parameter that is a list of strings, empty where it is absent.

    Raises:
        Refusal: it is of another type.
    """
    values = cast(list[Any], _get_typed(parameters, name, list) or [])
    if not all(isinstance(value, str) for value in values):
        raise Refusal("SerializationException", f"{name} can not be converted to a list of strings")
    return cast(list[str], values)


def attributes(parameters: Parameters, name: str = "UserAttributes") -> dict[str, str]:
    """Return a list of ``{"Name": ..., "Value": ...}`` as a dictionary.

    Raises:
        Refusal: it has another shape.
    """
    entries = cast(list[Any], _get_typed(parameters, name, list) or [])
    if not all(isinstance(entry, dict) for entry in entries):
        raise Refusal("SerializationException", f"{name} can not be converted to a list of attributes")
    typed = cast(list[dict[str, Any]], entries)
    return {string(entry, "Name"): optional_string(entry, "Value") or "" for entry in typed}
