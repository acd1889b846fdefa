"""Scripted faults, and that they are recorded like real ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.exceptions import TransportError
from srpcore.protocol import Operation, Reply
from srpcore_transports.recorded import (
    FETCH,
    AsyncFaultTransport,
    Fault,
    FaultTransport,
    RecordingTransport,
    ReplayTransport,
)
from support.clock import Clock
from support.recordings import NOW, RECORDED, Recorder

from .scripted import KEYS_URL, AsyncScripted, Scripted, admin_get, status

SCRIPT = [
    Fault("AdminGetUser", 2, code="InternalErrorException", message="internal error", status=500),
    Fault("AdminGetUser", 3, lost="request"),
    Fault("AdminGetUser", 4, lost="answer", timeout=True),
    Fault("AdminGetUser", 5, delay=2.5),
    Fault("AdminGetUser", 6, lost="request", delay=30, timeout=True),
    Fault.throttling(number=7),
    Fault(FETCH, 2, lost="request"),
    Fault(FETCH, 3, lost="answer"),
    Fault(FETCH, 4, code="TooManyRequestsException"),
]


def outcome(function: Any) -> Any:
    try:
        reply: Any = function()
    except TransportError as error:
        return type(error).__name__
    if not isinstance(reply, Reply):
        return reply
    return (
        reply.document["UserStatus"]
        if reply.error is None
        else (reply.error["Code"], reply.error["Message"], reply.status)
    )


EXPECTED = [
    "call 1",
    ("InternalErrorException", "internal error", 500),
    "TransportError",
    "TransportTimeout",
    "call 3",
    "TransportTimeout",
    ("TooManyRequestsException", "Rate exceeded", 400),
    "call 4",
]


def scripted() -> Scripted:
    return Scripted(*(status(f"call {number}") for number in range(1, 9)))


def test_each_fault_comes_at_its_call_and_the_rest_passes_through() -> None:
    inner, waited = scripted(), list[float]()
    with FaultTransport(inner, SCRIPT, sleep=waited.append) as transport:
        assert [outcome(lambda: transport.call(admin_get("alice"))) for _ in range(8)] == EXPECTED
        assert [outcome(lambda: transport.fetch(KEYS_URL)) for _ in range(5)] == [
            b'{"keys": []}',
            *["TransportError"] * 3,
            b'{"keys": []}',
        ]
        # Another operation counts for itself.
        assert outcome(lambda: transport.call(Operation("GetUser", {}))) == "call 5"
    assert waited == [2.5, 30]
    assert inner.closed == 1


def test_asynchronous_faults_are_the_same() -> None:
    inner, waited = AsyncScripted(), list[float]()
    inner.inner = scripted()

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def story() -> tuple[list[Any], list[Any]]:
        async with AsyncFaultTransport(inner, SCRIPT, sleep=sleep) as transport:
            calls, fetches = [], []
            for _ in range(8):
                calls.append(await outcome_of(transport.call(admin_get("alice"))))
            for _ in range(5):
                fetches.append(await outcome_of(transport.fetch(KEYS_URL)))
            return calls, fetches

    async def outcome_of(awaitable: Any) -> Any:
        try:
            reply = await awaitable
        except TransportError as error:
            return type(error).__name__
        return outcome(lambda: reply)

    calls, fetches = asyncio.run(story())
    assert calls == EXPECTED
    assert fetches == [b'{"keys": []}', *["TransportError"] * 3, b'{"keys": []}']
    assert waited == [2.5, 30]
    assert inner.inner.closed == 1


def test_a_lost_answer_reaches_the_pool_and_a_lost_request_does_not() -> None:
    inner = scripted()
    transport = FaultTransport(inner, [Fault(lost="answer"), Fault(lost="request")])
    for _ in range(2):
        with pytest.raises(TransportError):
            transport.call(admin_get("alice"))
    assert len(inner.answers) == 6
    transport = FaultTransport(inner, [Fault(lost="request"), Fault(lost="answer")])
    with pytest.raises(TransportError):
        transport.call(admin_get("alice"))
    assert len(inner.answers) == 6


@pytest.mark.counterpart
@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (Fault(lost="request"), "EndpointConnectionError"),
        (Fault(lost="answer"), "ConnectionClosedError"),
        (Fault(lost="answer", timeout=True), "ReadTimeoutError"),
    ],
)
def test_a_lost_call_is_the_error_of_botocore(fault: Fault, name: str, path: Path) -> None:
    import botocore.exceptions

    recording = RecordingTransport(FaultTransport(scripted(), [fault]), path)
    with pytest.raises(getattr(botocore.exceptions, name)):
        recording.call(admin_get("alice"))
    recording.close()
    with ReplayTransport(path) as transport, pytest.raises(getattr(botocore.exceptions, name)):
        transport.call(admin_get("alice"))


def test_the_first_matching_fault_of_the_script_wins() -> None:
    transport = FaultTransport(scripted(), [Fault(code="FirstException"), Fault(code="SecondException")])
    reply = transport.call(admin_get("alice"))
    assert reply.document == {
        "Error": {"Code": "FirstException", "Message": ""},
        "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}, "RetryAttempts": 0},
    }


def test_a_refusal_of_the_script_is_a_typed_error() -> None:
    transport = FaultTransport(scripted(), [Fault.throttling("AdminGetUser", 1)])
    user = srpcore.Cognito("us-east-1_Abc123", "c", username="alice", transport=transport)
    with pytest.raises(exceptions.TooManyRequestsException):
        user.admin_get_user()


def test_faults_are_recorded_and_replayed(path: Path) -> None:
    clock = Clock(NOW)

    def sleep(seconds: float) -> None:
        clock.now += seconds

    with RecordingTransport(FaultTransport(scripted(), SCRIPT, sleep=sleep), path, monotonic=clock) as transport:
        recorded = [outcome(lambda: transport.call(admin_get("alice"))) for _ in range(8)]
        fetched = [outcome(lambda: transport.fetch(KEYS_URL)) for _ in range(5)]
    waited: list[float] = []
    replay = ReplayTransport(path, sleep=waited.append)
    replayed = [outcome(lambda: replay.call(admin_get("alice"))) for _ in range(8)]
    assert [one for one in replayed if not isinstance(one, str)] == [
        one for one in EXPECTED if not isinstance(one, str)
    ]
    assert ["Transport" in str(one) for one in replayed] == ["Transport" in str(one) for one in recorded]
    assert [one for one in replayed if "Transport" in str(one)] == ["TransportError", *["TransportTimeout"] * 2]
    assert ["Transport" in str(outcome(lambda: replay.fetch(KEYS_URL))) for _ in range(5)] == [
        "Transport" in str(one) for one in fetched
    ]
    assert waited == [2.5, 30]
    replay.assert_all_used()


def test_log_in_through_throttling_is_recorded_and_replayed(path: Path) -> None:
    recorder = Recorder(path)
    recorder.create()
    faults = FaultTransport(recorder.pool, [Fault.throttling("RespondToAuthChallenge", 1)])

    def story(transport: Any, client_id: str, clock: Clock) -> None:
        user = srpcore.Cognito(recorder.ids[0], client_id, username="alice.liddell", transport=transport, clock=clock)
        with pytest.raises(exceptions.TooManyRequestsException):
            user.authenticate(RECORDED["password"])
        user.authenticate(RECORDED["password"])
        assert user.access_claims is not None

    with RecordingTransport(faults, path, clock=recorder.clock) as transport:
        story(transport, recorder.ids[1], recorder.clock)
    story(ReplayTransport(path, clock=Clock(3e9)), "another", Clock(3e9))
