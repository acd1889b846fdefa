"""A strict reader of HTTP/1.1 responses (RFC 9112). It does no I/O: it is given bytes, and returns the response.

Theory of operation: :class:`ResponseReader` is fed with what a connection delivers, in pieces of any size, and parses
as far as the bytes go. The parser is a generator that waits at each ``yield`` for more bytes::

                 +-- interim (1xx) --+
                 v                   |
    start --> status line --> header lines --+--> no body (HEAD, CONNECT, 204, 304) --+
                                             |                                        |
                                             +--> Content-Length: so many bytes ------+--> Answer
                                             |                                        |
                                             +--> chunks --> trailer lines -----------+

What the reader does not understand, it refuses. A lenient reader guesses where a response ends. If a proxy on the way
guesses differently, then the rest of one response is taken for the next one, which may be another user's. So a line
ends with CRLF only, a header is on one line, and there is exactly one way to find the end of the body: two lengths are
refused even if they are equal, although RFC 9110 (section 8.6) permits both. A body that ends with the connection is
refused as well: nobody could see that it was cut short. Every size is bounded, so no response can fill the memory.

No message of an exception quotes the response, because it may contain tokens.

The local pool reads requests by the same rules, with the functions of this module (``local/http/request_reader.py``).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

from srpcore._values import Value

__all__ = [
    "MAX_FIELDS",
    "MAX_HEAD",
    "MAX_INTERIM",
    "TOKEN",
    "VALUE",
    "VERSIONS",
    "Answer",
    "Buffer",
    "Fields",
    "Incomplete",
    "InvalidResponse",
    "NoLength",
    "NoResponse",
    "ResponseReader",
    "TooLong",
    "body_length",
    "consists_of",
    "read_body",
    "read_fields",
]

MAX_HEAD = 65_536
"""The largest accepted size in bytes of a status line with its headers, and of the trailers. The lines with the sizes
of the chunks may be longer than the body by so many bytes."""

MAX_FIELDS = 100
"""How many headers a response may have, and how many trailers."""

MAX_INTERIM = 20
"""How many interim responses (1xx) are accepted before the final one."""

TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The bytes of the name of a header (RFC 9110, section 5.6.2)."""

VALUE = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
"""The bytes of the value of a header (RFC 9110, section 5.5): no control characters except the tab."""

_DIGITS = b"0123456789"
_HEXADECIMAL = _DIGITS + b"abcdefABCDEF"
VERSIONS = b"HTTP/1.0", b"HTTP/1.1"
_CHUNKED = -1

Fields: TypeAlias = list[tuple[str, str]]
"""The names, in lower case, and the values of headers."""


class Answer(Value):
    """One response. Header names are in lower case; ``keep`` is whether the connection can be used again."""

    __slots__ = ("body", "headers", "keep", "status")
    _hidden = frozenset({"body", "headers"})

    status: int
    headers: dict[str, str]
    body: bytes
    keep: bool

    def __init__(self, status: int, headers: dict[str, str], body: bytes, keep: bool) -> None:
        self._set(status=status, headers=headers, body=body, keep=keep)


class InvalidResponse(Exception):
    """What was received is not a response by the rules of this module."""


class Incomplete(InvalidResponse):
    """The connection was closed before the response was complete."""


class NoResponse(Incomplete):
    """The connection was closed before the first byte of a response."""


class NoLength(InvalidResponse):
    """The end of the body is not marked, except by the end of the connection."""


class TooLong(InvalidResponse):
    """The body is longer than the limit."""


class ResponseReader:
    """Reads one response.

    Args:
        method: the method of the request. The response to HEAD has no body. That to CONNECT ends with its headers.
        limit: the largest accepted body in bytes.
    """

    def __init__(self, method: str, *, limit: int) -> None:
        self._received = Buffer()
        # The parser does not refer to this object. Otherwise the two would keep each other, and what was received, in
        # memory if a response remains incomplete.
        self._parser = _parse(self._received, method, limit)
        self._started = False
        next(self._parser)

    def feed(self, data: bytes) -> Answer | None:
        """Add the next bytes, and return the response if it is complete now. Do not call it again after that.

        Args:
            data: what was received; empty if the connection was closed.

        Raises:
            NoResponse: the connection was closed, and nothing was received before.
            Incomplete: it was closed before the end of the response.
            NoLength: the response does not contain the length of its body.
            TooLong: the body is longer than the limit.
            InvalidResponse: this is not an HTTP response, or not an acceptable one.
        """
        if not data:
            raise Incomplete if self._started else NoResponse
        self._started = True
        self._received.data += data
        try:
            next(self._parser)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        return None


class Buffer:
    """Bytes that were received and not yet parsed."""

    def __init__(self) -> None:
        self.data = bytearray()

    def line(self, longest: int) -> Generator[None, None, bytes]:
        """Remove the next line, of *longest* bytes at most, and return it without its CRLF."""
        searched = 0
        while (end := self.data.find(b"\n", searched, longest)) < 0:
            searched = len(self.data)
            if searched >= longest:
                raise InvalidResponse("its lines are too long")
            yield
        line = yield from self.take(end + 1)
        if not line.endswith(b"\r\n"):
            raise InvalidResponse("a line does not end with CRLF")
        return line[:-2]

    def take(self, size: int) -> Generator[None, None, bytes]:
        """Remove *size* bytes and return them."""
        while len(self.data) < size:
            yield
        taken = bytes(self.data[:size])
        del self.data[:size]
        return taken


