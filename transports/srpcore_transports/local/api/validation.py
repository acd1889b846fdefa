"""Validate a request by the service model, before its handler sees it.

The checks and their messages are those of the service, in this order:

1. types: SerializationException, at the first value of a wrong type;
2. members that the model does not know: InvalidParameterException. The service ignores such members. The local pool
   refuses them, because they are misspelled most of the time;
3. constraints: InvalidParameterException with all violations, in the model's order of members::

    2 validation errors detected: Value '' at 'clientId' failed to satisfy constraint: Member must have length greater
    than or equal to 1; Value '' at 'clientId' failed to satisfy constraint: Member must satisfy regular expression
    pattern: [\\w+]+

The value is left out if the model marks it as sensitive. Names in a path begin in lower case, and an item of a list is
``<list>.<number from 1>.member``. All violations of a list or map of simple values are reported as one, again as the
service does.

Another difference: the service accepts any string as a boolean. The local pool accepts only true and false.

A shape is compiled into a function (:data:`Check`) when a request first needs it. A pattern is compiled when a value is
first compared with it.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from . import patterns
from .errors import Refusal, invalid_parameter
from .json_types import (
    format_as_java,
    require_boolean,
    require_integer,
    require_list,
    require_object,
    require_string,
    require_timestamp,
)
from .shape_types import Blob, Boolean, Document, Enumeration, List, Map, Number, String, Structure, Timestamp
from .shapes import SHAPES

__all__ = ["check"]


PATTERN_LIMIT: Final = 256
"""Values that are longer than this, and longer than their shape allows, are not compared with their pattern.

They are refused for their length anyway, and with some patterns the comparison would take long.
"""

NULL: Final = "Member must not be null"


class Findings:
    """What is wrong with a request, apart from types.

    Attributes:
        violations: the broken constraints, each in the service's words.
        unknown: the members that the model does not know: the path, the name, and the known names.
    """

    __slots__ = ("unknown", "violations")

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.unknown: list[tuple[str, str, Iterable[str]]] = []

    def add_violation(self, path: str, rule: str, value: str | None) -> None:
        """Add a broken constraint; the *value* is None if it is sensitive."""
        shown = "Value" if value is None else f"Value {value}"
        self.violations.append(f"{shown} at '{path}' failed to satisfy constraint: {rule}")


Check: TypeAlias = Callable[[Any, str, Findings], None]
"""Compares a value, which is at the path, with its shape. Raises Refusal if the type is wrong."""

Rule: TypeAlias = tuple[str, Callable[[Any], bool]]
"""A constraint in the service's words, and a function that returns whether a value of the right type breaks it."""


def check(operation: str, document: Mapping[str, Any]) -> None:
    """Validate the request of an *operation* of the service model.

    Raises:
        Refusal: a value has a wrong type, a member is not known, or a constraint is broken.
    """
    findings = Findings()
    _checker(f"{operation}Request", hidden=False)(document, "", findings)
    if findings.unknown:
        raise invalid_parameter("; ".join(_unknown_member(operation, *found) for found in findings.unknown))
    count = len(findings.violations)
    if count:
        errors = "1 validation error" if count == 1 else f"{count} validation errors"
        raise invalid_parameter(f"{errors} detected: {'; '.join(findings.violations)}")


