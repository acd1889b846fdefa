"""The blocking transport over httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srpcore.aws_json import decode
from srpcore.protocol import Fetch, Operation, Reply

from ..calls import Attempt, carry_out
from ..proxy import Proxy
from ..service import document, refuse_redirect
from .arguments import HttpxArguments, Modules, Request, check_open
from .leases import Leases
from .response import Received

if TYPE_CHECKING:
    from typing import Self

    import httpx

__all__ = ["HttpxTransport"]


class HttpxTransport(HttpxArguments["httpx.Client"]):
    """Carry operations to the service by httpx, blocking; safe to share between threads, and a context manager.

    *client* is an ``httpx.Client`` of yours: it is used and never closed, and its TLS settings, proxies, hooks and
    limits count; its headers, cookies, ``auth`` and redirects do not, nor does its timeout. A deadline can then be
    kept between the parts of an answer only. Without *client* one is made by the first call, with *max_connections*
    at most at a time; proxies are the environment's, as for :class:`~srpcore_transports.https.HttpsTransport`, which
    explains the other arguments too.

    An idle connection is used again for five seconds, which is so short that no server closes it meanwhile.

    Raises:
        ConfigurationError: an argument or a variable cannot be used, or neither region nor endpoint is known.
    """

    _asynchronous = False

    def _set_up(self) -> None:
        self._leases: Leases[httpx.Client] = Leases(self._max_connections)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, operation: Operation) -> Reply:
        """Send *operation* as a POST, signed if it must be, and return the service's answer, errors included.

        Raises:
            ConfigurationError: the operation cannot be encoded, or must be signed and there is nothing to sign with.
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer of the service was had.
        """
        headers, body = self._service.request(operation)

        def send(attempt: Attempt) -> Reply:
            # Signed anew for each attempt: a signature has its time.
            signed = self._service.signed(operation, headers, body)
            answer = self._send(attempt, Request("POST", self.endpoint_url, signed, body))
            return decode(*answer)

        reply: Reply = carry_out(self._calls.steps(operation, self._service.host), send)
        return reply

    def fetch(self, url: str) -> bytes:
        """Return the body of a plain GET of *url*: https, or http to this machine. No credentials are involved.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
            TransportTimeout: no connection, or no answer, in time.
            TransportError: no answer was had, or its status is not 200.
        """
        host = self._service.fetchable(url)

        def send(attempt: Attempt) -> bytes:
            return document(*self._send(attempt, self._get(url)), host)

        body: bytes = carry_out(self._calls.steps(Fetch(url), host), send)
        return body

    def close(self) -> None:
        """Close the connections, but none of a client that was given; a later call opens new ones."""
        for client in self._leases.retire():
            client.close()

    def _send(self, attempt: Attempt, request: Request) -> Received:
        modules = self._load()
        exchange, proxy = self._exchange(modules, attempt, request)
        with modules.clients.until(attempt.deadline):
            answer: Received
            if self._client is not None:
                check_open(self._client)
                answer = modules.exchange.send(self._client, exchange)
            else:
                answer = self._send_by_own(modules, exchange, proxy)
        refuse_redirect(answer.status, exchange.host)
        return answer

    def _send_by_own(self, modules: Modules, exchange: Any, proxy: Proxy | None) -> Received:
        free = self._leases.free
        if not free.acquire(timeout=exchange.attempt.seconds_left(exchange.limits.connect)):
            raise exchange.crowded()
        try:
            return self._send_by_leased(modules, exchange, proxy)
        finally:
            free.release()

    def _send_by_leased(self, modules: Modules, exchange: Any, proxy: Proxy | None) -> Received:
        lease, closing = self._leases.take(
            proxy, lambda: modules.clients.make_client(self._own_context(), proxy, self._max_connections)
        )
        try:
            _close(closing)
            answer: Received = modules.exchange.send(lease.client, exchange)
        except BaseException:
            _close(self._leases.give_back(lease, good=exchange.under_way))
            raise
        _close(self._leases.give_back(lease, good=True))
        return answer


def _close(clients: list[httpx.Client]) -> None:
    for client in clients:
        client.close()
