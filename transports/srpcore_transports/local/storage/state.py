"""The state of one server: all pools and what belongs to them, and the lock that protects it."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from srpcore.pool import Pool

from ..api.errors import Refusal, not_found
from ..auth.custom_auth import CustomAuth
from ..auth.tokens import Grants
from ..model.conversations import Conversations
from ..model.outbox import Outbox
from ..model.records import AppClient, PoolRecord, random_string

__all__ = ["State"]


class State:
    """The pools, app clients, logins in progress and issued tokens of one server.

    Attributes:
        clock: returns the current time in seconds since the epoch.
        issuer_base: the part of the issuer before ``/<pool id>``; None for AWS's own issuer.
        lock: held while a handler of an operation runs; see :meth:`unlocked`.
        page_secret: the key of the HMAC in page tokens.
    """

    def __init__(self, region: str, clock: Callable[[], float], issuer_base: str | None) -> None:
        self.region = region
        self.clock = clock
        self.issuer_base = issuer_base
        self.lock = threading.Lock()
        self.outbox = Outbox()
        self.pools: dict[str, PoolRecord] = {}
        self.clients: dict[str, AppClient] = {}
        self.conversations = Conversations(clock)
        self.grants = Grants()
        self.custom_auth: CustomAuth | None = None
        self.page_secret = secrets.token_bytes(32)

    @contextmanager
    def unlocked(self) -> Generator[None]:
        """Release the lock during a ``with`` block that computes for a long time or calls other code.

        Other requests are processed meanwhile. After the block, anything that was read from the state before may be out
        of date, so the caller must check it again before changing the state.
        """
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def pool(self, pool_id: str) -> PoolRecord:
        """Return the pool with the id *pool_id*.

        Raises:
            Refusal: the pool does not exist.
        """
        if pool_id not in self.pools:
            raise not_found(f"User pool {pool_id} does not exist.")
        return self.pools[pool_id]

    def client(self, client_id: str) -> AppClient:
        """Return the app client with the id *client_id*.

        Raises:
            Refusal: the app client does not exist.
        """
        if client_id not in self.clients:
            raise self.client_not_found(client_id)
        return self.clients[client_id]

    @staticmethod
    def client_not_found(client_id: str) -> Refusal:
        """Return the refusal for an app client that does not exist, or belongs to another pool."""
        return not_found(f"User pool client {client_id} does not exist.")

    def issuer(self, pool: PoolRecord) -> str:
        """Return the issuer (``iss``) of the pool's tokens."""
        return Pool(pool.id).issuers[0] if self.issuer_base is None else f"{self.issuer_base}/{pool.id}"

    def add_pool(self, settings: dict[str, Any], pool_id: str | None = None) -> PoolRecord:
        """Add a pool with the id *pool_id*, or with a new one, and return it."""
        now = self.clock()
        pool_id = pool_id or f"{self.region}_{random_string(9, string.ascii_letters + string.digits)}"
        self.pools[pool_id] = PoolRecord(pool_id, now, now, settings)
        return self.pools[pool_id]

    def add_client(self, pool: PoolRecord, settings: dict[str, Any], client_id: str | None = None) -> AppClient:
        """Add an app client with the id *client_id*, or with a new one; give it a secret if ``GenerateSecret`` is true.

        Return the app client.
        """
        now = self.clock()
        secret = random_string(51) if settings.get("GenerateSecret") else None
        client = AppClient(client_id or random_string(26), pool.id, secret, now, now, settings)
        self.clients[client.client_id] = client
        return client

    def remove_client(self, client: AppClient) -> None:
        """Delete *client*, end its logins in progress, and revoke its tokens."""
        del self.clients[client.client_id]
        self.grants.revoke_client(client)
        self.conversations.forget_client(client)

    @staticmethod
    def code() -> str:
        """Return a new random code of six digits."""
        return f"{secrets.randbelow(1_000_000):06d}"
