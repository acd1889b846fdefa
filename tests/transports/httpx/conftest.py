"""Fixtures of the transports over httpx."""

from __future__ import annotations

import pytest

from support.http_transports import HTTPX, MakeTransport


@pytest.fixture(params=HTTPX)
def make(request: pytest.FixtureRequest) -> MakeTransport:
    return HTTPX[request.param]
