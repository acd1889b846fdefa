"""The default transport: AWS JSON over HTTPS, with the standard library alone."""

from __future__ import annotations

from collections.abc import Mapping
from ssl import SSLSocket
from typing import TYPE_CHECKING, cast

from srpcore._values import Value
from srpcore.aws_json import decode
from srpcore.exceptions.base import TransportError
from srpcore.protocol import Fetch, Operation, Reply

from .attempts import Attempt, run_attempts
from .connections import IdleConnections
from .http_connection import Answer, Connection, Unanswered, open_connection, send_request
from .http_transport import HttpTransport
from .options import MAX_RESPONSE_SIZE, TransportOptions
from .proxy import Proxy, proxy_for
from .signing import fetch_headers
from .urls import Origin, host_of, origin_and_target
from .validation import whole_number

if TYPE_CHECKING:
    from typing import Self, Unpack

    from .credentials import Credentials, CredentialsProvider
    from .transport_arguments import TransportArguments

__all__ = ["MAX_RESPONSE_SIZE", "HttpsTransport"]


class HttpsTransport(HttpTransport):
    """Send operations to the service over HTTPS. Threads may share a transport; it is also a context manager.

    Connections are kept open and used again. If a kept connection turns out to be closed, the request is sent again at
    once on a new one. This happens in two cases: not all of the request was sent; or the connection was lost before the
    first byte of a response, and the operation may be repeated.

    An operation that may not be repeated uses only a connection that was in use less than five seconds ago, because
    servers do not close a connection that early. For example, RespondToAuthChallenge uses the connection of the
    InitiateAuth before it.

    Args:
        region: the AWS region. Default: ``AWS_REGION``, ``AWS_DEFAULT_REGION``, or the region of the AWS profile.
        endpoint_url: where operations are sent. Default: the variables ``AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER``
            and ``AWS_ENDPOINT_URL``, or the region's own endpoint.
        credentials: credentials for the operations that must be signed. By default they are looked up at the first such
            call.
        max_idle_connections: how many connections are kept open while no call uses them.
        options: the options of :class:`~srpcore_transports.options.TransportOptions`, which explains them: use_fips,
            use_dualstack, timeout, connect_timeout, read_timeout, total_timeout, max_attempts, ca_bundle,
            max_response_size, allow_http, on_request, on_response.

    Raises:
        ConfigurationError: an argument or an environment variable cannot be used, or there is neither a region nor an
            endpoint.
    """

    def __init__(
        self,
        region: str | None = None,
        endpoint_url: str | None = None,
        credentials: Credentials | CredentialsProvider | None = None,
        *,
        max_idle_connections: int = 16,
        **options: Unpack[TransportArguments],
    ) -> None:
        super().__init__(TransportOptions(region, endpoint_url, credentials, **options))
        self._idle = IdleConnections(whole_number("max_idle_connections", max_idle_connections, at_least=0))

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
            answer = self._send(attempt, "POST", self._endpoint.url, signed, body)
            return decode(answer.status, answer.headers, answer.body)

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
        host, headers = self._endpoint.check_fetch(url), fetch_headers(url)

        def send(attempt: Attempt) -> bytes:
            answer = self._send(attempt, "GET", url, headers, None)
            if answer.status != 200:
                from .status import unexpected_status  # imported only here, because it is seldom needed

                raise unexpected_status(answer.status, answer.headers, host)
            return answer.body

        body: bytes = run_attempts(self._attempts.steps(Fetch(url), host), send)
        return body

    def prepare(self, *, connect: bool = True) -> None:
        """Do now what the first call would otherwise do: read the certificate authorities, and open a connection.

        Call it while a program starts, for example in the init phase of an AWS Lambda function. The first call uses the
        connection if it is still open then and not older than a minute. Otherwise that call opens another one.

        Args:
            connect: whether to open a connection, if there is none that is still open and not older than a minute. No
                request is sent on it.

        Raises:
            ConfigurationError: the certificate authorities cannot be read.
            TransportTimeout: connecting took too long.
            TransportError: the service could not be reached. This is tried once only. A later call tries again.
        """
        request = _prepare("GET", self._endpoint.url, {}, None)
        if request.origin.scheme == "https":
            self._tls()
        if connect and self._idle.wants(request.origin):
            generation = self._idle.generation
            connection = self._connect(self._attempts.single(), request)
            self._idle.give_back(request.origin, connection, generation)

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        self._idle.close()

    def _send(self, attempt: Attempt, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send the request once, or a second time on a new connection if an idle one was lost (see the class)."""
        request = _prepare(method, url, headers, body)
        generation = self._idle.generation
        answer, arrived = None, False
        idle = self._idle.take(request.origin, fresh=not attempt.repeatable)
        if idle is not None:
            try:
                answer = self._send_on(idle, attempt, request, generation)
            except Unanswered as error:
                arrived = error.may_have_arrived
                if arrived and not attempt.repeatable:
                    raise
        if answer is None:
            try:
                answer = self._send_on(self._connect(attempt, request), attempt, request, generation)
            except TransportError as error:
                error.may_have_arrived = arrived or error.may_have_arrived
                raise
        if 300 <= answer.status < 400:
            from .status import refused_redirect

            raise refused_redirect(answer.status, request.origin.host)
        return answer

    def _send_on(self, connection: Connection, attempt: Attempt, request: _Request, generation: int) -> Answer:
        answer = send_request(
            connection,
            attempt,
            request.origin,
            request.method,
            request.target,
            request.headers,
            request.body,
            timeout=self._limits.read,
            limit=self._limits.size,
        )
        if answer.keep:
            if connection.tls is not None:
                connection.tls.keep_session(request.origin, cast(SSLSocket, connection.sock))
                connection.tls = None
            self._idle.give_back(request.origin, connection, generation)
        else:
            connection.close()
        return answer

    def _connect(self, attempt: Attempt, request: _Request) -> Connection:
        return open_connection(
            request.origin,
            attempt,
            proxy=request.proxy,
            tls=self._tls(request.origin.host) if request.origin.scheme == "https" else None,
            timeout=self._limits.connect,
        )


class _Request(Value):
    __slots__ = ("body", "headers", "method", "origin", "proxy", "target")
    _hidden = frozenset({"body", "headers"})

    origin: Origin
    proxy: Proxy | None
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None

    def __init__(
        self,
        origin: Origin,
        proxy: Proxy | None,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> None:
        self._set(origin=origin, proxy=proxy, method=method, target=target, headers=headers, body=body)


def _prepare(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> _Request:
    origin, target = origin_and_target(url)
    proxy = proxy_for(origin.scheme, origin.host, origin.port)
    if proxy is not None and origin.scheme == "http":
        # Without TLS there is no tunnel, so the proxy needs the whole URL (RFC 9112, section 3.2.2).
        target, headers = f"http://{host_of(url)}{target}", {**headers, **proxy.headers}
    return _Request(origin, proxy, method, target, headers, body)
