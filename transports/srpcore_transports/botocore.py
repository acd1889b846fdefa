"""The transport over botocore or boto3, with botocore's own proxies, retries, credentials and stubs.

One call is one event and one pair of log records, even if botocore makes several attempts. botocore has loggers of its
own: at level DEBUG they write whole requests, with passwords and tokens.
"""

from __future__ import annotations

import math
import os
from importlib import import_module
from typing import Any, cast
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from botocore import UNSIGNED as UNSIGNED_REQUEST
from botocore import xform_name
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    ConnectTimeoutError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.hooks import BaseEventHooks
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

import srpcore
from srpcore._fork import forget_in_snapshot
from srpcore.aws_json import check_operation_name
from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout
from srpcore.exceptions.compat import COUNTERPARTS
from srpcore.exceptions.context import without_cause
from srpcore.pool import check_endpoint, plain_http_allowed
from srpcore.protocol import Fetch, Operation, Reply
from srpcore.service_model import UNSIGNED

from .attempts import Attempt, Attempts, run_attempts
from .botocore_response import Received, check_document, is_of_parser, keep_documents, observe, response_of
from .events import OnRequest, OnResponse
from .urls import origin_and_target, what_to_check

__all__ = ["MAX_DOCUMENT_SIZE", "BotocoreTransport", "make_client"]

MAX_DOCUMENT_SIZE = 2**20
"""The largest document in bytes that ``fetch`` accepts. A key set has about a thousand bytes."""

_TIMEOUT_SECONDS = 15

# The hooks belong to the client: AWSSRP gets the client of Cognito, and makes another transport for it.
_hooked: WeakKeyDictionary[Any, Attempts] = WeakKeyDictionary()


def make_client(session: Any = None, **arguments: Any) -> Any:
    """Return a new ``cognito-idp`` client.

    Args:
        session: a botocore or boto3 session from which the client is made. None means boto3 if it is installed, else
            botocore.
        arguments: the arguments of the session's method.

    Raises:
        botocore.exceptions.BotoCoreError: botocore refused the arguments.
    """
    if session is None:
        # A program's test may replace srpcore.boto3, which pycognito has too.
        session = getattr(srpcore, "boto3", None) or import_module("botocore.session").get_session()
    # boto3's name first, because a mock session has both.
    make = getattr(session, "client", None) or session.create_client
    client = make("cognito-idp", **arguments)
    events = getattr(getattr(client, "meta", None), "events", None)  # a fake client may have none
    if events is not None:
        events.register("choose-signer.cognito-identity-provider", _leave_unsigned)
    return client


def _leave_unsigned(event_name: str, **_: object) -> object:
    """Send an operation without a signature if the service wants none, even if botocore's model wants one.

    botocore emits ``choose-signer.cognito-identity-provider.<operation>``, and uses any result that is not None.
    """
    return UNSIGNED_REQUEST if event_name.rpartition(".")[2] in UNSIGNED else None


