"""``RequestsSrpAuth``: authentication for requests that logs in with SRP and sends a token of the user.

The module has the name that it has in pycognito.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, cast

from ._fork import ForkSafeLock
from .client import Cognito
from .exceptions.base import ConfigurationError, TransportError, TransportTimeout
from .exceptions.compat import loaded
from .protocol import Operation, Reply, Transport
from .resolve import transport_module

__all__ = ["MAX_DOCUMENT_SIZE", "RequestsSrpAuth", "TokenType"]

MAX_DOCUMENT_SIZE = 2**20
"""The highest number of bytes in a fetched key set. A real one has about a thousand."""

_TIMEOUT_SECONDS = 15


class TokenType(str, Enum):  # noqa: UP042 - as in pycognito: str() of a StrEnum differs
    """The token to send."""

    ID_TOKEN = "id_token"
    ACCESS_TOKEN = "access_token"


class _Plain:
    """The base of RequestsSrpAuth. Python can replace the bases of a class only if it has another base than object."""


class RequestsSrpAuth(_Plain):
    """Authentication for requests: puts a token of the user into a header of every request, as in pycognito.

    ``requests.get(url, auth=RequestsSrpAuth(...))`` logs in before the first request, and refreshes the tokens when
    the access token has expired. This class does not import requests. While requests is loaded, it is a
    ``requests.auth.AuthBase``.

    Several threads can share one object. One of them logs in or refreshes, and the others wait for it.

    Args:
        username, password, user_pool_id, user_pool_region, client_id: the user and the pool, if *cognito* is not given.
        cognito: a ``Cognito`` to use. If it is logged in, *password* is not needed.
        http_header: the name of the header.
        http_header_prefix: the string before the token in the header, with the space.
        auth_token_type: the token to send.
        boto3_client_kwargs: arguments for a boto3 client to log in with, if *cognito* is not given.

    Raises:
        ConfigurationError: an argument is missing or not valid.
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
        boto3_client_kwargs: Mapping[str, object] | None = None,
    ) -> None:
        _derive_from_auth_base()
        # An argument may be None in spite of the cast. Cognito refuses it, with an error that names it.
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

    def __call__(self, request: Any) -> Any:
        """Set the header of *request*, and return the request. Log in or refresh the tokens first if necessary.

        Raises:
            SrpcoreError: the login or the refresh failed: see ``Cognito.authenticate`` and ``check_token``.
        """
        request.headers[self.http_header] = self.http_header_prefix + self._token()
        return request

    @property
    def _lock(self) -> ForkSafeLock:
        # Made at first use, for objects that were made without our constructor. setdefault makes it once, even in two
        # threads.
        lock: ForkSafeLock = self.__dict__.setdefault("_login_lock", ForkSafeLock())
        return lock

    def _token(self) -> str:
        with self._lock.lock:
            if not self.cognito_client.access_token:
                self.cognito_client.authenticate(password=cast(str, self.__password))
            self.cognito_client.check_token(renew=True)
            token: str | None = getattr(self.cognito_client, self.token_type.value)
        if not token:
            raise ConfigurationError(f"no {self.token_type.value} to send: log in, or give one to the Cognito object")
        return token


def _derive_from_auth_base() -> None:
    """Make RequestsSrpAuth a subclass of requests' AuthBase, if requests is loaded by now."""
    base: type | None = getattr(sys.modules.get("requests.auth"), "AuthBase", None)
    if base is None or issubclass(RequestsSrpAuth, base):
        return
    with suppress(TypeError):  # a program's class has both bases in the other order: it is an AuthBase already
        RequestsSrpAuth.__bases__ = (_Plain, base)


_derive_from_auth_base()


class _CognitoByRequests(Cognito):
    """A Cognito that fetches the key set with requests, as pycognito does.

    So tools that intercept requests, for example in the tests of a program, also see this request.
    """

    def _open_transport(self, make: Callable[[], Transport]) -> None:
        super()._open_transport(lambda: _KeysByRequests(make()))


class _KeysByRequests:
    """A transport that fetches with requests if that is installed, and uses *inner* for everything else."""

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
            with requests.get(
                url, timeout=_TIMEOUT_SECONDS, stream=True, allow_redirects=False, **self._settings(url)
            ) as response:
                return _body(response)
        except requests.Timeout as error:
            reason = "connect timeout" if isinstance(error, requests.ConnectTimeout) else "read timeout"
            message = f"no answer from {url} within {_TIMEOUT_SECONDS} seconds"
            raise TransportTimeout(message, reason=reason, url=url, fetching=True) from error
        except requests.RequestException as error:
            reason = _reason(error)
            raise TransportError(f"no answer from {url}", reason=reason, url=url, fetching=True) from error

    def _settings(self, url: str) -> dict[str, Any]:
        """Return what the program has set on its botocore client; requests reads the environment for the rest."""
        if self.botocore_client is None:
            return {}
        found = transport_module("botocore").session_arguments(self.botocore_client, url)
        settings = {"verify": found["verify"], "proxies": found["proxies"], "cert": found.get("client_cert")}
        return {name: value for name, value in settings.items() if value not in (True, None)}

    def close(self) -> None:
        self._inner.close()


def _reason(error: Exception) -> str:
    # The subclasses come first: ProxyError and SSLError are ConnectionErrors.
    for name, reason in {"ProxyError": "proxy", "SSLError": "tls", "ConnectionError": "connect"}.items():
        cls = loaded("requests.exceptions", name)
        if cls is not None and isinstance(error, cls):
            return reason
    return "answer"


def _body(response: Any) -> bytes:
    if response.status_code != 200:
        raise TransportError(f"HTTP {response.status_code} from {response.url}")
    body = bytearray()
    for chunk in response.iter_content(2**16):
        body += chunk
        if len(body) > MAX_DOCUMENT_SIZE:
            raise TransportError(f"key set at {response.url} is larger than {MAX_DOCUMENT_SIZE} bytes: check the URL")
    return bytes(body)
