"""Fetch and cache the key set of one user pool, with one fetch at a time for all callers.

Theory of operation
===================

:class:`~srpcore.tokens.key_cache.KeyCache` holds the keys and decides when to fetch. :class:`JwksProvider` fetches with
threads, :class:`AsyncJwksProvider` with asyncio tasks.

Which caller fetches and which ones wait. Each call of ``keys(kid)`` first looks for fresh keys, without a lock. If it
does not find the key there, it joins the other callers::

    keys(kid): are there fresh keys with kid?
      yes: return them
      no:  _join, under the lock. Then:

                                           stale keys with kid        no usable keys with kid
                                         +-------------------------+--------------------------------------
      a fetch is due, and none runs      | fetch in the background | fetch in this thread, then
      (this caller starts it)            | and return stale keys(*)| return the new keys or raise
      a fetch is due, and the one in the | fetch in this thread, then return the new keys; if that
      background is overdue or was frozen| fails, return stale keys or raise
      a fetch is running                 | return stale keys       | wait until it ends, then start again
      no fetch is running, and none due  | return stale keys       | raise UnknownKey or TransportError

    _finish, at the end of each fetch: clear the running fetch, under the lock; then wake up all waiting callers.

With asyncio a lock is not needed, because no other task runs between two awaits, and each fetch is a task of its own.

AWS Lambda freezes a process as soon as it has answered a request, and thaws it for the next one. So three rules apply:

- (*) In Lambda no fetch runs in the background, because it would be frozen every time before it ends. The keys would
  be used until they expire. The caller fetches in its own thread instead, and returns stale keys only if that fails.
- Other programs may be frozen too, for example a container that is paused. A fetch is overdue if it was started more
  than *timeout* ago, by the wall clock. One that has ended was frozen if it took more than twice that time; then its
  failure does not count, because it shows nothing about the server. In both cases the next caller fetches in its own
  thread. This applies to background fetches only. A foreground fetch runs in the thread of a caller, which continues
  it after the thaw.
- Ages are measured with the wall clock, because the monotonic clock may stop in a frozen process, so that old keys
  would look fresh. They count from the start of the fetch: a frozen process may read an answer that is hours old.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextvars import Context
from threading import Event, Thread
from typing import TYPE_CHECKING

from .._fork import ForkSafeLock, reset_in_child
from .jwks import KeySet
from .key_cache import KeyCache

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncJwksProvider", "JwksProvider"]


class _RunningFetch:
    """A fetch: when it was started, whether in the background, and an event that is set at its end."""

    __slots__ = ("background", "done", "started")

    def __init__(self, started: float, *, background: bool) -> None:
        self.started = started
        self.background = background
        self.done = Event()


def _freezes() -> bool:
    """Return whether this process runs in AWS Lambda, which freezes it between two requests."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ or os.environ.get("AWS_EXECUTION_ENV", "").startswith("AWS_Lambda")


class JwksProvider:
    """The keys of one pool for threads. One thread fetches; the others wait, or use stale keys meanwhile."""

    def __init__(self, cache: KeyCache, fetch: Callable[[str], bytes], clock: Callable[[], float]) -> None:
        self.cache = cache
        self._fetch = fetch
        self._clock = clock
        self._lock = ForkSafeLock()
        self._fetching: _RunningFetch | None = None
        self._frozen = False  # whether the last fetch was
        reset_in_child(self, JwksProvider._after_fork)

    def keys(self, kid: str | None) -> KeySet:
        """Return keys that contain *kid*, fetching them if necessary. With *kid* None any keys are returned.

        Raises:
            UnknownKey: the key set does not contain *kid*. It is fetched again at most once per *cool_down*.
            TransportError: the keys could not be fetched, and old ones are missing or expired.
        """
        while True:
            now = self._clock()
            found = self.cache.fresh(kid, now)
            if found is not None:
                return found
            leads, fetching = self._join(kid, now)
            found = self.cache.find(kid, now)  # now, because a background fetch may replace the keys soon
            if leads and fetching is not None:
                if not fetching.background:
                    self._fetch_keys(fetching)
                    return self._find(kid)
                self._fetch_in_background(fetching)
            if found is not None:
                return found
            if fetching is None:
                raise self.cache.lookup_error(kid, now)
            fetching.done.wait()

    def wait(self) -> None:
        """Wait until the running fetch ends, if there is one."""
        fetching = self._fetching
        if fetching is not None:
            fetching.done.wait()

    def _after_fork(self) -> None:
        """Forget a running fetch in a forked child: its thread exists in the parent only, and would never finish it."""
        self._fetching = None

    def _join(self, kid: str | None, now: float) -> tuple[bool, _RunningFetch | None]:
        """Return whether this thread must fetch, and the running fetch or None."""
        with self._lock.lock:
            running = self._fetching
            overdue = running is not None and running.background and self.cache.is_overdue(running.started, now)
            if (running is not None and not overdue) or not self.cache.should_fetch(kid, now):
                return False, running
            foreground = overdue or self._frozen or _freezes() or self.cache.find(kid, now) is None
            started = self._fetching = _RunningFetch(now, background=not foreground)
            self._frozen = False
        if running is not None:
            # The threads that wait for the overdue fetch wait for the new one from now on.
            running.done.set()
        return True, started

    def _fetch_in_background(self, fetching: _RunningFetch) -> None:
        try:
            Thread(target=self._fetch_keys, args=(fetching,), name="srpcore-keys", daemon=True).start()
        except RuntimeError as error:
            # The interpreter is exiting, or there are too many threads. The old keys are still usable.
            self.cache.record_failure(error, self._clock())
            self._finish(fetching)

    def _fetch_keys(self, fetching: _RunningFetch) -> None:
        try:
            # Run it in a new context. The deadline of the thread that happens to fetch is a context variable, and must
            # not end a fetch that other threads wait for.
            body = Context().run(self._fetch, self.cache.url)
            self.cache.record_success(body, fetching.started, self._clock())
        except Exception as error:  # noqa: BLE001 - any error of the program's transport means that there are no new keys
            if not self._was_frozen(fetching):
                self.cache.record_failure(error, self._clock())
        finally:
            self._finish(fetching)

    def _finish(self, fetching: _RunningFetch) -> None:
        with self._lock.lock:
            if self._fetching is fetching:
                self._fetching, self._frozen = None, self._was_frozen(fetching)
        fetching.done.set()

    def _was_frozen(self, fetching: _RunningFetch) -> bool:
        # A fetch whose time is up ends a little after *timeout*, so this needs a margin.
        return fetching.background and self.cache.is_overdue(fetching.started, self._clock(), times=2)

    def _find(self, kid: str | None) -> KeySet:
        now = self._clock()
        found = self.cache.find(kid, now)
        if found is None:
            raise self.cache.lookup_error(kid, now)
        return found


