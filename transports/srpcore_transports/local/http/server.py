"""The HTTP/1.1 server of the local pools.

``POST /`` calls an operation, named by the header X-Amz-Target. ``GET /<pool id>/.well-known/jwks.json`` and
``/<pool id>/.well-known/openid-configuration`` return the public documents of a pool.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, cast
from urllib.parse import urlsplit

from srpcore.protocol import Operation
from srpcore.service_model import TARGET_PREFIX

from ...credentials import Credentials
from ..api.errors import Refusal
from ..storage.state import State
from . import dispatch, sigv4_check
from .dispatch import Response

__all__ = ["LocalServer"]

BODY_LIMIT = 1 << 20
_IDLE_SECONDS = 120


class LocalServer:
    """A running HTTP server. It is also a context manager that closes the server at the end of the block.

    Attributes:
        url: the address of the server, for example ``http://127.0.0.1:49152``.
    """

    def __init__(
        self,
        state: State,
        document: Callable[[str], bytes | None],
        credentials: Credentials | None,
        host: str,
        port: int,
        on_close: Callable[[], None],
    ) -> None:
        self._server = _Server((host, port), state, document, credentials)
        self._on_close, self._closed = on_close, False
        bound_port = self._server.server_address[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{bound_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, close the open connections, and wait for their threads. Closing twice is safe."""
        # Wake serve_forever(), which otherwise notices shutdown() only after its poll interval. Some systems do not
        # allow shutting down a listening socket; on those, closing takes one interval.
        with contextlib.suppress(OSError):
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if not self._closed:
            self._closed = True
            self._on_close()

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self,
        address: tuple[str, int],
        state: State,
        document: Callable[[str], bytes | None],
        credentials: Credentials | None,
    ) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.state, self.document, self.credentials = state, document, credentials
        self.loopback = _is_loopback(address[0])
        self._open: dict[socket.socket, threading.Thread] = {}
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind() looks up the name of the host, which may block on a slow DNS server. Skip that.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        connection = cast(socket.socket, request)
        thread = threading.Thread(target=self.process_request_thread, args=(connection, client_address), daemon=True)
        with self._open_lock:
            self._open[connection] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._open_lock:
            self._open.pop(cast(socket.socket, request), None)

    def server_close(self) -> None:
        super().server_close()
        with self._open_lock:
            connections = dict(self._open)
        for connection, thread in connections.items():
            # On a keep-alive connection the thread is blocked in a read, waiting for the next request. Shutting down
            # the socket ends that read.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing. The base class prints a traceback whenever a client closes its connection early."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "srpcore"
    sys_version = ""
    timeout = _IDLE_SECONDS
    # Buffer the response and send it in one write. If head and body were sent separately, Nagle's algorithm would hold
    # back the body until the client acknowledges the head, which many systems delay by 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    @property
    def _pool_server(self) -> _Server:
        return cast(_Server, self.server)

    def do_POST(self) -> None:
        """Call an operation and send its response."""
        body = self._read_body()
        if body is not None:
            self._respond(self._call(body))

    def do_GET(self) -> None:
        """Send a public document of a pool, or an error with the status 404."""
        if self._read_body() is None:
            return
        document = self._pool_server.document(urlsplit(self.path).path) if self._is_allowed_host() else None
        if document is None:
            self._respond(dispatch.refusal(Refusal("ResourceNotFoundException", "Not found.", 404)))
        else:
            headers = {"content-type": "application/json", "content-length": str(len(document))}
            self._respond(Response(200, headers, document))

    def _read_body(self) -> bytes | None:
        """Read and return the body of the request.

        If Content-Length is missing or too large, send an error and return None. The connection is closed then, because
        the next request could not be found in the unread bytes. Also return None if the client stops in the body.
        """
        length = self.headers.get("Content-Length") or ("0" if self.command == "GET" else "")
        if self.headers.get("Transfer-Encoding") or not re.fullmatch(r"[0-9]+", length):
            self._refuse_body(411, "The request needs a Content-Length header.")
            return None
        # Count the digits first: int() raises ValueError for a string of thousands of digits.
        if len(length) > len(str(BODY_LIMIT)) or int(length) > BODY_LIMIT:
            self._refuse_body(413, f"The request body is longer than {BODY_LIMIT} bytes.")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        return body

    def _refuse_body(self, status: int, message: str) -> None:
        self.close_connection = True
        self._respond(dispatch.refusal(Refusal("RequestEntityTooLargeException", message, status)))

    def _call(self, body: bytes) -> Response:
        try:
            name = self._operation_name()
            if name in dispatch.OPERATIONS and Operation(name, {}).signed:
                path, _, query = self.path.partition("?")
                headers = {key.lower(): ",".join(self.headers.get_all(key, [])) for key in self.headers}
                request = sigv4_check.HttpRequest("POST", path, query, headers, body)
                # Use the real time, not the pool's clock: clients sign with their own clock, which stays real when a
                # test sets the pool's clock.
                sigv4_check.verify(request, self._pool_server.credentials, self._pool_server.state.region, time.time())
        except Refusal as error:
            return dispatch.refusal(error)
        try:
            return dispatch.answer(self._pool_server.state, name, body)
        except Exception:  # noqa: BLE001 - answer a bug as the service does; its message could contain a secret
            return dispatch.refusal(Refusal("InternalErrorException", "Something went wrong"))

    def handle_expect_100(self) -> bool:
        """Send "100 Continue" and flush it, because the client waits for it before it sends the body."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _operation_name(self) -> str:
        if not self._is_allowed_host():
            raise Refusal(
                "ForbiddenException",
                "This server accepts requests to loopback names only: use 127.0.0.1 or localhost.",
                403,
            )
        target = self.headers.get("X-Amz-Target", "")
        if urlsplit(self.path).path != "/" or not target.startswith(TARGET_PREFIX):
            raise Refusal("UnknownOperationException", "")
        return target.removeprefix(TARGET_PREFIX)

    def _is_allowed_host(self) -> bool:
        # Protect a server on loopback from DNS rebinding: an attacker's web page can make its own host name resolve to
        # 127.0.0.1 and then send requests from the user's browser, but the Host header still has the attacker's name.
        try:
            host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        except ValueError:
            return False
        return not self._pool_server.loopback or _is_loopback(host)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the value of the Date header: by the pool's clock, because clients compare theirs with it."""
        return super().date_time_string(self._pool_server.state.clock() if timestamp is None else timestamp)

    def _respond(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
