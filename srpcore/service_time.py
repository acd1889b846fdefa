"""The service's clock, as the ``Date`` header of its responses shows it (RFC 9110, section 6.6.1).

If the clock of this computer is wrong, a token that was just issued looks expired or looks valid for too long, and the
service refuses a correct password, because the answer to PASSWORD_VERIFIER has the time in it. So the difference
between the two clocks is measured at every response. It is used for two purposes only:

- The service's time decides whether tokens that were just received have expired, and whether an access token must be
  refreshed.
- An error that a wrong clock can cause names the difference in its hint.

Tokens that come from anywhere else are compared with the clock of this computer. Otherwise an attacker who can choose
the time could make an expired token valid.

If a program gives a clock of its own, or a test has frozen the time, then the difference has no meaning, and nothing is
corrected.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

from .clock import Clock, is_system_time
from .exceptions.service import ServiceError, member
from .protocol import Reply

__all__ = ["ServiceTime", "parse_date"]

TOLERANCE: Final = 10.0
"""Differences up to this many seconds are ignored.

The header has whole seconds, and the response takes time to arrive.
"""

HINT_FROM: Final = 60.0
"""The smallest difference, in seconds, that is mentioned in an error."""

_HINT_START: Final = "this computer's clock is"
"""The start of the hint. It also shows that the hint was added: an error may pass several drivers."""

# Errors that a wrong clock can cause. NotAuthorizedException has other causes too, so the hint names only the measured
# difference.
_CODES: Final = (
    "NotAuthorizedException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "RequestExpired",
    "RequestTimeTooSkewed",
)

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_date(value: object) -> float | None:
    """Return the seconds since the epoch of an HTTP date such as ``Sun, 06 Nov 1994 08:49:37 GMT``, else None."""
    # Each part has a fixed place. A regular expression would be shorter here, but in a new process compiling it takes
    # longer than a login needs for all dates.
    if not isinstance(value, str) or value[:3] not in _DAYS or value[8:11] not in _MONTHS:
        return None
    between = value[3:5], value[7:8], value[11:12], value[16:17], value[19:20], value[22:23], value[25:]
    numbers = value[12:16], value[5:7], value[17:19], value[20:22], value[23:25]
    if between != (", ", " ", " ", " ", ":", ":", " GMT") or not (value.isascii() and "".join(numbers).isdigit()):
        return None
    year, day, hour, minute, second = map(int, numbers)
    try:
        return datetime(
            year, _MONTHS.index(value[8:11]) + 1, day, hour, minute, second, tzinfo=timezone.utc
        ).timestamp()
    except ValueError:
        return None


class ServiceTime:
    """The difference between the service's clock and *clock*. It observes the replies and errors of flows.

    Args:
        clock: the clock of the object that sends the requests. Only ``system_clock`` is corrected.
    """

    __slots__ = ("clock", "skew")

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.skew = 0.0
        """The seconds to add to the clock to get the service's time, by the last response."""

    def now(self) -> float:
        """Return the service's time in seconds since the epoch, as far as it is known."""
        return self.clock() + (self.skew if is_system_time(self.clock) else 0.0)

    def replied(self, reply: Reply) -> None:
        """Measure the difference by a reply that has just arrived."""
        skew = self._measure(reply.document)
        if skew is not None:
            self.skew = skew if abs(skew) > TOLERANCE else 0.0

    def failed(self, error: Exception) -> None:
        """Add the difference to the hint of *error*, which was just raised, if a wrong clock can have caused it."""
        if not isinstance(error, ServiceError) or error.code not in _CODES or error.hint.startswith(_HINT_START):
            return
        skew = self._measure(error.response)
        if skew is None or abs(skew) < HINT_FROM:
            return
        from .exceptions.hints import REFUSED_SKEW  # importing it is slow

        hint = (
            f"{_HINT_START} {abs(skew):.0f} seconds {'ahead of' if skew < 0 else 'behind'} the service's (Date header "
            f"of the response): set the clock. With a difference of about {REFUSED_SKEW} or more, the service refuses "
            "correct passwords and signatures"
        )
        # First, because it is measured. The rest of the hint names causes that are only possible.
        error.hint = f"{hint}\n{error.hint}" if error.hint else hint
        error.add_note(f"Hint: {hint}")
        error.__notes__.insert(0, error.__notes__.pop())

    def _measure(self, document: object) -> float | None:
        if not is_system_time(self.clock):
            return None
        date = parse_date(member(member(document, "ResponseMetadata"), "HTTPHeaders").get("date"))
        return None if date is None else date - self.clock()