class BotocoreTransport:
    """Send operations with a ``cognito-idp`` client of botocore or boto3, or any object with its methods.

    Args:
        client_or_session: a client, or a botocore or boto3 session from which a client is made.
        on_request: called before each call; see :mod:`srpcore_transports.events`. botocore's own retries are not
            reported. The hooks belong to the client: another transport over it that is given none uses them too.
        on_response: called after each call.
        allow_http: fetch key sets over plain http from other machines too, for example from an emulator in another
            container. Default: the environment variable ``SRPCORE_ALLOW_HTTP`` (``true``, ``1``, ``yes`` or
            ``on``).
        client_arguments: the arguments for the session's client: ``region_name``, ``config``, ``endpoint_url``, ...

    Each operation is ``getattr(client, name)(**parameters)``, looked up at each call, so stubs and patches work. Only
    botocore validates the parameters. Timeouts are set with botocore's ``Config``. A
    :func:`~srpcore_transports.deadline.time_limit` that is over prevents a call, but does not end one that has begun.

    Raises:
        ConfigurationError: there are *client_arguments*, but the client is already made; or a hook is not callable.
    """

    def __init__(
        self,
        client_or_session: Any,
        *,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        allow_http: bool | None = None,
        **client_arguments: Any,
    ) -> None:
        self.client = client_or_session
        # Looked up on the type, because an instance of a mock has every attribute.
        if callable(getattr(cast(type[object], type(client_or_session)), "get_available_services", None)):
            self.client = make_client(client_or_session, **client_arguments)
        elif client_arguments:
            raise ConfigurationError(
                "arguments for a client that is already made: give them to the session that makes it"
            )
        self.allow_http = plain_http_allowed(allow_http)
        self._attempts = _attempts_for(self.client, on_request, on_response)
        observe(self.client)
        forget_in_snapshot(self, BotocoreTransport.close)

    @property
    def botocore_client(self) -> Any:
        """The client. Only this transport has the attribute, so it shows that botocore validates the parameters."""
        return self.client

    @property
    def endpoint_url(self) -> str | None:
        """The URL that the client sends operations to; None if the client is a stub that has none."""
        endpoint = getattr(getattr(self.client, "meta", None), "endpoint_url", None)
        return endpoint if isinstance(endpoint, str) else None  # a mock may have any value there

    def __enter__(self) -> BotocoreTransport:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def call(self, operation: Operation) -> Reply:
        """Return the service's answer. If it is an error, ``raised`` is the client's exception class.

        If botocore is too old to know the operation, the answer is the service's error for an unknown operation.

        Raises:
            TransportTimeout: the answer took too long, or the time limit was over before the call.
            TransportError: there was no answer, or the answer is not from the service.
            ConfigurationError: the operation's name is not letters and digits.
            botocore.exceptions.BotoCoreError: botocore refused the call (parameters, credentials, region).
        """

        def send(attempt: Attempt) -> Reply:
            attempt.seconds_left(math.inf)
            return self._send(operation)

        try:
            reply: Reply = run_attempts(self._attempts.steps(operation, self._host()), send)
        except RuntimeError as error:
            # A mock without further answers raises StopIteration, which generators turn into RuntimeError (PEP 479).
            if isinstance(error.__cause__, StopIteration):
                raise error.__cause__ from None
            raise
        return reply

    # Without botocore's exceptions: they contain parts of the answer and of the request, or the password of a proxy.
    @without_cause
    def _send(self, operation: Operation) -> Reply:
        check_operation_name(operation.name)
        method = getattr(self.client, xform_name(operation.name), None)
        if method is None:
            message = f"the client has no operation {operation.name}: upgrade botocore"
            return Reply({"Error": {"Code": "UnknownOperationException", "Message": message}})
        raised: type[Exception] | None = None
        received: Received = []
        try:
            with keep_documents(received):
                document = method(**operation.parameters)
        except ClientError as error:
            document, raised = response_of(error), type(error)
        except (ConnectionError, HTTPClientError) as error:
            raise _transport_error(error, f"{operation.name}: no answer") from error
        except Exception as error:
            if not is_of_parser(error):
                raise
            raise TransportError(
                f"{operation.name}: not an answer of the service (botocore's parser raised {type(error).__name__}): "
                "check the endpoint URL and the proxy settings"
            ) from error
        # What is returned is a success, even if it is a mock, None or a document with a member "Error".
        failed = raised is not None
        check_document(received, document, failed=failed)  # not in the `except`: ClientError would become the context
        return Reply(document, raised, failed=failed)

    def _host(self) -> str:
        return (urlsplit(self.endpoint_url).hostname if self.endpoint_url else None) or "unknown"

    def fetch(self, url: str) -> bytes:
        """Return the body of a GET of *url*, sent by botocore's HTTP session.

        Plain http is refused except to this machine, or with *allow_http*.
        Proxies, certificate authorities and a client certificate are those of the client.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
            TransportTimeout: the answer took too long.
            TransportError: the server did not answer, the status is not 200, or the body is larger than
                MAX_DOCUMENT_SIZE.
        """
        parts = urlsplit(url)
        check_endpoint(f"{parts.scheme}://{parts.netloc}", allow_http=self.allow_http)

        def send(attempt: Attempt) -> bytes:
            return _fetch(self.client, url, attempt.seconds_left(_TIMEOUT_SECONDS))

        body: bytes = run_attempts(self._attempts.steps(Fetch(url), parts.hostname or ""), send)
        return body

    def close(self) -> None:
        """Close the client's connections."""
        close = getattr(self.client, "close", None)  # a fake client may have none
        if close is not None:
            close()


def _attempts_for(client: Any, on_request: OnRequest | None, on_response: OnResponse | None) -> Attempts:
    attempts = Attempts(max_attempts=1, total_timeout=math.inf, on_request=on_request, on_response=on_response)
    try:
        if on_request is None and on_response is None:
            return _hooked.get(client, attempts)
        _hooked[client] = attempts
    except TypeError:  # the client is a stub that is not hashable, or does not allow weak references
        pass
    return attempts


