"""The reader of HTTP responses: what it accepts, what it refuses, and that the pieces of the input do not matter."""

from __future__ import annotations

import gc
import weakref
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore._values import replace
from srpcore_transports.http_response import (
    MAX_FIELDS,
    MAX_HEAD,
    MAX_INTERIM,
    Answer,
    Incomplete,
    InvalidResponse,
    NoLength,
    NoResponse,
    ResponseReader,
    TooLong,
)

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

LIMIT = 1000
OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(data: bytes, *, method: str = "POST", pieces: int = 0) -> Answer | None:
    """Return the answer in *data*, given at once or in pieces of so many bytes; None if more is needed."""
    reader = ResponseReader(method, limit=LIMIT)
    size = pieces or len(data)
    for start in range(0, len(data), size):
        answer = reader.feed(data[start : start + size])
        if answer is not None:
            return answer
    return None


def body_of(data: bytes) -> bytes:
    answer = read(data)
    assert answer is not None
    return answer.body


def header(value: bytes, name: bytes = b"X-Name") -> bytes:
    return OK + name + b": " + value + b"\r\nContent-Length: 0\r\n\r\n"


def chunks(data: bytes) -> bytes:
    return CHUNKED + data


ACCEPTED: dict[str, tuple[bytes, tuple[int, dict[str, str], bytes, bool]]] = {
    "a length": (
        OK + b"Content-Length: 2\r\n\r\n{}",
        (200, {"content-length": "2"}, b"{}", True),
    ),
    "no space and no reason": (
        b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        (200, {"content-length": "0"}, b"", True),
    ),
    "a value that begins and ends with letters": (
        header(b"\tXML \t", b"X-Kind"),
        (200, {"x-kind": "XML", "content-length": "0"}, b"", True),
    ),
    "a value of one letter": (
        header(b"X"),
        (200, {"x-name": "X", "content-length": "0"}, b"", True),
    ),
    "an empty reason": (
        b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
        (200, {"content-length": "0"}, b"", True),
    ),
    "a reason in Latin-1": (
        b"HTTP/1.1 404 nicht gef\xfcnden\r\nContent-Length: 0\r\n\r\n",
        (404, {"content-length": "0"}, b"", True),
    ),
    "HTTP/1.0": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        (200, {"connection": "keep-alive", "content-length": "0"}, b"", False),
    ),
    "Connection: close": (
        OK + b"Connection: x, Close\r\nConnection: y\r\nContent-Length: 0\r\n\r\n",
        (200, {"connection": "y", "content-length": "0"}, b"", False),
    ),
    "bytes after the response": (
        EMPTY + b"H",
        (200, {"content-length": "0"}, b"", False),
    ),
    "a header of every kind of value": (
        OK + b"A:\r\nB:b\r\nC: \t c c\t \r\nD: \xe9\x80\xff\r\nContent-Length: 0\r\n\r\n",
        (200, {"a": "", "b": "b", "c": "c c", "d": "\xe9\x80\xff", "content-length": "0"}, b"", True),
    ),
    "the last of two headers": (
        OK + b"A: 1\r\na: 2\r\nContent-Length: 0\r\n\r\n",
        (200, {"a": "2", "content-length": "0"}, b"", True),
    ),
    "204 without a length": (b"HTTP/1.1 204 No Content\r\n\r\n", (204, {}, b"", True)),
    "304 with the length of what was not sent": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        (304, {"content-length": "9"}, b"", True),
    ),
    "chunks": (
        CHUNKED + b"3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n",
        (200, {"transfer-encoding": "chunked"}, b"abc0123456789", True),
    ),
    "chunks with extensions and trailers": (
        OK + b"Transfer-Encoding: Chunked\r\n\r\n" + b'1;a;b="c d"\r\nx\r\n000;\r\nX-Trailer: 1\r\nY: 2\r\n\r\n',
        (200, {"transfer-encoding": "Chunked"}, b"x", True),
    ),
    "interim responses": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\n\r\n" + EMPTY,
        (200, {"content-length": "0"}, b"", True),
    ),
    "as many interim responses as are allowed": (
        b"HTTP/1.1 100 Continue\r\n\r\n" * MAX_INTERIM + EMPTY,
        (200, {"content-length": "0"}, b"", True),
    ),
    "as many headers as are allowed": (
        OK + b"A: b\r\n" * (MAX_FIELDS - 1) + EMPTY[len(OK) :],
        (200, {"a": "b", "content-length": "0"}, b"", True),
    ),
    "a long header": (
        header(b"x" * 65_000),
        (200, {"x-name": "x" * 65_000, "content-length": "0"}, b"", True),
    ),
    "a length of 18 digits": (
        OK + b"Content-Length: 000000000000000002\r\n\r\n{}",
        (200, {"content-length": "000000000000000002"}, b"{}", True),
    ),
    "a chunk size of 16 digits": (
        CHUNKED + b"0000000000000001\r\nx\r\n0\r\n\r\n",
        (200, {"transfer-encoding": "chunked"}, b"x", True),
    ),
    "a body as long as the limit": (
        OK + b"Content-Length: 1000\r\n\r\n" + b"x" * LIMIT,
        (200, {"content-length": "1000"}, b"x" * LIMIT, True),
    ),
}


