"""Colours and signs for an output stream: colours on terminals only, and signs that the encoding can represent."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

__all__ = ["Style", "printable", "without_tokens"]

_CODES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
_SIGNS = {"tick": ("✓", "+"), "cross": ("✗", "x"), "dot": ("·", "-"), "bullet": ("•", "*")}
_TOKEN = re.compile(r"eyJ[\w.-]{8,}|[\w.-]{64,}", re.ASCII)


class Style:
    """What one output stream can show: :meth:`paint` adds colours, :meth:`sign` returns a sign."""

    def __init__(self, stream: TextIO) -> None:
        self.colours = _shows_colours(stream)
        self._unicode = _can_write(stream, "".join(unicode for unicode, _ in _SIGNS.values()))

    def paint(self, text: str, *looks: str) -> str:
        """Return *text* with *looks* (``bold``, ``dim``, a colour), or unchanged if the stream cannot show them."""
        if not self.colours or not looks:
            return text
        return f"\x1b[{';'.join(str(_CODES[look]) for look in looks)}m{text}\x1b[0m"

    def sign(self, name: str) -> str:
        """Return the sign ``tick``, ``cross``, ``dot`` or ``bullet``, or in ASCII if the encoding does not have it."""
        unicode, ascii_only = _SIGNS[name]
        return unicode if self._unicode else ascii_only


def printable(text: str) -> str:
    """Return *text* on one line: a space for each line break and tab, ``?`` for any other control character.

    Use this for every string that another machine may have sent, because a terminal obeys control characters.
    """
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in text)


def without_tokens(text: str) -> str:
    """Return *text* with ``<token>`` for each token, and for each word that is long enough to be a part of one.

    A user may paste a token where a command expects another value, and the error shows that value. All tokens of the
    service start with ``eyJ``, which is base64 of ``{"``. A token that was pasted with line breaks is several words.
    """
    return _TOKEN.sub("<token>", text)


def _shows_colours(stream: TextIO) -> bool:
    # https://no-color.org: no colours if the variable is set to any value except an empty one.
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return False
    # The old Windows console would show the escape codes.
    return sys.platform != "win32" or "WT_SESSION" in os.environ


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
