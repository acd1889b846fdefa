"""Kept-alive connections that are idle, and which of them may be used again."""

from __future__ import annotations

import selectors
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import NamedTuple

from srpcore._fork import ForkSafeLock, reset_in_child
from srpcore.clock import Clock, monotonic_clock, system_clock

__all__ = ["FRESH_SECONDS", "IDLE_SECONDS", "IdleConnections", "Origin"]

IDLE_SECONDS = 60.0
"""How long an idle connection is kept: routers on the way forget silent ones, some without telling either end."""

FRESH_SECONDS = 5.0
"""How long a connection may have been idle for a request that must not be sent twice: no server closes one so soon."""


class Origin(NamedTuple):
    """What a connection leads to."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class _Idle:
    origin: Origin
    connection: HTTPConnection
    since: tuple[float, float]


class IdleConnections:
    """The idle connections of one transport, at most *size* of them, the last one used first out.

    Safe to share between threads: a connection is either here or in the hands of one caller. After a fork the child
    starts with none, since two processes must not speak on one connection. Ages are the greater of two clocks': the
    monotonic one may stand still while a machine is asleep or a Lambda function is frozen, the other may be set back.
    """

    def __init__(self, size: int, clock: Clock = monotonic_clock, wall_clock: Clock = system_clock) -> None:
        self._size = size
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = ForkSafeLock()
        self._idle: list[_Idle] = []
        self._generation = 0
        reset_in_child(self, IdleConnections._after_fork)

    @property
    def generation(self) -> int:
        """How often the connections were closed: what was opened before the last time is not kept any more."""
        return self._generation

    def take(self, origin: Origin, *, fresh: bool = False) -> HTTPConnection | None:
        """Return a connection to *origin* that is still open, for the caller alone, or None where there is none.

        A *fresh* one was in use a moment ago.
        """
        while True:
            idle = self._pop(origin)
            if idle is None:
                return None
            age = max(self._clock() - idle.since[0], self._wall_clock() - idle.since[1])
            if age < (FRESH_SECONDS if fresh else IDLE_SECONDS) and not _has_input(idle.connection):
                return idle.connection
            idle.connection.close()

    def give_back(self, origin: Origin, connection: HTTPConnection, generation: int) -> None:
        """Keep *connection*, whose last response was read to its end, or close it where it may not be kept."""
        with self._lock:
            surplus: HTTPConnection | None = connection
            if generation == self._generation:
                self._idle.append(_Idle(origin, connection, (self._clock(), self._wall_clock())))
                surplus = self._idle.pop(0).connection if len(self._idle) > self._size else None
        if surplus is not None:
            surplus.close()

    def close(self) -> None:
        """Close what is idle now, and what is in use as soon as it is given back."""
        with self._lock:
            self._generation += 1
            closing, self._idle = self._idle, []
        for idle in closing:
            idle.connection.close()

    def _after_fork(self) -> None:
        """Start anew in a child process; the parent's ends stay open."""
        # No other thread runs now, so no lock is needed.
        self._generation += 1
        closing, self._idle = self._idle, []
        for idle in closing:
            idle.connection.close()

    def _pop(self, origin: Origin) -> _Idle | None:
        with self._lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].origin == origin:
                    return self._idle.pop(index)
        return None


def _has_input(connection: HTTPConnection) -> bool:
    # On an idle connection there is nothing to read but its end, or something that nobody asked for.
    with _Selector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


# poll needs no file descriptor of its own, which a process may have run out of.
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.DefaultSelector)
