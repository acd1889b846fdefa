"""The response on one connection: http.client's HTTPResponse with a deadline, and with a way to see a lost connection.

http.client sets one timeout for each read, so a server that sends a byte a second could hold a call for ever. The
socket given to the response here sets the timeout again before each read: to the time that is left, or to the timeout
if that is less.
"""

from __future__ import annotations

import io
import ssl
from http.client import HTTPResponse, RemoteDisconnected, parse_headers
from socket import SocketIO, socket
from typing import Any, NamedTuple, cast

from srpcore.clock import monotonic_clock

from .attempts import Attempt

__all__ = ["LOST", "TimedResponse", "time_left"]

LOST = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""The exceptions of a socket whose connection was lost."""


def time_left(attempt: Attempt) -> float:
    """Return the seconds until the deadline of *attempt*.

    Raises:
        TimeoutError: the deadline is over.
    """
    left = attempt.deadline - monotonic_clock()
    if left <= 0:
        raise TimeoutError
    return left


class TimedResponse(HTTPResponse):
    """A response that raises RemoteDisconnected if the connection is lost before the first byte, and only then.

    Args:
        sock: the connected socket.
        attempt: each read ends at its deadline.
        timeout: each read takes at most so many seconds.
        named: the arguments of HTTPResponse.
    """

    def __init__(self, sock: socket, *, attempt: Attempt, timeout: float, **named: Any) -> None:
        super().__init__(cast(socket, _TimedSocket(sock, attempt, timeout)), **named)

    def begin(self) -> None:
        """Read the status line and the headers."""
        try:
            # Nothing has been read yet, so an error here means that not one byte of the response has come.
            self.fp.peek(1)
        except LOST:
            raise RemoteDisconnected("the connection was lost") from None
        super().begin()

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status line of the final response, after any interim responses (RFC 9110, section 15.2)."""
        while True:
            version, status, reason = cast(Any, super())._read_status()
            if not 102 <= status < 200:
                return version, status, reason
            parse_headers(self.fp)


class _TimedReader(io.RawIOBase):
    """The bytes of a socket. Each read takes at most *timeout* seconds, and ends at the deadline of *attempt*."""

    def __init__(self, file: SocketIO, sock: socket, attempt: Attempt, timeout: float) -> None:
        self._file = file
        self._socket = sock
        self._attempt = attempt
        self._timeout = timeout

    def readable(self) -> bool:
        """Return True, as RawIOBase requires of a reader."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read the next bytes into *buffer* and return their number."""
        self._socket.settimeout(min(time_left(self._attempt), self._timeout))
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Release the socket."""
        self._file.close()
        super().close()


class _TimedSocket(NamedTuple):
    """The part of a socket that HTTPResponse uses."""

    socket: socket
    attempt: Attempt
    timeout: float

    def makefile(self, mode: str) -> io.BufferedReader:
        file = cast(SocketIO, self.socket.makefile(cast(Any, mode), buffering=0))
        return io.BufferedReader(_TimedReader(file, self.socket, self.attempt, self.timeout))
