"""The tests that every store must pass."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from srpcore import store as store_package
from srpcore.exceptions import ConfigurationError, StoreError, StoreLocked
from srpcore.store import (
    DynamoDBStore,
    FileStore,
    KeyringStore,
    Login,
    MemoryStore,
    RedisStore,
    Tokens,
    TokenStore,
)
from srpcore.testing import texts_with_lone_surrogates, usernames

from .making import KEY, LOGIN, OTHER, SECRETS, MakeStore, logins

KEYS = [
    KEY,
    "\0",
    "a\0b",
    "\u00e9",
    "e\u0301",
    "../../x",
    "/",
    "CON",
    "k" * 5000,
    "\U0001f468\u200d",
    "a",
    "A",
    " a",
]


@pytest.fixture
def store(make_store: MakeStore) -> TokenStore:
    return make_store(10.0)


def test_a_saved_login_is_loaded_until_it_is_deleted(store: TokenStore) -> None:
    assert store.load(KEY) is None
    store.delete(KEY)
    for login in (LOGIN, OTHER, Login(), LOGIN, LOGIN, OTHER, OTHER):
        store.save(KEY, login)
        assert store.load(KEY) == login
    store.delete(KEY)
    assert store.load(KEY) is None


def test_another_store_with_the_same_location_sees_the_login(make_store: MakeStore) -> None:
    make_store(1.0).save(KEY, LOGIN)
    assert make_store(2.0).load(KEY) == LOGIN


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(key=usernames().filter(bool), login=logins())
def test_any_login_is_kept_under_any_key(store: TokenStore, key: str, login: Login) -> None:
    store.save(key, login)
    assert store.load(key) == login
    store.delete(key)
    assert store.load(key) is None


def test_keys_are_not_confused(store: TokenStore) -> None:
    for key in KEYS:
        store.save(key, Login(username=key))
    for key in KEYS:
        assert store.load(key) == Login(username=key)
    for index, key in enumerate(KEYS):
        store.delete(key)
        assert [store.load(other) is None for other in KEYS] == [True] * (index + 1) + [False] * (len(KEYS) - index - 1)


@given(key=texts_with_lone_surrogates())
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_key_that_is_not_an_encodable_string_is_refused(store: TokenStore, key: str) -> None:
    wrong: tuple[Any, ...] = (key, "", None, 1, b"key")
    for one in wrong:
        with pytest.raises(ConfigurationError, match="key"):
            store.load(one)
        with pytest.raises(ConfigurationError, match="key"):
            store.save(one, LOGIN)
        with pytest.raises(ConfigurationError, match="key"):
            store.delete(one)
        with pytest.raises(ConfigurationError, match="key"), store.lock(one):
            raise AssertionError


@pytest.mark.parametrize("wrong", [None, {}, "text", LOGIN.tokens])
def test_only_a_login_can_be_saved(store: TokenStore, wrong: Any) -> None:
    store.save(KEY, LOGIN)
    with pytest.raises(ConfigurationError, match="login") as caught:
        store.save(KEY, wrong)
    assert not any(secret in str(caught.value) for secret in SECRETS)
    assert store.load(KEY) == LOGIN


def test_a_repr_does_not_show_secrets(store: TokenStore) -> None:
    store.save(KEY, LOGIN)
    assert not any(secret in f"{store!r} {store}" for secret in SECRETS)


def test_a_lock_excludes_others_until_it_is_released(make_store: MakeStore) -> None:
    store = make_store(0.0)
    with store.lock(KEY):
        with pytest.raises(StoreLocked, match="try again"), store.lock(KEY):
            raise AssertionError
        with pytest.raises(TimeoutError), make_store(0.0).lock(KEY):
            raise AssertionError
    with store.lock(KEY):
        pass


def test_a_lock_is_released_after_an_exception(make_store: MakeStore) -> None:
    store = make_store(0.0)
    with pytest.raises(ZeroDivisionError), store.lock(KEY):
        raise ZeroDivisionError
    with store.lock(KEY):
        pass


def test_every_key_has_its_own_lock(make_store: MakeStore) -> None:
    store = make_store(0.0)
    with store.lock(KEY), store.lock(KEY + "2"):
        pass


def test_the_store_can_be_used_while_a_lock_is_held(make_store: MakeStore) -> None:
    store = make_store(0.0)
    with store.lock(KEY):
        store.save(KEY, LOGIN)
        store.save("another", OTHER)
        assert store.load(KEY) == LOGIN
        store.delete(KEY)
    assert store.load(KEY) is None


def test_a_second_caller_waits_for_the_lock(make_store: MakeStore) -> None:
    store, order = make_store(30.0), []

    def wait() -> None:
        with store.lock(KEY):
            order.append("other")

    thread = threading.Thread(target=wait)
    with store.lock(KEY):
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join(30)
    assert order == ["first", "other"]


def test_a_lock_may_be_released_on_another_thread(make_store: MakeStore) -> None:
    store = make_store(0.0)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as another:
        lock = store.lock(KEY)
        one.submit(lock.__enter__).result()
        with pytest.raises(StoreLocked), store.lock(KEY):
            raise AssertionError
        another.submit(lock.__exit__, None, None, None).result()
    with store.lock(KEY):
        pass


def test_threads_that_hold_the_lock_lose_no_change(make_store: MakeStore) -> None:
    store = make_store(60.0)
    store.save(KEY, Login(username="0"))

    def add(_: int) -> None:
        with store.lock(KEY):
            login = store.load(KEY)
            assert login is not None
            assert login.username is not None
            store.save(KEY, Login(username=str(int(login.username) + 1)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(40)))
    assert store.load(KEY) == Login(username="40")


def test_threads_that_write_without_the_lock_leave_a_whole_login(make_store: MakeStore) -> None:
    store = make_store(60.0)
    written = [Login(username=str(number), tokens=Tokens(refresh_token=str(number) * 999)) for number in range(24)]
    store.save(KEY, written[0])

    def write(login: Login) -> Login | None:
        store.save(KEY, login)
        store.save(f"{login.username}", login)
        return store.load(KEY)

    with ThreadPoolExecutor(6) as threads:
        seen = list(threads.map(write, written))
    assert all(login in written for login in [*seen, store.load(KEY)])
    assert [store.load(str(number)) for number in range(24)] == written


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf"), 10.0**30, True, "1", None])
def test_an_invalid_timeout_is_refused(make_store: MakeStore, timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="lock_timeout"):
        make_store(timeout)


def test_store_locked_is_a_store_error() -> None:
    assert issubclass(StoreLocked, StoreError)
    stores: tuple[type[TokenStore], ...] = (MemoryStore, FileStore, KeyringStore, RedisStore, DynamoDBStore)
    assert len(stores) == 5  # mypy has seen that each keeps the protocol


def test_the_names_of_the_package_are_listed() -> None:
    assert dir(store_package) == sorted(store_package.__all__)
