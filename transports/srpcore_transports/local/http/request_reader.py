"""A strict reader of HTTP/1.1 requests (RFC 9112). It does no I/O: it is given bytes, and returns requests.

It reads headers and bodies with the functions of the client's reader of responses, so both follow the same rules. h11
would be a new dependency, and lets through what this library refuses in responses (a line that ends with LF only).

Theory of operation: one :class:`RequestReader` reads all requests of a connection. The parser is a generator that waits
at each ``yield`` for more bytes::

    start --> request line --> header lines --+--> no body (no length) ---------------+
      ^                                       +--> Content-Length: so many bytes -----+--> Request
      |                                       +--> chunks --> trailer lines ----------+      |
      +----------------- next(), after the response was made --------------------------------+

Bytes after a request belong to the next one (pipelining). They are parsed when :meth:`RequestReader.next` is called.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ...http_response import (
    MAX_HEAD,
    TOKEN,
    VERSIONS,
    Buffer,
    Fields,
    InvalidResponse,
    TooLong,
    body_length,
    consists_of,
    read_body,
    read_fields,
)

__all__ = ["BODY_LIMIT", "InvalidRequest", "Request", "RequestReader"]

BODY_LIMIT = 1 << 20
"""The largest accepted body in bytes."""

_TARGET = bytes(range(0x21, 0x7F))
_ABSOLUTE = re.compile(r"https?://(?P<host>[^/?]*)(?P<rest>.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case, and the values of headers with the same name are joined by commas.

    Attributes:
        path: the target without the query. It begins with a slash, or is ``*``.
        query: what follows the question mark in the target.
        keep: whether the connection can be used again.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    keep: bool = True


class InvalidRequest(Exception):
    """What was received is not a request by the rules of this module.

    Attributes:
        status: the HTTP status of the response.
        message: what is wrong, for the response. It does not quote the request.
        head: the request without its body, if its headers were valid.
    """

    def __init__(self, status: int, message: str, head: Request | None = None) -> None:
        super().__init__(status, message)
        self.status, self.message, self.head = status, message, head


_Parser: TypeAlias = Generator[None, None, Request]


class RequestReader:
    """Reads the requests of one connection.

    Attributes:
        expects_continue: whether the client waits for "100 Continue" before it sends the body of the present request.
            Set it to False after sending that.
    """

    def __init__(self) -> None:
        self._received = Buffer()
        self._parser: _Parser | None = None
        self.expects_continue = False

    @property
    def started(self) -> bool:
        """Whether a part of the next request was received."""
        return self._parser is not None or bool(self._received.data)

    def feed(self, data: bytes) -> Request | None:
        """Add the next bytes, and return the request if it is complete now.

        Raises:
            InvalidRequest: this is not an HTTP request, or not an acceptable one. The connection must be closed.
        """
        self._received.data += data
        return self.next()

    def next(self) -> Request | None:
        """Return the next request, if the bytes of it were received already.

        Raises:
            InvalidRequest: as for :meth:`feed`.
        """
        if self._parser is None:
            if not self._received.data:
                return None
            self._parser = self._parse()
        try:
            next(self._parser)
        except StopIteration as end:
            self._parser = None
            self.expects_continue = False
            request: Request = end.value
            return request
        except InvalidResponse as error:
            raise InvalidRequest(400, f"The request is not valid HTTP: {error}.") from None
        return None

    def _parse(self) -> _Parser:
        received = self._received
        if received.data[0] not in TOKEN:
            # InvalidResponse is the exception of the functions that are shared with the reader of responses. In this
            # module it means a request that is not valid HTTP: next() turns it into InvalidRequest with the status 400.
            #
            # Do not wait for the end of a line: another protocol, for example TLS, may not have lines.
            raise InvalidResponse("it does not begin with a method")
        line = yield from received.line(MAX_HEAD)
        method, target, version = _request_line(line)
        fields = yield from read_fields(received, MAX_HEAD - len(line))
        head = _head(method, target, version, fields)
        length = body_length(version, fields)
        if length is None:
            if method == "POST":
                raise InvalidRequest(411, "The request needs a Content-Length header.", head)
            return head
        self.expects_continue = not received.data and _expects_continue(version, head)
        try:
            body = yield from read_body(received, length, BODY_LIMIT)
        except TooLong:
            raise InvalidRequest(413, f"The request body is longer than {BODY_LIMIT} bytes.", head) from None
        return Request(method, head.path, head.query, head.headers, body, head.keep)


def _request_line(line: bytes) -> tuple[str, str, bytes]:
    parts = line.split(b" ")
    if len(parts) != 3 or not consists_of(parts[0], TOKEN) or not consists_of(parts[1], _TARGET):
        raise InvalidResponse("its first line does not consist of a method, a target and a version")
    method, target, version = parts
    if version not in VERSIONS:
        if re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version):
            raise InvalidRequest(505, "The HTTP version is neither 1.0 nor 1.1.")
        raise InvalidResponse("its HTTP version is malformed")
    return method.decode("ascii"), target.decode("ascii"), version


def _head(method: str, target: str, version: bytes, fields: Fields) -> Request:
    """Return the request without its body, after checking that it names exactly one host."""
    headers: dict[str, str] = {}
    for name, value in fields:
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    if sum(name == "host" for name, _ in fields) != 1:
        raise InvalidResponse("it must have one Host header")
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is not None:
        if absolute["host"].lower() != headers["host"].lower():
            raise InvalidResponse("its target and its Host header name different hosts")
        target = absolute["rest"] if absolute["rest"].startswith("/") else f"/{absolute['rest']}"
    path, _, query = target.partition("?")
    if not path.startswith("/") and (path, method) != ("*", "OPTIONS"):
        raise InvalidResponse("its target is not a path")
    options = {option.strip(" \t").lower() for option in headers.get("connection", "").split(",")}
    return Request(method, path, query, headers, b"", version == b"HTTP/1.1" and "close" not in options)


def _expects_continue(version: bytes, head: Request) -> bool:
    """Return whether the client waits for "100 Continue".

    Raises:
        InvalidRequest: it expects something else.
    """
    expected = head.headers.get("expect")
    if expected is None or version == b"HTTP/1.0":
        return False
    if expected.lower() != "100-continue":
        raise InvalidRequest(417, "The only expectation that this server meets is 100-continue.", head)
    return True
