"""The clock of a test."""

from __future__ import annotations

import time


class Clock:
    """A clock that a test can move. It runs with the real time, or stands still if it is given the time as *now*.

    ``clock.ahead += 60`` moves it by a minute, and it goes on as before. ``clock.now = 60.0`` sets the time in seconds
    since 1970, at which the clock then stands still.
    """

    def __init__(self, now: float | None = None) -> None:
        self._stopped_at = now
        self.ahead = 0.0

    @classmethod
    def stopped(cls) -> Clock:
        """Return a clock that stands still at the current whole second."""
        return cls(float(int(time.time())))

    def __call__(self) -> float:
        """Return the time in seconds since 1970."""
        return (time.time() if self._stopped_at is None else self._stopped_at) + self.ahead

    @property
    def now(self) -> float:
        """The time in seconds since 1970."""
        return self()

    @now.setter
    def now(self, value: float) -> None:
        self._stopped_at, self.ahead = value, 0.0
