"""The limits of the reader of HTTP responses, each at its last accepted value and one beyond."""

from __future__ import annotations

import pytest

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

START = b"HTTP/1.1 204 No Content\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LIMIT = 10


def read(data: bytes, method: str = "GET") -> Answer:
    answer = ResponseReader(method, limit=LIMIT).feed(data)
    assert answer is not None
    return answer


def chunks(*lines: bytes) -> bytes:
    return CHUNKED + b"".join(line + b"\r\nx\r\n" for line in lines) + b"0\r\n\r\n"


def length(digits: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: " + digits + b"\r\n\r\n" + body


# The header line may have what the status line leaves, without its CRLF and without the empty line after it.
LONGEST = b"A: " + b"x" * (MAX_HEAD - len(START) + 2 - len(b"A: \r\n\r\n"))


@pytest.mark.parametrize(
    ("accepted", "refused", "message"),
    [
        (START + LONGEST + b"\r\n\r\n", START + LONGEST + b"x\r\n\r\n", "its lines are too long"),
        (
            START + b"A: b\r\n" * MAX_FIELDS + b"\r\n",
            START + b"A: b\r\n" * (MAX_FIELDS + 1) + b"\r\n",
            "it has too many headers",
        ),
        (
            b"HTTP/1.1 100 Continue\r\n\r\n" * MAX_INTERIM + START + b"\r\n",
            b"HTTP/1.1 199 X\r\n\r\n" * (MAX_INTERIM + 1) + START + b"\r\n",
            "too many interim responses",
        ),
        (length(b"0" * 17 + b"1", b"x"), length(b"0" * 18 + b"1", b"x"), "its Content-Length is not a number"),
        (
            chunks(b"0" * 15 + b"1"),
            chunks(b"0" * 16 + b"1"),
            "the size of a chunk is not a hexadecimal number",
        ),
        (
            chunks(b"1;" + b"x" * (MAX_HEAD - 4), b"1;x"),
            chunks(b"1;" + b"x" * (MAX_HEAD - 4), b"1;xx"),
            "its chunk sizes are too long",
        ),
        (chunks(b"1;" + b"x" * (MAX_HEAD - 4)), chunks(b"1;" + b"x" * (MAX_HEAD - 3)), "its lines are too long"),
        (
            b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 99 X\r\n",
            "its status is not a number of three digits",
        ),
        (
            b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 101 X\r\n\r\n",
            "it changes to another protocol, which was not asked for",
        ),
    ],
)
def test_a_limit_is_inclusive(accepted: bytes, refused: bytes, message: str) -> None:
    assert read(accepted)
    with pytest.raises(InvalidResponse) as caught:
        read(refused)
    assert str(caught.value) == message


def test_the_limit_of_the_body_is_inclusive() -> None:
    body = b"x" * LIMIT
    assert read(length(b"10", body)) == Answer(200, {"content-length": "10"}, body, True)
    chunked = CHUNKED + b"a\r\n" + body + b"\r\n"
    assert read(chunked + b"0\r\n\r\n").body == body
    for data in (length(b"11", b""), CHUNKED + b"b\r\n", chunked + b"1\r\n"):
        with pytest.raises(TooLong):
            read(data)


def test_the_whole_answer_is_returned() -> None:
    answer = read(
        b"HTTP/1.1 200 OK\r\nX-Name: \t a B \t\r\nTRANSFER-ENCODING: Chunked\r\n\r\n3\r\nabc\r\n0\r\nT: t\r\n\r\n"
    )
    assert answer == Answer(200, {"x-name": "a B", "transfer-encoding": "Chunked"}, b"abc", True)
    assert read(b"HTTP/1.1 200 OK\r\nX: \xe9\r\n\r\n", "HEAD") == Answer(200, {"x": "\xe9"}, b"", True)
    assert read(b"HTTP/1.1 200 OK\r\n\r\n", "CONNECT") == Answer(200, {}, b"", True)
    assert read(b"HTTP/1.1 304 Not Modified\r\n\r\n") == Answer(304, {}, b"", True)


@pytest.mark.parametrize(
    ("data", "keep"),
    [
        (length(b"1", b"x"), True),
        (length(b"1", b"xy"), False),
        (length(b"1", b"x").replace(b"1.1", b"1.0"), False),
        (length(b"1\r\nConnection: keep-alive, Close", b"x"), False),
        (length(b"1\r\nConnection: keep-alive", b"x"), True),
        (length(b"1\r\nX-Connection: close", b"x"), True),
    ],
)
def test_a_connection_is_kept_only_if_both_sides_agree_where_the_response_ends(data: bytes, keep: bool) -> None:
    assert read(data).keep is keep


def test_a_response_arrives_in_single_bytes() -> None:
    data = b"HTTP/1.1 100 Continue\r\n\r\n" + length(b"3", b"abc")
    reader = ResponseReader("GET", limit=LIMIT)
    for index in range(len(data) - 1):
        assert reader.feed(data[index : index + 1]) is None
    answer = reader.feed(data[-1:])
    assert answer is not None
    assert answer.body == b"abc"


def test_a_connection_that_is_closed_early_is_named() -> None:
    with pytest.raises(NoResponse):
        ResponseReader("GET", limit=LIMIT).feed(b"")
    reader = ResponseReader("GET", limit=LIMIT)
    assert reader.feed(b"H") is None
    with pytest.raises(Incomplete) as caught:
        reader.feed(b"")
    assert caught.type is Incomplete
    with pytest.raises(NoLength):
        read(b"HTTP/1.1 200 OK\r\n\r\nbody")
    with pytest.raises(InvalidResponse, match=r"^it does not begin with HTTP/1$"):
        read(b"HTTP/2")
