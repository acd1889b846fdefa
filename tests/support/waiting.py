"""Wait for what another thread or a server is about to do."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["wait_until"]


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once *condition* returns True. Fail the test after 20 seconds, which only bounds a hang."""
    # Not time.monotonic(), which some tests replace.
    for _ in range(4000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("the condition did not become true")
