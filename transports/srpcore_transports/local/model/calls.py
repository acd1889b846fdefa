"""The last calls of a server, for people who want to see what their program sends."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from srpcore._fork import ForkSafeLock

__all__ = ["KEPT", "Call", "Calls", "given_username"]

KEPT = 200
"""How many calls are kept. Older ones are dropped."""

_LONGEST = 128  # characters of a name: a refused request may have any operation and any user name


@dataclass(frozen=True, slots=True)
class Call:
    """One call. It holds only the following values of the request and the response, and none of them is secret.

    Attributes:
        number: the calls are numbered from 1.
        time: when it ended, by the clock of the pool.
        operation: the name that the client sent.
        status: the HTTP status of the response.
        error: the name of the error; None if it succeeded.
        username: the name of the user as the client sent it; None if the request has no such parameter.
        seconds: how long it took.
    """

    number: int
    time: float
    operation: str
    status: int
    error: str | None
    username: str | None
    seconds: float


class Calls:
    """The last calls, of all threads.

    Attributes:
        count: how many calls there were so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._calls: deque[Call] = deque(maxlen=KEPT)
        self._lock = ForkSafeLock()

    def add(
        self, time: float, operation: str, status: int, error: str | None, username: str | None, seconds: float
    ) -> None:
        """Add a call. The parameters are the attributes of :class:`Call`."""
        with self._lock.lock:
            self.count += 1
            name = operation[:_LONGEST]
            self._calls.append(Call(self.count, time, name, status, error, username, seconds))

    def latest(self) -> list[Call]:
        """Return the calls that are kept, oldest first."""
        with self._lock.lock:
            return list(self._calls)


def given_username(parameters: Mapping[str, Any]) -> str | None:
    """Return the user name in the *parameters* of an operation as it was sent, or None if there is none."""
    for section in (parameters, parameters.get("AuthParameters"), parameters.get("ChallengeResponses")):
        if isinstance(section, Mapping):
            values = cast("Mapping[str, object]", section)
            name = values.get("Username", values.get("USERNAME"))
            if isinstance(name, str):
                return name[:_LONGEST]
    return None
