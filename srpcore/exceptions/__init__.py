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
    │   └── NotAuthorizedException, UserNotFoundException, ...  one for each name in the service model (service.py)
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

if TYPE_CHECKING:
    from .base import *
    from .challenges import *
    from .not_authorized import *
    from .reply import *
    from .service import *
    from .store import *
    from .tokens import *

    __all__: list[str]

_MODULES = ("base", "tokens", "challenges", "service", "not_authorized", "reply", "store")


# Each module is loaded when one of its names is first asked for: see srpcore/__init__.py.
def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name == "__all__":
        return _exported()
    if not name.startswith("__"):
        for module in map(import_module, (f"{__name__}.{module}" for module in _MODULES)):
            if name in vars(module)["__all__"]:
                globals()[name] = getattr(module, name)
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_exported()})


def _exported() -> list[str]:
    return [name for module in _MODULES for name in import_module(f"{__name__}.{module}").__all__]
