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

from . import base, challenges, not_authorized, reply, service, store, tokens
from .base import *
from .challenges import *
from .not_authorized import *
from .reply import *
from .service import *
from .store import *
from .tokens import *

__all__: list[str] = []
__all__ += base.__all__
__all__ += challenges.__all__
__all__ += not_authorized.__all__
__all__ += reply.__all__
__all__ += service.__all__
__all__ += store.__all__
__all__ += tokens.__all__
