"""The transport over botocore or boto3: proxies, retries, credentials and stubs are botocore's.

One event and one pair of log lines tell of one call, with all of botocore's own attempts in it. botocore's loggers are
its own: at the level DEBUG they show whole requests, with passwords and tokens.
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
from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name
    ConnectTimeoutError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout
from srpcore.pool import check_endpoint
from srpcore.protocol import Fetch, Operation, Reply
from srpcore.service_model import UNSIGNED

from .attempts import Attempt, Attempts, run_attempts
from .events import OnRequest, OnResponse

__all__ = ["MAX_DOCUMENT_SIZE", "BotocoreTransport", "make_client"]

MAX_DOCUMENT_SIZE = 2**20
"""The bound in bytes of what ``fetch`` takes: a key set has about a thousand."""

_TIMEOUT_SECONDS = 15

# Hooks stay with their client: AWSSRP is given the facade's client and makes a transport over it of its own.
_hooked: WeakKeyDictionary[Any, Attempts] = WeakKeyDictionary()


def make_client(session: Any = None, **arguments: Any) -> Any:
    """Return a new ``cognito-idp`` client: of *session* (botocore's or boto3's), else of boto3, else of botocore.

    Raises:
        botocore.exceptions.BotoCoreError: botocore refused the arguments.
    """
    if session is None:
        try:
            session = import_module("boto3")
        except ModuleNotFoundError:
            session = import_module("botocore.session").get_session()
    # boto3's name first: a mock session has both.
    make = getattr(session, "client", None) or session.create_client
    client = make("cognito-idp", **arguments)
    events = getattr(getattr(client, "meta", None), "events", None)  # a fake client may have none
    if events is not None:
        events.register("choose-signer.cognito-identity-provider", _leave_unsigned)
    return client


def _leave_unsigned(event_name: str, **_: object) -> object:
    """Send an operation without a signature if the service wants none, even if botocore's model wants one.

    botocore emits ``choose-signer.cognito-identity-provider.<operation>``, and takes any answer but None.
    """
    return UNSIGNED_REQUEST if event_name.rpartition(".")[2] in UNSIGNED else None


class BotocoreTransport:
    """Carry operations over a ``cognito-idp`` client of botocore or boto3, or anything with its methods.

    Args:
        client_or_session: such a client, or a session of botocore or boto3 to make one of.
        on_request, on_response: as :mod:`srpcore_transports.events` explains; botocore's own retries are not told. They
            stay with the client, in every transport over it that is given none.
        client_arguments: what the session makes the client with: ``region_name``, ``config``, ``endpoint_url``, ...

    Each operation is ``getattr(client, name)(**parameters)``, looked up when it is called, so that stubs and patches
    work; nothing is validated before botocore does. The time that a call may take is botocore's ``Config`` to say: a
    :func:`~srpcore_transports.deadline.time_limit` that is over lets none begin, and ends none that has begun.

    Raises:
        ConfigurationError: a client takes no arguments any more, or a hook is no function.
    """

    def __init__(
        self,
        client_or_session: Any,
        *,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        **client_arguments: Any,
    ) -> None:
        self.client = client_or_session
        # Asked of the type: a mock client has every attribute there is.
        if callable(getattr(cast(type[object], type(client_or_session)), "get_available_services", None)):
            self.client = make_client(client_or_session, **client_arguments)
        elif client_arguments:
            raise ConfigurationError("a client is made already: give the arguments to the session that makes it")
        self._attempts = _attempts_for(self.client, on_request, on_response)

    @property
    def botocore_client(self) -> Any:
        """The client, under a name that no other transport has: it says that botocore validates the parameters."""
        return self.client

    def __enter__(self) -> BotocoreTransport:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def call(self, operation: Operation) -> Reply:
        """Return the service's answer, an error document included; ``raised`` is then the client's exception class.

        An operation that this botocore is too old for is answered as the service answers one it does not know.

        Raises:
            TransportTimeout: there was no answer in time, or no time left to ask.
            TransportError: botocore had no answer, or an error that is not the service's.
            botocore.exceptions.BotoCoreError: botocore refused the call itself (parameters, credentials, region).
        """

        def send(attempt: Attempt) -> Reply:
            attempt.seconds_left(math.inf)
            return self._send(operation)

        try:
            reply: Reply = run_attempts(self._attempts.steps(operation, _host(self.client)), send)
        except RuntimeError as error:
            # What a stub raises that has no answers left, and no generator lets through (PEP 479).
            if isinstance(error.__cause__, StopIteration):
                raise error.__cause__ from None
            raise
        return reply

    def _send(self, operation: Operation) -> Reply:
        method = getattr(self.client, xform_name(operation.name), None)
        if method is None:
            message = f"the client has no operation {operation.name}: upgrade botocore"
            return Reply({"Error": {"Code": "UnknownOperationException", "Message": message}})
        try:
            reply = Reply(method(**operation.parameters))
        except ClientError as error:
            reply = Reply(dict(error.response), type(error))
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            raise TransportTimeout(f"{operation.name}: no answer in time") from error
        except (ConnectionError, HTTPClientError) as error:
            raise TransportError(f"{operation.name}: no answer") from error
        # botocore's stand-in for the code where the body is no error document; the service's codes are names.
        if (reply.error or {}).get("Code", "").isdigit():
            raise TransportError(f"HTTP {reply.status} without an error document of the service: look at the proxy")
        if _was_unreadable(self.client, operation, reply):
            raise TransportError(f"HTTP {reply.status} whose body is not the service's, or is cut short")
        return reply

    def fetch(self, url: str) -> bytes:
        """Return the body of a GET that answered 200: over https, or http to this machine, by botocore's HTTP session.

        The proxies and the certificate authorities are the environment's.

        Raises:
            ConfigurationError: *url* cannot be fetched safely.
            TransportTimeout: there was no such answer in time.
            TransportError: there was no such answer, or it is larger than MAX_DOCUMENT_SIZE.
        """
        parts = urlsplit(url)
        check_endpoint(f"{parts.scheme}://{parts.netloc}")

        def send(attempt: Attempt) -> bytes:
            return _fetched(url, attempt.seconds_left(_TIMEOUT_SECONDS))

        body: bytes = run_attempts(self._attempts.steps(Fetch(url), parts.hostname or ""), send)
        return body

    def close(self) -> None:
        """Release the client's connections."""
        self.client.close()


