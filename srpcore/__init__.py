"""Log in to Amazon Cognito user pools: SRP-6a, tokens and every challenge, with no required dependency.

Where to look: :class:`Cognito` (``client/``) is the user of a pool; ``flows/`` has the requests to the service,
``crypto/`` the proof of a password, ``tokens/`` the verification of tokens, ``exceptions/`` the errors. The transports
are in the package ``srpcore_transports``.

Public names are imported lazily, so a process that only verifies tokens (for example an AWS Lambda function during a
cold start) never imports the client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .aws_srp import AWSSRP
    from .client import AsyncCognito, AsyncSignIn, Cognito, LoginTokens, SignIn
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
    from .flows.challenge import Challenge
    from .store import DynamoDBStore, FileStore, KeyringStore, MemoryStore, RedisStore, Tokens, TokenStore
    from .tokens.async_verifier import AsyncTokenVerifier
    from .tokens.verifier import TokenVerifier
    from .users import AsyncUserObj, GroupObj, UserObj, camel_to_snake, cognito_to_dict, dict_to_cognito, snake_to_camel

__all__ = [
    "AWSSRP",
    "AsyncCognito",
    "AsyncSignIn",
    "AsyncTokenVerifier",
    "AsyncUserObj",
    "Challenge",
    "Cognito",
    "ConfigurationError",
    "Device",
    "DynamoDBStore",
    "FileStore",
    "ForceChangePasswordException",
    "GroupObj",
    "KeyringStore",
    "LoginTokens",
    "MFAChallengeException",
    "MemoryStore",
    "RedisStore",
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

# The module of each public name. The names that are in none of these are exceptions.
_NAMES_OF = {
    "aws_srp": "AWSSRP",
    "client": "AsyncCognito AsyncSignIn Cognito LoginTokens SignIn",
    "crypto.device": "Device",
    "flows.challenge": "Challenge",
    "store": "DynamoDBStore FileStore KeyringStore MemoryStore RedisStore Tokens TokenStore",
    "tokens.async_verifier": "AsyncTokenVerifier",
    "tokens.verifier": "TokenVerifier",
    "users": "AsyncUserObj GroupObj UserObj camel_to_snake cognito_to_dict dict_to_cognito snake_to_camel",
}
_MODULE_OF = {name: module for module, names in _NAMES_OF.items() for name in names.split()}
# Modules that are attributes of the package without an import of their own. The first are in the API reference.
_PUBLIC_MODULES = "aws_srp crypto exceptions frameworks http_auth protocol store testing tokens utils".split()
_MODULES = [*_PUBLIC_MODULES, *"client driver flows pool resolve service_client users".split()]

# What a synchronous login imports only when it is needed. On a running event loop, imports block.
_IMPORTED_LATER = """
    _urls client.login_tokens crypto.secret_hash exceptions.reply offload service_client store.base threaded
"""

if not TYPE_CHECKING:  # type checkers know every name, and must not take a misspelt one for Any

    def _boto3() -> Any:
        # pycognito has this name, and the tests of programs patch it.
        try:
            return import_module("boto3")
        except ModuleNotFoundError:
            raise AttributeError(f"module {__name__!r} has no attribute 'boto3': pip install boto3") from None

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        if name == "boto3":
            return _boto3()
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name.startswith("Async") and name != "AsyncTokenVerifier":
            for module in _IMPORTED_LATER.split():
                import_module(f"{__name__}.{module}")
        value = getattr(import_module(f"{__name__}.{_MODULE_OF.get(name, 'exceptions')}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    # Without the modules: some need a package that is not installed, and tools such as freezegun read every name.
    return sorted(__all__)
