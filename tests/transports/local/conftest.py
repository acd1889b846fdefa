from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srpcore_transports.local import LocalUserPool
from support.clock import Clock

from .client import Client


@pytest.fixture
def clock() -> Clock:
    return Clock.stopped()


@pytest.fixture
def make(clock: Clock) -> Callable[..., Client]:
    """Make a client of a new pool with the given settings."""

    def make_client(**settings: Any) -> Client:
        return Client(LocalUserPool(clock=clock, **settings), clock)

    return make_client


@pytest.fixture
def client(make: Callable[..., Client]) -> Client:
    return make()
