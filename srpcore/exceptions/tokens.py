"""Why a token is not accepted: one class for each reason, over :class:`TokenVerificationException`.

Every error says what was expected and what came. None holds the token, so each is safe to log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import SrpcoreError

__all__ = [
    "AccessTokenHashMismatch",
    "AudienceMismatch",
    "GroupMismatch",
    "InvalidClaim",
    "InvalidKey",
    "InvalidSignature",
    "IssuerMismatch",
    "MalformedToken",
    "ScopeMismatch",
    "SubjectMismatch",
    "TokenExpired",
    "TokenNotYetValid",
    "TokenUseMismatch",
    "TokenVerificationException",
    "UnknownKey",
    "UnsupportedAlgorithm",
]


class TokenVerificationException(SrpcoreError):
    """A token is not accepted. ``expected`` and ``actual`` are what the failed check compared, where it compared.

    ``claims`` is None, or all claims of the token where a :class:`~srpcore.TokenVerifier` was asked to say them
    (``claims_in_errors``) and its signature was good. No text of the error quotes them.
    """

    def __init__(self, message: str = "", *, expected: object = None, actual: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected
        self.actual = actual
        self.claims: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        if self.expected is None and self.actual is None:
            return self.message
        return f"{self.message} (expected {_brief(self.expected)}, got {_brief(self.actual)})"


def _brief(value: object) -> str:
    # A kid or an alg is the sender's choice: it must not fill a log.
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


class MalformedToken(TokenVerificationException):
    """The text is not a JSON Web Signature in compact form with JSON objects in it (RFC 7515, section 7.1)."""


class UnsupportedAlgorithm(TokenVerificationException):
    """The header's ``alg`` is not RS256, or it has a ``crit`` that nobody here understands."""


class UnknownKey(TokenVerificationException):
    """No key of the issuer has the header's ``kid``."""


class InvalidKey(TokenVerificationException):
    """The issuer's key set, or the key in it, cannot be used (RFC 7517)."""


class InvalidSignature(TokenVerificationException):
    """The signature is not the issuer's over this header and payload (RFC 8017, section 8.2.2)."""


class InvalidClaim(TokenVerificationException):
    """A claim is missing or of the wrong type."""


class TokenExpired(TokenVerificationException):
    """``exp`` has passed."""


class TokenNotYetValid(TokenVerificationException):
    """``nbf`` has not come."""


class IssuerMismatch(TokenVerificationException):
    """``iss`` is another issuer."""


class AudienceMismatch(TokenVerificationException):
    """The token is another app client's (``aud`` of an ID token, ``client_id`` of an access token)."""


class SubjectMismatch(TokenVerificationException):
    """The tokens are of different users."""


class TokenUseMismatch(TokenVerificationException):
    """``token_use`` is not the use that was asked for."""


class GroupMismatch(TokenVerificationException):
    """The user is in none of the groups that were asked for (``cognito:groups``)."""


class ScopeMismatch(TokenVerificationException):
    """The token has none of the scopes that were asked for (``scope``)."""


class AccessTokenHashMismatch(TokenVerificationException):
    """``at_hash`` of the ID token is not the access token's (OpenID Connect Core, section 3.1.3.6)."""
