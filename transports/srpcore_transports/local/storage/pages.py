"""Pagination: cut a list, or the rows of a table, into pages.

A page token has the place at which the next page begins, and an HMAC, so that an invented token is refused.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, optional_string
from .state import State

__all__ = ["MOST", "requested_page", "requested_rows"]

K = TypeVar("K")
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
    most: int = MOST,
) -> tuple[Sequence[T], dict[str, str]]:
    """Return the page of *items* that *parameters* request, and ``{token: ...}`` if there is another page.

    Args:
        limit: the name of the parameter that has the page size.
        token: the name of the parameter and of the reply's member that have the page token.
        most: the largest page size, and the default.

    Raises:
        Refusal: the page token was not issued by this server.
    """
    size = _size(parameters, limit, most)
    start = _start(state, parameters, token, 0)
    end = start + size
    following = {token: _make_token(state, end)} if end < len(items) else {}
    return items[start:end], following


def requested_rows(
    state: State,
    parameters: Parameters,
    fetch: Callable[[K, int], Iterable[tuple[K, T]]],
    *,
    first: K,
    limit: str = "Limit",
    token: str = "NextToken",
) -> tuple[list[T], dict[str, str]]:
    """Return the page that *parameters* request, and ``{token: ...}`` if there is another page.

    Unlike :func:`requested_page` it reads only the rows of this page, so each page takes the same time.

    Args:
        fetch: called with a key and a number; returns at most this number of the items after the key, each with its own
            key.
        first: a key before all others.
        limit: the name of the parameter that has the page size, which is at most 60.
        token: the name of the parameter and of the reply's member that have the page token.

    Raises:
        Refusal: the page token was not issued by this server.
    """
    size = _size(parameters, limit, MOST)
    rows = list(fetch(_start(state, parameters, token, first), size + 1))
    following = {token: _make_token(state, rows[size - 1][0])} if len(rows) > size else {}
    return [item for _, item in rows[:size]], following


def _size(parameters: Parameters, limit: str, most: int) -> int:
    # The service model allows 0 in most operations. It means the default.
    return min(int(parameters.get(limit) or most), most)


def _start(state: State, parameters: Parameters, token: str, first: K) -> K:
    given = optional_string(parameters, token)
    if given is None:
        return first
    try:
        return msgspec.json.decode(_read_token(state, given), type=type(first))
    except msgspec.ValidationError:
        # It was issued for a list in another order, for example without the filter.
        raise _invalid_token() from None


def _make_token(state: State, key: object) -> str:
    data = msgspec.json.encode(key)
    return base64.b64encode(hmac.digest(state.service.page_secret, data, "sha256") + data).decode("ascii")


def _read_token(state: State, token: str) -> bytes:
    try:
        decoded = base64.b64decode(token.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        decoded = b""
    mac, data = decoded[:32], decoded[32:]
    if not hmac.compare_digest(mac, hmac.digest(state.service.page_secret, data, "sha256")):
        raise _invalid_token()
    return data


def _invalid_token() -> Refusal:
    return invalid_parameter("Invalid pagination token.")
