"""``Cognito`` and ``AsyncCognito``, the facades a user holds: one small mixin a subject, the twins side by side."""

from __future__ import annotations

from .devices import AsyncDeviceMethods, DeviceMethods
from .directory import AsyncDirectoryMethods, DirectoryMethods
from .login import AsyncLoginMethods, LoginMethods
from .mfa import AsyncMfaMethods, MfaMethods
from .passkeys import AsyncPasskeyMethods, PasskeyMethods
from .passwords import AsyncPasswordMethods, PasswordMethods
from .persistence import AsyncPersistenceMethods, PersistenceMethods
from .providers import AsyncProviderMethods, ProviderMethods
from .sessions import AsyncSessionMethods, SessionMethods
from .sign_in import AsyncSignIn, AsyncSignInMethods, SignIn, SignInMethods
from .sign_up import AsyncSignUpMethods, SignUpMethods
from .streams import AsyncStreamMethods, StreamMethods

__all__ = ["AsyncCognito", "AsyncSignIn", "Cognito", "SignIn"]


class Cognito(
    SignUpMethods,
    LoginMethods,
    SignInMethods,
    PersistenceMethods,
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
    AsyncLoginMethods,
    AsyncSignInMethods,
    AsyncPersistenceMethods,
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
