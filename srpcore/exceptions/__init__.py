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
    ├── TokenVerificationException  a token is not accepted: expected, actual
    │   └── MalformedToken, InvalidSignature, TokenExpired, ...  one for each reason (tokens.py)
    ├── ForceChangePasswordException
    └── MFAChallengeException       get_tokens() has the Session
        ├── SoftwareTokenMFAChallengeException
        └── SMSMFAChallengeException
"""

from __future__ import annotations

from . import base, challenges, service, tokens
from .base import *
from .challenges import *
from .service import *
from .tokens import *

__all__: list[str] = []
__all__ += base.__all__
__all__ += challenges.__all__
__all__ += service.__all__
__all__ += tokens.__all__
