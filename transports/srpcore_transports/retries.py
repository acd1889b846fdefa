"""The retry policy: which requests are sent again, after which outcome, how often and how soon.

The rules are those of botocore's standard mode (three attempts, full jitter, a quota that all calls of one transport
share), with two differences. LimitExceededException is not retried: in Cognito it means that the user has reached a
limit, which lasts longer than any pause. And an operation is sent again only if nothing can be done twice by that:

====================================================  ==============================================================
outcome of the attempt                                what is sent again
====================================================  ==============================================================
throttled: HTTP 429, or a code of :data:`THROTTLED`   every operation: the service refused it without processing it
no connection (refused, unknown host, broken TLS      every operation: the service cannot have received it
handshake, timeout), or not all of it could be sent
connection lost, timeout or truncation after that;    the operations of :data:`REPEATABLE`; InitiateAuth with a flow
HTTP 500, 502, 503, 504                               of :data:`REPEATABLE_FLOWS`; the fetch of a document (GET)
any other answer; a certificate that is refused; a    nothing
redirect; an answer that is not JSON, or too long
====================================================  ==============================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable

from srpcore._fork import ForkSafeLock
from srpcore.clock import system_clock
from srpcore.exceptions.base import TransportError
from srpcore.protocol import Fetch, Operation, Reply
from srpcore.service_model import READ_ONLY

from .validation import whole_number

__all__ = ["REPEATABLE", "REPEATABLE_FLOWS", "THROTTLED", "Retries", "RetryQuota", "may_be_repeated"]

THROTTLED = frozenset(
    """
    BandwidthLimitExceeded PriorRequestNotComplete RequestLimitExceeded RequestThrottled RequestThrottledException
    SlowDown ThrottledException Throttling ThrottlingException TooManyRequestsException
    """.split()
)
"""The error codes of throttled requests: botocore's list without the codes that only other services use."""

REPEATABLE = READ_ONLY | {
    # A second call changes nothing, and does not fail.
    "AdminAddUserToGroup",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminRemoveUserFromGroup",
    "RevokeToken",
    # It may rotate the refresh token. But if the answer is lost, the program has only the old token, and the only way
    # to a new one is to ask again within the grace period of the rotation.
    "GetTokensFromRefreshToken",
}
"""The operations that may be processed twice without harm."""

REPEATABLE_FLOWS = frozenset(["REFRESH_TOKEN", "REFRESH_TOKEN_AUTH", "USER_SRP_AUTH"])
"""The values of ``AuthFlow`` with which InitiateAuth and AdminInitiateAuth may be repeated.

They neither count as an attempt to guess a password nor send a code to the user."""

_TRANSIENT_STATUSES = frozenset([500, 502, 503, 504])
_MAX_PAUSE = 20.0


def may_be_repeated(request: Operation | Fetch) -> bool:
    """Return whether the service may process *request* twice without harm."""
    if isinstance(request, Fetch):
        return True
    if request.name in ("InitiateAuth", "AdminInitiateAuth"):
        return any(request.parameters.get("AuthFlow") == flow for flow in REPEATABLE_FLOWS)
    return request.name in REPEATABLE


class RetryQuota:
    """The limit of retries that all calls of one transport share, so that retries do not make an outage worse.

    There are 500 units at first. A retry costs 14 units, or 5 if the request was throttled. A retry that succeeds gives
    its cost back, and a call that needs no retry gives back 1. The numbers are those of botocore 1.44.
    """

    CAPACITY = 500

    def __init__(self) -> None:
        self.left = self.CAPACITY
        """The units that are left."""
        self._lock = ForkSafeLock()

    def take(self, cost: int) -> bool:
        """Return whether *cost* units were left; if so, take them."""
        with self._lock.lock:
            if cost > self.left:
                return False
            self.left -= cost
            return True

    def give_back(self, units: int) -> None:
        """Return *units* to the quota, up to its capacity."""
        with self._lock.lock:
            self.left = min(self.CAPACITY, self.left + units)


def _jitter() -> float:
    from random import SystemRandom  # slow to import, and most calls are not repeated

    return SystemRandom().random()


class Retries:
    """The retry policy of one transport.

    Args:
        max_attempts: how often one call may be sent in total; 1 means no retry.
        random: returns the jitter, a number from 0 to 1.

    Raises:
        ConfigurationError: *max_attempts* is not a positive integer.
    """

    __slots__ = ("max_attempts", "random")

    def __init__(self, max_attempts: int, random: Callable[[], float] = _jitter) -> None:
        self.max_attempts = whole_number("max_attempts", max_attempts, at_least=1)
        self.random = random

    def pause(self, request: Operation | Fetch, outcome: Reply | TransportError, attempt: int) -> float | None:
        """Return the seconds to wait before *request* is sent again, or None if it is not.

        Full jitter: a random part of ``min(base * 2^(attempt - 1), 20)`` seconds, where *base* is 1 if the request was
        throttled, else 0.05. The pause is never shorter than ``Retry-After``. If that header demands more than 20
        seconds, there is no retry: the caller gets the answer at once and can decide.

        Args:
            request: what was sent.
            outcome: the answer, or the exception if the server did not answer.
            attempt: the number of the attempt, 1 for the first.
        """
        if attempt >= self.max_attempts or not _may_help(request, outcome):
            return None
        required, base = _retry_after(outcome), 1.0 if _is_throttled(outcome) else 0.05
        if required > _MAX_PAUSE:
            return None
        return max(self.random() * min(base * 2.0 ** (attempt - 1), _MAX_PAUSE), required)

    @staticmethod
    def cost(outcome: Reply | TransportError) -> int:
        """Return the units that a retry after *outcome* takes from the quota."""
        return 5 if _is_throttled(outcome) else 14


def _may_help(request: Operation | Fetch, outcome: Reply | TransportError) -> bool:
    if isinstance(outcome, TransportError):
        return outcome.transient and (not outcome.may_have_arrived or may_be_repeated(request))
    if outcome.error is None:
        return False
    return _is_throttled(outcome) or (outcome.status in _TRANSIENT_STATUSES and may_be_repeated(request))


def _is_throttled(outcome: Reply | TransportError) -> bool:
    if isinstance(outcome, TransportError):
        return outcome.status == 429
    return outcome.status == 429 or (outcome.error or {}).get("Code") in THROTTLED


def _retry_after(outcome: Reply | TransportError) -> float:
    """Return the seconds of ``Retry-After`` (RFC 9110, section 10.2.3); 0 if it is absent or cannot be parsed."""
    if isinstance(outcome, TransportError):
        value = outcome.retry_after
    else:
        value = str(outcome.document.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", ""))
    if value.isascii() and value.isdigit():
        return float(value) if len(value) < 10 else math.inf
    if not value:
        return 0.0
    # Imported only here: the package takes time to load, and few responses contain a date in this header.
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    if when.tzinfo is None:
        return 0.0
    return max(0.0, when.timestamp() - system_clock())
