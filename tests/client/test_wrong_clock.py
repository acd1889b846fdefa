"""A wrong clock of this computer: what the Date header of the service's responses corrects, and what it does not."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import freezegun
import pytest
import time_machine

import srpcore
from srpcore import exceptions
from srpcore.clock import system_clock
from srpcore.protocol import Operation, Reply
from srpcore.service_time import ServiceTime, parse_date
from support.users import PASSWORD
from support.world import World

HOUR = 3600.0


def make(make_world: Callable[..., World], kind: str, ahead: float, **settings: Any) -> tuple[World, srpcore.Cognito]:
    """Return a world, and a user of it whose clock is that of the computer, *ahead* seconds ahead of the service's."""
    world = make_world(kind=kind, **settings)
    world.create()
    world.clock.ahead = -ahead
    return world, world.user(clock=system_clock)


def by_password(user: srpcore.Cognito) -> None:
    # The service checks the time in a proof by SRP, but not in a login with the password itself.
    assert user.sign_in(PASSWORD, auth_flow="USER_PASSWORD_AUTH").done


over_http = pytest.mark.parametrize("kind", ["https", "httpx", pytest.param("botocore", marks=pytest.mark.counterpart)])


@over_http
@pytest.mark.parametrize("ahead", [2 * HOUR, -2 * HOUR, 200])
def test_login_and_refresh_succeed_with_a_wrong_clock(
    make_world: Callable[..., World], kind: str, ahead: float
) -> None:
    world, user = make(make_world, kind, ahead)
    by_password(user)
    assert user.check_token() is False
    world.clock.ahead += HOUR + 5
    with pytest.raises(exceptions.NotAuthorizedException):
        user.client.get_user(AccessToken=user.access_token)
    user.renew_access_token()  # a response: the difference is measured again
    assert user.check_token() is False


def test_clock_behind_refreshes_when_the_service_says_expired(make_world: Callable[..., World]) -> None:
    world, user = make(make_world, "https", -2 * HOUR)
    by_password(user)
    expired = world.user(clock=system_clock, access_token=user.access_token, refresh_token=user.refresh_token)
    world.clock.ahead += HOUR + 30
    assert expired.check_token(renew=False) is False  # nothing has been measured yet
    with pytest.raises(exceptions.NotAuthorizedException) as caught:
        expired.get_user()
    assert "behind" in caught.value.hint
    assert expired.check_token() is True
    assert expired.access_token != user.access_token
    assert expired.check_token() is False


def test_difference_is_measured_again_at_each_response(make_world: Callable[..., World]) -> None:
    world, user = make(make_world, "https", 2 * HOUR)
    by_password(user)
    assert user._service_time.now() == pytest.approx(world.clock(), abs=30)
    world.clock.ahead = 0  # the clock of the computer was set
    with pytest.raises(exceptions.NotAuthorizedException):
        user.get_user()
    assert user._service_time.skew == 0
    assert user.check_token(renew=False) is True


def test_calls_of_the_client_attribute_measure_it_too(make_world: Callable[..., World]) -> None:
    world, user = make(make_world, "https", 400)
    with pytest.raises(exceptions.NotAuthorizedException) as caught:
        user.client.get_user(AccessToken="no-token")
    assert "ahead" in caught.value.hint
    assert user._service_time.skew == pytest.approx(-400, abs=20)

    async def call() -> float:
        async with world.async_user(clock=system_clock) as asynchronous:
            with pytest.raises(exceptions.NotAuthorizedException):
                await asynchronous.client.get_user(AccessToken="no-token")
            return asynchronous._service_time.skew

    assert asyncio.run(call()) == pytest.approx(-400, abs=20)


@over_http
@pytest.mark.parametrize(("ahead", "direction"), [(400, "ahead"), (-400, "behind")])
@pytest.mark.parametrize("how", ["authenticate", "sign_in", "AWSSRP", "AsyncCognito"])
def test_login_by_srp_names_the_difference_in_its_hint(
    make_world: Callable[..., World], kind: str, ahead: float, direction: str, how: str
) -> None:
    world, user = make(make_world, kind, ahead)

    async def on_the_event_loop() -> None:
        async with world.async_user(clock=system_clock) as asynchronous:
            await asynchronous.authenticate(PASSWORD)

    pool = world.pool
    srp = srpcore.AWSSRP("alice", PASSWORD, pool.user_pool_id, pool.client_id, client=world.wire)
    log_in: dict[str, Callable[[], object]] = {
        "authenticate": lambda: user.authenticate(PASSWORD),
        "sign_in": lambda: user.sign_in(PASSWORD),
        "AWSSRP": srp.authenticate_user,
        "AsyncCognito": lambda: asyncio.run(on_the_event_loop()),
    }
    with pytest.raises(exceptions.WrongPassword) as caught:
        log_in[how]()
    measured = re.match("this computer's clock is ([0-9]+) seconds (ahead|behind)", caught.value.hint)
    assert measured is not None
    assert measured[2] == direction
    assert 380 < int(measured[1]) < 420
    notes = [note for note in caught.value.__notes__ if measured[0] in note]
    assert len(notes) == 1
    assert caught.value.__notes__[0] == notes[0]
    assert "clock" not in str(caught.value)


