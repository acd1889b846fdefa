"""Page through a list: the token carries where to go on, sealed so that one made up is refused."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from .errors import invalid_parameter
from .parameters import Parameters, number, optional_string

if TYPE_CHECKING:
    from .state import State

__all__ = ["MOST", "page", "requested_page"]

T = TypeVar("T")

MOST = 60
"""The most that a page of nearly every operation holds."""


def requested_page(
    state: State,
    parameters: Parameters,
    items: Sequence[T],
    *,
    limit: str = "Limit",
    token: str = "NextToken",
    least: int = 0,
    most: int = MOST,
) -> tuple[Sequence[T], dict[str, str]]:
    """Return the page of *items* that *parameters* ask for, and ``{token: ...}`` where there is another.

    Raises:
        Refusal: the limit is out of range, or the token not one that was given.
    """
    size = number(parameters, limit, most, least, most) or most
    found, following = page(state.page_secret, items, size, optional_string(parameters, token))
    return found, {} if following is None else {token: following}


def page(secret: bytes, items: Sequence[T], limit: int, token: str | None) -> tuple[Sequence[T], str | None]:
    """Return the page of *items* that *token* asks for, the first without one, and the token of the next, if any.

    Raises:
        Refusal: the token is not one that this function gave.
    """
    start = 0 if token is None else _read_token(secret, token)
    end = start + limit
    return items[start:end], _make_token(secret, end) if end < len(items) else None


def _make_token(secret: bytes, offset: int) -> str:
    text = str(offset).encode("ascii")
    return base64.b64encode(hmac.digest(secret, text, "sha256") + text).decode("ascii")


def _read_token(secret: bytes, token: str) -> int:
    try:
        data = base64.b64decode(token.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = b""
    mac, text = data[:32], data[32:]
    if not hmac.compare_digest(mac, hmac.digest(secret, text, "sha256")):
        raise invalid_parameter("Invalid pagination token.")
    return int(text)
