from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import count
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from srpcore_transports.local import LocalUserPool, signing

from .client import Client, Clock

_made = count()
_generate = signing.generate


@cache
def _key(_: int) -> rsa.RSAPrivateKey:
    return _generate()


@pytest.fixture(autouse=True)
def _few_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand out four real keys in turn: making one for each test would take longer than all the rest."""
    monkeypatch.setattr(signing, "generate", lambda: _key(next(_made) % 4))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Callable[..., Client]:
    """Make a client of a new pool with the given settings."""

    def make_client(**settings: Any) -> Client:
        return Client(LocalUserPool(clock=clock, **settings), clock)

    return make_client


@pytest.fixture
def client(make: Callable[..., Client]) -> Client:
    return make()