class AsyncJwksProvider:
    """The keys of one pool for asyncio tasks. It also works if a second event loop follows the first."""

    def __init__(self, cache: KeyCache, fetch: Callable[[str], Awaitable[bytes]], clock: Callable[[], float]) -> None:
        self.cache = cache
        self._fetch = fetch
        self._clock = clock
        self._fetching: asyncio.Task[None] | None = None
        self._started, self._background = 0.0, False
        self._frozen = False  # whether the last fetch was

    async def keys(self, kid: str | None) -> KeySet:
        """Return keys that contain *kid*, fetching them if necessary. With *kid* None any keys are returned.

        Raises:
            UnknownKey: the key set does not contain *kid*. It is fetched again at most once per *cool_down*.
            TransportError: the keys could not be fetched, and old ones are missing or expired.
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
            # In Lambda wait even if there are stale keys: the event loop may run only while a caller waits.
            waits = found is None or (fetching is not None and _freezes())
            overdue = fetching is not None and self._background and self.cache.is_overdue(self._started, now)
            if (fetching is None or overdue) and due and not leads:
                # A caller starts at most one fetch (`leads`). If that fails, it uses stale keys or raises.
                if fetching is not None:
                    fetching.cancel()
                leads, waits = True, waits or overdue or self._frozen or _freezes()
                fetching = self._start_fetch(now, background=not waits)
            if found is not None and not waits:
                return found
            if fetching is None:
                raise self.cache.lookup_error(kid, now)
            await asyncio.wait([fetching])

    async def wait(self) -> None:
        """Wait until the running fetch ends, if there is one."""
        import asyncio

        fetching = self._running_fetch()
        if fetching is not None:
            await asyncio.wait([fetching])

    def _start_fetch(self, now: float, *, background: bool) -> asyncio.Task[None]:
        import asyncio

        # Fetch in a separate task, because the caller may be cancelled while others wait for the keys. Use a new
        # context, so that the caller's deadline does not end the fetch.
        self._started, self._background, self._frozen = now, background, False
        fetching = self._fetch_keys(now, background)
        self._fetching = asyncio.get_running_loop().create_task(fetching, context=Context())
        return self._fetching

    def _running_fetch(self) -> asyncio.Task[None] | None:
        import asyncio

        fetching = self._fetching
        # A task of an earlier event loop that was closed will never end: ignore it.
        alive = fetching is not None and not fetching.done() and fetching.get_loop() is asyncio.get_running_loop()
        return fetching if alive else None

    async def _fetch_keys(self, started: float, background: bool) -> None:
        try:
            self.cache.record_success(await self._fetch(self.cache.url), started, self._clock())
            self._frozen = background and self.cache.is_overdue(started, self._clock(), times=2)
        except Exception as error:  # noqa: BLE001 - any error of the program's transport means that there are no new keys
            self._frozen = background and self.cache.is_overdue(started, self._clock(), times=2)
            if not self._frozen:
                self.cache.record_failure(error, self._clock())
