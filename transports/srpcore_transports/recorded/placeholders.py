"""Placeholders such as ``<Username 1>``, for values that must not be in a cassette.

The same value has the same placeholder everywhere. The number counts the values in the order in which they appear. A
hash is not used, because a hash of a password lets an attacker test guesses.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["AT_HASH", "JSON", "KEY", "PATTERN", "Placeholders", "label_and_number"]

PATTERN: Final = re.compile(r"<([A-Za-z][A-Za-z0-9_:.-]*) ([1-9][0-9]*)>")

JSON: Final = "<JSON>"
"""The only member of an object that replaces a string whose content is JSON."""

AT_HASH: Final = "<at_hash>"
"""Replaces the hash of the access token in the same reply. Replay computes it again."""

KEY: Final = "key"
"""The label of names (keys of a map) that the service does not publish."""


def label_and_number(placeholder: str) -> tuple[str, int]:
    """Return ``("Username", 1)`` for ``<Username 1>``.

    Raises:
        ValueError: *placeholder* is not a placeholder.
    """
    match = PATTERN.fullmatch(placeholder)
    if match is None:
        raise ValueError("not a placeholder")
    return match[1], int(match[2])


class Placeholders:
    """The values of one recording and their placeholders. They are kept in memory only.

    Names that a program made up (keys of ``ClientMetadata``) are numbered separately from values, as ``<key 1>``.
    """

    def __init__(self) -> None:
        self._of: dict[tuple[str, bool], str] = {}
        self._counts: dict[str, int] = {}

    def of(self, value: str, label: str) -> str:
        """Return the placeholder of *value*: the one it has, else a new one of *label*."""
        known = self._of.get((value, label == KEY))
        if known is None:
            self._counts[label] = number = self._counts.get(label, 0) + 1
            known = self._of[value, label == KEY] = f"<{label} {number}>"
        return known

    def values(self) -> dict[str, str]:
        """Return every value seen with its placeholder."""
        return {value: placeholder for (value, is_key), placeholder in self._of.items() if not is_key}

    def keys(self) -> set[str]:
        """Return every made-up name."""
        return {value for value, is_key in self._of if is_key}

    def __repr__(self) -> str:
        return f"<Placeholders of {len(self._of)} values>"
