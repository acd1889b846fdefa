"""Bearer tokens over HTTP (RFC 6750): the token out of a request, and what a failure means to the client.

::

    nothing, or another scheme       401   WWW-Authenticate: Bearer
    a token that is not accepted     401   error="invalid_token"
    ScopeMismatch, GroupMismatch     403   error="insufficient_scope"
    TransportError                   503   there are no keys to verify with: the token may be good
    anything else                    propagates: it is a fault of the program, or a custom check's own

The client is told the kind of failure and no more: nothing of the token, of its claims or of what was expected, but
for the scope that it lacks. The error itself is the ``__cause__`` of what each framework is given to raise.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator
from contextlib import contextmanager
from typing import cast

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
from ..tokens.claims import Claims
from ..tokens.policy import Overrides, Policy
from ..tokens.verifier import TokenVerifier

__all__ = ["Refused", "bearer_token", "demands", "needed_token", "refusing", "sync_verifier", "verified"]

# RFC 6750, section 2.1: "Bearer" 1*SP b64token. A second token, or a header that a server has joined to the first with
# a comma, does not fit.
_CREDENTIALS = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.ASCII | re.IGNORECASE)

# RFC 6749, section 3.3: it has no quote, backslash, space or control character, so it is safe in a quoted string.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

# The facts of the classes, not the errors' own strings: those quote kid, alg and claims, which are the sender's choice.
_FACTS: dict[type, str] = {
    TokenVerificationException: "the token is not accepted",
    MalformedToken: "the token is malformed",
    UnsupportedAlgorithm: "the token is not signed with RS256, or wants an extension",
    UnknownKey: "the token is signed with an unknown key",
    InvalidKey: "the token is signed with a key that cannot be used",
    InvalidSignature: "the token's signature is invalid",
    InvalidClaim: "a claim of the token is missing or malformed",
    TokenExpired: "the token has expired",
    TokenNotYetValid: "the token is not valid yet",
    IssuerMismatch: "the token is of another issuer",
    AudienceMismatch: "the token is another app client's",
    SubjectMismatch: "the token is another user's",
    TokenUseMismatch: "the token is for another use",
    AccessTokenHashMismatch: "the token goes with another access token",
    GroupMismatch: "the user is in none of the groups that may do this",
    ScopeMismatch: "the token lacks the scope that this needs",
}

_NO_DEMANDS = Policy(client_id=None, token_use=None, groups=None, scope=None, leeway=0, custom_check=None)


class Refused(SrpcoreError):
    """A request is not let in. Each framework raises its own error in the place of this one.

    ``status`` is HTTP's, ``description`` a text for the client, ``challenge`` the value of ``WWW-Authenticate`` or
    None. All three are safe to send.
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

    None where none is of the scheme ``Bearer``, whose case does not matter (RFC 9110, section 11.1).

    Raises:
        MalformedToken: there is more than one header, or not one token in it.
    """
    if not any(value.partition(" ")[0].lower() == "bearer" for value in authorization):
        return None
    if len(authorization) != 1:
        raise MalformedToken("there is more than one Authorization header")
    credentials = _CREDENTIALS.fullmatch(next(iter(authorization)))
    if credentials is None:
        raise MalformedToken("the Authorization header holds not one bearer token")
    return credentials[1]


def needed_token(authorization: Collection[str]) -> str:
    """Return the token in *authorization*, as :func:`bearer_token` does.

    Raises:
        Refused: there is none.
        MalformedToken: there is more than one header, or not one token in it.
    """
    token = bearer_token(authorization)
    if token is None:
        # RFC 6750, section 3.1: no error code for a client that may not know that it must log in.
        raise Refused(401, "a bearer token is needed", "Bearer")
    return token


@contextmanager
def refusing() -> Generator[None, None, None]:
    """Turn what a verifier raises about a token into :class:`Refused`; anything else passes as it is.

    Raises:
        Refused: the token is not accepted, or there are no keys to verify it with.
    """
    try:
        yield
    except TransportError as error:
        raise Refused(503, "no token can be verified at the moment: try again later", None) from error
    except TokenVerificationException as error:
        raise _refused(error) from error


def verified(verifier: TokenVerifier, authorization: Collection[str], overrides: Overrides) -> Claims:
    """Return the claims of the token in *authorization*, the values of all Authorization headers of a request.

    Raises:
        Refused: there is none, it is not accepted, or there are no keys to verify it with.
    """
    with refusing():
        return verifier.verify(needed_token(authorization), **overrides)


def demands(overrides: Overrides, *, awaited: bool = False) -> Overrides:
    """Return *overrides* as a route will keep them: checked now, and copied where they could be changed later.

    Args:
        overrides: what is demanded in the place of what the verifier was made with.
        awaited: whether the verifier is asynchronous, so that a custom check may be too.

    Raises:
        ConfigurationError: one cannot be used, or is none.
    """
    unknown = sorted(overrides.keys() - Overrides.__annotations__.keys())
    if unknown:
        raise ConfigurationError(f"a route cannot demand {unknown[0]}: it can {', '.join(Overrides.__annotations__)}")
    checks = _NO_DEMANDS.with_overrides(overrides)
    if not awaited:
        checks.require_sync_check()
    return cast(Overrides, {name: getattr(checks, name) for name in overrides})


def sync_verifier(verifier: TokenVerifier) -> TokenVerifier:
    """Return *verifier* if it is a TokenVerifier: nobody would await another's ``verify``, and all would be let in.

    Raises:
        ConfigurationError: it is something else.
    """
    if not isinstance(verifier, TokenVerifier):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"verifier must be a TokenVerifier, and is of the type {type(verifier).__name__}")
    return verifier


def _refused(error: TokenVerificationException) -> Refused:
    fact = next(_FACTS[cls] for cls in type(error).__mro__ if cls in _FACTS)
    parameters = {"error": "invalid_token", "error_description": fact}
    if not isinstance(error, (GroupMismatch, ScopeMismatch)):
        return Refused(401, fact, _challenge(parameters))
    parameters["error"] = "insufficient_scope"
    wanted = _scopes(error.expected) if isinstance(error, ScopeMismatch) else ""
    return Refused(403, fact, _challenge({**parameters, "scope": wanted} if wanted else parameters))


def _scopes(expected: object) -> str:
    several = cast(list[object], expected if isinstance(expected, (list, tuple)) else [expected])
    return " ".join(scope for scope in several if isinstance(scope, str) and _SCOPE.fullmatch(scope))


def _challenge(parameters: dict[str, str]) -> str:
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
