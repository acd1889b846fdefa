"""Operations that reply in pages. The token in each reply goes into the next request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._values import Value
from ..exceptions.base import UnsafeServerValue
from ..protocol import Flow, JsonObject
from ..service_model import PAGES
from . import ask, is_json, object_list

__all__ = ["Page", "collect", "page"]


class Page(Value):
    """One page: its items, and the token of the next page, which is None after the last one."""

    __slots__ = ("items", "token")

    items: list[JsonObject]
    token: str | None

    def __init__(self, items: list[JsonObject], token: str | None) -> None:
        self._set(items=items, token=token)


def page(operation: str, parameters: Mapping[str, Any], token: str | None, size: int | None = None) -> Flow[Page]:
    """Return one page of *operation*.

    Args:
        operation: the name of an operation that replies in pages.
        parameters: the other members of the request.
        token: the token of the page, from the reply before it; None for the first page.
        size: the highest number of items; the service decides by default.

    Raises:
        UnsafeServerValue: the page is malformed, or has the token of its own request: the pages would never end.
        ServiceError: the service refused the request.
    """
    paging = PAGES[operation]
    limit = {} if paging.size is None else {paging.size: size}
    reply = yield from ask(operation, {**parameters, **limit, paging.token: token})
    following: object = reply.get(paging.token) or None
    if not is_json(following):
        following = None  # a mock, which would never end
    if following is not None and not isinstance(following, str):
        raise UnsafeServerValue(f"unsafe value from the server: {paging.token} must be a string")
    if following is not None and following == token:
        raise UnsafeServerValue(f"the service sent the same {paging.token} twice: the pages would never end")
    return Page(object_list(reply, paging.results), following)


def collect(operation: str, parameters: Mapping[str, Any], size: int | None = None) -> Flow[list[JsonObject]]:
    """Return the items of all pages. *size* is the number of items to request at a time.

    Raises:
        UnsafeServerValue: a page is malformed, or the pages would never end.
        ServiceError: the service refused the request.
    """
    found: list[JsonObject] = []
    token: str | None = None
    while True:
        got = yield from page(operation, parameters, token, size)
        found += got.items
        token = got.token
        if token is None:
            return found
