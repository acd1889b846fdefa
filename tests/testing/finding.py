"""Whether a strategy can give a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import Phase, find, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

WITHOUT_SHRINKING = settings(max_examples=5000, database=None, derandomize=True, phases=[Phase.generate])


def gives(strategy: SearchStrategy[T], condition: Callable[[T], bool]) -> None:
    """Fail unless *strategy* can give a value for which *condition* holds."""
    find(strategy, condition, settings=WITHOUT_SHRINKING)
