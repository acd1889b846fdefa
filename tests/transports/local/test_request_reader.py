"""The reader of HTTP requests: what it accepts, what it refuses, and that the pieces of the input do not matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore_transports.http_response import MAX_FIELDS, MAX_HEAD
from srpcore_transports.local.http.request_reader import BODY_LIMIT, InvalidRequest, Request, RequestReader

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /x HTTP/1.1\r\nHost: a\r\n"
END = b"\r\n"


def read(data: bytes, size: int = 0) -> list[Request]:
    """Return the requests in *data*, given at once or in pieces of *size* bytes."""
    reader = RequestReader()
    found: list[Request] = []
    step = size or len(data)
    for start in range(0, len(data), step):
        request = reader.feed(data[start : start + step])
        while request is not None:
            found.append(request)
            request = reader.next()
    assert not reader.started
    return found


ACCEPTED: dict[str, tuple[bytes, Request]] = {
    "a body": (
        POST + b"Content-Length: 2\r\n\r\n{}",
        Request("POST", "/", "", {"host": "a", "content-length": "2"}, b"{}"),
    ),
    "no body": (GET + END, Request("GET", "/x", "", {"host": "a"}, b"")),
    "a query": (
        b"GET /x?a=b?c HTTP/1.1\r\nHost: a\r\n\r\n",
        Request("GET", "/x", "a=b?c", {"host": "a"}, b""),
    ),
    "a whole URL as the target": (
        b"GET HTTP://A:80/x?y HTTP/1.1\r\nHost: a:80\r\n\r\n",
        Request("GET", "/x", "y", {"host": "a:80"}, b""),
    ),
    "a whole URL without a path": (
        b"GET http://a?y HTTP/1.1\r\nHost: a\r\n\r\n",
        Request("GET", "/", "y", {"host": "a"}, b""),
    ),
    "the target *": (
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        Request("OPTIONS", "*", "", {"host": "a"}, b""),
    ),
    "HTTP/1.0": (
        b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
        Request("GET", "/", "", {"host": "a", "connection": "keep-alive"}, b"", keep=False),
    ),
    "Connection: close": (
        GET + b"Connection: x , Close\r\n\r\n",
        Request("GET", "/x", "", {"host": "a", "connection": "x , Close"}, b"", keep=False),
    ),
    "an option that contains the word close": (
        GET + b"Connection: not-closed\r\n\r\n",
        Request("GET", "/x", "", {"host": "a", "connection": "not-closed"}, b""),
    ),
    "two headers of one name": (
        GET + b"X-A: 1\r\nx-a: 2\r\n\r\n",
        Request("GET", "/x", "", {"host": "a", "x-a": "1,2"}, b""),
    ),
    "chunks": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n{\r\r\n1\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n",
        Request("POST", "/", "", {"host": "a", "transfer-encoding": "chunked"}, b"{\r}"),
    ),
    "a body as long as the limit": (
        POST + b"Content-Length: %d\r\n\r\n" % BODY_LIMIT + b"x" * BODY_LIMIT,
        Request("POST", "/", "", {"host": "a", "content-length": str(BODY_LIMIT)}, b"x" * BODY_LIMIT),
    ),
    "as many headers as are allowed": (
        GET + b"A: b\r\n" * (MAX_FIELDS - 1) + END,
        Request("GET", "/x", "", {"host": "a", "a": ",".join(["b"] * (MAX_FIELDS - 1))}, b""),
    ),
}


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize(("data", "expected"), ACCEPTED.values(), ids=ACCEPTED)
def test_a_valid_request_is_read(data: bytes, expected: Request, pieces: int) -> None:
    assert read(data) == [expected]
    assert read(data, 1 + len(data) // 3000 * pieces) == [expected]


REFUSED: dict[str, tuple[bytes, int]] = {
    "two different lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "two equal lengths": (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "two lengths in one header": (POST + b"Content-Length: 2, 3\r\n\r\n{}", 400),
    "a length and chunks": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "another transfer coding": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a length with a sign": (POST + b"Content-Length: +2\r\n\r\n{}", 400),
    "a length of many digits": (POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
    "a chunk size with a sign": (POST + b"Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n", 400),
    "a chunk that is longer than its size": (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n", 400),
    "no length": (POST + END, 411),
    "a long body": (POST + b"Content-Length: %d\r\n\r\n" % (BODY_LIMIT + 1), 413),
    "a long chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n%X\r\n" % (BODY_LIMIT + 1), 413),
    "a header on two lines": (GET + b"A: b\r\n c\r\n\r\n", 400),
    "a space before the colon": (GET + b"A : b\r\n\r\n", 400),
    "a header without a colon": (GET + b"A\r\n\r\n", 400),
    "a header without a name": (GET + b": b\r\n\r\n", 400),
    "a CR in a value": (GET + b"A: b\rc\r\n\r\n", 400),
    "a NUL in a value": (GET + b"A: b\0c\r\n\r\n", 400),
    "a line that ends with LF": (GET + b"A: b\n\r\n", 400),
    "too many headers": (GET + b"A: b\r\n" * MAX_FIELDS + END, 400),
    "a long header": (GET + b"A: " + b"b" * MAX_HEAD, 400),
    "a long target": (b"GET /" + b"x" * MAX_HEAD, 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: a\r\n\r\n", 400),
    "a URL of another host": (b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a target that is not a path": (b"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "the target * of another method": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "a target with a control character": (b"GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "two spaces": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "no version": (b"GET /\r\n", 400),
    "a method that is not a token": (b"G(T / HTTP/1.1\r\n", 400),
    "another protocol": (b"\x16\x03\x01", 400),
    "an empty line first": (b"\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n", 505),
    "a malformed version": (b"GET / HTTP/1.12\r\n", 400),
    "an unknown expectation": (POST + b"Content-Length: 2\r\nExpect: coffee\r\n\r\n", 417),
}


@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_request_is_refused(data: bytes, status: int) -> None:
    for size in (len(data), 1 + len(data) // 3000):
        with pytest.raises(InvalidRequest) as caught:
            read(data, size)
        assert caught.value.status == status


def test_the_error_has_the_headers_if_they_were_valid() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(POST + b"Origin: http://localhost\r\n\r\n")
    assert caught.value.head is not None
    assert caught.value.head.headers["origin"] == "http://localhost"


def test_the_error_does_not_quote_the_request() -> None:
    for data, _ in REFUSED.values():
        with pytest.raises(InvalidRequest) as caught:
            read(data.replace(b"\r\nHost: a\r\n", b"\r\nHost: a\r\nAuthorization: s3cret\r\n"))
        assert "s3cret" not in caught.value.message


def test_continue_is_expected_until_the_body_comes() -> None:
    head = POST + b"Content-Length: 2\r\nExpect: 100-Continue\r\n"
    reader = RequestReader()
    assert reader.feed(head) is None
    assert not reader.expects_continue
    assert reader.feed(END) is None
    assert reader.expects_continue
    assert reader.feed(b"{}") is not None
    assert not reader.expects_continue
    assert reader.feed(head + END + b"{") is None
    assert not reader.expects_continue
    reader = RequestReader()
    reader.feed(head.replace(b"1.1", b"1.0") + END)
    assert not reader.expects_continue


def test_the_next_request_is_parsed_when_it_is_asked_for() -> None:
    reader = RequestReader()
    first = reader.feed(GET + END + b"\x16\x03")
    assert first is not None
    assert first.path == "/x"
    assert reader.started
    with pytest.raises(InvalidRequest):
        reader.next()


@given(st.lists(st.sampled_from([data for data, _ in ACCEPTED.values() if len(data) < 300]), max_size=4), st.data())
def test_pieces_do_not_matter(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    reader = RequestReader()
    found: list[Request] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        request = reader.feed(stream[start:end])
        while request is not None:
            found.append(request)
            request = reader.next()
    assert found == [request for part in parts for request in read(part)]
