"""The drop-in home of ``RequestsSrpAuth``: an auth for requests that logs in by SRP and sends a token of the user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, cast

from ._fork import ForkSafeLock
from .client import Cognito
from .exceptions.base import ConfigurationError, TransportError, TransportTimeout
from .protocol import Operation, Reply, Transport

__all__ = ["MAX_DOCUMENT_SIZE", "RequestsSrpAuth", "TokenType"]

MAX_DOCUMENT_SIZE = 2**20
"""The bound in bytes of a key set that is fetched; a real one has about a thousand."""

_TIMEOUT_SECONDS = 15


class TokenType(str, Enum):  # noqa: UP042 - as pycognito's: a StrEnum has another str()
    """Which token is sent."""

    ID_TOKEN = "id_token"
    ACCESS_TOKEN = "access_token"


class RequestsSrpAuth:
    """Put a token of the user into a header of every request: pycognito's class of this name.

    ``requests.get(url, auth=RequestsSrpAuth(...))`` logs in before the first request and refreshes the tokens when
    the access token has expired. Any callable is an auth to requests, so this needs no requests to be imported. One
    object may serve many threads: one of them logs in or refreshes, and the others wait for it.

    Args:
        username, password, user_pool_id, user_pool_region, client_id: who logs in, and where, without *cognito*.
        cognito: a ``Cognito`` to use instead; one that is logged in needs no *password*.
        http_header: the header to set.
        http_header_prefix: what stands before the token in it, the space included.
        auth_token_type: which of the two tokens to send.
        boto3_client_kwargs: arguments of a boto3 client, which then carries the log-in, without *cognito*.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def __init__(
        self,
        username: str | None = None,
        password: str | None = None,
        user_pool_id: str | None = None,
        user_pool_region: str | None = None,
        client_id: str | None = None,
        cognito: Cognito | None = None,
        http_header: str = "Authorization",
        http_header_prefix: str = "Bearer ",
        auth_token_type: TokenType | str = TokenType.ACCESS_TOKEN,
        boto3_client_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        # What is missing is refused by what it is given to, with an error that says which.
        self.cognito_client = cognito or _CognitoByRequests(
            cast(str, user_pool_id),
            cast(str, client_id),
            user_pool_region,
            username=username,
            boto3_client_kwargs=boto3_client_kwargs,
        )
        self.username = username
        self.__password = password
        self.http_header = http_header
        self.http_header_prefix = http_header_prefix
        self.token_type = TokenType(auth_token_type)
        self._lock = ForkSafeLock()

    def __call__(self, request: Any) -> Any:
        """Set the header of *request*, after a log-in or a refresh where one is due, and return it.

        Raises:
            SrpcoreError: the log-in or the refresh failed, as ``Cognito.authenticate`` and ``check_token`` say.
        """
        request.headers[self.http_header] = self.http_header_prefix + self._token()
        return request

    def _token(self) -> str:
        with self._lock:
            if not self.cognito_client.access_token:
                self.cognito_client.authenticate(password=cast(str, self.__password))
            self.cognito_client.check_token(renew=True)
            token: str | None = getattr(self.cognito_client, self.token_type.value)
        if not token:
            raise ConfigurationError(f"there is no {self.token_type.value} to send: log in, or give it to the Cognito")
        return token


class _CognitoByRequests(Cognito):
    """A Cognito that fetches the key set as pycognito does, so that what intercepts requests sees it."""

    def _open_transport(self, make: Callable[[], Transport]) -> None:
        super()._open_transport(lambda: _KeysByRequests(make()))


class _KeysByRequests:
    """Carry everything over *inner*, but fetch by requests where that is installed."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.botocore_client: Any = getattr(inner, "botocore_client", None)

    def call(self, operation: Operation) -> Reply:
        return self._inner.call(operation)

    def fetch(self, url: str) -> bytes:
        try:
            import requests
        except ModuleNotFoundError:
            return self._inner.fetch(url)
        try:
            with requests.get(url, timeout=_TIMEOUT_SECONDS, stream=True, allow_redirects=False) as response:
                return _body(response)
        except requests.Timeout as error:
            raise TransportTimeout(f"no answer from {url} in time") from error
        except requests.RequestException as error:
            raise TransportError(f"no answer from {url}") from error

    def close(self) -> None:
        self._inner.close()


def _body(response: Any) -> bytes:
    if response.status_code != 200:
        raise TransportError(f"HTTP {response.status_code} from {response.url}")
    body = bytearray()
    for chunk in response.iter_content(2**16):
        body += chunk
        if len(body) > MAX_DOCUMENT_SIZE:
            raise TransportError(f"the document at {response.url} is larger than {MAX_DOCUMENT_SIZE} bytes")
    return bytes(body)
