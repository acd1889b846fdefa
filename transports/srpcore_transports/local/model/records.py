"""The base classes of the records, and helpers for their values.

A record is what the database stores as one value (MessagePack), so it is a msgspec Struct. Secrets are left out of
every repr.
"""

from __future__ import annotations

import secrets
import string
from typing import ClassVar

from msgspec import Struct

__all__ = ["Fixed", "Record", "fold_case", "number_bytes", "random_string"]


def number_bytes(number: int) -> bytes:
    """Return *number* in big-endian two's complement."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def random_string(length: int, alphabet: str = string.ascii_lowercase + string.digits) -> str:
    """Return *length* random characters of *alphabet*."""
    # One random number, whose digits in the base len(alphabet) choose the characters, because each call of secrets is a
    # system call.
    number = secrets.randbelow(len(alphabet) ** length)
    characters: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, len(alphabet))
        characters.append(alphabet[digit])
    return "".join(characters)


def fold_case(value: str) -> str:
    """Return *value* in the form in which strings are compared without regard to case.

    Each character becomes one character: the lower-case form of its upper-case form, unless one of these forms has
    several characters. So ``ß`` is not ``ss``, and what begins with *value* also begins with it in this form. The
    service's documentation says which comparisons ignore case, but not how. Java, in which much of AWS is written,
    compares in this way (``String.equalsIgnoreCase``), except for a few letters such as ``İ``.
    """
    return value.lower() if value.isascii() else "".join(map(_fold_character, value))


def _fold_character(character: str) -> str:
    upper = character.upper()
    lower = (upper if len(upper) == 1 else character).lower()
    return lower if len(lower) == 1 else character


class Record(Struct, weakref=True, omit_defaults=True):
    """A value that the database stores, and that a request may change."""

    _shown: ClassVar[tuple[str, ...]] = ()
    """The fields that the repr shows: those that are not secret."""

    def __repr__(self) -> str:
        return _repr(self, self._shown)


class Fixed(Struct, frozen=True):
    """An immutable value: a part of a record, or of a file such as a seed.

    It is replaced as a whole. The repr does not show its fields, because most of them are secret.
    """

    def __repr__(self) -> str:
        return _repr(self, ())


def _repr(value: Struct, names: tuple[str, ...]) -> str:
    return f"{type(value).__name__}({', '.join(f'{name}={getattr(value, name)!r}' for name in names)})"
