"""How text looks on a stream: colours on a terminal only, and signs that its encoding has."""

from __future__ import annotations

import os
import sys
from typing import TextIO

__all__ = ["Style", "printable"]

_CODES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
_SIGNS = {"tick": ("✓", "+"), "cross": ("✗", "x"), "dot": ("·", "-"), "bullet": ("•", "*")}


class Style:
    """The look of one stream: ``paint`` for colours, ``sign`` for signs."""

    def __init__(self, stream: TextIO) -> None:
        self.colours = _shows_colours(stream)
        self._unicode = _can_write(stream, "".join(unicode for unicode, _ in _SIGNS.values()))

    def paint(self, text: str, *looks: str) -> str:
        """Return *text* in those looks (``bold``, ``dim``, a colour), or as it is where the stream shows none."""
        if not self.colours or not looks:
            return text
        return f"\x1b[{';'.join(str(_CODES[look]) for look in looks)}m{text}\x1b[0m"

    def sign(self, name: str) -> str:
        """Return the sign ``tick``, ``cross``, ``dot`` or ``bullet``, in ASCII where the encoding has no other."""
        unicode, ascii_only = _SIGNS[name]
        return unicode if self._unicode else ascii_only


def printable(text: str) -> str:
    """Return *text* on one line and without control characters: it may be a stranger's, and terminals obey them."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def _shows_colours(stream: TextIO) -> bool:
    # https://no-color.org: present and not empty, whatever its value.
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return False
    # The old Windows console would show the codes themselves.
    return sys.platform != "win32" or "WT_SESSION" in os.environ


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
