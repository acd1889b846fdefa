"""A refresh whose lock has ended meanwhile: the newer login in the store is used, and nothing is overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import srpcore
from srpcore.exceptions import StoreConflict, StoreError
from srpcore.store import Login, MemoryStore
from support.users import PASSWORD
from support.world import World

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

ROTATION = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60}}


class OvertakenStore(MemoryStore):
    """A store in which *others* save logins, each before a save of this process, which is refused therefore."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[Callable[[], Login | None]] = []
        self.locks = 0

    def save(self, key: str, login: Login) -> None:
        if self.others:
            newer = self.others.pop(0)()
            if newer is None:
                self.delete(key)
            else:
                super().save(key, newer)
            raise StoreConflict("the stored login was changed by another process")
        super().save(key, login)

    def lock(self, key: str) -> Any:
        self.locks += 1
        return super().lock(key)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world(client_settings=ROTATION, client_secret=True)
    world.create()
    return world


@pytest.fixture(params=["sync", "async"])
def renew(request: pytest.FixtureRequest, world: World) -> Callable[[srpcore.Cognito], None]:
    """A function that refreshes the tokens of a user, by ``Cognito`` or by ``AsyncCognito``."""
    if request.param == "sync":
        return lambda user: user.renew_access_token()

    def renew_async(user: srpcore.Cognito) -> None:
        async def main() -> None:
            other = world.async_user(store=user._store)
            assert await other.restore()
            await other.renew_access_token()
            user.refresh_token, user.access_token = other.refresh_token, other.access_token

        asyncio.run(main())

    return renew_async


def renewals(world: World) -> int:
    return len(world.asked("GetTokensFromRefreshToken"))


def renewed_by_another(world: World, refresh_token: str | None) -> Callable[[], Login]:
    """Return a function that refreshes *refresh_token*, as another process does, and returns the new login."""

    def renewed() -> Login:
        other = world.user()
        other.refresh_token = refresh_token
        other.renew_access_token()
        return Login(other.tokens.stored, None, "alice")

    return renewed


def test_a_refresh_that_was_overtaken_uses_the_newer_login(
    world: World, renew: Callable[[srpcore.Cognito], None]
) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    store.locks = 0
    store.others = [renewed_by_another(world, user.refresh_token)]
    renew(user)
    stored = store.load(user._store_key())
    assert stored is not None
    assert stored.tokens is not None
    assert (user.access_token, user.refresh_token) == (stored.tokens.access_token, stored.tokens.refresh_token)
    assert renewals(world) == 2  # this one's, whose tokens were given up, and the other one's
    assert store.locks == 2  # the lock was acquired again


def test_a_newer_login_that_has_expired_is_refreshed(world: World, renew: Callable[[srpcore.Cognito], None]) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    newer = renewed_by_another(world, user.refresh_token)

    def long_ago() -> Login:
        login = newer()
        world.clock.ahead += 7200
        return login

    store.others = [long_ago]
    renew(user)
    stored = store.load(user._store_key())
    assert stored is not None
    assert stored.tokens is not None
    assert (user.access_token, user.refresh_token) == (stored.tokens.access_token, stored.tokens.refresh_token)
    assert renewals(world) == 3


@pytest.mark.parametrize("others", [None, Login(username="alice")], ids=["deleted", "without tokens"])
def test_a_refresh_goes_on_with_its_own_tokens_if_the_store_has_none(
    world: World, renew: Callable[[srpcore.Cognito], None], others: Login | None
) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    store.others = [lambda: others]
    renew(user)
    stored = store.load(user._store_key())
    assert stored is not None
    assert stored.tokens is not None
    assert user.refresh_token == stored.tokens.refresh_token


def test_a_refresh_token_that_was_spent_already_is_not_taken_from_the_store(
    world: World, renew: Callable[[srpcore.Cognito], None]
) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    old, device = user.tokens.stored, srpcore.Device("eu-west-1_0f", "group", "password")

    def only_the_device() -> Login:
        world.clock.ahead += 120  # longer than the grace period
        return Login(old, device, "alice")

    store.others = [only_the_device]
    renew(user)
    stored = store.load(user._store_key())
    assert stored is not None
    assert stored.tokens is not None
    assert stored.tokens.refresh_token == user.refresh_token != old.refresh_token
    assert stored.device == device


def test_a_refresh_that_is_overtaken_again_and_again_gives_up_and_the_next_one_uses_the_store(
    world: World, renew: Callable[[srpcore.Cognito], None]
) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    other = Login(username="alice")
    store.others = [lambda: other] * 3
    with pytest.raises(StoreConflict):
        renew(user)
    assert store.others == []
    newest = renewed_by_another(world, user.refresh_token)()
    MemoryStore.save(store, user._store_key(), newest)
    before = renewals(world)
    user.renew_access_token()
    assert renewals(world) == before
    assert user.access_token == newest.to_dict()["tokens"]["access_token"]


def test_a_refused_refresh_does_not_drop_what_another_process_obtained_meanwhile(
    world: World, renew: Callable[[srpcore.Cognito], None]
) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    spent = user.refresh_token
    newer = renewed_by_another(world, spent)()
    world.clock.ahead += 120  # longer than the grace period: the old token is refused now
    store.others = [lambda: newer]
    renew(user)
    assert user.refresh_token == newer.to_dict()["tokens"]["refresh_token"]
    assert store.load(user._store_key()) == newer


@pytest.mark.parametrize("times", [1, 2])
def test_a_device_is_saved_beside_a_newer_login(world: World, times: int) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    newer = renewed_by_another(world, user.refresh_token)()
    store.others = [lambda: newer] * times
    user.device = srpcore.Device("eu-west-1_0f", "group", "password")
    user._run(user._save_device())
    stored = store.load(user._store_key())
    assert stored is not None
    assert (stored.tokens, stored.device) == (newer.tokens, user.device)


def test_tokens_that_another_process_obtained_are_not_forgotten(world: World) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    newer = renewed_by_another(world, user.refresh_token)()
    store.others = [lambda: newer]
    user.logout()
    assert store.load(user._store_key()) == newer


def test_another_fault_of_the_store_is_raised_at_once(world: World) -> None:
    def broken() -> None:
        raise StoreError("no space left")

    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    store.locks = 0
    changes: list[Callable[[], object]] = [user.renew_access_token, lambda: user._run(user._save_device())]
    for change in changes:
        store.others = [broken]
        with pytest.raises(StoreError, match="no space left"):
            change()
    assert store.locks == 2


def test_a_change_that_is_refused_again_and_again_is_an_error(world: World) -> None:
    store = OvertakenStore()
    user = world.user(store=store)
    user.authenticate(PASSWORD)
    store.others = [lambda: None] * 3
    with pytest.raises(StoreConflict):
        user._run(user._save_device())
    assert store.others == []
