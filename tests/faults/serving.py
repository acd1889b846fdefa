"""The embedded user pool over TLS, and a proxy to it. Both can misbehave on request."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

from srpcore.protocol import Operation
from srpcore.service_model import TARGET_PREFIX
from srpcore_transports.credentials import Credentials
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.http import request_reader, sigv4_check
from srpcore_transports.local.operations import dispatch
from support.loopback import Drop, LoopbackServer, Request, answer, forward, tls

if TYPE_CHECKING:
    from .catalogue import Misbehaviour

__all__ = ["KEYS", "FaultyProxy", "FaultyService", "refusal"]

KEYS = Credentials("AKIDLOCAL", "secret-of-the-tests")


class Toggled(LoopbackServer):
    """A server that can stop listening, and listen again at the same port."""

    def __init__(self, handler: Callable[[Request, socket.socket], bytes], context: ssl.SSLContext | None) -> None:
        super().__init__(handler, context)
        self._listener.close()
        # Keeps the port while nobody listens at it.
        self._holder = _bound(0)
        self.port = self._holder.getsockname()[1]
        self._listener = self._listening(1024)
        self._fillers: list[socket.socket] = []
        self.over = Event()

    def __exit__(self, *details: object) -> None:
        self.over.set()
        self._let_in()
        super().__exit__(*details)

    def stop_listening(self) -> None:
        """Refuse new connections; the open ones go on."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def stop_answering(self) -> None:
        """Leave new connections unanswered by the kernel: the queue of those that wait to be accepted is full."""
        self.stop_listening()
        self._listener = self._listening(0)
        self._fillers = [socket.create_connection(("127.0.0.1", self.port), timeout=10)]

    def listen_again(self) -> None:
        self._let_in()
        self._listener.close()
        self._listener = self._listening(1024)
        self._start(self._accept, self._listener)

    def _let_in(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers = []

    def _listening(self, backlog: int) -> socket.socket:
        listener = _bound(self.port)
        listener.listen(backlog)
        return listener


class FaultyProxy(Toggled):
    """A proxy that opens tunnels, or gives *instead* of them; None for an end without an answer."""

    def __init__(self) -> None:
        super().__init__(self._handle, None)
        self.instead: bytes | None = b""

    def _handle(self, request: Request, connection: socket.socket) -> bytes:
        if self.instead is None:
            raise Drop
        return self.instead or forward(request, connection)


class FaultyService(Toggled):
    """The service: *misbehaviour*, where there is one, happens to the operation *at* (``GET`` for a document)."""

    def __init__(self, pool: LocalUserPool, proxy: FaultyProxy | None = None) -> None:
        super().__init__(self._handle, tls("localhost"))
        self._pool = pool
        self.proxy = proxy
        self.arrived: Counter[str] = Counter()
        self.undo: list[Callable[[], object]] = []
        self._misbehaviour: Misbehaviour | None = None
        self._under_way = False
        self._at = ""
        self.noticed = Event()
        self.resetting: list[socket.socket] = []

    def __exit__(self, *details: object) -> None:
        self.behave()
        super().__exit__(*details)

    def misbehave(self, misbehaviour: Misbehaviour, at: str) -> None:
        """Begin with the next request for *at*; what concerns connections, with the next that it may be sent on."""
        self._misbehaviour, self._at = misbehaviour, at
        self.arrived.clear()
        self.noticed.clear()
        # An answer to a challenge comes after a request that must go well.
        if at != "RespondToAuthChallenge":
            self._begin(misbehaviour)

    def behave(self) -> None:
        """Let everything go well again."""
        misbehaviour, self._misbehaviour = self._misbehaviour, None
        self.noticed.set()
        while any(connection.fileno() >= 0 for connection in self.resetting):
            time.sleep(0.001)
        if self.resetting:
            # Python forgets the number of a socket before the system has closed it.
            time.sleep(0.01)
            self.resetting.clear()
        if misbehaviour is not None and self._under_way:
            self._under_way = False
            misbehaviour.end(self)

    def greet(self, connection: socket.socket) -> ssl.SSLContext | None:
        if self._misbehaviour is not None and self._under_way:
            return self._misbehaviour.greet(self, connection) or super().greet(connection)
        return super().greet(connection)

    def before_body(self, headers: Mapping[str, str], connection: socket.socket) -> None:
        if self._misbehaviour is not None and self._under_way and _name(headers) == self._at:
            self._misbehaviour.before_body(self, connection)

    def well(self, request: Request) -> bytes:
        """Return the pool's own answer."""
        path, _, query = request.target.partition("?")
        if request.method == "GET":
            return answer(self._pool.document(path) or b"", Content_Type="application/json")
        name = _name(request.headers)
        try:
            if Operation(name, {}).signed:
                signed = request_reader.Request("POST", path, query, request.headers, request.body)
                sigv4_check.verify(signed, KEYS, time.time())
            response = dispatch.answer(self._pool._service, name, request.body)
        except Refusal as error:
            response = dispatch.error_response(error)
        headers = {name.replace("-", "_"): value for name, value in response.headers.items()}
        return answer(response.body, response.status, **{"Content_Length": "", **headers})

    def _begin(self, misbehaviour: Misbehaviour) -> None:
        self._under_way = True
        misbehaviour.begin(self)

    def _handle(self, request: Request, connection: socket.socket) -> bytes:
        name = _name(request.headers)
        self.arrived[name] += 1
        misbehaviour = self._misbehaviour
        if misbehaviour is None:
            return self.well(request)
        if name == self._at and self._under_way:
            return misbehaviour.answer(self, request, connection)
        response = self.well(request)
        if not self._under_way:
            if misbehaviour.padding:
                response = _with_long_session(response, misbehaviour.padding)
            if misbehaviour.of_connections:
                # The next request has to come on a new one.
                response = response.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            self._begin(misbehaviour)
        return response


def refusal(code: str, status: int = 400, message: str = "m", **headers: str) -> bytes:
    """Return an error document of the service."""
    body = json.dumps({"__type": code, "message": message}).encode()
    return answer(body, status, Content_Type="application/x-amz-json-1.1", **headers)


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _name(headers: Mapping[str, str]) -> str:
    return headers.get("x-amz-target", "GET").removeprefix(TARGET_PREFIX)


def _with_long_session(response: bytes, length: int) -> bytes:
    document = json.loads(response.partition(b"\r\n\r\n")[2])
    document["Session"] = "s" * length
    return answer(json.dumps(document).encode(), Content_Type="application/x-amz-json-1.1")
