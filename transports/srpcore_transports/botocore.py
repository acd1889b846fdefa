"""The transport over botocore or boto3: proxies, retries, credentials and stubs are botocore's."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, cast
from urllib.parse import urlsplit

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

from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout
from srpcore.pool import check_endpoint
from srpcore.wire import Operation, Reply

__all__ = ["MAX_DOCUMENT_SIZE", "BotocoreTransport", "make_client"]

MAX_DOCUMENT_SIZE = 2**20
"""The bound in bytes of what ``fetch`` takes: a key set has about a thousand."""

_TIMEOUT_SECONDS = 15


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
    return make("cognito-idp", **arguments)


class BotocoreTransport:
    """Carry operations over a ``cognito-idp`` client of botocore or boto3, or anything with its methods.

    Args:
        client_or_session: such a client, or a session of botocore or boto3 to make one of.
        client_arguments: what the session makes the client with: ``region_name``, ``config``, ``endpoint_url``, ...

    Each operation is ``getattr(client, name)(**parameters)``, looked up when it is called, so that stubs and patches
    work; nothing is validated before botocore does.
    """

    def __init__(self, client_or_session: Any, **client_arguments: Any) -> None:
        self.client = client_or_session
        # Asked of the type: a mock client has every attribute there is.
        if callable(getattr(cast(type[object], type(client_or_session)), "get_available_services", None)):
            self.client = make_client(client_or_session, **client_arguments)
        elif client_arguments:
            raise ConfigurationError("a client is made already: give the arguments to the session that makes it")

    def __enter__(self) -> BotocoreTransport:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def call(self, operation: Operation) -> Reply:
        """Return the service's answer, an error document included; ``raised`` is then the client's exception class.

        An operation that this botocore is too old for is answered as the service answers one it does not know.

        Raises:
            TransportError: botocore had no answer, or an error that is not the service's.
            botocore.exceptions.BotoCoreError: botocore refused the call itself (parameters, credentials, region).
        """
        method = getattr(self.client, xform_name(operation.name), None)
        if method is None:
            message = f"the client has no operation {operation.name}: upgrade botocore"
            return Reply({"Error": {"Code": "UnknownOperationException", "Message": message}})
        try:
            return Reply(method(**operation.parameters))
        except ClientError as error:
            reply = Reply(dict(error.response), type(error))
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            raise TransportTimeout(f"{operation.name}: no answer in time") from error
        except (ConnectionError, HTTPClientError) as error:
            raise TransportError(f"{operation.name}: no answer") from error
        # botocore's stand-in for the code where the body is no error document; the service's codes are names.
        if (reply.error or {}).get("Code", "").isdigit():
            raise TransportError(f"HTTP {reply.status} without an error document of the service: look at the proxy")
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
        authorities: Any = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True
        session = URLLib3Session(verify=authorities, proxies=get_environ_proxies(url), timeout=_TIMEOUT_SECONDS)
        try:
            return _body(session, url)
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            raise TransportTimeout(f"no answer from {url} in time") from error
        except (ConnectionError, HTTPClientError, HTTPError) as error:
            raise TransportError(f"no answer from {url}") from error
        finally:
            session.close()

    def close(self) -> None:
        """Release the client's connections."""
        self.client.close()


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
    return body
