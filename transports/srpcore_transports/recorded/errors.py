"""The errors of a cassette, and of a program whose calls differ from the cassette.

None of these is a TransportError or a ConfigurationError, because programs handle those: they try again after the
first, and ask their user after the second. A call that was not recorded is a failed test, so :class:`UnmatchedCall` and
:class:`UnusedCalls` are AssertionErrors too.
"""

from __future__ import annotations

from collections.abc import Sequence

from srpcore.exceptions.base import SrpcoreError

__all__ = ["CassetteError", "SecretInCassette", "UnmatchedCall", "UnusedCalls"]


class CassetteError(SrpcoreError, ValueError):
    """The file is not a cassette of this version, or a call cannot be recorded. No file was written."""


class SecretInCassette(CassetteError):
    """A value that must be a placeholder would have been written in the clear. No file was written."""


class UnmatchedCall(SrpcoreError, AssertionError):
    """A call matches no recorded call. The message quotes only values that are in the cassette, and no secrets.

    Attributes:
        operation: the name of the operation that was called.
        nearest: the number of the most similar recorded call, 1 for the first; None if all calls are used.
        differences: the differences to that call, one string for each member.
    """

    def __init__(self, message: str, operation: str, nearest: int | None, differences: Sequence[str]) -> None:
        super().__init__(message)
        self.operation = operation
        self.nearest = nearest
        self.differences = tuple(differences)


class UnusedCalls(SrpcoreError, AssertionError):
    """Recorded calls were not made. ``calls`` has their numbers and names."""

    def __init__(self, calls: Sequence[str]) -> None:
        super().__init__(f"recorded calls were not made: {', '.join(calls)}; record the cassette again")
        self.calls = tuple(calls)
