from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from srpcore.crypto import modexp

# No deadline: a slow machine is no failure.
settings.register_profile("crypto", deadline=None, max_examples=60)
settings.load_profile("crypto")


@pytest.fixture(autouse=True)
def best_engine() -> Iterator[None]:
    """Leave every test, and begin the next, with the best engine."""
    yield
    modexp.select(None)
