"""Read the parameters of an operation, and refuse a request if a parameter is missing, malformed or out of range.

A request has been validated by the service model already (``validation.py``). These functions are stricter than the
model if an operation needs a member that the model does not require. They also check the settings that the constructor
of LocalUserPool takes, which are not a request.
"""

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
    "present",
    "require_mapping",
    "string",
    "strings",
]

T = TypeVar("T")
Parameters: TypeAlias = Mapping[str, Any]


def _get_typed(parameters: Parameters, name: str, kind: type[T]) -> T | None:
    value = parameters.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Refusal("SerializationException", f"{name} can not be converted to {kind.__name__}")
    return value


def optional_string(parameters: Parameters, name: str) -> str | None:
    """Return an optional string parameter, or None if it is absent.

    Raises:
        Refusal: the value is not a string.
    """
    return _get_typed(parameters, name, str)


def string(parameters: Parameters, name: str) -> str:
    """Return a required string parameter, which must not be empty.

    Raises:
        Refusal: the value is absent, empty or not a string.
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
        Refusal: the value is too short, too long or not a string.
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
        Refusal: the value is absent, empty or not a string.
    """
    value = optional_string(values, name)
    if not value:
        raise invalid_parameter(f"Missing required parameter {name}")
    return value


def require_mapping(parameters: Parameters, name: str) -> dict[str, Any]:
    """Return a required parameter that is a JSON object.

    Raises:
        Refusal: the value is absent or not an object.
    """
    if parameters.get(name) is None:
        raise null_member(name)
    return mapping(parameters, name)


def flag(parameters: Parameters, name: str, *, default: bool = False) -> bool:
    """Return an optional boolean parameter, or *default* if it is absent.

    Raises:
        Refusal: the value is not a boolean.
    """
    value = _get_typed(parameters, name, bool)
    return default if value is None else value


def number(parameters: Parameters, name: str, default: int, least: int, most: int) -> int:
    """Return an optional integer parameter from *least* to *most*, or *default* if it is absent.

    Raises:
        Refusal: the value is not an integer, or is out of range.
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
    """Return an optional parameter that is a JSON object; an empty dictionary if it is absent.

    Raises:
        Refusal: the value is not an object.
    """
    return cast(dict[str, Any], _get_typed(parameters, name, dict) or {})


def strings(parameters: Parameters, name: str) -> list[str]:
    """Return an optional parameter that is a list of strings; an empty list if it is absent.

    Raises:
        Refusal: the value is not a list of strings.
    """
    values = cast(list[Any], _get_typed(parameters, name, list) or [])
    if not all(isinstance(value, str) for value in values):
        raise Refusal("SerializationException", f"{name} can not be converted to a list of strings")
    return cast(list[str], values)


def attributes(parameters: Parameters, name: str = "UserAttributes") -> dict[str, str]:
    """Return an optional list of ``{"Name": ..., "Value": ...}`` as a dictionary; an empty one if it is absent.

    Raises:
        Refusal: the value is not a list of such objects.
    """
    entries = cast(list[Any], _get_typed(parameters, name, list) or [])
    if not all(isinstance(entry, dict) for entry in entries):
        raise Refusal("SerializationException", f"{name} can not be converted to a list of attributes")
    typed = cast(list[dict[str, Any]], entries)
    return {string(entry, "Name"): optional_string(entry, "Value") or "" for entry in typed}
