"""A refresh calls code of the program, and that code may call the object again: nothing waits forever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.store import MemoryStore
from support.users import PASSWORD
from support.world import World

Calls = list[BaseException | None]

REFRESHING = ["check_token", "renew_access_token", "change_password"]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world()
    world.create()
    return world


class Calling(srpcore.Cognito):
    """Calls *nested* before each verification of a token."""

    nested: Callable[[Calling], object] | None = None

    def verify_token(self, token: str, id_name: str, token_use: str) -> Mapping[str, Any]:
        if self.nested is not None:
            self.nested(self)
        return super().verify_token(token, id_name, token_use)


class AsyncCalling(srpcore.AsyncCognito):
    """The async version of `Calling`."""

    nested: Callable[[AsyncCalling], Awaitable[object]] | None = None

    async def verify_token(self, token: str, id_name: str, token_use: str) -> Mapping[str, Any]:
        if self.nested is not None:
            await self.nested(self)
        return await super().verify_token(token, id_name, token_use)


def call(cognito: Any, name: str) -> Any:
    return getattr(cognito, name)(*([PASSWORD, "Another-Horse-2"] if name == "change_password" else []))


def in_time(function: Callable[[], object]) -> BaseException | None:
    """Return the exception of *function*, which runs in a thread, because it may wait forever if it is wrong."""
    caught: Calls = []

    def work() -> None:
        try:
            function()
            caught.append(None)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            caught.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    assert caught, "it waits for itself"
    return caught[0]


def expired(world: World, **arguments: Any) -> Calling:
    user = world.user(cls=Calling, **arguments)
    assert isinstance(user, Calling)
    user.authenticate(PASSWORD)
    world.clock.ahead += 3700
    return user


async def expired_async(world: World, **arguments: Any) -> AsyncCalling:
    user = AsyncCalling(
        world.pool.user_pool_id, world.pool.client_id, username="alice", **{**world.arguments, **arguments}
    )
    await user.authenticate(PASSWORD)
    world.clock.ahead += 3700
    return user


@pytest.mark.parametrize("name", REFRESHING)
def test_refresh_within_a_refresh_is_an_error(world: World, name: str) -> None:
    user = expired(world)
    before = user.tokens
    user.nested = lambda user: call(user, name)
    error = in_time(user.check_token)
    assert isinstance(error, exceptions.ConfigurationError)
    assert "being refreshed already" in str(error)
    assert user.tokens == before
    user.nested = None
    assert in_time(user.check_token) is None
    assert user.tokens != before


@pytest.mark.parametrize("name", REFRESHING)
def test_refresh_within_a_refresh_is_an_error_on_an_event_loop(world: World, name: str) -> None:
    async def main() -> None:
        user = await expired_async(world)
        before = user.tokens
        user.nested = lambda user: asyncio.gather(call(user, name))
        with pytest.raises(exceptions.ConfigurationError, match="being refreshed already"):
            await asyncio.wait_for(user.check_token(), 20)
        assert user.tokens == before
        user.nested = None
        await asyncio.wait_for(user.check_token(), 20)
        assert user.tokens != before

    assert in_time(lambda: asyncio.run(main())) is None


def test_refresh_of_another_object_within_a_refresh(world: World) -> None:
    user, other = expired(world), expired(world)
    user.nested = lambda _: other.check_token()
    assert in_time(user.check_token) is None
    other.nested = lambda _: user.renew_access_token()
    world.clock.ahead += 3700
    assert isinstance(in_time(user.check_token), exceptions.ConfigurationError)


def test_other_threads_wait_for_a_refresh_that_calls_the_program(world: World) -> None:
    user = expired(world)
    errors: Calls = []
    threads: list[threading.Thread] = []

    def start_another(user: Calling) -> None:
        user.nested = None
        threads.append(threading.Thread(target=lambda: errors.append(in_time(user.check_token)), daemon=True))
        threads[0].start()

    user.nested = start_another
    assert in_time(user.check_token) is None
    threads[0].join(20)
    assert errors == [None]


@pytest.mark.parametrize("name", ["logout", "revoke_token"])
def test_logout_within_a_refresh_does_not_wait_for_the_lock_of_the_store(world: World, name: str) -> None:
    def log_out(user: Calling) -> None:
        call(user, name)
        raise exceptions.MalformedToken("not accepted by the program")

    store = MemoryStore()
    user = expired(world, store=store)
    world.clock.ahead -= 3700  # logout needs a valid access token
    user.nested = log_out
    assert isinstance(in_time(user.renew_access_token), exceptions.MalformedToken)
    assert world.user(store=store).restore() is False


def test_logout_within_a_refresh_does_not_wait_for_the_lock_of_the_store_on_an_event_loop(world: World) -> None:
    async def log_out(user: AsyncCalling) -> None:
        await user.revoke_token()
        raise exceptions.MalformedToken("not accepted by the program")

    async def main() -> None:
        user = await expired_async(world, store=store)
        user.nested = log_out
        with pytest.raises(exceptions.MalformedToken):
            await asyncio.wait_for(user.check_token(), 20)

    store = MemoryStore()
    assert in_time(lambda: asyncio.run(main())) is None
    assert world.user(store=store).restore() is False


def test_closing_within_a_refresh_does_not_wait_for_the_refresh(world: World) -> None:
    async def main() -> None:
        user = await expired_async(world)
        user.nested = lambda user: user.close()
        await asyncio.wait_for(user.check_token(), 20)

    assert in_time(lambda: asyncio.run(main())) is None
