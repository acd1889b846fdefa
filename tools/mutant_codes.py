"""mutmut's exit codes of the tests of a mutant."""

from __future__ import annotations

__all__ = ["KILLED", "NO_TESTS", "SURVIVED", "TIMED_OUT"]

SURVIVED, KILLED, NO_TESTS, TIMED_OUT = 0, 1, 33, 36
