"""Spans of real calls, by OpenTelemetry's own SDK: their names, parents and ends, on every transport."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

import srpcore
from srpcore import exceptions
from srpcore.protocol import Operation
from srpcore.resolve import as_async
from srpcore_transports.botocore import BotocoreTransport
from srpcore_transports.credentials import Credentials
from srpcore_transports.events import RequestEvent, ResponseEvent
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.opentelemetry import OpenTelemetry
from support.loopback import Drop, LoopbackServer, Request, answer
from support.tracing import Tracing
from support.users import PASSWORD
from support.world import World

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

KEYS = Credentials("AKIDLOCAL", "secret-of-the-tests")
READ = Operation("GetUser", {"AccessToken": "a-secret-token"})
ONCE = Operation("RespondToAuthChallenge", {"Session": "a-secret-session"})
GOOD = answer(b'{"Username":"zo"}', x_amzn_RequestId="an-id")
REFUSED = answer(b'{"__type":"NotAuthorizedException","message":"zo@example.com may not"}', 400, x_amzn_RequestId="b")
BROKEN = answer(b'{"__type":"InternalErrorException","message":"m"}', 500)


def scripted(*answers: bytes | None) -> LoopbackServer:
    """Return a server that gives the *answers* one after the other, None for none, and the last from then on."""
    left = [*answers]

    def handle(_: Request, __: Any) -> bytes:
        response = left.pop(0) if len(left) > 1 else left[0]
        if response is None:
            raise Drop
        return response

    return LoopbackServer(handle)


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def parent_of(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def ids(*spans: trace.Span) -> list[int | None]:
    return [span.get_span_context().span_id for span in spans]


@pytest.fixture(params=["https", "httpx", "threaded", "asynchronous httpx"])
def call(request: pytest.FixtureRequest, tracing: Tracing) -> Callable[..., Any]:
    """Send one operation by a transport of each kind, and return the reply."""
    kind: str = request.param

    def call(url: str, operation: Operation, **options: Any) -> Any:
        arguments: Any = {"region": "us-east-1", "endpoint_url": url, **tracing.spans.hooks(), **options}
        if kind in ("https", "httpx"):
            with HttpsTransport(**arguments) if kind == "https" else HttpxTransport(**arguments) as transport:
                return transport.call(operation)

        async def asynchronously() -> Any:
            if kind == "threaded":
                threaded = as_async(lambda: HttpsTransport(**arguments))
                try:
                    return await threaded.call(operation)
                finally:
                    await threaded.close()
            async with AsyncHttpxTransport(**arguments) as transport:
                return await transport.call(operation)

        return asyncio.run(asynchronously())

    return call


def test_a_span_has_the_operation_and_the_outcome(call: Callable[..., Any], tracing: Tracing) -> None:
    with scripted(GOOD) as server, tracing.tracer.start_as_current_span("handler") as handler:
        call(server.url, READ)
    span, outer = tracing.ended
    assert outer.name == "handler"
    assert span.name == "CognitoIdentityProvider.GetUser"
    assert span.kind is SpanKind.CLIENT
    assert attributes(span) == {
        "rpc.system": "aws-api",
        "rpc.service": "CognitoIdentityProvider",
        "rpc.method": "GetUser",
        "server.address": "127.0.0.1",
        "http.response.status_code": 200,
        "aws.request_id": "an-id",
    }
    assert span.status.status_code is StatusCode.UNSET
    assert [parent_of(span)] == ids(handler)
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.end_time >= span.start_time
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "srpcore"
    assert span.instrumentation_scope.version == srpcore.__version__
    # The trace is the caller's alone.
    assert not {"traceparent", "tracestate", "baggage"} & set(server.requests[0].headers)


def test_an_error_is_recorded_by_its_name_only(call: Callable[..., Any], tracing: Tracing) -> None:
    with scripted(REFUSED) as server:
        assert call(server.url, ONCE).error["Message"] == "zo@example.com may not"
    (span,) = tracing.ended
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "NotAuthorizedException")
    assert attributes(span)["error.type"] == "NotAuthorizedException"
    assert attributes(span)["http.response.status_code"] == 400
    assert attributes(span)["aws.request_id"] == "b"
    assert span.parent is None
    assert span.events == ()
    assert "zo@" not in span.to_json()


def test_each_attempt_has_a_span(call: Callable[..., Any], tracing: Tracing) -> None:
    with scripted(None, BROKEN, GOOD) as server, tracing.tracer.start_as_current_span("handler") as handler:
        call(server.url, READ)
        # A connection that was lost may cost a request more.
        assert len(server.requests) >= 3
    lost, broken, good, _ = tracing.ended
    assert [span.status.status_code for span in (lost, broken, good)] == [
        StatusCode.ERROR,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    assert [attributes(span).get("http.request.resend_count") for span in (lost, broken, good)] == [None, 1, 2]
    assert "http.response.status_code" not in attributes(lost)
    assert attributes(lost)["error.type"] == lost.status.description != ""
    assert attributes(broken)["error.type"] == "InternalErrorException"
    assert [parent_of(span) for span in (lost, broken, good)] == ids(handler) * 3


def test_a_request_that_is_not_sent_leaves_no_span_open(call: Callable[..., Any], tracing: Tracing) -> None:
    def provider() -> Credentials:
        raise exceptions.ConfigurationError("none of a-secret kind")

    with scripted(GOOD) as server, pytest.raises(exceptions.ConfigurationError):
        call(server.url, Operation("AdminGetUser", {}), credentials=provider)
    (span,) = tracing.ended
    assert span.status.description == "ConfigurationError"
    assert "a-secret" not in span.to_json()


def test_a_key_set_fetch_has_a_span_of_a_get(tracing: Tracing) -> None:
    with (
        scripted(answer(b'{"keys":[]}')) as server,
        HttpsTransport("us-east-1", server.url, **tracing.spans.hooks()) as transport,
    ):
        transport.fetch(f"{server.url}/us-east-1_a/.well-known/jwks.json")
    (span,) = tracing.ended
    assert (span.name, span.kind) == ("GET", SpanKind.CLIENT)
    assert attributes(span) == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "http.response.status_code": 200,
    }


def test_unknown_error_names_of_a_server_are_not_recorded(call: Callable[..., Any], tracing: Tracing) -> None:
    forged = answer(b'{"__type":"x\\n2026 INFO logged in as root"}', 400, x_amzn_RequestId="a b")
    with scripted(forged) as server:
        assert "root" in call(server.url, ONCE).error["Code"]
    (span,) = tracing.ended
    assert span.status.description == "(no name)"
    assert attributes(span)["aws.request_id"] == "(no name)"
    assert "root" not in span.to_json()


# Stories over the embedded pool


def story(user: srpcore.Cognito) -> None:
    with pytest.raises(exceptions.NotAuthorizedException):
        user.authenticate("Wrong-Horse-1")
    user.authenticate(PASSWORD)
    user.get_user()


STORY = [
    ("CognitoIdentityProvider.InitiateAuth", None),
    ("CognitoIdentityProvider.RespondToAuthChallenge", "NotAuthorizedException"),
    ("CognitoIdentityProvider.InitiateAuth", None),
    ("CognitoIdentityProvider.RespondToAuthChallenge", None),
    ("GET", None),
    ("CognitoIdentityProvider.GetUser", None),
]


def told(tracing: Tracing) -> list[tuple[str, Any]]:
    return [(span.name, attributes(span).get("error.type")) for span in tracing.of_calls]


@pytest.fixture
def served(make_world: Callable[..., World]) -> World:
    world = make_world(kind="https", client_secret=True)
    world.create()
    return world


def test_spans_of_the_synchronous_facade_have_the_right_parents(served: World, tracing: Tracing) -> None:
    for transport in (
        HttpsTransport("us-east-1", served.url, KEYS, **tracing.spans.hooks()),
        HttpxTransport("us-east-1", served.url, KEYS, **tracing.spans.hooks()),
        BotocoreTransport(botocore_client(served), **tracing.spans.hooks()),
    ):
        tracing.exporter.clear()
        with transport, tracing.tracer.start_as_current_span("handler") as handler:
            story(served.user(transport=transport))
        assert told(tracing) == STORY
        assert {parent_of(span) for span in tracing.of_calls} == set(ids(handler))
        for span in tracing.of_calls:
            assert attributes(span)["server.address"] == "127.0.0.1"
            assert ("aws.request_id" in attributes(span)) == (span.name != "GET")
            assert "http.request.resend_count" not in attributes(span)


def botocore_client(world: World) -> Any:
    transport: Any = world.transport_of("botocore")
    return transport.client


def test_concurrent_tasks_have_their_own_parents(served: World, tracing: Tracing) -> None:
    async def one(number: int, transport: Any) -> int:
        with tracing.tracer.start_as_current_span(f"handler {number}") as handler:
            await served.async_user(transport=transport).authenticate(PASSWORD)
            return handler.get_span_context().span_id

    async def all_of_them(transport: Any) -> list[int]:
        try:
            return await asyncio.gather(*(one(number, transport) for number in range(8)))
        finally:
            await transport.close()

    options: Any = {"region": "us-east-1", "endpoint_url": served.url, **tracing.spans.hooks()}
    makes: list[Callable[[], Any]] = [
        lambda: AsyncHttpxTransport(**options),
        lambda: as_async(lambda: HttpsTransport(**options)),
    ]
    for make in makes:
        tracing.exporter.clear()
        handlers = asyncio.run(all_of_them(make()))
        for handler in handlers:
            children = [span.name for span in tracing.of_calls if parent_of(span) == handler]
            assert children == [
                "CognitoIdentityProvider.InitiateAuth",
                "CognitoIdentityProvider.RespondToAuthChallenge",
                "GET",
            ]
        assert len(tracing.of_calls) == 3 * len(handlers)
        assert len({span.context.trace_id for span in tracing.of_calls if span.context}) == len(handlers)


def test_concurrent_threads_have_their_own_parents(served: World, tracing: Tracing) -> None:
    handlers: list[int] = []

    def one(transport: HttpsTransport) -> None:
        with tracing.tracer.start_as_current_span("handler") as handler:
            served.user(transport=transport).authenticate(PASSWORD)
            handlers.append(handler.get_span_context().span_id)

    with HttpsTransport("us-east-1", served.url, **tracing.spans.hooks()) as transport:
        threads = [threading.Thread(target=one, args=(transport,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(parent_of(span) or 0 for span in tracing.of_calls) == sorted(handlers * 3)


def test_a_cancelled_call_ends_its_span(tracing: Tracing) -> None:
    asked, release = threading.Event(), threading.Event()

    def handle(_: Request, __: Any) -> bytes:
        asked.set()
        release.wait(30)
        return GOOD

    async def cancelled(url: str) -> None:
        async with AsyncHttpxTransport("us-east-1", url, **tracing.spans.hooks()) as transport:
            with tracing.tracer.start_as_current_span("handler"):
                task = asyncio.ensure_future(transport.call(READ))
                await asyncio.to_thread(asked.wait, 30)
                assert tracing.ended == []
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                (span,) = tracing.ended
                assert attributes(span)["error.type"] == span.status.description == "CancelledError"
                release.set()
                await transport.call(READ)

    with LoopbackServer(handle) as server:
        try:
            asyncio.run(cancelled(server.url))
        finally:
            release.set()
    cut, good, handler = tracing.ended
    assert parent_of(cut) == parent_of(good) == (handler.context and handler.context.span_id)


def test_a_cancelled_call_in_a_thread_ends_its_span_when_the_thread_does(tracing: Tracing) -> None:
    asked, release = threading.Event(), threading.Event()

    def handle(_: Request, __: Any) -> bytes:
        asked.set()
        release.wait(30)
        return GOOD

    async def cancelled(url: str) -> None:
        transport: Any = as_async(lambda: HttpsTransport("us-east-1", url, **tracing.spans.hooks()))
        task = asyncio.ensure_future(transport.call(READ))
        await asyncio.to_thread(asked.wait, 30)
        task.cancel()
        # The thread cannot be stopped, and may be waited for: nothing here depends on which.
        asyncio.get_running_loop().call_later(0.05, release.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.get_running_loop().shutdown_default_executor()
        transport.close_now()

    with LoopbackServer(handle) as server:
        try:
            asyncio.run(cancelled(server.url))
        finally:
            release.set()
    (span,) = tracing.ended
    assert attributes(span)["http.response.status_code"] == 200


# The hooks themselves


def test_a_span_that_was_never_started_is_not_ended(tracing: Tracing) -> None:
    event = RequestEvent("GetUser", "127.0.0.1", 1)
    tracing.spans.on_response(ResponseEvent(event, 0.1, 200))
    assert tracing.ended == []


def test_the_global_provider_is_the_default_and_may_be_set_later() -> None:
    spans = OpenTelemetry()
    event = RequestEvent("GetUser", "127.0.0.1", 1)
    # Nobody has set a provider: the API's own spans record nothing.
    spans.on_request(event)
    assert not event.notes["span"].is_recording()
    spans.on_response(ResponseEvent(event, 0.1, 200))
    assert event.notes == {}


def test_several_transports_may_share_hooks(tracing: Tracing) -> None:
    first, second = RequestEvent("GetUser", "a", 1), RequestEvent("SignUp", "b", 1)
    tracing.spans.on_request(first)
    tracing.spans.on_request(second)
    tracing.spans.on_response(ResponseEvent(first, 0.1, 200))
    tracing.spans.on_response(ResponseEvent(second, 0.1, None, None, "TransportTimeout"))
    assert [(span.name, span.status.status_code) for span in tracing.ended] == [
        ("CognitoIdentityProvider.GetUser", StatusCode.UNSET),
        ("CognitoIdentityProvider.SignUp", StatusCode.ERROR),
    ]
