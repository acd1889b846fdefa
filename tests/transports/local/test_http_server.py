"""The HTTP server: connections that are slow, idle, broken or in a hurry, and how it ends."""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from srpcore_transports.local import LocalServer, LocalUserPool, UserPool
from srpcore_transports.local.http import event_loop, sockets, workers
from srpcore_transports.local.http.request_reader import BODY_LIMIT
from srpcore_transports.local.operations import dispatch
from support.waiting import wait_until

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

TARGET = "AWSCognitoIdentityProviderService."


@pytest.fixture
def pool() -> LocalUserPool:
    return UserPool()


@pytest.fixture
def server(pool: LocalUserPool) -> Iterator[LocalServer]:
    with pool.serve() as server:
        yield server


def connect(server: LocalServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=10)


def request(operation: str = "GetUser", body: bytes = b"{}", more: str = "", method: str = "POST") -> bytes:
    lines = [f"{method} / HTTP/1.1", "Host: localhost", f"X-Amz-Target: {TARGET}{operation}"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", f"{more}\r\n"]).encode() + body


def read(sock: socket.socket, method: str = "POST") -> tuple[int, dict[str, str], Any]:
    """Return status, headers and document of the next response."""
    with http.client.HTTPResponse(sock, method=method) as response:
        response.begin()
        body = response.read()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, json.loads(body) if body else None


def exchange(server: LocalServer, data: bytes, method: str = "POST") -> tuple[int, dict[str, str], Any]:
    with connect(server) as sock:
        sock.sendall(data)
        return read(sock, method)


def rest(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65_536), b""))


