from __future__ import annotations

from collections.abc import Iterator

import pytest

from srpcore.crypto import modexp


@pytest.fixture(autouse=True)
def best_engine() -> Iterator[None]:
    """Leave every test, and begin the next, with the best engine."""
    yield
    modexp.select(None)
