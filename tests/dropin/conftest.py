"""Stages for programs, and an environment without settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import srpcore
from srpcore_transports.local import LocalUserPool

from .stage import KEYS, WAYS, Stage, arguments_of


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave nothing of the environment that moves a client."""
    for name in [*os.environ]:
        if name.startswith("AWS_") or name in ("COGNITO_JWKS", "SRPCORE_TRANSPORT"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # pycognito's fetch of the keys goes to the loopback address, past whatever proxy the environment names.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def on_stage() -> Iterator[Callable[..., Stage]]:
    """Make a stage with a new pool of the given settings, for a way to it and a module."""
    closing: list[Callable[[], None]] = []

    def make(way: str = "in process", module: Any = srpcore, **settings: Any) -> Stage:
        pool = LocalUserPool(credentials=KEYS, **settings)
        server = pool.serve()
        closing.append(server.close)
        stage = Stage(module, pool, **arguments_of(way, pool, server.url))
        closing.append(stage.close)
        return stage

    yield make
    for close in reversed(closing):
        close()


@pytest.fixture(params=WAYS)
def stage(request: pytest.FixtureRequest, on_stage: Callable[..., Stage]) -> Stage:
    """A pool reached in each of the ways, by srpcore."""
    return on_stage(request.param)
