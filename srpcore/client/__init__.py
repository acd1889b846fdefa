"""``Cognito``, the facade a user holds: one small mixin a subject."""

from __future__ import annotations

from .devices import DeviceMethods
from .mfa import MfaMethods
from .sign_in import SignInMethods
from .sign_up import SignUpMethods

__all__ = ["Cognito"]


class Cognito(SignUpMethods, SignInMethods, MfaMethods, DeviceMethods):
    """A user of a user pool: pycognito's class of this name, on any transport."""
