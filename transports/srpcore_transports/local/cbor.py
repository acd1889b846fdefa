"""Decode the CBOR of authenticators (RFC 8949): definite lengths; integers, strings, lists, maps, simple values."""

from __future__ import annotations

__all__ = ["decode"]

_MOST_NESTED = 8
_SIMPLE: dict[int, object] = {20: False, 21: True, 22: None}


def decode(data: bytes) -> tuple[object, bytes]:
    """Return the first item of *data* and what follows it.

    Raises:
        ValueError: there is none, or one of another kind.
    """
    return _item(data, 0)


def _item(data: bytes, nested: int) -> tuple[object, bytes]:
    if not data or nested > _MOST_NESTED:
        raise ValueError("CBOR ends early or is nested too deeply")
    major, short = data[0] >> 5, data[0] & 0x1F
    if major == 7:
        if short not in _SIMPLE:
            raise ValueError("this CBOR is not read here")
        return _SIMPLE[short], data[1:]
    argument, rest = _argument(short, data[1:])
    if major in (0, 1):
        return (argument if major == 0 else -1 - argument), rest
    if major in (2, 3):
        if len(rest) < argument:
            raise ValueError("a CBOR string ends early")
        return (rest[:argument] if major == 2 else rest[:argument].decode("utf-8")), rest[argument:]
    if major == 4:
        return _list(argument, rest, nested)
    if major == 5:
        return _map(argument, rest, nested)
    raise ValueError("this CBOR is not read here")


def _argument(short: int, data: bytes) -> tuple[int, bytes]:
    if short < 24:
        return short, data
    size = 1 << (short - 24)
    if short > 27 or len(data) < size:
        raise ValueError("a CBOR length is indefinite or ends early")
    return int.from_bytes(data[:size], "big"), data[size:]


def _list(length: int, data: bytes, nested: int) -> tuple[list[object], bytes]:
    items: list[object] = []
    for _ in range(length):
        item, data = _item(data, nested + 1)
        items.append(item)
    return items, data


def _map(length: int, data: bytes, nested: int) -> tuple[dict[object, object], bytes]:
    items: dict[object, object] = {}
    for _ in range(length):
        key, data = _item(data, nested + 1)
        if isinstance(key, bool) or not isinstance(key, int | str | bytes) or key in items:
            raise ValueError("a CBOR map has a key twice, or one that is no number or string")
        items[key], data = _item(data, nested + 1)
    return items, data
