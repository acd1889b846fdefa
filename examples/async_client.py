"""A client of a cloud service for an event loop, in the style of a Home Assistant integration.

It logs in once, keeps the tokens fresh, and calls a function if the user has to log in again. Nothing blocks the loop:
the modules are imported before it starts, the arithmetic runs in a thread, and one refresh serves all tasks.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from srpcore import AsyncCognito
from srpcore.exceptions import (
    InvalidRefreshToken,
    RefreshTokenExpired,
    RefreshTokenRevoked,
    TransportError,
)
from srpcore.store import TokenStore


class NeedsLogin(Exception):
    """The user must enter the password again."""


class NotReachable(Exception):
    """The service did not answer. The login is kept; try again later."""


class CloudClient:
    """A logged-in client.

    Args:
        user_pool_id, client_id, username: whose login it is.
        store: where the tokens are kept between two starts.
        needs_login: called once when the login has ended, so that the user can be asked for the password.
        endpoint_url: the URL of the service, if it is not AWS.
    """

    def __init__(
        self,
        user_pool_id: str,
        client_id: str,
        username: str,
        store: TokenStore,
        needs_login: Callable[[], None],
        endpoint_url: str | None = None,
    ) -> None:
        self._user = AsyncCognito(user_pool_id, client_id, username=username, store=store, endpoint_url=endpoint_url)
        self._needs_login = needs_login

    async def __aenter__(self) -> Self:
        await self._user.__aenter__()
        await self._user.restore()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._user.__aexit__(kind, error, trace)

    async def log_in(self, password: str) -> None:
        """Log in with the password, which is not kept."""
        await self._user.authenticate(password)
        if self._user.new_device_metadata is not None:  # the pool tracks devices: without this, refresh stops working
            await self._user.confirm_device("an example", remember=False)

    async def token(self) -> str:
        """Return an access token that has not expired.

        Raises:
            NeedsLogin: nobody is logged in, or the login has ended.
            NotReachable: the service did not answer.
        """
        if self._user.access_token is None:
            raise NeedsLogin
        try:
            await self._user.check_token()
        except (RefreshTokenExpired, RefreshTokenRevoked, InvalidRefreshToken) as error:
            self._needs_login()
            raise NeedsLogin from error
        except TransportError as error:
            raise NotReachable from error
        return self._user.tokens.access_token
