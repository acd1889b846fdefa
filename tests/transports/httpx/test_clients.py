"""A client of the user's own under the transports over httpx: used, never closed, and its ways kept out of the requests."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import httpx
import pytest

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Operation, Reply
from srpcore_transports.deadline import time_limit
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from support.loopback import Drop, Handler, LoopbackServer, Request, answer, authority, tls
from support.serving_aws import KEYS, SIGN_IN, echo, fixed

pytestmark = pytest.mark.usefixtures("bare_environment", "no_leaks")

SIGN_UP = Operation("SignUp", {"Username": "zoë"})


def context() -> Any:
    made = httpx.create_ssl_context(trust_env=False)
    authority().configure_trust(made)
    return made


Story = Callable[[Callable[[Operation], Reply], Any], None]


def over_own_client(url: str, story: Story, *, asynchronous: bool, options: dict[str, Any], **named: Any) -> None:
    """Run *story* with a transport over a new client of httpx's with *options*; the client is open at the end."""
    if not asynchronous:
        with httpx.Client(**options) as client:
            with HttpxTransport("eu-west-1", url, client=client, **named) as transport:
                story(transport.call, client)
            assert not client.is_closed
        return
    with asyncio.Runner() as runner:
        client_on_loop = httpx.AsyncClient(**options)
        transport_on_loop = AsyncHttpxTransport("eu-west-1", url, client=client_on_loop, **named)
        try:
            story(
                lambda operation: runner.run(transport_on_loop.call(operation), context=copy_context()), client_on_loop
            )
            runner.run(transport_on_loop.close())
            assert not client_on_loop.is_closed
        finally:
            runner.run(client_on_loop.aclose())


@pytest.fixture(params=[False, True], ids=["httpx", "httpx on a loop"])
def over(request: pytest.FixtureRequest) -> Callable[..., None]:
    def run(url: str, story: Story, options: dict[str, Any], **named: Any) -> None:
        over_own_client(url, story, asynchronous=request.param, options=options, **named)

    return run


def test_the_client_of_a_program_sends_the_request_unchanged(over: Callable[..., None]) -> None:
    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        client.cookies.set("mine", "secret", domain="localhost.local")
        assert call(SIGN_IN).document["AuthFlow"] == "USER_SRP_AUTH"
        assert call(SIGN_IN).status == 200

    own = {
        "verify": context(),
        "headers": {"X-Mine": "1", "User-Agent": "mine", "Authorization": "mine", "Accept-Encoding": "gzip"},
        "auth": ("alice", "secret"),
        "params": {"mine": "1"},
        "cookies": {"also": "mine"},
        "base_url": "https://elsewhere.invalid",
        "timeout": 1e-9,
        "follow_redirects": True,
    }
    with LoopbackServer(echo, tls("localhost")) as server:
        over(server.url, story, own)
    for request in server.requests:
        assert set(request.headers) == {
            "host", "content-type", "x-amz-target", "user-agent", "accept-encoding", "content-length"
        }  # fmt: skip
        assert request.target == "/"
        assert request.headers["user-agent"].startswith("srpcore/")
        assert request.connection == 0


def test_the_client_of_a_program_does_not_follow_redirects(over: Callable[..., None]) -> None:
    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        with pytest.raises(TransportError, match="redirects are not followed"):
            call(SIGN_IN)

    with LoopbackServer(echo) as other, LoopbackServer(fixed(answer(b"", 307, Location=other.url))) as server:
        over(server.url, story, {"follow_redirects": True})
    assert other.connections == 0


def test_the_trust_of_the_client_applies(over: Callable[..., None]) -> None:
    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        with pytest.raises(TransportError, match="certificate verification failed"):
            call(SIGN_IN)

    with LoopbackServer(echo, tls("localhost")) as server:
        over(server.url, story, {})


@pytest.mark.slow
def test_the_limits_of_the_client_apply_before_anything_is_sent(over: Callable[..., None]) -> None:
    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        with pytest.raises(TransportTimeout, match=r"no connection to 127\.0\.0\.1 was free") as caught:
            call(SIGN_UP)
        assert not caught.value.may_have_arrived

    with LoopbackServer(echo) as server:
        limits = httpx.Limits(max_connections=0)
        over(server.url, story, {"limits": limits}, connect_timeout=0.2, max_attempts=1)
    assert server.connections == 0


def drip(request: Request, connection: socket.socket) -> bytes:
    if request.headers["x-amz-target"].endswith(SIGN_IN.name):
        return answer()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    for _ in range(9999):
        connection.sendall(b" ")
        connection.settimeout(0.05)
        try:
            connection.recv(1)
        except TimeoutError:
            continue
        break
    raise Drop


@pytest.mark.slow
def test_the_deadline_applies_between_the_parts_of_a_response(over: Callable[..., None]) -> None:
    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        call(SIGN_IN)  # connects
        with time_limit(0.4), pytest.raises(TransportTimeout, match="before the time limit of the call"):
            call(SIGN_UP)

    with LoopbackServer(drip) as server:
        over(server.url, story, {})


