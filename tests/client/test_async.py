"""AsyncCognito: the same stories on an event loop, which goes on while they run."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable

import pytest

import srpcore
from srpcore import exceptions
from srpcore.crypto import modexp
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation, Reply
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD
from support.world import World, enrol


def test_a_user_signs_up_logs_in_and_sets_up_mfa(world: World) -> None:
    async def story() -> None:
        async with world.async_user(None) as user:
            user.set_base_attributes(email="alice@example.com")
            assert (await user.register("alice", PASSWORD))["UserConfirmed"] is False
            await user.confirm_sign_up(world.pool.outbox.latest("alice").code)
            with pytest.raises(exceptions.NotAuthorizedException):
                await user.authenticate("wrong")
            await user.authenticate(PASSWORD)
            assert user.access_claims is not None
            assert user.access_claims["username"] == "alice"
            await user.verify_tokens()
            secret = await user.associate_software_token()
            assert await user.verify_software_token(totp(secret, world.clock()))
            await user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
            before = user.access_token
            world.clock.ahead += 3700
            assert await user.check_token() is True
            assert user.access_token != before
            with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
                await user.authenticate(PASSWORD)
            await user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
            shown = await user.get_user()
            assert shown.email == "alice@example.com"
            assert (await user.client.get_user(AccessToken=user.access_token))["Username"] == "alice"
            await user.logout()
            assert user.access_token is None

    asyncio.run(story())


def test_new_password_is_set_at_login(world: World) -> None:
    world.create(permanent=False)

    async def story() -> None:
        user = world.async_user()
        with pytest.raises(exceptions.ForceChangePasswordException):
            await user.authenticate(PASSWORD)
        await user.new_password_challenge(PASSWORD, "Another-Horse-2")
        assert user.access_token

    asyncio.run(story())


def test_a_device_is_confirmed_used_and_forgotten(make_world: Callable[..., World]) -> None:
    world = make_world(remember_devices=True)
    world.create()

    async def story() -> None:
        user = world.async_user()
        await user.authenticate(PASSWORD)
        device = await user.confirm_device()
        world.wire.clear()
        await user.authenticate(PASSWORD)
        assert world.wire.names[-1] == "RespondToAuthChallenge:DEVICE_PASSWORD_VERIFIER"
        other = world.async_user()
        other.device = device
        await other.authenticate(PASSWORD)
        await other.forget_device()
        await user.authenticate(PASSWORD)
        assert user.device is None

    asyncio.run(story())


def test_arithmetic_does_not_run_on_the_event_loop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.create()
    enrol(world)
    threads: set[int] = set()
    real = modexp.modexp

    def noticed(base: int, exponent: int, modulus: int) -> int:
        threads.add(threading.get_ident())
        return real(base, exponent, modulus)

    monkeypatch.setattr("srpcore.crypto.key_exchange.modexp", noticed)

    async def story() -> int:
        with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
            await world.async_user().authenticate(PASSWORD)
        return threading.get_ident()

    assert asyncio.run(story()) not in threads
    assert threads


def test_a_synchronous_transport_is_not_called_on_the_event_loop(world: World) -> None:
    world.create()
    threads: set[int] = set()

    def noticed(operation: Operation) -> Reply | None:
        threads.add(threading.get_ident())
        return None

    world.wire.instead = noticed

    async def story() -> int:
        await world.async_user().authenticate(PASSWORD)
        return threading.get_ident()

    assert asyncio.run(story()) not in threads
    assert threads


def test_many_logins_run_concurrently(world: World) -> None:
    world.create()

    async def story() -> None:
        users = [world.async_user() for _ in range(20)]
        await asyncio.gather(*(user.authenticate(PASSWORD) for user in users))
        assert len({user.access_token for user in users}) == 20

    asyncio.run(story())


def test_cancelled_log_in_leaves_the_object_usable(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.create()
    at: dict[str, Callable[[], object]] = {}

    # Both are called in a thread, before the work is done there: the loop cancels before it gets the result.
    def before_operation(operation: Operation) -> None:
        at.pop(operation.name, lambda: None)()

    def before_arithmetic(base: int, exponent: int, modulus: int) -> int:
        at.pop("arithmetic", lambda: None)()
        return modexp.modexp(base, exponent, modulus)

    world.wire.instead = before_operation
    monkeypatch.setattr("srpcore.crypto.key_exchange.modexp", before_arithmetic)

    async def cancelled_at(moment: str, user: srpcore.AsyncCognito) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(user.authenticate(PASSWORD))
        at[moment] = lambda: loop.call_soon_threadsafe(task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    async def story() -> None:
        user = world.async_user()
        for moment in ("arithmetic", "InitiateAuth", "RespondToAuthChallenge"):
            await cancelled_at(moment, user)
            assert user.access_token is None
        await user.authenticate(PASSWORD)
        assert user.access_token

    asyncio.run(story())


def test_the_default_transport_uses_http() -> None:
    with LocalUserPool(credentials=Credentials("AKID", "secret")) as pool, pool.serve() as server:

        async def story() -> None:
            async with srpcore.AsyncCognito(
                pool.user_pool_id, pool.client_id, access_key="AKID", secret_key="secret", endpoint_url=server.url
            ) as user:
                await user.register("bob", PASSWORD)
                await user.admin_confirm_sign_up()
                await user.authenticate(PASSWORD)
                assert [found.username async for found in user.iter_users()] == ["bob"]

        asyncio.run(story())


def test_transport_that_a_client_replaces_is_closed() -> None:
    with LocalUserPool() as pool, pool.serve() as server:

        async def story() -> None:
            user = srpcore.AsyncCognito(pool.user_pool_id, pool.client_id, endpoint_url=server.url)
            user.set_base_attributes(email="bob@example.com")
            await user.register("bob", PASSWORD)
            user.client = pool
            # A socket that was left open would warn here, and a warning is an error.
            gc.collect()
            await user.resend_confirmation_code("bob")

        asyncio.run(story())
