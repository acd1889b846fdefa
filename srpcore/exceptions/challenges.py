"""The challenges that pycognito's methods raise, each with what is needed to answer it."""

from __future__ import annotations

from typing import Any

from .base import SrpcoreError

__all__ = [
    "ForceChangePasswordException",
    "MFAChallengeException",
    "SMSMFAChallengeException",
    "SoftwareTokenMFAChallengeException",
]


class ForceChangePasswordException(SrpcoreError):
    """The user must choose a new password: answer with ``Cognito.new_password_challenge``.

    ``required_attributes`` are the names (without the prefix ``userAttributes.``) that the answer must give.
    """

    def __init__(self, message: str = "", required_attributes: tuple[str, ...] = ()) -> None:
        super().__init__(message, required_attributes)
        self.message = message
        self.required_attributes = required_attributes

    def __str__(self) -> str:
        if not self.required_attributes:
            return self.message
        return f"{self.message} (required attributes: {', '.join(self.required_attributes)})"


class MFAChallengeException(SrpcoreError):
    """The service wants a second factor: ``get_tokens()`` is its reply, with the Session that the answer needs.

    The reply is in no text of the exception and not in ``args``, since a Session is a secret.
    """

    def __init__(self, message: str, tokens: dict[str, Any], *args: Any) -> None:
        super().__init__(message, *args)
        self.message = message
        self._tokens = tokens

    def get_tokens(self) -> dict[str, Any]:
        """Return the service's reply: ``ChallengeName``, ``Session`` and ``ChallengeParameters``."""
        return self._tokens

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self._tokens, *self.args[1:]), vars(self)


class SoftwareTokenMFAChallengeException(MFAChallengeException):
    """The service wants a code of the user's authenticator app."""


class SMSMFAChallengeException(MFAChallengeException):
    """The service has sent the user a code by SMS and wants it."""
