"""A local service: what all requests to it share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..model.calls import Calls
from ..model.clock import MovableClock
from ..model.outbox import Outbox
from ..triggers.configuration import Triggers
from .database import Database

__all__ = ["Service"]


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Service:
    """What all requests to one local service share. Each request sees it through its own State (``state.py``).

    Attributes:
        region: the region of new pools, unless the request has one.
        clock: the current time in seconds since the epoch, which the control endpoint can move.
        issuer_base: the part of the issuer before ``/<pool id>`` for all requests; None chooses it for each request.
        strict: settings without effect are refused.
        page_secret: the key of the HMACs in page tokens, and in the URLs to which import jobs are uploaded.
        calls: the last calls, in process and over HTTP.
    """

    region: str
    clock: MovableClock
    issuer_base: str | None
    triggers: Triggers
    strict: bool
    database: Database
    page_secret: bytes
    outbox: Outbox
    calls: Calls

    @classmethod
    def open(
        cls,
        region: str,
        clock: Callable[[], float],
        issuer_base: str | None,
        triggers: Triggers,
        path: str | None = None,
        *,
        strict: bool = False,
    ) -> Service:
        """Return a service with the database in the file *path*, or in memory. Its outbox is empty.

        Args:
            clock: returns the current time in seconds since the epoch.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        database = Database(path)
        try:
            page_secret = database.secret("page_secret")
        except BaseException:
            database.close()
            raise
        return cls(
            region=region,
            clock=MovableClock(clock),
            issuer_base=issuer_base,
            triggers=triggers,
            strict=strict,
            database=database,
            page_secret=page_secret,
            outbox=Outbox(),
            calls=Calls(),
        )
