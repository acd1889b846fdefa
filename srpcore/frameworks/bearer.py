"""Bearer tokens over HTTP (RFC 6750): take the token from a request, and map errors to HTTP statuses.

::

    no token, or another scheme      401   WWW-Authenticate: Bearer
    the token is not accepted        401   error="invalid_token"
    ScopeMismatch, GroupMismatch     403   error="insufficient_scope"
    TransportError                   503   the keys could not be fetched; the token may be valid
    another exception                is not caught: it comes from an error in the program, or from a custom check

The answer contains only the kind of the error and the missing scope. It contains nothing of the token, its claims, or
the other expected values. The exception that each framework raises has the original error as its ``__cause__``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar, cast

from ..exceptions import (
    AccessTokenHashMismatch,
    AudienceMismatch,
    ConfigurationError,
    GroupMismatch,
    InvalidClaim,
    InvalidKey,
    InvalidSignature,
    IssuerMismatch,
    MalformedToken,
    ScopeMismatch,
    SrpcoreError,
    SubjectMismatch,
    TokenExpired,
    TokenNotYetValid,
    TokenUseMismatch,
    TokenVerificationException,
    TransportError,
    UnknownKey,
    UnsupportedAlgorithm,
)
from ..tokens.overrides import Overrides
from ..tokens.policy import Policy
from ..tokens.verifier import TokenVerifier

__all__ = [
    "GetToken",
    "Refused",
    "bearer_token",
    "check_get_token",
    "check_overrides",
    "require_sync_verifier",
    "token_is_missing",
    "token_or_none",
    "translate_errors",
]

_Request = TypeVar("_Request")

GetToken: TypeAlias = Callable[[_Request], str | None]
"""A function that returns the token in a request, or None if it has none."""

# RFC 6750, section 2.1: "Bearer" 1*SP b64token. A second token does not match, and neither do two headers that a server
# has joined with a comma.
_CREDENTIALS = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)

# RFC 6749, section 3.3. There is no quote, backslash, space or control character in it, so it is safe in quotes.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

# What the client is told. It is not str(error), because that quotes kid, alg and claims, which the sender chooses: an
# attacker could write control characters into a header.
_DESCRIPTIONS: dict[type, str] = {
    TokenVerificationException: "the token is not accepted",
    MalformedToken: "the token is malformed",
    UnsupportedAlgorithm: "the token is not signed with RS256, or requires an extension",
    UnknownKey: "the token is signed with an unknown key",
    InvalidKey: "the token is signed with a key that cannot be used",
    InvalidSignature: "the token's signature is invalid",
    InvalidClaim: "a claim of the token is missing or malformed",
    TokenExpired: "the token has expired",
    TokenNotYetValid: "the token is not valid yet",
    IssuerMismatch: "the token is from another issuer",
    AudienceMismatch: "the token was issued to another app client",
    SubjectMismatch: "the tokens belong to different users",
    TokenUseMismatch: "the token is of the wrong kind",
    AccessTokenHashMismatch: "the token does not belong to the access token",
    GroupMismatch: "the user is not in any of the required groups",
    ScopeMismatch: "the token lacks a required scope",
}

_EMPTY_POLICY = Policy(client_id=None, token_use=None, groups=None, scope=None, leeway=0, custom_check=None)


class Refused(SrpcoreError):
    """The request is refused. Each framework module turns this into the exception of its framework.

    ``status`` is the HTTP status, ``description`` a message for the client, and ``challenge`` the value of
    ``WWW-Authenticate`` or None. All three are safe to send.
    """

    def __init__(self, status: int, description: str, challenge: str | None) -> None:
        super().__init__(status, description, challenge)
        self.status = status
        self.description = description
        self.challenge = challenge

    def __str__(self) -> str:
        return f"HTTP {self.status}: {self.description}"


def bearer_token(authorization: Collection[str]) -> str | None:
    """Return the token in *authorization*, the values of all Authorization headers of a request.

    The scheme ``Bearer`` may be in upper or lower case (RFC 9110, section 11.1). Return None if no header has it.

    Raises:
        MalformedToken: one header has the scheme, but there are further headers, or it does not contain exactly one
            token.
    """
    if not any(value.partition(" ")[0].lower() == "bearer" for value in authorization):
        return None
    if len(authorization) != 1:
        raise MalformedToken("request has more than one Authorization header")
    credentials = _CREDENTIALS.fullmatch(next(iter(authorization)))
    if credentials is None:
        raise MalformedToken("Authorization header does not contain exactly one bearer token")
    return credentials[1]


def token_is_missing() -> Refused:
    """Return the refusal of a request that has no token."""
    # RFC 6750, section 3.1: do not send an error code if the request has no token.
    return Refused(401, "a bearer token is required", "Bearer")


def check_get_token(get_token: GetToken[_Request]) -> GetToken[_Request]:
    """Return *get_token* with the check of :func:`token_or_none`.

    Raises:
        ConfigurationError: *get_token* is not a function, or is a coroutine function.
    """
    from inspect import iscoroutinefunction  # importing it is slow

    if not callable(get_token) or iscoroutinefunction(get_token):
        raise ConfigurationError("get_token must be a function of the request that is not a coroutine function")
    return lambda request: token_or_none(get_token(request))


def token_or_none(token: object) -> str | None:
    """Return what ``get_token`` returned. An empty string counts as no token.

    Raises:
        ConfigurationError: *token* is neither a string nor None.
    """
    if token is not None and not isinstance(token, str):
        raise ConfigurationError(f"get_token must return a string or None, not {type(token).__name__}")
    return token or None


@contextmanager
def translate_errors() -> Generator[None, None, None]:
    """Turn the exceptions that a verifier raises about a token into :class:`Refused`. Others are not caught.

    Raises:
        Refused: the token is not accepted, or the key set could not be fetched.
    """
    try:
        yield
    except TransportError as error:
        raise Refused(503, "tokens cannot be verified at the moment: try again later", None) from error
    except TokenVerificationException as error:
        raise _refusal(error) from error


def check_overrides(overrides: Overrides, *, is_async: bool = False) -> Overrides:
    """Return a checked copy of *overrides* for a route, so that a mistake is found before the first request.

    Args:
        overrides: replace arguments of the same name of the verifier.
        is_async: whether the verifier is asynchronous, so that a custom check may be a coroutine function.

    Raises:
        ConfigurationError: an override has an unknown name, or a wrong type or value.
    """
    unknown = sorted(overrides.keys() - Overrides.__annotations__.keys())
    if unknown:
        raise ConfigurationError(f"unknown override {unknown[0]!r}: use one of {', '.join(Overrides.__annotations__)}")
    policy = _EMPTY_POLICY.with_overrides(overrides)
    if not is_async:
        policy.require_sync_check()
    return cast(Overrides, {name: getattr(policy, name) for name in overrides})


def require_sync_verifier(verifier: TokenVerifier) -> TokenVerifier:
    """Return *verifier* if it is a TokenVerifier.

    ``verify`` of an AsyncTokenVerifier returns a coroutine. It would never be awaited here, so every token would be
    accepted.

    Raises:
        ConfigurationError: *verifier* is something else.
    """
    if not isinstance(verifier, TokenVerifier):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"verifier must be a TokenVerifier, not {type(verifier).__name__}")
    return verifier


def _refusal(error: TokenVerificationException) -> Refused:
    description = next(_DESCRIPTIONS[cls] for cls in type(error).__mro__ if cls in _DESCRIPTIONS)
    parameters = {"error": "invalid_token", "error_description": description}
    if not isinstance(error, (GroupMismatch, ScopeMismatch)):
        return Refused(401, description, _challenge(parameters))
    parameters["error"] = "insufficient_scope"
    wanted = _scopes(error.expected) if isinstance(error, ScopeMismatch) else ""
    return Refused(403, description, _challenge({**parameters, "scope": wanted} if wanted else parameters))


def _scopes(expected: object) -> str:
    scopes = cast(list[object], expected if isinstance(expected, (list, tuple)) else [expected])
    return " ".join(scope for scope in scopes if isinstance(scope, str) and _SCOPE.fullmatch(scope))


def _challenge(parameters: dict[str, str]) -> str:
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
