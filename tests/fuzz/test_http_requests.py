"""The reader of HTTP requests of the local pool beside h11: what it accepts, h11 accepts too, and reads in the same way.

h11 accepts more: lines that end with LF only, a Content-Length that is sent twice, and a header on two lines, for
example. ``tests/transports/local/test_request_reader.py`` shows that ours refuses them.
"""

from __future__ import annotations

from typing import NamedTuple

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srpcore_transports.local.http.request_reader import InvalidRequest, Request, RequestReader

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save


class Read(NamedTuple):
    """What one reader made of a request."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    keep: bool


def by_ours(data: bytes) -> list[Read] | None:
    """Return the requests in *data* up to an incomplete one, or None if a request is refused."""
    reader = RequestReader()
    found: list[Read] = []
    try:
        request: Request | None = reader.feed(data)
        while request is not None:
            path, query = request.path, request.query
            found.append(Read(request.method, path, query, dict(request.headers), request.body, request.keep))
            request = reader.next()
    except InvalidRequest:
        return None
    return found


def by_h11(data: bytes) -> list[Read] | None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    found: list[Read] = []
    head, body = None, b""
    try:
        while (event := connection.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Request):
                head, body = event, b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                headers: dict[str, str] = {}
                for raw_name, raw_value in head.headers:
                    name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
                    headers[name] = f"{headers[name]},{value}" if name in headers else value
                keep = connection.their_state is h11.DONE
                path, _, query = head.target.decode().partition("?")
                found.append(Read(head.method.decode(), path, query, headers, body, keep))
                connection.send(h11.Response(status_code=204, headers=[]))
                connection.send(h11.EndOfMessage())
                if not keep:
                    return found
                connection.start_next_cycle()
            else:
                return found
    except h11.RemoteProtocolError:
        return None
    return found


LINES = st.sampled_from(
    [
        b"Host: a",
        b"Host: b",
        b"Content-Length: 2",
        b"Content-Length: 3",
        b"Content-Length: x",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip",
        b"Connection: close",
        b"Connection: keep-alive, x",
        b"Expect: 100-continue",
        b"X-A: 1",
        b"X-A:\t\xe9 ",
        b" folded",
        b"X B: 1",
        b"X-C: \x01",
        b"no colon",
    ]
)
FIRST = st.sampled_from(
    [b"POST / HTTP/1.1", b"GET /x?y HTTP/1.1", b"GET / HTTP/1.0", b"PUT /\xff HTTP/1.1", b"GET / HTTP/1.2", b"GET /"]
)
BODIES = st.sampled_from(
    [b"", b"{}", b"abc", b"2\r\n{}\r\n0\r\n\r\n", b"1;x\r\na\r\n0\r\nT: 1\r\n\r\n", b"-1\r\n", b"0\r\n\r\n"]
)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r"])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    lines = [draw(FIRST), b"Host: a", *draw(st.lists(LINES, max_size=4)), b""]
    end = draw(ENDS)
    data = b"".join(line + end for line in lines) + draw(BODIES)
    position = draw(st.integers(0, len(data) - 1))
    return data if draw(st.booleans()) else data[:position] + draw(st.binary(max_size=1)) + data[position + 1 :]


@settings(max_examples=300)
@given(st.lists(requests(), min_size=1, max_size=2).map(b"".join))
@example(b"GET /x? HTTP/1.1\r\nHost: a\r\n\r\n")
@example(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
@example(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
def test_what_is_accepted_is_read_as_h11_reads_it(data: bytes) -> None:
    ours = by_ours(data)
    if ours is None:
        return
    # After a request that closes the connection, h11 reads nothing more.
    last = next((index for index, read in enumerate(ours) if not read.keep), len(ours))
    assert by_h11(data) == ours[: last + 1]
