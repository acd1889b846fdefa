"""Decode the part of CBOR (RFC 8949) that WebAuthn authenticators send.

That part is: integers, byte and character strings, lists, maps, and the simple values false, true and null, all with
definite lengths. Tags, floating-point numbers and indefinite lengths are refused.
"""

from __future__ import annotations

__all__ = ["decode"]

_MOST_NESTED = 8
_SIMPLE: dict[int, object] = {20: False, 21: True, 22: None}


def decode(data: bytes) -> tuple[object, bytes]:
    """Return the first item of *data*, decoded, and the bytes after it.

    Raises:
        ValueError: *data* is empty, ends within an item, or has an item that this module does not support.
    """
    return _item(data, 0)


def _item(data: bytes, nested: int) -> tuple[object, bytes]:
    if not data or nested > _MOST_NESTED:
        raise ValueError(f"CBOR ends early or is nested more than {_MOST_NESTED} levels deep")
    major, short = data[0] >> 5, data[0] & 0x1F
    if major == 7:
        if short not in _SIMPLE:
            raise ValueError(f"CBOR simple value {short} is not supported: only false, true and null are")
        return _SIMPLE[short], data[1:]
    argument, rest = _argument(short, data[1:])
    if major in (0, 1):
        return (argument if major == 0 else -1 - argument), rest
    if major in (2, 3):
        if len(rest) < argument:
            raise ValueError(f"CBOR string ends early: it should have {argument} bytes, and {len(rest)} are left")
        return (rest[:argument] if major == 2 else rest[:argument].decode("utf-8")), rest[argument:]
    if major == 4:
        return _list(argument, rest, nested)
    if major == 5:
        return _map(argument, rest, nested)
    raise ValueError(f"CBOR major type {major} is not supported: only integers, strings, lists and maps are")


def _argument(short: int, data: bytes) -> tuple[int, bytes]:
    if short < 24:
        return short, data
    size = 1 << (short - 24)
    if short > 27 or len(data) < size:
        raise ValueError("CBOR length is indefinite, which is not supported, or ends early")
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
            raise ValueError("CBOR map has the same key twice, or a key that is not an integer or a string")
        items[key], data = _item(data, nested + 1)
    return items, data
