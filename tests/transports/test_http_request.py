"""The bytes of HTTP requests."""

from __future__ import annotations

import pytest

from srpcore_transports.http_request import encode_request


def test_a_request_is_written_with_its_length() -> None:
    written = encode_request("POST", "/path?query", {"Host": "example.com", "X-Empty": "", "X-Name": "caf\xe9"}, b"{}")
    assert written == (
        b"POST /path?query HTTP/1.1\r\nHost: example.com\r\nX-Empty: \r\nX-Name: caf\xe9\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("GET", None, b""), ("GET", b"x", b"1"), ("POST", None, b"0"), ("PUT", None, b"0"), ("CONNECT", None, b"")],
)
def test_a_length_is_sent_with_a_body_and_where_one_is_expected(method: str, body: bytes | None, length: bytes) -> None:
    _, _, rest = encode_request(method, "/", {}, body).partition(b"Content-Length: ")
    assert rest.partition(b"\r\n")[0] == length


def test_a_request_without_a_body_ends_with_its_headers() -> None:
    assert encode_request("PATCH", "/", {}, None) == b"PATCH / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    assert encode_request("GET", "/", {"A": "b"}, None) == b"GET / HTTP/1.1\r\nA: b\r\n\r\n"


@pytest.mark.parametrize("text", ["a\r\nX-Other: b", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\u20acb"])
def test_a_value_that_could_be_read_as_something_else_is_refused(text: str) -> None:
    parts: list[tuple[str, str, dict[str, str]]] = [
        ("GET", "/", {"X-Name": text}),
        ("GET", "/", {text: "x"}),
        ("GET", text, {}),
        (text, "/", {}),
    ]
    for arguments in parts:
        with pytest.raises(ValueError, match=r"^not allowed in HTTP$|latin-1"):
            encode_request(*arguments, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("", "/", {}),
        ("GE(T", "/", {}),
        ("GET", "", {}),
        ("GET", "/a b", {}),
        ("GET", "/\xe9", {}),
        ("GET", "/", {"": "x"}),
    ],
)
def test_an_empty_or_split_part_of_the_request_line_is_refused(arguments: tuple[str, str, dict[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"^not allowed in HTTP$"):
        encode_request(*arguments, None)


@pytest.mark.parametrize("name", ["X Name", "X-Name:", "X-Name ", "\xe9", "(comment)"])
def test_a_name_that_is_not_a_token_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^not allowed in HTTP$"):
        encode_request("GET", "/", {name: "x"}, None)
