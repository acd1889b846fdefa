"""Compare a call with a recorded one.

A test may use another user name or password than the recording. The first value that it sends where a placeholder was
recorded becomes the value of that placeholder. From then on, values that were different in the recording must be
different, and a value that was repeated must be repeated. Values that are new at every login are compared by their
form only. If a reply contained a name before the program sent it, replay has made one up; the program's own name
replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from .placeholders import JSON, KEY, PATTERN, label_and_number
from .redaction import parse_inner
from .shapes import SHAPES, shape_of
from .synthetic import synthetic_value
from .vocabulary import ANY_STRING, KEYS, WORDS, is_attribute, is_chosen_by_program, is_member

__all__ = ["Bindings", "differences"]

_BY_SHAPE: Final = {shape_of(member): matches for member, matches in SHAPES.items()}


class Bindings:
    """The values of the placeholders in one replay; *defaults* has values for placeholders that are not bound yet."""

    def __init__(self, defaults: Mapping[str, str]) -> None:
        self._defaults = dict(defaults)
        self._values: dict[str, str] = {}
        self._owners: dict[tuple[str, bool], str] = {}
        self._made_up: set[str] = set()

    def copy(self) -> Bindings:
        """Return a copy, for a comparison that may fail."""
        other = Bindings(self._defaults)
        other._values, other._owners = dict(self._values), dict(self._owners)
        other._made_up = set(self._made_up)
        return other

    def bind(self, placeholder: str, value: str) -> str:
        """Make *value* the value of *placeholder*, and return it. Earlier values are still recognized."""
        self._values[placeholder] = value
        self._owners[_slot(placeholder, value)] = placeholder
        return value

    def value_of(self, placeholder: str) -> str:
        """Return the value of *placeholder*. If it is not bound, bind it to its default, or to a synthetic value."""
        known = self._values.get(placeholder)
        if known is not None:
            return known
        if is_chosen_by_program(label_and_number(placeholder)[0]):
            self._made_up.add(placeholder)
        return self.bind(placeholder, self._defaults.get(placeholder) or synthetic_value(placeholder))

    def candidates(self, placeholder: str, values: Iterable[str]) -> list[str]:
        """Return the value that belongs to *placeholder*, else all that belong to no placeholder."""
        free = [value for value in values if self._owners.get(_slot(placeholder, value), placeholder) == placeholder]
        return [value for value in free if _slot(placeholder, value) in self._owners] or free

    def difference(self, placeholder: str, value: str) -> str | None:
        """Return why *value* does not match *placeholder*, or None if it does; then it is bound."""
        if label_and_number(placeholder)[0] in ANY_STRING:
            return None if value else "it is empty"
        owner = self._owners.get(_slot(placeholder, value))
        if owner == placeholder:
            return None
        if owner is not None:
            return f"it is the value of {owner}"
        if placeholder in self._values and placeholder not in self._made_up:
            return "it differs from the value that was sent there before"
        self._made_up.discard(placeholder)
        self.bind(placeholder, value)
        return None


def _slot(placeholder: str, value: str) -> tuple[str, bool]:
    # Names that the program made up are numbered separately from values.
    return value, label_and_number(placeholder)[0] == KEY


def differences(recorded: Mapping[str, Any], actual: Mapping[str, Any], bindings: Bindings) -> list[str]:
    """Return the differences between a recorded request and the parameters of a call, one string for each member.

    The strings contain names of members, placeholders and published words, and nothing else of *actual*.

    Args:
        recorded: the recorded request.
        actual: the parameters of the call.
        bindings: the values of the placeholders; new ones are added.
    """
    found: list[str] = []
    _compare(recorded, actual, bindings, "", found)
    return found


def _compare(recorded: Any, actual: Any, bindings: Bindings, path: str, found: list[str]) -> None:
    if isinstance(recorded, Mapping):
        _compare_objects(cast(Mapping[str, Any], recorded), actual, bindings, path, found)
    elif isinstance(recorded, list):
        _compare_lists(cast(list[Any], recorded), actual, bindings, path, found)
    elif isinstance(recorded, str) and recorded in _BY_SHAPE:
        if not isinstance(actual, str) or not _BY_SHAPE[recorded](actual):
            found.append(f"{path}: expected a {recorded[1:-1]}, got {_describe(actual)}")
    elif isinstance(recorded, str) and PATTERN.fullmatch(recorded):
        _compare_value(recorded, actual, bindings, path, found)
    elif type(recorded) is not type(actual) or recorded != actual:
        found.append(f"{path}: expected {recorded!r}, got {_describe(actual)}")


def _compare_value(recorded: str, actual: Any, bindings: Bindings, path: str, found: list[str]) -> None:
    if actual is None or isinstance(actual, (bool, Mapping, list, tuple)):
        found.append(f"{path}: expected {recorded}, got {_describe(cast(object, actual))}")
        return
    reason = bindings.difference(recorded, str(actual))
    if reason is not None:
        found.append(f"{path}: expected {recorded}, but {reason}")


def _compare_lists(recorded: list[Any], actual: Any, bindings: Bindings, path: str, found: list[str]) -> None:
    items = list(cast(list[Any], actual)) if isinstance(actual, (list, tuple)) else None
    if items is None or len(items) != len(recorded):
        found.append(f"{path}: expected a list of {len(recorded)}, got {_describe(cast(object, actual))}")
        return
    for index, (expected, item) in enumerate(zip(recorded, items, strict=True)):
        _compare(expected, item, bindings, f"{path}[{index}]", found)


def _compare_objects(recorded: Mapping[str, Any], actual: Any, bindings: Bindings, path: str, found: list[str]) -> None:
    if JSON in recorded:
        inner = parse_inner(actual) if isinstance(actual, str) else None
        _compare(recorded[JSON], inner, bindings, path, found)
        return
    if not isinstance(actual, Mapping):
        found.append(f"{path}: expected an object, got {_describe(actual)}")
        return
    members = dict(cast(Mapping[str, Any], actual))
    for key, expected in recorded.items():
        if not PATTERN.fullmatch(key) and key in members:
            _compare(expected, members.pop(key), bindings, _under(path, key), found)
        elif not PATTERN.fullmatch(key):
            found.append(f"{_under(path, key)}: it is missing")
    _compare_renamed(recorded, members, bindings, path, found)


def _compare_renamed(
    recorded: Mapping[str, Any], members: dict[str, Any], bindings: Bindings, path: str, found: list[str]
) -> None:
    # Keys that are placeholders are compared with the keys that are left, both in the order in which they appeared.
    hidden = sorted((key for key in recorded if PATTERN.fullmatch(key)), key=label_and_number)
    for placeholder in hidden:
        place = _under(path, placeholder)
        if not members:
            found.append(f"{place}: it is missing")
            continue
        key = _key_for(placeholder, recorded[placeholder], members, bindings)
        reason = bindings.difference(placeholder, key)
        if reason is not None:
            found.append(f"{place}: wrong name: {reason}")
        _compare(recorded[placeholder], members.pop(key), bindings, place, found)
    found.extend(f"{_under(path, _shown(key))}: it was not recorded" for key in members)


def _key_for(placeholder: str, recorded: Any, members: Mapping[str, Any], bindings: Bindings) -> str:
    """Return the key in *members* that *placeholder* stands for.

    If several keys are new, it is the first whose value matches. The order alone does not decide: if a reply contained
    the same name before, that name has a lower number than the names that stood before it in the request.
    """
    candidates = bindings.candidates(placeholder, members)
    for key in candidates if len(candidates) > 1 else ():
        trial, found = bindings.copy(), list[str]()
        trial.difference(placeholder, key)
        _compare(recorded, members[key], trial, "", found)
        if not found:
            return key
    return candidates[0] if candidates else next(iter(members))


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(key: str) -> str:
    plain = key.removeprefix("userAttributes.")
    return key if plain in KEYS or is_member(plain) or is_attribute(plain) else "(a name)"


def _describe(value: object) -> str:
    if value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and value in WORDS):
        return repr(value)
    if isinstance(value, str):
        return "another string" if value else "an empty string"
    return f"a list of {len(cast(list[Any], value))}" if isinstance(value, (list, tuple)) else "an object"
