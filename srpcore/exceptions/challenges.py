"""The challenges that methods with pycognito's interface raise as exceptions, with the data to answer them."""

from __future__ import annotations

from typing import Any, ClassVar

from .base import WarrantException

__all__ = [
    "ForceChangePasswordException",
    "MFAChallengeException",
    "SMSMFAChallengeException",
    "SoftwareTokenMFAChallengeException",
]


class _HiddenSession(dict[str, Any]):
    """A reply whose ``repr()`` does not show the Session, which is enough to continue the login."""

    def __repr__(self) -> str:
        return repr({key: _HIDDEN.get(key, value) for key, value in self.items()})


_HIDDEN = {"Session": "<hidden>", "AuthenticationResult": "<hidden>"}


class ForceChangePasswordException(WarrantException):
    """The user must choose a new password: answer with ``Cognito.new_password_challenge``.

    ``required_attributes`` are the attributes for which the answer must contain a value. The names have no prefix
    ``userAttributes.``.
    """

    hint: ClassVar[str] = "call new_password_challenge(password, new_password), or log in with sign_in()"
    """What to call, because the message is pycognito's. It is also a note of the exception, so a traceback shows it."""

    def __init__(self, message: str = "", required_attributes: tuple[str, ...] = ()) -> None:
        super().__init__(message, required_attributes)
        self.message = message
        self.required_attributes = required_attributes
        self.add_note(f"Hint: {self.hint}")

    def __str__(self) -> str:
        if not self.required_attributes:
            return self.message
        return f"{self.message} (required attributes: {', '.join(self.required_attributes)})"


class MFAChallengeException(WarrantException):
    """The user must prove a second factor. ``get_tokens()`` returns the reply with the Session that the answer needs.

    ``args`` are pycognito's: the message and the reply. The Session is a secret, so the reply is a dictionary whose
    ``repr()`` hides it.
    """

    hint: ClassVar[str] = (
        "call respond_to_software_token_mfa_challenge(code) or respond_to_sms_mfa_challenge(code), or log in with "
        "sign_in()"
    )
    """What to call, because the message is pycognito's. It is also a note of the exception, so a traceback shows it."""

    def __init__(self, message: str, tokens: dict[str, Any], *args: Any) -> None:
        self.message = message
        self._tokens = _HiddenSession(tokens)
        super().__init__(message, self._tokens, *args)
        self.add_note(f"Hint: {self.hint}")

    def get_tokens(self) -> dict[str, Any]:
        """Return the reply of the service: ``ChallengeName``, ``Session`` and ``ChallengeParameters``."""
        return self._tokens

    def __str__(self) -> str:
        return self.message


class SoftwareTokenMFAChallengeException(MFAChallengeException):
    """The user must enter a code from the authenticator app."""

    hint = "call respond_to_software_token_mfa_challenge(code), or log in with sign_in()"


class SMSMFAChallengeException(MFAChallengeException):
    """The user must enter the code that the service has sent by SMS."""

    hint = "call respond_to_sms_mfa_challenge(code), or log in with sign_in()"
