"""The transport over botocore or boto3: proxies, retries, credentials and stubs are botocore's."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout
from srpcore.wire import Operation, Reply

__all__ = ["BotocoreTransport", "make_client"]


def make_client(session: Any = None, **arguments: Any) -> Any:
    """Return a new ``cognito-idp`` client: of *session* (botocore's or boto3's), else of boto3, else of botocore.

    Raises:
        ConfigurationError: neither boto3 nor botocore is installed.
        botocore.exceptions.BotoCoreError: botocore refused the arguments.
    """
    if session is None:
        try:
            session = import_module("boto3")
        except ModuleNotFoundError:
            session = _botocore_session()
    make = getattr(session, "create_client", None) or session.client
    return make("cognito-idp", **arguments)


def _botocore_session() -> Any:
    try:
        return import_module("botocore.session").get_session()
    except ModuleNotFoundError:
        raise ConfigurationError("botocore is not installed: pip install 'srpcore[botocore]'") from None


class BotocoreTransport:
    """Carry operations over *client*, a ``cognito-idp`` client of botocore or boto3, or anything with its methods.

    Each operation is ``getattr(client, name)(**parameters)``, looked up when it is called, so that stubs and patches
    work; nothing is validated before botocore does.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def __enter__(self) -> BotocoreTransport:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def call(self, operation: Operation) -> Reply:
        """Return the service's answer, an error document included.

        Raises:
            TransportError: botocore had no answer.
            botocore.exceptions.BotoCoreError: botocore refused the call itself (parameters, credentials, region).
        """
        import botocore
        from botocore import exceptions

        try:
            return Reply(getattr(self.client, botocore.xform_name(operation.name))(**operation.parameters))
        except exceptions.ClientError as error:
            return Reply(dict(error.response))
        except (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError) as error:
            raise TransportTimeout(f"{operation.name}: no answer in time") from error
        except exceptions.HTTPClientError as error:
            raise TransportError(f"{operation.name}: no answer") from error

    def fetch(self, url: str) -> bytes:
        """Return the body of a GET that answered 200, over botocore's own HTTP session.

        Raises:
            TransportError: there was no such answer.
        """
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import HTTPClientError
        from botocore.httpsession import URLLib3Session

        session = URLLib3Session(timeout=15)
        try:
            response = session.send(AWSRequest(method="GET", url=url).prepare())
        except HTTPClientError as error:
            raise TransportError(f"no answer from {url}") from error
        finally:
            session.close()
        if response.status_code != 200:
            raise TransportError(f"HTTP {response.status_code} from {url}")
        return bytes(response.content)

    def close(self) -> None:
        """Release the client's connections."""
        self.client.close()
