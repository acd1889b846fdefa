"""Decode base64url and JSON, and refuse all that a second decoder might read another way.

Both raise ValueError with a text of their own: it quotes nothing of what was decoded.
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
"""How deep JSON arrays and objects may nest."""

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# By the length modulo 4: the padding, and the last characters whose unused bits are zero. No bytes have a length of 1.
_TAILS = (("", _ALPHABET), ("", ""), ("==", "AQgw"), ("=", "AEIMQUYcgkosw048"))


def base64url(text: str) -> bytes:
    """Return the bytes whose only unpadded base64url form (RFC 4648, section 5; RFC 7515, section 2) is *text*.

    Raises:
        ValueError: *text* has padding, another character, or bits that are left over and not zero.
    """
    padding, last = _TAILS[len(text) & 3]
    if text[-1:] not in last or "+" in text or "/" in text:
        raise ValueError("not canonical base64url")
    try:
        return a2b_base64(text.replace("-", "+").replace("_", "/") + padding, strict_mode=True)
    except ValueError:
        raise ValueError("not canonical base64url") from None


def json_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that *data* is, as one can read it in one way only (RFC 7493).

    Raises:
        ValueError: *data* is not UTF-8, starts with a byte order mark, is no JSON object, names a member twice, nests
            deeper than :data:`MAX_DEPTH`, or holds NaN, an infinity, a number out of range or half a surrogate pair.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    # The usual payload is one object with at most one array in it; these look for one character, which is fast.
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
    if "\\" in text and "\\u" in text:  # one character is found faster than two
        _check_surrogates(members)
    return members


class _RefusedJson(ValueError):
    pass


# A string (to the end of the text if nothing closes it, so that the search is linear), or a bracket.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def _check_depth(text: str) -> None:
    # Before parsing: the parser recurses on the C stack.
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS.finditer(text):
        bracket = text[match.start()]
        depth += (bracket in "[{") - (bracket in "]}")
        if depth > MAX_DEPTH:
            raise ValueError("nested too deep")


def _check_surrogates(value: dict[str, Any]) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("not Unicode: it has half a surrogate pair") from None


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
# What raw_decode calls: (text, index) -> (value, end).
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once
