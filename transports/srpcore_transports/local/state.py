"""Everything the pools of one server hold, and the one lock around it."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from srpcore.pool import Pool

from .conversations import Conversations
from .custom_auth import CustomAuth
from .errors import Refusal, not_found
from .grants import Grants
from .outbox import Outbox
from .records import AppClient, UserPool, random_string

__all__ = ["State"]


class State:
    """The pools, clients, conversations and grants of one server. Handlers run with ``lock`` held."""

    def __init__(self, region: str, clock: Callable[[], float], issuer_base: str | None) -> None:
        self.region = region
        self.clock = clock
        self.issuer_base = issuer_base
        self.lock = threading.Lock()
        self.outbox = Outbox()
        self.pools: dict[str, UserPool] = {}
        self.clients: dict[str, AppClient] = {}
        self.conversations = Conversations(clock)
        self.grants = Grants()
        self.custom_auth: CustomAuth | None = None
        self.page_secret = secrets.token_bytes(32)

    @contextmanager
    def unlocked(self) -> Generator[None]:
        """Let other requests in while the block computes; afterwards, what was read before may have changed."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def pool(self, pool_id: str) -> UserPool:
        """Return the pool of that id.

        Raises:
            Refusal: there is none.
        """
        if pool_id not in self.pools:
            raise not_found(f"User pool {pool_id} does not exist.")
        return self.pools[pool_id]

    def client(self, client_id: str) -> AppClient:
        """Return the app client of that id.

        Raises:
            Refusal: there is none.
        """
        if client_id not in self.clients:
            raise self.client_not_found(client_id)
        return self.clients[client_id]

    @staticmethod
    def client_not_found(client_id: str) -> Refusal:
        """Return the refusal for a client that is not there, or is another pool's."""
        return not_found(f"User pool client {client_id} does not exist.")

    def issuer(self, pool: UserPool) -> str:
        """Return ``iss`` of the pool's tokens."""
        return Pool(pool.id).issuers[0] if self.issuer_base is None else f"{self.issuer_base}/{pool.id}"

    def add_pool(self, settings: dict[str, Any]) -> UserPool:
        """Make a pool with a fresh id."""
        now = self.clock()
        pool_id = f"{self.region}_{random_string(9, string.ascii_letters + string.digits)}"
        self.pools[pool_id] = UserPool(pool_id, now, now, settings)
        return self.pools[pool_id]

    def add_client(self, pool: UserPool, settings: dict[str, Any]) -> AppClient:
        """Make an app client with a fresh id, and a secret where ``GenerateSecret`` asks for one."""
        now = self.clock()
        secret = random_string(51) if settings.get("GenerateSecret") else None
        client = AppClient(random_string(26), pool.id, secret, now, now, settings)
        self.clients[client.client_id] = client
        return client

    def remove_client(self, client: AppClient) -> None:
        """Delete *client*, its conversations and what was granted through it."""
        del self.clients[client.client_id]
        self.grants.revoke_client(client)
        self.conversations.forget_client(client)

    @staticmethod
    def code() -> str:
        """Return a fresh code of six digits."""
        return f"{secrets.randbelow(1_000_000):06d}"
