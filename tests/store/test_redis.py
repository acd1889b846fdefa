"""What only the Redis store does: its keys, which clients it accepts, and a cluster."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from srpcore.exceptions import ConfigurationError, StoreConflict, StoreCorrupt, StoreError, StoreLocked
from srpcore.store import RedisStore
from support.ports import reserved_port
from system.programs import program

from .making import KEY, LOGIN, NOT_A_LOGIN, OTHER

if TYPE_CHECKING:
    from .shared import RedisDatabase

BYTES = bytes(range(32))


@pytest.mark.system
def test_the_names_of_the_keys_have_the_prefix(redis_database: RedisDatabase) -> None:
    store = redis_database.store(prefix="my app:")
    store.save(KEY, LOGIN)
    with store.lock(KEY):
        names = sorted(redis_database.records())
    assert [name.partition("}")[2] for name in names] == [":lease", ":login"]
    assert all(name.startswith("my app:{") for name in names)
    assert redis_database.store().load(KEY) is None
    assert repr(store) == "RedisStore(prefix='my app:')"


@pytest.mark.system
def test_the_names_of_the_keys_are_those_of_earlier_versions(redis_database: RedisDatabase) -> None:
    redis_database.store().save(KEY, LOGIN)
    assert [*redis_database.records()] == [f"srpcore:{{{sha256(KEY.encode()).hexdigest()}}}:login"]


@pytest.mark.system
def test_a_client_that_decodes_responses_can_be_used(redis_database: RedisDatabase) -> None:
    import redis

    store = redis_database.store(redis.Redis(unix_socket_path=redis_database.where, decode_responses=True))
    with store.lock(KEY):
        store.save(KEY, LOGIN)
        store.save(KEY, OTHER)
        assert store.load(KEY) == OTHER
    assert redis_database.store().load(KEY) == OTHER


@pytest.mark.system
def test_a_login_expires_if_it_is_not_saved_again(redis_database: RedisDatabase) -> None:
    def seconds_left() -> int:
        with redis_database.client() as client:
            (name,) = cast("list[bytes]", client.keys("*:login"))
            return cast(int, client.ttl(name))

    redis_database.store(expire_after=5000).save(KEY, LOGIN)
    assert 4000 < seconds_left() <= 5000
    with redis_database.store(expire_after=90000).lock(KEY):
        redis_database.store(expire_after=90000).save(KEY, LOGIN)
    assert 80000 < seconds_left() <= 90000
    redis_database.store().save(KEY, LOGIN)
    assert seconds_left() == -1


@pytest.mark.system
def test_the_lease_of_a_lock_ends_by_the_clock_of_redis(redis_database: RedisDatabase) -> None:
    with redis_database.store(lease=2000).lock(KEY), redis_database.client() as client:
        (name,) = cast("list[bytes]", client.keys("*:lease"))
        assert 1000 < cast(int, client.ttl(name)) <= 2000


@pytest.mark.system
@pytest.mark.parametrize(
    "value", [b"", b"x", b"\xff" * 100, b"0" * 32 + b":no Base64!", b"0" * 33, b"0" * 32 + b"AAAA"]
)
def test_a_value_that_was_not_written_by_the_store_is_reported_and_can_be_replaced(
    redis_database: RedisDatabase, value: bytes
) -> None:
    store = redis_database.store()
    store.save(KEY, LOGIN)
    (name,) = redis_database.records()
    with redis_database.client() as client:
        client.set(name, value)
    with store.lock(KEY), pytest.raises(StoreCorrupt, match=f"^{re.escape(NOT_A_LOGIN)}$"):
        store.load(KEY)
    store.save(KEY, LOGIN)
    assert store.load(KEY) == LOGIN


@pytest.mark.system
def test_a_key_of_another_type_is_an_error_and_does_not_stay_locked(redis_database: RedisDatabase) -> None:
    store = redis_database.store(lock_timeout=0)
    store.save(KEY, LOGIN)
    (name,) = redis_database.records()
    with redis_database.client() as client:
        client.delete(name)
        client.lpush(name, "x")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"Redis could not lock the stored login .*WRONGTYPE") as caught:
            store.lock(KEY).__enter__()
        assert not isinstance(caught.value, StoreLocked)


@pytest.mark.system
def test_a_server_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    no_retry = Retry(NoBackoff(), 0)
    store = RedisStore(redis.Redis(unix_socket_path=str(tmp_path / "none"), retry=no_retry), encryption_key=None)
    with pytest.raises(StoreError, match=r"Redis could not read the stored login \(ConnectionError\): .*none"):
        store.load(KEY)


@contextmanager
def redis_cluster(folder: Path) -> Iterator[int]:
    """Start a cluster of one node, which refuses scripts whose keys it would have to look for on two nodes."""
    with reserved_port() as port, reserved_port() as bus:
        command = [program("redis-server", "redis-server"), "--port", str(port), "--cluster-enabled", "yes"]
        options = ["--bind", "127.0.0.1", "--save", "", "--dir", str(folder), "--cluster-port", str(bus)]
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            assert any("Ready to accept connections" in line for line in process.stdout), "the server has ended"
            yield port
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.mark.system
def test_a_cluster_keeps_the_login_and_its_lease_on_one_node(tmp_path: Path) -> None:
    import redis

    with redis_cluster(tmp_path) as port:
        with redis.Redis(port=port) as node:
            node.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            while cast("dict[str, str]", node.execute_command("CLUSTER INFO"))["cluster_state"] != "ok":
                time.sleep(0.02)
        with redis.RedisCluster(host="127.0.0.1", port=port) as client:
            store, other = (RedisStore(client, encryption_key=BYTES) for _ in range(2))
            for key in (KEY, *map(str, range(20))):
                with store.lock(key):
                    store.save(key, LOGIN)
                    other.save(key, OTHER)
                    with pytest.raises(StoreConflict):
                        store.save(key, LOGIN)
                assert other.load(key) == OTHER


@pytest.mark.system
def test_a_client_that_the_store_cannot_use_is_refused(redis_database: RedisDatabase) -> None:
    import redis.asyncio

    wrong: list[tuple[Any, str]] = [
        (
            redis.asyncio.Redis(unix_socket_path=redis_database.where),
            "client is an asyncio client: give a redis.Redis, which AsyncCognito uses in a thread",
        ),
        (redis_database.where, "client must be a redis.Redis, not str"),
        (None, "client must be a redis.Redis, not NoneType"),
    ]
    for client, message in wrong:
        with pytest.raises(ConfigurationError, match=f"^{message}$"):
            RedisStore(client, encryption_key=BYTES)
    for prefix in ("a{b", None):
        with pytest.raises(ConfigurationError, match=f"^invalid prefix {prefix!r}: use a string without a brace$"):
            redis_database.store(prefix=prefix)
