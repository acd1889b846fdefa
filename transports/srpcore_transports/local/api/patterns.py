r"""The service model's regular expressions, which are Java's, as matchers in Python.

Java's ``\p{L}`` (any letter), ``\p{M}``, ``\p{S}``, ``\p{N}``, ``\p{P}`` and ``\p{Z}`` are general categories of
Unicode. Python's :mod:`re` does not know them, and a character class that lists all their characters has hundreds of
ranges. All other parts of the model's patterns are ASCII. A pattern can therefore tell two characters beyond ASCII
apart only by their category, so that one character of each category can stand for all of them::

    pattern      [\p{L}\p{N}]+   ->  [A-Za-zª0-9²]+     ª stands for all letters beyond ASCII, ² for all numbers
    value        Zoë1            ->  Zoª1

Only the constructs that the model uses are translated. Any other one raises :class:`UnknownConstruct`, so that the
generator of ``shapes.py`` fails instead of a request.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

__all__ = ["UnknownConstruct", "matcher", "translate"]

STAND_INS: Final = {"L": "ª", "M": "\u0300", "N": "²", "P": "¡", "S": "¢", "Z": "\u00a0", "C": "\u0080"}
"""One character beyond ASCII for each general category."""

DOT: Final = r"[^\n\r\u0085\u2028\u2029]"
"""Java's ``.``, which excludes more line ends than Python's."""

_ESCAPES: Final = r"""
      (?P<category> \\p\{[LMNPSZC]\} )
    | (?P<escape>   \\x[0-7][0-9A-Fa-f] | \\[wWsSdDbBtnr] | \\[^A-Za-z0-9\s] )
"""
_TOKEN: Final = re.compile(
    _ESCAPES
    + r"""
    | (?P<dot>      \. )
    | (?P<begin>    \[\^? )
    | (?P<group>    \( (?: \?: | \?<! | (?!\?) ) | \) | \| )
    | (?P<repeat>   (?: [*+?] | \{\d+(?:,\d*)?\} ) (?![*+?]) )
    | (?P<anchor>   [\^$] )
    | (?P<literal>  [A-Za-z0-9\ !"\#%&',/:;<=>@_`}~-] )
    """,
    re.VERBOSE,
)
# In Java, "[" within a class begins a union and "&&" an intersection.
_TOKEN_IN_CLASS: Final = re.compile(_ESCAPES + r"| (?P<end> \] ) | (?P<literal> (?!&&) [\ -Z^-~] )", re.VERBOSE)


class UnknownConstruct(ValueError):
    """A pattern uses a construct that is not translated."""


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that returns whether a string as a whole matches the Java *pattern*.

    Raises:
        UnknownConstruct: the pattern cannot be translated.
    """
    match = re.compile(translate(pattern), re.ASCII).fullmatch
    if r"\p{" not in pattern:
        return lambda value: match(value) is not None
    return lambda value: match(value if value.isascii() else _with_stand_ins(value)) is not None


def translate(pattern: str) -> str:
    r"""Return the Java *pattern* as a pattern of :mod:`re`, to be used with ``re.ASCII`` and ``fullmatch``.

    ``re.ASCII`` gives ``\w``, ``\d``, ``\s`` and ``\b`` the meaning that they have in Java.

    Raises:
        UnknownConstruct: the pattern cannot be translated.
    """
    dot = r"[\s\S]" if pattern.startswith("(?s)") else DOT
    rest = pattern.removeprefix("(?s)")
    translated: list[str] = []
    in_class = False
    position = 0
    while position < len(rest):
        token = (_TOKEN_IN_CLASS if in_class else _TOKEN).match(rest, position)
        if token is None:
            raise UnknownConstruct(f"{pattern!r}: unknown construct at {rest[position:]!r}")
        kind, text = token.lastgroup, token[0]
        if kind == "anchor" and not (position == 0 if text == "^" else token.end() == len(rest)):
            raise UnknownConstruct(f"{pattern!r}: {text!r} that is not at an end")
        if kind == "dot" and r"\p{" in pattern:
            raise UnknownConstruct(f"{pattern!r}: a dot beside a category, whose stand-ins hide the ends of lines")
        if kind == "category":
            text = _CLASSES[text[3]] if in_class else f"[{_CLASSES[text[3]]}]"
        translated.append(dot if kind == "dot" else text)
        in_class = kind == "begin" or (in_class and kind != "end")
        position = token.end()
    return "".join(translated)


def _with_stand_ins(value: str) -> str:
    """Return *value* with each character beyond ASCII replaced by the one that stands for its category."""
    category = unicodedata.category
    return "".join([char if char < "\x80" else STAND_INS[category(char)[0]] for char in value])


def _class(category: str) -> str:
    """Return the inside of a character class: the ASCII characters of the general category, and its stand-in."""
    members = (chr(code) for code in range(128) if unicodedata.category(chr(code))[0] == category)
    return "".join(map(re.escape, members)) + STAND_INS[category]


_CLASSES: Final = {category: _class(category) for category in STAND_INS}
