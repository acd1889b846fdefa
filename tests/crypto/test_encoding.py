from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.crypto.encoding import decode_secret_block, parse_hex, parse_public_value, to_bytes, to_hex, utf8
from srpcore.crypto.groups import MODP_3072
from srpcore.exceptions.base import ConfigurationError, UnsafeServerValue
from srpcore.testing import (
    hex_texts,
    non_hex_texts,
    passwords,
    public_values,
    salt_texts,
    secret_blocks,
    signed_integers,
    texts_with_lone_surrogates,
    unsafe_public_values,
)

N = MODP_3072.N


def shortest_twos_complement(number: int) -> bytes:
    """Search for the fewest bytes whose two's complement range holds *number*."""
    length = 1
    while not -(2 ** (8 * length - 1)) <= number < 2 ** (8 * length - 1):
        length += 1
    digits = [(number % 256**length) // 256**place % 256 for place in reversed(range(length))]
    return bytes(digits)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        # What Java's BigInteger.toByteArray gives.
        (0, "00"),
        (1, "01"),
        (127, "7f"),
        (128, "0080"),
        (255, "00ff"),
        (256, "0100"),
        (32767, "7fff"),
        (32768, "008000"),
        (-1, "ff"),
        (-127, "81"),
        (-128, "80"),
        (-129, "ff7f"),
        (-255, "ff01"),
        (-256, "ff00"),
        (-32768, "8000"),
        (-32769, "ff7fff"),
    ],
)
def test_integers_are_encoded_like_java_biginteger(number: int, expected: str) -> None:
    assert to_bytes(number).hex() == expected


@given(signed_integers())
def test_integers_are_minimal_twos_complement(number: int) -> None:
    assert to_bytes(number) == shortest_twos_complement(number)
    assert int.from_bytes(to_bytes(number), "big", signed=True) == number


@given(public_values(N))
def test_hex_is_minimal_and_lower_case_and_can_be_parsed_again(number: int) -> None:
    text = to_hex(number)
    assert text == text.lower()
    assert text.lstrip("0") == text
    assert parse_public_value(text, N, name="B") == number


@given(salt_texts())
def test_a_salt_of_any_width_is_parsed_with_its_sign(drawn: tuple[str, int]) -> None:
    text, number = drawn
    assert parse_hex(text, name="SALT", max_digits=64, signed=True) == number


def test_a_negative_salt_of_the_service_is_parsed() -> None:
    assert parse_hex("-93aB", name="SALT", max_digits=64, signed=True) == -0x93AB
    assert parse_hex("-0", name="SALT", max_digits=64, signed=True) == 0


@pytest.mark.parametrize("text", ["-1", "-0", "-93ab"])
def test_a_sign_is_refused_unless_it_is_allowed(text: str) -> None:
    with pytest.raises(UnsafeServerValue, match="B is negative"):
        parse_hex(text, name="B", max_digits=64)


@given(non_hex_texts(), st.booleans())
def test_a_string_that_is_not_hexadecimal_is_refused(text: object, signed: bool) -> None:
    with pytest.raises(UnsafeServerValue, match="SALT is not hexadecimal"):
        parse_hex(text, name="SALT", max_digits=64, signed=signed)


@pytest.mark.parametrize(
    "text", ["12345", "-12345", "00000", "1234x", "-123x", "-1234x", "1" * 10**6, "-" + "1" * 10**6]
)
def test_a_string_longer_than_the_limit_is_refused(text: str) -> None:
    with pytest.raises(UnsafeServerValue):
        parse_hex(text, name="SALT", max_digits=4, signed=True)


def test_the_sign_does_not_count_towards_the_limit() -> None:
    assert parse_hex("1234", name="SALT", max_digits=4) == 0x1234
    assert parse_hex("-1234", name="SALT", max_digits=4, signed=True) == -0x1234
    with pytest.raises(UnsafeServerValue, match="more than 4"):
        parse_hex("12345", name="SALT", max_digits=4)
    with pytest.raises(UnsafeServerValue, match="more than 4"):
        parse_hex("-12345", name="SALT", max_digits=4, signed=True)


@given(hex_texts(public_values(N)))
def test_a_public_value_in_range_is_parsed_in_any_spelling(drawn: tuple[str, int]) -> None:
    text, number = drawn
    assert parse_public_value(text, N, name="B") == number


@given(hex_texts(unsafe_public_values(N)))
def test_a_public_value_out_of_range_is_refused(drawn: tuple[str, int]) -> None:
    with pytest.raises(UnsafeServerValue, match=r"B (must be between|is)"):
        parse_public_value(drawn[0], N, name="B")


def test_a_public_value_may_have_a_limited_number_of_leading_zeros() -> None:
    assert parse_public_value("0" * (2 * 768 - 1) + "1", N, name="B") == 1
    with pytest.raises(UnsafeServerValue, match="more than 1536"):
        parse_public_value("0" * (2 * 768) + "1", N, name="B")


@given(secret_blocks())
def test_a_secret_block_is_decoded_leniently(drawn: tuple[str, bytes | None]) -> None:
    text, data = drawn
    decoded = decode_secret_block(text)
    if data is not None:
        assert decoded == data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", b""),
        ("a", b""),
        ("YQ==", b"a"),
        ("YQ", b"a"),
        ("Y Q=\n", b"a"),
        ("-_-_", b"\xfb\xff\xbf"),
        ("+/+/", b"\xfb\xff\xbf"),
        ("\u00e9YQ\ud800", b"a"),
        ("YWJjZ", b"abc"),  # the last digit alone makes no byte
    ],
)
def test_secret_blocks_equal_known_ones(text: str, expected: bytes) -> None:
    assert decode_secret_block(text) == expected


@pytest.mark.parametrize("block", [None, b"YQ==", 1, ["YQ=="]])
def test_a_secret_block_that_is_not_a_string_is_refused(block: object) -> None:
    with pytest.raises(UnsafeServerValue, match="SECRET_BLOCK is not a string"):
        decode_secret_block(block)


@given(st.binary(max_size=40), st.sampled_from([" ", "\n", "!", "=", "\u00e9"]), st.integers(0, 60))
def test_other_characters_in_a_secret_block_are_skipped(data: bytes, foreign: str, place: int) -> None:
    text = base64.b64encode(data).decode()
    assert decode_secret_block(text[:place] + foreign + text[place:]) == data


@given(passwords())
def test_strings_are_not_normalised(text: str) -> None:
    assert utf8(text, name="password").decode("utf-8") == text


@given(texts_with_lone_surrogates())
def test_the_error_for_a_lone_surrogate_does_not_show_the_string(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        utf8(text, name="password")
    assert caught.value.args == ("password contains a lone surrogate, which UTF-8 cannot encode: pass a valid string",)
    # Neither shown nor hidden: the codec's own error would hold the whole text.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("value", [None, b"secret", 7])
def test_the_error_for_a_value_that_is_not_a_string_shows_only_its_type(value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"^password must be a string, not {type(value).__name__}$"):
        utf8(value, name="password")  # type: ignore[arg-type]  # what is tested
