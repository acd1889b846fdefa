"""Decode base64url and JSON, and refuse everything that another decoder could read differently.

If two programs read the same signed token differently, an attacker can use the difference: one checks a claim, and the
other acts on a different value. Such *ambiguous* input has for example a member name twice, or two base64url spellings
of the same bytes.

Both functions raise ValueError, with a message that never quotes the input.
"""

from __future__ import annotations

import json
import math
import re
from binascii import a2b_base64
from collections.abc import Callable
from typing import Any, NoReturn, cast

__all__ = ["MAX_DEPTH", "base64url", "json_object"]

MAX_DEPTH = 32
"""How many levels deep JSON arrays and objects may be nested."""

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# For each length modulo 4: the missing padding, and the allowed last characters, which are those whose unused bits are
# 0. A length of 1 modulo 4 is impossible, so no last character is allowed then.
_TAILS = (("", _ALPHABET), ("", ""), ("==", "AQgw"), ("=", "AEIMQUYcgkosw048"))


def base64url(text: str) -> bytes:
    """Return the bytes that *text* encodes in base64url without padding (RFC 4648, section 5; RFC 7515, section 2).

    Each byte string has exactly one accepted encoding.

    Raises:
        ValueError: *text* has padding or a character outside the alphabet, or its unused last bits are not 0.
    """
    padding, last = _TAILS[len(text) & 3]
    if text[-1:] not in last or "+" in text or "/" in text:
        raise ValueError("not canonical base64url")
    try:
        return a2b_base64(text.replace("-", "+").replace("_", "/") + padding, strict_mode=True)
    except ValueError:
        raise ValueError("not canonical base64url") from None


def json_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in *data*, which must be unambiguous (I-JSON, RFC 7493).

    Raises:
        ValueError: *data* is not UTF-8, starts with a byte order mark, is not a JSON object, has a member name twice,
            is nested deeper than :data:`MAX_DEPTH`, or contains NaN, an infinity, a number out of range or half a
            surrogate pair.
    """
    text = _decoded(data)
    if text is None:
        raise ValueError("not UTF-8")
    # The usual payload is one object with at most one array in it, which cannot be nested too deep. Searching for one
    # character is fast, so check this first, and scan the whole string only if it has more brackets.
    if text.find("{", 1) > 0 or text.find("[") != text.rfind("["):
        _check_depth(text)
    try:
        value, end = _scan(text, 0)
    except _RefusedJson:
        raise
    except (ValueError, StopIteration):
        value, end = None, -1
    if end != len(text):
        inner = text.strip(" \t\n\r")
        if inner == text:
            raise ValueError("not JSON")
        return json_object(inner.encode("utf-8"))
    if type(value) is not dict:
        raise ValueError("not a JSON object")
    members = cast(dict[str, Any], value)
    if "\\" in text and "\\u" in text:  # searching for one character is faster than for two
        _check_surrogates(members)
    return members


# The errors of codecs contain the whole string, which may be a token. An error that is raised while one of them is
# handled would have it as its context (`__context__`), so these two return None instead.


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _encoded(text: str) -> bytes | None:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return None


class _RefusedJson(ValueError):
    pass


# A string, or a bracket outside strings. A string without a closing quote extends to the end, so that the search never
# goes back and takes linear time for any input.
# It is compiled when it is first used, which is seldom: a token rarely has that many brackets.
_BRACKETS = r'(?s)"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]'


def _check_depth(text: str) -> None:
    # Check this before parsing: the parser recurses, so deep input could overflow the C stack.
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for match in re.finditer(_BRACKETS, text):
        bracket = text[match.start()]
        depth += (bracket in "[{") - (bracket in "]}")
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")


def _check_surrogates(value: dict[str, Any]) -> None:
    if _encoded(json.dumps(value, ensure_ascii=False)) is None:
        raise ValueError("not Unicode: it has half a surrogate pair")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RefusedJson("JSON that names a member twice")
    return members


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _RefusedJson("JSON with a number out of range")
    return number


def _constant(_: str) -> NoReturn:
    raise _RefusedJson("JSON with NaN or an infinity")


_decoder: Any = json.JSONDecoder(parse_float=_number, parse_constant=_constant, object_pairs_hook=_unique)
# The function behind JSONDecoder.raw_decode(): (string, index) -> (value, end). Calling it directly is faster.
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once