class Slow:
    """Makes the handlers of all operations wait for *release*."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started, self.release, self.calls = threading.Event(), threading.Event(), 0
        monkeypatch.setattr(dispatch, "answer", self._answer)

    def _answer(self, *_: object) -> dispatch.Response:
        self.calls += 1
        self.started.set()
        self.release.wait(10)
        return dispatch.Response(200, {"content-length": "0"}, b"")


def send_for_ever(sock: socket.socket, data: bytes) -> None:
    while True:
        sock.sendall(data)


class TestRequests:
    def test_two_lengths_are_refused_and_the_connection_is_closed(self, server: LocalServer) -> None:
        with connect(server) as sock:
            sock.sendall(request(more="Content-Length: 40\r\n") + request())
            answer = rest(sock)
        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"\r\nconnection: close\r\n" in answer
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b'"message":"The request is not valid HTTP: it contains the length of its body twice."' in answer

    def test_an_invalid_request_after_a_valid_one_is_refused(self, server: LocalServer) -> None:
        with connect(server) as sock:
            sock.sendall(request())
            assert read(sock)[0] == 400
            sock.sendall(b"\x16\x03\x01")
            assert rest(sock).startswith(b"HTTP/1.1 400 Bad Request\r\n")

    def test_a_chunked_body_is_read(self, server: LocalServer) -> None:
        head = request().partition(b"Content-Length")[0]
        for body, error in ((b"{}", "InvalidParameterException"), (b"[]", "SerializationException")):
            chunks = b"Transfer-Encoding: chunked\r\n\r\n1\r\n%c\r\n1\r\n%c\r\n0\r\n\r\n" % (*body,)
            assert exchange(server, head + chunks)[2]["__type"] == error

    @pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
    def test_other_methods_are_refused(self, server: LocalServer, method: str) -> None:
        with connect(server) as sock:
            sock.sendall(request(method=method))
            status, headers, document = read(sock, method)
            assert (status, headers["allow"]) == (405, "GET, OPTIONS, POST")
            assert (document is None) == (method == "HEAD")
            # The connection is kept.
            sock.sendall(request())
            assert read(sock)[0] == 400

    def test_the_response_to_head_has_no_body(self, server: LocalServer) -> None:
        with connect(server) as sock:
            sock.sendall(request(method="HEAD", more="Connection: close\r\n"))
            assert rest(sock).endswith(b"\r\n\r\n")

    def test_pipelined_requests_are_answered_in_order(self, pool: LocalUserPool, server: LocalServer) -> None:
        key_set = f"GET /{pool.user_pool_id}/.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        with connect(server) as sock:
            sock.sendall((request("MakeCoffee") + key_set) * 5 + request(more="Connection: close\r\n") + request())
            answers = rest(sock)
        statuses = re.findall(rb"HTTP/1.1 (\d+) ", answers)
        assert statuses == [b"400", b"200"] * 5 + [b"400"]
        assert answers.count(b"connection: close") == 1

    def test_a_response_is_sent_in_one_piece(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
        sent: list[bytes] = []
        send = sockets.send

        def record(sock: socket.socket, data: bytes | memoryview) -> int | None:
            sent.append(bytes(data))
            return send(sock, data)

        monkeypatch.setattr(event_loop, "send", record)
        assert exchange(server, request())[0] == 400
        assert sent[0].startswith(b"HTTP/1.1 400")
        assert sent[0].endswith(b"}")
        assert not any(sent[1:])

    def test_a_response_that_is_larger_than_the_buffers_arrives(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body = json.dumps("x" * 20_000_000).encode()
        response = dispatch.Response(200, {"content-length": str(len(body))}, body)
        monkeypatch.setattr(dispatch, "answer", lambda *_: response)
        with connect(server) as sock:
            for more in ("", "", "Connection: close\r\n"):
                sock.sendall(request(more=more))
                assert read(sock)[2] == json.loads(body)
            assert rest(sock) == b""

    def test_the_refusal_of_a_long_body_arrives_while_the_client_sends(self, server: LocalServer) -> None:
        data = request(body=b"x" * (BODY_LIMIT + 1))
        with connect(server) as sock:
            sock.sendall(data[:1000])
            assert sock.recv(1, socket.MSG_PEEK)
            for start in range(1000, len(data), 100_000):
                sock.sendall(data[start : start + 100_000])  # raises an exception if the connection was reset
                time.sleep(0.001)
            assert read(sock)[0] == 413

    def test_continue_is_sent_on_a_kept_connection_too(self, server: LocalServer) -> None:
        data = request(more="Expect: 100-continue\r\n")
        with connect(server) as sock:
            for _ in range(2):
                sock.sendall(data[:-2])
                interim = b"HTTP/1.1 100 Continue\r\n\r\n"
                assert sock.recv(len(interim)) == interim
                sock.sendall(data[-2:])
                assert read(sock)[0] == 400

    def test_a_client_that_closes_its_side_gets_the_response(self, server: LocalServer) -> None:
        with connect(server) as sock:
            sock.sendall(request())
            sock.shutdown(socket.SHUT_WR)
            assert rest(sock).startswith(b"HTTP/1.1 400 ")


class TestTime:
    @pytest.fixture(autouse=True)
    def hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(event_loop, "_SWEEP_SECONDS", 0.02)

    @pytest.mark.parametrize("data", [b"P", request()[:-1]])
    def test_a_request_that_is_not_completed_is_refused(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch, data: bytes
    ) -> None:
        monkeypatch.setattr(event_loop, "_REQUEST_SECONDS", 0.1)
        assert exchange(server, data)[0] == 408

    def test_bytes_do_not_put_off_the_end(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(event_loop, "_REQUEST_SECONDS", 0.1)
        with connect(server) as sock, contextlib.suppress(OSError):
            for byte in request(more="X-Slow: " + "x" * 10_000):
                sock.sendall(bytes([byte]))
                sock.settimeout(0.01)
                with contextlib.suppress(TimeoutError):
                    assert sock.recv(100).startswith(b"HTTP/1.1 408 ")
                    return
        raise AssertionError("the request was not refused")

    def test_an_idle_connection_is_closed(self, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
        answer = dispatch.answer

        def hurry(*arguments: Any) -> dispatch.Response:
            # Not sooner: on a busy machine, the client may need longer than that to send the request.
            monkeypatch.setattr(event_loop, "_IDLE_SECONDS", 0.1)
            return answer(*arguments)

        monkeypatch.setattr(dispatch, "answer", hurry)
        with connect(server) as used:
            used.sendall(request())
            assert read(used)[0] == 400
            assert rest(used) == b""
        with connect(server) as new:
            assert rest(new) == b""

    def test_a_client_that_does_not_read_is_closed(
        self, pool: LocalUserPool, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_loop, "_WRITE_SECONDS", 0.1)
        key_set = f"GET /{pool.user_pool_id}/.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        with connect(server) as sock, pytest.raises(ConnectionError):
            send_for_ever(sock, key_set * 1000)

    def test_a_client_that_sends_on_after_a_refusal_is_closed(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_loop, "_DRAIN_SECONDS", 0.1)
        with connect(server) as sock, pytest.raises(ConnectionError):
            send_for_ever(sock, b"\x16" * 1000)

    def test_the_server_goes_on_after_it_had_too_many_files(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        accept, attempts = socket.socket.accept, list[float]()

        def failing(sock: socket.socket) -> Any:
            attempts.append(time.monotonic())
            if attempts[-1] < attempts[0] + 0.3:
                raise OSError(errno.EMFILE, "Too many open files")
            return accept(sock)

        monkeypatch.setattr(socket.socket, "accept", failing)
        assert exchange(server, request())[0] == 400
        assert 1 < len(attempts) < 50, "the loop tries again and again without a pause"

    def test_the_server_goes_on_after_no_thread_could_be_started(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        start, failures = threading.Thread.start, [RuntimeError("can't start new thread")] * 3

        def failing(thread: threading.Thread) -> None:
            if failures:
                raise failures.pop()
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", failing)
        for _ in range(2):
            assert exchange(server, request())[0] == 400
        assert not failures

    def test_code_that_a_handler_calls_may_call_the_server(
        self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "_PER_CORE", 1)
        monkeypatch.setattr(os, "cpu_count", lambda: 1)
        before = threading.active_count()
        with pool.serve() as server:

            def call_back(*_: object) -> dispatch.Response:
                with urlopen(f"{server.url}/{pool.user_pool_id}/.well-known/jwks.json", timeout=10) as response:
                    return dispatch.Response(response.status, {"content-length": "0"}, b"")

            monkeypatch.setattr(dispatch, "answer", call_back)
            assert exchange(server, request())[0] == 200
            # The loop and one worker: the thread that helped has ended.
            wait_until(lambda: threading.active_count() <= before + 2)


class TestThreads:
    @pytest.mark.parametrize("limit", [None, 8])
    def test_many_handlers_may_wait_for_calls_of_the_server(
        self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch, limit: int | None
    ) -> None:
        monkeypatch.setattr(event_loop, "_RELIEF_SECONDS", 0.01)
        if limit is not None:
            monkeypatch.setattr(workers, "_MAX_WITH_RELIEF", limit)
        monkeypatch.setattr(workers, "_PER_CORE", 2)
        monkeypatch.setattr(os, "cpu_count", lambda: 1)
        waiting: list[None] = []
        inner: list[int] = []
        all_wait = threading.Event()
        with pool.serve() as server, contextlib.ExitStack() as stack:
            key_set = f"GET /{pool.user_pool_id}/.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

            def call_back(*_: object) -> dispatch.Response:
                waiting.append(None)
                if len(waiting) >= (limit or 80):
                    all_wait.set()
                all_wait.wait(10)
                inner.append(exchange(server, key_set, "GET")[0])
                return dispatch.Response(200, {"content-length": "0"}, b"")

            monkeypatch.setattr(dispatch, "answer", call_back)
            found = [stack.enter_context(connect(server)) for _ in range(80)]
            for sock in found:
                sock.sendall(request())
            outer = [read(sock)[0] for sock in found]
            if limit is None:
                assert set(outer) == set(inner) == {200}
            else:
                assert 200 in outer
                assert 503 in inner
                assert set(outer) <= {200, 400}
            # It goes on as before.
            assert exchange(server, key_set, "GET")[0] == 200

    def test_handlers_that_wait_a_little_get_more_threads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workers, "_PER_CORE", 3)
        monkeypatch.setattr(os, "cpu_count", lambda: 1)
        begun: list[int] = []
        go_on = threading.Semaphore(0)

        def wait(item: int) -> None:
            begun.append(item)
            go_on.acquire()

        some = workers.Workers(wait)
        try:
            for item in range(12):
                some.submit(item)
            wait_until(lambda: len(begun) == 3)
            assert some.relieve() == []  # the three threads have begun since the last call
            assert len(begun) == 3
            go_on.release(2)
            wait_until(lambda: len(begun) == 5)
            assert some.relieve() == []  # but these were only two
            wait_until(lambda: len(begun) == 8)
        finally:
            go_on.release(12)
            some.close()

    def test_idle_connections_need_no_thread(self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(event_loop, "_RELIEF_SECONDS", 60)
        monkeypatch.setattr(workers, "_MAX_THREADS", 3)
        before = threading.active_count()
        with pool.serve() as server, contextlib.ExitStack() as stack:
            idle = [stack.enter_context(connect(server)) for _ in range(20)]
            for _ in range(2):
                for sock in idle:
                    sock.sendall(request())
                assert {read(sock)[0] for sock in idle} == {400}
            assert threading.active_count() <= before + 4

    def test_a_slow_handler_does_not_stop_others(
        self, pool: LocalUserPool, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slow = Slow(monkeypatch)
        with connect(server) as sock:
            sock.sendall(request())
            with urlopen(f"{server.url}/{pool.user_pool_id}/.well-known/jwks.json", timeout=10) as response:
                assert response.status == 200
            slow.release.set()
            assert read(sock)[0] == 200

    @pytest.mark.parametrize("place", ["answer", "json_response"])
    def test_an_exception_that_would_end_a_thread_does_not(
        self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        def leave(*_: object) -> None:
            raise SystemExit

        monkeypatch.setattr(workers, "_PER_CORE", 1)
        monkeypatch.setattr(os, "cpu_count", lambda: 1)
        # On a busy machine a request may wait for the only thread for so long that another one would help.
        monkeypatch.setattr(event_loop, "_RELIEF_SECONDS", 60)
        with pool.serve() as server:
            with monkeypatch.context() as patch:
                patch.setattr(dispatch, place, leave)
                for _ in range(3):
                    with connect(server) as sock:
                        sock.sendall(request())
                        if place == "answer":
                            status, _, document = read(sock)
                            assert (status, document["__type"]) == (500, "InternalErrorException")
                        else:
                            assert rest(sock) == b""
            assert exchange(server, request())[0] == 400
            assert [thread.is_alive() for thread in server._loop._workers._threads] == [True]

    def test_a_thread_does_not_wait_for_its_connection_if_there_are_more_connections_than_threads(
        self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(workers, "_MAX_THREADS", 1)
        monkeypatch.setattr(event_loop, "_WAIT_SECONDS", 60)
        with pool.serve() as server, connect(server) as first, connect(server) as second:
            for sock in (first, second, first, second):
                sock.sendall(request())
                assert read(sock)[0] == 400


class TestEnd:
    def test_a_thread_that_waits_for_its_connection_ends(
        self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_loop, "_WAIT_SECONDS", 60)
        server = pool.serve()
        with connect(server) as sock:
            sock.sendall(request())
            assert read(sock)[0] == 400
            closer = threading.Thread(target=server.close)
            closer.start()
            closer.join(10)
            assert not closer.is_alive()

    def test_requests_that_wait_for_a_thread_are_dropped(
        self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(event_loop, "_RELIEF_SECONDS", 60)
        monkeypatch.setattr(workers, "_MAX_THREADS", 1)
        slow = Slow(monkeypatch)
        server = pool.serve()
        with connect(server) as first, connect(server) as second:
            first.sendall(request())
            assert slow.started.wait(10)
            second.sendall(request())
            wait_until(lambda: server._loop._workers.overloaded)
            closer = threading.Thread(target=server.close)
            closer.start()
            wait_until(lambda: server._loop._workers._closing)
            slow.release.set()
            closer.join(10)
            assert slow.calls == 1
            assert rest(second) == b""

    def test_a_request_that_is_being_answered_is_finished(
        self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slow = Slow(monkeypatch)
        server = pool.serve()
        with connect(server) as sock:
            sock.sendall(request())
            assert slow.started.wait(10)
            closer = threading.Thread(target=server.close)
            closer.start()
            port = int(server.url.rpartition(":")[2])
            wait_until(lambda: _refuses(port))
            slow.release.set()
            closer.join(10)
            assert rest(sock).startswith(b"HTTP/1.1 200 OK")

    def test_a_handler_may_close_the_server(self, pool: LocalUserPool, monkeypatch: pytest.MonkeyPatch) -> None:
        server = pool.serve()
        closed = threading.Event()

        def close(*_: object) -> dispatch.Response:
            server.close()
            closed.set()
            return dispatch.Response(200, {"content-length": "0"}, b"")

        monkeypatch.setattr(dispatch, "answer", close)
        before = threading.active_count()
        with connect(server) as sock:
            sock.sendall(request())
            assert rest(sock) == b""
        assert closed.wait(10)
        wait_until(lambda: threading.active_count() < before)

    def test_connections_in_every_state_are_closed(self, pool: LocalUserPool) -> None:
        before = {*threading.enumerate()}
        server = pool.serve()
        with connect(server) as new, connect(server) as partial, connect(server) as used, connect(server) as draining:
            partial.sendall(b"POST")
            used.sendall(request())
            assert read(used)[0] == 400
            draining.sendall(b"\x16")
            assert read(draining)[0] == 400
            server.close()
            assert {*threading.enumerate()} <= before
            for sock in (new, partial, used):
                with contextlib.suppress(ConnectionError):
                    assert rest(sock) == b""

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
    def test_a_forked_child_does_not_hold_the_sockets(self, tmp_path: Path) -> None:
        script = tmp_path / "fork.py"
        script.write_text(FORKING)
        subprocess.run([sys.executable, str(script)], check=True, timeout=60)


FORKING = """
import os, signal, socket, time
from srpcore_transports.local import LocalUserPool

def get(sock):
    sock.sendall(b"GET /x HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    return sock.recv(1000)

server = LocalUserPool().serve()
address = "127.0.0.1", int(server.url.rpartition(":")[2])
before = socket.create_connection(address, timeout=10)
assert get(before).startswith(b"HTTP/1.1 404")
ready, done = os.pipe()
child = os.fork()
if child == 0:
    server.close()
    os.write(done, b"x")
    time.sleep(60)
    os._exit(1)
try:
    assert os.read(ready, 1) == b"x"
    # The child has closed its copies only.
    assert get(before).startswith(b"HTTP/1.1 404")
    with socket.create_connection(address, timeout=10) as after:
        assert get(after).startswith(b"HTTP/1.1 404")
    server.close()
    assert before.recv(10) == b""
    try:
        socket.create_connection(address, timeout=10)
    except ConnectionRefusedError:
        pass
    else:
        raise SystemExit("the child still listens")
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def _refuses(port: int) -> bool:
    """Return whether *port* refuses connections. A reset means that the listener is still closing: ask again."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass
    return False