@pytest.mark.parametrize(
    ("handler", "arrived"), [(fixed(b"nonsense\r\nConnection: close\r\n\r\n"), True), (None, False)]
)
def test_may_have_arrived_is_right_over_the_client_of_a_program(
    over: Callable[..., None], handler: Handler | None, arrived: bool
) -> None:
    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        with pytest.raises(TransportError) as caught:
            call(SIGN_UP)
        assert caught.value.may_have_arrived is arrived

    with LoopbackServer(handler or echo) as server:
        url = server.url if handler else "http://127.0.0.1:1"
        over(url, story, {}, max_attempts=1)


@pytest.mark.parametrize(
    ("raised", "kind", "arrived"),
    [
        (httpx.ReadError("hunter2"), TransportError, True),
        (httpx.ReadTimeout("hunter2"), TransportTimeout, True),
        (httpx.ConnectError("hunter2"), TransportError, False),
        (httpx.ConnectTimeout("hunter2"), TransportTimeout, False),
        (httpx.WriteError("hunter2"), TransportError, False),
        (httpx.WriteTimeout("hunter2"), TransportTimeout, False),
        (httpx.PoolTimeout("hunter2"), TransportTimeout, False),
        (httpx.ProxyError("503 hunter2"), TransportError, False),
        (httpx.RemoteProtocolError("hunter2"), TransportError, True),
        (httpx.UnsupportedProtocol("hunter2"), ConfigurationError, None),
        (httpx.TooManyRedirects("hunter2"), TransportError, True),
        (OSError(5, "Input/output error"), TransportError, True),
    ],
)
def test_a_transport_without_trace_events_reports_what_may_have_been_processed(
    over: Callable[..., None], raised: Exception, kind: type[Exception], arrived: bool | None
) -> None:
    # Without word of how far the request got, it counts as arrived, unless the exception says otherwise.
    def fail(request: httpx.Request) -> httpx.Response:
        raise raised

    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        with pytest.raises(kind) as caught:
            call(SIGN_UP)
        assert isinstance(caught.value, kind)
        assert isinstance(caught.value, TransportTimeout) is issubclass(kind, TransportTimeout)
        assert getattr(caught.value, "may_have_arrived", None) is arrived
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__

    over("https://localhost:1", story, {"transport": httpx.MockTransport(fail)}, max_attempts=1)


def test_the_error_names_one_of_several_addresses(over: Callable[..., None]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        several = [ConnectionRefusedError(111, "Connection refused"), OSError(101, "Network is unreachable")]
        raise httpx.ConnectError("hunter2") from ExceptionGroup("all failed", several)

    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        with pytest.raises(TransportError, match=r"connecting to localhost:\d+: Connection refused"):
            call(SIGN_UP)

    over("https://localhost:1", story, {"transport": httpx.MockTransport(fail)}, max_attempts=1)


def test_a_transport_of_the_program_can_answer(over: Callable[..., None]) -> None:
    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        assert call(SIGN_UP).document["Session"] == "s"

    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"Session": "s"})

    over("https://localhost:1", story, {"transport": httpx.MockTransport(respond)}, credentials=KEYS)
    assert seen[0].headers["x-amz-target"].endswith("SignUp")


def test_exceptions_of_its_hooks_propagate(over: Callable[..., None]) -> None:
    class OfTheHook(Exception):
        pass

    def story(call: Callable[[Operation], Reply], client: Any) -> None:
        hook: Any = fail_on_loop if isinstance(client, httpx.AsyncClient) else fail
        client.event_hooks = {"response": [hook]}
        with pytest.raises(OfTheHook):
            call(SIGN_UP)
        client.event_hooks = {}
        assert call(SIGN_UP).status == 200

    def fail(_: object) -> None:
        raise OfTheHook

    async def fail_on_loop(_: object) -> None:
        raise OfTheHook

    with LoopbackServer(echo) as server:
        over(server.url, story, {})


def test_a_client_that_is_closed_is_refused() -> None:
    client = httpx.Client()
    client.close()
    with pytest.raises(ConfigurationError, match="is closed"):
        HttpxTransport("eu-west-1", "https://localhost:1", client=client).call(SIGN_IN)

    async def story() -> None:
        on_loop = httpx.AsyncClient()
        await on_loop.aclose()
        with pytest.raises(ConfigurationError, match="is closed"):
            await AsyncHttpxTransport("eu-west-1", "https://localhost:1", client=on_loop).call(SIGN_IN)

    asyncio.run(story())


def test_a_client_of_the_other_kind_is_refused() -> None:
    with httpx.Client() as client, pytest.raises(ConfigurationError, match=r"httpx\.AsyncClient"):
        AsyncHttpxTransport("eu-west-1", client=client)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"httpx\.Client"):
        HttpxTransport("eu-west-1", client=httpx.AsyncClient())  # type: ignore[arg-type]


def test_a_ca_bundle_beside_a_client_is_refused() -> None:
    with httpx.Client() as client, pytest.raises(ConfigurationError, match="ca_bundle"):
        HttpxTransport("eu-west-1", client=client, ca_bundle="bundle.pem")
