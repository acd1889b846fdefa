"""Placeholders: ``<Username 1>`` for a value that must not stand in a cassette, the same one wherever it appears.

They are counters in the order in which values first appear, never hashes: a hash of a password could be guessed at.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["AT_HASH", "JSON", "KEY", "PATTERN", "Placeholders", "label_and_number"]

PATTERN: Final = re.compile(r"<([A-Za-z][A-Za-z0-9_:.-]*) ([1-9][0-9]*)>")

JSON: Final = "<JSON>"
"""The one member of an object that stands for a text which is JSON itself."""

AT_HASH: Final = "<at_hash>"
"""Stands for the hash of the access token beside it, which replay computes anew."""

KEY: Final = "key"
"""The label of names that the service does not publish."""


def label_and_number(placeholder: str) -> tuple[str, int]:
    """Return ``("Username", 1)`` for ``<Username 1>``.

    Raises:
        ValueError: *placeholder* is none.
    """
    match = PATTERN.fullmatch(placeholder)
    if match is None:
        raise ValueError("not a placeholder")
    return match[1], int(match[2])


class Placeholders:
    """The values of one recording and their placeholders; they live in memory alone.

    Names that a program made up (keys of ``ClientMetadata``) count apart from values, as ``<key 1>``.
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
