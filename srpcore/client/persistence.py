"""Keep a login in a store: for other processes, and for the next start of this program.

This module is the only caller of a :class:`~srpcore.store.TokenStore`. A store reads and writes files, and a flow must
not block. So a flow yields a :class:`~srpcore.protocol.CallBlocking` request: the driver calls the store and sends the
result back to the flow, as it does with a reply of the service.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeVar

from .._values import replace
from ..crypto.device import Device
from ..exceptions.base import ConfigurationError, SrpcoreError
from ..flows.login_context import LoginContext
from ..protocol import CallBlocking, Flow, JsonObject
from . import login_state
from .attributes import CognitoAttributes
from .base import CognitoBase
from .login_state import Account, LoggingIn, restored, settled
from .sync_async import call_method, sync_method

if TYPE_CHECKING:
    from ..store import Login, Tokens
    from .login_tokens import LoginTokens

__all__ = ["PersistenceMethods", "SharedPersistence", "blocking", "is_conflict"]

T = TypeVar("T")

# The refreshes that (indirectly) called the current code. asyncio passes the value on to tasks and to threads.
_REFRESHES: ContextVar[tuple[object, ...]] = ContextVar("srpcore_refreshes", default=())


CONFLICTS = 3
"""How often a change of the stored login is tried while other processes change it. A conflict is very rare already."""


def _without_conflict(change: Callable[[], None]) -> None:
    """Call *change*, and call it again if another process has changed the stored login meanwhile."""
    for left in reversed(range(CONFLICTS)):
        try:
            change()
        except SrpcoreError as error:
            if not (left and is_conflict(error)):
                raise
        else:
            return


def is_conflict(error: SrpcoreError) -> bool:
    """Return whether the stored login was not replaced because another process has changed it."""
    from ..exceptions.store import StoreConflict  # most programs never need it

    return isinstance(error, StoreConflict)


def blocking(function: Callable[[], T]) -> Flow[T]:
    """Let the driver call *function*, which may block, and return its result."""
    result: T = yield CallBlocking(function)
    return result


class SharedPersistence(CognitoAttributes):
    """Read the login from the store and write it there, if the object has a store."""

    _save_failed: bool = False  # then the store has older tokens than this object
    _refresh_marker: object | None = None  # the marker of the refresh that is under way

    @property
    def tokens(self) -> LoginTokens:
        """The present tokens as one immutable value, whose members are strings."""
        from .login_tokens import LoginTokens  # imported only here and below: a login without a store needs neither

        return LoginTokens(self._present_tokens())

    def _present_tokens(self) -> Tokens:
        from ..store import Tokens

        return Tokens(
            self.id_token,
            self.access_token,
            self.refresh_token,
            self.token_type,
            self.expires_datetime.timestamp() if self.expires_datetime else None,
        )

    @contextmanager
    def _marked_as_refresh(self) -> Generator[None, None, None]:
        """Mark what is called in the block as called by a refresh of this object."""
        marker = self._refresh_marker = object()
        outer = _REFRESHES.set((*_REFRESHES.get(), marker))
        try:
            yield
        finally:
            _REFRESHES.reset(outer)
            self._refresh_marker = None

    def _called_by_refresh(self) -> bool:
        """Return whether the refresh of this object that is under way calls the present code.

        A refresh calls code of the program: a replaced ``verify_token``, hooks, the clock. If that code waited for the
        refresh, or for a lock that the refresh holds, neither would ever end.
        """
        return self._refresh_marker in _REFRESHES.get()

    def _store_lock(self, key: str | None = None) -> AbstractContextManager[None]:
        """Return the lock of the stored login. A refresh holds it already for the code that it calls."""
        if self._store is None or self._called_by_refresh():
            return nullcontext()
        return self._store.lock(key or self._store_key())

    def _expire_at(self, time: float | None) -> None:
        self.expires_datetime = None if time is None else datetime.fromtimestamp(time, tz=timezone.utc)

    def _store_key(self) -> str:
        """Return the key of the present tokens in the store.

        The key is fixed when the tokens are obtained; ``username`` may have changed since. If the tokens came from the
        constructor, the first call of this method fixes it.
        """
        state = settled(self._login)
        if state.account.key is not None:
            return state.account.key
        key = self._key_of_username()
        state = replace(state, account=replace(state.account, key=key))
        self._login = replace(self._login, before=state) if isinstance(self._login, LoggingIn) else state
        return key

    def _key_of_username(self) -> str:
        from ..store import store_key  # imported only here: most programs have no store

        return store_key(self.user_pool_id, self.client_id, self.username or "")

    def _load(self) -> Flow[Login | None]:
        store = self._store
        if store is None:
            return None
        key = self._store_key()
        return (yield from blocking(lambda: store.load(key)))

    def _save(self) -> Flow[None]:
        """Write the present login to the store. Call this before the tokens are used for anything else."""
        store = self._store
        if store is None:
            return
        from ..store import Login

        key, account = self._store_key(), settled(self._login).account
        tokens = self._present_tokens() if self.refresh_token else None
        login = Login(tokens, self.device, account.username, account.refresh_way)
        self._save_failed = True  # until it has succeeded
        yield from blocking(lambda: store.save(key, login))
        self._save_failed = False

    def _change_stored(self, change: Callable[[Login | None], Login | None]) -> Flow[None]:
        """Replace the stored login with what *change* returns for it, or leave it if that is None."""
        store = self._store
        if store is None:
            return
        key = self._store_key()

        def load_and_save() -> None:
            with self._store_lock(key):
                login = change(store.load(key))
                if login is not None:
                    store.save(key, login)

        yield from blocking(lambda: _without_conflict(load_and_save))

    def _save_device(self) -> Flow[None]:
        """Write the device to the store, or remove it if there is none now. The stored tokens stay unchanged."""
        username, device = settled(self._login).account.username, self.device

        def change(login: Login | None) -> Login:
            from ..store import Login

            return replace(login or Login(username=username), device=device)

        yield from self._change_stored(change)

    def _forget_saved_tokens(self, refresh_token: str | None) -> Flow[None]:
        """Remove the stored tokens if they belong to *refresh_token*. Newer tokens of another process stay."""

        def forget(login: Login | None) -> Login | None:
            if login is None or login.tokens is None or login.tokens.refresh_token != refresh_token:
                return None
            return replace(login, tokens=None)

        yield from self._change_stored(forget)

    def _prepare_login(self, *, answering: bool = False) -> Flow[None]:
        """Set the state to a login of ``username``, and load that user's device from the store if none is set."""
        key = self._key_of_username() if self._store is not None and self.username else None
        step = login_state.answering if answering else login_state.started
        self._login = step(self._login, key)
        store = self._store
        if store is not None and key is not None and self.device is None:
            login = yield from blocking(lambda: store.load(key))
            self.device = None if login is None else login.device

    def _run_login_step(
        self, context: LoginContext, login: Flow[JsonObject], *, first: bool = True
    ) -> Flow[JsonObject]:
        """Run *login* and return its reply. Drop the present device if the service no longer knows it.

        If the *first* step of a login fails, the login is over. A later step may be tried again, for example with
        another code, so the state stays as it is.
        """
        try:
            reply = yield from login
        except Exception:
            yield from self._drop_stale_device(context.device)
            self._login = settled(self._login) if first else self._login
            raise
        yield from self._drop_stale_device(context.device)
        return reply

    def _finish_login(self, reply: JsonObject) -> Flow[None]:
        """Set the tokens of *reply*. If they are refused, the login has failed, and the state before it returns."""
        try:
            yield from call_method(self, "_set_tokens", reply)
        except Exception:
            self._login = settled(self._login)
            raise

    def _drop_stale_device(self, device: Device | None) -> Flow[None]:
        """Drop the present device, here and in the store, if the login ended without it (*device* is None)."""
        if device is not None or self.device is None:
            return
        self.device = None
        # _save_device changes the stored login of the present tokens. If another user is logging in, that is the wrong
        # one.
        logging_in = self._login.account.key if isinstance(self._login, LoggingIn) else None
        if logging_in in (None, settled(self._login).account.key):
            yield from self._save_device()


class PersistenceMethods(SharedPersistence, CognitoBase):
    """Restore a stored login."""

    @sync_method
    def restore(self) -> Flow[bool]:
        """Load tokens, device and canonical username from the store, and return whether tokens were found.

        The tokens are not verified here: call :meth:`verify_tokens` for that. :meth:`check_token` refreshes an access
        token that has expired.

        Raises:
            ConfigurationError: the constructor got no store, or ``username`` is not set.
            StoreError: the store cannot be read.
        """
        if self._store is None:
            raise ConfigurationError("no store: give one to the constructor (store=...)")
        key = self._key_of_username()
        self._login = restored(self._login, Account(key), tokens=False)
        login = yield from self._load()
        if login is None:
            return False
        self.device = login.device or self.device
        account = Account(key, login.username, login.refresh_way)
        self._login = restored(self._login, account, tokens=login.tokens is not None)
        if login.tokens is None:
            return False
        self.id_token, self.access_token = login.tokens.id_token, login.tokens.access_token
        self.refresh_token, self.token_type = login.tokens.refresh_token, login.tokens.token_type
        self._expire_at(login.tokens.expires_at)
        return True
