"""aiohttp: ``ClientSession(middlewares=[send_token(user, origins="https://api.example.com")])``."""

from __future__ import annotations

from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from aiohttp.payload import AsyncIterablePayload

from ..client import AsyncCognito
from ..exceptions.base import ConfigurationError
from .bearer import (
    Origins,
    TokenUse,
    async_fresh_token,
    async_renewed_token,
    check_token_use,
    origin_of,
    parse_origins,
)

__all__ = ["send_token"]


def send_token(user: AsyncCognito, *, origins: Origins, use: TokenUse = "access") -> ClientMiddlewareType:
    """Return a middleware for aiohttp's client that sends the token of a logged-in user. Tasks may share it.

    The tokens are refreshed if they have expired. If the server answers 401, they are refreshed and the request is sent
    once more, unless its body is an asynchronous iterator.

    Args:
        user: who is logged in: after ``authenticate``, ``restore`` or with tokens that were given to the constructor.
        origins: the servers that may get the token. It must be given, because aiohttp calls the middleware for
            redirects to other servers, too.
        use: the token to send.

    Raises:
        ConfigurationError: *user* is not an AsyncCognito, or *use* or an origin is invalid.
    """
    if not isinstance(user, AsyncCognito):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"user must be an AsyncCognito, not {type(user).__name__}")
    accepted, kind = parse_origins(origins), check_token_use(use)

    async def middleware(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        if origin_of(str(request.url)) not in accepted:
            return await handler(request)
        token = await async_fresh_token(user, kind)
        request.headers["Authorization"] = f"Bearer {token}"
        response = await handler(request)
        if response.status != 401 or isinstance(request.body, AsyncIterablePayload):
            return response
        response.release()
        token = await async_renewed_token(user, kind, token)
        request.headers["Authorization"] = f"Bearer {token}"
        return await handler(request)

    return middleware
