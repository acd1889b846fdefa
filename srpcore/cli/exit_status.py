"""The exit status of the command line: one number for each kind of failure, so that a script can tell them apart."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from ..exceptions.base import ConfigurationError, SrpcoreError, TransportError
from ..exceptions.not_authorized import (
    AccessTokenRevoked,
    InvalidRefreshToken,
    RefreshTokenExpired,
    RefreshTokenRevoked,
)
from ..exceptions.service import ServiceError
from ..exceptions.service_exceptions import (
    LimitExceededException,
    ResourceNotFoundException,
    TooManyRequestsException,
    UserNotFoundException,
)
from ..exceptions.tokens import TokenVerificationException

__all__ = ["ExitStatus", "NotLoggedIn", "NotRevoked", "PoolNotFound", "exit_status"]


class ExitStatus(IntEnum):
    """How a command ended. The page on the command line shows this table."""

    SUCCESS = 0
    FAILURE = 1
    """Any failure that has no number of its own, for example: the result could not be written."""
    INVALID_ARGUMENTS = 2
    """An argument, an answer or a setting is invalid or missing."""
    REFUSED = 3
    """The service refused the request, for example because the password or the code is wrong."""
    NOT_LOGGED_IN = 4
    """No login is stored, it has ended, or it is not of this pool: run ``srpcore login``."""
    TOKEN_REFUSED = 5
    """A token was not accepted."""
    NOT_FOUND = 6
    """The user, the group or the pool does not exist."""
    TRY_LATER = 7
    """The service did not answer, or limits the number of requests."""
    INTERRUPTED = 130
    """Ctrl-C."""


class NotLoggedIn(SrpcoreError):
    """There is no stored login for the user."""


class PoolNotFound(SrpcoreError):
    """The endpoint has no such user pool."""


class NotRevoked(SrpcoreError):
    """A stored login was deleted, but it was not revoked at the service, because of *cause*.

    The exit status is that of the cause, so a script can tell a service that did not answer from one that refused.
    """

    def __init__(self, message: str, cause: SrpcoreError) -> None:
        super().__init__(message)
        self.cause = cause


# The first class that matches counts.
_BY_CLASS: Final[tuple[tuple[type[Exception], ExitStatus], ...]] = (
    (NotLoggedIn, ExitStatus.NOT_LOGGED_IN),
    (RefreshTokenExpired, ExitStatus.NOT_LOGGED_IN),
    (RefreshTokenRevoked, ExitStatus.NOT_LOGGED_IN),
    (InvalidRefreshToken, ExitStatus.NOT_LOGGED_IN),
    (AccessTokenRevoked, ExitStatus.NOT_LOGGED_IN),
    (TokenVerificationException, ExitStatus.TOKEN_REFUSED),
    (PoolNotFound, ExitStatus.NOT_FOUND),
    (UserNotFoundException, ExitStatus.NOT_FOUND),
    (ResourceNotFoundException, ExitStatus.NOT_FOUND),
    (TooManyRequestsException, ExitStatus.TRY_LATER),
    (LimitExceededException, ExitStatus.TRY_LATER),
    (TransportError, ExitStatus.TRY_LATER),
    (ServiceError, ExitStatus.REFUSED),
    (ConfigurationError, ExitStatus.INVALID_ARGUMENTS),
)


def exit_status(error: SrpcoreError) -> ExitStatus:
    """Return the exit status for *error*."""
    if isinstance(error, NotRevoked):
        return exit_status(error.cause)
    return next((status for kind, status in _BY_CLASS if isinstance(error, kind)), ExitStatus.FAILURE)
