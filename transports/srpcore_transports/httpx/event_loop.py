"""The transport over httpx that runs on the event loop.

Importing httpx and making the TLS context is done in a thread, at the first call and after the CA file has changed,
because both would block the event loop for tens of milliseconds. All calls of one loop wait for the same thread.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from srpcore._fork import forget_in_snapshot
from srpcore.aws_json import decode
from srpcore.exceptions.base import TransportError
from srpcore.offload import uninterrupted
from srpcore.protocol import Fetch, Operation, Reply

from ..attempts import Attempt, not_sent_in_time, run_attempts_async
from ..proxy import Proxy
from ..status import refused_redirect, unexpected_status
from ..tls import SharedTls, shared_tls_if_made
from ..urls import origin_and_target
from .arguments import HttpxBase, Modules, RequestParts, check_open
from .client_pool import ClientPool
from .response import Received

if TYPE_CHECKING:
    from typing import Self, Unpack

    import httpx

    from ..credentials import Credentials, CredentialsProvider
    from ..transport_arguments import TransportArguments

__all__ = ["AsyncHttpxTransport"]

T = TypeVar("T")
_Loaded: TypeAlias = "tuple[Modules, SharedTls | None]"


class AsyncHttpxTransport(HttpxBase["httpx.AsyncClient"]):
    """Send operations to the service with httpx on the event loop. The transport is an async context manager.

    Nothing blocks the event loop. Importing httpx and making the TLS context is done in a thread, at the first call and
    after the CA file has changed. AWS credentials are looked up in a thread too. Each event loop has connections of its
    own, so one transport can serve several loops; close it on each. A call may be cancelled at any time, without an
    effect on other calls.

    Args:
        region: the AWS region, as for :class:`~srpcore_transports.https.HttpsTransport`.
        endpoint_url: where operations are sent, as for HttpsTransport.
        credentials: credentials for the operations that must be signed, as for HttpsTransport.
        client: an ``httpx.AsyncClient`` of the program; see :class:`~srpcore_transports.httpx.HttpxTransport`.
        max_connections: how many connections are open at a time.
        options: the options of :class:`~srpcore_transports.options.TransportOptions`, which explains them.

    Raises:
        ConfigurationError: an argument or an environment variable cannot be used, or there is neither a region nor an
            endpoint.
    """

    _asynchronous = True

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: Credentials | CredentialsProvider | None = None,
        *,
        client: httpx.AsyncClient | None = None,
        max_connections: int = 100,
        **options: Unpack[TransportArguments],
    ) -> None:
        super().__init__(region, endpoint_url, credentials, client=client, max_connections=max_connections, **options)
        self._loops: dict[asyncio.AbstractEventLoop, _LoopState] = {}
        self._modules: Modules | None = None
        forget_in_snapshot(self, AsyncHttpxTransport._close_everywhere)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def call(self, operation: Operation) -> Reply:
        """Send *operation* as a POST, signed if it must be, and return the service's answer, even if it is an error.

        Raises:
            ConfigurationError: the operation cannot be encoded, or must be signed and no credentials were found.
            TransportTimeout: connecting, or the answer, took too long.
            TransportError: the service did not answer.
        """
        headers, body = self._signer.request(operation)

        async def send(attempt: Attempt) -> Reply:
            signed: Mapping[str, str] = headers
            if operation.signed:
                # In a thread, because credentials may be read from files or fetched over a network.
                sign, deadline = self._signer.signed, attempt.deadline
                signed = await _in_time(attempt, lambda: asyncio.to_thread(sign, operation, headers, body, deadline))
            answer = await self._send(attempt, RequestParts("POST", self.endpoint_url, signed, body))
            return decode(*answer)

        reply: Reply = await run_attempts_async(self._attempts.steps(operation, self._endpoint.host), send)
        return reply

    async def fetch(self, url: str) -> bytes:
        """Return the body of a GET of *url*, which is sent without credentials.

        Plain http is refused except to this machine, or with *allow_http*.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
            TransportTimeout: connecting, or the answer, took too long.
            TransportError: the server did not answer, or the status is not 200.
        """
        host = self._endpoint.check_fetch(url)

        async def send(attempt: Attempt) -> bytes:
            answer = await self._send(attempt, self._get(url))
            if answer.status != 200:
                raise unexpected_status(answer.status, answer.headers, host)
            return answer.body

        body: bytes = await run_attempts_async(self._attempts.steps(Fetch(url), host), send)
        return body

    async def prepare(self, *, connect: bool = True) -> None:  # noqa: ARG002 - the signature of HttpsTransport.prepare
        """Import httpx, and read the certificate authorities, in a thread: the first call need not wait for that.

        Args:
            connect: has no effect. httpx opens a connection only for a request.

        Raises:
            ConfigurationError: httpx is not installed, or the certificate authorities cannot be read.
        """
        await self._load_shared(self._endpoint.host)

    async def close(self) -> None:
        """Close the connections of this event loop, except those of a client that was given.

        A connection that a call uses is closed when the call ends. A later call opens new connections.
        """
        await _close(self._loop_state().pool.retire())

    def close_now(self) -> None:
        """Do the same from code that cannot await: the connections are closed as soon as the event loop runs."""
        if asyncio._get_running_loop() is not None:
            state = self._loop_state()
            state.closing = asyncio.ensure_future(_close(state.pool.retire()))

    def _close_everywhere(self) -> None:
        """Close the connections of all event loops, before a snapshot of the process.

        A connection can only be closed by its event loop. A loop that runs does it as soon as possible. One that does
        not run is run now, until the connections are closed. This is not possible if the loop is closed, or if another
        loop runs in this thread: such connections are forgotten, and their sockets are closed with the last reference.
        """
        loops, self._loops = self._loops, {}
        for loop, state in loops.items():
            clients = state.pool.retire()
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(_close(clients), loop)
            elif not loop.is_closed() and asyncio._get_running_loop() is None:
                loop.run_until_complete(_close(clients))

    async def _send(self, attempt: Attempt, parts: RequestParts) -> Received:
        host = origin_and_target(parts.url)[0].host
        ready = self._ready_modules(host)
        modules, tls = await _in_time(attempt, lambda: self._load_shared(host)) if ready is None else ready
        request, proxy = self._prepare(modules, attempt, parts)
        answer: Received
        if tls is None:
            check_open(self._client)
            answer = await modules.request.send_async(self._client, request)
        else:
            answer = await self._send_with_own_client(modules, request, proxy, tls)
        if 300 <= answer.status < 400:
            raise refused_redirect(answer.status, request.host)
        return answer

    async def _send_with_own_client(
        self, modules: Modules, request: Any, proxy: Proxy | None, tls: SharedTls
    ) -> Received:
        state = self._loop_state()
        left = request.attempt.seconds_left(request.limits.connect)
        try:
            async with asyncio.timeout(left):
                await state.free.acquire()
        except TimeoutError:
            raise request.no_free_connection() from None
        try:
            try:
                return await self._send_with_pooled_client(state.pool, modules, request, proxy, tls)
            except TransportError:
                # Nothing was sent yet if the certificate was refused.
                with_all = await _with_all_authorities(tls, request)
                if with_all is None:
                    raise
            request.connect_again()
            return await self._send_with_pooled_client(state.pool, modules, request, proxy, with_all)
        finally:
            state.free.release()

    async def _send_with_pooled_client(
        self,
        pool: ClientPool[httpx.AsyncClient],
        modules: Modules,
        request: Any,
        proxy: Proxy | None,
        tls: SharedTls,
    ) -> Received:
        context = tls.context
        pooled, closing = pool.take(
            (proxy, context), lambda: modules.clients.make_async_client(context, proxy, self._max_connections)
        )
        try:
            await _close(closing)
            answer: Received = await modules.request.send_async(pooled.client, request)
        except BaseException:
            await _close(pool.give_back(pooled, good=request.under_way))
            raise
        await _close(pool.give_back(pooled, good=True))
        return answer

    def _loop_state(self) -> _LoopState:
        loop = asyncio.get_running_loop()
        if loop not in self._loops:
            # The connections of a closed event loop cannot be used or closed any more.
            for other in [other for other in list(self._loops) if other.is_closed()]:
                self._loops.pop(other, None)
            self._loops[loop] = _LoopState(self._max_connections)
        return self._loops[loop]

    def _ready_modules(self, host: str) -> _Loaded | None:
        """Return what :meth:`_load_shared` returns, or None if that would import a module or read a file."""
        if self._modules is None:
            return None
        if self._client is not None:
            return self._modules, None
        tls = shared_tls_if_made(self._ca_bundle, self._roots(host))
        return None if tls is None else (self._modules, tls)

    async def _load_shared(self, host: str) -> _Loaded:
        """Return the modules that import httpx, and if the program gave no client, the TLS context for *host*.

        One task on each event loop loads them for a host, and all calls to it wait for that task. If a call is
        cancelled, the task goes on.
        """
        state = self._loop_state()
        loading = state.loading.get(host)
        if loading is None:
            loading = state.loading[host] = asyncio.ensure_future(asyncio.to_thread(self._load_in_thread, host))
            loading.add_done_callback(partial(state.loading_done, host))
        await asyncio.wait([loading])
        return loading.result()

    def _load_in_thread(self, host: str) -> _Loaded:
        modules, tls = self._import_httpx(), None
        if self._client is None:
            tls = self._tls(host)
            if self._modules is None:
                modules.clients.load_backend(tls.context)
        self._modules = modules
        return modules, tls


class _LoopState:
    """The connections and tasks of one transport on one event loop."""

    def __init__(self, max_connections: int) -> None:
        self.pool: ClientPool[httpx.AsyncClient] = ClientPool(max_connections)
        self.free = asyncio.Semaphore(max_connections)
        self.loading: dict[str, asyncio.Task[_Loaded]] = {}
        self.closing: asyncio.Task[None] | None = None  # the event loop itself holds tasks only weakly

    def loading_done(self, host: str, task: asyncio.Task[_Loaded]) -> None:
        """Forget the finished task, so that the next call tries again if it failed."""
        self.loading.pop(host, None)
        if not task.cancelled():
            # asyncio logs an exception that nobody reads, which happens if all waiting calls were cancelled.
            task.exception()


async def _with_all_authorities(tls: SharedTls, request: Any) -> SharedTls | None:
    """Do the same as :meth:`~srpcore_transports.tls.SharedTls.with_all_authorities`, in a thread: it may read files."""
    if not request.verify_code:
        return None
    load, code = tls.with_all_authorities, request.verify_code
    return await _in_time(request.attempt, lambda: asyncio.to_thread(load, code))


async def _close(clients: list[httpx.AsyncClient]) -> None:
    """Close *clients*, even if the task is cancelled meanwhile.

    httpcore closes one connection after the other, and protects that only against a cancellation by anyio. After one by
    asyncio it would leave the other connections open.
    """
    if clients:
        await uninterrupted(_close_each(clients))


async def _close_each(clients: list[httpx.AsyncClient]) -> None:
    for client in clients:
        await client.aclose()


async def _in_time(attempt: Attempt, function: Callable[[], Awaitable[T]]) -> T:
    """Return the result of *function*, which must send nothing, if it ends before the deadline.

    Raises:
        TransportTimeout: it did not end in time.
    """
    limit = asyncio.timeout(attempt.seconds_left(math.inf))
    try:
        async with limit:
            return await function()
    except TimeoutError:
        if not limit.expired():
            raise
        raise not_sent_in_time() from None
