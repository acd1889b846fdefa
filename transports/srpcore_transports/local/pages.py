"""Page through a list: the token carries where to go on, sealed so that one made up is refused."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import TypeVar

from .errors import invalid_parameter

__all__ = ["page"]

T = TypeVar("T")


def page(secret: bytes, items: Sequence[T], limit: int, token: str | None) -> tuple[Sequence[T], str | None]:
    """Return the page of *items* that *token* asks for, the first without one, and the token of the next, if any.

    Raises:
        Refusal: the token is not one that this function gave.
    """
    start = 0 if token is None else _open(secret, token)
    end = start + limit
    return items[start:end], _seal(secret, end) if end < len(items) else None


def _seal(secret: bytes, offset: int) -> str:
    text = str(offset).encode("ascii")
    return base64.b64encode(hmac.digest(secret, text, "sha256") + text).decode("ascii")


def _open(secret: bytes, token: str) -> int:
    try:
        data = base64.b64decode(token.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = b""
    mac, text = data[:32], data[32:]
    if not hmac.compare_digest(mac, hmac.digest(secret, text, "sha256")):
        raise invalid_parameter("Invalid pagination token.")
    return int(text)
