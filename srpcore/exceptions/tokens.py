"""The reasons for which a token is not accepted: subclasses of :class:`TokenVerificationException`.

Each error contains what was expected and what was found. It never contains the token, so it is safe to log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import WarrantException

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


class TokenVerificationException(WarrantException):
    """A token is not accepted.

    Attributes:
        message: the reason.
        expected: the value that the failed check requires, or None.
        actual: the value that it found, or None.
        claims: the claims of the token, if its signature is valid and the :class:`~srpcore.TokenVerifier` was made with
            ``claims_in_errors``; else None. ``str()`` and ``repr()`` do not contain them.
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
        return f"{self.message} (expected {_short_repr(self.expected)}, got {_short_repr(self.actual)})"


def _short_repr(value: object) -> str:
    # The sender of a token chooses kid and alg. Shorten them, so that an attacker cannot fill a log with them.
    full = repr(value)
    return full if len(full) <= 200 else f"{full[:200]}..."


class MalformedToken(TokenVerificationException):
    """The string is not a JSON Web Signature in compact form that contains JSON objects (RFC 7515, section 7.1)."""


class UnsupportedAlgorithm(TokenVerificationException):
    """``alg`` in the header is not RS256, or the header requires an extension (``crit``, ``b64``)."""


class UnknownKey(TokenVerificationException):
    """The key set of the issuer has no key with the ``kid`` of the header."""


class InvalidKey(TokenVerificationException):
    """The key set of the issuer, or a key in it, is invalid (RFC 7517)."""


class InvalidSignature(TokenVerificationException):
    """The signature does not match the header and the payload under the key of the issuer (RFC 8017, section 8.2.2)."""


class InvalidClaim(TokenVerificationException):
    """A claim is missing or of the wrong type."""


class TokenExpired(TokenVerificationException):
    """The time ``exp`` has passed. If the token is new, the clock of this computer is wrong."""


class TokenNotYetValid(TokenVerificationException):
    """The time ``nbf`` has not been reached. The usual reason is that the clock of this computer is slow."""


class IssuerMismatch(TokenVerificationException):
    """``iss`` is not an accepted issuer: the token comes from another user pool."""


class AudienceMismatch(TokenVerificationException):
    """The token was issued to another app client (``aud`` of an ID token, ``client_id`` of an access token)."""


class SubjectMismatch(TokenVerificationException):
    """The two tokens belong to different users."""


class TokenUseMismatch(TokenVerificationException):
    """``token_use`` is not the expected one: an ID token instead of an access token, or the other way round."""


class GroupMismatch(TokenVerificationException):
    """The user is not in any of the required groups (``cognito:groups``)."""


class ScopeMismatch(TokenVerificationException):
    """The token does not have any of the required scopes (``scope``)."""


class AccessTokenHashMismatch(TokenVerificationException):
    """``at_hash`` of the ID token does not match the access token (OpenID Connect Core, section 3.1.3.6)."""
