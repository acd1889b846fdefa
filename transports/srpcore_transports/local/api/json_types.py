"""The JSON types of values: refuse a value of a wrong type, and print a value, both as the service does.

Each ``require`` function raises :class:`Refusal` (SerializationException) with the path of the value, if the value has
another type.
"""

from __future__ import annotations

import math
from typing import Any, Final, NoReturn, cast

from .errors import Refusal

__all__ = [
    "format_as_java",
    "require_boolean",
    "require_integer",
    "require_list",
    "require_object",
    "require_string",
    "require_timestamp",
]

INTEGERS: Final = range(-(2**31), 2**31)
"""The integers of the service model have 32 bits."""


def require_object(value: Any, path: str) -> dict[str, Any]:
    """Return *value*, which must be an object."""
    if not isinstance(value, dict):
        _refuse_type(value, None, path)
    return cast(dict[str, Any], value)


def require_list(value: Any, path: str) -> list[Any]:
    """Return *value*, which must be a list."""
    if not isinstance(value, list):
        _refuse_type(value, None, path)
    return cast(list[Any], value)


def require_string(value: Any, path: str) -> None:
    """Check that *value* is a string."""
    if not isinstance(value, str):
        _refuse_type(value, "a String", path)


def require_integer(value: Any, path: str) -> None:
    """Check that *value* is an integer of 32 bits."""
    if not isinstance(value, int) or isinstance(value, bool) or value not in INTEGERS:
        _refuse_type(value, "an Integer", path)


def require_boolean(value: Any, path: str) -> None:
    """Check that *value* is true or false."""
    if not isinstance(value, bool):
        _refuse_type(value, "a Boolean", path)


def require_timestamp(value: Any, path: str) -> None:
    """Check that *value* is a finite number."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        _refuse_type(value, "a Timestamp", path)


def _refuse_type(value: Any, wanted: str | None, path: str) -> NoReturn:
    """Raise SerializationException in the service's words, and add the path, which the service does not name.

    Args:
        value: the value of a wrong type.
        wanted: the simple type that the model wants, with its article, or None for a list, a map or a structure.
        path: the place of the value.
    """
    if isinstance(value, dict):
        text = "Start of structure or map found where not expected."
    elif isinstance(value, list):
        text = "Start of list found where not expected."
    elif wanted is None:
        text = "Unexpected field type"
    else:
        token = "STRING" if isinstance(value, str) else str(value).upper() if isinstance(value, bool) else "NUMBER"
        text = f"{token}_VALUE can not be converted to {wanted}"
    raise Refusal("SerializationException", f"{text} (at '{path}')")


def format_as_java(value: Any) -> str:
    """Return *value* as Java prints it, which is the form in the service's messages."""
    if isinstance(value, list):
        return f"[{', '.join(map(format_as_java, cast(list[Any], value)))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={format_as_java(item)}' for key, item in cast(dict[str, Any], value).items())}}}"
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
