"""What a transport reports about each attempt: log records, and events for the program's own hooks.

The logger is ``srpcore``. Records of level DEBUG contain names of operations, hosts, statuses, request ids and
durations; never a parameter, a header or a body. A record of level ERROR means that a hook raised an exception.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError
from srpcore.protocol import Reply

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["OnRequest", "OnResponse", "Report", "Reporter", "RequestEvent", "ResponseEvent"]

_DEBUG = 10  # logging.DEBUG


@cache
def _logger() -> Logger:
    # Imported only here: logging is slow to import, and a program that has not imported it sees no records.
    import logging

    logger = logging.getLogger("srpcore")
    logger.addHandler(logging.NullHandler())
    return logger


def _is_logged() -> bool:
    return "logging" in sys.modules and _logger().isEnabledFor(_DEBUG)


class RequestEvent:
    """A request that is about to be sent. It does not contain the request's parameters.

    Attributes:
        operation: the operation's name, or ``GET`` for the fetch of a key set.
        host: the host name that the request is sent to.
        attempt: 1 for the first attempt.
        notes: a dictionary for the hooks' own use, such as the span that :class:`ResponseEvent` ends.
    """

    __slots__ = ("attempt", "host", "notes", "operation")

    def __init__(self, operation: str, host: str, attempt: int) -> None:
        self.operation = operation
        self.host = host
        self.attempt = attempt
        self.notes: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"RequestEvent(operation={self.operation!r}, host={self.host!r}, attempt={self.attempt!r})"


class ResponseEvent:
    """The result of one attempt.

    Attributes:
        request: the event that was reported before the attempt.
        seconds: how long the attempt took.
        status: the HTTP status, or None if the server did not answer.
        request_id: the service's id of the request, if it sent one.
        error: the service's error code, or the name of the exception; None if the attempt succeeded.
        will_retry: whether the request will be sent again.
    """

    __slots__ = ("error", "request", "request_id", "seconds", "status", "will_retry")

    def __init__(
        self,
        request: RequestEvent,
        seconds: float,
        status: int | None = None,
        request_id: str | None = None,
        error: str | None = None,
        will_retry: bool = False,
    ) -> None:
        self.request = request
        self.seconds = seconds
        self.status = status
        self.request_id = request_id
        self.error = error
        self.will_retry = will_retry

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _RESPONSE_FIELDS)
        return f"ResponseEvent({shown})"


_RESPONSE_FIELDS = ("request", "seconds", "status", "request_id", "error", "will_retry")

OnRequest: TypeAlias = Callable[[RequestEvent], object]
OnResponse: TypeAlias = Callable[[ResponseEvent], object]


class Reporter:
    """Writes the log records of a transport and calls its hooks.

    If a hook raises an exception, it is logged and otherwise ignored, so that it cannot cost the program an answer that
    was received. Hooks run in the thread or on the event loop of the call, so they must not block.

    Args:
        on_request: called with a :class:`RequestEvent` before each attempt.
        on_response: called with a :class:`ResponseEvent` after each attempt.

    Raises:
        ConfigurationError: a hook is not callable.
    """

    def __init__(self, on_request: OnRequest | None, on_response: OnResponse | None) -> None:
        for hook in (on_request, on_response):
            if hook is not None and not callable(hook):
                raise ConfigurationError("on_request and on_response must be functions of one event, or None")
        self._on_request = on_request
        self._on_response = on_response

    def begin(self, operation: str, host: str, attempt: int) -> Report | None:
        """Report that a request is about to be sent, and return the report of this attempt.

        Return None if nobody would see it: there is no hook, and the logger does not write records of level DEBUG.
        """
        if self._on_request is None and self._on_response is None and not _is_logged():
            return None
        event = RequestEvent(operation, host, attempt)
        report = Report(event, self._on_response)
        _logger().debug("%s to %s, attempt %d", operation, host, attempt)
        _call_hook(self._on_request, event)
        return report


class Report:
    """The report of one attempt: :meth:`finish` ends it.

    Args:
        request: the event that was reported before the attempt.
        on_response: called with a :class:`ResponseEvent`, if it is not None.
    """

    __slots__ = ("_on_response", "_request", "_started")

    def __init__(self, request: RequestEvent, on_response: OnResponse | None) -> None:
        self._request = request
        self._on_response = on_response
        self._started = monotonic_clock()

    def finish(self, outcome: object, pause: float | None) -> None:
        """Report how the attempt ended.

        Args:
            outcome: the reply, the body of a fetched document, or the exception.
            pause: the seconds until the next attempt, or None if it is the last one.
        """
        request = self._request
        event = _response_event(request, monotonic_clock() - self._started, outcome, pause is not None)
        _logger().debug(
            "%s to %s, attempt %d: %s, HTTP status %s, request id %s, %.3f s%s",
            request.operation,
            request.host,
            request.attempt,
            event.error or "answered",
            event.status,
            event.request_id,
            event.seconds,
            "" if pause is None else f"; again in {pause:.2f} s",
        )
        _call_hook(self._on_response, event)


def _response_event(request: RequestEvent, seconds: float, outcome: object, will_retry: bool) -> ResponseEvent:
    if isinstance(outcome, Reply):
        code = _loggable_name((outcome.error or {}).get("Code"))
        request_id = _loggable_name(outcome.request_id)
        return ResponseEvent(request, seconds, outcome.status, request_id, code, will_retry)
    error = type(outcome).__name__ if isinstance(outcome, BaseException) else None
    return ResponseEvent(request, seconds, None if error else 200, None, error, will_retry)


def _loggable_name(value: object) -> str | None:
    # The server chooses error codes and request ids, and they are written to logs. Anything but a plain name (a line
    # end, a control character, a long value) could forge a log record, so it is replaced.
    if value is None:
        return None
    return value if isinstance(value, str) and re.fullmatch(r"[\w.:/-]{1,128}", value, re.ASCII) else "(no name)"


def _call_hook(hook: Callable[[Any], object] | None, event: RequestEvent | ResponseEvent) -> None:
    if hook is None:
        return
    try:
        hook(event)
    except Exception:  # noqa: BLE001 - it is logged, and must not cost the program its answer
        _logger().exception("on_request or on_response raised an exception; the call continues")
