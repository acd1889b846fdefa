"""A store of each kind, each with a folder and a keyring of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from srpcore.store import FileStore, KeyringStore, MemoryStore

from .making import MakeStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "logins"


@pytest.fixture
def keyring_entries() -> Iterator[dict[tuple[str, str], str]]:
    """The entries of a keyring in memory, which the package keyring uses for the time of a test."""
    import keyring

    from .backend import MemoryKeyring

    backend = MemoryKeyring()
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    yield backend.entries
    keyring.set_keyring(before)


@pytest.fixture(
    params=[
        "memory",
        "file",
        pytest.param("keyring", marks=pytest.mark.counterpart),  # the package is no part of the quick tests
        pytest.param("keyring in pieces", marks=pytest.mark.counterpart),
    ],
    ids=["memory", "file", "keyring", "keyring-in-pieces"],
)
def make_store(request: pytest.FixtureRequest, folder: Path) -> MakeStore:
    if request.param == "memory":
        stores: dict[float, MemoryStore] = {}
        return lambda timeout: stores.setdefault(0.0, MemoryStore(lock_timeout=timeout))
    if request.param == "file":
        return lambda timeout: FileStore(folder, lock_timeout=timeout)
    request.getfixturevalue("keyring_entries")
    most = 100 if "pieces" in str(request.param) else None
    return lambda timeout: KeyringStore("a service", lock_folder=folder, lock_timeout=timeout, max_characters=most)
