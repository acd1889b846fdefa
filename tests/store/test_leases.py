"""What only the stores over a database do: locks that end by themselves, versions, expiry, and faults of the database."""

from __future__ import annotations

import asyncio
import inspect
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any

import pytest

from srpcore.exceptions import ConfigurationError, StoreConflict, StoreCorrupt, StoreError, StoreLocked
from srpcore.offload import entered_in_thread, in_thread
from srpcore.store import DynamoDBStore, Login, RedisStore
from srpcore.store.leases import LEASE, _held
from srpcore_transports.https import HttpsTransport

from .making import KEY, LOGIN, OTHER, SECRETS, texts_of

if TYPE_CHECKING:
    from .shared import Database

NEW = Login(username="new")
CALLS = ("eval", "get_item", "put_item", "delete_item")


class Client:
    """A client of a database that calls *around* for each call of the store, with the real method."""

    def __init__(self, real: Any, around: Callable[[Callable[[], Any]], Any]) -> None:
        self._real, self._around = real, around

    def __getattr__(self, name: str) -> Any:
        if name not in CALLS:
            raise AttributeError(name)
        method = getattr(self._real, name)
        return lambda *arguments, **named: self._around(lambda: method(*arguments, **named))


@pytest.fixture(autouse=True)
def no_lease_is_left_in_the_context() -> Iterator[None]:
    yield
    assert _held.get() == ()


def test_the_lease_is_longer_than_the_five_calls_of_a_refresh() -> None:
    assert inspect.signature(HttpsTransport).parameters["total_timeout"].default * 5 < LEASE


@pytest.mark.parametrize("change", ["save", "delete"])
def test_a_holder_that_lost_its_lease_cannot_replace_a_newer_login(database: Database, change: str) -> None:
    store, other = database.store(), database.store(lock_timeout=0)
    store.save(KEY, LOGIN)
    with store.lock(KEY):
        assert store.load(KEY) == LOGIN
        with pytest.raises(StoreLocked, match="another process is using it, or was killed less than 360 seconds ago"):
            other.lock(KEY).__enter__()
        database.end_leases()
        with other.lock(KEY):
            other.save(KEY, NEW)
        with pytest.raises(StoreConflict) as caught:
            store.save(KEY, OTHER) if change == "save" else store.delete(KEY)
        assert str(caught.value) == (
            "the stored login was changed by another process meanwhile, so it was not replaced: load it again"
        )
        assert other.load(KEY) == NEW
        # What was loaded again may be replaced.
        assert store.load(KEY) == NEW
        store.save(KEY, OTHER)
    assert other.load(KEY) == OTHER


@pytest.mark.parametrize("exists", [True, False])
def test_a_holder_that_has_not_loaded_cannot_replace_a_newer_login(database: Database, exists: bool) -> None:
    store, other = database.store(), database.store()
    if exists:
        store.save(KEY, LOGIN)
    with store.lock(KEY):
        other.save(KEY, NEW)
        with pytest.raises(StoreConflict):
            store.save(KEY, OTHER)
        with pytest.raises(StoreConflict):
            store.delete(KEY)
    assert other.load(KEY) == NEW


def test_a_holder_cannot_bring_back_a_login_that_was_deleted(database: Database) -> None:
    store, other = database.store(), database.store()
    store.save(KEY, LOGIN)
    with store.lock(KEY):
        other.delete(KEY)
        with pytest.raises(StoreConflict):
            store.save(KEY, OTHER)
        store.delete(KEY)  # it is deleted already
    assert other.load(KEY) is None


def test_a_holder_may_save_and_delete_several_times(database: Database) -> None:
    store = database.store()
    with store.lock(KEY):
        for login in (LOGIN, OTHER, NEW):
            store.save(KEY, login)
        store.delete(KEY)
        store.delete(KEY)
        store.save(KEY, LOGIN)
    assert store.load(KEY) == LOGIN


def test_a_holder_that_found_no_login_may_save_one(database: Database) -> None:
    store = database.store()
    with store.lock(KEY):
        assert store.load(KEY) is None
        store.save(KEY, LOGIN)
    assert store.load(KEY) == LOGIN


def test_a_save_outside_of_the_lock_replaces_any_login(database: Database) -> None:
    store = database.store()
    with store.lock(KEY):
        # Another thread of the same process, for example a login of this user.
        def log_in() -> None:
            database.store().save(KEY, NEW)
            store.save(KEY, OTHER)

        thread = threading.Thread(target=lambda: Context().run(log_in))
        thread.start()
        thread.join(30)
        assert store.load(KEY) == OTHER
        with store.lock("another"):
            for login in (LOGIN, OTHER):
                store.save("another", login)
            store.save(KEY, LOGIN)  # each key has its own lock and its own version
    assert store.load(KEY) == LOGIN


