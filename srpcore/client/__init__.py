"""``Cognito`` and ``AsyncCognito``, the facades a user holds: one small mixin a subject, the twins side by side."""

from __future__ import annotations

from .login import AsyncLoginMethods, LoginMethods
from .operations.devices import AsyncDeviceMethods, DeviceMethods
from .operations.directory import AsyncDirectoryMethods, DirectoryMethods
from .operations.mfa import AsyncMfaMethods, MfaMethods
from .operations.passkeys import AsyncPasskeyMethods, PasskeyMethods
from .operations.passwords import AsyncPasswordMethods, PasswordMethods
from .operations.providers import AsyncProviderMethods, ProviderMethods
from .operations.sessions import AsyncSessionMethods, SessionMethods
from .operations.sign_up import AsyncSignUpMethods, SignUpMethods
from .operations.streams import AsyncStreamMethods, StreamMethods
from .persistence import AsyncPersistenceMethods, PersistenceMethods
from .steps import AsyncSignIn, AsyncSignInMethods, SignIn, SignInMethods

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
