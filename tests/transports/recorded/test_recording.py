"""When a recording is written, what a crash leaves, and recorded errors and delays."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

import srpcore
from srpcore.exceptions import ConfigurationError, ServiceError, TransportError, TransportTimeout
from srpcore.protocol import Operation, Reply
from srpcore_transports.recorded import (
    AsyncRecordingTransport,
    CassetteError,
    RecordingTransport,
    ReplayTransport,
)
from support.clock import Clock
from support.recordings import NOW

from .scripted import KEYS_URL, AsyncScripted, Scripted, admin_get, answer, record, refusal, replay, status


def names_in(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def test_the_file_is_private_and_readable(path: Path) -> None:
    record(path, [(admin_get("alice"), status("CONFIRMED"))])
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n" == text
    assert names_in(path) == ["story.json"]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_written_before_the_end(path: Path) -> None:
    inner = Scripted()
    transport = RecordingTransport(inner, path)
    transport.call(admin_get("alice"))
    assert not path.parent.exists()
    transport.close()
    assert inner.closed == 1
    assert len(json.loads(path.read_bytes())["calls"]) == 1
    transport.call(admin_get("bob"))
    transport.save()
    assert inner.closed == 1
    assert len(json.loads(path.read_bytes())["calls"]) == 2


def test_an_exception_keeps_the_older_file(path: Path) -> None:
    record(path, [(admin_get("alice"), status("CONFIRMED"))])
    before = path.read_bytes()
    inner = Scripted()
    transport = RecordingTransport(inner, path)

    def story() -> None:
        with transport:
            transport.call(admin_get("alice"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        story()
    assert path.read_bytes() == before
    assert inner.closed == 1
    transport.abandon()
    assert path.read_bytes() == before
    assert inner.closed == 2


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_crash_while_writing_keeps_the_older_file(function: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(path, [(admin_get("alice"), status("CONFIRMED"))])
    before = path.read_bytes()

    def crash(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync" if function == "fsync" else "pathlib.Path.replace", crash)
    with pytest.raises(OSError, match="no space"):
        record(path, [(admin_get("bob"), status("ARCHIVED"))])
    assert path.read_bytes() == before
    assert names_in(path) == ["story.json"]


def test_failures_are_recorded_and_replayed_without_their_messages(path: Path) -> None:
    calls: list[tuple[Operation, Any]] = [
        (admin_get("alice"), TransportError("could not connect to 10.1.2.3", reason="connect")),
        (admin_get("alice"), TransportTimeout("10.1.2.3 is slow")),
        (admin_get("alice"), refusal("TooManyRequestsException", "Rate exceeded", 429)),
        (admin_get("alice"), status("CONFIRMED")),
    ]
    written = record(path, calls)
    assert "10.1.2.3" not in path.read_text()
    failures = [call.get("failure") for call in written["calls"]]
    assert failures == ["TransportError: connect", "TransportTimeout: read timeout", None, None]
    transport = ReplayTransport(path)
    with pytest.raises(TransportError) as caught:
        transport.call(admin_get("alice"))
    assert not isinstance(caught.value, TransportTimeout)
    assert caught.value.reason == "connect"
    with pytest.raises(TransportTimeout):
        transport.call(admin_get("alice"))
    user = srpcore.Cognito("us-east-1_Abc123", "c", username="alice", transport=transport)
    with pytest.raises(ServiceError) as refused:
        user.admin_get_user()
    assert (refused.value.code, refused.value.status) == ("TooManyRequestsException", 429)
    assert transport.call(admin_get("alice")).document["UserStatus"] == "CONFIRMED"
    transport.assert_all_used()


def test_other_errors_are_not_recorded(path: Path) -> None:
    with RecordingTransport(Scripted(ConfigurationError("x"), KeyError("y")), path) as transport:
        for error in (ConfigurationError, KeyError):
            with pytest.raises(error):
                transport.call(admin_get("alice"))
    assert json.loads(path.read_bytes())["calls"] == []


class Slow(Scripted):
    """Takes *seconds* of *clock* for each call."""

    def __init__(self, clock: Clock, *seconds: float) -> None:
        super().__init__()
        self.clock, self.seconds = clock, list(seconds)

    def call(self, operation: Operation) -> Reply:
        self.clock.now += self.seconds.pop(0)
        return super().call(operation)

    def fetch(self, url: str) -> bytes:
        self.clock.now += self.seconds.pop(0)
        return super().fetch(url)


def test_slow_answers_can_be_replayed_slowly(path: Path) -> None:
    clock = Clock(50.0)
    with RecordingTransport(Slow(clock, 0.94, 1.0, 12.345, 2.5), path, monotonic=clock) as recording:
        for _ in range(3):
            recording.call(admin_get("alice"))
        recording.fetch(KEYS_URL)
    written = json.loads(path.read_bytes())["calls"]
    assert [call.get("seconds") for call in written] == [None, 1.0, 12.3, 2.5]
    waited: list[float] = []
    transport = ReplayTransport(path, sleep=waited.append)
    for _ in range(3):
        transport.call(admin_get("alice"))
    transport.fetch(KEYS_URL)
    assert waited == [1.0, 12.3, 2.5]
    replay(path, *[admin_get("alice")] * 3)


def test_only_key_sets_are_fetched(path: Path) -> None:
    inner = Scripted()
    transport = RecordingTransport(inner, path)
    for url in ("https://example.com/", "https://example.com/.well-known/jwks.json", f"{KEYS_URL}?x", KEYS_URL[:-5]):
        with pytest.raises(CassetteError):
            transport.fetch(url)
    assert transport.fetch(KEYS_URL) == b'{"keys": []}'
    transport.close()
    assert json.loads(path.read_bytes())["calls"] == [{"key set of": "<UserPoolId 1>"}]


def test_an_operation_that_cannot_be_recorded_is_not_sent(path: Path) -> None:
    inner = Scripted(status("CONFIRMED"))
    transport = RecordingTransport(inner, path)
    deep: dict[str, Any] = {}
    for _ in range(sys.getrecursionlimit()):
        deep = {"Deep": deep}
    for operation in (Operation("hunter2", {}), Operation("GetUser", deep)):
        with pytest.raises(CassetteError, match="nothing was sent"):
            transport.call(operation)
    assert len(inner.answers) == 1
    # Nor does it leave a trace.
    transport.close()
    assert json.loads(path.read_bytes())["calls"] == []


def test_an_answer_without_a_json_form_is_not_written(path: Path) -> None:
    with pytest.raises(CassetteError, match="cannot be written as JSON"):
        record(path, [(admin_get("alice"), answer({"Precedence": float("nan")}))])
    assert not path.exists()


def test_values_of_other_types_are_placeholders(path: Path) -> None:
    written = record(path, [(admin_get("alice"), answer({"Blob": b"secret bytes", "Pair": ("SMS", 1)}))])
    assert written["calls"][0]["reply"] == {"Blob": "<Blob 1>", "Pair": ["<Pair 1>", 1]}


def test_calls_are_recorded_in_the_order_in_which_they_began(path: Path) -> None:
    first_began, second_ended = Event(), Event()

    class Overtaking(Scripted):
        def call(self, operation: Operation) -> Reply:
            if operation.parameters["Username"] == "slow":
                first_began.set()
                assert second_ended.wait(30)
            return answer()

    with RecordingTransport(Overtaking(), path, keep={"Username"}) as transport:
        thread = Thread(target=transport.call, args=(admin_get("slow"),))
        thread.start()
        assert first_began.wait(30)
        transport.call(admin_get("fast"))
        second_ended.set()
        thread.join()
    written = json.loads(path.read_bytes())["calls"]
    assert [call["request"]["Username"] for call in written] == ["slow", "fast"]


def test_an_asynchronous_transport_is_recorded_in_the_same_way(path: Path) -> None:
    calls: list[Any] = [status("CONFIRMED"), TransportTimeout("x"), refusal("UserNotFoundException", "alice?")]

    async def story(inner: AsyncScripted) -> None:
        async with AsyncRecordingTransport(inner, path, clock=Clock(NOW), keep={"email"}) as transport:
            await transport.call(admin_get("alice"))
            with pytest.raises(TransportTimeout):
                await transport.call(admin_get("alice"))
            assert (await transport.call(admin_get("alice"))).error is not None
            assert await transport.fetch(KEYS_URL) == b'{"keys": []}'

        async def failing() -> None:
            async with transport:
                await transport.call(admin_get("not written"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await failing()

    inner = AsyncScripted(*calls)
    asyncio.run(story(inner))
    assert inner.inner.closed == 2
    written = json.loads(path.read_bytes())
    other = path.with_name("other.json")
    with RecordingTransport(Scripted(*calls), other, keep={"email"}) as transport:
        for _ in range(3):
            try:
                transport.call(admin_get("alice"))
            except TransportTimeout:
                continue
        transport.fetch(KEYS_URL)
    assert written == json.loads(other.read_bytes())


def test_failed_fetch_of_an_asynchronous_transport_is_recorded(path: Path) -> None:
    async def story() -> None:
        transport = AsyncRecordingTransport(AsyncScripted(TransportError("x")), path)
        with pytest.raises(TransportError):
            await transport.fetch(KEYS_URL)
        await transport.close()

    asyncio.run(story())
    assert json.loads(path.read_bytes())["calls"] == [
        {"key set of": "<UserPoolId 1>", "failure": "TransportError: answer"}
    ]


def test_a_cancelled_call_is_not_recorded(path: Path) -> None:
    class Never(AsyncScripted):
        async def call(self, operation: Operation) -> Reply:
            await asyncio.Event().wait()
            raise AssertionError

    async def story() -> None:
        async with AsyncRecordingTransport(Never(), path) as transport:
            task = asyncio.create_task(transport.call(admin_get("alice")))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(story())
    assert json.loads(path.read_bytes())["calls"] == []


def test_a_repr_does_not_show_secrets(path: Path) -> None:
    transport = RecordingTransport(Scripted(answer({"Session": "the-session"})), path)
    transport.call(Operation("SignUp", {"Password": "pa55word"}))
    recorder: Any = vars(transport)["_recorder"]
    shown = [transport, recorder, vars(recorder), vars(recorder)["_redactor"].placeholders]
    assert "pa55word" not in repr(shown)
    assert "the-session" not in repr(shown)
