"""Refresh the tokens: once for any number of threads, tasks and processes that find them expired at the same time.

Theory of operation: a caller notes the count of refreshes, finds the access token expired, and asks for a refresh. It
waits for the lock of this object (threads) or for the task that refreshes (an event loop), and for the lock of the
stored login (processes). If the count has grown by then, another thread or task has refreshed meanwhile, and there is
nothing left to do. If the store holds newer tokens, another process has, and its tokens are taken over. Otherwise:

    refresh token ──► service ──► new tokens ──► store ──► verified ──► set on the object ──► store

A rotated refresh token is stored before the new tokens are verified, because the one that was sent is spent: whatever
goes wrong from here on, the new one must not be lost.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from .. import tokens
from .._fork import ForkSafeLock
from ..driver import entered_in_thread
from ..exceptions.not_authorized import InvalidRefreshToken, RefreshTokenRefused
from ..exceptions.service_exceptions import RefreshTokenReuseException, UserNotFoundException
from ..exceptions.tokens import MalformedToken
from ..flows.refresh import refresh
from ..protocol import Flow, JsonObject
from ..store import Login
from . import login_state
from .keys import AsyncKeyMethods, KeyMethods, KeyState
from .login_state import settled
from .sync_async import is_ours, through, written_twice

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncRefreshMethods", "RefreshMethods", "RefreshState"]

TAKE_OVER_MARGIN = 60.0
"""Seconds for which another process's tokens must still be valid to be taken over instead of refreshed."""

_OF_TOKENS = ("access_token", "access_claims", "id_token", "id_claims")


class RefreshState(KeyState):
    """What happens to the tokens between two requests."""

    _refreshes: int = 0

    @contextmanager
    def _tokens_stay_if_refused(self) -> Generator[None, None, None]:
        before = {name: getattr(self, name) for name in _OF_TOKENS}
        try:
            yield
        except BaseException:
            for name, value in before.items():
                setattr(self, name, value)
            raise

    def _verify_pair(self, access_token: str | None, id_token: str | None) -> Flow[None]:
        """Verify two tokens of one user and set them; if one is refused, the present tokens stay."""
        with self._tokens_stay_if_refused():
            yield from through(self, "verify_token", access_token, "access_token", "access")
            yield from through(self, "verify_token", id_token, "id_token", "id")
            self._refuse_two_users()

    def _take_result(self, result: Mapping[str, Any]) -> Flow[None]:
        """Take what a reply holds besides the access token and the ID token, and store the login."""
        self._login = login_state.obtained(self._login)
        if result.get("RefreshToken"):
            self.refresh_token = result["RefreshToken"]
        self.token_type = result.get("TokenType")
        self.expires_in = result.get("ExpiresIn")
        if self.expires_in is not None:
            self._expire_at(self._clock() + self.expires_in)
        self.new_device_metadata = result.get("NewDeviceMetadata")
        yield from self._save()

    def _drop_tokens(self) -> None:
        for name in (*_OF_TOKENS, "refresh_token", "token_type", "expires_in", "expires_datetime"):
            setattr(self, name, None)
        self._login = login_state.forgotten(self._login)

    def _forget_tokens(self) -> Flow[None]:
        """Drop the tokens, here and in the store."""
        refresh_token = self.refresh_token
        self._drop_tokens()
        yield from self._forget_saved_tokens(refresh_token)

    def _refresh(self) -> Flow[None]:
        # The keys first: once the refresh token is spent, the tokens it gave must not be refused for want of keys.
        # A verification that a program has put in place of ours may need no keys.
        if is_ours(self, "verify_token"):
            yield from through(self, "get_keys")
        self._login = settled(self._login)
        if (yield from self._take_over((yield from self._load()))):
            return
        reply = yield from self._ask_for_tokens()
        result: Mapping[str, Any] = reply.get("AuthenticationResult") or {}
        rotated: str | None = result.get("RefreshToken")
        if rotated:
            self.refresh_token = rotated
            yield from self._save()
        yield from through(self, "_set_tokens", reply)

    def _ask_for_tokens(self) -> Flow[JsonObject]:
        account = settled(self._login).account
        try:
            reply, way = yield from refresh(
                self._app,
                self.refresh_token or "",
                username=self._canonical_username(),
                device_key=self.device.key if self.device else None,
                first=account.refresh_way,
            )
        except (RefreshTokenRefused, RefreshTokenReuseException, UserNotFoundException) as error:
            # "Invalid Refresh Token" is also the answer if a device is tracked and its key was not sent.
            final = not isinstance(error, InvalidRefreshToken) or self.device is not None
            if self._store is not None and final:
                self._drop_tokens()
                yield from self._save()
            raise
        self._login = self._login._replace(account=account._replace(refresh_way=way))
        return reply

    def _take_over(self, login: Login | None) -> Flow[bool]:
        """Take over what another process has stored meanwhile: fresh tokens, or the newer refresh token."""
        if login is None:
            return False
        account = settled(self._login).account
        self.device, stored = self.device or login.device, login.tokens
        account = account._replace(username=account.username or login.username)
        if stored is not None and stored.refresh_token not in (None, self.refresh_token):
            account = account._replace(refresh_way=login.refresh_way or account.refresh_way)
        self._login = self._login._replace(account=account)
        if stored is None or stored.refresh_token in (None, self.refresh_token):
            return False
        self.refresh_token = stored.refresh_token
        expires_at = stored.expires_at or 0
        if not stored.access_token or not stored.id_token or expires_at <= self._clock() + TAKE_OVER_MARGIN:
            return False
        yield from self._verify_pair(stored.access_token, stored.id_token)
        self._expire_at(stored.expires_at)
        return True

    def _canonical_username(self) -> str:
        """Return the name that REFRESH_TOKEN_AUTH's SECRET_HASH is over: never an alias; the tokens name it."""
        claims: Mapping[str, Any] = {}
        if self.access_token:
            with suppress(MalformedToken):
                claims = tokens.unverified_claims(self.access_token)
        return str(claims.get("username") or settled(self._login).account.username or self.username or "")


