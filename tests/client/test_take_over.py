"""What a refresh takes from the store, and what it drops after a refusal, if several programs use one login."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

import srpcore
from srpcore import exceptions
from srpcore.flows.refresh import GET_TOKENS
from srpcore.store import Login, MemoryStore, store_key
from support.users import PASSWORD
from support.world import World, error

BY_FLOW = "InitiateAuth:REFRESH_TOKEN_AUTH"
ROTATION = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}


@pytest.fixture
def rotating(make_world: Callable[..., World]) -> World:
    world = make_world(client_settings=ROTATION)
    world.create()
    return world


def two_programs(world: World) -> tuple[srpcore.Cognito, srpcore.Cognito]:
    """Return two objects with the same tokens and the same store."""
    store = MemoryStore()
    first, second = world.user(store=store), world.user(store=store)
    first.authenticate(PASSWORD)
    assert second.restore()
    return first, second


@pytest.mark.parametrize(("seconds_left", "requests"), [(65, []), (55, [GET_TOKENS])])
def test_tokens_of_another_program_are_used_if_they_are_valid_for_a_minute_more(
    rotating: World, seconds_left: int, requests: list[str]
) -> None:
    first, second = two_programs(rotating)
    first.renew_access_token()
    rotating.clock.ahead += 3600 - seconds_left
    rotating.wire.clear()
    second.renew_access_token()
    assert rotating.wire.names == requests


def test_expiry_is_taken_from_the_store_with_the_tokens(rotating: World) -> None:
    first, second = two_programs(rotating)
    before = second.expires_datetime
    rotating.clock.ahead += 1000
    first.renew_access_token()
    second.renew_access_token()
    assert second.access_token == first.access_token
    assert second.expires_datetime == first.expires_datetime != before


def test_way_of_the_refresh_is_taken_from_the_store_with_the_refresh_token(rotating: World) -> None:
    first, second = two_programs(rotating)
    first.renew_access_token()
    assert rotating.wire.names[-2:] == [BY_FLOW, GET_TOKENS]
    rotating.clock.ahead += 3700
    rotating.wire.clear()
    second.renew_access_token()
    assert rotating.wire.names == [GET_TOKENS]


def test_known_way_of_the_refresh_stays_if_the_store_has_none(rotating: World) -> None:
    first, second = two_programs(rotating)
    second.renew_access_token()
    first.authenticate(PASSWORD)
    rotating.clock.ahead += 3700
    rotating.wire.clear()
    second.renew_access_token()
    assert second.access_token != first.access_token
    assert rotating.wire.names == [GET_TOKENS]


def test_store_is_locked_by_one_thread_of_an_object_at_a_time(rotating: World) -> None:
    """The lock of the object comes first: a store may ask for its lock again and again, or fail after a timeout."""
    held: list[bool] = []

    class Watched(MemoryStore):
        @contextmanager
        def lock(self, key: str) -> Generator[None, None, None]:
            held.append(user._refreshing.lock.locked())
            with super().lock(key):
                yield

    user = rotating.user(store=Watched())
    user.authenticate(PASSWORD)
    user.renew_access_token()
    assert held == [True]


def test_invalid_refresh_token_of_a_confirmed_device_is_dropped(make_world: Callable[..., World]) -> None:
    world = make_world(remember_devices=True)
    world.create()
    user = world.user(store=MemoryStore())
    user.authenticate(PASSWORD)
    device = user.confirm_device()
    user.authenticate(PASSWORD)
    before = user.tokens
    refusal = error("NotAuthorizedException", "Invalid Refresh Token")
    world.wire.instead = lambda operation: refusal
    user.device = srpcore.Device("the key of another", device.group_key, device.password)
    with pytest.raises(exceptions.InvalidRefreshToken):
        user.renew_access_token()
    assert user.tokens == before
    user.device = device
    with pytest.raises(exceptions.InvalidRefreshToken):
        user.renew_access_token()
    assert user.tokens.stored == srpcore.Tokens()
    assert user.restore() is False


def test_invalid_refresh_token_without_a_device_is_kept(rotating: World) -> None:
    user = rotating.user(store=MemoryStore())
    user.authenticate(PASSWORD)
    before = user.tokens
    rotating.wire.instead = lambda operation: error("NotAuthorizedException", "Invalid Refresh Token")
    with pytest.raises(exceptions.InvalidRefreshToken):
        user.renew_access_token()
    assert user.tokens == before
    assert user.restore()


def test_canonical_name_is_taken_from_the_store(make_world: Callable[..., World]) -> None:
    """Only the store has it here, and the SECRET_HASH of REFRESH_TOKEN_AUTH must be made of it."""
    world = make_world(client_secret=True, pool_settings={"UsernameAttributes": ["email"]})
    world.create("alice@example.com", email_verified="true")
    store = MemoryStore()
    first = world.user("alice@example.com", store=store)
    first.authenticate(PASSWORD)
    key = store_key(world.pool.user_pool_id, world.pool.client_id, "alice@example.com")
    kept = store.load(key)
    assert kept is not None
    assert kept.username != "alice@example.com"
    store.save(key, Login(username=kept.username))
    second = world.user("alice@example.com", store=store, refresh_token=first.refresh_token)
    world.wire.instead = lambda operation: error("UnknownOperationException") if operation.name == GET_TOKENS else None
    second.renew_access_token()
    assert second.access_token
