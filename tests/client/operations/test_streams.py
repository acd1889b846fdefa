"""Users and groups as streams: every one once, resumable, paced, in constant memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.client.operations import streams
from srpcore.protocol import Operation, Reply
from support.world import World, error

COUNT = 135


@pytest.fixture(scope="module")
def crowd() -> Iterator[World]:
    world = World()
    for number in range(COUNT):
        world.create(f"user{number:03d}", permanent=False, email=f"{number:03d}@example.com")
    yield world
    world.pool.close()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PAGES_PER_SECOND", 1e9)


def names(found: Any) -> list[str]:
    return [user.username for user in found]


def test_every_user_is_returned_once_over_three_pages(crowd: World) -> None:
    crowd.wire.clear()
    found = names(crowd.user().iter_users())
    assert sorted(found) == [f"user{number:03d}" for number in range(COUNT)]
    assert [operation.parameters["Limit"] for operation in crowd.wire.operations] == [60, 60, 60]


def test_pages_are_read_when_they_are_needed(crowd: World) -> None:
    crowd.wire.clear()
    stream = crowd.user().iter_users()
    assert crowd.wire.operations == []
    for _ in range(60):
        next(stream)
    assert len(crowd.wire.operations) == 1
    next(stream)
    assert len(crowd.wire.operations) == 2


@pytest.mark.parametrize("limit", [1, 59, 60, 61, COUNT, COUNT + 1])
def test_limit_ends_the_stream(crowd: World, limit: int) -> None:
    crowd.wire.clear()
    assert len(list(crowd.user().iter_users(limit=limit))) == min(limit, COUNT)
    asked = [operation.parameters["Limit"] for operation in crowd.wire.operations]
    assert sum(asked) <= limit + 60
    assert asked[0] == min(limit, 60)


@pytest.mark.parametrize("limit", [0, -1])
def test_an_invalid_limit_is_refused(crowd: World, limit: int) -> None:
    with pytest.raises(exceptions.ConfigurationError, match="limit"):
        crowd.user().iter_users(limit=limit)


@pytest.mark.parametrize("taken", [0, 1, 59, 60, 61, 119, 120, 134])
def test_a_stream_is_resumed_from_its_page_token(crowd: World, taken: int) -> None:
    whole = names(crowd.user().iter_users())
    stream = crowd.user().iter_users()
    first = [next(stream).username for _ in range(taken)]
    rest = names(crowd.user().iter_users(page_token=stream.page_token))
    # From the beginning of the page: nothing is missed, and at most one page comes twice.
    assert [name for name in rest if name not in first] == whole[taken:]
    assert len(rest) - len(whole[taken:]) < 60


def test_page_token_is_none_at_the_end(crowd: World) -> None:
    stream = crowd.user().iter_users()
    assert len(list(stream)) == COUNT
    assert stream.page_token is None
    with pytest.raises(StopIteration):
        next(stream)


def test_filter_and_attributes_are_sent(crowd: World) -> None:
    found = list(crowd.user().iter_users(filter='email ^= "00"', attributes=["email"]))
    assert sorted(user.email for user in found) == [f"00{number}@example.com" for number in range(10)]
    assert found[0].sub is None
    shown = next(crowd.user().iter_users(attr_map={"email": "mail"}, limit=1))
    assert shown.mail.endswith("@example.com")
    assert shown.user_status == "FORCE_CHANGE_PASSWORD"
    assert shown.create_date.tzinfo is not None


def test_pauses_grow_while_calls_are_throttled(crowd: World) -> None:
    crowd.wire.clear()
    refusals = 3

    def throttled(operation: Operation) -> Reply | None:
        return error("TooManyRequestsException", "Rate exceeded") if len(crowd.wire.operations) <= refusals else None

    crowd.wire.instead = throttled
    pauses: list[float] = []
    try:
        user = crowd.user()
        pages = user._users(None, None, None, None, None)
        assert len(list(streams.Stream(user._run, pages, pauses.append))) == COUNT
    finally:
        crowd.wire.instead = lambda operation: None
    assert len(pauses) >= refusals
    assert pauses[0] < pauses[1] < pauses[2]


def test_throttling_that_does_not_end_is_an_error(crowd: World) -> None:
    crowd.wire.clear()
    crowd.wire.instead = lambda operation: error("TooManyRequestsException", "Rate exceeded")
    try:
        user = crowd.user()
        stream = streams.Stream(user._run, user._users(None, None, None, None, None), lambda seconds: None)
        with pytest.raises(exceptions.TooManyRequestsException):
            next(stream)
    finally:
        crowd.wire.instead = lambda operation: None
    assert len(crowd.wire.operations) == streams.ATTEMPTS


def test_other_errors_are_not_retried(crowd: World) -> None:
    crowd.wire.clear()
    crowd.wire.instead = lambda operation: error("ResourceNotFoundException", "no pool")
    try:
        with pytest.raises(exceptions.ResourceNotFoundException):
            next(crowd.user().iter_users())
    finally:
        crowd.wire.instead = lambda operation: None
    assert len(crowd.wire.operations) == 1


def test_there_is_a_pause_between_pages(crowd: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PAGES_PER_SECOND", 0.01)
    pauses: list[float] = []
    user = crowd.user()
    list(streams.Stream(user._run, user._users(None, None, None, None, None), pauses.append))
    assert len(pauses) == 2
    assert all(50 < pause <= 200 for pause in pauses)


def test_a_token_that_repeats_is_an_error(crowd: World) -> None:
    crowd.wire.instead = lambda operation: Reply({"Users": [], "PaginationToken": "again"})
    try:
        with pytest.raises(exceptions.UnsafeServerValue, match="twice"):
            list(crowd.user().iter_users())
        with pytest.raises(exceptions.UnsafeServerValue, match="twice"):
            crowd.user().get_users()
    finally:
        crowd.wire.instead = lambda operation: None


def test_get_users_reads_every_page(crowd: World) -> None:
    assert len(crowd.user().get_users()) == COUNT


def test_streams_work_on_an_event_loop(crowd: World) -> None:
    async def story() -> list[str | None]:
        user = srpcore.AsyncCognito(crowd.pool.user_pool_id, crowd.pool.client_id, transport=crowd.wire)
        return [found.username async for found in user.iter_users(limit=100)]

    assert asyncio.run(story()) == names(crowd.user().iter_users(limit=100))


def test_groups_and_their_members_are_streamed(make_world: Callable[..., World]) -> None:
    world = make_world()
    of_pool = {"UserPoolId": world.pool.user_pool_id}
    for number in range(3):
        name = world.create(f"user{number}")
        world.pool.call(Operation("CreateGroup", {**of_pool, "GroupName": f"group{number}"}))
        world.user().admin_add_user_to_group(name, "group0")
    assert [group.group_name for group in world.user().iter_groups()] == ["group0", "group1", "group2"]
    assert sorted(names(world.user().iter_users_in_group("group0"))) == ["user0", "user1", "user2"]
    assert names(world.user().iter_users_in_group("group1")) == []

    async def story() -> list[int]:
        user = world.async_user()
        groups = [group async for group in user.iter_groups()]
        members = [member async for member in user.iter_users_in_group("group0", limit=2)]
        return [len(groups), len(members)]

    assert asyncio.run(story()) == [3, 2]


def test_users_of_a_list_have_all_fields_of_a_stream_under_the_names_of_pycognito(crowd: World) -> None:
    members = ("username", "enabled", "user_status", "create_date", "modified_date")
    listed, streamed = crowd.user().get_users(), list(crowd.user().iter_users())
    assert len(listed) == COUNT
    for one, other in zip(listed, streamed, strict=True):
        assert [getattr(one, name) for name in members] == [getattr(other, name) for name in members]
    seen = crowd.user(listed[0].username).admin_get_user()
    assert [getattr(listed[0], name) for name in members] == [getattr(seen, name) for name in members]
    assert (seen.enabled, seen.user_status) == (True, "FORCE_CHANGE_PASSWORD")
