"""Read the pages of an operation, with the interface of boto3's ``client.get_paginator``.

A ``StartingToken`` has botocore's form: the base64 of a JSON object with the service's page token. If ``MaxItems`` was
reached in the middle of a page, the object also has the number of results to skip on that page. A program that stored
such a token can continue with either library.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, cast

from .exceptions.base import ConfigurationError, UnsafeServerValue
from .protocol import JsonObject
from .service_model import Paging

__all__ = ["PageIterator", "Paginator"]

# The member of a StartingToken with the number of results to skip. The name is botocore's.
_SKIP = "boto_truncate_amount"


class Paginator:
    """The pages of one operation. The token in each reply goes into the next request."""

    def __init__(self, method: Callable[..., JsonObject], paging: Paging) -> None:
        self._method = method
        self._paging = paging

    def paginate(
        self, *, PaginationConfig: Mapping[str, int | str | None] | None = None, **parameters: object
    ) -> PageIterator:
        """Return the pages of the operation with *parameters*. Nothing is sent until they are iterated over.

        Args:
            PaginationConfig: ``MaxItems``, the highest number of results in total; ``PageSize``, the number of results
                to ask for with each request; ``StartingToken``, the ``NextToken`` of an earlier
                :meth:`PageIterator.build_full_result`, or a page token of the service.
            parameters: the members of the request.

        Raises:
            ConfigurationError: *PaginationConfig* has ``PageSize``, but the operation has no such parameter; or
                ``MaxItems`` or ``PageSize`` is not a whole number.
        """
        config = PaginationConfig or {}
        size = config.get("PageSize")
        if size is not None and self._paging.size is None:
            raise ConfigurationError("PageSize is not supported by this operation: leave it out")
        if size is not None:
            parameters[cast(str, self._paging.size)] = _whole_number("PageSize", size)
        limit = config.get("MaxItems")
        return PageIterator(
            self._method,
            self._paging,
            parameters,
            None if limit is None else _whole_number("MaxItems", limit),
            cast(str | None, config.get("StartingToken")),
        )


class PageIterator:
    """The pages of one call of :meth:`Paginator.paginate`. Each iteration sends the requests again."""

    def __init__(
        self,
        method: Callable[..., JsonObject],
        paging: Paging,
        parameters: Mapping[str, object],
        max_items: int | None,
        starting_token: str | None,
    ) -> None:
        self._method = method
        self._paging = paging
        self._parameters = parameters
        self._max_items = max_items
        self._starting_token = starting_token
        self._resume_token: str | None = None

    @property
    def resume_token(self) -> str | None:
        """The ``StartingToken`` for the results after ``MaxItems``.

        It is set when the iteration reaches ``MaxItems``; None before that, and if there are no more results.
        """
        return self._resume_token

    def __iter__(self) -> Iterator[JsonObject]:
        """Yield one page after the other, until a reply does not have a token or there are ``MaxItems`` results.

        Raises:
            UnsafeServerValue: a reply has the token of its own request, so the pages would never end.
            ServiceError: the service answered with an error.
            TransportError: the service did not answer.
        """
        self._resume_token = None
        name, results = self._paging.token, self._paging.results
        parameters = dict(self._parameters)
        skip, total = 0, 0
        if self._starting_token is not None:
            token, skip = self._decode_token(self._starting_token)
            parameters = self._with_token(parameters, token)
        while True:
            page = self._method(**parameters)
            found: list[Any] = page.get(results) or []
            if skip:
                found = page[results] = found[skip:]
            remaining = None if self._max_items is None else self._max_items - total
            if remaining is not None and len(found) > remaining:
                # MaxItems is reached in this page: resume in the same page, after what was already returned.
                page[results] = found[:remaining]
                self._resume_token = self._encode_token(cast(str | None, parameters.get(name)), skip + remaining)
                yield page
                return
            yield page
            skip, total = 0, total + len(found)
            token = page.get(name)
            if not token:
                return
            if total == self._max_items:
                self._resume_token = self._encode_token(token, None)
                return
            if token == parameters.get(name):
                raise UnsafeServerValue(f"the service sent the same {name} twice: the pages would never end")
            parameters[name] = token

    def build_full_result(self) -> JsonObject:
        """Return the results of all pages as one document, with ``NextToken`` if there are more than ``MaxItems``.

        Raises:
            UnsafeServerValue: a reply has the token of its own request, so the pages would never end.
            ServiceError: the service answered with an error.
            TransportError: the service did not answer.
        """
        document: JsonObject = {}
        for page in self:
            if page.get(self._paging.results) is not None:
                document.setdefault(self._paging.results, []).extend(page[self._paging.results])
        if self._resume_token is not None:
            document["NextToken"] = self._resume_token
        return document

    def search(self, expression: str) -> Iterator[object]:
        """Yield what the JMESPath *expression* finds on each page. If that is a list, its elements are yielded.

        Raises:
            ConfigurationError: the package jmespath is not installed.
            UnsafeServerValue: a reply has the token of its own request, so the pages would never end.
            ServiceError: the service answered with an error.
            TransportError: the service did not answer.
        """
        try:
            compiled = import_module("jmespath").compile(expression)
        except ModuleNotFoundError as error:
            raise ConfigurationError("jmespath is not installed: pip install 'srpcore[botocore]'") from error
        for page in self:
            found = compiled.search(page)
            if isinstance(found, list):
                yield from cast(list[Any], found)
            else:
                yield found

    def result_key_iters(self) -> list[Iterator[object]]:
        """Return a list with one iterator over the results of all pages.

        It is a list because botocore returns one iterator for each list in a reply. The replies of this service have
        one list.
        """

        def results() -> Iterator[object]:
            for page in self:
                yield from page.get(self._paging.results) or []

        return [results()]

    def _with_token(self, parameters: dict[str, Any], token: str | None) -> dict[str, Any]:
        others = {name: value for name, value in parameters.items() if name != self._paging.token}
        return others if token is None else {**others, self._paging.token: token}

    def _encode_token(self, token: str | None, skip: int | None) -> str:
        members = {self._paging.token: token, **({} if skip is None else {_SKIP: skip})}
        return b64encode(json.dumps(members).encode("utf-8")).decode("ascii")

    def _decode_token(self, string: str) -> tuple[str | None, int]:
        """Return the service's token and the number of results to skip. *string* may be the service's token itself."""
        try:
            members = json.loads(b64decode(string))
            skip = members.pop(_SKIP, 0)
            if [*members] == [self._paging.token] and isinstance(skip, int):
                return members[self._paging.token], skip
        except (ValueError, AttributeError, TypeError):
            pass
        return string, 0


def _whole_number(name: str, value: int | str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ConfigurationError(f"{name} must be a whole number, not {value!r:.80}") from None
