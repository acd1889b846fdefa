"""The errors that the pool answers with: the service's exception names and, if they are known, its own messages."""

from __future__ import annotations

from srpcore.service_model import EXCEPTIONS

__all__ = [
    "Refusal",
    "code_mismatch",
    "expired_code",
    "invalid_parameter",
    "invalid_session",
    "limit_exceeded",
    "not_authorized",
    "not_found",
    "user_not_found",
]


class Refusal(Exception):
    """An error answer to a request.

    Attributes:
        code: the name of the service's exception.
        message: the message for the client.
        status: the HTTP status; the default is the service model's for *code*, or 400.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = EXCEPTIONS.get(code, 400) if status is None else status


def invalid_parameter(message: str) -> Refusal:
    """Return the refusal of a parameter: InvalidParameterException."""
    return Refusal("InvalidParameterException", message)


def not_authorized(message: str = "Incorrect username or password.") -> Refusal:
    """Return NotAuthorizedException; the default message does not reveal whether the name or the password is wrong."""
    return Refusal("NotAuthorizedException", message)


def invalid_session() -> Refusal:
    """Return the refusal of a Session that is unknown, used, or belongs to another user, app client or challenge."""
    return not_authorized("Invalid session for the user.")


def not_found(message: str) -> Refusal:
    """Return the refusal for a pool, app client, device or the like that does not exist."""
    return Refusal("ResourceNotFoundException", message)


def user_not_found(message: str = "User does not exist.") -> Refusal:
    """Return the refusal for a user who does not exist, if the app client does not hide that."""
    return Refusal("UserNotFoundException", message)


def code_mismatch(message: str = "Invalid verification code provided, please try again.") -> Refusal:
    """Return the refusal of a wrong code."""
    return Refusal("CodeMismatchException", message)


def limit_exceeded() -> Refusal:
    """Return the refusal of another try after too many wrong codes or passwords."""
    return Refusal("LimitExceededException", "Attempt limit exceeded, please try after some time.")


def expired_code(message: str = "Invalid code provided, please request a code again.") -> Refusal:
    """Return the refusal of a code that has expired or was never sent."""
    return Refusal("ExpiredCodeException", message)
