"""Fixtures of the transports over HTTP. The modules that need ``bare_environment`` and ``no_leaks`` name them."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from support.http_transports import MAKERS, MakeTransport
from support.loopback import write_bundle
from support.serving_aws import clear_environment


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables of this machine that a transport reads."""
    clear_environment(monkeypatch)


@pytest.fixture
def no_leaks() -> Iterator[None]:
    """Collect garbage after the test, so that a socket it left open is reported as its own fault."""
    yield
    gc.collect(1)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the path of the certificate authority that signed the servers' certificates."""
    return write_bundle(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> MakeTransport:
    """Run the test over each transport over HTTP."""
    return MAKERS[request.param]
