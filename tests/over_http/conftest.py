"""What the tests of every transport over HTTP have around them."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from loopback import write_bundle
from serving_aws import clear_environment


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_environment(monkeypatch)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """A socket that nobody closed is an error here, not some tests later."""
    yield
    gc.collect(1)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the file of the authority that the servers' certificates are of."""
    return write_bundle(tmp_path_factory.mktemp("authority"))
