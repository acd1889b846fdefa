"""The event loop of the server: one thread waits for all sockets and reads requests, and workers answer them.

Theory of operation: a connection goes through these states. In the upper line it belongs to the loop, in the lower one
to a worker::

                  +--- not valid ----+
                  |                  v
    accept --> READING           WRITING --> DRAINING --> closed
                |   ^              ^
        request |   | no request   | close, or the client does not take the whole response
                v   | in time      |
               BUSY ---------------+
                |   ^
      response  v   | request
              WAITING

So a slow or idle client costs a socket and a buffer, but no thread. The requests of a login follow each other closely:
in WAITING the worker therefore waits a moment for the next request itself, if there are no more connections than
workers. That saves two changes of threads for each request. While a connection belongs to a worker, it is not
registered in the selector. The worker gives it back with what it could not send.

In DRAINING what the client still sends is read and dropped for a short time. Closing at once would reset the
connection, and the client could lose the response.
"""

from __future__ import annotations

import contextlib
import enum
import selectors
import socket
import threading
from collections import deque

from srpcore._fork import reset_in_child
from srpcore.clock import monotonic_clock

from .request_reader import InvalidRequest, Request, RequestReader
from .routing import Router
from .sockets import listen, readable, receive, send
from .workers import Workers

__all__ = ["EventLoop"]

_SWEEP_SECONDS = 1.0
_IDLE_SECONDS = 120.0
_REQUEST_SECONDS = 60.0
_WRITE_SECONDS = 60.0
_DRAIN_SECONDS = 2.0
_WAIT_SECONDS = 0.05
_RELIEF_SECONDS = 0.05
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class _Phase(enum.Enum):
    READING = enum.auto()
    BUSY = enum.auto()
    WAITING = enum.auto()
    WRITING = enum.auto()
    DRAINING = enum.auto()


class _Connection:
    """One connection.

    Attributes:
        deadline: when the loop closes it, by ``monotonic_clock()``.
        outgoing: the rest of the response.
        keep: whether the connection can be used again after the response.
    """

    __slots__ = ("deadline", "keep", "outgoing", "phase", "reader", "socket")

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.reader = RequestReader()
        self.phase = _Phase.READING
        self.deadline = monotonic_clock() + _IDLE_SECONDS
        self.outgoing: bytes | memoryview = b""
        self.keep = True


