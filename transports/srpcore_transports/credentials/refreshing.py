"""Temporary credentials that are fetched again before they expire.

What a call does depends on how long the current credentials are still valid (the two limits are those of botocore)::

    more than 15 minutes     return them
    10 to 15 minutes         one caller fetches new ones, at most once a minute; the others return the current ones
    less than 10 minutes     every caller waits for new ones; a failure is raised
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from srpcore._fork import ForkSafeLock, forget_in_snapshot
from srpcore.clock import Clock, system_clock
from srpcore.exceptions.base import SrpcoreError, TransportError

from .values import Credentials

__all__ = ["ADVISORY_SECONDS", "MANDATORY_SECONDS", "RETRY_SECONDS", "RefreshingCredentials", "Temporary"]

ADVISORY_SECONDS = 15 * 60.0
"""If the credentials expire sooner than this, one caller tries to fetch new ones. The others use the current ones."""

MANDATORY_SECONDS = 10 * 60.0
"""If the credentials expire sooner than this, every caller waits for new ones, and a failure is raised."""

RETRY_SECONDS = 60.0
"""The pause after an early attempt that failed, or that returned credentials that expire no later."""


@dataclass(frozen=True, slots=True)
class Temporary:
    """Credentials, and the time when they expire, in seconds since 1970."""

    credentials: Credentials
    expires: float


class RefreshingCredentials:
    """A provider that calls *fetch* at the first call, and again before the fetched credentials expire.

    If several threads need new credentials at the same time, one of them fetches and the others wait for it.

    Args:
        fetch: fetches new credentials.
        clock: the wall clock, in seconds since 1970.
    """

    def __init__(self, fetch: Callable[[], Temporary], *, clock: Clock = system_clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = ForkSafeLock()
        self._current: Temporary | None = None
        self._fetched_at = self._tried_at = -RETRY_SECONDS
        forget_in_snapshot(self, RefreshingCredentials._forget)

    def __call__(self) -> Credentials:
        """Return credentials that have not expired.

        Raises:
            TransportError: new credentials are needed and could not be fetched, or the fetched ones have expired.
            ConfigurationError: *fetch* raised it, because its source cannot be used.
        """
        current, now = self._current, self._clock()
        if current is None:
            return self._fetch_now(None)
        remaining = current.expires - now
        # The source may return the same credentials until shortly before they expire. Do not fetch them at every call.
        # A negative age means that the clock was set back since: it does not count.
        just_fetched = 0 <= now - self._fetched_at < RETRY_SECONDS < remaining
        if remaining >= ADVISORY_SECONDS or just_fetched:
            return current.credentials
        return self._fetch_now(current) if remaining < MANDATORY_SECONDS else self._fetch_early(current, now)

    def _forget(self) -> None:
        """Forget the credentials, so that the next call fetches new ones."""
        with self._lock.lock:
            self._current = None
            self._fetched_at = self._tried_at = -RETRY_SECONDS

    def _fetch_now(self, seen: Temporary | None) -> Credentials:
        with self._lock.lock:
            current = self._current
            # If another thread has fetched meanwhile, its result is the newest there is, even if it expires soon.
            if current is None or current is seen or current.expires <= self._clock():
                current = self._fetch_valid()
            return current.credentials

    def _fetch_early(self, current: Temporary, now: float) -> Credentials:
        if not 0 <= now - self._tried_at < RETRY_SECONDS and (lock := self._lock.lock).acquire(blocking=False):
            try:
                self._tried_at = now
                if self._current is current:
                    with suppress(SrpcoreError):
                        return self._fetch_valid().credentials
            finally:
                lock.release()
        return current.credentials

    def _fetch_valid(self) -> Temporary:
        fetched, now = self._fetch(), self._clock()
        if fetched.expires <= now:
            message = "the temporary AWS credentials have already expired: check this machine's clock"
            raise TransportError(message, reason="credentials")
        self._current, self._fetched_at = fetched, now
        return fetched
