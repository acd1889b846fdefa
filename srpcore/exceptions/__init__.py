"""All exceptions of srpcore.

::

    SrpcoreError
    ├── ConfigurationError          an argument or a setting is wrong            (also ValueError)
    │   └── InvalidRequest          a parameter is missing or of the wrong type
    │       └── AccessTokenRequired the method needs a login                     (also AttributeError)
    ├── UnsafeServerValue           the service sent a value that is unsafe to use (also ValueError)
    ├── UnsupportedChallenge        this method cannot answer the challenge      (also NotImplementedError)
    │   └── UnexpectedChallenge     the challenge must not follow the request before it
    ├── TransportError              no valid answer was received
    │   └── TransportTimeout        no answer was received in time               (also TimeoutError)
    ├── ServiceError                the service answered with an error: code, message, operation, status, request_id
    │   └── NotAuthorizedException, UserNotFoundException, ...  one for each name of the service model
    │       └── WrongPassword, AccessTokenExpired, SessionExpired, RefreshTokenRefused, ...  of NotAuthorizedException
    │                                                                (not_authorized.py)
    ├── StoreError                  a stored login cannot be read or written (store.py)
    │   ├── StoreUnsafe             other users could read or replace its file
    │   ├── StoreConflict           another process has changed the login meanwhile
    │   ├── StoreCorrupt            its content is not a login                   (also ValueError)
    │   └── StoreLocked             another process did not release the lock     (also TimeoutError)
    └── WarrantException            the base of the exceptions that pycognito defines itself
        ├── TokenVerificationException  a token is not accepted: expected, actual
        │   └── MalformedToken, InvalidSignature, TokenExpired, ...  one for each reason (tokens.py)
        ├── ForceChangePasswordException  the user must choose a new password
        └── MFAChallengeException   the user must enter a code; get_tokens() returns the Session
            ├── SoftwareTokenMFAChallengeException
            └── SMSMFAChallengeException
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    "AccessTokenExpired",
    "AccessTokenHashMismatch",
    "AccessTokenRequired",
    "AccessTokenRevoked",
    "AudienceMismatch",
    "ConfigurationError",
    "ForceChangePasswordException",
    "GroupMismatch",
    "InvalidClaim",
    "InvalidKey",
    "InvalidRefreshToken",
    "InvalidRequest",
    "InvalidSession",
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
    "SessionExpired",
    "SoftwareTokenMFAChallengeException",
    "SrpcoreError",
    "StoreConflict",
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
    "UnexpectedChallenge",
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
    # __getattr__() makes the list with the names of the service's exceptions when somebody asks for it, because a
    # program that only verifies tokens needs neither them nor the service model.
    _OWN_NAMES = __all__
    del __all__

# __getattr__() searches the modules in this order, and imports each one only when the search reaches it. So a program
# that imports srpcore does not load all exception classes; srpcore/__init__.py explains why.
_MODULES = ("base", "tokens", "challenges", "service", "service_exceptions", "not_authorized", "reply", "store")

if not TYPE_CHECKING:  # with __getattr__ a type checker would accept a misspelt name as Any

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name == "__all__":
            globals()[name] = [*_OWN_NAMES, *import_module("srpcore.service_model").EXCEPTIONS]
            return globals()[name]
        if name in _OWN_NAMES or name in import_module("srpcore.service_model").EXCEPTIONS:
            for module in map(import_module, (f"{__name__}.{module}" for module in _MODULES)):
                if name in module.__all__:
                    globals()[name] = getattr(module, name)
                    return globals()[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(import_module(__name__).__all__)
