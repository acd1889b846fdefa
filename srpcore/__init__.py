"""Log in to Amazon Cognito user pools: SRP-6a, tokens and every challenge, with no required dependency.

Where to look: :class:`Cognito` (``client/``) is what a user holds; ``flows/`` says what is asked of the service,
``crypto/`` how a password is proven, ``tokens/`` how a token is verified, ``exceptions/`` what can go wrong.
The transports are in the package ``srpcore_transports``.
"""

from __future__ import annotations

from ._version import __version__
from .aws_srp import AWSSRP
from .client import AsyncCognito, Cognito, SignIn
from .crypto.device import Device
from .exceptions import (
    ConfigurationError,
    ForceChangePasswordException,
    MFAChallengeException,
    ServiceError,
    SMSMFAChallengeException,
    SoftwareTokenMFAChallengeException,
    SrpcoreError,
    TokenVerificationException,
    TransportError,
    UnsafeServerValue,
    WarrantException,
)
from .flows.challenges import Challenge
from .store import FileStore, KeyringStore, MemoryStore, Tokens, TokenStore
from .tokens.verifier import AsyncTokenVerifier, TokenVerifier
from .users import GroupObj, UserObj, camel_to_snake, cognito_to_dict, dict_to_cognito, snake_to_camel

__all__ = [
    "AWSSRP",
    "AsyncCognito",
    "AsyncTokenVerifier",
    "Challenge",
    "Cognito",
    "ConfigurationError",
    "Device",
    "FileStore",
    "ForceChangePasswordException",
    "GroupObj",
    "KeyringStore",
    "MFAChallengeException",
    "MemoryStore",
    "SMSMFAChallengeException",
    "ServiceError",
    "SignIn",
    "SoftwareTokenMFAChallengeException",
    "SrpcoreError",
    "TokenStore",
    "TokenVerificationException",
    "TokenVerifier",
    "Tokens",
    "TransportError",
    "UnsafeServerValue",
    "UserObj",
    "WarrantException",
    "__version__",
    "camel_to_snake",
    "cognito_to_dict",
    "dict_to_cognito",
    "snake_to_camel",
]
