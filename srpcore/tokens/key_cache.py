"""The cached key set of one user pool, and the decision when to fetch it again. No I/O, no locks, no threads.

Theory of operation
===================

How old the keys may be. Their age counts from the start of the fetch. (*) Not in AWS Lambda, see
:mod:`srpcore.tokens.jwks_provider`::

    fetched             max_age                     max_age + stale_if_error
       |-------------------|-----------------------------|-------------------->
       |       fresh       |            stale            |       expired
       |  used, no fetch   | used; one fetch is started  | not used; callers
       |                   | in the background (*)       | wait for a fetch

When the next fetch may start. *last* is the end of the last fetch, successful or not::

    the keys are fresh, but lack the key id   last + cool_down
    the keys are stale, but lack the key id   last + cool_down
    stale or expired, last fetch failed       last + min(cool_down, 1 s, 2 s, 4 s, ... doubled for each failure)
    otherwise                                 at once

The first two rows limit the fetches that an attacker can cause with invented key ids to one per *cool_down*. The third
row protects a server that is down. Until the pause is over, stale keys are used, and a caller whose key is
missing gets :class:`~srpcore.exceptions.UnknownKey` or :class:`~srpcore.exceptions.TransportError` without a fetch.
"""

from __future__ import annotations

from ..exceptions.base import SrpcoreError, TransportError, TransportTimeout
from ..exceptions.tokens import UnknownKey
from .jwks import UNKNOWN_KEY, KeySet, parse_fetched_key_set
from .policy import seconds

__all__ = ["FIRST_BACK_OFF", "KeyCache", "KeyTiming"]

FIRST_BACK_OFF = 1.0
"""The pause after the first failed fetch, in seconds. It doubles with each further failure, up to *cool_down*."""


class KeyTiming:
    """The times *max_age*, *cool_down*, *stale_if_error* and *timeout* in seconds; see :class:`~srpcore.TokenVerifier`.

    Raises:
        ConfigurationError: a time is not a finite number, *stale_if_error* is below 0, or another one is not above 0.
    """

    __slots__ = ("cool_down", "max_age", "stale_if_error", "timeout")

    def __init__(self, max_age: float, cool_down: float, stale_if_error: float, timeout: float = 5.0) -> None:
        seconds("max_age", max_age, zero=False)
        seconds("cool_down", cool_down, zero=False)
        seconds("stale_if_error", stale_if_error)
        seconds("timeout", timeout, zero=False)
        self.max_age, self.cool_down, self.stale_if_error, self.timeout = max_age, cool_down, stale_if_error, timeout


class _LastFetch:
    __slots__ = ("ended", "error", "failures", "reason")

    def __init__(self, ended: float, failures: int = 0, error: str = "", reason: str = "answer") -> None:
        # The failed fetches since the last successful one, and why the last one failed (the TransportError's reason).
        self.ended, self.failures, self.error, self.reason = ended, failures, error, reason


