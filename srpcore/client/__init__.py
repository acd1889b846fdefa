"""``Cognito`` and ``AsyncCognito``: one user of a user pool, with every operation as a method.

Each subject (passwords, devices, groups, ...) is a pair of small mixin classes in a module of its own: the synchronous
one and its async version.
"""

from __future__ import annotations

from .login import AsyncLoginMethods, LoginMethods
from .login_tokens import LoginTokens
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
from .preparation import AsyncPreparationMethods, PreparationMethods
from .steps import AsyncSignIn, AsyncSignInMethods, SignIn, SignInMethods

__all__ = ["AsyncCognito", "AsyncSignIn", "Cognito", "LoginTokens", "SignIn"]


class Cognito(
    SignUpMethods,
    LoginMethods,
    SignInMethods,
    PreparationMethods,
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
    """A user of a user pool, on any transport. The names and signatures are those of pycognito's ``Cognito``."""


class AsyncCognito(
    AsyncSignUpMethods,
    AsyncLoginMethods,
    AsyncSignInMethods,
    AsyncPreparationMethods,
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
    """A user of a user pool, on an event loop: the async version of :class:`Cognito`.

    The methods have the same names and parameters, but are coroutine methods.
    """
