"""Subclasses of NotAuthorizedException, selected by the message of the service.

The service uses this one exception name for many different causes, for example a wrong password and a revoked token.
The ``__name__`` of each subclass is ``"NotAuthorizedException"``, which programs compare with; ``except WrongPassword``
works as for any class.
"""

from __future__ import annotations

from .service_exceptions import NotAuthorizedException

__all__ = [
    "AccessTokenExpired",
    "AccessTokenRevoked",
    "InvalidRefreshToken",
    "InvalidSession",
    "PasswordAttemptsExceeded",
    "RefreshTokenExpired",
    "RefreshTokenRefused",
    "RefreshTokenRevoked",
    "SessionExpired",
    "UserDisabled",
    "WrongPassword",
]


class WrongPassword(NotAuthorizedException):
    """The password, the user name or the device password is wrong. The service does not tell which one."""


class PasswordAttemptsExceeded(NotAuthorizedException):
    """There were too many wrong passwords. For some time the service refuses the correct one too."""


class UserDisabled(NotAuthorizedException):
    """An administrator has disabled the user."""


class AccessTokenExpired(NotAuthorizedException):
    """The access token has expired. Refresh the tokens."""


class AccessTokenRevoked(NotAuthorizedException):
    """The access token was revoked, or the user has logged out everywhere. Log in again."""


class InvalidSession(NotAuthorizedException):
    """The Session of the challenge is wrong or was used before. Begin the login again."""


class SessionExpired(InvalidSession):
    """The challenge was not answered in time. Begin the login again."""


class RefreshTokenRefused(NotAuthorizedException):
    """The service refused the refresh token. Usually the user must log in again."""


class RefreshTokenExpired(RefreshTokenRefused):
    """The refresh token has expired."""


class RefreshTokenRevoked(RefreshTokenRefused):
    """The refresh token was revoked, or the user has logged out everywhere."""


class InvalidRefreshToken(RefreshTokenRefused):
    """The refresh token is malformed or was issued to another app client, or the key of its device was not sent."""


# Phrases in lower case, taken from answers of the service. The first one that the message contains decides. The hints
# are in hints.py, by class.
_CLASS_BY_PHRASE: tuple[tuple[str, type[NotAuthorizedException]], ...] = (
    ("incorrect username or password", WrongPassword),
    ("password attempts exceeded", PasswordAttemptsExceeded),
    ("user is disabled", UserDisabled),
    ("access token has expired", AccessTokenExpired),
    ("access token has been revoked", AccessTokenRevoked),
    ("session is expired", SessionExpired),
    ("session has expired", SessionExpired),
    ("invalid session", InvalidSession),
    ("refresh token has expired", RefreshTokenExpired),
    ("refresh token has been revoked", RefreshTokenRevoked),
    ("invalid refresh token", InvalidRefreshToken),
    ("refresh token has different client", InvalidRefreshToken),
)

# Programs written for boto3 compare `type(error).__name__` with the service's name. pickle and tracebacks use
# `__qualname__`, which stays.
_subclasses: list[type[NotAuthorizedException]] = [RefreshTokenRefused, *(cls for _, cls in _CLASS_BY_PHRASE)]
for _cls in _subclasses:
    _cls.__name__ = NotAuthorizedException.__name__


def not_authorized_class(message: str) -> type[NotAuthorizedException]:
    """Return the subclass for a NotAuthorizedException with *message*, or the class itself for an unknown message."""
    words = message.lower()
    return next((cls for phrase, cls in _CLASS_BY_PHRASE if phrase in words), NotAuthorizedException)