class KeyCache:
    """The cached keys of one pool, and the decision when to fetch them. It does no I/O and takes no lock.

    All times are seconds since the epoch.
    """

    def __init__(self, url: str, timing: KeyTiming) -> None:
        self.url = url
        self._timing = timing
        # Readers take no lock. Each of these is a tuple that is only replaced as a whole, so a reader sees either the
        # old keys with their time or the new keys with theirs, and never a mixture.
        self._cached: tuple[KeySet, float] | None = None
        self._given_keys: KeySet | None = None
        self._last_fetch: _LastFetch | None = None

    def find(self, kid: str | None, now: float) -> KeySet | None:
        """Return the keys, fresh or stale, if they contain *kid*, else None. With *kid* None any keys are returned."""
        keys = self._usable(now)
        return keys if keys is not None and (kid is None or kid in keys.keys) else None

    def fresh(self, kid: str | None, now: float) -> KeySet | None:
        """Return the keys if they are fresh and contain *kid*, so that no fetch is due; else None."""
        keys, held = self._given_keys, self._cached
        if keys is None:
            # The age is negative if the clock was set back after the fetch. Then it is unknown: do not call it fresh.
            if held is None or not 0 <= now - held[1] < self._timing.max_age:
                return None
            keys = held[0]
        return keys if kid is None or kid in keys.keys else None

    def should_fetch(self, kid: str | None, now: float) -> bool:
        """Return whether to start a fetch at *now* for a caller that needs the key *kid*."""
        if self._given_keys is not None or self.fresh(kid, now) is not None:
            return False
        if self._usable(now) is not None and self.find(kid, now) is None:
            return self._pause_is_over(self._timing.cool_down, now)
        failures = 0 if self._last_fetch is None else self._last_fetch.failures
        # Bound the exponent: after a very long outage the power would overflow.
        back_off = FIRST_BACK_OFF * 2.0 ** min(failures - 1, 30) if failures else 0
        return self._pause_is_over(min(self._timing.cool_down, back_off), now)

    def is_overdue(self, started: float, now: float, times: int = 1) -> bool:
        """Return whether a fetch has taken more than *times* the timeout at *now*."""
        # If the clock was set back, it is unknown how long the fetch has been running, so it counts as overdue.
        return not 0 <= now - started <= times * self._timing.timeout

    def set_given_keys(self, keys: KeySet) -> None:
        """Use *keys* from now on without an age limit, and never fetch."""
        self._given_keys = keys

    def record_success(self, body: bytes, started: float, now: float) -> None:
        """Replace the keys by those in *body*, the document that a fetch returned, unless the cached keys are newer.

        Args:
            started: when the fetch was started. The age of the keys counts from then.
            now: when it ended.

        Raises:
            TransportError: *body* is not a usable key set. The old keys stay; call :meth:`record_failure`.
        """
        keys = parse_fetched_key_set(body, self.url)
        # A fetch that was frozen may end after a later one, with a key that was withdrawn in between. A time after
        # *now* means that the clock was set back since, so it shows nothing.
        if self._cached is None or not started < self._cached[1] <= now:
            self._cached = keys, started
        self._last_fetch = _LastFetch(now)

    def record_failure(self, error: Exception, now: float) -> None:
        """Record that a fetch failed at *now*. The old keys stay."""
        # Only srpcore's own messages are known to be free of secrets. Another library's may quote the URL of a proxy
        # with its password, so use the name of its class only.
        reason = str(error) if isinstance(error, SrpcoreError) else type(error).__name__
        kind = error.reason if isinstance(error, TransportError) else "answer"
        failures = 0 if self._last_fetch is None else self._last_fetch.failures
        self._last_fetch = _LastFetch(now, failures + 1, reason, kind)

    def lookup_error(self, kid: str | None, now: float) -> SrpcoreError:
        """Return the error to raise if :meth:`find` returns None and no fetch is due."""
        keys = self._usable(now)
        if keys is not None:
            return UnknownKey(UNKNOWN_KEY, expected=[*keys.keys], actual=kid)
        last = self._last_fetch or _LastFetch(now, error="the fetch was interrupted")
        old = "" if self._cached is None else f" (the cached one is {now - self._cached[1]:.0f} seconds old: too old)"
        message = f"key set {self.url} could not be fetched, so no token can be verified: {last.error}{old}"
        error = TransportTimeout if last.reason.endswith("timeout") else TransportError
        return error(message, reason=last.reason, url=self.url, fetching=True)

    def _usable(self, now: float) -> KeySet | None:
        if self._given_keys is not None or self._cached is None:
            return self._given_keys
        keys, since = self._cached
        return keys if now - since < self._timing.max_age + self._timing.stale_if_error else None

    def _pause_is_over(self, pause: float, now: float) -> bool:
        # If the clock was set back, the difference is negative. Fetch at once then: otherwise no fetch would start
        # until the clock reaches the old time again.
        return self._last_fetch is None or not 0 <= now - self._last_fetch.ended < pause