def test_wrong_password_with_a_right_clock_has_no_such_hint(make_world: Callable[..., World]) -> None:
    _, user = make(make_world, "https", 0)
    with pytest.raises(exceptions.WrongPassword) as caught:
        user.authenticate("wrong")
    assert not caught.value.hint.startswith("this computer's clock is")
    assert user._service_time.skew == 0


def test_hint_of_another_cause_is_kept() -> None:
    error = exceptions.NotAuthorizedException({"Error": {}, **dated(time.time() - 500)}, "InitiateAuth")
    error.code, error.hint = "NotAuthorizedException", "check the pool id"
    observer = ServiceTime(system_clock)
    observer.failed(error)
    observer.failed(error)  # a login within another method of ours passes two drivers
    assert re.fullmatch("this computer's clock is 50[0-9] seconds ahead of .*\ncheck the pool id", error.hint)
    assert len(error.__notes__) == 1


def test_tokens_that_are_passed_in_are_compared_with_our_clock(make_world: Callable[..., World]) -> None:
    world, user = make(make_world, "https", 2 * HOUR)
    by_password(user)
    with pytest.raises(exceptions.TokenExpired):
        user.verify_tokens()
    assert user.access_token is not None
    with pytest.raises(exceptions.TokenExpired):
        user.verify_token(user.access_token, "access_token", "access")
    assert user.id_token is not None
    with (
        srpcore.TokenVerifier(
            world.pool.user_pool_id, client_id=world.pool.client_id, token_use="id", endpoint_url=world.url
        ) as verifier,
        pytest.raises(exceptions.TokenExpired),
    ):
        verifier.verify(user.id_token)


def test_tokens_of_another_process_are_refreshed_if_they_look_expired(make_world: Callable[..., World]) -> None:
    world, _ = make(make_world, "https", 2 * HOUR)
    store = srpcore.MemoryStore()
    first, second = (world.user(clock=system_clock, store=store) for _ in range(2))
    by_password(first)
    second.restore()
    by_password(first)
    second.renew_access_token()
    assert second.check_token() is False


def frozen_by_patch() -> Any:
    return mock.patch("time.time", return_value=time.time())


@pytest.mark.parametrize(
    "freeze",
    [
        lambda: freezegun.freeze_time(tick=True),
        lambda: time_machine.travel(time.time()),
        frozen_by_patch,
    ],
    ids=["freezegun", "time-machine", "mock.patch"],
)
def test_frozen_time_turns_the_correction_off(make_world: Callable[..., World], freeze: Callable[[], Any]) -> None:
    _, user = make(make_world, "in process", 0)
    by_password(user)
    user._service_time.skew = -2 * HOUR
    assert user._service_time.now() == pytest.approx(time.time() - 2 * HOUR, abs=60)
    with freeze():
        assert user._service_time.now() == pytest.approx(time.time(), abs=60)
        user._service_time.replied(Reply(dated(0)))
        assert user._service_time.skew == -2 * HOUR
        error = exceptions.NotAuthorizedException(
            {"Error": {"Code": "NotAuthorizedException"}, **dated(time.time() - 500)}, "InitiateAuth"
        )
        user._service_time.failed(error)
        assert error.hint == ""


def test_injected_clock_turns_the_correction_off(make_world: Callable[..., World]) -> None:
    world, _ = make(make_world, "https", 2 * HOUR)
    user = world.user(clock=lambda: time.time())
    with pytest.raises(exceptions.TokenExpired):
        by_password(user)
    with pytest.raises(exceptions.WrongPassword) as caught:
        user.authenticate(PASSWORD)
    assert not caught.value.hint.startswith("this computer's clock is")


def test_replies_without_a_date_change_nothing(make_world: Callable[..., World]) -> None:
    _, user = make(make_world, "in process", 0)
    user._service_time.skew = 5 * HOUR
    documents: list[dict[str, Any]] = [
        {},
        {"ResponseMetadata": None},
        {"ResponseMetadata": {"HTTPHeaders": []}},
        dated("soon"),
    ]
    for document in documents:
        user._service_time.replied(Reply(document))
        assert user._service_time.skew == 5 * HOUR
    user._service_time.replied(Reply(dated(time.time() + 3)))
    assert user._service_time.skew == 0


def dated(date: float | str) -> dict[str, Any]:
    text = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(date)) if not isinstance(date, str) else date
    return {"ResponseMetadata": {"HTTPHeaders": {"date": text}}}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Sun, 31 Feb 2025 08:49:37 GMT", None),
        ("Sun, 06 Foo 1994 08:49:37 GMT", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("", None),
        (None, None),
        (784111777, None),
    ],
)
def test_dates_are_those_of_http(value: object, seconds: float | None) -> None:
    assert parse_date(value) == seconds


def test_local_server_sends_the_date_by_its_own_clock(make_world: Callable[..., World]) -> None:
    world, _ = make(make_world, "https", 500)
    reply = world.wire.call(Operation("GetUser", {"AccessToken": "no-token"}))
    assert parse_date(reply.document["ResponseMetadata"]["HTTPHeaders"]["date"]) == pytest.approx(world.clock(), abs=30)
