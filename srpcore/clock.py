"""The clocks that srpcore reads if the program gives none. ``system_clock`` looks up ``time.time`` at every call.

A parameter such as ``clock: Clock = time.time`` binds the function once, when the module is imported. freezegun and
``mock.patch("time.time")`` replace the attribute ``time.time`` later, so they would not reach that default, and a test
of expiry would pass or fail for the wrong reason. ``system_clock`` and ``system_sleep`` are the defaults instead.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType
from typing import TypeAlias

__all__ = ["Clock", "is_system_time", "monotonic_clock", "system_clock", "system_sleep"]

Clock: TypeAlias = Callable[[], float]
"""A function that returns a time in seconds."""


def system_clock() -> float:
    """Return the seconds since the epoch, by ``time.time()``. A test may freeze it."""
    return time.time()


def is_system_time(clock: Clock) -> bool:
    """Return whether *clock* is :func:`system_clock` and shows this computer's own time, not one that a test has set.

    freezegun and ``mock.patch`` replace the function ``time.time`` by one that is written in Python. time-machine
    changes what the built-in function does, and has a function for this question.
    """
    if clock is not system_clock or not isinstance(time.time, BuiltinFunctionType):
        return False
    hatch = getattr(sys.modules.get("time_machine"), "escape_hatch", None)
    return hatch is None or not hatch.is_travelling()


def system_sleep(seconds: float) -> None:
    """Wait for *seconds*, by ``time.sleep()``."""
    time.sleep(seconds)


# Deadlines, timeouts and the ages of connections belong to real sockets and real locks, so their clock must go on while
# a test has frozen the time. freezegun replaces time.monotonic too, which fails in two ways:
#
# - It stands still, so a deadline never comes: waiting for a lock that another process holds would not end.
# - It returns the real value to any function that a new thread reaches in fewer than six calls. A deadline that is
#   computed there, and compared with the frozen value further down in the same thread, is decades in the past.
#
# clock_gettime() is the system call behind time.monotonic(), and neither freezegun nor time-machine replaces it for
# this clock. So this function is bound once. Windows does not have it.
monotonic_clock: Clock = (
    time.monotonic if sys.platform == "win32" else partial(time.clock_gettime, time.CLOCK_MONOTONIC)
)
"""Returns the seconds of a clock that is never set back, for measuring how long something takes."""
