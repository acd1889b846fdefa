"""``SrpcoreError``, and the exceptions about arguments, challenges and the connection to the service."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self

from .compat import REASONS, Compatible, combined

__all__ = [
    "AccessTokenRequired",
    "ConfigurationError",
    "InvalidRequest",
    "SrpcoreError",
    "TransportError",
    "TransportTimeout",
    "UnexpectedChallenge",
    "UnsafeServerValue",
    "UnsupportedChallenge",
    "WarrantException",
]

MAX_TEXT_LENGTH = 4096
"""The largest number of characters of a server's string in an error. The service's own messages have up to 300."""

# Control characters, which a terminal obeys. Line breaks and tabs stay, because messages of Lambda triggers have them.
# `re` compiles the pattern when the first error is made, and keeps it: compiling it is slow.
_CONTROL = r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"


def safe_text(text: str, limit: int = MAX_TEXT_LENGTH) -> str:
    """Return *text* with ``?`` for each control character, cut after *limit* characters."""
    shown = text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
    return re.sub(_CONTROL, "?", shown)


class SrpcoreError(Exception):
    """The base class of every exception that srpcore raises."""


class WarrantException(SrpcoreError):
    """The base class of the exceptions that pycognito defines itself: the challenges and refused tokens.

    Programs write ``except WarrantException`` and then ask for the password again. Therefore the errors of the service
    and of the network are not WarrantExceptions.
    """


class ConfigurationError(SrpcoreError, ValueError):
    """An argument or a setting is wrong. Nothing was sent to the service and nothing was changed."""


class InvalidRequest(Compatible, ConfigurationError):
    """A parameter of a request is missing or has the wrong type. Nothing was sent.

    While botocore is loaded, it is also botocore's ``ParamValidationError``.
    """

    _counterpart = "request"


class AccessTokenRequired(InvalidRequest, AttributeError):
    """The method needs the access token of a user who is logged in. Log in first."""


class UnsafeServerValue(SrpcoreError, ValueError):
    """The service sent a value that is unsafe to use, for example B = 0 modulo N. No answer was sent.

    A correct service never sends such a value, so the messages may be coming from an attacker.
    """


class UnsupportedChallenge(SrpcoreError, NotImplementedError):
    """The service sent a challenge that the method cannot answer.

    The message says how to answer it, if that is possible.

    Attributes:
        challenge_name: the name of the challenge.
        way: how to answer the challenge, or an empty string.
    """

    def __init__(self, challenge_name: str, way: str = "", challenge: str | None = None) -> None:
        super().__init__(challenge_name, way)
        self.challenge_name = challenge_name
        self.way = way
        self._challenge = challenge  # not in `args`, because it contains the Session

    def __str__(self) -> str:
        message = f"challenge {safe_text(self.challenge_name, 100)} is not supported by this method"
        return f"{message}: {self.way}" if self.way else message

    def to_json(self) -> str:
        """Return the challenge as JSON, for ``resume_sign_in``. The Session in it is a secret.

        Raises:
            ConfigurationError: the challenge cannot be answered. Begin the login again.
        """
        if self._challenge is None:
            raise ConfigurationError("this challenge cannot be answered: begin the login again")
        return self._challenge


class UnexpectedChallenge(UnsupportedChallenge):
    """The service sent a challenge that must not follow the request before it. Nothing more was sent.

    A correct service never sends it, so the messages may be coming from an attacker who wants the password: for example
    PASSWORD as the answer to USER_SRP_AUTH, which never sends the password.

    Attributes:
        challenge_name: the name of the challenge, or ``absent`` if the reply has no challenge although one must follow.
        after: what the reply followed, for messages: the auth flow, for example USER_SRP_AUTH, or ``the answer to
            SMS_MFA``.
    """

    def __init__(self, challenge_name: str, after: str = "") -> None:
        super().__init__(challenge_name)
        self.args = (challenge_name, after)
        self.after = after

    def __str__(self) -> str:
        got = "no challenge" if self.challenge_name == "absent" else f"challenge {self.challenge_name[:100]!r}"
        return (
            f"unexpected reply from the server: {got} must not follow "
            f"{self.after or 'the request before it'}, so nothing more was sent; "
            "check that the endpoint is that of the user pool"
        )


class TransportError(Compatible, SrpcoreError):
    """The service could not be reached, or did not send a valid answer.

    While botocore is loaded, the error is also botocore's error for this *reason*, with its ``kwargs``. If a key set
    was being fetched and requests is loaded, it is also the error of requests.

    Attributes:
        reason: what failed: ``connect`` (also: the host was not found), ``proxy``, ``tls``, ``closed`` (the connection
            was lost, or its other end does not send HTTP), ``credentials`` (AWS credentials could not be fetched),
            ``document`` (the document that was fetched is not a key set) or ``answer`` (anything else). For a
            TransportTimeout ``connect timeout`` or ``read timeout``. Another value becomes ``answer`` or
            ``read timeout``.
        url: the URL that the request was sent to, or that of the proxy if the reason is ``proxy``; an empty string if
            it is not known. It contains no password.
        fetching: whether a key set was being fetched.
        may_have_arrived: whether the service may already have processed the request. False if there was no connection,
            or if the request was not sent completely.
        transient: whether a later try may succeed.
        status: the HTTP status, if something other than the service answered, for example a proxy; else None.
        retry_after: the header ``Retry-After`` of that answer (RFC 9110, section 10.2.3), or an empty string.
    """

    _counterpart: ClassVar[str] = "answer"

    def __init__(
        self,
        message: str = "",
        *,
        may_have_arrived: bool = True,
        transient: bool = False,
        status: int | None = None,
        retry_after: str = "",
        reason: str = "",
        url: str = "",
        fetching: bool = False,
    ) -> None:
        # Do not call super(): botocore's constructors take other arguments.
        Exception.__init__(self, message)
        self.reason = reason if reason in REASONS else self._counterpart
        self.url = url
        self.fetching = fetching
        self.may_have_arrived = may_have_arrived
        self.transient = transient
        self.status = status
        self.retry_after = retry_after

    @classmethod
    def _class_for(cls, *_: Any, reason: str = "", fetching: bool = False, **__: Any) -> type[Any]:
        return combined(cls, reason if reason in REASONS else cls._counterpart, fetching=fetching)

    def _class_arguments(self) -> dict[str, Any]:
        return {"reason": self.reason, "fetching": self.fetching}

    def for_fetch(self) -> Self:
        """Mark this error as one of a key set fetch, and return it.

        If requests is loaded, a copy that is also an exception of requests is returned.
        """
        self.fetching = True
        rebuild, arguments, state = self.__reduce__()
        copied: Self = rebuild(*arguments)
        if type(copied) is type(self):
            return self
        vars(copied).update(state)
        return copied.with_traceback(self.__traceback__)


class TransportTimeout(TransportError, TimeoutError):
    """No answer was received in time. Try again, unless the request may already have been processed."""

    _counterpart = "read timeout"

    def __init__(
        self,
        message: str = "",
        *,
        may_have_arrived: bool = True,
        transient: bool = True,
        reason: str = "",
        url: str = "",
        fetching: bool = False,
    ) -> None:
        super().__init__(
            message, may_have_arrived=may_have_arrived, transient=transient, reason=reason, url=url, fetching=fetching
        )
