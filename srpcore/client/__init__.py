"""``Cognito`` and ``AsyncCognito``, the facades a user holds: one small mixin a subject, the twins side by side."""

from __future__ import annotations

from .devices import AsyncDeviceMethods, DeviceMethods
from .mfa import AsyncMfaMethods, MfaMethods
from .sign_in import AsyncSignInMethods, SignInMethods
from .sign_up import AsyncSignUpMethods, SignUpMethods

__all__ = ["AsyncCognito", "Cognito"]


class Cognito(SignUpMethods, SignInMethods, MfaMethods, DeviceMethods):
    """A user of a user pool: pycognito's class of this name, on any transport."""


class AsyncCognito(AsyncSignUpMethods, AsyncSignInMethods, AsyncMfaMethods, AsyncDeviceMethods):
    """A user of a user pool, on an event loop: the methods and signatures of :class:`Cognito`, as coroutines."""
