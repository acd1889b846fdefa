"""Idle connections that are kept open, and which of them may be used again."""

from __future__ import annotations

import selectors
import ssl

from srpcore._fork import ForkSafeLock, forget_in_snapshot, reset_in_child
from srpcore._values import Value
from srpcore.clock import Clock, monotonic_clock, system_clock

from .http_connection import Connection
from .urls import Origin

__all__ = ["FRESH_SECONDS", "IDLE_SECONDS", "IdleConnections"]

IDLE_SECONDS = 60.0
"""How long an idle connection is kept. Routers drop idle connections, and some do so without closing them, so that a
request on an older connection might wait for an answer that never comes."""

FRESH_SECONDS = 5.0
"""How long a connection may have been idle if the request must not be sent twice. Servers do not close one
that early."""


class _Idle(Value):
    __slots__ = ("connection", "origin", "since")

    origin: Origin
    connection: Connection
    since: tuple[float, float]

    def __init__(self, origin: Origin, connection: Connection, since: tuple[float, float]) -> None:
        self._set(origin=origin, connection=connection, since=since)


class IdleConnections:
    """The idle connections of one transport. The connection that was used last is taken first.

    Threads may share the object: a connection is either idle here, or used by one caller. After a fork the child starts
    without connections, because two processes must not use one connection; so does a process that is restored from a
    snapshot.

    The age of a connection is measured by two clocks, and the greater age counts. The monotonic clock may stand still
    while a machine sleeps or a Lambda function is frozen; the wall clock may be set back.

    Args:
        size: how many connections are kept.
        clock: the monotonic clock, in seconds.
        wall_clock: the wall clock, in seconds since 1970.
    """

    def __init__(self, size: int, clock: Clock = monotonic_clock, wall_clock: Clock = system_clock) -> None:
        self._size = size
        self._clock = clock
        self._wall_clock = wall_clock
        self._lock = ForkSafeLock()
        self._idle: list[_Idle] = []
        self.generation = 0
        """How often :meth:`close` was called. A connection that was opened before the last call is not kept."""
        reset_in_child(self, IdleConnections._after_fork)
        forget_in_snapshot(self, IdleConnections.close)

    def take(self, origin: Origin, *, fresh: bool = False) -> Connection | None:
        """Return an idle connection to *origin* that is still open, or None. No other caller gets it meanwhile.

        Args:
            origin: what the connection must lead to.
            fresh: whether it must have been in use less than :data:`FRESH_SECONDS` ago.
        """
        while True:
            idle = self._pop(origin)
            if idle is None:
                return None
            if self._is_usable(idle, FRESH_SECONDS if fresh else IDLE_SECONDS):
                return idle.connection
            idle.connection.close()

    def wants(self, origin: Origin) -> bool:
        """Return whether a new connection to *origin* would be kept, and there is none that can be used.

        Connections that cannot be used any more, to any origin, are closed.
        """
        usable: list[_Idle] = []
        closing: list[_Idle] = []
        # Within the lock, because close() must not miss a connection that is being looked at. Looking does not wait.
        with self._lock.lock:
            for idle in self._idle:
                (usable if self._is_usable(idle, IDLE_SECONDS) else closing).append(idle)
            self._idle = usable
            wanted = self._size > 0 and all(idle.origin != origin for idle in usable)
        for idle in closing:
            idle.connection.close()
        return wanted

    def give_back(self, origin: Origin, connection: Connection, generation: int) -> None:
        """Keep *connection* for later calls, or close it if it was opened before the last :meth:`close`.

        Args:
            origin: what the connection leads to.
            connection: its last response must have been read completely.
            generation: the value of :attr:`generation` when the call began.
        """
        with self._lock.lock:
            surplus: Connection | None = connection
            if generation == self.generation:
                self._idle.append(_Idle(origin, connection, (self._clock(), self._wall_clock())))
                surplus = self._idle.pop(0).connection if len(self._idle) > self._size else None
        if surplus is not None:
            surplus.close()

    def close(self) -> None:
        """Close the idle connections now, and those in use as soon as they are given back."""
        with self._lock.lock:
            self.generation += 1
            closing, self._idle = self._idle, []
        for idle in closing:
            idle.connection.close()

    def _after_fork(self) -> None:
        """Drop the connections in a child process. The parent can still use them."""
        # Without the lock: right after a fork the child has one thread only.
        self.generation += 1
        closing, self._idle = self._idle, []
        for idle in closing:
            idle.connection.close()

    def _is_usable(self, idle: _Idle, seconds: float) -> bool:
        age = max(self._clock() - idle.since[0], self._wall_clock() - idle.since[1])
        return age < seconds and _is_open(idle.connection)

    def _pop(self, origin: Origin) -> _Idle | None:
        with self._lock.lock:
            for index in range(len(self._idle) - 1, -1, -1):
                if self._idle[index].origin == origin:
                    return self._idle.pop(index)
        return None


def _is_open(connection: Connection) -> bool:
    # An idle connection has nothing to read, unless the server has closed it or has sent something unasked.
    with _Selector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        if not selector.select(0):
            return True
    # With TLS 1.3 a server sends session tickets right after the handshake. If no response was received on the
    # connection yet, they are still to be read. OpenSSL reads them here, and then finds no data for us.
    connection.sock.settimeout(0)
    try:
        connection.sock.recv(1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        pass
    return False


# poll is preferred because epoll and kqueue need a file descriptor, and a process may have no free one.
_Selector: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.DefaultSelector)
