"""``srpcore login`` on a pool that tracks devices, and ``srpcore devices``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from srpcore.store import FileStore, Login, store_key
from support.cli_processes import Result, Server, serving
from support.minting import access_claims, mint
from support.users import PASSWORD

pytestmark = pytest.mark.slow  # they start a server


@pytest.fixture(scope="module")
def tracking() -> Iterator[Server]:
    with serving("--devices", "--user", "alice") as server:
        yield server


def test_a_login_on_a_pool_that_tracks_devices_can_be_refreshed(
    tracking: Server, run_here: Callable[..., Result], own_folders: Path
) -> None:
    options = ("login", *tracking.pool(), "--username", "alice")
    assert run_here(*options, stdin=f"{tracking.password or PASSWORD}\n").status == 0
    store = FileStore(own_folders / "state" / "srpcore" / "logins")
    key = store_key(tracking.user_pool_id, tracking.client_id, "alice")
    login = store.load(key)
    assert login
    assert login.tokens
    assert login.device
    expired = mint(access_claims(exp=1, device_key=login.device.key))
    tokens = {**login.tokens.to_dict(), "access_token": expired}
    store.save(key, Login.from_dict({**login.to_dict(), "tokens": tokens}))
    assert run_here("token").stdout.strip() not in ("", expired, login.tokens.access_token)
    (device,) = json.loads(run_here("devices", "list").stdout)
    assert device["name"].startswith("srpcore on ")
    assert run_here("devices", "forget", device["key"]).status == 0
    assert json.loads(run_here("devices", "list").stdout) == []
