"""The three transports over HTTP, servers for them, and what a failed call reports."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from srpcore.exceptions import TransportError, TransportTimeout
from srpcore.protocol import Operation
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from support.loopback import Drop, Handler, LoopbackServer, Request, answer, tls
from support.on_loop import OnLoop
from support.serving_aws import SIGN_IN, echo, reset

SIGN_UP = Operation("SignUp", {"Username": "zoë", "Password": "hunter2"})
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"

MakeTransport = Callable[..., Any]
HTTPX: dict[str, MakeTransport] = {
    "httpx": HttpxTransport,
    "httpx on a loop": lambda *arguments, **named: OnLoop(AsyncHttpxTransport(*arguments, **named)),
}
MAKERS: dict[str, MakeTransport] = {"https": HttpsTransport, **HTTPX}


@contextmanager
def served(
    make: MakeTransport, bundle: str, handler: Handler = echo, **options: Any
) -> Iterator[tuple[LoopbackServer, Any]]:
    """Run a server and a transport that trusts it and tries once: over TLS, or plainly without *bundle*."""
    options = {"timeout": 10, "max_attempts": 1, **options}
    with (
        LoopbackServer(handler, tls("localhost") if bundle else None) as server,
        make("eu-west-1", server.url, ca_bundle=bundle or None, **options) as transport,
    ):
        yield server, transport


def cut(response: bytes, *, reset_it: bool = False) -> Handler:
    """Send *response* and close the connection, by a reset if *reset_it*."""

    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(response)
        if reset_it:
            time.sleep(0.05)  # a reset overtakes what was not read yet
            reset(connection)
        raise Drop

    return handler


def silent(part: bytes = b"") -> Handler:
    """Send *part* and nothing more."""

    def handler(request: Request, connection: socket.socket) -> bytes:
        connection.sendall(part)
        connection.recv(1)  # until the client gives up
        raise Drop

    return handler


def answer_sign_in_and_then(fault: Handler) -> Handler:
    """Answer SIGN_IN, and every other request by *fault*."""

    def handler(request: Request, connection: socket.socket) -> bytes:
        is_sign_in = request.headers["x-amz-target"].endswith(SIGN_IN.name)
        return answer() if is_sign_in else fault(request, connection)

    return handler


def outcome(transport: Any, operation: Operation) -> tuple[type, bool, bool, str]:
    """Call *operation*, which must fail. Return the kind of the error, may_have_arrived, transient and retry_after."""
    with pytest.raises(TransportError) as caught:
        transport.call(operation)
    error = caught.value
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    assert "localhost" in str(error) or "127.0.0.1" in str(error) or "HTTP" in str(error)
    # HttpsTransport has a kind of its own below TransportError.
    kind = TransportTimeout if isinstance(error, TransportTimeout) else TransportError
    return kind, error.may_have_arrived, error.transient, error.retry_after


def unreachable(
    maker: MakeTransport, url: str, bundle: str | None = None, *, connect_timeout: float = 30
) -> tuple[type, bool, bool, str]:
    """Call a server at *url* that cannot be reached, and return the :func:`outcome`."""
    with maker("eu-west-1", url, ca_bundle=bundle, max_attempts=1, connect_timeout=connect_timeout) as transport:
        return outcome(transport, SIGN_UP)
