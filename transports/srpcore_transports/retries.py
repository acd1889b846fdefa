"""When a request is sent again: which operation, after what, how often and how soon.

The rules are those of botocore's standard mode (three attempts, full jitter, a quota for all calls of one transport),
but for two. LimitExceededException is the user's limit in Cognito and no throttling, so that it is not tried again. And
an operation is repeated only where that cannot do anything twice:

====================================================  ==============================================================
what came of the attempt                              what is sent again
====================================================  ==============================================================
throttled: HTTP 429, or a code of :data:`THROTTLED`   every operation: it was refused before it was looked at
no connection (refused, no host, TLS broken off,      every operation: nothing had arrived
timeout), or not all of the request could be sent
connection lost, timeout or truncation after that;    those of :data:`REPEATABLE`, and InitiateAuth with a flow of
HTTP 500, 502, 503, 504                               :data:`REPEATABLE_FLOWS`; a document (GET)
any other answer; a certificate that is refused; a    none
redirect; an answer that is no JSON or too long
====================================================  ==============================================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from random import SystemRandom

from srpcore._fork import ForkSafeLock
from srpcore.clock import system_clock
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.protocol import Fetch, Operation, Reply
from srpcore.service_model import READ_ONLY

__all__ = ["REPEATABLE", "REPEATABLE_FLOWS", "THROTTLED", "Retries", "RetryQuota", "may_be_repeated"]

THROTTLED = frozenset(
    """
    BandwidthLimitExceeded PriorRequestNotComplete RequestLimitExceeded RequestThrottled RequestThrottledException
    SlowDown ThrottledException Throttling ThrottlingException TooManyRequestsException
    """.split()
)
"""The error codes that say that a request came too soon: botocore's, but for those that other services alone have."""

REPEATABLE = READ_ONLY | {
    # The second time changes nothing and fails in nothing.
    "AdminAddUserToGroup",
    "AdminDisableUser",
    "AdminEnableUser",
    "AdminRemoveUserFromGroup",
    "RevokeToken",
    # It may rotate the token. But if the answer is lost, the old token is all there is, and asking again within the
    # rotation's grace period is the only way to the new one.
    "GetTokensFromRefreshToken",
}
"""The operations that may be processed twice without harm."""

REPEATABLE_FLOWS = frozenset(["REFRESH_TOKEN", "REFRESH_TOKEN_AUTH", "USER_SRP_AUTH"])
"""The ``AuthFlow`` with which InitiateAuth and AdminInitiateAuth may be repeated: no password tried, no code sent."""

_TRANSIENT_STATUSES = frozenset([500, 502, 503, 504])
_MAX_PAUSE = 20.0


def may_be_repeated(request: Operation | Fetch) -> bool:
    """Return whether *request* may be carried out twice."""
    if isinstance(request, Fetch):
        return True
    if request.name in ("InitiateAuth", "AdminInitiateAuth"):
        return any(request.parameters.get("AuthFlow") == flow for flow in REPEATABLE_FLOWS)
    return request.name in REPEATABLE


class RetryQuota:
    """What all calls of one transport may spend on retries, so that an outage is not made worse by them.

    500 units at first; a retry costs 14, one of a throttled request 5. A retry that helps gives its cost back, a call
    that needs none gives 1. The figures are botocore's, of 1.44.
    """

    CAPACITY = 500

    def __init__(self) -> None:
        self._left = self.CAPACITY
        self._lock = ForkSafeLock()

    def take(self, cost: int) -> bool:
        """Return whether *cost* units were there, and are spent."""
        with self._lock:
            if cost > self._left:
                return False
            self._left -= cost
            return True

    def give_back(self, units: int) -> None:
        """Put *units* back, up to the capacity."""
        with self._lock:
            self._left = min(self.CAPACITY, self._left + units)


_system_random = SystemRandom()


def _jitter() -> float:
    return _system_random.random()


@dataclass(frozen=True, slots=True)
class Retries:
    """At most *max_attempts* for one call, 1 for no retry; *random* gives the jitter, from 0 to 1.

    Raises:
        ConfigurationError: *max_attempts* is no positive number.
    """

    max_attempts: int
    random: Callable[[], float] = _jitter

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise ConfigurationError("max_attempts must be a number of attempts, 1 or more")

    def pause(self, request: Operation | Fetch, outcome: Reply | TransportError, attempt: int) -> float | None:
        """Return the seconds to wait before *request* is sent again after *attempt*, 1 the first; None: it is not.

        Full jitter: a random part of ``min(base * 2^(attempt - 1), 20)`` seconds, where *base* is 1 if the request was
        throttled, else 0.05; and never less than ``Retry-After`` says, where it says 20 seconds or less. Where it says
        more, the caller gets the answer rather than being kept waiting.
        """
        if attempt >= self.max_attempts or not _is_worth_another(request, outcome):
            return None
        told, base = _retry_after(outcome), 1.0 if _is_throttled(outcome) else 0.05
        return max(self.random() * min(base * 2.0 ** (attempt - 1), _MAX_PAUSE), told) if told <= _MAX_PAUSE else None

    @staticmethod
    def cost(outcome: Reply | TransportError) -> int:
        """Return what a retry after *outcome* takes from the quota."""
        return 5 if _is_throttled(outcome) else 14


def _is_worth_another(request: Operation | Fetch, outcome: Reply | TransportError) -> bool:
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
    """Return the seconds of ``Retry-After`` (RFC 9110, section 10.2.3), 0 where it is not there or not to be read."""
    if isinstance(outcome, TransportError):
        text = outcome.retry_after
    else:
        text = str(outcome.document.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", ""))
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 10 else math.inf
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    if when.tzinfo is None:
        return 0.0
    return max(0.0, when.timestamp() - system_clock())
