"""NotAuthorizedException told apart, by the service's words: it has one name for a wrong password and a dead token."""

from __future__ import annotations

from .service_exceptions import NotAuthorizedException

__all__ = [
    "InvalidRefreshToken",
    "PasswordAttemptsExceeded",
    "RefreshTokenExpired",
    "RefreshTokenRefused",
    "RefreshTokenRevoked",
    "UserDisabled",
    "WrongPassword",
]


class WrongPassword(NotAuthorizedException):
    """The password, the name or the device's secret is wrong; the service does not say which."""


class PasswordAttemptsExceeded(NotAuthorizedException):
    """Too many wrong passwords: the right one is refused as well for a while."""


class UserDisabled(NotAuthorizedException):
    """An administrator has disabled the user."""


class RefreshTokenRefused(NotAuthorizedException):
    """The refresh token is of no more use: log in again."""


class RefreshTokenExpired(RefreshTokenRefused):
    """The refresh token has expired."""


class RefreshTokenRevoked(RefreshTokenRefused):
    """The refresh token was revoked, or the user has logged out everywhere."""


class InvalidRefreshToken(RefreshTokenRefused):
    """The refresh token is none, is another client's, or goes with a device whose key was not sent."""


# In lower case, and in this order: the first that is in the message counts. Gathered from the service's answers.
_WORDS: tuple[tuple[str, type[NotAuthorizedException]], ...] = (
    ("incorrect username or password", WrongPassword),
    ("password attempts exceeded", PasswordAttemptsExceeded),
    ("user is disabled", UserDisabled),
    ("refresh token has expired", RefreshTokenExpired),
    ("refresh token has been revoked", RefreshTokenRevoked),
    ("invalid refresh token", InvalidRefreshToken),
)


def refined(message: str) -> type[NotAuthorizedException]:
    """Return the class for a NotAuthorizedException with that *message*; the plain one for words it does not know."""
    words = message.lower()
    return next((cls for phrase, cls in _WORDS if phrase in words), NotAuthorizedException)