def _attempts_for(client: Any, on_request: OnRequest | None, on_response: OnResponse | None) -> Attempts:
    attempts = Attempts(max_attempts=1, total_timeout=math.inf, on_request=on_request, on_response=on_response)
    try:
        if on_request is None and on_response is None:
            return _hooked.get(client, attempts)
        _hooked[client] = attempts
    except TypeError:  # a stub that has no hash, or cannot be referred to weakly
        pass
    return attempts


def _was_unreadable(client: Any, operation: Operation, reply: Reply) -> bool:
    """botocore takes a body that is no JSON, such as a page of a network's own, for an empty document."""
    document = reply.document
    headers = document.get("ResponseMetadata", {}).get("HTTPHeaders")
    # An empty document has two bytes, or none. A stub's answer has no headers.
    if not headers or document.keys() != {"ResponseMetadata"} or headers.get("content-length") in ("0", "2"):
        return False
    output = client.meta.service_model.operation_model(operation.name).output_shape
    return bool(output is not None and output.members)


def _host(client: Any) -> str:
    # A stub may have no such attribute, and a mock anything in its place.
    endpoint = getattr(getattr(client, "meta", None), "endpoint_url", None)
    return (urlsplit(endpoint).hostname if isinstance(endpoint, str) else None) or "unknown"


def _fetched(url: str, timeout: float) -> bytes:
    authorities: Any = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True
    # Its annotation says int; it hands the number on to urllib3, which takes a fraction too.
    session = URLLib3Session(verify=authorities, proxies=get_environ_proxies(url), timeout=cast(int, timeout))
    try:
        return _body(session, url)
    except (ConnectTimeoutError, ReadTimeoutError, Urllib3Timeout) as error:
        raise TransportTimeout(f"no answer from {url} in time") from error
    except (ConnectionError, HTTPClientError, HTTPError) as error:
        raise TransportError(f"no answer from {url}") from error
    finally:
        session.close()


def _body(session: URLLib3Session, url: str) -> bytes:
    response = session.send(AWSRequest(method="GET", url=url, stream_output=True).prepare())
    try:
        if response.status_code != 200:
            raise TransportError(f"HTTP {response.status_code} from {url}")
        body: bytes = response.raw.read(MAX_DOCUMENT_SIZE + 1)
    finally:
        response.raw.close()
    if len(body) > MAX_DOCUMENT_SIZE:
        raise TransportError(f"the document at {url} is larger than {MAX_DOCUMENT_SIZE} bytes")
    # botocore reads a document that breaks off, or whose headers do, as if it were whole.
    length = response.headers.get("Content-Length")
    if length != str(len(body)) and (length is not None or "Transfer-Encoding" not in response.headers):
        raise TransportError(f"the document at {url} was cut short, or has no length that says whether it was")
    return body