def _parse(received: Buffer, method: str, limit: int) -> Generator[None, None, Answer]:
    yield
    for _ in range(MAX_INTERIM + 1):
        version, status, fields = yield from _head(received)
        if status >= 200:
            break
        if status == 101:
            raise InvalidResponse("it changes to another protocol, which was not asked for")
    else:
        raise InvalidResponse("too many interim responses")
    body = b""
    if method != "CONNECT":
        length = body_length(version, fields)
        if method != "HEAD" and status not in (204, 304):
            body = yield from read_body(received, length, limit)
    closing = any(name == "connection" and "close" in value.lower() for name, value in fields)
    # Bytes after the response were not asked for, so nobody knows what they belong to.
    keep = version == b"HTTP/1.1" and not closing and not received.data
    return Answer(status, dict(fields), body, keep)


def _head(received: Buffer) -> Generator[None, None, tuple[bytes, int, Fields]]:
    """Read a status line and its headers."""
    while not received.data.startswith(b"HTTP/1."):
        # Do not wait for the end of a line: another protocol may not have lines.
        if not b"HTTP/1.".startswith(received.data):
            raise InvalidResponse("it does not begin with HTTP/1")
        yield
    line = yield from received.line(MAX_HEAD)
    version, status = _status_line(line)
    fields = yield from read_fields(received, MAX_HEAD - len(line))
    return version, status, fields


def read_fields(received: Buffer, left: int) -> Generator[None, None, Fields]:
    """Read headers or trailers, of *left* bytes at most, and the empty line after them."""
    fields: Fields = []
    while line := (yield from received.line(left)):
        fields.append(_field(line))
        if len(fields) > MAX_FIELDS:
            raise InvalidResponse("it has too many headers")
        left -= len(line) + 2
    return fields


def body_length(version: bytes, fields: Fields) -> int | None:
    """Return the length of the body, _CHUNKED if the chunks contain it, or None if the end of the body is not marked.

    Raises:
        InvalidResponse: the headers contradict each other.
    """
    found = [(name, value) for name, value in fields if name in ("content-length", "transfer-encoding")]
    if len(found) > 1:
        raise InvalidResponse("it contains the length of its body twice")
    if not found:
        return None
    ((name, value),) = found
    if name == "content-length":
        return _length(value)
    if value.lower() != "chunked" or version == b"HTTP/1.0":
        raise InvalidResponse("its transfer coding is not supported")
    return _CHUNKED


def read_body(received: Buffer, length: int | None, limit: int) -> Generator[None, None, bytes]:
    """Read the body. *length* is as body_length() returns it."""
    if length is None:
        raise NoLength
    if length == _CHUNKED:
        return (yield from _chunks(received, limit))
    if length > limit:
        raise TooLong
    return (yield from received.take(length))


def _chunks(received: Buffer, limit: int) -> Generator[None, None, bytes]:
    body, overhead = bytearray(), 0
    while True:
        line = yield from received.line(MAX_HEAD)
        size = _chunk_size(line)
        # A server may send small chunks, but not many with long extensions.
        overhead += len(line)
        if overhead > MAX_HEAD + len(body):
            raise InvalidResponse("its chunk sizes are too long")
        if size == 0:
            break
        if len(body) + size > limit:
            raise TooLong
        body += yield from received.take(size)
        if (yield from received.take(2)) != b"\r\n":
            raise InvalidResponse("a chunk does not end with CRLF")
    yield from read_fields(received, MAX_HEAD)  # the trailers, which nothing here needs
    return bytes(body)


def consists_of(data: bytes, allowed: bytes) -> bool:
    """Return whether *data* is not empty and contains only bytes of *allowed*."""
    return data != b"" and not data.translate(None, allowed)


def _status_line(line: bytes) -> tuple[bytes, int]:
    # The space after the status is required, but many servers that send no reason leave it out.
    version, _, rest = line.partition(b" ")
    status, _, reason = rest.partition(b" ")
    if version not in VERSIONS:
        raise InvalidResponse("its HTTP version is neither 1.0 nor 1.1")
    if len(status) != 3 or not consists_of(status, _DIGITS) or status < b"100":
        raise InvalidResponse("its status is not a number of three digits")
    if reason.translate(None, VALUE):
        raise InvalidResponse("its reason contains a control character")
    return version, int(status)


def _field(line: bytes) -> tuple[str, str]:
    # A continuation line (obsolete line folding) and a space before the colon are refused here too.
    name, colon, value = line.partition(b":")
    if not colon or not consists_of(name, TOKEN):
        raise InvalidResponse("the name of a header is not a token")
    if value.translate(None, VALUE):
        raise InvalidResponse("the value of a header contains a control character")
    return name.decode("ascii").lower(), value.strip(b" \t").decode("latin-1")


def _length(value: str) -> int:
    # A bound for the digits, because int() is slow for many, and refuses more than 4300.
    if len(value) > 18 or not consists_of(value.encode("latin-1"), _DIGITS):
        raise InvalidResponse("its Content-Length is not a number")
    return int(value)


def _chunk_size(line: bytes) -> int:
    size, _, extension = line.partition(b";")
    # int() would accept signs, spaces, underscores and "0x".
    if len(size) > 16 or not consists_of(size, _HEXADECIMAL):
        raise InvalidResponse("the size of a chunk is not a hexadecimal number")
    if extension.translate(None, VALUE):
        raise InvalidResponse("a chunk extension contains a control character")
    return int(size, 16)
