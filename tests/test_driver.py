"""Operations and replies as values, and the two drivers."""

from __future__ import annotations

import asyncio
import copy
import gc
import pickle
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import pytest

from srpcore.driver import arun, run
from srpcore.exceptions import TransportError
from srpcore.offload import entered_in_thread, in_thread, uninterrupted
from srpcore.protocol import CallBlocking, CallMethod, Fetch, Flow, Operation, Reply

# Operations.


def test_the_service_model_decides_whether_an_operation_is_signed() -> None:
    assert not Operation("InitiateAuth", {}).signed
    assert Operation("AdminInitiateAuth", {}).signed


def test_an_operation_that_the_model_does_not_have_is_signed_unless_the_caller_says_otherwise() -> None:
    assert Operation("NobodyKnowsThis", {}).signed
    assert not Operation("NobodyKnowsThis", {}, signed=False).signed
    assert not Operation("AdminGetUser", {}, signed=False).signed


def test_operations_are_equal_if_name_parameters_and_signing_are() -> None:
    operation = Operation("GetUser", {"AccessToken": "a"})
    assert operation == Operation("GetUser", {"AccessToken": "a"})
    assert hash(operation) == hash(Operation("GetUser", {"AccessToken": "b"}))
    assert operation != Operation("GetUser", {"AccessToken": "b"})
    assert operation != Operation("DeleteUser", {"AccessToken": "a"})
    assert operation != Operation("GetUser", {"AccessToken": "a"}, signed=True)
    assert operation != ("GetUser", {"AccessToken": "a"}, False)


