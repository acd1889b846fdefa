"""A process that is really frozen (SIGSTOP) and goes on later, as AWS Lambda does between two requests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support.loopback import Drop, LoopbackServer, Request, answer, tls

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot freeze a process"),
]

PROGRAM = """
import asyncio, inspect, sys
from srpcore.exceptions import TransportError
from srpcore.protocol import Operation
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport

kinds = {"https": HttpsTransport, "httpx": HttpxTransport, "httpx on a loop": AsyncHttpxTransport}
kind, url, bundle, seconds = sys.argv[1:]
transport = kinds[kind]("eu-west-1", url, ca_bundle=bundle, max_attempts=1, read_timeout=float(seconds))
runner = asyncio.Runner()

async def finish(result):
    return await result if inspect.isawaitable(result) else result

async def do(name):
    if name == "prepare":
        return await finish(transport.prepare())
    return await finish(transport.call(Operation(name, {"AuthFlow": "USER_SRP_AUTH"})))

for line in sys.stdin:
    try:
        runner.run(do(line.strip()))
        print("answered", flush=True)
    except TransportError as error:
        print(type(error).__name__, error.may_have_arrived, flush=True)
"""

KINDS = ("https", "httpx", "httpx on a loop")


class Frozen:
    """A process that is frozen except during :meth:`do`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def begin(self, name: str) -> None:
        """Let the process go on and call the operation *name*, or prepare its transport."""
        assert self.process.stdin is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """Return the result, and freeze the process."""
        assert self.process.stdout is not None
        result = self.process.stdout.readline().strip()
        self.process.send_signal(signal.SIGSTOP)
        return result

    def do(self, name: str) -> str:
        self.begin(name)
        return self.end()


@contextmanager
def frozen(kind: str, server: LoopbackServer, bundle: str, read_timeout: float = 30) -> Iterator[Frozen]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, kind, server.url, bundle, str(read_timeout)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            yield Frozen(process)
        finally:
            process.kill()


@pytest.mark.parametrize(("kind", "operation"), [("https", "InitiateAuth"), *((kind, "SignUp") for kind in KINDS)])
def test_a_connection_that_was_closed_during_the_freeze_is_replaced(bundle: str, kind: str, operation: str) -> None:
    server = LoopbackServer(lambda request, connection: answer(), tls("localhost"))
    with server, frozen(kind, server, bundle) as process:
        assert process.do("InitiateAuth") == "answered"
        server.drop_connections()
        assert process.do(operation) == "answered"
        # Each request was sent once, so none has failed.
        assert [request.connection for request in server.requests] == [0, 1]


def test_a_prepared_connection_that_was_closed_during_the_freeze_is_replaced(bundle: str) -> None:
    server = LoopbackServer(lambda request, connection: answer(), tls("localhost"))
    with server, frozen("https", server, bundle) as process:
        assert process.do("prepare") == "answered"
        end = time.monotonic() + 20
        while not any(hasattr(one, "server_side") for one in [*server._open]):  # the server has not ended the handshake
            assert time.monotonic() < end
            time.sleep(0.002)
        server.drop_connections()
        assert process.do("SignUp") == "answered"
        assert [request.connection for request in server.requests] == [1]


@pytest.mark.long
@pytest.mark.parametrize("kind", ["https", "httpx on a loop"])
def test_a_call_during_which_the_process_was_frozen_ends_and_the_next_one_works(bundle: str, kind: str) -> None:
    def handler(request: Request, connection: socket.socket) -> bytes:
        if len(server.requests) > 1:
            return answer()
        process.process.send_signal(signal.SIGSTOP)
        time.sleep(1.7)  # longer than the client waits for an answer
        process.process.send_signal(signal.SIGCONT)
        connection.recv(1)  # until the client gives up
        raise Drop

    server = LoopbackServer(handler, tls("localhost"))
    with server, frozen(kind, server, bundle, read_timeout=1.5) as process:
        assert process.do("SignUp") == "TransportTimeout True"
        assert process.do("SignUp") == "answered"
        assert [request.connection for request in server.requests] == [0, 1]