class RefreshMethods(RefreshState, KeyMethods):
    """Refresh the tokens; threads wait for each other."""

    def renew_access_token(self) -> None:
        """Get new tokens for the refresh token, verify them and set them: once, even if many threads call it.

        With a store, other processes wait too, and tokens that one of them has just obtained are taken over. New ones
        are stored first. A refresh token that the service definitively refuses is dropped, here and from the store.

        Raises:
            ConfigurationError: there is no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are unchanged, unless the refresh token can never work again.
            TokenVerificationException: the new tokens are not accepted; the tokens are unchanged.
            StoreError: the store cannot be used.
        """
        self._refresh_once(self._refreshes)

    def _refresh_once(self, seen: int) -> None:
        """Refresh, unless another thread has since the count of refreshes was *seen*."""
        with self._refreshing, self._store_lock():
            if self._refreshes == seen:
                self._run(self._refresh())
                self._refreshes += 1

    @property
    def _refreshing(self) -> ForkSafeLock:
        # Made when it is needed: programs make objects without our constructor, and pickle and copy them.
        lock: ForkSafeLock = self.__dict__.setdefault("_refresh_lock", ForkSafeLock())
        return lock


class AsyncRefreshMethods(RefreshState, AsyncKeyMethods):
    """Refresh the tokens; tasks wait for the one that does."""

    _refresh_task: asyncio.Future[None] | None = None

    async def close(self) -> None:
        """Release the transport, unless it was given, once a refresh that is under way has ended and is stored."""
        import asyncio

        if self._refresh_task is not None and not self._refresh_task.done():
            await asyncio.wait([self._refresh_task])
        await super().close()

    @written_twice(RefreshMethods.renew_access_token)
    async def renew_access_token(self) -> None:
        """Get new tokens for the refresh token."""
        await self._refresh_once(self._refreshes)

    async def _refresh_once(self, seen: int) -> None:
        """Refresh, unless another task has since the count of refreshes was *seen*, or wait for the one that does."""
        import asyncio

        if self._refreshes != seen:
            return
        if self._refresh_task is None or self._refresh_task.done():
            self._refresh_task = asyncio.ensure_future(self._refresh_alone())
            # If every task that waited was cancelled, nobody else retrieves the exception.
            self._refresh_task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # A task that is cancelled must not cancel the refresh that others wait for.
        await asyncio.shield(self._refresh_task)

    async def _refresh_alone(self) -> None:
        async with entered_in_thread(self._store_lock()):
            await self._run(self._refresh())
            self._refreshes += 1
