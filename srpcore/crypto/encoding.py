"""Convert integers, hexadecimal numbers and strings to bytes and back, as Cognito encodes them.

Before they are hashed, integers are encoded as minimal big-endian two's complement, as Java's
``BigInteger.toByteArray`` does it: if the highest bit of a positive number is set, a zero byte is put in front.
"""

from __future__ import annotations

import base64
import re

from ..exceptions.base import ConfigurationError, InvalidRequest, UnsafeServerValue

__all__ = ["decode_secret_block", "parse_hex", "parse_public_value", "to_bytes", "to_hex", "utf8"]

_HEX = frozenset("0123456789ABCDEFabcdef")


def to_bytes(number: int) -> bytes:
    """Return *number* as minimal big-endian two's complement: 127 is ``7f``, 128 is ``0080``, -128 is ``80``."""
    # -2^k fits in one bit less than 2^k, for example -128 in one byte. Adding 1 gives the right number of bits.
    bits = (number if number >= 0 else number + 1).bit_length()
    return number.to_bytes(bits // 8 + 1, "big", signed=True)


def to_hex(number: int) -> str:
    """Return *number* (0 or more) in lower-case hexadecimal without leading zeros, as it is sent to the service."""
    return f"{number:x}"


def parse_hex(value: object, *, name: str, max_digits: int, signed: bool = False) -> int:
    """Return the integer in *value*, a hexadecimal string from the service.

    The sign is part of the number, so parse the string before you encode or pad anything. Leading zeros, an odd number
    of digits and upper case occur in practice and are accepted. Spaces, underscores, ``0x`` and non-ASCII digits are
    not, although ``int()`` accepts them.

    Args:
        value: the string, of any type because it comes from the network.
        name: the name of the value for the error message.
        max_digits: the largest accepted number of digits, without the sign.
        signed: whether a minus sign is accepted. Only SALT has one in practice (``-93ab...``).

    Raises:
        UnsafeServerValue: *value* is not a string, is empty, is not hexadecimal, has more than *max_digits* digits, or
            is negative although *signed* is false.
    """
    digits = value[: max_digits + 2].removeprefix("-") if isinstance(value, str) else ""
    if not isinstance(value, str) or not digits or not _HEX.issuperset(digits):
        raise UnsafeServerValue(f"unsafe value from the server: {name} is not hexadecimal")
    if len(value.removeprefix("-")) > max_digits:
        raise UnsafeServerValue(f"unsafe value from the server: {name} has more than {max_digits} hexadecimal digits")
    if value.startswith("-") and not signed:
        raise UnsafeServerValue(f"unsafe value from the server: {name} is negative")
    return int(value, 16)


def parse_public_value(value: object, modulus: int, *, name: str) -> int:
    """Return the integer in *value*, the hexadecimal public value of the other side (B, or A on the server's side).

    Raises:
        UnsafeServerValue: *value* is not a hexadecimal number between 1 and *modulus* - 1. A public value that is 0
            modulo N would make the key predictable.
    """
    # Accept twice as many digits as N has, so that leading zeros do not matter.
    number = parse_hex(value, name=name, max_digits=modulus.bit_length() // 2)
    if not 0 < number < modulus:
        raise UnsafeServerValue(f"unsafe value from the server: {name} must be between 1 and N-1")
    return number


def decode_secret_block(value: object) -> bytes:
    """Return the bytes of SECRET_BLOCK, decoded as tolerantly as the JavaScript clients of AWS do it.

    The standard and the URL-safe alphabet are accepted, with or without padding. Other characters are ignored, and so
    is a last character that is not enough for a byte. Tolerance is harmless here: the bytes are only input of an HMAC
    with our key, and the original string is sent back to the service.

    Raises:
        UnsafeServerValue: *value* is not a string.
    """
    if not isinstance(value, str):
        raise UnsafeServerValue("unsafe value from the server: SECRET_BLOCK is not a string")
    digits = "".join(filter(_BASE64.__contains__, value.translate(_URL_SAFE)))
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + "==")  # more padding than necessary is ignored


_URL_SAFE = str.maketrans("-_", "+/")
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")


def utf8(string: str, *, name: str) -> bytes:
    """Return *string* encoded as UTF-8, without Unicode normalisation.

    Raises:
        InvalidRequest: *string* is not a string.
        ConfigurationError: *string* contains a lone surrogate, which UTF-8 cannot encode. The message contains *name*,
            the name of the argument, and never its value.
    """
    if not isinstance(string, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidRequest(f"{name} must be a string, not {type(string).__name__}")
    # Search for a surrogate instead of catching UnicodeEncodeError. That error contains the string, which may be a
    # password, and it would stay reachable as the __context__ of the error raised here.
    if not string.isascii() and re.search(_SURROGATE, string):
        raise ConfigurationError(f"{name} contains a lone surrogate, which UTF-8 cannot encode: pass a valid string")
    return string.encode("utf-8")


_SURROGATE = "[\ud800-\udfff]"
