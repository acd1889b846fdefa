"""Raise a clear error if an object with connections, locks or secrets is pickled."""

from __future__ import annotations

from typing import ClassVar, Self

__all__ = ["NotPickled"]


class NotPickled:
    """The base of classes whose objects cannot be pickled or deep-copied.

    ``copy.copy`` makes a second object with the same attributes, as it does for pycognito's classes. A subclass that
    defines ``__reduce__`` or ``__getstate__`` itself can be pickled.
    """

    _instead_of_pickling: ClassVar[str]

    def __getstate__(self) -> object:
        # pickle and deepcopy call this. Without it they would go through the attributes and fail, depending on the
        # transport and on its use, at a lock, a client of botocore or the source of random numbers.
        raise TypeError(f"cannot pickle or deep-copy {type(self).__name__}: {self._instead_of_pickling}")

    def __copy__(self) -> Self:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied
