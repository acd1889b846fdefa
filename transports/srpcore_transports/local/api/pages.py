"""Pagination: cut a list into pages.

A page token is the offset of the next page with an HMAC, so that an invented token is refused.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from .errors import invalid_parameter
from .parameters import Parameters, number, optional_string

if TYPE_CHECKING:
    from ..storage.state import State

__all__ = ["MOST", "page", "requested_page"]

T = TypeVar("T")

MOST = 60
"""The maximum number of items per page of nearly all operations."""


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
    """Return the page of *items* that *parameters* request, and ``{token: ...}`` if there is another page.

    Args:
        limit: the name of the parameter that has the page size.
        token: the name of the parameter and of the reply's member that have the page token.
        least: the smallest page size that is allowed; 0 means the default size.
        most: the largest page size that is allowed, and the default.

    Raises:
        Refusal: the page size is out of range, or the page token was not issued by this server.
    """
    size = number(parameters, limit, most, least, most) or most
    found, following = page(state.page_secret, items, size, optional_string(parameters, token))
    return found, {} if following is None else {token: following}


def page(secret: bytes, items: Sequence[T], limit: int, token: str | None) -> tuple[Sequence[T], str | None]:
    """Return the page of *items* that *token* names, and the token of the next page or None.

    Args:
        secret: the key of the HMAC.
        token: None for the first page.

    Raises:
        Refusal: the token was not issued by this server.
    """
    start = 0 if token is None else _read_token(secret, token)
    end = start + limit
    return items[start:end], _make_token(secret, end) if end < len(items) else None


def _make_token(secret: bytes, offset: int) -> str:
    digits = str(offset).encode("ascii")
    return base64.b64encode(hmac.digest(secret, digits, "sha256") + digits).decode("ascii")


def _read_token(secret: bytes, token: str) -> int:
    try:
        data = base64.b64decode(token.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = b""
    mac, digits = data[:32], data[32:]
    if not hmac.compare_digest(mac, hmac.digest(secret, digits, "sha256")):
        raise invalid_parameter("Invalid pagination token.")
    return int(digits)