@pytest.mark.parametrize("pieces", [0, 1, 7])
@pytest.mark.parametrize(("data", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_valid_response_is_read(data: bytes, expected: tuple[int, dict[str, str], bytes, bool], pieces: int) -> None:
    answer = read(data, pieces=pieces * (1 + len(data) // 3000))
    if pieces == 1 and data.startswith(EMPTY):
        # The bytes after the response are not there yet.
        expected = (*expected[:3], True)
    assert answer == Answer(*expected)


REFUSED: dict[str, tuple[bytes, str]] = {
    "another protocol": (b"SSH-2.0", "begin with HTTP/1"),
    "a TLS alert": (b"\x15\x03\x01\x00\x02", "begin with HTTP/1"),
    "an empty line first": (b"\r\n" + EMPTY, "begin with HTTP/1"),
    "a name in lower case": (b"http/1.1 200 OK\r\n", "begin with HTTP/1"),
    "HTTP/2": (b"HTTP/2.0 200 OK\r\n", "begin with HTTP/1"),
    "HTTP/1.2": (b"HTTP/1.2 200 OK\r\n", "HTTP version"),
    "HTTP/1.10": (b"HTTP/1.10 200 OK\r\n", "HTTP version"),
    "a tab in the status line": (b"HTTP/1.1\t200 OK\r\n", "HTTP version"),
    "two spaces in the status line": (b"HTTP/1.1  200 OK\r\n", "status"),
    "no status": (b"HTTP/1.1\r\n", "status"),
    "a status of two digits": (b"HTTP/1.1 20 OK\r\n", "status"),
    "a status of four digits": (b"HTTP/1.1 2000 OK\r\n", "status"),
    "a status with a sign": (b"HTTP/1.1 +20 OK\r\n", "status"),
    "a status in other digits": (b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n", "status"),
    "a status below 100": (b"HTTP/1.1 099 OK\r\n", "status"),
    "a control character in the reason": (b"HTTP/1.1 200 O\x1bK\r\n", "reason"),
    "another protocol after this": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "changes to another protocol"),
    "too many interim responses": (b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_INTERIM + 1), "too many interim"),
    "a line that ends with LF": (b"HTTP/1.1 200 OK\n", "CRLF"),
    "a header that ends with LF": (OK + b"A: b\n", "CRLF"),
    "a header that ends with CR": (OK + b"A: b\rC: d\r\n", "value of a header"),
    "CR CR LF": (OK + b"A: b\r\r\n", "value of a header"),
    "no colon": (OK + b"Name\r\n", "name of a header"),
    "no name": (OK + b": value\r\n", "name of a header"),
    "a space before the colon": (OK + b"Name : value\r\n", "name of a header"),
    "a continuation line": (OK + b"A: b\r\n c\r\n", "name of a header"),
    "a continuation line with a tab": (OK + b"A: b\r\n\tc: d\r\n", "name of a header"),
    "a name outside ASCII": (OK + b"\xe9: value\r\n", "name of a header"),
    "NUL in a name": (OK + b"a\x00: value\r\n", "name of a header"),
    "NUL in a value": (header(b"a\x00b"), "value of a header"),
    "an escape in a value": (header(b"\x1b[31m"), "value of a header"),
    "DEL in a value": (header(b"\x7f"), "value of a header"),
    "a line that is too long": (header(b"x" * MAX_HEAD), "too long"),
    "headers that are too long together": (OK + b"".join(b"A: %s\r\n" % (b"x" * 999) for _ in range(66)), "too long"),
    "too many headers": (OK + b"A: b\r\n" * (MAX_FIELDS + 1), "too many headers"),
    "two equal lengths": (OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "twice"),
    "two different lengths": (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "twice"),
    "a list of equal lengths": (OK + b"Content-Length: 1, 1\r\n\r\nx", "Content-Length is not a number"),
    "an empty length": (OK + b"Content-Length:\r\n\r\n", "Content-Length is not a number"),
    "a negative length": (OK + b"Content-Length: -1\r\n\r\n", "Content-Length is not a number"),
    "a length with a plus": (OK + b"Content-Length: +1\r\n\r\n", "Content-Length is not a number"),
    "a length with an underscore": (OK + b"Content-Length: 1_0\r\n\r\n", "Content-Length is not a number"),
    "a length in other digits": (OK + b"Content-Length: \xb2\r\n\r\n", "Content-Length is not a number"),
    "a length of too many digits": (OK + b"Content-Length: " + b"0" * 19 + b"\r\n\r\n", "Content-Length is not a num"),
    "a length and chunks": (OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "twice"),
    "two codings in two headers": (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "twice"),
    "two codings in one header": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n", "transfer coding"),
    "another coding": (OK + b"Transfer-Encoding: identity\r\n\r\n", "transfer coding"),
    "chunks with HTTP/1.0": (b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "transfer coding"),
    "a contradiction without a body": (
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "twice",
    ),
    "an empty chunk size": (chunks(b"\r\n"), "size of a chunk"),
    "a chunk size with 0x": (chunks(b"0x1\r\nx\r\n"), "size of a chunk"),
    "a chunk size with a plus": (chunks(b"+1\r\nx\r\n"), "size of a chunk"),
    "a negative chunk size": (chunks(b"-1\r\n"), "size of a chunk"),
    "a chunk size with an underscore": (chunks(b"1_0\r\n"), "size of a chunk"),
    "a space before a chunk size": (chunks(b" 1\r\nx\r\n"), "size of a chunk"),
    "a space after a chunk size": (chunks(b"1 \r\nx\r\n"), "size of a chunk"),
    "a space before an extension": (chunks(b"1 ;a\r\nx\r\n"), "size of a chunk"),
    "a chunk size in other digits": (chunks(b"\xb2\r\n"), "size of a chunk"),
    "a chunk size of too many digits": (chunks(b"0" * 17 + b"\r\n"), "size of a chunk"),
    "a chunk size that ends with LF": (chunks(b"1\nx\r\n"), "CRLF"),
    "a control character in an extension": (chunks(b"1;\x00\r\nx\r\n"), "chunk extension"),
    "a carriage return in an extension": (chunks(b"1;a\rb\r\nx\r\n"), "chunk extension"),
    "an extension that is too long": (chunks(b"1;" + b"x" * MAX_HEAD), "too long"),
    "extensions that are too long together": (chunks(b"1;%s\r\nx\r\n" % (b"x" * 9998) * 7), "chunk sizes are too long"),
    "a chunk longer than its size": (chunks(b"1\r\nxy\r\n"), "end with CRLF"),
    "a chunk that ends with LF": (chunks(b"1\r\nx\n0\r\n"), "end with CRLF"),
    "a trailer that is not a header": (chunks(b"0\r\nx\r\n"), "name of a header"),
    "a trailer that is too long": (chunks(b"0\r\nA: " + b"x" * MAX_HEAD), "too long"),
    "too many trailers": (chunks(b"0\r\n" + b"A: b\r\n" * (MAX_FIELDS + 1)), "too many headers"),
}


# Every message. None quotes the response.
MESSAGES = {
    "a chunk does not end with CRLF",
    "a chunk extension contains a control character",
    "a line does not end with CRLF",
    "it changes to another protocol, which was not asked for",
    "it contains the length of its body twice",
    "it does not begin with HTTP/1",
    "it has too many headers",
    "its Content-Length is not a number",
    "its HTTP version is neither 1.0 nor 1.1",
    "its chunk sizes are too long",
    "its lines are too long",
    "its reason contains a control character",
    "its status is not a number of three digits",
    "its transfer coding is not supported",
    "the name of a header is not a token",
    "the size of a chunk is not a hexadecimal number",
    "the value of a header contains a control character",
    "too many interim responses",
}


@pytest.mark.parametrize("pieces", [0, 1])
@pytest.mark.parametrize(("data", "match"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_response_is_refused_as_soon_as_it_is_seen(data: bytes, match: str, pieces: int) -> None:
    with pytest.raises(InvalidResponse, match=match) as caught:
        read(data, pieces=pieces * (1 + len(data) // 3000))
    assert caught.type is InvalidResponse
    assert str(caught.value) in MESSAGES


def test_a_body_that_ends_with_the_connection_is_refused() -> None:
    with pytest.raises(NoLength):
        read(OK + b"Connection: close\r\n\r\n")


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 1001\r\n\r\n",
        OK + b"Content-Length: 999999999999999999\r\n\r\n",
        chunks(b"3e9\r\n"),
        chunks(b"3e8\r\n" + b"x" * LIMIT + b"\r\n1\r\n"),
        chunks(b"ffffffffffffffff\r\n"),
    ],
)
def test_a_body_longer_than_the_limit_is_refused_before_it_is_received(data: bytes) -> None:
    with pytest.raises(TooLong):
        read(data)


def test_many_small_chunks_are_not_too_long() -> None:
    reader = ResponseReader("GET", limit=100_000)
    answer = reader.feed(chunks(b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"))
    assert answer is not None
    assert answer.body == b"x" * 100_000


@pytest.mark.parametrize("data", [data for data, _ in ACCEPTED.values()], ids=ACCEPTED)
def test_every_truncated_response_is_incomplete(data: bytes) -> None:
    whole = len(data) - (1 if data == EMPTY + b"H" else 0)
    for size in range(0, whole, 1 + whole // 500):
        reader = ResponseReader("POST", limit=LIMIT)
        if size:
            assert reader.feed(data[:size]) is None
        with pytest.raises(Incomplete) as caught:
            reader.feed(b"")
        assert caught.type is (Incomplete if size else NoResponse)


def test_the_response_to_head_has_no_body() -> None:
    for data in (OK + b"Content-Length: 5000\r\n\r\n", CHUNKED, OK + b"\r\n"):
        answer = read(data, method="HEAD")
        assert answer is not None
        assert (answer.status, answer.body, answer.keep) == (200, b"", True)
    with pytest.raises(InvalidResponse, match="twice"):
        read(OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", method="HEAD")


@pytest.mark.parametrize("status", [200, 299, 407, 502])
def test_the_response_to_connect_ends_with_its_headers(status: int) -> None:
    # RFC 9110, section 9.3.6: headers about a body are ignored. The reason for a refusal is not needed.
    answer = read(
        b"HTTP/1.1 %d OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" % status, method="CONNECT"
    )
    assert answer is not None
    assert (answer.status, answer.body) == (status, b"")


def test_an_exception_does_not_quote_the_response() -> None:
    for data, _ in REFUSED.values():
        with pytest.raises(InvalidResponse) as caught:
            read(data.replace(b"A: b", b"Set-Cookie: hunter2"))
        assert "hunter2" not in str(caught.value)
        assert str(caught.value).isprintable()


def outcome(data: bytes, cuts: list[int]) -> object:
    reader = ResponseReader("POST", limit=LIMIT)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    try:
        for start, end in pairwise(places):
            answer = reader.feed(data[start:end])
            if answer is not None:
                # The bytes after the response decide about `keep`, if they were received with it.
                return replace(answer, keep=False)
        return reader.feed(b"")
    except InvalidResponse as error:
        return type(error), str(error)


PARTS = st.sampled_from(
    [
        b"HTTP/1.1 100 Continue\r\n",
        OK,
        b"Content-Length: 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"A: b\r\n",
        b"\r\n",
        b"\n",
        b"5\r\n",
        b"0\r\n",
        b"abcde",
        b"5;x\r\nabcde\r\n",
    ]
)


@given(
    st.sampled_from([data for data, *_ in [*ACCEPTED.values(), *REFUSED.values()] if len(data) < 5000])
    | st.lists(PARTS, max_size=12).map(lambda parts: OK + b"".join(parts))
    | st.binary(max_size=40),
    st.lists(st.integers(0, 5000), max_size=12),
)
def test_the_pieces_of_the_input_do_not_matter(data: bytes, cuts: list[int]) -> None:
    assert outcome(data, cuts) == outcome(data, []) == outcome(data, [*range(len(data))])


def test_an_incomplete_response_is_not_kept_in_memory() -> None:
    # Without a garbage collection: a response may contain tokens.
    reader = ResponseReader("POST", limit=LIMIT)
    reader.feed(OK)
    received = weakref.ref(reader._received)
    gc.disable()
    try:
        with pytest.raises(Incomplete):
            reader.feed(b"")
        del reader
        assert received() is None
    finally:
        gc.enable()


def test_a_line_is_refused_when_it_cannot_end_in_time() -> None:
    with pytest.raises(InvalidResponse, match="its lines are too long"):
        read(b"HTTP/1.1 200 " + b"x" * (MAX_HEAD - 13))
