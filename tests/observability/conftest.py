"""Fixtures of the tests of observability."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.tracing import Tracing
from support.world import make_world

# make_world is a fixture: pytest finds it by its name in this module.
__all__ = ["make_world"]


@pytest.fixture
def tracing() -> Iterator[Tracing]:
    tracing = Tracing()
    yield tracing
    tracing.provider.shutdown()
