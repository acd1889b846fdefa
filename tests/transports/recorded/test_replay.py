"""The modes of replay, the values of placeholders, and the error for an unmatched call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest

import srpcore
from srpcore.exceptions import ConfigurationError, SrpcoreError, TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports.recorded import RecordingTransport, ReplayTransport, UnmatchedCall, UnusedCalls
from support.clock import Clock

from .scripted import KEYS_URL, POOL, Scripted, admin_get, answer, record, replay, status, token

Replaying = Callable[..., ReplayTransport]


@pytest.fixture
def two(path: Path) -> Replaying:
    """Record one call for alice, two equal ones for bob."""
    calls = [
        (admin_get("alice"), status("CONFIRMED")),
        (admin_get("bob"), status("UNCONFIRMED")),
        (admin_get("bob"), status("ARCHIVED")),
    ]
    record(path, calls, keep={"Username"})
    return lambda mode: ReplayTransport(path, mode=mode)


def asked(transport: ReplayTransport, name: str) -> str:
    shown: str = transport.call(admin_get(name)).document["UserStatus"]
    return shown


def test_strict_requires_the_recorded_order(two: Replaying) -> None:
    transport = two("strict")
    with pytest.raises(UnmatchedCall) as caught:
        asked(transport, "bob")
    assert caught.value.operation == "AdminGetUser"
    assert caught.value.nearest == 2
    assert caught.value.differences == ("only the order",)
    assert str(caught.value) == (
        "AdminGetUser: no recorded call matches; expected call 1, AdminGetUser (differences: Username: expected 'alice', "
        "got another string); most similar is call 2, AdminGetUser; differences: only the order"
    )
    # The call that was due still is.
    assert [asked(transport, name) for name in ("alice", "bob", "bob")] == ["CONFIRMED", "UNCONFIRMED", "ARCHIVED"]
    with pytest.raises(UnmatchedCall, match="all recorded calls are used") as caught:
        asked(transport, "bob")
    assert caught.value.nearest is None


def test_once_accepts_any_order_and_each_call_once(two: Replaying) -> None:
    transport = two("once")
    assert [asked(transport, name) for name in ("bob", "alice", "bob")] == ["UNCONFIRMED", "CONFIRMED", "ARCHIVED"]
    transport.assert_all_used()
    with pytest.raises(UnmatchedCall, match="all recorded calls are used"):
        asked(transport, "alice")


def test_unordered_answers_again(two: Replaying) -> None:
    transport = two("unordered")
    names = ("bob", "alice", "alice", "bob", "bob", "alice")
    expected = ["UNCONFIRMED", "CONFIRMED", "CONFIRMED", "ARCHIVED", "ARCHIVED", "CONFIRMED"]
    assert [asked(transport, name) for name in names] == expected
    with pytest.raises(UnmatchedCall):
        asked(transport, "carol")


def test_unknown_mode_is_refused(two: Replaying) -> None:
    with pytest.raises(ConfigurationError, match="mode"):
        two("loose")


def test_unused_calls_are_named(two: Replaying) -> None:
    transport = two("once")
    asked(transport, "bob")
    assert transport.unused == ["1 AdminGetUser", "3 AdminGetUser"]
    with pytest.raises(UnusedCalls, match="1 AdminGetUser, 3 AdminGetUser") as caught:
        transport.assert_all_used()
    assert caught.value.calls == ("1 AdminGetUser", "3 AdminGetUser")
    transport.assert_all_matched()


def test_an_unmatched_call_that_the_program_ignored_is_reported(two: Replaying) -> None:
    transport = two("once")
    for name in ("carol", "dave"):
        with pytest.raises(SrpcoreError):
            asked(transport, name)
    for name in ("alice", "bob", "bob"):
        asked(transport, name)
    for demand in (transport.assert_all_used, transport.assert_all_matched):
        with pytest.raises(UnmatchedCall, match=r"all recorded|most similar"):
            demand()


def test_an_unmatched_call_is_not_a_service_error() -> None:
    assert not issubclass(UnmatchedCall, (TransportError, ConfigurationError, srpcore.ServiceError))
    assert issubclass(UnmatchedCall, (SrpcoreError, AssertionError))


def test_metadata_has_the_form_of_the_service(two: Replaying) -> None:
    transport = two("strict")
    first, second = (transport.call(admin_get(name)) for name in ("alice", "bob"))
    assert first.status == 200
    assert first.document["ResponseMetadata"]["RetryAttempts"] == 0
    assert first.request_id != second.request_id


RECORDED = {
    "AuthFlow": "USER_PASSWORD_AUTH",
    "ClientId": "the-client",
    "AuthParameters": {"USERNAME": "alice", "PASSWORD": "pa55word", "SMS_MFA_CODE": "123456"},
    "Limit": 60,
    "Flag": True,
    "List": ["SMS", "EMAIL"],
    "DesiredDeliveryMediums": ["SMS", "EMAIL"],
    "ClientMetadata": {"one": "a", "two": "b"},
    "Nested": {"Deep": {"Deeper": "alice"}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    parameters: dict[str, Any] = json.loads(json.dumps(RECORDED))
    *folders, name = path.split(".")
    place = parameters
    for folder in folders:
        place = place[folder]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    return parameters


DIFFERENCES = [
    ("AuthFlow", "USER_SRP_AUTH", ["AuthFlow: expected 'USER_PASSWORD_AUTH', got 'USER_SRP_AUTH'"]),
    ("AuthFlow", "s3cret-text", ["AuthFlow: expected 'USER_PASSWORD_AUTH', got another string"]),
    ("AuthFlow", "", ["AuthFlow: expected 'USER_PASSWORD_AUTH', got an empty string"]),
    ("AuthFlow", ..., ["AuthFlow: it is missing"]),
    ("Limit", 59, ["Limit: expected 60, got 59"]),
    ("Limit", True, ["Limit: expected 60, got True"]),
    ("Flag", 1, ["Flag: expected True, got 1"]),
    ("Flag", None, ["Flag: expected True, got None"]),
    ("DesiredDeliveryMediums", ["SMS"], ["DesiredDeliveryMediums: expected a list of 2, got a list of 1"]),
    ("DesiredDeliveryMediums", "SMS", ["DesiredDeliveryMediums: expected a list of 2, got 'SMS'"]),
    (
        "DesiredDeliveryMediums",
        ["EMAIL", "SMS"],
        [
            "DesiredDeliveryMediums[0]: expected 'SMS', got 'EMAIL'",
            "DesiredDeliveryMediums[1]: expected 'EMAIL', got 'SMS'",
        ],
    ),
    ("AuthParameters", "text", ["AuthParameters: expected an object, got another string"]),
    ("AuthParameters", ["x"], ["AuthParameters: expected an object, got a list of 1"]),
    ("AuthParameters.PASSWORD", None, ["AuthParameters.PASSWORD: expected <Password 1>, got None"]),
    ("AuthParameters.PASSWORD", {}, ["AuthParameters.PASSWORD: expected <Password 1>, got an object"]),
    (
        "AuthParameters.SMS_MFA_CODE",
        "",
        ["AuthParameters.SMS_MFA_CODE: expected <Code 1>, but it is empty"],
    ),
    ("AuthParameters.SECRET_HASH", "s3cret", ["AuthParameters.SECRET_HASH: it was not recorded"]),
    ("AuthParameters.s3cret", "s3cret", ["AuthParameters.(a name): it was not recorded"]),
    ("ClientMetadata.three", "c", ["ClientMetadata.(a name): it was not recorded"]),
    ("ClientMetadata.two", ..., ["ClientMetadata.<key 2>: it is missing"]),
    (
        "Nested.Deep.Deeper",
        "mallory",
        ["Nested.Deep.Deeper: expected <Username 1>, but it differs from the value that was sent there before"],
    ),
    (
        "Nested.Deep.Deeper",
        "pa55word",
        ["Nested.Deep.Deeper: expected <Username 1>, but it is the value of <Password 1>"],
    ),
]


@pytest.mark.parametrize(("place", "value", "expected"), DIFFERENCES, ids=lambda value: str(value)[:30])
def test_the_error_shows_each_difference_and_no_secret(place: str, value: Any, expected: list[str], path: Path) -> None:
    record(path, [(Operation("InitiateAuth", RECORDED), answer())])
    transport = ReplayTransport(path)
    with pytest.raises(UnmatchedCall) as caught:
        transport.call(Operation("InitiateAuth", changed(place, value)))
    assert list(caught.value.differences) == expected
    assert caught.value.nearest == 1
    for difference in expected:
        assert difference in str(caught.value)
    for secret in ("s3cret", "pa55word", "mallory", "alice", "123456"):
        assert secret not in str(caught.value)
    # What did not match has bound nothing.
    transport.call(Operation("InitiateAuth", {**changed("Limit", 60), "ClientId": "another"}))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("AuthParameters.SMS_MFA_CODE", "000000"),
        ("AuthParameters.PASSWORD", "another"),
        ("AuthParameters.PASSWORD", 7),
        ("ClientId", "another"),
        ("ClientMetadata", {"other": "names", "and": "values"}),
        ("DesiredDeliveryMediums", ("SMS", "EMAIL")),
    ],
)
def test_values_chosen_by_the_program_may_differ(place: str, value: Any, path: Path) -> None:
    record(path, [(Operation("InitiateAuth", RECORDED), answer())])
    replay(path, Operation("InitiateAuth", changed(place, value)))


def test_the_error_shows_the_call_with_the_fewest_differences(path: Path) -> None:
    calls = [
        (Operation("GetUser", {}), answer()),
        (Operation("AdminGetUser", {"Limit": 1, "Flag": True, "Precedence": 3}), answer()),
        (Operation("AdminGetUser", {"Limit": 1, "Flag": False, "Precedence": 3}), answer()),
        (Operation("AdminGetUser", {"Limit": 2, "Flag": False, "Precedence": 4}), answer()),
    ]
    record(path, calls)
    transport = ReplayTransport(path, mode="once")
    with pytest.raises(UnmatchedCall) as caught:
        transport.call(Operation("AdminGetUser", {"Limit": 2, "Flag": False, "Precedence": 3}))
    assert (caught.value.nearest, caught.value.differences) == (3, ("Limit: expected 1, got 2",))
    assert "is due" not in str(caught.value)
    with pytest.raises(UnmatchedCall) as caught:
        transport.call(Operation("SignUp", {}))
    assert (caught.value.nearest, caught.value.differences) == (1, ("the operation: expected GetUser",))


def test_two_names_that_differed_must_differ_again(path: Path) -> None:
    record(path, [(admin_get("alice"), answer()), (admin_get("bob"), answer()), (admin_get("alice"), answer())])
    replay(path, admin_get("x"), admin_get("y"), admin_get("x"))
    for names in (("x", "x"), ("x", "y", "y"), ("x", "y", "z")):
        with pytest.raises(UnmatchedCall, match="Username"):
            replay(path, *map(admin_get, names))


def test_values_made_by_the_service_must_be_repeated(path: Path) -> None:
    calls = [
        (admin_get("alice"), answer({"Session": "recorded-session", "PaginationToken": "next", "UserSub": "its-sub"})),
        (
            Operation("ListUsers", {"Session": "recorded-session", "PaginationToken": "next", "Sub": "its-sub"}),
            answer(),
        ),
    ]
    record(path, calls)
    transport = ReplayTransport(path)
    told = transport.call(admin_get("alice")).document
    parameters = {"Session": told["Session"], "PaginationToken": told["PaginationToken"], "Sub": told["UserSub"]}
    for name in parameters:
        with pytest.raises(UnmatchedCall, match=f"{name}: expected <.*>, but "):
            transport.call(Operation("ListUsers", {**parameters, name: "made up by the program"}))
    transport.call(Operation("ListUsers", parameters))


def test_the_program_may_replace_a_name_from_a_reply_once(path: Path) -> None:
    shown = answer({"Users": [{"Username": "alice"}]})
    calls = [(Operation("ListUsers", {}), shown), (admin_get("alice"), shown), (admin_get("alice"), shown)]
    record(path, calls)
    transport = ReplayTransport(path)
    first = transport.call(Operation("ListUsers", {})).document["Users"][0]["Username"]
    assert transport.call(admin_get("carol")).document["Users"][0]["Username"] == "carol"
    with pytest.raises(UnmatchedCall):
        transport.call(admin_get("dave"))
    # What the reply said is still the same user.
    assert transport.call(admin_get(first)).document["Users"][0]["Username"] == "carol"


def test_tokens_of_a_repeated_call_are_current(path: Path) -> None:
    result = {"AuthenticationResult": {"AccessToken": token(iat=5, exp=3605, sub="x")}}
    record(
        path,
        [
            (Operation("GetUser", {}), answer(result)),
            (Operation("SignUp", {"AccessToken": result["AuthenticationResult"]["AccessToken"]}), answer()),
        ],
    )
    clock = Clock(1000.0)
    transport = ReplayTransport(path, mode="unordered", clock=clock)
    tokens = []
    for clock.now in (1000.0, 9000.0):
        tokens.append(transport.call(Operation("GetUser", {})).document["AuthenticationResult"]["AccessToken"])
    times = [jwt.decode(one, options={"verify_signature": False})["exp"] for one in tokens]
    assert times == [4600, 12600]
    for one in tokens:
        transport.call(Operation("SignUp", {"AccessToken": one}))


def test_the_key_set_has_only_the_published_key(path: Path) -> None:
    record(path, [])
    transport = ReplayTransport(path)
    first, second = transport.fetch(KEYS_URL), transport.fetch("http://127.0.0.1/x/.well-known/jwks.json")
    assert first == second
    (key,) = json.loads(first)["keys"]
    assert "PUBLISHED-TEST-KEY" in key["kid"]
    assert set(key) == {"alg", "e", "kid", "kty", "n", "use"}
    with pytest.raises(TransportError):
        transport.fetch("https://example.com/")


def test_fetch_that_failed_fails_again_and_the_next_does_not(path: Path) -> None:
    with RecordingTransport(Scripted(TransportTimeout("x")), path) as recording:
        with pytest.raises(TransportTimeout):
            recording.fetch(KEYS_URL)
        recording.fetch(KEYS_URL)
    transport = ReplayTransport(path)
    with pytest.raises(TransportTimeout):
        transport.fetch(KEYS_URL)
    for _ in range(3):
        assert transport.fetch(KEYS_URL)
    transport.assert_all_used()


def test_a_replay_is_a_context_manager_and_can_be_used_after_it(two: Replaying) -> None:
    with two("strict") as transport:
        asked(transport, "alice")
    asked(transport, "bob")


def test_the_user_pool_id_must_be_valid(path: Path) -> None:
    record(path, [])
    with pytest.raises(ConfigurationError):
        ReplayTransport(path, user_pool_id="no pool")


COUNT = 200


@pytest.mark.parametrize("mode", ["once", "unordered"])
def test_threads_can_share_a_replay(mode: Any, path: Path) -> None:
    record(
        path, [(Operation("ListUsers", {"Limit": number}), answer({"Precedence": number})) for number in range(COUNT)]
    )
    transport = ReplayTransport(path, mode=mode)

    def ask(number: int) -> Any:
        return transport.call(Operation("ListUsers", {"Limit": number})).document["Precedence"]

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(COUNT))) == list(range(COUNT))
    transport.assert_all_used()


def test_equal_calls_are_each_answered_once_to_many_tasks(path: Path) -> None:
    record(path, [(Operation("ListUsers", {}), answer({"Precedence": number})) for number in range(COUNT)])
    transport = ReplayTransport(path)
    user = srpcore.AsyncCognito(POOL, "client", transport=transport)

    async def story() -> list[int]:
        replies = await asyncio.gather(*(user.client.list_users() for _ in range(COUNT)))
        return sorted(reply["Precedence"] for reply in replies)

    assert asyncio.run(story()) == list(range(COUNT))
    transport.assert_all_used()


def test_made_up_names_that_were_repeated_must_be_repeated(path: Path) -> None:
    def call(*names: str) -> Operation:
        return Operation("SignUp", {"ClientMetadata": dict.fromkeys(names, "same")})

    record(path, [(call("one"), answer()), (call("two", "one"), answer())])
    replay(path, call("x"), call("y", "x"))
    replay(path, call("x"), call("x", "y"))
    with pytest.raises(UnmatchedCall, match=r"ClientMetadata\.<key 1>: wrong name: it differs"):
        replay(path, call("x"), call("y", "z"))
