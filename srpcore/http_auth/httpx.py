"""httpx: ``httpx.Client(auth=CognitoAuth(user))``, and ``httpx.AsyncClient`` with an AsyncCognito."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import httpx

from ..client import AsyncCognito, Cognito
from ..exceptions.base import ConfigurationError
from .bearer import (
    Origins,
    TokenUse,
    async_fresh_token,
    async_renewed_token,
    check_token_use,
    fresh_token,
    origin_of,
    parse_origins,
    renewed_token,
)

__all__ = ["CognitoAuth"]


class CognitoAuth(httpx.Auth):
    """Authentication for httpx with the token of a logged-in user. Threads and tasks may share it.

    The tokens are refreshed if they have expired. If the server answers 401, they are refreshed and the request is sent
    once more, unless its body is a stream.

    Args:
        user: who is logged in: a Cognito for ``httpx.Client``, an AsyncCognito for ``httpx.AsyncClient``.
        use: the token to send.
        origins: the servers that may get the token, for a client that also sends requests to others. By default every
            request with this authentication gets it.

    Raises:
        ConfigurationError: *user* is neither a Cognito nor an AsyncCognito, or *use* or an origin is invalid.
    """

    def __init__(
        self, user: Cognito | AsyncCognito, *, use: TokenUse = "access", origins: Origins | None = None
    ) -> None:
        if not isinstance(user, (Cognito, AsyncCognito)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"user must be a Cognito or an AsyncCognito, not {type(user).__name__}")
        self._user = user
        self._use: TokenUse = check_token_use(use)
        self._origins = None if origins is None else parse_origins(origins)

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send *request* with the token, and once more after a 401. httpx calls this.

        Raises:
            ConfigurationError: nobody is logged in, or the user is an AsyncCognito.
            SrpcoreError: the tokens could not be refreshed: see ``Cognito.check_token``.
        """
        user = self._user
        if not isinstance(user, Cognito):
            raise ConfigurationError("httpx.Client needs a Cognito: use httpx.AsyncClient with an AsyncCognito")
        if not self._may_get_token(request):
            yield request
            return
        token = fresh_token(user, self._use)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401 and _can_be_repeated(request):
            token = renewed_token(user, self._use, token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send *request* with the token, and once more after a 401. httpx calls this.

        Raises:
            ConfigurationError: nobody is logged in, or the user is a Cognito.
            SrpcoreError: the tokens could not be refreshed: see ``Cognito.check_token``.
        """
        user = self._user
        if not isinstance(user, AsyncCognito):
            raise ConfigurationError("httpx.AsyncClient needs an AsyncCognito: use httpx.Client with a Cognito")
        if not self._may_get_token(request):
            yield request
            return
        token = await async_fresh_token(user, self._use)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401 and _can_be_repeated(request):
            token = await async_renewed_token(user, self._use, token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _may_get_token(self, request: httpx.Request) -> bool:
        return self._origins is None or origin_of(str(request.url)) in self._origins


def _can_be_repeated(request: httpx.Request) -> bool:
    # A request whose body is a stream has no attribute `_content` until it is read, and it can be read once only.
    return isinstance(request.stream, httpx.ByteStream)
