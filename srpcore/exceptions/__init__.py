"""The whole error tree.

::

    SrpcoreError (pycognito's WarrantException)
    ├── ConfigurationError          bad input or settings: nothing was sent      (also ValueError)
    │   └── AccessTokenRequired     log in first                                 (also AttributeError)
    ├── UnsafeServerValue           a value of the service that must not be answered (also ValueError)
    ├── UnsupportedChallenge        a challenge that this method cannot answer   (also NotImplementedError)
    ├── TransportError              no answer was had
    │   └── TransportTimeout        not in time                                  (also TimeoutError)
    ├── ServiceError                the service answered with an error: code, message, operation, status, request_id
    │   └── NotAuthorizedException, UserNotFoundException, ...  one for each name of the service model
    │       └── WrongPassword, UserDisabled, RefreshTokenRefused, ...  that one told apart (not_authorized.py)
    ├── TokenVerificationException  a token is not accepted: expected, actual
    │   └── MalformedToken, InvalidSignature, TokenExpired, ...  one for each reason (tokens.py)
    ├── StoreError                  a store of logins cannot be used (store.py)
    │   ├── StoreUnsafe             its file is a link, another user's or open to others
    │   ├── StoreCorrupt            what is in it is no login                    (also ValueError)
    │   └── StoreLocked             another program held the lock for too long   (also TimeoutError)
    ├── ForceChangePasswordException
    └── MFAChallengeException       get_tokens() has the Session
        ├── SoftwareTokenMFAChallengeException
        └── SMSMFAChallengeException
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..service_model import EXCEPTIONS

if TYPE_CHECKING:
    from . import service_exceptions
    from .base import *
    from .challenges import *
    from .not_authorized import *
    from .reply import *
    from .service import *
    from .service_exceptions import *
    from .store import *
    from .tokens import *

__all__ = [
    "AccessTokenHashMismatch",
    "AccessTokenRequired",
    "AudienceMismatch",
    "ConfigurationError",
    "ForceChangePasswordException",
    "GroupMismatch",
    "InvalidClaim",
    "InvalidKey",
    "InvalidRefreshToken",
    "InvalidSignature",
    "IssuerMismatch",
    "MFAChallengeException",
    "MalformedToken",
    "PasswordAttemptsExceeded",
    "RefreshTokenExpired",
    "RefreshTokenRefused",
    "RefreshTokenRevoked",
    "SMSMFAChallengeException",
    "ScopeMismatch",
    "ServiceError",
    "SoftwareTokenMFAChallengeException",
    "SrpcoreError",
    "StoreCorrupt",
    "StoreError",
    "StoreLocked",
    "StoreUnsafe",
    "SubjectMismatch",
    "TokenExpired",
    "TokenNotYetValid",
    "TokenUseMismatch",
    "TokenVerificationException",
    "TransportError",
    "TransportTimeout",
    "UnknownKey",
    "UnsafeServerValue",
    "UnsupportedAlgorithm",
    "UnsupportedChallenge",
    "UserDisabled",
    "WarrantException",
    "WrongPassword",
    "service_error",
]

if TYPE_CHECKING:
    __all__ += service_exceptions.__all__
else:
    # The same names, without loading the classes.
    __all__ += EXCEPTIONS

# In the order in which they are looked through: each is loaded when one of its names is first asked for, as
# srpcore/__init__.py says.
_MODULES = ("base", "tokens", "challenges", "service", "service_exceptions", "not_authorized", "reply", "store")

if not TYPE_CHECKING:  # the checkers know every name, and must not take a misspelt one for Any

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name in __all__:
            for module in map(import_module, (f"{__name__}.{module}" for module in _MODULES)):
                if name in module.__all__:
                    globals()[name] = getattr(module, name)
                    return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
