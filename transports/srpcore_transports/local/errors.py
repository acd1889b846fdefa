"""The pool's refusals: the service's exception names and, where they are known, its own words."""

from __future__ import annotations

from srpcore.service_model import EXCEPTIONS

__all__ = [
    "Refusal",
    "code_mismatch",
    "expired_code",
    "invalid_parameter",
    "invalid_session",
    "not_authorized",
    "not_found",
    "user_not_found",
]


class Refusal(Exception):
    """A request is refused: the name of the service's exception, its message, and the HTTP status (the model's)."""

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = EXCEPTIONS.get(code, 400) if status is None else status


def invalid_parameter(message: str) -> Refusal:
    """Return the refusal of a parameter."""
    return Refusal("InvalidParameterException", message)


def not_authorized(message: str = "Incorrect username or password.") -> Refusal:
    """Return the refusal of a secret; the default message is for a wrong name as well as for a wrong password."""
    return Refusal("NotAuthorizedException", message)


def invalid_session() -> Refusal:
    """Return the refusal of a Session that was made up, spent, or is another user's, client's or challenge's."""
    return not_authorized("Invalid session for the user.")


def not_found(message: str) -> Refusal:
    """Return the refusal for a pool, client or device that does not exist."""
    return Refusal("ResourceNotFoundException", message)


def user_not_found() -> Refusal:
    """Return the refusal for a user who does not exist, where the client may know."""
    return Refusal("UserNotFoundException", "User does not exist.")


def code_mismatch(message: str = "Invalid verification code provided, please try again.") -> Refusal:
    """Return the refusal of a wrong code."""
    return Refusal("CodeMismatchException", message)


def expired_code(message: str = "Invalid code provided, please request a code again.") -> Refusal:
    """Return the refusal of a code that has expired or was never sent."""
    return Refusal("ExpiredCodeException", message)
