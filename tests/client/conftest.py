"""The fixtures of a world: a pool, an app client of it, and the wire to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

# PASSWORD, KEYS and Wire are here for tests/observability, which still imports them from this module.
from support.users import PASSWORD as PASSWORD
from support.world import KEYS as KEYS
from support.world import WORLDS
from support.world import Wire as Wire
from support.world import World as World


@pytest.fixture
def make_world() -> Iterator[Callable[..., World]]:
    worlds: list[World] = []

    def make(**settings: Any) -> World:
        worlds.append(World(**settings))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    kind, secret = request.param
    return make_world(kind=kind, client_secret=secret)
