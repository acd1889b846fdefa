"""A program's methods in place of ours: our other methods call them, however they were put there."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

import srpcore
from srpcore.client import sync_async
from support.users import PASSWORD
from support.world import World


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    world = make_world()
    world.create()
    return world


def instrumented(method: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    """Wrap *method* as an instrumentation library does: with functools.wraps, which copies its attributes."""

    @functools.wraps(method)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        calls.append(method.__name__)
        return method(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize("name", ["verify_token", "get_key", "get_keys", "_set_tokens"])
def test_wrapped_method_of_the_class_is_called(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    calls: list[str] = []
    monkeypatch.setattr(srpcore.Cognito, name, instrumented(getattr(srpcore.Cognito, name), calls))
    user = world.user()
    user.authenticate(PASSWORD)
    assert user.access_claims is not None
    assert set(calls) == {name}


@pytest.mark.parametrize("name", ["verify_token", "_set_tokens"])
def test_wrapped_method_of_the_object_is_called(world: World, name: str) -> None:
    calls: list[str] = []
    user = world.user()
    setattr(user, name, instrumented(getattr(user, name), calls))
    user.authenticate(PASSWORD)
    assert user.access_claims is not None
    assert set(calls) == {name}


@pytest.mark.parametrize("name", ["authenticate_user", "get_auth_params", "process_challenge"])
def test_wrapped_method_of_awssrp_is_called(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    calls: list[str] = []
    monkeypatch.setattr(srpcore.AWSSRP, name, instrumented(getattr(srpcore.AWSSRP, name), calls))
    world.user().authenticate(PASSWORD)
    assert calls == [name]


def test_wrapped_refresh_is_called_by_check_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(srpcore.Cognito, "renew_access_token", instrumented(srpcore.Cognito.renew_access_token, calls))
    user = world.user()
    user.authenticate(PASSWORD)
    world.clock.ahead += 3700
    assert user.check_token() is True
    assert calls == ["renew_access_token"]


def test_wrapped_coroutine_method_is_awaited(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    original = srpcore.AsyncCognito.verify_token

    @functools.wraps(original)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        calls.append("verify_token")
        return await original(*args, **kwargs)

    monkeypatch.setattr(srpcore.AsyncCognito, "verify_token", wrapper)

    async def log_in() -> None:
        user = world.async_user()
        await user.authenticate(PASSWORD)
        assert user.access_claims is not None

    asyncio.run(log_in())
    assert calls == ["verify_token"] * 2


def test_subclass_that_calls_super_is_called_once_for_each_token(world: World) -> None:
    class Strict(srpcore.Cognito):
        seen: list[str]

        def verify_token(self, token: str, id_name: str, token_use: str) -> Any:
            self.seen.append(token_use)
            return super().verify_token(token, id_name, token_use)

    Strict.seen = []
    user = world.user(cls=Strict)
    user.authenticate(PASSWORD)
    assert Strict.seen == ["access", "id"]


def test_method_of_another_object_is_called_on_that_object(world: World) -> None:
    user, other = world.user(), world.user()
    user.verify_token = other.verify_token  # type: ignore[method-assign]
    user.authenticate(PASSWORD)
    assert user.access_claims is None
    assert other.access_claims is not None


def test_mock_instead_of_a_method_is_called(world: World) -> None:
    user = world.user()
    with mock.patch.object(user, "verify_token") as verify_token:
        user.authenticate(PASSWORD)
    assert [call.args[1:] for call in verify_token.call_args_list] == [("access_token", "access"), ("id_token", "id")]


def test_only_bound_methods_of_the_class_count_as_own() -> None:
    user = srpcore.Cognito("eu-west-1_AbCd12345", "id")
    assert sync_async.is_ours(user, "verify_token")
    assert sync_async.is_ours(user, "renew_access_token")
    for name, replacement in (
        ("verify_token", mock.MagicMock()),
        ("get_keys", functools.partial(user.get_keys)),
        ("get_key", lambda kid: {}),
    ):
        setattr(user, name, replacement)
        assert not sync_async.is_ours(user, name)
    assert not sync_async.is_ours(user, "no_such_method")
