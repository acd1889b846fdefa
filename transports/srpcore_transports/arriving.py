"""The response on one connection as it comes: no wait for it is without end, and it tells when it was lost."""

from __future__ import annotations

import io
import ssl
from http.client import HTTPResponse, RemoteDisconnected, parse_headers
from socket import SocketIO, socket
from typing import Any, NamedTuple, cast

from srpcore.clock import monotonic_clock

from .calls import Attempt

__all__ = ["LOST", "left_of", "response_class"]

LOST = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""What is raised where a connection is there no more."""


def response_class(attempt: Attempt, timeout: float) -> Any:
    """Return what http.client is to make of a socket: no wait is longer than *timeout*, all end with *attempt*."""

    def response(sock: socket, **named: Any) -> _Response:
        return _Response(cast(socket, _TimedSocket(sock, attempt, timeout)), **named)

    return response


def left_of(attempt: Attempt) -> float:
    """Return the seconds until the deadline of *attempt*.

    Raises:
        TimeoutError: there are none left.
    """
    left = attempt.deadline - monotonic_clock()
    if left <= 0:
        raise TimeoutError
    return left


class _Response(HTTPResponse):
    """A response that tells a connection lost before its first byte (RemoteDisconnected) from one lost later."""

    def begin(self) -> None:
        """Read the status line and the headers."""
        try:
            # Nothing was read so far, so an error in this one look means that not one byte came.
            self.fp.peek(1)
        except LOST:
            raise RemoteDisconnected("the connection was lost") from None
        super().begin()

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status line of the final response: interim ones may come before it (RFC 9110, section 15.2)."""
        while True:
            version, status, reason = cast(Any, super())._read_status()
            if not 102 <= status < 200:
                return version, status, reason
            parse_headers(self.fp)


class _TimedReader(io.RawIOBase):
    """The bytes that come on a socket: no wait is longer than *timeout*, and all of them end at the deadline."""

    def __init__(self, file: SocketIO, sock: socket, attempt: Attempt, timeout: float) -> None:
        self._file = file
        self._socket = sock
        self._attempt = attempt
        self._timeout = timeout

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Fill *buffer* with what comes next."""
        self._socket.settimeout(min(left_of(self._attempt), self._timeout))
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._file.close()
        super().close()


class _TimedSocket(NamedTuple):
    """What a response wants of a socket."""

    socket: socket
    attempt: Attempt
    timeout: float

    def makefile(self, mode: str) -> io.BufferedReader:
        file = cast(SocketIO, self.socket.makefile(cast(Any, mode), buffering=0))
        return io.BufferedReader(_TimedReader(file, self.socket, self.attempt, self.timeout))
