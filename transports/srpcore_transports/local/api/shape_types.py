"""The kinds of shapes in a service model: what ``shapes.py`` is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Blob",
    "Boolean",
    "Document",
    "Enumeration",
    "List",
    "Map",
    "Number",
    "Shape",
    "String",
    "Structure",
    "Timestamp",
]


@dataclass(frozen=True, slots=True)
class String:
    """A string: its length in characters, a Java pattern that the whole string matches, and whether it is secret."""

    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Enumeration:
    """A string that is one of the *values*."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """An integer."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """Seconds since the epoch, with or without a fraction."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes, sent in base64, and the limits of their number."""

    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """Any JSON value."""


@dataclass(frozen=True, slots=True)
class List:
    """An array of items of the shape *member*."""

    member: str
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """An object whose keys are chosen by the client: the shapes of its keys and values, and limits of their number."""

    key: str
    value: str
    min: int | None = None
    max: int | None = None
    sensitive: bool = False


class Structure:
    """An object whose members are defined by the service model.

    Attributes:
        required: the names of the members that must be there; in the constructor one string, with blanks between them.
        members: the name of the shape of each member, in the model's order.
        sensitive: whether all its members are secret.
    """

    __slots__ = ("members", "required", "sensitive")

    def __init__(self, required: str = "", /, *, sensitive: bool = False, **members: str) -> None:
        self.required = frozenset(required.split())
        self.members = members
        self.sensitive = sensitive


Shape: TypeAlias = String | Enumeration | Number | Boolean | Timestamp | Blob | Document | List | Map | Structure