def test_an_operation_is_immutable_and_its_repr_shows_no_parameter() -> None:
    operation = Operation("GetUser", {"AccessToken": "secret"})
    for name in ("name", "parameters", "signed", "another"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(operation, name, "x")
        with pytest.raises(AttributeError, match="immutable"):
            delattr(operation, name)
    assert repr(operation) == "Operation(name='GetUser')"


@pytest.mark.parametrize("signed", [None, True, False])
def test_an_operation_can_be_copied_and_pickled(signed: bool | None) -> None:
    operation = Operation("GetUser", {"AccessToken": "a"}, signed=signed)
    for again in (copy.copy(operation), copy.deepcopy(operation), pickle.loads(pickle.dumps(operation))):
        assert again == operation


# Replies and fetches.


def test_a_reply_is_immutable_and_its_repr_shows_no_document() -> None:
    reply = Reply({"AccessToken": "secret"})
    for name in ("document", "raised", "another"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(reply, name, "x")
        with pytest.raises(AttributeError, match="immutable"):
            delattr(reply, name)
    assert repr(reply) == "Reply()"


def test_replies_are_equal_if_their_documents_are() -> None:
    assert Reply({"a": 1}) == Reply({"a": 1}, ValueError)
    assert Reply({"a": 1}) != Reply({"a": 2})
    assert Reply({"a": 1}) != {"a": 1}
    with pytest.raises(TypeError, match="unhashable"):
        hash(Reply({}))


def test_a_reply_can_be_copied_and_pickled() -> None:
    reply = Reply({"a": 1}, ValueError)
    for again in (copy.copy(reply), copy.deepcopy(reply), pickle.loads(pickle.dumps(reply))):
        assert (again, again.raised) == (reply, ValueError)


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
def test_a_transport_error_is_raised_in_the_flow_and_by_the_driver(driver: Driver, answers: list[Any]) -> None:
    story = Story()
    flow = story.flow()  # held here, so that it is the driver that closes it and not the collector
    with pytest.raises(TransportError, match="gone"):
        driver.drive(flow, driver.transport(*answers))
    assert story.ends == ["TransportError", "closed"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_flow_may_continue_after_a_transport_error(driver: Driver) -> None:
    def flow() -> Flow[Any]:
        try:
            yield Fetch("https://keys.example/jwks")
        except TransportError as error:
            reply = yield Operation("InitiateAuth", {})
            return str(error), reply

    transport = driver.transport(TransportError("gone"), REPLY)
    assert driver.drive(flow(), transport) == ("gone", REPLY)


class Gone(Scripted):
    def call(self, operation: Operation) -> Reply:
        raise TransportError("gone")


class AsyncGone(AsyncScripted):
    async def call(self, operation: Operation) -> Reply:  # type: ignore[override] # the async version of a fake
        raise TransportError("gone")


@pytest.mark.parametrize(
    ("drive", "transport"),
    [(run, Gone()), (lambda flow, transport: arun(flow, transport).send(None), AsyncGone())],
    ids=["run", "arun"],
)
def test_an_error_is_freed_when_the_caller_drops_it(drive: Callable[..., Any], transport: Scripted) -> None:
    def reference() -> weakref.ref[TransportError]:
        try:
            drive(Story().flow(), transport)
        except TransportError as error:
            return weakref.ref(error)
        raise AssertionError("not raised")

    gc.disable()
    try:
        assert reference()() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("offload", [None, in_thread])
def test_the_driver_calls_the_functions_that_a_flow_yields(offload: Any) -> None:
    def fail() -> None:
        raise LookupError("of the function")

    def flow(method: Callable[[], Any]) -> Flow[Any]:
        number = yield CallBlocking(lambda: 1)
        text = yield CallMethod(method)
        with pytest.raises(LookupError, match="of the function"):
            yield CallBlocking(fail)
        return number, text

    async def method() -> str:
        return "awaited"

    assert run(flow(lambda: "called"), Scripted()) == (1, "called")
    assert asyncio.run(arun(flow(method), AsyncScripted(), offload=offload)) == (1, "awaited")


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_error_of_the_flow_propagates(driver: Driver) -> None:
    def flow() -> Flow[None]:
        yield Operation("InitiateAuth", {})
        raise LookupError("of the flow")

    with pytest.raises(LookupError, match="of the flow"):
        driver.drive(flow(), driver.transport(REPLY))


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("answers", [[], [REPLY]])
def test_a_stop_iteration_of_a_transport_ends_the_flow_and_is_raised(driver: Driver, answers: list[Any]) -> None:
    story = Story()
    flow = story.flow()
    # Python turns a StopIteration that leaves a coroutine into a RuntimeError.
    with pytest.raises((StopIteration, RuntimeError)) as caught:
        driver.drive(flow, driver.transport(*answers))
    assert story.ends == ["RuntimeError" if caught.type is RuntimeError else "GeneratorExit", "closed"]


def test_a_stop_iteration_of_a_transport_cannot_be_suppressed_in_a_flow() -> None:
    def forgiving() -> Flow[str]:
        with suppress(Exception):
            yield Operation("InitiateAuth", {})
        return "went on without an answer"

    with pytest.raises(StopIteration):
        run(forgiving(), Scripted())


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_flow_without_a_request_returns_its_result(driver: Driver) -> None:
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


def test_uninterrupted_work_ends_before_a_task_that_is_cancelled_twice() -> None:
    async def main() -> None:
        released = asyncio.Event()
        work = asyncio.ensure_future(released.wait())
        task = asyncio.ensure_future(uninterrupted(work))
        for _ in range(3):
            await asyncio.sleep(0.01)
            assert not task.done()
            task.cancel()
        await asyncio.sleep(0.01)
        assert not task.done()
        released.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert work.result() is True

    asyncio.run(asyncio.wait_for(main(), 60))


# Replies.


def test_a_reply_without_metadata_counts_as_200() -> None:
    assert (REPLY.status, REPLY.request_id, REPLY.error) == (200, None, None)


def test_a_reply_does_not_show_secrets() -> None:
    assert "s3cret" not in repr(Reply({"Session": "s3cret"}))
    assert "s3cret" not in repr(Operation("InitiateAuth", {"PASSWORD": "s3cret"}))


def test_what_a_lock_sets_in_the_context_is_set_in_the_task_that_holds_it() -> None:
    holder: ContextVar[str] = ContextVar("holder", default="nobody")
    untouched: ContextVar[str] = ContextVar("untouched", default="unset")

    @contextmanager
    def lock() -> Iterator[None]:
        assert untouched.get() == "set by the task"
        holder.set("this task")
        yield
        assert holder.get() == "this task"
        holder.set("nobody again")

    async def main() -> None:
        untouched.set("set by the task")
        async with entered_in_thread(lock()):
            assert holder.get() == await in_thread(holder.get) == "this task"
        assert holder.get() == "nobody again"

    asyncio.run(main())
    assert holder.get() == "nobody"