def test_a_lease_that_was_lost_is_not_released_by_its_former_holder(database: Database) -> None:
    first, second, third = (database.store(lock_timeout=0) for _ in range(3))
    with second_lock(second) as lock:
        with first.lock(KEY):
            database.end_leases()
            lock.__enter__()
        with pytest.raises(StoreLocked):
            third.lock(KEY).__enter__()
    with third.lock(KEY):
        pass


@contextmanager
def second_lock(store: RedisStore | DynamoDBStore) -> Iterator[AbstractContextManager[None]]:
    lock = store.lock(KEY)
    yield lock
    lock.__exit__(None, None, None)


def test_a_lock_ends_by_itself_after_the_lease(database: Database) -> None:
    first, second = database.store(lease=1), database.store(lock_timeout=60)
    lock = first.lock(KEY)
    lock.__enter__()
    with second.lock(KEY):
        second.save(KEY, NEW)
    with pytest.raises(StoreConflict):
        first.save(KEY, LOGIN)
    lock.__exit__(None, None, None)
    assert first.load(KEY) == NEW


def test_threads_that_share_a_store_wait_without_asking_the_database(database: Database) -> None:
    calls: list[str] = []

    def count(call: Callable[[], Any]) -> Any:
        calls.append("call")
        return call()

    store = database.store(Client(database.client(), count))

    def wait() -> None:
        with store.lock(KEY):
            pass

    thread = threading.Thread(target=wait)
    with store.lock(KEY):
        before = len(calls)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert len(calls) == before
    thread.join(30)
    assert not thread.is_alive()
    assert len(calls) > before


def test_a_lock_that_was_released_on_another_thread_is_forgotten_here(database: Database) -> None:
    store = database.store()
    lock = store.lock(KEY)
    lock.__enter__()
    thread = threading.Thread(target=lambda: Context().run(lock.__exit__, None, None, None))
    thread.start()
    thread.join(30)
    store.save(KEY, NEW)  # as without a lock
    with store.lock(KEY):
        assert len(_held.get()) == 1
    assert store.load(KEY) == NEW


def test_a_task_that_outlives_the_lock_saves_as_without_a_lock(database: Database) -> None:
    store = database.store()

    async def main() -> None:
        released = asyncio.Event()

        async def later() -> None:
            await released.wait()
            await in_thread(store.save, KEY, OTHER)

        async with entered_in_thread(store.lock(KEY)):
            task = asyncio.create_task(later())
        store.save(KEY, NEW)
        released.set()
        await task

    asyncio.run(main())
    assert store.load(KEY) == OTHER


def test_the_lock_counts_on_an_event_loop_although_each_call_has_its_own_thread(database: Database) -> None:
    store, other = database.store(), database.store(lock_timeout=0)
    store.save(KEY, LOGIN)

    async def main() -> None:
        async with entered_in_thread(store.lock(KEY)):
            assert await in_thread(store.load, KEY) == LOGIN
            with pytest.raises(StoreLocked):
                other.lock(KEY).__enter__()
            other.save(KEY, NEW)
            with pytest.raises(StoreConflict):
                await in_thread(store.save, KEY, OTHER)
        assert _held.get() == ()

    asyncio.run(main())
    assert store.load(KEY) == NEW
    with other.lock(KEY):
        pass


def test_a_request_that_the_client_repeats_counts_once(database: Database) -> None:
    # A client repeats a request if the answer to the first one was lost: both are processed.
    store = database.store(Client(database.client(), lambda call: (call(), call())[1]), lock_timeout=0)
    with store.lock(KEY):
        for login in (LOGIN, OTHER):
            store.save(KEY, login)
            assert store.load(KEY) == login
        store.delete(KEY)
        store.save(KEY, NEW)
    with database.store(lock_timeout=0).lock(KEY):
        assert store.load(KEY) == NEW


def test_a_lock_whose_answer_was_lost_is_released(database: Database) -> None:
    lost = ["lock"]

    def lose(call: Callable[[], Any]) -> Any:
        answer = call()
        if lost.pop():
            lost.append("")
            raise ConnectionResetError("gone")
        lost.append("")
        return answer

    store = database.store(Client(database.client(), lose))
    with pytest.raises(StoreError, match="could not lock"):
        store.lock(KEY).__enter__()
    with database.store(lock_timeout=0).lock(KEY):
        pass


def test_a_lock_that_cannot_be_released_does_not_hide_the_result(database: Database) -> None:
    broken: list[str] = []

    def fail(call: Callable[[], Any]) -> Any:
        if broken:
            raise OSError("no route to host")
        return call()

    store = database.store(Client(database.client(), fail))
    with store.lock(KEY):
        broken.append("the database")
    with pytest.raises(StoreLocked):
        database.store(lock_timeout=0).lock(KEY).__enter__()


