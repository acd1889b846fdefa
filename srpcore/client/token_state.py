"""What both facades do with the user's tokens between two requests: take them, keep them, renew them."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, cast

from .. import tokens
from ..exceptions.not_authorized import InvalidRefreshToken, RefreshTokenRefused
from ..exceptions.service_exceptions import RefreshTokenReuseException, UserNotFoundException
from ..exceptions.tokens import MalformedToken, SubjectMismatch
from ..flows import fetch
from ..flows.refresh import refresh
from ..wire import Flow
from .keeping import KeepingState
from .twins import is_own

__all__ = ["TokenState"]

KEYS_COOL_DOWN = 60.0
"""Seconds before a token with an unknown key id may make the key set be fetched again."""

TAKE_OVER_MARGIN = 60.0
"""Seconds that tokens of another program must still be good for, to be taken over instead of refreshed."""

_OF_TOKENS = ("access_token", "access_claims", "id_token", "id_claims")


class TokenState(KeepingState):
    """What both facades do with tokens between two requests."""

    def _find_key(self, keys: Mapping[str, Any], kid: str) -> Mapping[str, Any] | None:
        found: list[Mapping[str, Any]] = keys.get("keys", [])
        return next((key for key in found if key.get("kid") == kid), None)

    def _may_fetch_keys_again(self) -> bool:
        fetched_at = self._keys_fetched_at
        return fetched_at is not None and self._clock() - fetched_at >= KEYS_COOL_DOWN

    def _fetch_keys(self) -> Flow[Mapping[str, Any]]:
        body = yield from fetch(f"{self.user_pool_url}/.well-known/jwks.json")
        tokens.parse_key_set(body)
        return cast(dict[str, Any], json.loads(body))

    @contextmanager
    def _tokens_stay_if_refused(self) -> Generator[None, None, None]:
        before = {name: getattr(self, name) for name in _OF_TOKENS}
        try:
            yield
        except BaseException:
            for name, value in before.items():
                setattr(self, name, value)
            raise

    def _refuse_two_users(self) -> None:
        """An access token and an ID token of different users are no pair; SDK log-ins have no ``at_hash`` to say so."""
        access, identity = self.access_claims, self.id_claims
        if access is not None and identity is not None and access.get("sub") != identity.get("sub"):
            raise SubjectMismatch("the ID token is another user's than the access token")

    def _take_result(self, result: Mapping[str, Any]) -> None:
        if self._logging_in_as is not None:
            self._kept_as, self._logging_in_as = self._logging_in_as, None
        if result.get("RefreshToken"):
            self.refresh_token = result["RefreshToken"]
        self.token_type = result.get("TokenType")
        self.expires_in = result.get("ExpiresIn")
        if self.expires_in is not None:
            self._expire_at(self._clock() + self.expires_in)
        self.new_device_metadata = result.get("NewDeviceMetadata")
        self._keep()

    def _forget_tokens(self) -> None:
        """Drop the tokens here, and in the store if they are these: another program's newer ones stay."""
        ours = self.refresh_token
        self._drop_tokens()
        if self._store is not None:
            with self._store_lock():
                login = self._store.load(self._store_key())
                if login is not None and login.tokens is not None and login.tokens.refresh_token == ours:
                    self._store.save(self._store_key(), replace(login, tokens=None))

    def _drop_tokens(self) -> None:
        for name in (*_OF_TOKENS, "refresh_token", "token_type", "expires_in", "expires_datetime"):
            setattr(self, name, None)

    def _renew(self) -> Flow[None]:
        # The keys first: once the refresh token is spent, its successor must not be lost to a failed fetch.
        # A verification that a program has put in place of ours may need none.
        if is_own(getattr(self, "verify_token", None)):
            yield from self._through("get_keys")
        self._logging_in_as = None
        if (yield from self._take_over()):
            return
        try:
            reply, way = yield from refresh(
                self._app,
                self.refresh_token or "",
                username=self._canonical_name(),
                device_key=self.device.key if self.device else None,
                first=self._refresh_way,
            )
        except (RefreshTokenRefused, RefreshTokenReuseException, UserNotFoundException) as error:
            # "Invalid Refresh Token" is also said where a device is tracked and its key was not sent.
            final = not isinstance(error, InvalidRefreshToken) or self.device is not None
            if self._store is not None and final:
                self._drop_tokens()
                self._keep()
            raise
        self._refresh_way = way
        result: Mapping[str, Any] = reply.get("AuthenticationResult") or {}
        rotated: str | None = result.get("RefreshToken")
        if rotated:
            # Before anything can go wrong with the rest: the one that was sent is spent.
            self.refresh_token = rotated
            self._keep()
        yield from self._through("_set_tokens", reply)

    def _take_over(self) -> Flow[bool]:
        """Take over what another program has put in the store meanwhile: fresh tokens, or the newer refresh token."""
        login = None if self._store is None else self._store.load(self._store_key())
        if login is None:
            return False
        self.device, kept = self.device or login.device, login.tokens
        self._canonical_username = self._canonical_username or login.username
        if kept is None or kept.refresh_token in (None, self.refresh_token):
            return False
        self.refresh_token, self._refresh_way = kept.refresh_token, login.refresh_way or self._refresh_way
        if not kept.access_token or not kept.id_token or (kept.expires_at or 0) <= self._clock() + TAKE_OVER_MARGIN:
            return False
        with self._tokens_stay_if_refused():
            yield from self._through("verify_token", kept.access_token, "access_token", "access")
            yield from self._through("verify_token", kept.id_token, "id_token", "id")
            self._refuse_two_users()
        self._expire_at(kept.expires_at)
        return True

    def _canonical_name(self) -> str:
        """REFRESH_TOKEN_AUTH's SECRET_HASH is over the canonical name, which an alias is not; the tokens say it."""
        claims: Mapping[str, Any] = {}
        if self.access_token:
            with suppress(MalformedToken):
                claims = tokens.unverified_claims(self.access_token)
        return str(claims.get("username") or self._canonical_username or self.username or "")
