"""Refresh the tokens once, even if many threads, tasks and processes find them expired at the same time.

Theory of operation
===================

::

    seen = number of refreshes of this object so far
    the access token has expired
        │
    wait for the lock of this object (threads), or for the task that is refreshing (event loop)
    wait for the lock of the stored login (other processes)
        │
        ├── the number is greater than `seen`: another thread or task has refreshed  ──► done
        ├── the store holds tokens that are still valid: another process has         ──► verify and use those
        └── otherwise:

    refresh token ──► service ──► new tokens ──► store ──► verify ──► set on the object ──► store

If the pool rotates refresh tokens, the refresh token that was sent can never be used again. The new one is therefore
stored before the new tokens are verified: if the verification fails, or the process ends, it is not lost.

A store on many machines may refuse to store the new tokens (:class:`~srpcore.exceptions.StoreConflict`), because this
process was stopped for so long that its lock has ended, and another process has refreshed. Then the refresh begins
again with the lock, and uses what the store has. The tokens of this process are given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .. import tokens
from .._fork import ForkSafeLock
from .._values import replace
from ..exceptions.base import ConfigurationError, SrpcoreError
from ..exceptions.service import ServiceError
from ..exceptions.tokens import MalformedToken, TokenExpired
from ..flows import ask
from ..flows.login_context import authentication_result
from ..flows.refresh import REFRESH_TOKEN_AUTH, refresh, require_refresh_token
from ..protocol import Flow, JsonObject
from . import login_state
from .keys import VERIFIED_ATTRIBUTES, KeyMethods, SharedKeys
from .login_state import settled
from .persistence import CONFLICTS, is_conflict
from .sync_async import by_hand, call_method, is_ours

if TYPE_CHECKING:
    from ..store import Login

__all__ = ["RefreshMethods", "SharedRefresh"]

TAKE_OVER_MARGIN = 60.0
"""A number of seconds. Tokens that another process stored are used instead of a refresh if they are valid for at least
this many more seconds.
"""


class SharedRefresh(SharedKeys):
    """The parts of a refresh that ``Cognito`` and ``AsyncCognito`` share."""

    _refreshes: int = 0
    _spent_token: str | None = None  # the last refresh token for which this object got another one

    def _set_result(self, result: Mapping[str, Any]) -> Flow[None]:
        """Set what an AuthenticationResult holds besides the access token and the ID token, and store the login."""
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
        for name in (*VERIFIED_ATTRIBUTES, "refresh_token", "token_type", "expires_in", "expires_datetime"):
            setattr(self, name, None)
        self._login = login_state.forgotten(self._login)

    def _forget_tokens(self) -> Flow[None]:
        """Drop the tokens of this object and of the store."""
        refresh_token = self.refresh_token
        self._drop_tokens()
        yield from self._forget_saved_tokens(refresh_token)

    def _refuse_nested_refresh(self) -> None:
        if self._called_by_refresh():
            raise ConfigurationError(
                "tokens are being refreshed already: verify_token, a hook, or other code that a refresh calls must not "
                "refresh them"
            )

    def _refresh_without_token(self) -> Flow[None]:
        """Refuse a refresh without a refresh token, or let botocore refuse it, as pycognito does.

        A fake of botocore's client may accept the request. Then its reply counts, as in pycognito.
        """
        if not self._botocore_validates:
            require_refresh_token(self.refresh_token)
        parameters = {"REFRESH_TOKEN": self.refresh_token}
        self._add_secret_hash(parameters, "SECRET_HASH")
        request = {"AuthFlow": REFRESH_TOKEN_AUTH, "AuthParameters": parameters, "ClientId": self.client_id}
        reply = yield from ask("InitiateAuth", request)
        yield from call_method(self, "_set_tokens", reply)

    def _refresh_or_conflict(self, client_metadata: Mapping[str, str] | None) -> Flow[SrpcoreError | None]:
        """Refresh, and return None. If another process has stored a newer login meanwhile, return that error."""
        try:
            yield from self._refresh(client_metadata)
        except SrpcoreError as error:
            if not is_conflict(error):
                raise
            self._save_failed = False  # what the store has is not older than what this object has, but newer
            return error
        return None

    def _refresh(self, client_metadata: Mapping[str, str] | None = None) -> Flow[None]:
        if self._store is None and not self.refresh_token:
            yield from self._refresh_without_token()
            return
        # Fetch the keys before the refresh. If the keys were fetched afterwards and that failed, the new tokens could
        # not be verified, and the old refresh token might already be spent. A program may have replaced verify_token;
        # then the keys may not be needed.
        if is_ours(self, "verify_token"):
            yield from call_method(self, "get_keys")
        self._login = settled(self._login)
        login: Login | None = None
        if self._save_failed:
            # Write the present tokens first: what the store has is older, and must not be taken for another process's.
            yield from self._save()
        else:
            login = yield from self._load()
            if (yield from self._use_stored_tokens(login)):
                return
        reply = yield from self._request_tokens(self._access_claims_for_refresh(login), client_metadata)
        result = authentication_result(reply)
        rotated: str | None = result.get("RefreshToken")
        if rotated:
            self._spent_token, self.refresh_token = self.refresh_token, rotated
            yield from self._save()
        yield from call_method(self, "_set_tokens", reply)

    def _request_tokens(self, claims: Mapping[str, Any], client_metadata: Mapping[str, str] | None) -> Flow[JsonObject]:
        """Request new tokens. *claims* are those of the access token that came with the refresh token."""
        account = settled(self._login).account
        # The refresh token is bound to the device that the user logged in with, which the access token names. After a
        # restart with saved tokens, this object may not have a `device`, or have another one.
        known = self.device.key if self.device else None
        device_key = claims["device_key"] if isinstance(claims.get("device_key"), str) else known
        try:
            reply, way = yield from refresh(
                self._app,
                self.refresh_token or "",
                username=str(claims.get("username") or account.username or self.username or ""),
                device_key=device_key,
                client_metadata=client_metadata,
                first=account.refresh_way,
            )
        except ServiceError as error:
            final = _is_final(error, for_device=known is not None and known == device_key)
            # Without a store the tokens stay, as in pycognito: the access token may still be valid, and the attributes
            # may be all that the program has. Stored tokens must go, or every process would try them again.
            if self._store is not None and final:
                self._drop_tokens()
                yield from self._save()
            raise
        self._login = replace(self._login, account=replace(account, refresh_way=way))
        return reply

    def _use_stored_tokens(self, login: Login | None) -> Flow[bool]:
        """Use what another process has stored meanwhile. Return whether its tokens make a refresh unnecessary.

        If they do not, for example because they have expired too, at least its newer refresh token is used.
        """
        if login is None:
            return False
        account = settled(self._login).account
        self.device, stored = self.device or login.device, login.tokens
        account = replace(account, username=account.username or login.username)
        # The spent token is there if another process has saved only its device after the lock of this one had ended.
        ours = (None, self.refresh_token, self._spent_token)
        if stored is not None and stored.refresh_token not in ours:
            account = replace(account, refresh_way=login.refresh_way or account.refresh_way)
        self._login = replace(self._login, account=account)
        if stored is None or stored.refresh_token in ours:
            return False
        self.refresh_token = stored.refresh_token
        expires_at = stored.expires_at or 0
        if not stored.access_token or not stored.id_token or expires_at <= self._clock() + TAKE_OVER_MARGIN:
            return False
        try:
            yield from self._verify_pair(stored.access_token, stored.id_token)
        except TokenExpired:
            # By our clock, which is wrong if the other process has just stored these tokens. Refresh: the tokens of the
            # reply are compared with the service's clock.
            return False
        self._expire_at(stored.expires_at)
        return True

    def _access_claims_for_refresh(self, login: Login | None) -> Mapping[str, Any]:
        """Return the claims of the access token that came with the refresh token. They are not verified.

        *login* is the stored login. If the refresh token was taken from there, so is the access token.

        ``username`` in it is the canonical name, which the SECRET_HASH of REFRESH_TOKEN_AUTH needs; an alias would not
        do. ``device_key`` is the key of the device, which a pool that tracks devices demands in every refresh.
        """
        stored = None if login is None else login.tokens
        taken = stored is not None and stored.refresh_token == self.refresh_token
        access_token = stored.access_token if stored is not None and taken else self.access_token
        if access_token:
            with suppress(MalformedToken):
                return tokens.unverified_claims(access_token)
        return {}


class RefreshMethods(SharedRefresh, KeyMethods):
    """Refresh the tokens. Only one thread does it; the others wait for it."""

    @by_hand
    def renew_access_token(self, *, client_metadata: Mapping[str, str] | None = None) -> None:
        """Get new tokens for the refresh token, verify them and set them.

        If several threads call this at the same time, one of them refreshes and the others wait for it. With a store,
        other processes wait too. If one of them has just stored new tokens, those are used instead of another refresh.
        If the service definitively refuses the refresh token, the tokens are then dropped, here and in the store.
        Without a store they stay, as in pycognito.

        Code that a refresh calls, such as a ``verify_token`` of a subclass or a hook, must not refresh the same tokens.

        Args:
            client_metadata: passed to the pool's Lambda triggers. If several threads refresh at the same time, that of
                the thread that sends the request counts.

        Raises:
            ConfigurationError: the object has no refresh token, or the caller is called by a refresh of this object;
                nothing was sent.
            ServiceError: the service refused. The tokens are unchanged, unless there is a store and the refusal was
                definitive.
            TransportError: there was no answer, or no key set to verify the new tokens with. The tokens are unchanged.
            TokenVerificationException: the new tokens failed verification; the access token and the ID token are
                unchanged.
            StoreError: the store cannot be read, written or locked.
        """
        self._refresh_once(self._refreshes, client_metadata)

    def _refresh_once(self, seen: int, client_metadata: Mapping[str, str] | None = None) -> None:
        """Refresh, unless another thread has done so since the number of refreshes was *seen*."""
        self._refuse_nested_refresh()
        with self._refreshing.lock:
            for left in reversed(range(CONFLICTS)):
                with self._store_lock(), self._marked_as_refresh():
                    if self._refreshes != seen:
                        return
                    conflict = self._run(self._refresh_or_conflict(client_metadata))
                    self._refreshes += conflict is None
                if conflict is None:
                    return
                if not left:
                    raise conflict

    @property
    def _refreshing(self) -> ForkSafeLock:
        # The lock is made at first use and not in the constructor: programs make objects without our constructor
        # (a subclass, a mock), and they pickle and copy them. setdefault makes it once, even in two threads.
        lock: ForkSafeLock = self.__dict__.setdefault("_refresh_lock", ForkSafeLock())
        return lock


def _is_final(error: ServiceError, *, for_device: bool) -> bool:
    """Return whether the refresh token is useless after *error*.

    The service also answers "Invalid Refresh Token" if the pool tracks devices and the device is not confirmed. So this
    error is final only if it came for a confirmed device (*for_device*).
    """
    # Importing these is slow, and most refreshes succeed.
    from ..exceptions.not_authorized import InvalidRefreshToken, RefreshTokenRefused
    from ..exceptions.service_exceptions import RefreshTokenReuseException, UserNotFoundException

    if isinstance(error, InvalidRefreshToken):
        return for_device
    return isinstance(error, (RefreshTokenRefused, RefreshTokenReuseException, UserNotFoundException))
