"""base64url and JSON that can be read in one way only."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpcore.tokens.strict_json import MAX_DEPTH, base64url, json_object

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def canonical(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


@given(st.binary(max_size=100))
def test_base64url_decodes_what_the_encoder_gives(data: bytes) -> None:
    assert base64url(canonical(data)) == data


@settings(max_examples=500)
@given(st.one_of(st.text(max_size=8), st.text(ALPHABET + "+/=. \n\xa0\u0661\ud800", max_size=8)))
def test_base64url_refuses_what_the_encoder_does_not_give(text: str) -> None:
    if is_base64url(text):
        assert canonical(base64url(text)) == text
    else:
        with pytest.raises(ValueError, match="not canonical base64url"):
            base64url(text)


@pytest.mark.parametrize("character", ["\n", " ", "=", ".", "!", "+", "/", "\u00e9"])
@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_base64url_refuses_characters_of_another_alphabet(character: str, count: int, place: int) -> None:
    with pytest.raises(ValueError, match="not canonical base64url"):
        base64url("AAAA"[:place] + character * count + "AAAA"[place:])


def test_base64url_refuses_other_forms_of_the_last_byte() -> None:
    # All 4096 endings of two characters, and 64 * 64 of three.
    assert len([1 for pair in product(ALPHABET, repeat=2) if is_base64url("".join(pair))]) == 256
    assert len([1 for pair in product(ALPHABET, repeat=2) if is_base64url("AA" + "".join(pair)[:1])]) == 16 * 64
    assert not any(is_base64url(one) for one in ALPHABET)
    assert is_base64url("")


def is_base64url(text: str) -> bool:
    try:
        base64url(text)
    except ValueError:
        return False
    return True


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=5), st.booleans())
def test_json_object_parses_what_json_writes(value: dict[str, Any], ascii_only: bool) -> None:
    assert json_object(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8")) == value


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=40), st.text('{}[]",:\\u0d8ae1+-. \ufeff', max_size=40).map(str.encode)))
def test_json_object_raises_only_its_own_errors_and_agrees_with_json(data: bytes) -> None:
    try:
        value = json_object(data)
    except ValueError as error:
        reason = str(error)
    else:
        assert value == json.loads(data)
        return
    assert reason.startswith(("not ", "nested ", "JSON "))


SPACE = st.sampled_from(["", "", "", " ", "\t", "\n", "\r"])
SPACED = st.text('a:" \\{[,', max_size=3).map(json.dumps)
MEMBER = st.tuples(SPACE, SPACED, SPACE, SPACE, st.one_of(SPACED, st.sampled_from(["1", "[]", '["a"]', '{"a":1}'])))


@pytest.mark.slow
@settings(max_examples=500)
@given(st.lists(MEMBER, max_size=4))
def test_a_member_that_occurs_twice_is_refused_with_any_spacing(members: list[tuple[str, ...]]) -> None:
    text = "{" + ",".join(f"{before}{name}{after}:{then}{value}" for before, name, after, then, value in members) + "}"
    names = [json.loads(name) for _, name, _, _, _ in members]
    if len(set(names)) == len(names):
        assert json_object(text.encode()) == json.loads(text)
    else:
        with pytest.raises(ValueError, match=r"^JSON that names a member twice$"):
            json_object(text.encode())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":1}', "JSON that names a member twice"),
        *((b'{"a":1,"a"%c:1}' % space, "JSON that names a member twice") for space in b" \t\n\r"),
        (b'{"a":{"b":1,"c":2,"b":3}}', "JSON that names a member twice"),
        (b'{"a":[{"b":1,"\\u0062":3}]}', "JSON that names a member twice"),
        (b'\xef\xbb\xbf{"a":1}', "not JSON"),
        ('{"a":1}'.encode("utf-16"), "not UTF-8"),
        ('{"a":1}'.encode("utf-16-le"), "not JSON"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":"\xc0\x80"}', "not UTF-8"),
        (b'{"a":"\\ud800"}', "not Unicode: it has half a surrogate pair"),
        (b'{"\\uDFFF":1}', "not Unicode: it has half a surrogate pair"),
        (b'{"a":NaN}', "JSON with NaN or an infinity"),
        (b'{"a":Infinity}', "JSON with NaN or an infinity"),
        (b'{"a":-Infinity}', "JSON with NaN or an infinity"),
        (b'{"a":1e999}', "JSON with a number out of range"),
        (b'{"a":-1e999}', "JSON with a number out of range"),
        (b"[]", "not a JSON object"),
        (b'"a"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"1", "not a JSON object"),
        (b"", "not JSON"),
        (b"{}x", "not JSON"),
        (b"X{}X", "not JSON"),
        (b"{}{}", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b'{"a":01}', "not JSON"),
        (b'{"a":"\n"}', "not JSON"),
        (b'{"a":"\x00"}', "not JSON"),
        (b"{}\x00", "not JSON"),
        (b"\xc2\xa0{}", "not JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_ambiguous_json_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}$") as caught:
        json_object(data)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "text", [" {} ", '{"a":"\\ud83d\\ude00"}', '{"a":1e308,"b":-0.0}', '{"":null}', '{"a":"\\\\ud800"}']
)
def test_unusual_json_is_accepted(text: str) -> None:
    assert json_object(text.encode()) == json.loads(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_limited(opening: str, closing: str) -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' + (opening * (depth - 1) + "1" + closing * (depth - 1)).encode() + b"}"

    assert json_object(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(ValueError, match="nested too deep"):
            json_object(nested(depth))


def test_nesting_up_to_the_limit_is_accepted_beside_other_brackets() -> None:
    nested = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert json_object(f'{{"b":[],"a":{nested}}}'.encode())


def test_brackets_in_strings_and_side_by_side_do_not_count_as_nesting() -> None:
    value = {"a": "[{" * 1000, 'b"]': ["\\" * 999, '"[' * 999], "c": [[] for _ in range(1000)]}
    assert json_object(json.dumps(value).encode()) == value


@pytest.mark.parametrize("unit", ['\\"', '"', "[", '"[', "\\", '["\\'])
def test_the_check_of_nesting_takes_linear_time(unit: str) -> None:
    # Quadratic work over a quarter of a million characters would take minutes, and time out.
    data = ('{"a":[' + "[]," * MAX_DEPTH + '"' + unit * (250_000 // len(unit))).encode()
    with pytest.raises(ValueError, match=r"not JSON|nested too deep"):
        json_object(data)
