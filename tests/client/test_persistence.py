"""Stored logins: one refresh for all threads, tasks and programs, and the tokens after a refusal or an outage."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.exceptions.base import ConfigurationError
from srpcore.protocol import Operation, Reply
from srpcore.store import FileStore, MemoryStore, TokenStore, store_key
from support.users import PASSWORD
from support.world import World, error

ROTATION = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world(client_settings=ROTATION, client_secret=True)
    world.create()
    return world


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    return MemoryStore() if request.param == "memory" else FileStore(tmp_path / "logins")


def renewals(world: World) -> int:
    return len(world.asked("GetTokensFromRefreshToken"))


def test_tokens_are_one_immutable_value(world: World) -> None:
    user = world.user()
    assert user.tokens.stored == srpcore.Tokens()
    for name in ("access_token", "id_token", "refresh_token"):
        with pytest.raises(exceptions.ConfigurationError, match=f"the user has no {name}: log in first"):
            getattr(user.tokens, name)
    user.authenticate(PASSWORD)
    tokens = user.tokens
    assert tokens == user.tokens
    assert hash(tokens) == hash(user.tokens)
    assert tokens.to_dict() == tokens.stored.to_dict()
    assert tokens.id_token == user.id_token
    assert (tokens.access_token, tokens.refresh_token) == (user.access_token, user.refresh_token)
    assert user.expires_datetime is not None
    assert tokens.expires_at == user.expires_datetime.timestamp()
    with pytest.raises(AttributeError):
        tokens.access_token = "another"  # type: ignore[misc]
    assert str(user.access_token) not in repr(tokens)
    user.renew_access_token()
    assert tokens != user.tokens


@pytest.mark.parametrize("store", ["logins", {}])
def test_a_store_of_another_type_is_refused(store: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"another store, not {type(store).__name__}"):
        srpcore.Cognito("us-east-1_AbCd12345", "client", store=store)


def test_another_program_continues_with_the_login(world: World, store: TokenStore) -> None:
    first = world.user(store=store)
    assert first.restore() is False
    first.authenticate(PASSWORD)
    second = world.user(store=store)
    assert second.restore() is True
    second.verify_tokens()
    assert (second.access_token, second.refresh_token) == (first.access_token, first.refresh_token)
    assert second.expires_datetime == first.expires_datetime
    second.renew_access_token()


def test_two_programs_do_not_use_one_rotating_refresh_token_twice(world: World, store: TokenStore) -> None:
    first, second = world.user(store=store), world.user(store=store)
    first.authenticate(PASSWORD)
    second.restore()
    first.renew_access_token()
    world.clock.ahead += 5
    second.renew_access_token()
    assert renewals(world) == 1
    assert second.access_token == first.access_token
    assert second.refresh_token == first.refresh_token
    world.clock.ahead += 3600
    second.renew_access_token()
    assert renewals(world) == 2
    first.renew_access_token()
    assert renewals(world) == 2


def test_newer_refresh_token_is_used_if_the_stored_access_token_has_expired(world: World, store: TokenStore) -> None:
    first, second = world.user(store=store), world.user(store=store)
    first.authenticate(PASSWORD)
    second.restore()
    first.renew_access_token()
    world.clock.ahead += 3700
    second.renew_access_token()
    assert renewals(world) == 2
    second.verify_tokens()


def test_tokens_are_in_the_store_before_they_are_used(world: World) -> None:
    store = MemoryStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    key = store_key(world.pool.user_pool_id, world.pool.client_id, "alice")
    spent = user.refresh_token
    user.renew_access_token()
    login = store.load(key)
    assert login is not None
    assert login.tokens is not None
    assert login.tokens.refresh_token == user.refresh_token != spent
    assert login.username == "alice"


@pytest.mark.parametrize(
    "refusal",
    [
        error("NotAuthorizedException", "Refresh Token has been revoked"),
        error("NotAuthorizedException", "Refresh Token has expired"),
        error("RefreshTokenReuseException", "reused"),
        error("UserNotFoundException", "User does not exist."),
    ],
)
def test_tokens_are_dropped_if_the_service_refuses_them_for_good(
    world: World, store: TokenStore, refusal: Reply
) -> None:
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    world.wire.instead = lambda operation: refusal
    with pytest.raises(exceptions.ServiceError):
        user.renew_access_token()
    assert (user.access_token, user.refresh_token) == (None, None)
    assert world.user(store=store).restore() is False


@pytest.mark.parametrize(
    "refusal",
    [
        error("TooManyRequestsException", "Rate exceeded"),
        error("InternalErrorException", "", 500),
        error("NotAuthorizedException", "Unable to verify secret hash for client x"),
        None,
    ],
)
def test_tokens_are_kept_after_any_other_failure(world: World, store: TokenStore, refusal: Reply | None) -> None:
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    kept = (user.access_token, user.refresh_token)

    def answer(operation: Operation) -> Reply:
        if refusal is None:
            raise exceptions.TransportTimeout("no answer in time")
        return refusal

    world.wire.instead = answer
    with pytest.raises(exceptions.SrpcoreError):
        user.renew_access_token()
    assert (user.access_token, user.refresh_token) == kept
    other = world.user(store=store)
    assert other.restore() is True
    assert (other.access_token, other.refresh_token) == kept


def test_no_token_is_lost_if_the_store_cannot_be_written(world: World, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "logins")
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    spent = user.refresh_token
    (tmp_path / "logins").chmod(0o777)
    with pytest.raises(exceptions.StoreError):
        user.renew_access_token()
    assert user.refresh_token == spent
    assert renewals(world) == 0
    (tmp_path / "logins").chmod(0o700)
    user.renew_access_token()


def test_logout_and_revocation_keep_only_the_device_in_the_store(make_world: Callable[..., World]) -> None:
    world = make_world(remember_devices=True)
    world.create()
    store = MemoryStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    device = user.confirm_device()
    user.logout()
    other = world.user(store=store)
    assert other.restore() is False
    assert other.device == device
    again = world.user(store=store)
    world.wire.clear()
    again.authenticate(PASSWORD)
    assert world.wire.names[-1] == "RespondToAuthChallenge:DEVICE_PASSWORD_VERIFIER"
    again.forget_device()
    assert world.user(store=store).restore() is True
    fresh = world.user(store=store)
    fresh.restore()
    assert fresh.device is None


def test_restore_needs_a_store(world: World) -> None:
    with pytest.raises(exceptions.ConfigurationError, match="no store"):
        world.user().restore()
    with pytest.raises(exceptions.ConfigurationError, match="username"):
        world.user(None, store=MemoryStore()).restore()


def test_many_threads_share_one_refresh(world: World) -> None:
    user = world.user()
    user.authenticate(PASSWORD)
    before = user.refresh_token
    world.clock.ahead += 3700
    barrier = threading.Barrier(32)

    def ask() -> None:
        barrier.wait()
        user.check_token()

    with ThreadPoolExecutor(32) as threads:
        for done in [threads.submit(ask) for _ in range(32)]:
            done.result()
    assert renewals(world) == 1
    assert user.refresh_token != before
    user.renew_access_token()
    assert renewals(world) == 2


def test_many_tasks_share_one_refresh(world: World, store: TokenStore) -> None:
    async def story() -> None:
        user = world.async_user(store=store)
        await user.authenticate(PASSWORD)
        world.clock.ahead += 3700
        tasks = [asyncio.ensure_future(user.check_token()) for _ in range(200)]
        await asyncio.sleep(0)
        for task in tasks[:100]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results[:100])
        assert all(result is True for result in results[100:])
        assert renewals(world) == 1
        user.access_token = None
        assert await user.restore() is True
        await user.renew_access_token()
        assert renewals(world) == 2

    asyncio.run(story())


def test_a_failed_refresh_fails_every_waiting_task_and_the_next_call_tries_again(world: World) -> None:
    async def story() -> None:
        user = world.async_user()
        await user.authenticate(PASSWORD)
        world.wire.instead = lambda operation: error("TooManyRequestsException")
        results = await asyncio.gather(*(user.renew_access_token() for _ in range(10)), return_exceptions=True)
        assert all(isinstance(result, exceptions.TooManyRequestsException) for result in results)
        world.wire.instead = lambda operation: None
        await user.renew_access_token()

    asyncio.run(story())


def test_a_refresh_that_fails_after_all_tasks_were_cancelled_logs_nothing(world: World) -> None:
    noise: list[object] = []

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: noise.append(context))
        user = world.async_user()
        await user.authenticate(PASSWORD)
        world.wire.instead = lambda operation: error("TooManyRequestsException")
        task = asyncio.ensure_future(user.renew_access_token())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0.1)
        del user
        gc.collect()

    asyncio.run(story())
    gc.collect()
    assert noise == []


def test_closing_waits_for_a_refresh_that_is_under_way(world: World) -> None:
    store = MemoryStore()

    async def story() -> None:
        async with world.async_user(store=store) as user:
            await user.authenticate(PASSWORD)
            task = asyncio.ensure_future(user.renew_access_token())
            await asyncio.sleep(0)
            task.cancel()
        assert renewals(world) == 1
        other = world.async_user(store=store)
        assert await other.restore()
        assert other.refresh_token == user.refresh_token
        await other.renew_access_token()

    asyncio.run(story())
