"""The reader of HTTP responses beside two others: the standard library's http.client, and h11.

Each of the three is given the same bytes and then the end of the connection. If they differ, the difference must be in
the list below, which gives the reason, and an example that shows that the entry is needed.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable
from typing import NamedTuple, cast

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpcore_transports.http_response import Answer, InvalidResponse, ResponseReader

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

LIMIT = 1_000_000
METHODS = ("POST", "GET", "HEAD")


class Read(NamedTuple):
    """What one reader made of a response; ``keep`` is whether it would use the connection again."""

    status: int
    headers: dict[str, str]
    body: bytes
    keep: bool


Outcome = Read | str
"""A response, or the message of the exception if it was refused."""


def _read(status: int, headers: dict[str, str], body: bytes, keep: bool) -> Read:
    # http.client leaves spaces at the end of a value. h11 returns the transfer coding in lower case.
    stripped = {name: value.strip(" \t") for name, value in headers.items()}
    if "transfer-encoding" in stripped:
        stripped["transfer-encoding"] = stripped["transfer-encoding"].lower()
    return Read(status, stripped, body, keep)


def by_ours(data: bytes, method: str) -> Outcome:
    reader = ResponseReader(method, limit=LIMIT)
    try:
        answer: Answer | None = reader.feed(data) if data else None
        answer = answer or reader.feed(b"")
    except InvalidResponse as error:
        return str(error) or type(error).__name__
    assert answer is not None
    return _read(answer.status, answer.headers, answer.body, answer.keep)


class _Bytes(NamedTuple):
    data: bytes

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.data)


def by_http_client(data: bytes, method: str) -> Outcome:
    response = http.client.HTTPResponse(cast(socket.socket, _Bytes(data)), method=method)
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ValueError) as error:
        return type(error).__name__
    finally:
        response.close()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return _read(response.status, headers, body, not response.will_close)


def by_h11(data: bytes, method: str) -> Outcome:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LIMIT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a"), ("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())
    found: h11.Response | None = None
    body = b""
    try:
        if data:
            connection.receive_data(data)
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(b"")
            elif isinstance(event, h11.Response):
                found = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            elif not isinstance(event, h11.InformationalResponse):
                return str(event)
    except h11.RemoteProtocolError as error:
        return str(error)
    assert found is not None
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in found.headers}
    keep = connection.their_state is h11.DONE and not connection.trailing_data[0]
    return _read(found.status_code, headers, body, keep)


PEERS: dict[str, Callable[[bytes, str], Outcome]] = {"http.client": by_http_client, "h11": by_h11}

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = b"Content-Length: 0\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

STRICTER: dict[str, tuple[str, str, dict[str, bytes]]] = {
    "Incomplete": (
        "",
        "http.client takes truncated headers and trailers for complete ones, because the headers of email end anywhere",
        {"http.client": OK + b"Content-Length: 0\r\n"},
    ),
    "NoLength": (
        "",
        "the others read until the connection is closed, and cannot see that the body was cut short",
        {"http.client": OK + b"\r\n{}", "h11": OK + b"\r\n{}"},
    ),
    "beginning": (
        "it does not begin with HTTP/1",
        "http.client accepts HTTP/0.9, h11 any version of one digit before and after the dot",
        {"http.client": b"HTTP/0.9 200 OK\r\n" + EMPTY, "h11": b"HTTP/2.0 200 OK\r\n" + EMPTY},
    ),
    "HTTP version": (
        "its HTTP version is neither 1.0 nor 1.1",
        "http.client accepts any HTTP/1.x and other white space in the status line; h11 any minor version",
        {"http.client": b"HTTP/1.2\t200 OK\r\n" + EMPTY, "h11": b"HTTP/1.2 200 OK\r\n" + EMPTY},
    ),
    "status": (
        "its status is not a number of three digits",
        "http.client uses int(), which accepts signs and zeros in front, and splits at any white space",
        {"http.client": b"HTTP/1.1 +200 OK\r\n" + EMPTY},
    ),
    "reason": (
        "its reason contains a control character",
        "h11 accepts the control characters that are not white space, http.client all",
        {"http.client": b"HTTP/1.1 200 \x00\r\n" + EMPTY, "h11": b"HTTP/1.1 200 \x1b\r\n" + EMPTY},
    ),
    "101": (
        "it changes to another protocol, which was not asked for",
        "http.client returns it like a final response",
        {"http.client": b"HTTP/1.1 101 Other\r\n\r\n"},
    ),
    "LF": (
        "a line does not end with CRLF",
        "the others accept LF, which RFC 9112 (section 2.2) permits: readers that differ in that see other headers",
        {"http.client": b"HTTP/1.1 200 OK\n" + EMPTY, "h11": b"HTTP/1.1 200 OK\n" + EMPTY},
    ),
    "name": (
        "the name of a header is not a token",
        "http.client skips such a line or ends the headers there, and both join continuation lines (obsolete folding)",
        {"http.client": OK + b"A: b\r\n c\r\n" + EMPTY, "h11": OK + b"A: b\r\n c\r\n" + EMPTY},
    ),
    "value": (
        "the value of a header contains a control character",
        "h11 accepts the control characters that are not white space, for the cookies of some sites; http.client all",
        {"http.client": OK + b"A: \x00\r\n" + EMPTY, "h11": OK + b"A: \x01\r\n" + EMPTY},
    ),
    "twice": (
        "it contains the length of its body twice",
        "h11 accepts equal lengths, and prefers chunks to a length; http.client takes the first one",
        {
            "http.client": OK + b"Content-Length: 0\r\nContent-Length: 1\r\n\r\n",
            "h11": OK + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        },
    ),
    "coding": (
        "its transfer coding is not supported",
        "http.client ignores codings that it does not know; both accept chunks with HTTP/1.0",
        {
            "http.client": OK + b"Transfer-Encoding: gzip\r\n\r\n",
            "h11": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        },
    ),
    "length": (
        "its Content-Length is not a number",
        "http.client ignores such a length, or uses int(); h11 accepts a list of equal lengths, and 20 digits",
        {
            "http.client": OK + b"Content-Length: +0\r\n\r\n",
            "h11": OK + b"Content-Length: 0, 0\r\n\r\n",
        },
    ),
    "chunk size": (
        "the size of a chunk is not a hexadecimal number",
        "http.client uses int(), which accepts 0x, signs, underscores and spaces; h11 spaces at the end, and 20 digits",
        {"http.client": CHUNKED + b"0x0\r\n\r\n", "h11": CHUNKED + b"0 \r\n\r\n"},
    ),
    "chunk extension": (
        "a chunk extension contains a control character",
        "http.client drops what follows a semicolon; h11 lets any byte pass there",
        {"http.client": CHUNKED + b"0;\x00\r\n\r\n", "h11": CHUNKED + b"0;\x00\r\n\r\n"},
    ),
    "chunk end": (
        "a chunk does not end with CRLF",
        "http.client skips two bytes without looking at them",
        {"http.client": CHUNKED + b"1\r\nxyz0\r\n\r\n"},
    ),
}
"""What only ours refuses: its message, the reason, and an example for each peer that accepts such a response."""


class Other(NamedTuple):
    """A case in which ours accepts a response and *peer* refuses it or reads another one."""

    peer: str
    reason: str
    applies: Callable[[bytes, str, Read], bool]
    example: bytes


def _has_interim(data: bytes, _method: str, _read: Read) -> bool:
    return data.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1"))


def _has_no_body(_data: bytes, method: str, read: Read) -> bool:
    return "transfer-encoding" in read.headers and (method == "HEAD" or read.status in (204, 304))


OTHERS = (
    Other(
        "http.client",
        "http.client skips the interim response 100 only, and returns 102 to 199 as final ones",
        _has_interim,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + EMPTY,
    ),
    Other(
        "h11",
        "h11 checks the headers about the body of an interim response, which has none (RFC 9112, section 6.3)",
        _has_interim,
        b"HTTP/1.1 103 Early Hints\r\nContent-Length: x\r\n\r\n" + OK + EMPTY,
    ),
    Other(
        "http.client",
        "http.client reads chunks after 204 and 304, which have no body (RFC 9112, section 6.3)",
        _has_no_body,
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
    ),
)


def explained(data: bytes, method: str, peer: str) -> bool:
    """Return whether *peer* agrees with ours, or the list has a reason why it does not."""
    ours, theirs = by_ours(data, method), PEERS[peer](data, method)
    if isinstance(ours, str):
        if isinstance(theirs, str):
            return True
        return any(ours == (message or name) and peer in examples for name, (message, _, examples) in STRICTER.items())
    if not isinstance(theirs, str) and ours[:3] == theirs[:3]:
        # Ours may give up a connection that a peer would keep, but never the reverse.
        return theirs.keep or not ours.keep
    return any(other.peer == peer and other.applies(data, method, ours) for other in OTHERS)


@pytest.mark.parametrize(
    ("name", "peer"), [(name, peer) for name, (_, _, examples) in STRICTER.items() for peer in examples]
)
def test_each_response_that_only_ours_refuses_is_accepted_by_the_peer(name: str, peer: str) -> None:
    message, _, examples = STRICTER[name]
    assert by_ours(examples[peer], "POST") == (message or name)
    assert isinstance(PEERS[peer](examples[peer], "POST"), Read)


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.reason)
def test_each_other_difference_exists(other: Other) -> None:
    ours, theirs = by_ours(other.example, "POST"), PEERS[other.peer](other.example, "POST")
    assert isinstance(ours, Read)
    assert isinstance(theirs, str) or ours[:3] != theirs[:3]
    assert explained(other.example, "POST", other.peer)


STATUS_LINES = st.sampled_from(
    [OK] * 6
    + [b"HTTP/1.1 %d X\r\n" % status for status in (100, 101, 103, 199, 204, 304, 400, 500, 999)]
    + [
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/1.1 200\r\n",
        b"HTTP/1.2 200 OK\r\n",
        b"HTTP/1.1 099 X\r\n",
        b"HTTP/1.1  200 X\r\n",
    ]
    + [b"HTTP/1.1 200 \xff\t\r\n", b"HTTP/1.1 200 OK\n", b"HTTP/0.9 200 OK\r\n", b"\r\n", b"HTTP/1.1 2_0 OK\r\n"]
)
HEADERS = st.sampled_from(
    [b"Content-Length: %b" % value for value in b"0|1|2|5|+5|-1|05|5, 5|0x5| 5 ||5_|\xb2|99999999999".split(b"|")]
    + [b"Transfer-Encoding: %b" % value for value in b"chunked|Chunked|gzip, chunked|identity||x, chunked".split(b"|")]
    + [b"Connection: %b" % value for value in b"close|keep-alive|x, CLOSE|xclosex".split(b"|")]
    + [b"A: b", b"A: b", b"B:", b"C: \xe9", b" folded", b"\tfolded: x", b"D : e", b": x", b"colonless", b"E: \x00"]
    + [b"F: \x0b", b"G: a\rb", b"H: a\r", b"content-LENGTH: 5", b"Content-Length : 5", b"Keep-Alive: x", b"\xff: x"]
)
CHUNKS = st.sampled_from(
    [b"5\r\nabcde\r\n"] * 3
    + [b"0\r\n\r\n"] * 3
    + [
        b"A\r\n0123456789\r\n",
        b"0x5\r\nabcde\r\n",
        b"+5\r\nabcde\r\n",
        b"-1\r\n",
        b"5 \r\nabcde\r\n",
        b" 5\r\nabcde\r\n",
    ]
    + [
        b"5;a=b\r\nabcde\r\n",
        b"5;\x00\r\nabcde\r\n",
        b"5\nabcde\n",
        b"5\r\nabcdefg",
        b"1_0\r\n",
        b"\r\n",
        b"0\r\nA: b\r\n\r\n",
    ]
    + [b"0\r\nx\r\n\r\n", b"0000\r\n\r\n", b"fffffff\r\n", b"0" * 18 + b"5\r\nabcde\r\n"]
)
ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b" \r\n"])


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Return a response that is often valid, and otherwise almost valid."""
    parts: list[bytes] = []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        parts.append(draw(STATUS_LINES))
        for header in draw(st.lists(HEADERS, max_size=4)):
            parts += [header, draw(ENDS)]
        parts.append(draw(ENDS))
    parts += draw(st.lists(CHUNKS | st.binary(max_size=6), max_size=4))
    data = b"".join(parts)
    for place, count, inserted in draw(
        st.lists(st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=2)), max_size=2)
    ):
        data = data[:place] + inserted + data[place + count :]
    return data[: draw(st.sampled_from([10_000, 10_000, 10_000, len(data) // 2, max(0, len(data) - 1)]))]


@pytest.mark.parametrize("peer", PEERS)
@settings(max_examples=500)
@given(responses(), st.sampled_from(METHODS))
def test_every_difference_from_another_reader_is_in_the_list(peer: str, data: bytes, method: str) -> None:
    assert explained(data, method, peer), (by_ours(data, method), PEERS[peer](data, method))
