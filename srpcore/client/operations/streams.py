"""Iterate over users and groups, page by page.

Only one page is held in memory. A listing can be resumed by its page token. Requests are limited to a rate that the
service allows, and repeated with a growing pause if the service still throttles them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

from ...clock import monotonic_clock, system_sleep
from ...exceptions.base import ConfigurationError
from ...exceptions.service import ServiceError
from ...flows.paging import Page, page
from ...protocol import Flow, JsonObject
from ...service_model import PAGES
from ...users import GroupObj, UserObj
from ..base import CognitoBase
from .directory import SharedDirectory

__all__ = ["AsyncStream", "Stream", "StreamMethods"]

PAGES_PER_SECOND = 20.0
"""The highest number of pages to request per second. The service's default quota (UserRead) is 120 requests per second,
for all callers together.
"""

# How often one page is requested, and the pauses between the attempts, in seconds.
ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 20.0


T = TypeVar("T")

# The `_run` of Cognito and of AsyncCognito, which runs the flow that fetches a page.
Run: TypeAlias = Callable[[Flow[Page]], Page]
AsyncRun: TypeAlias = Callable[[Flow[Page]], Awaitable[Page]]


class Pages(Generic[T]):
    """The state of a listing: what is left of it, and when the next page may be requested. It does no I/O."""

    def __init__(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        make: Callable[[JsonObject], T],
        limit: int | None,
        token: str | None,
    ) -> None:
        if limit is not None and limit < 1:
            raise ConfigurationError("limit must be a positive number of items, or None for all")
        self.operation = operation
        self.parameters = parameters
        self.make = make
        self.limit = limit
        self.token = token
        self.waiting: deque[JsonObject] = deque()
        self.following: str | None = None
        self.begun = False
        self.taken = 0
        self.refused = 0
        self.next_at = 0.0

    @property
    def page_token(self) -> str | None:
        """The token of the page that contains the next item. It is None for the first page, and after the last item."""
        return self.token if self.waiting or not self.begun else self.following

    @property
    def at_end(self) -> bool:
        """Whether all items have been taken, or as many as the limit allows."""
        full = self.limit is not None and self.taken >= self.limit
        return full or (not self.waiting and self.begun and self.following is None)

    def flow(self) -> Flow[Page]:
        """Request the next page."""
        token = self.following if self.begun else self.token
        size = PAGES[self.operation].max_size
        if size is not None and self.limit is not None:
            size = min(size, self.limit - self.taken)
        return page(self.operation, self.parameters, token, size)

    def add(self, got: Page, now: float) -> None:
        """Add a page that has arrived."""
        self.token = self.following if self.begun else self.token
        self.begun, self.following, self.refused = True, got.token, 0
        self.waiting.extend(got.items)
        self.next_at = max(self.next_at, now) + 1 / PAGES_PER_SECOND

    def back_off(self, error: ServiceError, now: float) -> None:
        """Set the time of the next attempt after *error*. The pause doubles each time.

        Raises:
            ServiceError: *error* is not about throttling, or this was the last attempt.
            TransportError: the service did not answer.
        """
        from ...exceptions.service_exceptions import LimitExceededException, TooManyRequestsException

        self.refused += 1
        # A single request is not repeated after LimitExceededException (see the table in retries.py), because a person
        # may be waiting. A long listing waits instead of failing halfway, and reading a page again does no harm.
        if not isinstance(error, (TooManyRequestsException, LimitExceededException)) or self.refused >= ATTEMPTS:
            raise error
        self.next_at = now + min(FIRST_PAUSE * 2 ** (self.refused - 1), LONGEST_PAUSE)

    def take(self) -> T:
        """Return the next item of the present page."""
        self.taken += 1
        return self.make(self.waiting.popleft())


class Stream(Iterator[T]):
    """An iterator over the items of a listing.

    To go on later, give ``page_token`` to the method that made this iterator. It resumes at the beginning of a page, so
    some items may come twice.

    Fetching a page raises ServiceError if the service refuses the request, and TransportError if it does not answer. It
    raises UnsafeServerValue if a page has the token of its own request, so that the pages would never end. After an
    error, the iteration can go on: the next item is looked for in the same page.
    """

    def __init__(self, run: Run, pages: Pages[T], sleep: Callable[[float], None] = system_sleep) -> None:
        self._run = run
        self._pages = pages
        self._sleep = sleep

    @property
    def page_token(self) -> str | None:
        """The token of the page that contains the next item: what to give to ``page_token`` to go on there.

        It is None if the next item is in the first page, and after the last item.
        """
        return self._pages.page_token

    def __next__(self) -> T:
        pages = self._pages
        while not pages.waiting and not pages.at_end:
            pause = pages.next_at - monotonic_clock()
            if pause > 0:
                self._sleep(pause)
            try:
                got = self._run(pages.flow())
            except ServiceError as error:
                pages.back_off(error, monotonic_clock())
            else:
                pages.add(got, monotonic_clock())
        if pages.at_end:
            raise StopIteration
        return pages.take()


class AsyncStream(AsyncIterator[T]):
    """The async version of :class:`Stream`, for ``async for``."""

    def __init__(
        self,
        run: AsyncRun,
        pages: Pages[T],
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._run = run
        self._pages = pages
        self._sleep = sleep

    @property
    def page_token(self) -> str | None:
        """The token of the page that contains the next item: what to give to ``page_token`` to go on there.

        It is None if the next item is in the first page, and after the last item.
        """
        return self._pages.page_token

    async def __anext__(self) -> T:
        pages = self._pages
        while not pages.waiting and not pages.at_end:
            pause = pages.next_at - monotonic_clock()
            if pause > 0:
                await (self._sleep or _asyncio_sleep)(pause)
            try:
                got = await self._run(pages.flow())
            except ServiceError as error:
                pages.back_off(error, monotonic_clock())
            else:
                pages.add(got, monotonic_clock())
        if pages.at_end:
            raise StopAsyncIteration
        return pages.take()


async def _asyncio_sleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


class SharedStreams(SharedDirectory):
    """The listings that ``Cognito`` and ``AsyncCognito`` share."""

    def _users(
        self,
        filter: str | None,
        attributes: list[str] | None,
        limit: int | None,
        page_token: str | None,
        attr_map: Mapping[str, str] | None,
    ) -> Pages[Any]:
        asked = {"UserPoolId": self.user_pool_id, "Filter": filter, "AttributesToGet": attributes}
        return Pages("ListUsers", asked, self._user_of(attr_map), limit, page_token)

    def _groups(self, limit: int | None, page_token: str | None) -> Pages[GroupObj]:
        return Pages("ListGroups", {"UserPoolId": self.user_pool_id}, self.get_group_obj, limit, page_token)

    def _members(
        self, group_name: str, limit: int | None, page_token: str | None, attr_map: Mapping[str, str] | None
    ) -> Pages[Any]:
        asked = {"UserPoolId": self.user_pool_id, "GroupName": group_name}
        return Pages("ListUsersInGroup", asked, self._user_of(attr_map), limit, page_token)

    def _user_of(self, attr_map: Mapping[str, str] | None) -> Callable[[JsonObject], Any]:
        return lambda user: self._listed_user(user, attr_map)


class StreamMethods(SharedStreams, CognitoBase):
    """Iterate over users and groups. These operations need AWS credentials."""

    def iter_users(
        self,
        filter: str | None = None,
        attributes: list[str] | None = None,
        limit: int | None = None,
        *,
        page_token: str | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> Stream[UserObj]:
        """Return an iterator over the pool's users.

        Args:
            filter: return only the users that match this filter of ListUsers, for example ``email ^= "a"``.
            attributes: the names of the attributes to fetch; all by default.
            limit: the highest number of users to return; no limit by default.
            page_token: the ``page_token`` of an earlier iterator, to go on there.
            attr_map: the service's name of an attribute to the name under which the object shows it.

        Raises:
            ConfigurationError: *limit* is not positive.
        """
        return Stream(self._run, self._users(filter, attributes, limit, page_token, attr_map))

    def iter_groups(self, limit: int | None = None, *, page_token: str | None = None) -> Stream[GroupObj]:
        """Return an iterator over the pool's groups, at most *limit* of them.

        *page_token* is that of an earlier iterator, to go on there.

        Raises:
            ConfigurationError: *limit* is not positive.
        """
        return Stream(self._run, self._groups(limit, page_token))

    def iter_users_in_group(
        self,
        group_name: str,
        limit: int | None = None,
        *,
        page_token: str | None = None,
        attr_map: Mapping[str, str] | None = None,
    ) -> Stream[UserObj]:
        """Return an iterator over the users in a group, at most *limit* of them.

        *page_token* and *attr_map* are as in :meth:`iter_users`.

        Raises:
            ConfigurationError: *limit* is not positive.
        """
        return Stream(self._run, self._members(group_name, limit, page_token, attr_map))
