"""The methods of ``AsyncCognito`` for a login and its tokens: verify, refresh, store and revoke them.

Most methods have the flow of the synchronous method. The others are written by hand, because they hold a lock or a task
between two flows, or return an :class:`AsyncSignIn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from ..flows.challenge import Answer, Challenge
from ..flows.login import set_up_totp
from ..offload import entered_in_thread
from .async_base import AsyncCognitoBase
from .keys import KeyMethods, SharedKeys
from .login import LoginMethods, SharedLogin
from .persistence import CONFLICTS, PersistenceMethods, SharedPersistence
from .preparation import PreparationMethods, SharedPreparation
from .refresher import RefreshMethods, SharedRefresh
from .steps import SharedSignIn, SignInMethods, Step
from .sync_async import async_method, written_twice
from .tokens import TokenMethods

if TYPE_CHECKING:
    import asyncio

__all__ = [
    "AsyncKeyMethods",
    "AsyncLoginMethods",
    "AsyncPersistenceMethods",
    "AsyncPreparationMethods",
    "AsyncRefreshMethods",
    "AsyncSignIn",
    "AsyncSignInMethods",
    "AsyncTokenMethods",
]


class AsyncKeyMethods(SharedKeys, AsyncCognitoBase):
    """The async version of :class:`KeyMethods`."""

    get_keys = async_method(KeyMethods.get_keys)
    get_key = async_method(KeyMethods.get_key)
    verify_token = async_method(KeyMethods.verify_token)
    verify_tokens = async_method(KeyMethods.verify_tokens)


class AsyncPreparationMethods(SharedPreparation, AsyncKeyMethods):
    """The async version of :class:`PreparationMethods`."""

    prepare = async_method(PreparationMethods.prepare)


class AsyncPersistenceMethods(SharedPersistence, AsyncCognitoBase):
    """The async version of :class:`PersistenceMethods`."""

    restore = async_method(PersistenceMethods.restore)


class AsyncRefreshMethods(SharedRefresh, AsyncKeyMethods):
    """Refresh the tokens. Only one task does it; the others wait for it."""

    _refresh_task: asyncio.Future[None] | None = None

    async def close(self) -> None:
        """Release the connections, unless the transport was given to the constructor.

        If a refresh is under way, wait until it has ended and its tokens are stored.
        """
        import asyncio

        running = self._running_refresh()
        if running is not None and not self._called_by_refresh():
            await asyncio.wait([running])
        await super().close()

    @written_twice(RefreshMethods.renew_access_token)
    async def renew_access_token(self, *, client_metadata: Mapping[str, str] | None = None) -> None:
        """Get new tokens for the refresh token."""
        await self._refresh_once(self._refreshes, client_metadata)

    async def _refresh_once(self, seen: int, client_metadata: Mapping[str, str] | None = None) -> None:
        """Refresh, or wait for the task that does. If the number of refreshes is no longer *seen*, do nothing."""
        import asyncio

        if self._refreshes != seen:
            return
        self._refuse_nested_refresh()
        if self._running_refresh() is None:
            self._refresh_task = asyncio.ensure_future(self._refresh_alone(client_metadata))
            # If every waiting task was cancelled, no other code retrieves the exception, and asyncio would log that.
            self._refresh_task.add_done_callback(lambda done: done.cancelled() or done.exception())
        # A task that is cancelled must not cancel the refresh that others wait for.
        await asyncio.shield(cast("asyncio.Future[None]", self._refresh_task))

    def _running_refresh(self) -> asyncio.Future[None] | None:
        """Return the refresh that runs on this event loop. One of a loop that was closed meanwhile never ends."""
        import asyncio

        task = self._refresh_task
        running = task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop()
        return task if running else None

    async def _refresh_alone(self, client_metadata: Mapping[str, str] | None) -> None:
        for left in reversed(range(CONFLICTS)):
            async with entered_in_thread(self._store_lock()):
                with self._marked_as_refresh():
                    conflict = await self._run(self._refresh_or_conflict(client_metadata))
                self._refreshes += conflict is None
            if conflict is None:
                return
            if not left:
                raise conflict


class AsyncTokenMethods(AsyncRefreshMethods):
    """The async version of :class:`TokenMethods`."""

    check_token = async_method(TokenMethods.check_token)
    check_tokens = async_method(TokenMethods.check_tokens)
    revoke_token = async_method(TokenMethods.revoke_token)
    logout = async_method(TokenMethods.logout)
    _set_tokens = async_method(TokenMethods._set_tokens)  # pyright: ignore[reportPrivateUsage] - pycognito's name


class AsyncLoginMethods(SharedLogin, AsyncTokenMethods):
    """The async version of :class:`LoginMethods`."""

    authenticate = async_method(LoginMethods.authenticate)
    new_password_challenge = async_method(LoginMethods.new_password_challenge)
    respond_to_software_token_mfa_challenge = async_method(LoginMethods.respond_to_software_token_mfa_challenge)
    respond_to_sms_mfa_challenge = async_method(LoginMethods.respond_to_sms_mfa_challenge)
    admin_authenticate = async_method(LoginMethods.admin_authenticate)


class AsyncSignIn(Step):
    """A login under way on an event loop. See :meth:`AsyncCognito.sign_in`."""

    def __init__(self, cognito: AsyncSignInMethods, challenge: Challenge | None) -> None:
        super().__init__(challenge)
        self._cognito = cognito

    async def answer(
        self,
        *,
        code: str | None = None,
        new_password: str | None = None,
        attributes: Mapping[str, str | float | bool] | None = None,
        choice: str | None = None,
        password: str | None = None,
        answer: str | None = None,
        credential: str | Mapping[str, object] | None = None,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, object] | None = None,
    ) -> AsyncSignIn:
        """Answer the challenge with what it needs, and return the next step: see :meth:`SignIn.answer`."""
        given = Answer(code, new_password, attributes, choice, password, answer, credential)
        return await self._cognito.answer_challenge(
            self._require_challenge(), given, client_metadata=client_metadata, user_context=user_context
        )

    async def set_up_totp(self) -> tuple[str, AsyncSignIn]:
        """Begin MFA_SETUP with an authenticator app: see :meth:`SignIn.set_up_totp`."""
        return await self._cognito.set_up_totp(self._require_challenge())


class AsyncSignInMethods(SharedSignIn, AsyncTokenMethods):
    """The async version of :class:`SignInMethods`."""

    @written_twice(SignInMethods.sign_in)
    async def sign_in(
        self,
        password: str | None = None,
        *,
        auth_flow: str = "USER_SRP_AUTH",
        preferred: str | None = None,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, object] | None = None,
        admin: bool = False,
    ) -> AsyncSignIn:
        """Begin to log in."""
        flow = self._begin_sign_in(password, auth_flow, preferred, client_metadata, user_context, admin)
        return AsyncSignIn(self, await self._run(flow))

    @written_twice(SignInMethods.answer_challenge)
    async def answer_challenge(
        self,
        challenge: Challenge,
        given: Answer,
        *,
        client_metadata: Mapping[str, str] | None = None,
        user_context: Mapping[str, object] | None = None,
    ) -> AsyncSignIn:
        """Answer *challenge*."""
        flow = self._answer_challenge(challenge, given, client_metadata, user_context)
        return AsyncSignIn(self, await self._run(flow))

    @written_twice(SignInMethods.set_up_totp)
    async def set_up_totp(self, challenge: Challenge) -> tuple[str, AsyncSignIn]:
        """Begin MFA_SETUP."""
        secret, following = await self._run(set_up_totp(challenge))
        return secret, AsyncSignIn(self, following)

    @written_twice(SignInMethods.resume_sign_in)
    async def resume_sign_in(self, text: str) -> AsyncSignIn:
        """Return the login that ``to_json()`` returned."""
        return AsyncSignIn(self, self._load_challenge(text))
