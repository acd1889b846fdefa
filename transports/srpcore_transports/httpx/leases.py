"""Who uses which client, so that none is closed under a call, and none is used again that may be stale."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Semaphore
from typing import Generic, TypeVar

from srpcore._fork import ForkSafeLock, reset_in_child

from ..connections import FRESH_SECONDS

__all__ = ["Lease", "Leases"]

C = TypeVar("C")


class Lease(Generic[C]):
    """One client, and how many calls use it now."""

    def __init__(self, client: C) -> None:
        self.client = client
        self.users = 0
        self.idle_since = 0.0
        self.retired = False


class Leases(Generic[C]):
    """The clients of one transport, one for each key; safe to share between threads.

    A client that is retired is given to nobody any more, and to be closed when the last call that uses it ends. One
    that was idle for five seconds is retired before it is used: its connections watch that time themselves, but by a
    clock that may stand still while a machine is asleep or a Lambda function is frozen; the wall clock does not. After
    a fork the child starts with none, since two processes must not speak on one connection.
    """

    def __init__(self, max_connections: int) -> None:
        self._max_connections = max_connections
        self.free = Semaphore(max_connections)
        """What a blocking call holds while it has a connection: httpx's own queue takes the square of its length."""
        self._lock = ForkSafeLock()
        self._leases: dict[Hashable, Lease[C]] = {}
        reset_in_child(self, Leases[C]._after_fork)

    def take(self, key: Hashable, make: Callable[[], C]) -> tuple[Lease[C], list[C]]:
        """Return the lease for *key*, whose client is made where there is none, and the clients to close now."""
        with self._lock:
            closing: list[C] = []
            lease = self._leases.get(key)
            # A negative age means that the clock was set back, so nobody knows how long the client was idle.
            if lease is not None and not lease.users and not 0 <= time.time() - lease.idle_since < FRESH_SECONDS:
                closing.append(self._leases.pop(key).client)
                lease = None
            if lease is None:
                lease = self._leases[key] = Lease(make())
            lease.users += 1
            return lease, closing

    def give_back(self, lease: Lease[C], *, good: bool) -> list[C]:
        """End one use of *lease*, which is retired unless its client is *good*; return the clients to close now."""
        with self._lock:
            lease.users -= 1
            lease.idle_since = time.time()
            if not good:
                lease.retired = True
                self._leases = {key: other for key, other in self._leases.items() if other is not lease}
            return [lease.client] if lease.retired and not lease.users else []

    def retire(self) -> list[C]:
        """Retire every client; return those to close now."""
        with self._lock:
            leases, self._leases = list(self._leases.values()), {}
            for lease in leases:
                lease.retired = True
            return [lease.client for lease in leases if not lease.users]

    def _after_fork(self) -> None:
        """Start anew in a child process."""
        # The old ones may be held by threads that only the parent has.
        self.free = Semaphore(self._max_connections)
        self._leases = {}
