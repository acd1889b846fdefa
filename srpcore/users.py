"""Users' attributes, between the service's lists and Python's dictionaries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

__all__ = ["camel_to_snake", "cognito_to_dict", "dict_to_cognito", "snake_to_camel"]

_BOOLEANS = {"true": True, "false": False}


def cognito_to_dict(
    attr_list: Iterable[Mapping[str, Any]], attr_map: Mapping[str, str] | None = None
) -> dict[str | None, Any]:
    """Return a list of ``{"Name": ..., "Value": ...}`` as a dictionary; ``"true"`` and ``"false"`` become booleans.

    *attr_map* says under which name an attribute of the service is shown.
    """
    shown = attr_map or {}
    attributes: dict[str | None, Any] = {}
    for attribute in attr_list:
        name, value = attribute.get("Name"), attribute.get("Value")
        attributes[shown.get(cast(str, name), name)] = _BOOLEANS.get(value, value) if isinstance(value, str) else value
    return attributes


def dict_to_cognito(attributes: Mapping[str, Any], attr_map: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return *attributes* as the service's list; booleans become ``"true"`` and ``"false"``. Nothing given is changed.

    *attr_map* is :func:`cognito_to_dict`'s: the service's name to the name shown.
    """
    renamed = dict(attributes)
    for name, shown in (attr_map or {}).items():
        if shown in renamed:
            renamed[name] = renamed.pop(shown)
    return [{"Name": name, "Value": _text(value)} for name, value in renamed.items()]


def _text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def camel_to_snake(camel_str: str) -> str:
    """Return ``snake_case`` of *camel_str*."""
    words = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", camel_str)
    return re.sub("([a-z0-9])([A-Z])", r"\1_\2", words).lower()


def snake_to_camel(snake_str: str) -> str:
    """Return ``CamelCase`` of *snake_str*."""
    return "".join(word.title() for word in snake_str.split("_"))
