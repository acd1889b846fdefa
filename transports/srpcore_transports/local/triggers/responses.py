"""Read the members of a trigger's response.

Each function raises :class:`Refusal` if the member has another type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..api.errors import Refusal

__all__ = ["boolean", "invalid_output", "json_object", "optional_string", "string_map", "strings"]


def invalid_output() -> Refusal:
    """Return the refusal of a response that the trigger may not give."""
    return Refusal("InvalidLambdaResponseException", "Unrecognizable lambda output")


def boolean(response: Mapping[str, object], name: str) -> bool:
    """Return the member *name* of *response*; False if it is absent or null."""
    value = response.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid_output()
    return bool(value)


def optional_string(response: Mapping[str, object], name: str) -> str | None:
    """Return the member *name* of *response*; None if it is absent or null."""
    value = response.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid_output()
    return value


def json_object(response: Mapping[str, object], name: str) -> dict[str, object]:
    """Return the member *name* of *response*, an object; empty if it is absent or null."""
    value = response.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_output()
    return cast(dict[str, object], value)


def string_map(response: Mapping[str, object], name: str) -> dict[str, str]:
    """Return the member *name* of *response*, an object with strings as values; empty if it is absent or null."""
    values = json_object(response, name)
    if not all(isinstance(each, str) for each in values.values()):
        raise invalid_output()
    return cast(dict[str, str], values)


def strings(response: Mapping[str, object], name: str) -> tuple[str, ...]:
    """Return the member *name* of *response*, a list of strings; empty if it is absent or null."""
    value = response.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid_output()
    values = cast(list[object], value)
    if not all(isinstance(each, str) for each in values):
        raise invalid_output()
    return tuple(cast(list[str], values))