class EventLoop:
    """Listens on *address* and answers requests with *router*, in threads of its own, until :meth:`close`.

    Raises:
        OSError: the server cannot listen on the address.
    """

    def __init__(self, address: tuple[str, int], router: Router) -> None:
        self._router = router
        self._listener = listen(address)
        self.port: int = self._listener.getsockname()[1]
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_receiver, selectors.EVENT_READ)
        self._accepting = True
        self._closing = False
        self._connections: set[_Connection] = set()
        self._handed_over: deque[_Connection] = deque()
        self._next_sweep = self._next_relief = 0.0
        self._workers = Workers(self._work)
        self._thread = threading.Thread(target=self._run, name="srpcore-local-pool", daemon=True)
        reset_in_child(self, EventLoop._after_fork)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, wait for the threads, and close the connections. Incomplete requests are dropped."""
        self._closing = True
        self._wake()
        self._thread.join()
        for connection in self._connections:
            if connection.phase is _Phase.WAITING:
                with contextlib.suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)
        self._workers.close()
        self._close_sockets(shut_down=True)

    def _after_fork(self) -> None:
        """Close the child's copies of the sockets. The server goes on in the parent, and only the parent may end it."""
        self._closing = True
        self._close_sockets(shut_down=False)

    def _close_sockets(self, *, shut_down: bool) -> None:
        # Close the selector as a whole. Unregistering sockets from it would change the parent's too, after a fork.
        self._selector.close()
        for sock in (self._listener, self._wake_receiver, self._wake_sender):
            sock.close()
        for connection in self._connections:
            if shut_down:
                with contextlib.suppress(OSError):
                    connection.socket.shutdown(socket.SHUT_RDWR)
            connection.socket.close()
        self._connections.clear()

    # What follows runs in the loop's thread.

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select(self._timeout()):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._wake_receiver:
                    self._take_over()
                else:
                    self._guard(key.data)
            now = monotonic_clock()
            if now >= self._next_relief:
                self._next_relief = now + _RELIEF_SECONDS
                self._relieve()
            if now >= self._next_sweep:
                self._next_sweep = now + _SWEEP_SECONDS
                self._sweep(now)
        # Refuse new connections at once, while workers still finish their requests.
        if self._accepting:
            self._selector.unregister(self._listener)
        self._listener.close()

    def _timeout(self) -> float | None:
        """Return how long the loop may wait for the sockets, in seconds."""
        if self._workers.overloaded:
            return _RELIEF_SECONDS
        # Without connections nothing can time out.
        return _SWEEP_SECONDS if self._connections or not self._accepting else None

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError:
                # Too many open files, for example. Wait for the next sweep: until then the listener would be ready, and
                # the loop would spin.
                self._selector.unregister(self._listener)
                self._accepting = False
                return
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(sock)
            self._connections.add(connection)
            self._selector.register(sock, selectors.EVENT_READ, connection)

    def _guard(self, connection: _Connection) -> None:
        """Process an event of a connection. An exception closes this connection, and does not end the loop."""
        try:
            self._process(connection)
        except Exception:  # noqa: BLE001 - also MemoryError; the other connections go on
            self._discard(connection)

    def _process(self, connection: _Connection) -> None:
        if connection.phase is _Phase.WRITING:
            self._write(connection)
            return
        data = receive(connection.socket)
        if data is None:
            return
        if not data:
            self._discard(connection)
        elif connection.phase is _Phase.READING:
            if not connection.reader.started:
                connection.deadline = monotonic_clock() + _REQUEST_SECONDS
            self._read(connection, data)

    def _read(self, connection: _Connection, data: bytes) -> None:
        """Process bytes of a request."""
        reader = connection.reader
        try:
            request = reader.feed(data)
        except InvalidRequest as error:
            self._refuse(connection, error)
            return
        if request is not None:
            connection.phase = _Phase.BUSY
            self._selector.unregister(connection.socket)
            self._workers.submit((connection, request))
        elif reader.expects_continue:
            reader.expects_continue = False
            # If the socket does not take so little, the client is not reading. Its deadline will come.
            send(connection.socket, _CONTINUE)

    def _refuse(self, connection: _Connection, error: InvalidRequest) -> None:
        connection.outgoing, connection.keep = self._router.refuse(error), False
        connection.phase = _Phase.WRITING
        connection.deadline = monotonic_clock() + _WRITE_SECONDS
        self._write(connection)

    def _write(self, connection: _Connection) -> None:
        sent = send(connection.socket, connection.outgoing)
        if sent is None:
            self._discard(connection)
            return
        connection.outgoing = connection.outgoing[sent:]
        if connection.outgoing:
            self._selector.modify(connection.socket, selectors.EVENT_WRITE, connection)
            return
        self._selector.modify(connection.socket, selectors.EVENT_READ, connection)
        if connection.keep:
            self._read_next(connection)
        else:
            connection.phase = _Phase.DRAINING
            connection.deadline = monotonic_clock() + _DRAIN_SECONDS
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)

    def _read_next(self, connection: _Connection) -> None:
        """Begin with the next request. A part of it may have been received together with the one before."""
        started = connection.reader.started
        connection.phase = _Phase.READING
        connection.deadline = monotonic_clock() + (_REQUEST_SECONDS if started else _IDLE_SECONDS)
        if started:
            self._read(connection, b"")

    def _discard(self, connection: _Connection) -> None:
        # One call of select() may return an event of a connection that was discarded because of another event.
        if connection in self._connections:
            self._connections.remove(connection)
            with contextlib.suppress(KeyError):  # it is not registered if what failed was to give it to a worker
                self._selector.unregister(connection.socket)
            connection.socket.close()

    def _sweep(self, now: float) -> None:
        """Close connections whose deadline has passed."""
        for connection in list(self._connections):
            if connection.phase in (_Phase.BUSY, _Phase.WAITING) or connection.deadline > now:
                continue
            if connection.phase is _Phase.READING and connection.reader.started:
                self._refuse(connection, InvalidRequest(408, "The request was not complete in time."))
            else:
                self._discard(connection)
        if not self._accepting:
            self._selector.register(self._listener, selectors.EVENT_READ)
            self._accepting = True

    def _relieve(self) -> None:
        """Start more workers if all of them wait. Refuse the requests for which there can be no worker."""
        for connection, request in self._workers.relieve():
            connection.outgoing, connection.keep = self._router.refuse_overload(request), request.keep
            self._handed_over.append(connection)
        if self._handed_over:
            self._take_over()

    def _take_over(self) -> None:
        """Go on with the connections that workers have given back."""
        while receive(self._wake_receiver):
            pass
        while self._handed_over:
            connection = self._handed_over.popleft()
            if connection not in self._connections:
                continue
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.phase = _Phase.WRITING
            connection.deadline = monotonic_clock() + _WRITE_SECONDS
            self._guard(connection)

    # The rest runs in the threads of the workers.

    def _work(self, item: tuple[_Connection, Request]) -> None:
        """Answer a request, and those that follow it at once on the same connection."""
        connection, request = item
        following: Request | None = request
        try:
            while following is not None:
                self._answer(connection, following)
                following = self._following(connection)
        except InvalidRequest as error:
            connection.outgoing, connection.keep = self._router.refuse(error), False
        except BaseException:  # noqa: BLE001 - for example MemoryError; the other connections go on
            connection.outgoing, connection.keep = b"", False
        self._handed_over.append(connection)
        self._wake()

    def _answer(self, connection: _Connection, request: Request) -> None:
        response = self._router.respond(request)
        sent = send(connection.socket, response)
        connection.keep = request.keep and sent is not None
        connection.outgoing = b"" if sent is None else memoryview(response)[sent:]

    def _following(self, connection: _Connection) -> Request | None:
        """Return the next request, if the connection is kept and the request comes at once."""
        if not connection.keep or connection.outgoing or len(self._connections) > self._workers.limit:
            return None
        if connection.reader.started:
            return connection.reader.next()
        connection.phase = _Phase.WAITING
        # In this order, because close() sets _closing before it looks for connections in this phase.
        data = None if self._closing or not readable(connection.socket, _WAIT_SECONDS) else receive(connection.socket)
        connection.phase = _Phase.BUSY
        return connection.reader.feed(data) if data else None

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # a full buffer wakes the loop too; a closed socket needs nothing
            self._wake_sender.send(b"\0")