def _unknown_member(operation: str, path: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a member that the model does not know, with a name that is similar if there is one."""
    place = f" in '{path}'" if path else ""
    by_lower_case = {each.lower(): each for each in known}
    similar = difflib.get_close_matches(name[:64].lower(), by_lower_case, n=1)
    hint = (
        f"did you mean '{by_lower_case[similar[0]]}'?" if similar else "the service model has no member of this name."
    )
    return f"Unknown parameter '{name}'{place} of {operation}: {hint}"


@cache
def _checker(name: str, *, hidden: bool) -> Check:
    """Return the check of a shape; with *hidden* it shows no values, because what contains it is sensitive."""
    match SHAPES[name]:
        case Structure() as shape:
            return _structure(shape, hidden or shape.sensitive)
        case List() as shape:
            return _list(shape, hidden)
        case Map() as shape:
            return _map(shape, hidden or shape.sensitive)
        case String() as shape:
            return _simple(require_string, _string_rules(shape), hidden or shape.sensitive)
        case Enumeration() as shape:
            return _simple(require_string, _enumeration_rules(shape), hidden)
        case Number() as shape:
            return _simple(require_integer, _limits(shape, "value"), hidden)
        case Blob() as shape:
            return _blob(shape, hidden)
        case Boolean():
            return _simple(require_boolean, [], hidden)
        case Timestamp():
            return _simple(require_timestamp, [], hidden)
        case Document():
            return _anything


def _structure(shape: Structure, hidden: bool) -> Check:
    members = shape.members
    # The service's names in a path: UserPoolId is userPoolId.
    entries = [
        (name, name[:1].lower() + name[1:], name in shape.required, _checker(inner, hidden=hidden))
        for name, inner in members.items()
    ]

    def check_structure(value: Any, path: str, findings: Findings) -> None:
        found = require_object(value, path)
        prefix = f"{path}." if path else ""
        for name, wire_name, required, check_member in entries:
            member = found.get(name)
            if member is not None:
                check_member(member, prefix + wire_name, findings)
            elif required:
                findings.add_violation(
                    prefix + wire_name, NULL, None if _is_sensitive(members[name], hidden) else "null"
                )
        if not found.keys() <= members.keys():
            findings.unknown.extend((path, name, members) for name in found if name not in members)

    return check_structure


def _list(shape: List, hidden: bool) -> Check:
    limits = _limits(shape, "length")
    check_items = _items_as_a_whole(shape.member, hidden) or _items_one_by_one(shape.member, hidden)

    def check_list(value: Any, path: str, findings: Findings) -> None:
        found = require_list(value, path)
        for text, breaks in limits:
            if breaks(found):
                findings.add_violation(path, text, None if hidden else f"'{format_as_java(found)}'")
        check_items(found, path, findings)

    return check_list


def _items_one_by_one(name: str, hidden: bool) -> Check:
    check_item = _checker(name, hidden=hidden)

    def check_items(value: list[Any], path: str, findings: Findings) -> None:
        for number, item in enumerate(value, 1):
            if item is None:
                findings.add_violation(f"{path}.{number}.member", NULL, "null")
            else:
                check_item(item, f"{path}.{number}.member", findings)

    return check_items


def _items_as_a_whole(name: str, hidden: bool) -> Check | None:
    """Return the check of the items of a list, or None if they are not simple values of the shape *name*."""
    rules = _item_rules(name)
    if rules is None:
        return None
    check_item = _checker(name, hidden=hidden)
    hide = _is_sensitive(name, hidden)

    def check_items(value: list[Any], path: str, findings: Findings) -> None:
        of_items = Findings()
        for item in value:
            if item is not None:
                check_item(item, path, of_items)
        broken = [NULL] if None in value else rules if of_items.violations else []
        if broken:
            text = f"Member must satisfy constraint: [{', '.join(broken)}]"
            findings.add_violation(path, text, None if hide else f"'{format_as_java(value)}'")

    return check_items


def _map(shape: Map, hidden: bool) -> Check:
    check_key, key_rules = _checker(shape.key, hidden=hidden), _item_rules(shape.key) or []
    check_value, value_rules = _checker(shape.value, hidden=hidden), _item_rules(shape.value)
    limits = _limits(shape, "length")

    def check_map(value: Any, path: str, findings: Findings) -> None:
        found = require_object(value, path)
        of_keys, of_values = Findings(), Findings()
        for key, item in found.items():
            check_key(key, path, of_keys)
            if item is None:
                continue
            if value_rules is None:
                check_value(item, f"{path}.{key}.member", findings)
            else:
                check_value(item, path, of_values)
        broken = [text for text, breaks in limits if breaks(found)]
        if of_keys.violations:
            broken.append(f"Map keys must satisfy constraint: [{', '.join(key_rules)}]")
        if of_values.violations:
            broken.append(f"Map value must satisfy constraint: [{', '.join(value_rules or [])}]")
        for text in broken:
            findings.add_violation(path, text, None if hidden else f"'{format_as_java(found)}'")

    return check_map


def _simple(require_type: Callable[[Any, str], None], rules: list[Rule], hidden: bool) -> Check:
    def check_simple(value: Any, path: str, findings: Findings) -> None:
        require_type(value, path)
        for text, breaks in rules:
            if breaks(value):
                findings.add_violation(path, text, None if hidden else f"'{format_as_java(value)}'")

    return check_simple


def _blob(shape: Blob, hidden: bool) -> Check:
    limits = _limits(shape, "length")

    def check_blob(value: Any, path: str, findings: Findings) -> None:
        require_string(value, path)
        try:
            data = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise Refusal("SerializationException", f"'{path}' is not base64") from None
        for text, breaks in limits:
            if breaks(data):
                size = len(data)
                findings.add_violation(
                    path, text, None if hidden else f"'java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]'"
                )

    return check_blob


def _anything(value: Any, path: str, findings: Findings) -> None:
    """Accept any JSON value."""


def _is_sensitive(name: str, hidden: bool) -> bool:
    return hidden or bool(getattr(SHAPES[name], "sensitive", False))


def _limits(shape: Number | String | Blob | List | Map, measure: str) -> list[Rule]:
    """Return the rules of the smallest and the largest *measure*: the "length", or the "value" of a number."""
    size: Callable[[Any], int] = len if measure == "length" else int
    rules: list[Rule] = []
    least, most = shape.min, shape.max
    if least:
        rules.append(
            (f"Member must have {measure} greater than or equal to {least}", lambda value: size(value) < least)
        )
    elif least is not None and measure == "value":
        rules.append((f"Member must have value greater than or equal to {least}", lambda value: value < least))
    if most is not None:
        rules.append((f"Member must have {measure} less than or equal to {most}", lambda value: size(value) > most))
    return rules


def _string_rules(shape: String) -> list[Rule]:
    """Return the rules of a string: the smallest length, the pattern, the largest length."""
    rules = _limits(shape, "length")
    pattern = shape.pattern
    if pattern is not None:
        longest = math.inf if shape.max is None else max(shape.max, PATTERN_LIMIT)
        rule = f"Member must satisfy regular expression pattern: {pattern}"
        rules.insert(
            1 if shape.min else 0, (rule, lambda value: len(value) <= longest and not _matcher(pattern)(value))
        )
    return rules


_matcher = cache(patterns.matcher)


def _enumeration_rules(shape: Enumeration) -> list[Rule]:
    values = frozenset(shape.values)
    text = f"Member must satisfy enum value set: [{', '.join(shape.values)}]"
    return [(text, lambda value: value not in values)]


def _item_rules(name: str) -> list[str] | None:
    """Return the constraints of a simple shape as a list or map names them, or None if the shape is not simple.

    The service has another order here: the largest length, the smallest, the pattern.
    """
    match SHAPES[name]:
        case String() as shape:
            texts = [text for text, _ in _string_rules(shape)]
            return texts[-1:] + texts[:-1] if shape.max is not None else texts
        case Enumeration() as shape:
            return [text for text, _ in _enumeration_rules(shape)]
        case _:
            return None
