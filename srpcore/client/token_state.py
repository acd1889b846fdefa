"""What both facades do with the user's tokens between two requests: take them, keep them, renew them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import tokens
from ..exceptions.not_authorized import RefreshTokenRefused
from ..exceptions.service import RefreshTokenReuseException, UserNotFoundException
from ..exceptions.tokens import MalformedToken
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

    @contextmanager
    def _tokens_stay_if_refused(self) -> Generator[None, None, None]:
        before = {name: getattr(self, name) for name in _OF_TOKENS}
        try:
            yield
        except BaseException:
            for name, value in before.items():
                setattr(self, name, value)
            raise

    def _take_result(self, result: Mapping[str, Any]) -> None:
        if result.get("RefreshToken"):
            self.refresh_token = result["RefreshToken"]
        self.token_type = result.get("TokenType")
        self.expires_in = result.get("ExpiresIn")
        if self.expires_in is not None:
            self._expire_at(self._clock() + self.expires_in)
        self.new_device_metadata = result.get("NewDeviceMetadata")
        self._keep()

    def _forget_tokens(self) -> None:
        self._drop_tokens()
        self._keep()

    def _drop_tokens(self) -> None:
        for name in (*_OF_TOKENS, "refresh_token", "token_type", "expires_in", "expires_datetime"):
            setattr(self, name, None)

    def _renew(self) -> Flow[None]:
        # The keys first: once the refresh token is spent, its successor must not be lost to a failed fetch.
        # A verification that a program has put in place of ours may need none.
        if is_own(getattr(self, "verify_token", None)):
            yield from self._through("get_keys")
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
        except (RefreshTokenRefused, RefreshTokenReuseException, UserNotFoundException):
            if self._store is not None:
                self._drop_tokens()
                self._keep()
            raise
        self._refresh_way = way
        yield from self._through("_set_tokens", reply)

    def _take_over(self) -> Flow[bool]:
        """Take over what another program has put in the store meanwhile: fresh tokens, or the newer refresh token."""
        login = None if self._store is None else self._store.load(self._store_key())
        kept = None if login is None else login.tokens
        if login is None or kept is None or kept.refresh_token in (None, self.refresh_token):
            return False
        self.refresh_token, self._refresh_way = kept.refresh_token, login.refresh_way or self._refresh_way
        if not kept.access_token or not kept.id_token or (kept.expires_at or 0) <= self._clock() + TAKE_OVER_MARGIN:
            return False
        with self._tokens_stay_if_refused():
            yield from self._through("verify_token", kept.access_token, "access_token", "access")
            yield from self._through("verify_token", kept.id_token, "id_token", "id")
        self._expire_at(kept.expires_at)
        return True

    def _canonical_name(self) -> str:
        """REFRESH_TOKEN_AUTH's SECRET_HASH is over the canonical name, which an alias is not; the tokens say it."""
        if self._canonical_username:
            return self._canonical_username
        if self.access_token:
            try:
                return str(tokens.unverified_claims(self.access_token).get("username") or self.username or "")
            except MalformedToken:
                pass
        return self.username or ""
