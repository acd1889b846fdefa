"""Keep the keys of one user pool: when they are fetched, for how long they serve, and that one fetch serves everybody.

:class:`KeyCache` decides and does no I/O; :class:`JwksProvider` carries it out with threads,
:class:`AsyncJwksProvider` with tasks. Ages are of the wall clock: it goes on while a Lambda function is frozen, which
the monotonic clock may not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import Context
from threading import Event, Thread
from typing import TYPE_CHECKING

from .._fork import ForkSafeLock, reset_in_child
from ..exceptions.base import SrpcoreError, TransportError
from ..exceptions.tokens import UnknownKey
from .jwks import KeySet, parse_key_set
from .policy import seconds

if TYPE_CHECKING:
    import asyncio

__all__ = ["FIRST_BACK_OFF", "AsyncJwksProvider", "JwksProvider", "KeyCache", "KeyTiming"]

FIRST_BACK_OFF = 1.0
"""Seconds after a first failed fetch in which there is no second; it doubles with each failure, to the cool-down."""


class KeyTiming:
    """The seconds that :class:`~srpcore.TokenVerifier` explains.

    Raises:
        ConfigurationError: one is no finite number, ``stale_if_error`` is below 0, or another is not above it.
    """

    __slots__ = ("cool_down", "max_age", "stale_if_error")

    def __init__(self, max_age: float, cool_down: float, stale_if_error: float) -> None:
        seconds("max_age", max_age, zero=False)
        seconds("cool_down", cool_down, zero=False)
        seconds("stale_if_error", stale_if_error)
        self.max_age = max_age
        self.cool_down = cool_down
        self.stale_if_error = stale_if_error


class KeyCache:
    """What is known of one key set, and whether it is to be asked for. It does no I/O and holds no lock."""

    def __init__(self, url: str, timing: KeyTiming) -> None:
        self.url = url
        self._timing = timing
        # Each is replaced whole, so that a thread that reads without a lock sees one or the other.
        self._cached: tuple[KeySet, float] | None = None
        self._given_keys: KeySet | None = None
        self._last_fetch: tuple[float, int, str] | None = None  # when a fetch ended, failures in a row, why

    def find(self, kid: str | None, now: float) -> KeySet | None:
        """Return the keys if they may be used at *now* and have *kid* among them (None: whichever they have)."""
        keys = self._usable(now)
        return keys if keys is not None and (kid is None or kid in keys.keys) else None

    def fresh(self, kid: str | None, now: float) -> KeySet | None:
        """Return what :meth:`find` does if no fetch is due either, so that there is no more to ask."""
        keys, held = self._given_keys, self._cached
        if keys is None:
            # An age below 0 is of a clock that was set back.
            if held is None or not 0 <= now - held[1] < self._timing.max_age:
                return None
            keys = held[0]
        return keys if kid is None or kid in keys.keys else None

    def should_fetch(self, kid: str | None, now: float) -> bool:
        """Return whether a fetch may and should start at *now*, for the sake of *kid*."""
        if self._given_keys is not None:
            return False
        if self.fresh(kid, now) is not None:
            return False
        if self._usable(now) is not None and self.find(kid, now) is None:
            return self._pause_is_over(self._timing.cool_down, now)
        failures = 0 if self._last_fetch is None else self._last_fetch[1]
        # The exponent is bounded: after a long outage the power would overflow.
        back_off = FIRST_BACK_OFF * 2.0 ** min(failures - 1, 30) if failures else 0
        return self._pause_is_over(min(self._timing.cool_down, back_off), now)

    def set_given_keys(self, keys: KeySet) -> None:
        """Serve *keys* from now on, whatever their age, and want no fetch."""
        self._given_keys = keys

    def record_success(self, body: bytes, now: float) -> None:
        """Take the document that a fetch brought.

        Raises:
            InvalidKey: it is no key set that can be used; the keys that were there stay.
        """
        self._cached = parse_key_set(body), now
        self._last_fetch = now, 0, ""

    def record_failure(self, error: Exception, now: float) -> None:
        """Take note that a fetch failed: the keys that were there stay."""
        # A foreign transport's text might quote a proxy's password.
        reason = str(error) if isinstance(error, SrpcoreError) else type(error).__name__
        self._last_fetch = now, 1 + (0 if self._last_fetch is None else self._last_fetch[1]), reason

    def lookup_error(self, kid: str | None, now: float) -> SrpcoreError:
        """Return the error that says why :meth:`find` finds nothing and nothing is fetched."""
        keys = self._usable(now)
        if keys is not None:
            return UnknownKey("no key of the issuer has the token's kid", expected=[*keys.keys], actual=kid)
        reason = self._last_fetch[2] if self._last_fetch else "the fetch was interrupted"
        old = "" if self._cached is None else f", and the last one, {now - self._cached[1]:.0f} seconds old, is too old"
        return TransportError(f"no token can be verified: the key set {self.url} could not be had: {reason}{old}")

    def _usable(self, now: float) -> KeySet | None:
        if self._given_keys is not None or self._cached is None:
            return self._given_keys
        keys, since = self._cached
        return keys if now - since < self._timing.max_age + self._timing.stale_if_error else None

    def _pause_is_over(self, pause: float, now: float) -> bool:
        # A clock that was set back must not keep the keys from being fetched until it has caught up.
        return self._last_fetch is None or not 0 <= now - self._last_fetch[0] < pause


class JwksProvider:
    """One pool's keys for threads: however many ask, one fetches and the others wait, or go on with what there is."""

    def __init__(self, cache: KeyCache, fetch: Callable[[str], bytes], clock: Callable[[], float]) -> None:
        self.cache = cache
        self._fetch = fetch
        self._clock = clock
        self._lock = ForkSafeLock()
        self._fetching: Event | None = None
        reset_in_child(self, JwksProvider._after_fork)

    def keys(self, kid: str | None) -> KeySet:
        """Return keys with *kid* among them (None: any keys), fetched if need be.

        Raises:
            UnknownKey: the pool has no such key, as far as is known.
            TransportError: there are no keys, and none could be had.
        """
        while True:
            now = self._clock()
            found = self.cache.fresh(kid, now)
            if found is not None:
                return found
            leads, fetching = self._join(kid, now)
            found = self.cache.find(kid, now)
            if leads and fetching is not None:
                if found is None:
                    self._fetch_keys(fetching)
                    return self._find(kid)
                self._fetch_in_background(fetching)
            if found is not None:
                return found
            if fetching is None:
                raise self.cache.lookup_error(kid, now)
            fetching.wait()

    def wait(self) -> None:
        """Wait for the end of a fetch in fetching, if there is one."""
        fetching = self._fetching
        if fetching is not None:
            fetching.wait()

    def _after_fork(self) -> None:
        """Forget the fetch under way: the thread that fetches runs in the parent only."""
        self._fetching = None

    def _join(self, kid: str | None, now: float) -> tuple[bool, Event | None]:
        """Return whether this thread is to fetch, and the fetch in fetching."""
        with self._lock:
            if self._fetching is not None or not self.cache.should_fetch(kid, now):
                return False, self._fetching
            self._fetching = Event()
            return True, self._fetching

    def _fetch_in_background(self, fetching: Event) -> None:
        try:
            Thread(target=self._fetch_keys, args=(fetching,), name="srpcore-keys", daemon=True).start()
        except RuntimeError as error:
            # No thread is to be had (the interpreter is going down, or a limit): the keys that are there serve on.
            self.cache.record_failure(error, self._clock())
            self._finish(fetching)

    def _fetch_keys(self, fetching: Event) -> None:
        try:
            # In a context of its own: a caller's time limit must not end what all wait for.
            self.cache.record_success(Context().run(self._fetch, self.cache.url), self._clock())
        except Exception as error:  # noqa: BLE001 - whatever a given transport raises, there are no new keys
            self.cache.record_failure(error, self._clock())
        finally:
            self._finish(fetching)

    def _finish(self, fetching: Event) -> None:
        with self._lock:
            self._fetching = None
        fetching.set()

    def _find(self, kid: str | None) -> KeySet:
        now = self._clock()
        found = self.cache.find(kid, now)
        if found is None:
            raise self.cache.lookup_error(kid, now)
        return found


