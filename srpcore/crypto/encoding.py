"""Integers, hexadecimal and text as the service encodes them.

Integers are hashed as minimal big-endian two's complement, which is Java's ``BigInteger.toByteArray``: an even number
of hex digits, and a ``00`` in front when the top bit of a positive number is set.
"""

from __future__ import annotations

import base64
import re

from ..exceptions.base import ConfigurationError, UnsafeServerValue

__all__ = ["decode_secret_block", "parse_hex", "parse_public_value", "to_bytes", "to_hex", "utf8"]

_HEX = re.compile(r"-?[0-9A-Fa-f]+")


def to_bytes(number: int) -> bytes:
    """Return *number* as minimal big-endian two's complement: 127 is ``7f``, 128 is ``0080``, -128 is ``80``."""
    # (n + 1) for negatives, because -2^k needs one bit less than 2^k.
    bits = (number if number >= 0 else number + 1).bit_length()
    return number.to_bytes(bits // 8 + 1, "big", signed=True)


def to_hex(number: int) -> str:
    """Return *number*, which is not negative, as minimal lower-case hexadecimal, the form in which it is sent."""
    return f"{number:x}"


def parse_hex(text: object, *, name: str, max_digits: int, signed: bool = False) -> int:
    """Return the integer that the service's hexadecimal *text* stands for, read before anything is padded.

    Only SALT has been seen with a sign (``-93ab...``): *signed* allows it. Leading zeros, odd length and upper case
    are all in use; spaces, underscores, ``0x`` and non-ASCII digits, which ``int`` would take, are not.

    Raises:
        UnsafeServerValue: *text* is no string, is empty, is not hexadecimal, or has more than *max_digits* digits.
    """
    if not isinstance(text, str) or not _HEX.fullmatch(text[: max_digits + 2]):
        raise UnsafeServerValue(f"{name} is not hexadecimal: refused to answer it")
    if len(text.removeprefix("-")) > max_digits:
        raise UnsafeServerValue(f"{name} has more than {max_digits} hexadecimal digits: refused to answer it")
    if text.startswith("-") and not signed:
        raise UnsafeServerValue(f"{name} is negative: refused to answer it")
    return int(text, 16)


def parse_public_value(text: object, modulus: int, *, name: str) -> int:
    """Return the peer's public value (B, or A on the server's side) and demand ``0 < value < modulus``.

    Raises:
        UnsafeServerValue: the value is no hexadecimal number in that range (0 modulo N would reveal the key).
    """
    # Twice the width, so that leading zeros are read and 2N is told apart from nonsense.
    value = parse_hex(text, name=name, max_digits=modulus.bit_length() // 2)
    if not 0 < value < modulus:
        raise UnsafeServerValue(f"{name} is not between 0 and N: refused to answer it")
    return value


def decode_secret_block(text: object) -> bytes:
    """Return the bytes of SECRET_BLOCK, decoded as leniently as AWS's JavaScript clients do.

    Standard or URL-safe alphabet, padded or not; other characters are passed over, and so is a last digit too few to
    make a byte. The block goes into a MAC under our key and is sent back verbatim, so leniency gives nothing away.

    Raises:
        UnsafeServerValue: *text* is not a string.
    """
    if not isinstance(text, str):
        raise UnsafeServerValue("SECRET_BLOCK is not a string: refused to answer it")
    digits = _NOT_BASE64.sub("", text.translate(_URL_SAFE))
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + "=" * (-len(digits) % 4))


_URL_SAFE = str.maketrans("-_", "+/")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def utf8(text: str, *, name: str) -> bytes:
    """Return *text* as UTF-8, without Unicode normalisation.

    Raises:
        ConfigurationError: *text* is not a string, or has a lone surrogate and so no UTF-8 form. The message names
            the argument and never the text.
    """
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"{name} must be a string, not {type(text).__name__}")
    # Looked for, not caught: the codec's error holds the text, and would stay behind as the context of ours.
    if _SURROGATE.search(text):
        raise ConfigurationError(f"{name} has a lone surrogate, which has no UTF-8 form: give it as text")
    return text.encode("utf-8")


_SURROGATE = re.compile("[\ud800-\udfff]")
