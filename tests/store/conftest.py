"""A store of each kind, each with a folder and a keyring of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from srpcore.store import FileStore, KeyringStore, MemoryStore
from system.programs import program

from .making import MakeStore

if TYPE_CHECKING:
    from .shared import Database


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


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[str]:
    """The socket of a Redis server for the tests of this worker."""
    from .shared import redis_server

    # Not in tmp_path: the path of a socket has at most 107 bytes.
    with TemporaryDirectory() as folder, redis_server(program("redis-server", "redis-server"), Path(folder)) as socket:
        yield socket


@pytest.fixture
def redis_database(redis_socket: str) -> Database:
    from .shared import RedisDatabase

    database = RedisDatabase(redis_socket)
    with database.client() as client:
        client.flushall()
    return database


@pytest.fixture
def dynamodb_database() -> Iterator[Database]:
    """A table in this process."""
    from moto import mock_aws

    from .shared import DynamoDatabase

    with mock_aws():
        database = DynamoDatabase("")
        database.make_table()
        yield database


@pytest.fixture
def served_dynamodb_database() -> Iterator[Database]:
    """A table that other processes reach too."""
    from .shared import DynamoDatabase, dynamodb_server

    with dynamodb_server() as url:
        database = DynamoDatabase(url)
        database.make_table()
        yield database
        database.delete_table()


@pytest.fixture(
    params=[
        pytest.param("redis_database", marks=pytest.mark.system, id="redis"),
        pytest.param("dynamodb_database", marks=pytest.mark.counterpart, id="dynamodb"),
    ]
)
def database(request: pytest.FixtureRequest) -> Database:
    made: Database = request.getfixturevalue(request.param)
    return made


@pytest.fixture(
    params=[
        pytest.param("redis_database", marks=pytest.mark.system, id="redis"),
        pytest.param("served_dynamodb_database", marks=pytest.mark.counterpart, id="dynamodb"),
    ]
)
def served_database(request: pytest.FixtureRequest) -> Database:
    """A database that other processes reach too."""
    made: Database = request.getfixturevalue(request.param)
    return made


@pytest.fixture(
    params=[
        "memory",
        "file",
        pytest.param("keyring", marks=pytest.mark.counterpart),  # the package is no part of the quick tests
        pytest.param("keyring in pieces", marks=pytest.mark.counterpart),
        pytest.param("redis", marks=pytest.mark.system),
        pytest.param("dynamodb", marks=pytest.mark.counterpart),
    ],
    ids=["memory", "file", "keyring", "keyring-in-pieces", "redis", "dynamodb"],
)
def make_store(request: pytest.FixtureRequest, folder: Path) -> MakeStore:
    if request.param == "memory":
        stores: dict[float, MemoryStore] = {}
        return lambda timeout: stores.setdefault(0.0, MemoryStore(lock_timeout=timeout))
    if request.param == "file":
        return lambda timeout: FileStore(folder, lock_timeout=timeout)
    if request.param in ("redis", "dynamodb"):
        database: Database = request.getfixturevalue(f"{request.param}_database")
        client = database.client()
        return lambda timeout: database.store(client, lock_timeout=timeout)
    request.getfixturevalue("keyring_entries")
    most = 100 if "pieces" in str(request.param) else None
    return lambda timeout: KeyringStore("a service", lock_folder=folder, lock_timeout=timeout, max_characters=most)
