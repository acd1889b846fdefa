"""Operations that answer in pages: the token of each answer goes into the next request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..exceptions.base import UnsafeServerValue
from ..wire import Document, Flow
from . import ask

__all__ = ["Page", "collect", "page", "token_name"]

_BY_PAGINATION_TOKEN = frozenset(["AdminListDevices", "ListDevices", "ListUserImportJobs", "ListUsers"])


def token_name(operation: str) -> str:
    """Return the name of the page token in the requests and answers of *operation*."""
    return "PaginationToken" if operation in _BY_PAGINATION_TOKEN else "NextToken"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the items, and the token of the next page, None at the end."""

    items: list[Document]
    token: str | None


def page(operation: str, parameters: Mapping[str, Any], member: str, token: str | None) -> Flow[Page]:
    """Return the page of *operation* that *token* names, None for the first; *member* is the list in the answer.

    Raises:
        UnsafeServerValue: the answer has the token of its own request: the pages would have no end.
        ServiceError: the service refused.
    """
    name = token_name(operation)
    reply = yield from ask(operation, {**parameters, name: token})
    following = reply.get(name) or None
    if following is not None and following == token:
        raise UnsafeServerValue(f"the service sent the same {name} twice: the pages would have no end")
    return Page(reply.get(member) or [], following)


def collect(operation: str, parameters: Mapping[str, Any], member: str) -> Flow[list[Document]]:
    """Return the items of every page.

    Raises:
        UnsafeServerValue: the pages would have no end.
        ServiceError: the service refused.
    """
    found: list[Document] = []
    token: str | None = None
    while True:
        got = yield from page(operation, parameters, member, token)
        found += got.items
        token = got.token
        if token is None:
            return found
