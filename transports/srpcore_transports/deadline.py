"""The time that calls may take: ``with time_limit(5): ...`` bounds every call made inside it.

The limit is a context variable, so tasks and threads that copy the context share it. It is stored as a reading of
``monotonic_clock()``, not as a duration, so that retries and pauses do not extend it.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from srpcore.clock import monotonic_clock

from .validation import seconds as valid_seconds

__all__ = ["current_deadline", "limit_until", "time_limit"]

current_deadline: ContextVar[float] = ContextVar("srpcore_deadline", default=float("inf"))
"""The present limit, a reading of ``monotonic_clock()``. It is infinite if there is none."""


@contextmanager
def time_limit(seconds: float) -> Generator[None, None, None]:
    """Limit all calls inside the ``with`` block, with their retries and pauses, to *seconds* from now.

    A call that is not finished by then raises TransportTimeout. Limits can be nested; the earliest one counts.

    Raises:
        ConfigurationError: *seconds* is not a positive number.
    """
    end = monotonic_clock() + valid_seconds("time_limit", seconds, allow_infinity=True)
    with limit_until(min(current_deadline.get(), end)):
        yield


@contextmanager
def limit_until(deadline: float) -> Generator[None, None, None]:
    """Limit all calls inside the ``with`` block to *deadline*, a reading of ``monotonic_clock()``."""
    token = current_deadline.set(deadline)
    try:
        yield
    finally:
        current_deadline.reset(token)