@pytest.mark.parametrize("verb", ["read", "write", "delete", "lock"])
@pytest.mark.parametrize("key", [bytes(range(32)), None], ids=["encrypted", "plain"])
def test_a_fault_of_the_database_is_a_store_error_without_secrets(
    database: Database, verb: str, key: bytes | None
) -> None:
    def fail(call: Callable[[], Any]) -> Any:
        raise OSError("no route to host")

    database.store(encryption_key=key).save(KEY, LOGIN)
    store = database.store(Client(database.client(), fail), encryption_key=key)
    uses: dict[str, Callable[[], object]] = {
        "read": lambda: store.load(KEY),
        "write": lambda: store.save(KEY, LOGIN),
        "delete": lambda: store.delete(KEY),
        "lock": lambda: store.lock(KEY).__enter__(),
    }
    with pytest.raises(StoreError, match=rf"could not {verb} the stored login.*OSError\): no route to host") as caught:
        uses[verb]()
    assert isinstance(caught.value.__cause__, OSError)
    assert not any(secret in texts_of(caught.value) for secret in SECRETS)
    assert database.store(encryption_key=key).load(KEY) == LOGIN


def test_the_database_holds_neither_the_tokens_nor_the_username(database: Database) -> None:
    store = database.store()
    store.save(KEY, LOGIN)
    with store.lock(KEY):
        content = repr(database.records())
        assert len(database.records()) == 2
    assert not any(text in content for text in (*SECRETS, "somebody", KEY))


def test_a_record_in_the_place_of_another_user_is_refused(database: Database) -> None:
    store = database.store()
    store.save(KEY, LOGIN)
    (name,) = database.records()
    record = store._read(re.findall("[0-9a-f]{64}", name)[0])[1]
    assert record is not None
    store.save("mallory", OTHER)
    (victim,) = {*database.records()} - {name}
    database.replace(victim, record)
    with pytest.raises(StoreCorrupt, match="belongs to another user"):
        store.load("mallory")
    assert store.load(KEY) == LOGIN
    database.replace(name, b"\x00{}")
    with pytest.raises(StoreCorrupt, match="it is not encrypted"):
        store.load(KEY)
    store.save(KEY, NEW)
    assert store.load(KEY) == NEW


def test_after_a_change_of_the_key_old_records_open_and_new_ones_do_not_need_the_old_key(database: Database) -> None:
    old, new = b"\x01" * 32, b"\x02" * 32
    database.store(encryption_key=old).save(KEY, LOGIN)
    with pytest.raises(StoreError, match="encrypted with another key"):
        database.store(encryption_key=new).load(KEY)
    both = database.store(encryption_key=[new, old])
    both.save(KEY, both.load(KEY) or NEW)
    assert database.store(encryption_key=new).load(KEY) == LOGIN


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lease": 0.9}, "invalid lease 0.9: use a number of seconds from 1 to 3600"),
        ({"lease": 3601}, "invalid lease 3601"),
        ({"lease": float("nan")}, "invalid lease nan"),
        ({"lease": True}, "invalid lease True"),
        ({"lease": None}, "invalid lease None"),
        ({"expire_after": 0}, "invalid expire_after 0: use a number of seconds from 1 to 2147483648$"),
        ({"expire_after": 2**31 + 1}, "invalid expire_after 2147483649: use a number of seconds from 1 to 2147483648$"),
        ({"lock_timeout": -1}, "invalid lock_timeout -1: use a number of seconds, 0 or more$"),
        ({"encryption_key": b"short"}, "encryption_key must be 32 random bytes, not 5 bytes"),
    ],
)
def test_an_invalid_argument_is_named(database: Database, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        database.store(**settings)


def test_the_limits_of_the_arguments_are_inclusive(database: Database) -> None:
    for settings in ({"lease": 1, "expire_after": 1}, {"lease": 3600, "expire_after": 2**31}, {"lock_timeout": 0}):
        database.store(**settings).save(KEY, LOGIN)


@pytest.mark.parametrize("cls", [RedisStore, DynamoDBStore])
def test_a_program_must_choose_whether_to_encrypt(cls: Any) -> None:
    assert inspect.signature(cls).parameters["encryption_key"].default is inspect.Parameter.empty


def test_the_lock_of_the_parent_stays_when_a_forked_child_leaves_the_block(database: Database) -> None:
    store = database.store()
    lock = store.lock(KEY)
    lock.__enter__()
    lease = _held.get()[0]
    lease.process += 1  # as if this were the child
    lock.__exit__(None, None, None)
    with pytest.raises(StoreLocked):
        database.store(lock_timeout=0).lock(KEY).__enter__()
    with suppress(StoreError):
        store._release(lease.name, lease.owner)
    with database.store(lock_timeout=0).lock(KEY):
        pass
