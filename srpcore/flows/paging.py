"""Operations that answer in pages: the token of each answer goes into the next request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..exceptions.base import UnsafeServerValue
from ..protocol import Flow, JsonObject
from ..service_model import PAGES
from . import ask

__all__ = ["Page", "collect", "page"]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the items, and the token of the next page, None at the end."""

    items: list[JsonObject]
    token: str | None


def page(operation: str, parameters: Mapping[str, Any], token: str | None, size: int | None = None) -> Flow[Page]:
    """Return the page of *operation* that *token* names, the first if it is None, with at most *size* items.

    Raises:
        UnsafeServerValue: the answer has the token of its own request: the pages would have no end.
        ServiceError: the service refused.
    """
    paging = PAGES[operation]
    limit = {} if paging.size is None else {paging.size: size}
    reply = yield from ask(operation, {**parameters, **limit, paging.token: token})
    following = reply.get(paging.token) or None
    if following is not None and following == token:
        raise UnsafeServerValue(f"the service sent the same {paging.token} twice: the pages would have no end")
    return Page(reply.get(paging.results) or [], following)


def collect(operation: str, parameters: Mapping[str, Any], size: int | None = None) -> Flow[list[JsonObject]]:
    """Return the items of every page; *size* is the number of items to ask for at a time.

    Raises:
        UnsafeServerValue: the pages would have no end.
        ServiceError: the service refused.
    """
    found: list[JsonObject] = []
    token: str | None = None
    while True:
        got = yield from page(operation, parameters, token, size)
        found += got.items
        token = got.token
        if token is None:
            return found
