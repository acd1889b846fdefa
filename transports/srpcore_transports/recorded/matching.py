"""Compare a call with a recorded one: placeholders bind to what the program says first, and then mean that.

A test may type another user name or password than the recording did. Two values that the recording told apart must
differ at replay, too, and one that it repeated must be repeated. What is fresh every time is compared by its shape.
A name that replay had to make up, because a reply showed it first, gives way to the program's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from .placeholders import JSON, KEY, PATTERN, label_and_number
from .redaction import parse_inner
from .shapes import SHAPES, shape_of
from .synthetic import synthetic_value
from .vocabulary import ANY_TEXT, KEYS, WORDS, is_attribute, is_member, may_be_said

__all__ = ["Bindings", "differences"]

_BY_SHAPE: Final = {shape_of(member): matches for member, matches in SHAPES.items()}


class Bindings:
    """What placeholders mean in one replay; *defaults* are for those that nothing was bound to."""

    def __init__(self, defaults: Mapping[str, str]) -> None:
        self._defaults = dict(defaults)
        self._values: dict[str, str] = {}
        self._owners: dict[tuple[str, bool], str] = {}
        self._made_up: set[str] = set()

    def copy(self) -> Bindings:
        """Return equal bindings, to try something with."""
        other = Bindings(self._defaults)
        other._values, other._owners = dict(self._values), dict(self._owners)
        other._made_up = set(self._made_up)
        return other

    def bind(self, placeholder: str, value: str) -> str:
        """Let *placeholder* mean *value* from now on, which is returned; its earlier values are still known as its."""
        self._values[placeholder] = value
        self._owners[_slot(placeholder, value)] = placeholder
        return value

    def value_of(self, placeholder: str) -> str:
        """Return what *placeholder* means: what was bound, else (from now on) its default, else a synthetic value."""
        known = self._values.get(placeholder)
        if known is not None:
            return known
        if may_be_said(label_and_number(placeholder)[0]):
            self._made_up.add(placeholder)
        return self.bind(placeholder, self._defaults.get(placeholder) or synthetic_value(placeholder))

    def known_as(self, placeholder: str, values: Iterable[str]) -> str | None:
        """Return that of *values* which *placeholder* is known to mean, else the first that no other is, or None."""
        free = [value for value in values if self._owners.get(_slot(placeholder, value), placeholder) == placeholder]
        return next((value for value in free if _slot(placeholder, value) in self._owners), free[0] if free else None)

    def difference(self, placeholder: str, value: str) -> str | None:
        """Say why *value* cannot stand in the place of *placeholder*; None if it can, and then it is bound."""
        if label_and_number(placeholder)[0] in ANY_TEXT:
            return None if value else "it is empty"
        owner = self._owners.get(_slot(placeholder, value))
        if owner == placeholder:
            return None
        if owner is not None:
            return f"it is what stood for {owner} before"
        if placeholder in self._values and placeholder not in self._made_up:
            return "it is another value than the one that stood there before"
        self._made_up.discard(placeholder)
        self.bind(placeholder, value)
        return None


def _slot(placeholder: str, value: str) -> tuple[str, bool]:
    # Made-up names count apart from values.
    return value, label_and_number(placeholder)[0] == KEY


def differences(recorded: Mapping[str, Any], actual: Mapping[str, Any], bindings: Bindings) -> list[str]:
    """Return how the parameters *actual* differ from a *recorded* request, one text a member; *bindings* may grow.

    The texts name members and placeholders and quote published words, and nothing else of *actual*.
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
            found.append(f"{path}: a {recorded[1:-1]} was recorded, {_described(actual)} came")
    elif isinstance(recorded, str) and PATTERN.fullmatch(recorded):
        _compare_value(recorded, actual, bindings, path, found)
    elif type(recorded) is not type(actual) or recorded != actual:
        found.append(f"{path}: {recorded!r} was recorded, {_described(actual)} came")


def _compare_value(recorded: str, actual: Any, bindings: Bindings, path: str, found: list[str]) -> None:
    if actual is None or isinstance(actual, (bool, Mapping, list, tuple)):
        found.append(f"{path}: {recorded} was recorded, {_described(cast(object, actual))} came")
        return
    reason = bindings.difference(recorded, str(actual))
    if reason is not None:
        found.append(f"{path}: {recorded} was recorded, and what came is not it: {reason}")


def _compare_lists(recorded: list[Any], actual: Any, bindings: Bindings, path: str, found: list[str]) -> None:
    items = list(cast(list[Any], actual)) if isinstance(actual, (list, tuple)) else None
    if items is None or len(items) != len(recorded):
        found.append(f"{path}: a list of {len(recorded)} was recorded, {_described(cast(object, actual))} came")
        return
    for index, (expected, item) in enumerate(zip(recorded, items, strict=True)):
        _compare(expected, item, bindings, f"{path}[{index}]", found)


def _compare_objects(recorded: Mapping[str, Any], actual: Any, bindings: Bindings, path: str, found: list[str]) -> None:
    if JSON in recorded:
        inner = parse_inner(actual) if isinstance(actual, str) else None
        _compare(recorded[JSON], inner, bindings, path, found)
        return
    if not isinstance(actual, Mapping):
        found.append(f"{path}: an object was recorded, {_described(actual)} came")
        return
    members = dict(cast(Mapping[str, Any], actual))
    for key, expected in recorded.items():
        if not PATTERN.fullmatch(key) and key in members:
            _compare(expected, members.pop(key), bindings, _under(path, key), found)
        elif not PATTERN.fullmatch(key):
            found.append(f"{_under(path, key)}: it was recorded, and did not come")
    _compare_renamed(recorded, members, bindings, path, found)


def _compare_renamed(
    recorded: Mapping[str, Any], members: dict[str, Any], bindings: Bindings, path: str, found: list[str]
) -> None:
    # Keys that are placeholders pair with the keys that are left, in the order in which each first appeared.
    hidden = sorted((key for key in recorded if PATTERN.fullmatch(key)), key=label_and_number)
    for placeholder in hidden:
        place = _under(path, placeholder)
        if not members:
            found.append(f"{place}: it was recorded, and did not come")
            continue
        key = bindings.known_as(placeholder, members) or next(iter(members))
        reason = bindings.difference(placeholder, key)
        if reason is not None:
            found.append(f"{place}: the name that came is not it: {reason}")
        _compare(recorded[placeholder], members.pop(key), bindings, place, found)
    found.extend(f"{_under(path, _shown(key))}: it was not recorded" for key in members)


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(key: str) -> str:
    plain = key.removeprefix("userAttributes.")
    return key if plain in KEYS or is_member(plain) or is_attribute(plain) else "(a name)"


def _described(value: object) -> str:
    if value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and value in WORDS):
        return repr(value)
    if isinstance(value, str):
        return "another text" if value else "an empty text"
    return f"a list of {len(cast(list[Any], value))}" if isinstance(value, (list, tuple)) else "an object"
