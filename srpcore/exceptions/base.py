"""The root of the error tree, and the errors that are not the service's, a token's or a challenge's."""

from __future__ import annotations

__all__ = [
    "AccessTokenRequired",
    "ConfigurationError",
    "SrpcoreError",
    "TransportError",
    "TransportTimeout",
    "UnsafeServerValue",
    "UnsupportedChallenge",
    "WarrantException",
]


class SrpcoreError(Exception):
    """The root of every error that srpcore raises."""


WarrantException = SrpcoreError
"""pycognito's name for the root."""


class ConfigurationError(SrpcoreError, ValueError):
    """An argument or a setting cannot be used; nothing was sent and nothing was changed."""


class AccessTokenRequired(ConfigurationError, AttributeError):
    """The method acts for a logged-in user, and there is no access token: log in first."""


class UnsafeServerValue(SrpcoreError, ValueError):
    """The service sent a value that must not be answered (B of 0 modulo N, u of 0, hexadecimal out of bounds)."""


class UnsupportedChallenge(SrpcoreError, NotImplementedError):
    """The service asked for something this method cannot answer; ``challenge_name`` says what."""

    def __init__(self, challenge_name: str) -> None:
        super().__init__(challenge_name)
        self.challenge_name = challenge_name

    def __str__(self) -> str:
        return f"the {self.challenge_name} challenge is not supported here"


class TransportError(SrpcoreError):
    """No answer was had from the service.

    ``may_have_arrived`` says whether the request may have been carried out all the same: False where there was no
    connection, or not all of it could be sent. ``transient`` says whether what went wrong may be over soon.
    ``status`` is the HTTP status of an answer that was none of the service's, and ``retry_after`` what it said
    (RFC 9110, section 10.2.3).
    """

    def __init__(
        self,
        message: str = "",
        *,
        may_have_arrived: bool = True,
        transient: bool = False,
        status: int | None = None,
        retry_after: str = "",
    ) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        self.transient = transient
        self.status = status
        self.retry_after = retry_after


class TransportTimeout(TransportError, TimeoutError):
    """No answer was had in time: it is worth another try, unless the request may have been carried out."""

    def __init__(self, message: str = "", *, may_have_arrived: bool = True, transient: bool = True) -> None:
        super().__init__(message, may_have_arrived=may_have_arrived, transient=transient)
