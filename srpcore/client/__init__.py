"""``Cognito`` and ``AsyncCognito``: one user of a user pool, with every operation as a method.

Each subject (passwords, devices, groups, ...) is a small mixin class in a module of its own. Its async version is in
``async_login`` or ``async_operations``. A program without an event loop does not import these.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .login import LoginMethods
from .operations.devices import DeviceMethods
from .operations.directory import DirectoryMethods
from .operations.mfa import MfaMethods
from .operations.passkeys import PasskeyMethods
from .operations.passwords import PasswordMethods
from .operations.providers import ProviderMethods
from .operations.sessions import SessionMethods
from .operations.sign_up import SignUpMethods
from .operations.streams import StreamMethods
from .persistence import PersistenceMethods
from .preparation import PreparationMethods
from .steps import SignIn, SignInMethods

if TYPE_CHECKING:
    from .async_cognito import AsyncCognito
    from .async_login import AsyncSignIn
    from .login_tokens import LoginTokens

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


_MODULE_OF = {"AsyncCognito": "async_cognito", "AsyncSignIn": "async_login", "LoginTokens": "login_tokens"}

if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> type:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value
