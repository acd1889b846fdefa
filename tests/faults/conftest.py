"""Fixtures of the fault tests: a pool, no pauses between attempts, and a check that nothing is left open."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import enumerate as enumerate_threads
from types import SimpleNamespace
from typing import Any

import pytest

from support.loopback import write_bundle

from .kinds import Pool


@pytest.fixture(scope="session")
def pool() -> Pool:
    return Pool()


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_bundle(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def _authority(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
    # A record with a traceback, which pytest keeps, keeps the connection too.
    monkeypatch.setattr(logging.getLogger("urllib3.connection"), "disabled", True)


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which nobody sits out."""
    slept: list[float] = []
    clock = SimpleNamespace(**{**vars(time), "sleep": slept.append})
    monkeypatch.setattr("srpcore_transports.attempts.time", clock)
    real = asyncio.sleep

    def sleep(seconds: float, *arguments: Any) -> Any:
        if sys._getframe(1).f_globals["__name__"] != "srpcore_transports.attempts":
            return real(seconds, *arguments)
        slept.append(seconds)
        return real(0, *arguments)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


@pytest.fixture(autouse=True)
def _nothing_left(_authority: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread or an open file behind."""
    threads, files = {*enumerate_threads()}, _open_files()
    yield
    for thread in {*enumerate_threads()} - threads:
        thread.join(30)
    assert {*enumerate_threads()} <= threads
    if "botocore" in request.node.name and _open_files() > files:
        gc.collect()  # urllib3's ReadTimeoutError keeps the pool of its connection, and is in a cycle
    for _ in range(1000):  # a server's thread that has ended may be closing still
        if _open_files() <= files:
            break
        time.sleep(0.02)
    assert _open_files() <= files


def _open_files() -> int:
    return len([*Path("/dev/fd").iterdir()]) if Path("/dev/fd").is_dir() else 0
