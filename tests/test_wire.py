"""The wire's tables against botocore's service model, and the two drivers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from srpcore.aws_json import DATES
from srpcore.drive import arun, run
from srpcore.exceptions import TransportError
from srpcore.wire import UNSIGNED, Fetch, Flow, Operation, Reply


@pytest.fixture(scope="module")
def model() -> Any:
    session = pytest.importorskip("botocore.session")
    return session.get_session().get_service_model("cognito-idp")


def test_unsigned_is_what_the_model_says(model: Any) -> None:
    unsigned = {name for name in model.operation_names if model.operation_model(name).auth_type == "none"}
    assert unsigned == UNSIGNED


def test_signed_follows_the_name() -> None:
    assert not Operation("InitiateAuth", {}).signed
    assert Operation("AdminInitiateAuth", {}).signed
    assert Operation("NobodyKnowsThis", {}).signed


def shapes(model: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every structure that the service sends or takes, by its name."""
    for name in model.shape_names:
        shape = model.shape_for(name)
        if shape.type_name == "structure":
            yield from shape.members.items()


def test_dates_are_the_models_timestamps_and_no_other_member(model: Any) -> None:
    kinds: dict[str, set[str]] = {}
    for name, shape in shapes(model):
        kinds.setdefault(name, set()).add(shape.type_name)
    timestamps = {name for name, types in kinds.items() if "timestamp" in types}
    assert timestamps == DATES
    assert {name: kinds[name] for name in DATES} == {name: {"timestamp"} for name in DATES}


def test_no_list_or_map_holds_bare_timestamps(model: Any) -> None:
    # with_dates goes by the name of a member, and an item of a list or a map has none.
    for name in model.shape_names:
        shape = model.shape_for(name)
        inner = shape.member if shape.type_name == "list" else shape.value if shape.type_name == "map" else None
        assert inner is None or inner.type_name != "timestamp", name


# The drivers.


class Scripted:
    """A transport that answers from a list; a spent one raises StopIteration, as a careless fake does."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[Any] = []
        self._answers = iter(answers)

    def _next(self, request: Any) -> Any:
        self.asked.append(request)
        answer = next(self._answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def call(self, operation: Operation) -> Reply:
        reply: Reply = self._next(operation)
        return reply

    def fetch(self, url: str) -> bytes:
        body: bytes = self._next(url)
        return body

    def close(self) -> None:
        pass


class AsyncScripted(Scripted):
    async def call(self, operation: Operation) -> Reply:  # type: ignore[override] # the twin of a synchronous fake
        return Scripted.call(self, operation)

    async def fetch(self, url: str) -> bytes:  # type: ignore[override] # likewise
        return Scripted.fetch(self, url)

    async def close(self) -> None:  # type: ignore[override] # likewise
        pass


class Driver:
    """Either driver, with the fake that suits it."""

    def __init__(self, transport: type[Scripted], drive: Callable[[Flow[Any], Any], Any]) -> None:
        self.transport = transport
        self.drive = drive


DRIVERS = [
    pytest.param(Driver(Scripted, run), id="run"),
    pytest.param(Driver(AsyncScripted, lambda flow, transport: asyncio.run(arun(flow, transport))), id="arun"),
]


class Story:
    """A flow that notes how it ends."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def flow(self) -> Flow[Any]:
        try:
            reply = yield Operation("InitiateAuth", {})
            body = yield Fetch("https://keys.example/jwks")
            return reply, body
        except BaseException as error:
            self.ends.append(type(error).__name__)
            raise
        finally:
            self.ends.append("closed")


REPLY = Reply({"Session": "s"})


@pytest.mark.parametrize("driver", DRIVERS)
def test_each_request_gets_its_answer(driver: Driver) -> None:
    story, transport = Story(), driver.transport(REPLY, b"keys")
    assert driver.drive(story.flow(), transport) == (REPLY, b"keys")
    assert transport.asked == [Operation("InitiateAuth", {}), "https://keys.example/jwks"]
    assert story.ends == ["closed"]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("answers", [[TransportError("gone")], [REPLY, TransportError("gone")]])
def test_a_transport_error_closes_the_flow_and_goes_on(driver: Driver, answers: list[Any]) -> None:
    story = Story()
    flow = story.flow()  # held here, so that it is the driver that closes it and not the collector
    with pytest.raises(TransportError, match="gone"):
        driver.drive(flow, driver.transport(*answers))
    assert story.ends == ["GeneratorExit", "closed"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_error_of_the_flow_goes_on(driver: Driver) -> None:
    def flow() -> Flow[None]:
        yield Operation("InitiateAuth", {})
        raise LookupError("of the flow")

    with pytest.raises(LookupError, match="of the flow"):
        driver.drive(flow(), driver.transport(REPLY))


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("answers", [[], [REPLY]])
def test_an_exhausted_fake_is_no_result(driver: Driver, answers: list[Any]) -> None:
    story = Story()
    flow = story.flow()
    # Python turns a StopIteration that leaves a coroutine into a RuntimeError.
    with pytest.raises((StopIteration, RuntimeError)):
        driver.drive(flow, driver.transport(*answers))
    assert story.ends == ["GeneratorExit", "closed"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_flow_that_asks_nothing(driver: Driver) -> None:
    def flow() -> Flow[str]:
        yield from ()
        return "done"

    assert driver.drive(flow(), driver.transport()) == "done"


def test_a_cancelled_task_closes_the_flow() -> None:
    class Stuck(AsyncScripted):
        async def call(self, operation: Operation) -> Reply:  # type: ignore[override] # the twin of a synchronous fake
            waiting.set()
            await asyncio.sleep(60)
            raise AssertionError("not cancelled")

    async def main() -> None:
        task = asyncio.create_task(arun(flow, Stuck()))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    waiting = asyncio.Event()
    story = Story()
    flow = story.flow()
    asyncio.run(main())
    assert story.ends == ["GeneratorExit", "closed"]


# Replies.


def test_a_reply_without_metadata_counts_as_200() -> None:
    assert (REPLY.status, REPLY.request_id, REPLY.error) == (200, None, None)


def test_a_reply_shows_no_secret() -> None:
    assert "s3cret" not in repr(Reply({"Session": "s3cret"}))
    assert "s3cret" not in repr(Operation("InitiateAuth", {"PASSWORD": "s3cret"}))
