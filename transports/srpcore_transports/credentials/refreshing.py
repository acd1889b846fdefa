"""Temporary credentials that are fetched anew before they expire."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from srpcore._fork import ForkSafeLock
from srpcore.clock import Clock, system_clock
from srpcore.exceptions.base import SrpcoreError, TransportError

from .values import Credentials

__all__ = ["ADVISORY_SECONDS", "MANDATORY_SECONDS", "RETRY_SECONDS", "RefreshingCredentials", "Temporary"]

ADVISORY_SECONDS = 15 * 60.0
"""From here to the expiry one caller tries for new credentials, and all others go on with the old ones (botocore's)."""

MANDATORY_SECONDS = 10 * 60.0
"""From here to the expiry every caller waits for new credentials, and a failure is raised (botocore's)."""

RETRY_SECONDS = 60.0
"""The least time between attempts of which the last one failed early, or brought nothing that lasts longer."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """Credentials and when they expire, in seconds since 1970."""

    credentials: Credentials
    expires: float


class RefreshingCredentials:
    """A provider that calls *fetch* when it is first asked and again before what that returned expires.

    However many threads ask at once, one of them fetches. *clock* gives the seconds since 1970.
    """

    def __init__(self, fetch: Callable[[], Temporary], *, clock: Clock = system_clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = ForkSafeLock()
        self._current: Temporary | None = None
        self._fetched_at = self._tried_at = -RETRY_SECONDS

    def __call__(self) -> Credentials:
        """Return credentials that are not expired.

        Raises:
            TransportError: new ones are due and were not had, or what was had is expired.
            ConfigurationError: the source cannot be asked.
        """
        current, now = self._current, self._clock()
        if current is None:
            return self._due(None)
        remaining = current.expires - now
        # A source that had nothing newer a moment ago is not asked at every call.
        settled = now - self._fetched_at < RETRY_SECONDS < remaining
        if remaining >= ADVISORY_SECONDS or settled:
            return current.credentials
        return self._due(current) if remaining < MANDATORY_SECONDS else self._early(current, now)

    def _due(self, seen: Temporary | None) -> Credentials:
        with self._lock:
            current = self._current
            # Another thread may have fetched meanwhile: what it got is as new as it gets, however soon it expires.
            if current is None or current is seen or current.expires <= self._clock():
                current = self._fetched()
            return current.credentials

    def _early(self, current: Temporary, now: float) -> Credentials:
        if now - self._tried_at >= RETRY_SECONDS and self._lock.acquire(timeout=0):
            try:
                self._tried_at = now
                if self._current is current:
                    with suppress(SrpcoreError):
                        return self._fetched().credentials
            finally:
                self._lock.release()
        return current.credentials

    def _fetched(self) -> Temporary:
        fetched, now = self._fetch(), self._clock()
        if fetched.expires <= now:
            raise TransportError("the temporary AWS credentials that were had are expired: check this machine's clock")
        self._current, self._fetched_at = fetched, now
        return fetched
