"""Parse JSON that the pool gets from outside: requests, and the results of triggers.

Python's parser accepts more than JSON: NaN, infinities (also as 1e999), and arrays that are nested so deep that writing
them fails later. If such a value was stored or sent, the answer would not be JSON, or the request would end with an
internal error.
"""

from __future__ import annotations

import json
import math
from typing import NoReturn, cast

__all__ = ["parse"]

_MAX_DEPTH = 200
_INTEGERS = range(-(2**63), 2**64)
"""The integers that the database can store."""


def parse(data: bytes) -> object:
    """Return the JSON value in *data*. It may begin with a byte order mark.

    Raises:
        ValueError: *data* is not JSON in UTF-8, is nested deeper than 200 levels (a value in an array is one level
            deeper than the array), or contains NaN, an infinity, an integer of more than 64 bits, or half a surrogate
            pair.
    """
    try:
        value: object = _DECODER.decode(data.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    # Fewer than 200 opening brackets cannot nest 200 levels.
    if data.count(b"{") + data.count(b"[") >= _MAX_DEPTH and _is_too_deep(value):
        raise ValueError("nested too deep")
    # Only an escape can make a lone surrogate (\ud800). It has no UTF-8 encoding: it could neither be stored nor sent.
    if b"\\u" in data:
        # The UnicodeEncodeError is a ValueError.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [inner for each in level for inner in _children(each)]
        if not level:
            return False
    return True


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _integer(text: str) -> int:
    number = int(text)
    if number not in _INTEGERS:
        raise ValueError("an integer has more than 64 bits")
    return number


def _refuse(_: str) -> NoReturn:
    raise ValueError("NaN or an infinity")


# json.loads() makes a decoder for each call with such functions, and also accepts UTF-16.
_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_integer, parse_constant=_refuse)
