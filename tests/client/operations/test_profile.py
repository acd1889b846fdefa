"""Users as objects: save and delete, as the user and as an administrator, on ``Cognito`` and on ``AsyncCognito``."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

import pytest

import srpcore
from support.users import PASSWORD
from support.world import World


def test_users_of_an_async_cognito_are_saved_and_deleted_when_awaited(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create("alice", email="alice@example.com")
    world.create("bob", email="bob@example.com")

    async def story() -> None:
        user = world.async_user()
        await user.authenticate(PASSWORD)
        alice = await user.get_user()
        assert type(alice) is srpcore.AsyncUserObj
        alice.email = "alice@example.org"
        await alice.save()
        assert (await user.get_user()).email == "alice@example.org"
        (bob,) = [found for found in await user.get_users() if found.username == "bob"]
        bob.email = "bob@example.org"
        with pytest.raises(srpcore.ConfigurationError, match="another user is logged in"):
            await bob.save()
        await bob.save(admin=True)
        assert [found.email async for found in user.iter_users(filter='username = "bob"')] == ["bob@example.org"]
        await bob.delete(admin=True)
        await alice.delete()
        assert await user.get_users() == []

    asyncio.run(story())


def test_signature_of_an_async_method_shows_the_class_that_it_returns() -> None:
    assert inspect.signature(srpcore.Cognito.get_user).return_annotation == "UserObj"
    assert inspect.signature(srpcore.AsyncCognito.get_user).return_annotation is srpcore.AsyncUserObj
    assert inspect.signature(srpcore.AsyncCognito.get_users).return_annotation == list[srpcore.AsyncUserObj]
