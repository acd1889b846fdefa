"""The transport over httpx that runs on the event loop itself."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from srpcore.aws_json import decode
from srpcore.exceptions.base import TransportTimeout
from srpcore.protocol import Fetch, Operation, Reply

from ..calls import Attempt, carry_out_async
from ..proxy import Proxy
from ..service import document, refuse_redirect
from .arguments import HttpxArguments, Modules, Request, check_open
from .leases import Leases
from .response import Received

if TYPE_CHECKING:
    from typing import Self

    import httpx

__all__ = ["AsyncHttpxTransport"]

T = TypeVar("T")


class AsyncHttpxTransport(HttpxArguments["httpx.AsyncClient"]):
    """Carry operations to the service by httpx on the event loop, without a thread; an asynchronous context manager.

    *client* is an ``httpx.AsyncClient`` of yours; it and the other arguments are as for :class:`HttpxTransport`.

    Nothing blocks the event loop: httpx is loaded, the authorities are read and the context is made in a thread, once,
    and credentials are looked for in one. Each event loop has connections of its own, so that one transport may serve
    several; close it on each. A call may be cancelled at any time and leaves the others, and later ones, as they are.

    Raises:
        ConfigurationError: an argument or a variable cannot be used, or neither region nor endpoint is known.
    """

    _asynchronous = True

    def _set_up(self) -> None:
        self._loops: dict[asyncio.AbstractEventLoop, _OnLoop] = {}
        self._modules: Modules | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def call(self, operation: Operation) -> Reply:
        """Send *operation* as a POST, signed if it must be, and return the service's answer, errors included.

        Raises:
            ConfigurationError: the operation cannot be encoded, or must be signed and there is nothing to sign with.
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer of the service was had.
        """
        headers, body = self._service.request(operation)

        async def send(attempt: Attempt) -> Reply:
            signed: Mapping[str, str] = headers
            if operation.signed:
                # In a thread: credentials may be in files, or at the other end of a network.
                signed = await _in_time(
                    attempt, lambda: asyncio.to_thread(self._service.signed, operation, headers, body)
                )
            answer = await self._send(attempt, Request("POST", self.endpoint_url, signed, body))
            return decode(*answer)

        reply: Reply = await carry_out_async(self._calls.steps(operation, self._service.host), send)
        return reply

    async def fetch(self, url: str) -> bytes:
        """Return the body of a plain GET of *url*: https, or http to this machine. No credentials are involved.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer was had, or its status is not 200.
        """
        host = self._service.fetchable(url)

        async def send(attempt: Attempt) -> bytes:
            return document(*await self._send(attempt, self._get(url)), host)

        body: bytes = await carry_out_async(self._calls.steps(Fetch(url), host), send)
        return body

    async def close(self) -> None:
        """Close the connections of this event loop, but none of a client that was given; a later call opens new ones.

        Those of calls that are on their way are closed when these end.
        """
        await _aclose(self._here().leases.retire())

    def close_now(self) -> None:
        """Do the same from where nothing can be awaited: the connections are closed as soon as the event loop runs."""
        if asyncio._get_running_loop() is not None:
            here = self._here()
            here.closing = asyncio.ensure_future(_aclose(here.leases.retire()))

    async def _send(self, attempt: Attempt, request: Request) -> Received:
        if self._modules is None:
            self._modules = await _in_time(attempt, self._loaded)
        modules = self._modules
        exchange, proxy = self._exchange(modules, attempt, request)
        answer: Received
        if self._client is not None:
            check_open(self._client)
            answer = await modules.exchange.send_async(self._client, exchange)
        else:
            answer = await self._send_by_own(modules, exchange, proxy)
        refuse_redirect(answer.status, exchange.host)
        return answer

    async def _send_by_own(self, modules: Modules, exchange: Any, proxy: Proxy | None) -> Received:
        here = self._here()
        left = exchange.attempt.seconds_left(exchange.limits.connect)
        try:
            async with asyncio.timeout(left):
                await here.free.acquire()
        except TimeoutError:
            raise exchange.crowded() from None
        try:
            return await self._send_by_leased(here.leases, modules, exchange, proxy)
        finally:
            here.free.release()

    async def _send_by_leased(
        self, leases: Leases[httpx.AsyncClient], modules: Modules, exchange: Any, proxy: Proxy | None
    ) -> Received:
        lease, closing = leases.take(
            proxy, lambda: modules.clients.make_async_client(self._own_context(), proxy, self._max_connections)
        )
        try:
            await _aclose(closing)
            answer: Received = await modules.exchange.send_async(lease.client, exchange)
        except BaseException:
            await _aclose(leases.give_back(lease, good=exchange.under_way))
            raise
        await _aclose(leases.give_back(lease, good=True))
        return answer

    def _here(self) -> _OnLoop:
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            # A loop that is over takes its connections with it.
            for other in [other for other in list(self._loops) if other.is_closed()]:
                self._loops.pop(other, None)
            self._loops[loop] = _OnLoop(self._max_connections)
        return self._loops[loop]

    async def _loaded(self) -> Modules:
        """Return the modules that load httpx: one task on each loop waits for them, whoever gives up meanwhile."""
        here = self._here()
        if here.loading is None:
            here.loading = asyncio.ensure_future(asyncio.to_thread(self._load_in_thread))
            here.loading.add_done_callback(here.loaded)
        loading = here.loading
        await asyncio.wait([loading])
        return loading.result()

    def _load_in_thread(self) -> Modules:
        modules = self._load()
        if self._client is None:
            modules.clients.load_backend(self._own_context())
        return modules


class _OnLoop:
    """What an asynchronous transport has on one event loop."""

    def __init__(self, max_connections: int) -> None:
        self.leases: Leases[httpx.AsyncClient] = Leases(max_connections)
        self.free = asyncio.Semaphore(max_connections)
        self.loading: asyncio.Task[Modules] | None = None
        self.closing: asyncio.Task[None] | None = None  # the loop itself keeps no task alive

    def loaded(self, task: asyncio.Task[Modules]) -> None:
        """Forget the task that loads, so that another may try where it failed."""
        self.loading = None
        if not task.cancelled():
            task.exception()  # somebody has looked, though all who waited were cancelled


async def _aclose(clients: list[httpx.AsyncClient]) -> None:
    for client in clients:
        await client.aclose()


async def _in_time(attempt: Attempt, function: Callable[[], Awaitable[T]]) -> T:
    """Return what *function* returns, which sends nothing, if that is before the deadline."""
    limit = asyncio.timeout(attempt.seconds_left(math.inf))
    try:
        async with limit:
            return await function()
    except TimeoutError:
        if not limit.expired():
            raise
        message = "the time limit of the call is over, and nothing was sent"
        raise TransportTimeout(message, may_have_arrived=False, transient=False) from None