_REASONS = {counterpart.botocore: reason for reason, counterpart in reversed([*COUNTERPARTS.items()])}


def _transport_error(error: Exception, message: str) -> TransportError:
    """Return the error of ours for one of botocore or urllib3. Its message begins with *message*."""
    kwargs: Any = getattr(error, "kwargs", {})
    url = str(kwargs.get("proxy_url") or kwargs.get("endpoint_url") or "")  # botocore masks the proxy's password
    reason = next((_REASONS[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in _REASONS), "closed")
    if isinstance(error, (ConnectTimeoutError, ReadTimeoutError, Urllib3Timeout)):
        reason = reason if reason == "connect timeout" else "read timeout"
        return TransportTimeout(f"{message} in time", reason=reason, url=url)
    cause = _CAUSES[reason]
    if reason == "connect" and url:
        origin = origin_and_target(url)[0]
        cause = f"no connection to {origin.url}; {what_to_check(origin.host)} and the network"
    return TransportError(f"{message}: {cause}", reason=reason, url=url)


_CAUSES = {
    "connect": "no connection; check the region and the network",
    "proxy": "the proxy refused; check the variable HTTPS_PROXY",
    "tls": "certificate verification or the TLS handshake failed; check the host name and AWS_CA_BUNDLE",
    "closed": "the connection was lost",
    "answer": "botocore could not send the request or read the answer",
}


def session_arguments(client: Any, url: str) -> dict[str, Any]:
    """Return the settings of *client* for TLS and proxies, as arguments of botocore's URLLib3Session to fetch *url*.

    They are the client's argument ``verify`` (or what botocore has found instead of it in the AWS profile and in the
    environment), and ``proxies``, ``proxies_config`` and ``client_cert`` of its Config. A stub has none of these, so
    the environment counts for it.
    """
    # botocore keeps `verify` in private attributes only.
    session = getattr(getattr(client, "_endpoint", None), "http_session", None)
    config = getattr(getattr(client, "meta", None), "config", None)
    if not isinstance(session, URLLib3Session) or not isinstance(config, Config):
        authorities = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True
        return {"verify": authorities, "proxies": get_environ_proxies(url)}
    settings = cast(Any, config)
    return {
        "verify": getattr(session, "_verify", True),
        "proxies": get_environ_proxies(url) if settings.proxies is None else settings.proxies,
        "proxies_config": settings.proxies_config,
        "client_cert": settings.client_cert,
    }


@without_cause
def _fetch(client: Any, url: str, timeout: float) -> bytes:
    request = AWSRequest(method="GET", url=url, stream_output=True).prepare()
    answered = _answer_of_a_handler(client, request)
    if answered is not None:
        return _body(answered, url, complete=True)
    # The annotation of `timeout` is int, but botocore passes it to urllib3, which accepts a float.
    session = URLLib3Session(**session_arguments(client, url), timeout=cast(int, timeout))
    try:
        return _body(session.send(request), url)
    except TransportError:
        raise
    except (ConnectionError, HTTPClientError, HTTPError) as error:
        raise _transport_error(error, f"no answer from {url}") from error
    finally:
        session.close()


def _answer_of_a_handler(client: Any, request: Any) -> Any:
    """Return the response of a handler of the client's event ``before-send``, or None if there is none.

    botocore emits this event before it sends an operation. moto answers requests in it, so the key set of a mocked pool
    can be fetched only if the event is emitted here too.
    """
    events = getattr(getattr(client, "meta", None), "events", None)
    if not isinstance(events, BaseEventHooks):
        return None  # the client is a stub
    responses = events.emit("before-send.cognito-identity-provider.FetchKeys", request=request)
    return next((response for _, response in responses if response is not None), None)


def _body(response: Any, url: str, *, complete: bool = False) -> bytes:
    """Return the body of *response*. A response that is not *complete* for certain must show that it is."""
    try:
        if response.status_code != 200:
            raise TransportError(f"HTTP {response.status_code} from {url}")
        body: bytes = response.raw.read(MAX_DOCUMENT_SIZE + 1)
    finally:
        response.raw.close()
    if len(body) > MAX_DOCUMENT_SIZE:
        raise TransportError(f"the document at {url} is larger than {MAX_DOCUMENT_SIZE} bytes")
    # botocore accepts a truncated document, or truncated headers, as complete ones.
    length = response.headers.get("Content-Length")
    if (
        not complete
        and length != str(len(body))
        and (length is not None or "Transfer-Encoding" not in response.headers)
    ):
        raise TransportError(f"the document at {url} is truncated, or may be: it has no Content-Length")
    return body
