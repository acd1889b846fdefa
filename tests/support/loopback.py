"""Servers on 127.0.0.1 for the tests of transports: raw HTTP/1.1 over TCP or TLS, and a proxy."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import trustme

__all__ = [
    "Drop",
    "Handler",
    "LoopbackServer",
    "Request",
    "answer",
    "authority",
    "chunked",
    "forward",
    "proxy_server",
    "tls",
    "write_bundle",
]


@dataclass(frozen=True)
class Request:
    """One request as it came; ``headers`` have lower-case names. ``connection`` counts from 0 in order of arrival."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


class Drop(Exception):
    """Raised by a handler: close the connection without an answer."""


Handler = Callable[[Request, socket.socket], bytes]


def answer(body: bytes = b"{}", status: int = 200, **headers: str) -> bytes:
    """Return a whole response; an underscore in the name of a header stands for a hyphen."""
    fields = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 {status} Some Reason\r\n{head}\r\n".encode("latin-1") + body


def chunked(*chunks: bytes, last: bool = True) -> bytes:
    """Return a response with the chunked transfer coding; without its last chunk it is cut short."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + (b"0\r\n\r\n" if last else b"")
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


class LoopbackServer:
    """Answer every request by *handler*, one thread a connection; a response that says so closes the connection."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._last: int | None = None
        self._holder: socket.socket | None = None
        self._handler = handler
        self._context = context
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The base URL; the name of the host is ``localhost`` under TLS."""
        return f"https://localhost:{self.port}" if self._context else f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept, self._listener)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._holder is not None:
            self._holder.close()
        self.drop_connections()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def drop_connections(self) -> None:
        """Close every open connection from the server's side."""
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop_listening_after(self, requests: int) -> None:
        """Let nobody connect any more once so many requests have come."""
        self._last = requests

    def push(self, data: bytes) -> None:
        """Send *data*, which nobody asked for, on every open connection; not under TLS."""
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            connection.sendall(data)

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = Thread(target=target, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def greet(self, connection: socket.socket) -> ssl.SSLContext | None:
        """Return the context for the new *connection*, before anything is read; may raise Drop."""
        return self._context

    def before_body(self, headers: Mapping[str, str], connection: socket.socket) -> None:
        """Do nothing: called when the *headers* of a request are read, and its body is not; may raise Drop."""

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            # TLS sends its tickets first: an answer after them would wait 40 ms for the client to acknowledge those.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                number, self.connections = self.connections, self.connections + 1
                self._open.add(connection)
            self._start(self._serve, connection, number)

    def _serve(self, plain: socket.socket, number: int) -> None:
        connection = plain
        try:
            context = self.greet(plain)
            if context is not None:
                connection = context.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.discard(plain)
                    self._open.add(connection)
            with connection.makefile("rb") as reader:
                while self._one(reader, connection, number):
                    pass
        except (OSError, Drop):
            pass
        finally:
            with self._lock:
                self._open -= {plain, connection}
            connection.close()
            plain.close()

    def _one(self, reader: Any, connection: socket.socket, number: int) -> bool:
        line = reader.readline().decode("latin-1").split()
        if len(line) != 3 or not line[2].startswith("HTTP/"):
            return False
        headers: dict[str, str] = {}
        while field := reader.readline().decode("latin-1").strip():
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        self.before_body(headers, connection)
        body = reader.read(int(headers.get("content-length", "0")))
        request = Request(line[0], line[1], headers, body, number)
        with self._lock:
            self.requests.append(request)
        if len(self.requests) == self._last:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            # Until the end nobody else is given the port, and connections are refused.
            self._holder = socket.socket()
            self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                self._holder.bind(("127.0.0.1", self.port))
        response = self._handler(request, connection)
        connection.sendall(response)
        return b"connection: close" not in response.lower()


@cache
def authority() -> trustme.CA:
    """Return the certificate authority of this test run."""
    import trustme

    return trustme.CA()


@cache
def tls(*names: str, issuer: trustme.CA | None = None) -> ssl.SSLContext:
    """Return a server's context with a certificate for *names*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (issuer or authority()).issue_cert(*names).configure_cert(context)
    return context


def write_bundle(folder: Path, issuer: trustme.CA | None = None) -> str:
    """Write the authority's certificate into *folder* and return the path of the file."""
    path = folder / "authority.pem"
    (issuer or authority()).cert_pem.write_to_path(str(path))
    return str(path)


@contextmanager
def proxy_server(refuse: int | None = None) -> Iterator[LoopbackServer]:
    """Run a proxy that opens tunnels (CONNECT) and forwards plain requests, or answers all with status *refuse*."""

    def handler(request: Request, client: socket.socket) -> bytes:
        return forward(request, client) if refuse is None else answer(b"", refuse, Connection="close")

    with LoopbackServer(handler) as server:
        yield server


def forward(request: Request, client: socket.socket) -> bytes:
    """Do what a proxy does with *request*, which *client* sent."""
    host, _, port = request.target.removeprefix("http://").split("/")[0].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as upstream:
        if request.method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = Thread(target=_pump, args=(upstream, client), daemon=True)
            back.start()
            _pump(client, upstream)
            back.join(10)
            raise Drop
        path = "/" + request.target.removeprefix("http://").partition("/")[2]
        lines = [
            f"{request.method} {path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in request.headers.items()),
        ]
        upstream.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + request.body)
        return b"".join(iter(lambda: upstream.recv(65536), b""))


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
