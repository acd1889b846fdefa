"""What is kept of a login in a store: for other programs, and for the next start of this one."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime, timezone

from ..crypto.device import Device
from ..exceptions.base import ConfigurationError
from ..store import Login, Tokens, store_key
from ..wire import Flow
from .base import AsyncCognitoBase, CognitoBase
from .state import CognitoState
from .twins import awaited, blocking

__all__ = ["AsyncKeepingMethods", "KeepingMethods", "KeepingState"]


class KeepingState(CognitoState):
    """The store, where there is one."""

    @property
    def tokens(self) -> Tokens:
        """The tokens that are there, as one immutable value."""
        return Tokens(
            self.id_token,
            self.access_token,
            self.refresh_token,
            self.token_type,
            self.expires_datetime.timestamp() if self.expires_datetime else None,
        )

    def _store_lock(self) -> AbstractContextManager[None]:
        return nullcontext() if self._store is None else self._store.lock(self._store_key())

    def _expire_at(self, time: float | None) -> None:
        self.expires_datetime = None if time is None else datetime.fromtimestamp(time, tz=timezone.utc)

    def _store_key(self) -> str:
        # Whose tokens these are was settled when they were had: the name here may since have become another's.
        if self._kept_as is None:
            self._kept_as = self._key_of_username()
        return self._kept_as

    def _key_of_username(self) -> str:
        return store_key(self.user_pool_id, self.client_id, self.username or "")

    def _keep(self) -> None:
        """Put what there is to keep in the store, before anybody uses it."""
        if self._store is None:
            return
        kept = self.tokens if self.refresh_token else None
        login = Login(kept, self.device, self._canonical_username, self._refresh_way)
        self._store.save(self._store_key(), login)

    def _keep_device(self) -> None:
        """Put the device in the store, or take it out, and leave the tokens there as they are."""
        if self._store is not None:
            with self._store_lock():
                login = self._store.load(self._store_key()) or Login(username=self._canonical_username)
                self._store.save(self._store_key(), replace(login, device=self.device))

    def _begin_log_in(self) -> None:
        """Settle whose log-in this is, and take the device that the store keeps for that user."""
        if self._store is not None and self.username:
            self._logging_in_as = self._key_of_username()
            if self.device is None:
                login = self._store.load(self._logging_in_as)
                self.device = None if login is None else login.device

    def _forget_stale_device(self, device: Device | None) -> None:
        """Drop the device at hand, and in the store, where a log-in ended without it."""
        if device is None and self.device is not None:
            self.device = None
            if self._logging_in_as is None or self._logging_in_as == self._kept_as:
                self._keep_device()


class KeepingMethods(KeepingState, CognitoBase):
    """Go on with a login that was kept."""

    @blocking
    def restore(self) -> Flow[bool]:
        """Take tokens, device and canonical name from the store, and return whether there were tokens.

        They are not verified here, as those given to the constructor are not: :meth:`verify_tokens` does that, and
        :meth:`check_token` refreshes what has expired.

        Raises:
            ConfigurationError: there is no store, or no user's name.
            StoreError: the store cannot be used.
        """
        yield from ()
        if self._store is None:
            raise ConfigurationError("there is no store: give one to the constructor")
        self._kept_as = self._key_of_username()
        login = self._store.load(self._kept_as)
        if login is None:
            return False
        self.device = login.device or self.device
        self._canonical_username = login.username or self._canonical_username
        self._refresh_way = login.refresh_way or self._refresh_way
        if login.tokens is None:
            return False
        self.id_token, self.access_token = login.tokens.id_token, login.tokens.access_token
        self.refresh_token, self.token_type = login.tokens.refresh_token, login.tokens.token_type
        self._expire_at(login.tokens.expires_at)
        return True


class AsyncKeepingMethods(KeepingState, AsyncCognitoBase):
    """Go on with a login that was kept, on an event loop."""

    restore = awaited(KeepingMethods.restore)
