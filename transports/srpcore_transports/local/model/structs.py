"""The base classes of the records, and helpers for their values. The records module has all of these names, too."""

from __future__ import annotations

import secrets
import string
from typing import ClassVar

from msgspec import Struct

__all__ = ["Fixed", "Record", "number_bytes", "random_string"]


def number_bytes(number: int) -> bytes:
    """Return *number* in big-endian two's complement."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def random_string(length: int, alphabet: str = string.ascii_lowercase + string.digits) -> str:
    """Return *length* random characters of *alphabet*."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


class Record(Struct, weakref=True, omit_defaults=True):
    """A value that the database stores, and that a request may change."""

    _shown: ClassVar[tuple[str, ...]] = ()
    """The fields that the repr shows: those that are not secret."""

    def __repr__(self) -> str:
        return _repr(self, self._shown)


class Fixed(Struct, frozen=True):
    """A part of a record that is replaced as a whole. The repr does not show its fields, most of which are secret."""

    def __repr__(self) -> str:
        return _repr(self, ())


def _repr(value: Struct, names: tuple[str, ...]) -> str:
    return f"{type(value).__name__}({', '.join(f'{name}={getattr(value, name)!r}' for name in names)})"
