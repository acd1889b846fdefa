"""The attempts of a call over real sockets: how often it is sent, its deadline, its events and its log."""

from __future__ import annotations

import contextvars
import json
import logging
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, ClassVar

import pytest

from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Operation, Reply
from srpcore_transports import http_connection
from srpcore_transports.attempts import Attempts, Pause
from srpcore_transports.credentials import Credentials
from srpcore_transports.deadline import time_limit
from srpcore_transports.events import RequestEvent, ResponseEvent
from srpcore_transports.https import HttpsTransport
from support.loopback import Drop, LoopbackServer, Request, answer, chunked, tls
from support.ports import reserved_port

READ = Operation("GetUser", {"AccessToken": "a-secret-token"})
ONCE = Operation("RespondToAuthChallenge", {"Session": "a-secret-session"})
SIGNED = Operation("AdminGetUser", {"UserPoolId": "eu-west-1_AbCd12345", "Username": "zoë"})
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI")


def error(code: str, status: int, **headers: str) -> bytes:
    return answer(json.dumps({"__type": code, "message": "m"}).encode(), status, **headers)


THROTTLED = error("TooManyRequestsException", 400)
BROKEN = error("InternalErrorException", 500)
PAGE = answer(b"<html>", 503, Retry_After="3")
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{"
GOOD = answer(b'{"Username":"zo"}', x_amzn_RequestId="an-id")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which nobody sits out."""
    slept: list[float] = []
    monkeypatch.setattr("srpcore_transports.attempts.time.sleep", slept.append)
    return slept


class Script:
    """A server that gives the *answers* one after the other, None for none, and the last one from then on."""

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = [*answers]
        self.server = LoopbackServer(self.handle)

    def handle(self, _: Request, __: Any) -> bytes:
        response = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if response is None:
            raise Drop
        return response

    def __enter__(self) -> Script:
        self.server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.__exit__()

    def transport(self, **options: Any) -> HttpsTransport:
        return HttpsTransport("eu-west-1", self.server.url, KEYS, **{"timeout": 10, **options})

    @property
    def count(self) -> int:
        return len(self.server.requests)


def fetch(transport: HttpsTransport) -> Any:
    return json.loads(transport.fetch(f"{transport.endpoint_url}/keys"))


@pytest.mark.parametrize("fault", [answer(b"", 429), BROKEN, PAGE, CUT, None, error("Any", 502), answer(b"", 504)])
@pytest.mark.parametrize("do", [lambda it: it.call(READ).document, lambda it: it.call(SIGNED).document, fetch])
def test_repeatable_operations_are_sent_again(
    fault: bytes | None, do: Callable[[HttpsTransport], Any], pauses: list[float]
) -> None:
    with Script(fault, fault, GOOD) as script, script.transport() as transport:
        assert do(transport)["Username"] == "zo"
        assert script.count == 3
    assert len(pauses) == 2
    assert (min(pauses) >= 3) is (fault == PAGE)


@pytest.mark.parametrize("fault", [BROKEN, PAGE, CUT, None, error("Any", 502), answer(b"", 504)])
@pytest.mark.parametrize("name", ["SignUp", "ConfirmForgotPassword", "RespondToAuthChallenge", "AdminCreateUser"])
def test_other_operations_are_sent_once(fault: bytes | None, name: str, pauses: list[float]) -> None:
    with Script(fault, GOOD) as script, script.transport() as transport:
        with suppress(TransportError):
            assert transport.call(Operation(name, {})).error is not None
        assert script.count == 1
    assert pauses == []


def test_throttled_operations_of_every_kind_are_sent_again(pauses: list[float]) -> None:
    with Script(THROTTLED, answer(b"slow down", 429), GOOD) as script, script.transport() as transport:
        assert transport.call(Operation("SignUp", {})).error is None
        assert script.count == 3


def test_the_answer_to_the_last_attempt_is_returned(pauses: list[float]) -> None:
    with Script(THROTTLED) as script, script.transport(max_attempts=4) as transport:
        reply = transport.call(READ)
        assert reply.error == {"Code": "TooManyRequestsException", "Message": "m"}
        assert script.count == 4
    assert len(pauses) == 3


def test_the_failure_of_the_last_attempt_is_raised(pauses: list[float]) -> None:
    with Script(None) as script, script.transport() as transport:
        with pytest.raises(TransportError, match="closed without an answer"):
            transport.call(READ)
        assert script.count == 3


def test_a_refused_connection_is_tried_again(pauses: list[float]) -> None:
    with (
        reserved_port() as port,
        HttpsTransport("eu-west-1", f"http://127.0.0.1:{port}") as transport,
        pytest.raises(TransportError) as raised,
    ):
        transport.call(ONCE)
    # Nothing can have arrived, so that even this may be tried again.
    assert not raised.value.may_have_arrived
    assert len(pauses) == 2


def test_each_attempt_has_its_own_signature(pauses: list[float]) -> None:
    asked: list[int] = []

    def provider() -> Credentials:
        asked.append(1)
        return Credentials(f"AKID{len(asked)}", "secret")

    with (
        Script(BROKEN, GOOD) as script,
        HttpsTransport("eu-west-1", script.server.url, provider, timeout=10) as transport,
    ):
        transport.call(SIGNED)
        keys = [request.headers["authorization"].split("Credential=")[1][:5] for request in script.server.requests]
    assert keys == ["AKID1", "AKID2"]


def test_bad_input_is_refused_before_the_first_attempt(pauses: list[float]) -> None:
    with Script(GOOD) as script, script.transport() as transport:
        with pytest.raises(ConfigurationError):
            transport.call(Operation("GetUser", {"AccessToken": object()}))
        assert script.count == 0


def test_a_pause_beyond_the_deadline_is_not_made(pauses: list[float]) -> None:
    slow = error("ThrottlingException", 429, Retry_After="21")
    with Script(slow, GOOD) as script, script.transport() as transport:
        assert transport.call(READ).status == 429
        assert script.count == 1
    patient = error("ThrottlingException", 429, Retry_After="19")
    with Script(patient, GOOD) as script, script.transport(total_timeout=15) as transport:
        # It would end after the call's own time.
        assert transport.call(READ).status == 429
        assert script.count == 1
    assert pauses == []


def test_all_calls_share_the_retry_quota_and_successes_refill_it(pauses: list[float]) -> None:
    with Script(BROKEN) as script, script.transport() as transport:
        for _ in range(20):
            transport.call(READ)
        # 500 units at 14 each are 35 retries beside the 20 first attempts.
        assert script.count == 20 + 35
        script.answers = [GOOD]
        for _ in range(14):
            transport.call(READ)
        script.answers = [BROKEN, GOOD]
        assert transport.call(READ).error is None
        # The retry that helped gave its cost back.
        script.answers = [BROKEN, GOOD]
        assert transport.call(READ).error is None


# Deadlines


class Dripping:
    """A server that sends its answer byte by byte, each in time, and would take a minute for all of it."""

    def __init__(self) -> None:
        self.sent = 0
        self.server = LoopbackServer(self.handle)

    def handle(self, _: Request, connection: Any) -> bytes:
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n" + b" " * 600:
            connection.sendall(bytes([byte]))
            self.sent += 1
            time.sleep(0.1)
        return b""


@pytest.mark.slow
def test_a_slow_response_ends_at_the_deadline() -> None:
    dripping = Dripping()
    with (
        dripping.server,
        HttpsTransport("eu-west-1", dripping.server.url, read_timeout=30, total_timeout=0.5) as transport,
        pytest.raises(TransportTimeout),
    ):
        transport.call(READ)
    assert 0 < dripping.sent < 300
    assert len(dripping.server.requests) == 1


@pytest.mark.slow
def test_a_time_limit_applies_to_all_calls_inside() -> None:
    dripping = Dripping()
    with dripping.server, HttpsTransport("eu-west-1", dripping.server.url, read_timeout=30) as transport:
        with time_limit(0.5), time_limit(50), pytest.raises(TransportTimeout):
            transport.fetch(dripping.server.url + "/keys")
        assert 0 < dripping.sent < 300
        with time_limit(0.01):
            time.sleep(0.02)
            with pytest.raises(TransportTimeout, match="over"):
                transport.call(READ)
        assert len(dripping.server.requests) == 1


def test_a_time_limit_ends_with_its_block() -> None:
    with Script(GOOD) as script, script.transport() as transport:
        with time_limit(1e-9):
            pass
        assert transport.call(READ).error is None


def test_a_thread_with_the_copied_context_has_the_time_limit() -> None:
    caught: list[Exception] = []

    def work() -> None:
        try:
            transport.call(READ)
        except TransportTimeout as error:
            caught.append(error)

    with Script(GOOD) as script, script.transport() as transport, time_limit(1e-9):
        thread = Thread(target=contextvars.copy_context().run, args=(work,))
        thread.start()
        thread.join()
        assert script.count == 0
    assert len(caught) == 1


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "1", None, True])
def test_an_invalid_time_limit_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigurationError), time_limit(seconds):
        pass


# What is told


def test_hooks_get_an_event_for_each_attempt_without_secrets(pauses: list[float]) -> None:
    told: list[Any] = []
    with (
        Script(THROTTLED, None, None, GOOD) as script,
        script.transport(on_request=told.append, on_response=told.append) as transport,
    ):
        transport.call(READ)
    requests, responses = told[::2], told[1::2]
    assert all(isinstance(event, RequestEvent) for event in requests)
    assert [(event.operation, event.host, event.attempt) for event in requests] == [
        ("GetUser", "127.0.0.1", attempt) for attempt in (1, 2, 3)
    ]
    assert [event.request for event in responses] == requests
    assert [(event.status, event.error, event.request_id, event.will_retry) for event in responses] == [
        (400, "TooManyRequestsException", None, True),
        (None, "Unanswered", None, True),
        (200, None, "an-id", False),
    ]
    assert all(event.seconds >= 0 for event in responses)
    assert "secret" not in repr(told)


def test_a_call_without_hooks_makes_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr("srpcore_transports.events.RequestEvent", lambda *values: made.append(values))
    with Script(GOOD) as script, script.transport() as transport:
        assert transport.call(READ).error is None
    assert made == []


def test_an_error_reply_may_have_been_processed_even_if_the_retry_is_not_sent() -> None:
    steps = Attempts(max_attempts=2, total_timeout=600, on_request=None, on_response=None).steps(READ, "localhost")
    next(steps)
    failed = Reply({"Error": {"Code": "InternalErrorException"}, "ResponseMetadata": {"HTTPStatusCode": 500}})
    assert isinstance(steps.send(failed), Pause)
    steps.send(None)
    with pytest.raises(TransportError) as raised:
        steps.throw(TransportError("the connection was refused", may_have_arrived=False, transient=True))
    assert raised.value.may_have_arrived


def test_an_exception_of_a_hook_does_not_lose_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    def hook(event: Any) -> None:
        raise RuntimeError("the hook's own trouble")

    with Script(GOOD) as script, script.transport(on_request=hook, on_response=hook) as transport:
        assert transport.call(ONCE).document["Username"] == "zo"
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "on_request or on_response raised an exception; the call continues"
    ] * 2


def test_a_hook_that_cannot_be_called_is_refused() -> None:
    wrong: Any = "print"
    for name in ("on_request", "on_response"):
        with pytest.raises(ConfigurationError, match=name):
            HttpsTransport("eu-west-1", **{name: wrong})


def test_an_interrupted_call_has_an_event(pauses: list[float]) -> None:
    told: list[ResponseEvent] = []

    def provider() -> Credentials:
        raise KeyboardInterrupt

    with (
        Script(GOOD) as script,
        HttpsTransport("eu-west-1", script.server.url, provider, on_response=told.append) as transport,
    ):
        with pytest.raises(KeyboardInterrupt):
            transport.call(SIGNED)
        assert [(event.error, event.will_retry) for event in told] == [("KeyboardInterrupt", False)]
        assert script.count == 0


def test_the_log_has_the_request_and_the_response(caplog: pytest.LogCaptureFixture, pauses: list[float]) -> None:
    with caplog.at_level(logging.DEBUG, "srpcore"), Script(BROKEN, GOOD) as script, script.transport() as transport:
        transport.call(READ)
        transport.fetch(script.server.url + "/a-secret-path")
    text = caplog.text
    assert "GetUser to 127.0.0.1, attempt 1: InternalErrorException, HTTP status 500" in text
    assert "GetUser to 127.0.0.1, attempt 2: answered, HTTP status 200, request id an-id" in text
    assert "again in 0.0" in text
    assert "GET to 127.0.0.1, attempt 1: answered" in text
    assert "secret" not in text
    assert {record.name for record in caplog.records} == {"srpcore"}


def test_nothing_is_logged_by_default(capfd: pytest.CaptureFixture[str]) -> None:
    with Script(None) as script, script.transport(max_attempts=1) as transport, pytest.raises(TransportError):
        transport.call(READ)
    assert capfd.readouterr() == ("", "")


# TLS sessions


def test_a_tls_session_is_resumed(bundle: str) -> None:
    reused: list[bool] = []

    def handler(request: Request, connection: Any) -> bytes:
        assert isinstance(connection, ssl.SSLSocket)
        reused.append(bool(connection.session_reused))
        return chunked(b"{}")

    with (
        LoopbackServer(handler, tls("localhost")) as server,
        HttpsTransport("eu-west-1", server.url, ca_bundle=bundle) as transport,
    ):
        for _ in range(3):
            transport.call(READ)
            server.drop_connections()
    assert reused == [False, True, True]


# What may have arrived


def test_may_have_arrived_covers_earlier_attempts(pauses: list[float]) -> None:
    with Script(None) as script, script.transport() as transport:
        script.server.stop_listening_after(1)
        with pytest.raises(TransportError) as raised:
            transport.call(READ)
        assert script.count == 1
    assert raised.value.may_have_arrived


def test_may_have_arrived_is_true_after_a_lost_reused_connection(pauses: list[float]) -> None:
    with Script(GOOD, None) as script, script.transport(max_attempts=1) as transport:
        transport.call(READ)
        script.server.stop_listening_after(2)
        with pytest.raises(TransportError) as raised:
            transport.call(READ)
        assert script.count == 2
    assert raised.value.may_have_arrived


def test_nothing_is_sent_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        Script(answer(b"", 500)) as metadata,
        Script(GOOD) as script,
        HttpsTransport("eu-west-1", script.server.url) as transport,
    ):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", metadata.server.url)
        with pytest.raises(TransportError) as raised:
            transport.call(SIGNED)
        assert metadata.count == 1
        assert script.count == 0
    assert not raised.value.may_have_arrived


@pytest.mark.slow
def test_the_deadline_of_the_call_ends_the_search_for_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    dripping = Dripping()
    with dripping.server, Script(GOOD) as script, HttpsTransport("eu-west-1", script.server.url) as transport:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", dripping.server.url)
        monkeypatch.setattr("srpcore_transports.credentials.metadata.CONTAINER_SECONDS", 60)
        with time_limit(0.5), pytest.raises(TransportTimeout) as raised:
            transport.call(SIGNED)
        assert script.count == 0
    assert 0 < dripping.sent < 300
    assert not raised.value.may_have_arrived


class TimedSocket(socket.socket):
    """A socket that connects nowhere, and tells for how long it would try."""

    waits: ClassVar[list[float]] = []

    def connect(self, _: Any) -> None:
        wait = self.gettimeout()
        assert wait is not None
        self.waits.append(wait)
        raise TimeoutError


def test_all_addresses_of_a_host_share_one_connect_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    TimedSocket.waits.clear()
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in range(1, 7)]
    monkeypatch.setattr("srpcore_transports.http_connection.getaddrinfo", lambda *_, **__: places)
    monkeypatch.setattr("srpcore_transports.http_connection.socket", TimedSocket)
    with (
        HttpsTransport(
            "eu-west-1", "http://127.0.0.1:1", connect_timeout=600, total_timeout=600, max_attempts=1
        ) as transport,
        pytest.raises(TransportTimeout) as raised,
    ):
        transport.call(READ)
    assert not raised.value.may_have_arrived
    # Nobody waited here, so that each had an equal part, or more, of what was left.
    assert len(TimedSocket.waits) == 6
    assert 90 < TimedSocket.waits[0] <= 100
    assert TimedSocket.waits == sorted(TimedSocket.waits)
    assert TimedSocket.waits[-1] <= 600


@pytest.mark.slow
def test_a_silent_address_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent, Script(GOOD) as script:
        place, other = silent.getsockname(), ("127.0.0.1", script.server.port)
        waiting = [socket.socket() for _ in range(4)]
        try:
            for sock in waiting:  # until nobody is let into the queue any more
                sock.setblocking(False)
                sock.connect_ex(place)
            monkeypatch.setattr(
                "srpcore_transports.http_connection.getaddrinfo",
                lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", to) for to in (place, other)],
            )
            with script.transport(connect_timeout=3, max_attempts=1) as transport:
                assert transport.call(READ).document["Username"] == "zo"
        finally:
            for sock in waiting:
                sock.close()


def test_the_second_address_is_used_if_the_first_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with reserved_port() as closed, Script(GOOD) as script, script.transport() as transport:
        refusing = ("127.0.0.1", closed)
        monkeypatch.setattr(
            "srpcore_transports.http_connection.getaddrinfo",
            lambda *_, **__: [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", to) for to in (refusing, ("127.0.0.1", script.server.port))
            ],
        )
        assert transport.call(READ).document["Username"] == "zo"


def test_the_handshake_gets_the_rest_of_the_connect_timeout(bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = http_connection._connect
    waits: list[float] = []

    def slowly(*arguments: Any) -> socket.socket:
        time.sleep(0.3)
        sock = connect(*arguments)
        sock.settimeout(60)
        return sock

    def wrap(context: ssl.SSLContext, sock: socket.socket, **named: Any) -> ssl.SSLSocket:
        waits.append(sock.gettimeout() or 0)
        return real(context, sock, **named)

    real = ssl.SSLContext.wrap_socket
    with (
        LoopbackServer(lambda *_: GOOD, tls("localhost")) as server,
        HttpsTransport("eu-west-1", server.url, ca_bundle=bundle, connect_timeout=20) as transport,
    ):
        monkeypatch.setattr(http_connection, "_connect", slowly)
        context = transport._tls().context
        monkeypatch.setattr(context, "wrap_socket", partial(wrap, context))
        transport.call(READ)
    assert len(waits) == 1
    assert 0 < waits[0] <= 19.7
