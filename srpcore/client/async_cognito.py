"""``AsyncCognito``: one user of a user pool, for an event loop."""

from __future__ import annotations

from .async_login import (
    AsyncLoginMethods,
    AsyncPersistenceMethods,
    AsyncPreparationMethods,
    AsyncSignInMethods,
)
from .async_operations import (
    AsyncDeviceMethods,
    AsyncDirectoryMethods,
    AsyncMfaMethods,
    AsyncPasskeyMethods,
    AsyncPasswordMethods,
    AsyncProviderMethods,
    AsyncSessionMethods,
    AsyncSignUpMethods,
    AsyncStreamMethods,
)

__all__ = ["AsyncCognito"]


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
