"""The state of a local service as one request sees it: its tables, and what is added and deleted together."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, overload

from srpcore.pool import Pool

from .. import steps
from ..api.errors import Refusal, not_found
from ..api.parameters import Parameters
from ..model.pools import AppClient, Group, IdentityProvider, PoolRecord, Resource, new_client_secret
from ..model.records import random_string
from ..steps import Step
from .auth_events import AuthEvents
from .auth_sessions import AuthSessions
from .documents import Documents
from .grants import Grants
from .passkeys import PasskeyOwners
from .service import Service
from .strangers import Strangers
from .tables import Table
from .users import Users
from .work import Work

__all__ = ["Handler", "State"]

T = TypeVar("T")


class State:
    """The state of a service as one request sees it. :meth:`run` answers the request.

    Args:
        issuer_base: the part of the issuer before ``/<pool id>`` for this request, if the service has none for all
            requests; None for AWS's own issuer.
        region: the region to which the request was sent; only its pools exist for the request. None for all.

    Attributes:
        service: what all requests share.
        work: the transactions of the request.
        url: the URL of the server to which the request was sent; None for a request in process.
    """

    def __init__(self, service: Service, issuer_base: str | None = None, region: str | None = None) -> None:
        self.service = service
        self.region = region
        self.clock = service.clock
        self.work = Work(service.database)
        self.url = issuer_base
        self._issuer_base = service.issuer_base or issuer_base
        self.pools = Table(self.work, "pool", PoolRecord, keep_lookups=True)
        self.clients = Table(self.work, "client", AppClient, keep_lookups=True)
        self.groups = Table(self.work, "group", Group)
        self.providers = Table(self.work, "provider", IdentityProvider)
        self.domains = Table(self.work, "domain", Resource)
        self.resource_servers = Table(self.work, "resource_server", Resource)
        self.linked_identities = Table(self.work, "linked_identity", Resource)
        self.import_jobs = Table(self.work, "import_job", Resource)
        self.brandings = Table(self.work, "branding", Resource)
        self.terms = Table(self.work, "terms", Resource)
        self.cimd_policies = Table(self.work, "cimd_policy", Resource)
        self.replicas = Table(self.work, "replica", Resource)
        self.recoveries = Table(self.work, "recovery", Resource)
        self.documents = Documents(self.work, self.clock)
        self.users = Users(self.work, self.groups)
        self.strangers = Strangers(self.work)
        self.auth_events = AuthEvents(self.work)
        self.passkey_owners = PasskeyOwners(self.work)
        self.auth_sessions = AuthSessions(self.work, self.clock, self.pools, self.clients, self.users)
        self.grants = Grants(self.work, self.clock)

    @overload
    def run(self, handler: Callable[[State], Step[T]]) -> T: ...

    @overload
    def run(self, handler: Callable[[State], T | Step[T]]) -> T: ...

    def run(self, handler: Callable[[State], T | Step[T]]) -> T:
        """Call *handler* with this state, and return its result. A state can be used for one request only.

        The handler runs in a transaction. If it is a generator, the functions that it yields are called outside of the
        transaction (see :mod:`..steps`).

        Raises:
            Refusal: the handler refuses the request.
        """
        try:
            return steps.run(lambda: handler(self), self.work.transact)
        finally:
            self.work.release()

    @property
    def trusted(self) -> bool:
        """Whether the request was signed, or was made in this process."""
        return self.url is None or self.region is not None

    def pool(self, pool_id: str) -> PoolRecord:
        """Return the pool with the id *pool_id*.

        Raises:
            Refusal: the pool does not exist in the region of the request.
        """
        pool = self.pools.get(None, pool_id)
        if pool is None or self.region not in (None, pool.region):
            raise not_found(f"User pool {pool_id} does not exist.")
        return pool

    def client(self, client_id: str) -> AppClient:
        """Return the app client with the id *client_id*.

        Raises:
            Refusal: the app client does not exist.
        """
        client = self.clients.find(client_id)
        if client is None:
            raise self.client_not_found(client_id)
        return client

    @staticmethod
    def client_not_found(client_id: str) -> Refusal:
        """Return the refusal for an app client that does not exist, or belongs to another pool."""
        return not_found(f"User pool client {client_id} does not exist.")

    def issuer(self, pool: PoolRecord) -> str:
        """Return the issuer (``iss``) of the pool's tokens for this request."""
        return Pool(pool.id).issuers[0] if self._issuer_base is None else f"{self._issuer_base}/{pool.id}"

    def add_pool(self, settings: dict[str, Any], pool_id: str | None = None) -> PoolRecord:
        """Add a pool with the id *pool_id*, or with a new one, and return it."""
        now = self.clock()
        pool_id = (
            pool_id or f"{self.region or self.service.region}_{random_string(9, string.ascii_letters + string.digits)}"
        )
        return self.pools.add(None, pool_id, PoolRecord(pool_id, now, now, settings))

    def remove_pool(self, pool: PoolRecord) -> None:
        """Delete *pool*, and everything that belongs to it."""
        # Not remove_client() for each: what is below deletes everything of all app clients at once.
        self.grants.revoke_clients(pool)
        self.auth_sessions.forget_pool(pool)
        for table in self._tables_of_pools():
            table.remove_all(pool)
        self.users.remove_all(pool)
        self.pools.remove(pool)

    def _tables_of_pools(self) -> tuple[Table[Any] | Documents | Strangers, ...]:
        return (
            self.clients,
            self.strangers,
            self.groups,
            self.providers,
            self.domains,
            self.resource_servers,
            self.linked_identities,
            self.import_jobs,
            self.brandings,
            self.terms,
            self.cimd_policies,
            self.replicas,
            self.recoveries,
            self.documents,
        )

    def add_client(self, pool: PoolRecord, settings: dict[str, Any], client_id: str | None = None) -> AppClient:
        """Add an app client with the id *client_id*, or with a new one, and return it.

        It gets the secret ``ClientSecret``, or a new one if ``GenerateSecret`` is true.
        """
        now = self.clock()
        secret = settings.get("ClientSecret") or (new_client_secret() if settings.get("GenerateSecret") else None)
        kept = {name: value for name, value in settings.items() if name != "ClientSecret"}
        client_id = client_id or random_string(26)
        return self.clients.add(pool, client_id, AppClient(client_id, pool.id, secret, now, now, kept))

    def remove_client(self, client: AppClient) -> None:
        """Delete *client*, end its logins in progress, and revoke its tokens."""
        self.grants.revoke_client(client)
        self.auth_sessions.forget_client(client)
        pool = self.pool(client.user_pool_id)
        self.documents.remove_client(pool, client.client_id)
        for table in (self.brandings, self.terms):
            for resource in table.all(pool):
                if resource.settings["ClientId"] == client.client_id:
                    table.remove(resource)
        self.clients.remove(client)

    @staticmethod
    def code() -> str:
        """Return a new random code of six digits."""
        return f"{secrets.randbelow(1_000_000):06d}"


Handler: TypeAlias = Callable[[State, Parameters], "dict[str, Any] | Step[dict[str, Any]]"]
"""A function that answers an operation. One that computes for a long time is a generator (see :mod:`..steps`)."""
