"""The clock of a local service, which a test can move."""

from __future__ import annotations

from collections.abc import Callable

from srpcore.exceptions.base import ConfigurationError

__all__ = ["DAY", "MovableClock", "is_time"]

DAY = 86_400
"""A day in seconds."""

# 1970-01-02 to 2999-12-31: within it every time has a date, also after the validity of a token was added.
_EARLIEST, _LATEST = 86_400.0, 32_503_593_600.0


def is_time(value: float) -> bool:
    """Return whether *value* is a time in seconds since the epoch, in the years 1970 to 2999."""
    # This form of the comparison refuses a NaN, too.
    return 0 <= value <= _LATEST


class MovableClock:
    """A clock that can be moved. It goes on from the time to which it was moved.

    Attributes:
        unmoved: returns the time in seconds since the epoch, as it would be if the clock had never been moved.
        moved: the seconds by which the clock is ahead of :attr:`unmoved`.
    """

    def __init__(self, unmoved: Callable[[], float]) -> None:
        self.unmoved = unmoved
        self.moved = 0.0

    def __call__(self) -> float:
        """Return the time in seconds since the epoch.

        Raises:
            ConfigurationError: the clock that is moved returned something else, for example milliseconds.
        """
        unmoved = self.unmoved()
        is_number = isinstance(unmoved, int | float)  # pyright: ignore[reportUnnecessaryIsInstance]
        if not (is_number and is_time(unmoved)):
            raise ConfigurationError(
                f"clock returned {unmoved!r:.80}, which is not a time: it must return seconds since 1970"
            )
        return unmoved + self.moved

    def advance(self, seconds: float) -> None:
        """Move the clock by *seconds*; a negative number moves it back.

        Raises:
            ValueError: the new time is not in the years 1970 to 2999.
        """
        # This form of the comparison refuses a NaN, too.
        if not _EARLIEST <= self() + seconds <= _LATEST:
            raise ValueError("time out of range: the clock can be set to times from 1970-01-02 to 2999-12-31")
        self.moved += seconds

    def set(self, time: float) -> None:
        """Move the clock to *time*, in seconds since the epoch.

        Raises:
            ValueError: *time* is not in the years 1970 to 2999.
        """
        self.advance(time - self())

    def reset(self) -> None:
        """Undo all moves."""
        self.moved = 0.0
