"""``Cognito`` and ``AsyncCognito``, the facades a user holds: one small mixin a subject, the twins side by side."""

from __future__ import annotations

from .devices import AsyncDeviceMethods, DeviceMethods
from .directory import AsyncDirectoryMethods, DirectoryMethods
from .keeping import AsyncKeepingMethods, KeepingMethods
from .log_in import AsyncLogInMethods, LogInMethods
from .mfa import AsyncMfaMethods, MfaMethods
from .passkeys import AsyncPasskeyMethods, PasskeyMethods
from .passwords import AsyncPasswordMethods, PasswordMethods
from .providers import AsyncProviderMethods, ProviderMethods
from .sessions import AsyncSessionMethods, SessionMethods
from .sign_in import AsyncSignInMethods, SignIn, SignInMethods
from .sign_up import AsyncSignUpMethods, SignUpMethods
from .streams import AsyncStreamMethods, StreamMethods

__all__ = ["AsyncCognito", "Cognito", "SignIn"]


class Cognito(
    SignUpMethods,
    LogInMethods,
    SignInMethods,
    KeepingMethods,
    MfaMethods,
    DeviceMethods,
    PasswordMethods,
    DirectoryMethods,
    StreamMethods,
    ProviderMethods,
    PasskeyMethods,
    SessionMethods,
):
    """A user of a user pool: pycognito's class of this name, on any transport."""


class AsyncCognito(
    AsyncSignUpMethods,
    AsyncLogInMethods,
    AsyncSignInMethods,
    AsyncKeepingMethods,
    AsyncMfaMethods,
    AsyncDeviceMethods,
    AsyncPasswordMethods,
    AsyncDirectoryMethods,
    AsyncStreamMethods,
    AsyncProviderMethods,
    AsyncPasskeyMethods,
    AsyncSessionMethods,
):
    """A user of a user pool, on an event loop: the methods and signatures of :class:`Cognito`, as coroutines."""
