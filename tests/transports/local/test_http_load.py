"""The HTTP server under load: many connections at once, and many slow clients."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack

import pytest

from srpcore_transports.local import LocalServer, UserPool

pytestmark = pytest.mark.slow

REQUEST = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER = b"HTTP/1.1 404 Not Found\r\n"


def connections(stack: ExitStack, server: LocalServer, number: int) -> list[socket.socket]:
    """Open so many connections at once."""
    address = "127.0.0.1", int(server.url.rpartition(":")[2])
    found = [stack.enter_context(socket.socket()) for _ in range(number)]
    for sock in found:
        sock.setblocking(False)
        sock.connect_ex(address)
    for sock in found:
        sock.settimeout(20)
    return found


def test_256_connections_at_once_are_answered() -> None:
    with UserPool() as pool, pool.serve() as server, ExitStack() as stack:
        found = connections(stack, server, 256)
        for sock in found:
            sock.sendall(REQUEST)
        assert [sock.recv(len(ANSWER), socket.MSG_WAITALL) for sock in found] == [ANSWER] * 256


def test_the_backlog_holds_256_connections_while_nobody_accepts(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    accept = socket.socket.accept

    def waiting(sock: socket.socket) -> tuple[socket.socket, object]:
        gate.wait(20)
        return accept(sock)

    monkeypatch.setattr(socket.socket, "accept", waiting)
    with UserPool() as pool, pool.serve() as server, ExitStack() as stack:
        found = connections(stack, server, 256)
        for sock in found:
            # It would time out if the connection was not established: the kernel drops what the backlog does not hold.
            sock.sendall(REQUEST)
        gate.set()
        assert [sock.recv(len(ANSWER), socket.MSG_WAITALL) for sock in found] == [ANSWER] * 256


def test_400_slow_clients_need_few_threads_and_do_not_stop_others() -> None:
    before = threading.active_count()
    with UserPool() as pool, pool.serve() as server, ExitStack() as stack:
        slow = connections(stack, server, 400)
        for byte in REQUEST[:-1]:
            for sock in slow:
                sock.send(bytes([byte]))
        for fast in connections(stack, server, 3):
            fast.sendall(REQUEST)
            assert fast.recv(len(ANSWER), socket.MSG_WAITALL) == ANSWER
        assert threading.active_count() < before + 10
        for sock in slow:
            sock.send(REQUEST[-1:])
        assert [sock.recv(len(ANSWER), socket.MSG_WAITALL) for sock in slow] == [ANSWER] * 400
