"""Log in to Amazon Cognito user pools: SRP-6a, tokens and every challenge, with no required dependency.

Where to look: :class:`Cognito` (``client/``) is what a user holds; ``flows/`` says what is asked of the service,
``crypto/`` how a password is proven, ``tokens/`` how a token is verified, ``exceptions/`` what can go wrong.
The transports are in the package ``srpcore_transports``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
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
    from .tokens.async_verifier import AsyncTokenVerifier
    from .tokens.verifier import TokenVerifier
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

# Each name is loaded when it is first asked for: who verifies tokens waits for no client, in Lambda's cold start say.
# Those that are in none of these are exceptions.
_HOMES = {
    "aws_srp": "AWSSRP",
    "client": "AsyncCognito Cognito SignIn",
    "crypto.device": "Device",
    "flows.challenges": "Challenge",
    "store": "FileStore KeyringStore MemoryStore Tokens TokenStore",
    "tokens.async_verifier": "AsyncTokenVerifier",
    "tokens.verifier": "TokenVerifier",
    "users": "GroupObj UserObj camel_to_snake cognito_to_dict dict_to_cognito snake_to_camel",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_ROOMS = (
    "aws_srp client crypto drive exceptions flows pool resolve service_client store tokens users utils wire".split()
)


if not TYPE_CHECKING:  # the checkers know every name, and must not take a misspelt one for Any

    def __getattr__(name: str) -> Any:
        if name in _ROOMS:
            return import_module(f"{__name__}.{name}")
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME_OF.get(name, 'exceptions')}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