class AsyncJwksProvider:
    """One pool's keys for the tasks of an event loop; another loop, such as the next ``asyncio.run``, may follow."""

    def __init__(self, cache: KeyCache, fetch: Callable[[str], Awaitable[bytes]], clock: Callable[[], float]) -> None:
        self.cache = cache
        self._fetch = fetch
        self._clock = clock
        self._fetching: asyncio.Task[None] | None = None

    async def keys(self, kid: str | None) -> KeySet:
        """Return keys with *kid* among them (None: any keys), fetched if need be.

        Raises:
            UnknownKey: the pool has no such key, as far as is known.
            TransportError: there are no keys, and none could be had.
        """
        found = self.cache.fresh(kid, self._clock())
        if found is not None:
            return found
        import asyncio

        leads = False
        while True:
            now = self._clock()
            found, due = self.cache.find(kid, now), self.cache.should_fetch(kid, now)
            fetching = self._running_fetch()
            if fetching is None and due and not leads:
                # A task of its own: the one who asked first may be cancelled, and the others still wait for it.
                # And in a context of its own: a caller's time limit must not end what all wait for.
                leads, fetching = True, asyncio.get_running_loop().create_task(self._fetch_keys(), context=Context())
                self._fetching = fetching
            if found is not None:
                return found
            if fetching is None:
                raise self.cache.lookup_error(kid, now)
            await asyncio.wait([fetching])

    async def wait(self) -> None:
        """Wait for the end of a fetch in fetching, if there is one."""
        import asyncio

        fetching = self._running_fetch()
        if fetching is not None:
            await asyncio.wait([fetching])

    def _running_fetch(self) -> asyncio.Task[None] | None:
        import asyncio

        fetching = self._fetching
        # A task of a loop that is gone would never end.
        alive = fetching is not None and not fetching.done() and fetching.get_loop() is asyncio.get_running_loop()
        return fetching if alive else None

    async def _fetch_keys(self) -> None:
        try:
            self.cache.record_success(await self._fetch(self.cache.url), self._clock())
        except Exception as error:  # noqa: BLE001 - whatever a given transport raises, there are no new keys
            self.cache.record_failure(error, self._clock())
