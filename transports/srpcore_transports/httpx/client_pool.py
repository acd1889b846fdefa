"""The httpx clients of one transport: which calls use them, and when they are closed.

A client is never closed while a call uses it, and is not used again if its connections may be stale.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Semaphore
from typing import Generic, TypeVar

from srpcore._fork import ForkSafeLock, reset_in_child

from ..connections import FRESH_SECONDS

__all__ = ["ClientPool", "PooledClient"]

C = TypeVar("C")


class PooledClient(Generic[C]):
    """One client, and how many calls use it now."""

    def __init__(self, client: C) -> None:
        self.client = client
        self.users = 0
        self.idle_since = 0.0
        self.retired = False


class ClientPool(Generic[C]):
    """The clients of one transport, one for each key. Threads may share it.

    A retired client is not given to any further call, and is closed when the last call that uses it ends. A client that
    was idle for five seconds is retired before it is used. httpx watches the age of idle connections itself, but
    by a monotonic clock, which may stand still while a machine sleeps or a Lambda function is frozen; this class
    watches the wall clock. After a fork the child starts with an empty pool, because two processes must not use one
    connection.

    Args:
        max_connections: how many connections may be in use at a time.
    """

    def __init__(self, max_connections: int) -> None:
        self._max_connections = max_connections
        self.free = Semaphore(max_connections)
        """A blocking call holds it while it uses a connection. httpx's own queue needs quadratic time in its length."""
        self._lock = ForkSafeLock()
        self._clients: dict[Hashable, PooledClient[C]] = {}
        reset_in_child(self, ClientPool[C]._after_fork)

    def take(self, key: Hashable, make: Callable[[], C]) -> tuple[PooledClient[C], list[C]]:
        """Return the client for *key*, and the clients that the caller must close now.

        Args:
            key: the proxy and the TLS context that the client uses.
            make: makes a client if the pool has none for *key*.
        """
        with self._lock.lock:
            # A negative age means that the clock was set back: nobody knows how long the client was idle.
            now = time.time()
            idle = [
                other
                for other, pooled in self._clients.items()
                if not pooled.users and not 0 <= now - pooled.idle_since < FRESH_SECONDS
            ]
            closing = [self._clients.pop(other).client for other in idle]
            pooled = self._clients.get(key)
            if pooled is None:
                pooled = self._clients[key] = PooledClient(make())
            pooled.users += 1
            return pooled, closing

    def give_back(self, pooled: PooledClient[C], *, good: bool) -> list[C]:
        """End one use of *pooled*, and return the clients that the caller must close now.

        Args:
            pooled: what :meth:`take` returned.
            good: whether the client may be used again; if not, it is retired.
        """
        with self._lock.lock:
            pooled.users -= 1
            pooled.idle_since = time.time()
            if not good:
                pooled.retired = True
                self._clients = {key: other for key, other in self._clients.items() if other is not pooled}
            return [pooled.client] if pooled.retired and not pooled.users else []

    def retire(self) -> list[C]:
        """Retire every client, and return those that the caller must close now."""
        with self._lock.lock:
            retired, self._clients = list(self._clients.values()), {}
            for pooled in retired:
                pooled.retired = True
            return [pooled.client for pooled in retired if not pooled.users]

    def _after_fork(self) -> None:
        """Empty the pool in a child process."""
        # Threads that exist only in the parent may hold the old semaphore and clients, and will never release them.
        self.free = Semaphore(self._max_connections)
        self._clients = {}
