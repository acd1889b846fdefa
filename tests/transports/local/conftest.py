from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from srpcore_transports.local import LocalUserPool
from support.clock import Clock

from .client import KEYS, Client


@pytest.fixture
def clock() -> Clock:
    return Clock.stopped()


@pytest.fixture
def make(clock: Clock) -> Callable[..., Client]:
    """Make a client of a new pool with the given settings."""

    def make_client(**settings: Any) -> Client:
        return Client(LocalUserPool(clock=clock, **{"credentials": KEYS, **settings}), clock)

    return make_client


@pytest.fixture
def client(make: Callable[..., Client]) -> Client:
    return make()


@pytest.fixture
def boto(client: Client) -> Iterator[Any]:
    """Return a boto3 client of the served pool of *client*. It checks the shape of every answer."""
    # boto3 is not installed for the unit tests.
    from .boto import connected

    with connected(client.pool) as connection:
        yield connection
