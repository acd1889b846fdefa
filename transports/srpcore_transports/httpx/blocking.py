"""The blocking transport over httpx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srpcore._fork import forget_in_snapshot
from srpcore.aws_json import decode
from srpcore.exceptions.base import TransportError
from srpcore.protocol import Fetch, Operation, Reply

from ..attempts import Attempt, run_attempts
from ..proxy import Proxy
from ..status import refused_redirect, unexpected_status
from ..tls import SharedTls
from .arguments import HttpxBase, Modules, RequestParts, check_open
from .client_pool import ClientPool
from .response import Received

if TYPE_CHECKING:
    from typing import Self, Unpack

    import httpx

    from ..credentials import Credentials, CredentialsProvider
    from ..transport_arguments import TransportArguments

__all__ = ["HttpxTransport"]


class HttpxTransport(HttpxBase["httpx.Client"]):
    """Send operations to the service with httpx, blocking. Threads may share a transport; it is a context manager.

    An idle connection is used again for five seconds only, because servers do not close a connection that early.

    Args:
        region: the AWS region, as for :class:`~srpcore_transports.https.HttpsTransport`.
        endpoint_url: where operations are sent, as for HttpsTransport.
        credentials: credentials for the operations that must be signed, as for HttpsTransport.
        client: an ``httpx.Client`` of the program. It is used and never closed. Its TLS settings, proxies, hooks and
            limits apply; its headers, cookies, ``auth``, redirects and timeout do not. The deadline of a call is then
            checked only between the parts of an answer. Default: a client that is made at the first call. It uses the
            proxies of the environment, and the certificate authorities that ``ca_bundle`` of
            :class:`~srpcore_transports.options.TransportOptions` describes.
        max_connections: how many connections are open at a time.
        options: the options of :class:`~srpcore_transports.options.TransportOptions`, which explains them.

    Raises:
        ConfigurationError: an argument or an environment variable cannot be used, or there is neither a region nor an
            endpoint.
    """

    _asynchronous = False

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: Credentials | CredentialsProvider | None = None,
        *,
        client: httpx.Client | None = None,
        max_connections: int = 100,
        **options: Unpack[TransportArguments],
    ) -> None:
        super().__init__(region, endpoint_url, credentials, client=client, max_connections=max_connections, **options)
        self._pool: ClientPool[httpx.Client] = ClientPool(self._max_connections)
        forget_in_snapshot(self, HttpxTransport.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, operation: Operation) -> Reply:
        """Send *operation* as a POST, signed if it must be, and return the service's answer, even if it is an error.

        Raises:
            ConfigurationError: the operation cannot be encoded, or must be signed and no credentials were found.
            TransportTimeout: connecting, or the answer, took too long.
            TransportError: the service did not answer.
        """
        headers, body = self._signer.request(operation)

        def send(attempt: Attempt) -> Reply:
            # Each attempt has a signature of its own, because a signature contains the time.
            signed = self._signer.signed(operation, headers, body, attempt.deadline) if operation.signed else headers
            answer = self._send(attempt, RequestParts("POST", self.endpoint_url, signed, body))
            return decode(*answer)

        reply: Reply = run_attempts(self._attempts.steps(operation, self._endpoint.host), send)
        return reply

    def fetch(self, url: str) -> bytes:
        """Return the body of a GET of *url*, which is sent without credentials.

        Plain http is refused except to this machine, or with *allow_http*.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
            TransportTimeout: connecting, or the answer, took too long.
            TransportError: the server did not answer, or the status is not 200.
        """
        host = self._endpoint.check_fetch(url)

        def send(attempt: Attempt) -> bytes:
            answer = self._send(attempt, self._get(url))
            if answer.status != 200:
                raise unexpected_status(answer.status, answer.headers, host)
            return answer.body

        body: bytes = run_attempts(self._attempts.steps(Fetch(url), host), send)
        return body

    def prepare(self, *, connect: bool = True) -> None:  # noqa: ARG002 - the signature of HttpsTransport.prepare
        """Import httpx, and read the certificate authorities, so that the first call need not do that.

        Args:
            connect: has no effect. httpx opens a connection only for a request.

        Raises:
            ConfigurationError: httpx is not installed, or the certificate authorities cannot be read.
        """
        self._import_httpx()
        "localhost".encode("idna")  # imports the codec, which Python needs for a host name that is a string
        if self._client is None:
            self._tls()

    def close(self) -> None:
        """Close the connections, except those of a client that was given. A later call opens new ones."""
        for client in self._pool.retire():
            client.close()

    def _send(self, attempt: Attempt, parts: RequestParts) -> Received:
        modules = self._import_httpx()
        request, proxy = self._prepare(modules, attempt, parts)
        with modules.clients.until(attempt.deadline):
            answer: Received
            if self._client is not None:
                check_open(self._client)
                answer = modules.request.send(self._client, request)
            else:
                answer = self._send_with_own_client(modules, request, proxy)
        if 300 <= answer.status < 400:
            raise refused_redirect(answer.status, request.host)
        return answer

    def _send_with_own_client(self, modules: Modules, request: Any, proxy: Proxy | None) -> Received:
        free = self._pool.free
        if not free.acquire(timeout=request.attempt.seconds_left(request.limits.connect)):
            raise request.no_free_connection()
        try:
            tls = self._tls(request.host)
            try:
                return self._send_with_pooled_client(modules, request, proxy, tls)
            except TransportError:
                # Nothing was sent yet if the certificate was refused.
                with_all = tls.with_all_authorities(request.verify_code)
                if with_all is None:
                    raise
            request.connect_again()
            return self._send_with_pooled_client(modules, request, proxy, with_all)
        finally:
            free.release()

    def _send_with_pooled_client(self, modules: Modules, request: Any, proxy: Proxy | None, tls: SharedTls) -> Received:
        context = tls.context
        pooled, closing = self._pool.take(
            (proxy, context), lambda: modules.clients.make_client(context, proxy, self._max_connections)
        )
        try:
            _close(closing)
            answer: Received = modules.request.send(pooled.client, request)
        except BaseException:
            _close(self._pool.give_back(pooled, good=request.under_way))
            raise
        _close(self._pool.give_back(pooled, good=True))
        return answer


def _close(clients: list[httpx.Client]) -> None:
    for client in clients:
        client.close()
