"""The challenges that methods with pycognito's interface raise as exceptions, with the data to answer them."""

from __future__ import annotations

from typing import Any

from .base import WarrantException

__all__ = [
    "ForceChangePasswordException",
    "MFAChallengeException",
    "SMSMFAChallengeException",
    "SoftwareTokenMFAChallengeException",
]


class ForceChangePasswordException(WarrantException):
    """The user must choose a new password: answer with ``Cognito.new_password_challenge``.

    ``required_attributes`` are the attributes for which the answer must contain a value. The names have no prefix
    ``userAttributes.``.
    """

    def __init__(self, message: str = "", required_attributes: tuple[str, ...] = ()) -> None:
        super().__init__(message, required_attributes)
        self.message = message
        self.required_attributes = required_attributes

    def __str__(self) -> str:
        if not self.required_attributes:
            return self.message
        return f"{self.message} (required attributes: {', '.join(self.required_attributes)})"


class MFAChallengeException(WarrantException):
    """The user must prove a second factor. ``get_tokens()`` returns the reply with the Session that the answer needs.

    The Session is a secret. Therefore the reply is not in ``args``, ``str()`` or ``repr()`` of the exception.
    """

    def __init__(self, message: str, tokens: dict[str, Any], *args: Any) -> None:
        super().__init__(message, *args)
        self.message = message
        self._tokens = tokens

    def get_tokens(self) -> dict[str, Any]:
        """Return the reply of the service: ``ChallengeName``, ``Session`` and ``ChallengeParameters``."""
        return self._tokens

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self._tokens, *self.args[1:]), vars(self)


class SoftwareTokenMFAChallengeException(MFAChallengeException):
    """The user must enter a code from the authenticator app."""


class SMSMFAChallengeException(MFAChallengeException):
    """The user must enter the code that the service has sent by SMS."""
