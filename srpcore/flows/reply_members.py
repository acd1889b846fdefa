"""Read the members of a reply that must have a certain type. No transport compares replies with the service model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..exceptions.base import UnsafeServerValue
from ..protocol import JsonObject

__all__ = ["object_list", "require_object", "require_string", "user_attributes"]


def require_string(document: Mapping[str, Any], name: str) -> str:
    """Return the string *name* of *document*.

    Raises:
        UnsafeServerValue: it is missing, empty or not a string.
    """
    value: object = document.get(name)
    if not isinstance(value, str) or not value:
        raise UnsafeServerValue(f"unsafe value from the server: {name} must be a string that is not empty")
    return value


def require_object(document: JsonObject, name: str) -> JsonObject:
    """Return the JSON object *name* of *document*.

    Raises:
        UnsafeServerValue: it is missing or not a JSON object.
    """
    value: object = document.get(name)
    if not isinstance(value, Mapping):
        raise UnsafeServerValue(f"unsafe value from the server: {name} must be a JSON object")
    return cast(JsonObject, value)


def object_list(document: JsonObject, name: str) -> list[JsonObject]:
    """Return the list of JSON objects *name* of *document*, which is empty if it is missing.

    Raises:
        UnsafeServerValue: it is not a list of JSON objects.
    """
    values: object = document.get(name)
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(item, Mapping) for item in cast(list[object], values)):
        raise UnsafeServerValue(f"unsafe value from the server: {name} must be a list of JSON objects")
    return cast(list[JsonObject], values)


def user_attributes(user: JsonObject, name: str) -> list[dict[str, Any]]:
    """Return the user's attributes *name* of *user*: a list of objects, each with Name and Value.

    Raises:
        UnsafeServerValue: it is not such a list, or the name of an attribute is not a string.
    """
    attributes = object_list(user, name)
    if not all(isinstance(attribute.get("Name"), str | None) for attribute in attributes):
        raise UnsafeServerValue(f"unsafe value from the server: {name} has a Name that is not a string")
    return cast(list[dict[str, Any]], attributes)
