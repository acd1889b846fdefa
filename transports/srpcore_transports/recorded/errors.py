"""What can be wrong with a cassette, or between a cassette and the program that replays it.

None of these is a TransportError or a ConfigurationError: programs tolerate the first (they try again, or serve old
keys) and ask their user about the second. A call that nobody recorded is a failed test and nothing else, so they are
assertions: :class:`UnmatchedCall` and :class:`UnusedCalls` are AssertionErrors, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from srpcore.exceptions.base import SrpcoreError

__all__ = ["CassetteError", "SecretInCassette", "UnmatchedCall", "UnusedCalls"]


class CassetteError(SrpcoreError, ValueError):
    """The file is no cassette of this version, or a call cannot be put into one; no file was written."""


class SecretInCassette(CassetteError):
    """A value that must be a placeholder would have been written in the clear: no file was written."""


class UnmatchedCall(SrpcoreError, AssertionError):
    """No recorded call answers this one. The message quotes no value that is not in the cassette, nor a secret.

    ``operation`` is what was called, ``nearest`` the number of the recorded call that came nearest (from 1; None where
    there is none left), ``differences`` what differed, one text a member.
    """

    def __init__(self, message: str, operation: str, nearest: int | None, differences: Sequence[str]) -> None:
        super().__init__(message)
        self.operation = operation
        self.nearest = nearest
        self.differences = tuple(differences)


class UnusedCalls(SrpcoreError, AssertionError):
    """Recorded calls were never made; ``calls`` names them."""

    def __init__(self, calls: Sequence[str]) -> None:
        super().__init__(f"recorded calls that were never made: {', '.join(calls)}; record the cassette again")
        self.calls = tuple(calls)
