"""How one call is carried out: its attempts, the pauses between them, its deadline, and what is told about it.

:meth:`Calls.steps` decides and does no I/O: a generator that yields an :class:`Attempt` or a :class:`Pause`.
:func:`carry_out` and :func:`carry_out_async` do what it says, so that blocking and asynchronous transports are alike.

The logger is ``srpcore``. At the level DEBUG it tells names of operations, hosts, statuses, request ids and
durations; never a parameter, a header or a body. At ERROR it tells that a hook raised, and nothing else.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import ConfigurationError, TransportError, TransportTimeout
from srpcore.protocol import Fetch, Operation, Reply

from .retries import Retries, RetryQuota, may_be_repeated

__all__ = [
    "Attempt",
    "Calls",
    "OnRequest",
    "OnResponse",
    "Pause",
    "RequestEvent",
    "ResponseEvent",
    "carry_out",
    "carry_out_async",
    "deadline_in",
    "time_limit",
]

T = TypeVar("T")

_logger = logging.getLogger("srpcore")
_logger.addHandler(logging.NullHandler())

# Seconds of monotonic_clock().
_LIMIT: ContextVar[float] = ContextVar("srpcore_time_limit", default=float("inf"))


@contextmanager
def time_limit(seconds: float) -> Generator[None, None, None]:
    """Bound all calls made within, retries and pauses included, to *seconds* from now on; an inner limit may be less.

    Whatever is not done by then raises TransportTimeout. Tasks and threads that take over the context share the limit.

    Raises:
        ConfigurationError: *seconds* is no positive number.
    """
    if type(seconds) not in (int, float) or not seconds > 0:
        raise ConfigurationError("a time limit must be a positive number of seconds")
    token = _LIMIT.set(min(_LIMIT.get(), monotonic_clock() + seconds))
    try:
        yield
    finally:
        _LIMIT.reset(token)


def deadline_in(seconds: float) -> float:
    """Return when *seconds* from now will be over, or the limit that holds, as ``monotonic_clock()`` has it."""
    return min(monotonic_clock() + seconds, _LIMIT.get())


@dataclass(frozen=True, slots=True)
class Attempt:
    """Send the request once, and be done by *deadline* (of ``monotonic_clock()``)."""

    deadline: float
    repeatable: bool
    """Whether the request may be carried out twice."""

    def seconds_left(self, at_most: float) -> float:
        """Return the seconds until the deadline, or *at_most*.

        Raises:
            TransportTimeout: there are none left.
        """
        left = self.deadline - monotonic_clock()
        if left <= 0:
            message = "the time limit of the call was over before the request was sent"
            raise TransportTimeout(message, may_have_arrived=False, transient=False)
        return min(left, at_most)

    @contextmanager
    def limit(self) -> Generator[None, None, None]:
        """Bound by the deadline what is called within, such as the search for credentials."""
        token = _LIMIT.set(self.deadline)
        try:
            yield
        finally:
            _LIMIT.reset(token)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next attempt."""

    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class RequestEvent:
    """A request that is about to be sent: no parameter of it is told."""

    operation: str
    """The operation's name, or ``GET``."""
    host: str
    attempt: int
    """1 for the first."""
    notes: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """For the hooks' own use, such as a span that :class:`ResponseEvent` is to end."""


@dataclass(frozen=True, slots=True, eq=False)
class ResponseEvent:
    """What came of a request: an answer, or the name of the exception in its place."""

    request: RequestEvent
    seconds: float
    status: int | None = None
    request_id: str | None = None
    error: str | None = None
    """The service's error code, or the exception's name; None where all is well."""
    will_retry: bool = False


OnRequest: TypeAlias = Callable[[RequestEvent], object]
OnResponse: TypeAlias = Callable[[ResponseEvent], object]
Steps: TypeAlias = Generator[Attempt | Pause, Any, T]


class Calls:
    """What is decided about the calls of one transport.

    Args:
        max_attempts: how often one call may be sent in all; see :mod:`~srpcore_transports.retries`.
        total_timeout: seconds for one call in all, retries and pauses included.
        on_request: called before each attempt, with a :class:`RequestEvent`.
        on_response: called after each, with a :class:`ResponseEvent`. What a hook raises is logged and goes no
            further: it must not cost an answer that came. A hook runs where the call runs and must not block.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def __init__(
        self,
        *,
        max_attempts: int,
        total_timeout: float,
        on_request: OnRequest | None,
        on_response: OnResponse | None,
    ) -> None:
        for hook in (on_request, on_response):
            if hook is not None and not callable(hook):
                raise ConfigurationError("on_request and on_response must be functions of one event, or None")
        self.retries = Retries(max_attempts)
        self._quota = RetryQuota()
        self._total_timeout = total_timeout
        self._on_request = on_request
        self._on_response = on_response

    def steps(self, request: Operation | Fetch, host: str) -> Steps[Any]:
        """Yield what is to be done for *request*, is sent what came of each attempt, and returns the answer.

        Raises:
            TransportError: the last attempt's.
        """
        deadline = deadline_in(self._total_timeout)
        repeatable = may_be_repeated(request)
        name = request.name if isinstance(request, Operation) else "GET"
        spent, number, arrived = 1, 1, False
        while True:
            event, started = RequestEvent(name, host, number), monotonic_clock()
            self._tell_request(event)
            try:
                outcome = yield Attempt(deadline, repeatable)
            except TransportError as error:
                # What an earlier attempt may have done is done, whatever became of the last one.
                error.may_have_arrived = arrived = arrived or error.may_have_arrived
                outcome = error
            except BaseException as error:
                self._tell_response(event, started, error, None)
                raise
            if isinstance(outcome, Reply):
                arrived = arrived or outcome.status >= 500
            pause = self._next_pause(request, outcome, number, deadline)
            self._tell_response(event, started, outcome, pause)
            if pause is None:
                break
            spent, number = self.retries.cost(outcome), number + 1
            yield Pause(pause)
        if isinstance(outcome, TransportError):
            try:
                raise outcome
            finally:
                # Or the error and this frame hold one another, and what their callers hold, until a collection.
                del outcome
        if not isinstance(outcome, Reply) or outcome.error is None:
            self._quota.give_back(spent)
        return outcome

    def _next_pause(self, request: Operation | Fetch, outcome: Any, number: int, deadline: float) -> float | None:
        if not isinstance(outcome, (Reply, TransportError)):
            return None
        pause = self.retries.pause(request, outcome, number)
        if pause is None or monotonic_clock() + pause >= deadline or not self._quota.take(self.retries.cost(outcome)):
            return None
        return pause

    def _tell_request(self, event: RequestEvent) -> None:
        _logger.debug("%s to %s, attempt %d", event.operation, event.host, event.attempt)
        _tell(self._on_request, event)

    def _tell_response(self, request: RequestEvent, started: float, outcome: Any, pause: float | None) -> None:
        seconds = monotonic_clock() - started
        if isinstance(outcome, Reply):
            code, request_id = _name((outcome.error or {}).get("Code")), _name(outcome.request_id)
            event = ResponseEvent(request, seconds, outcome.status, request_id, code, pause is not None)
        else:
            error = type(outcome).__name__ if isinstance(outcome, BaseException) else None
            status = None if error else 200
            event = ResponseEvent(request, seconds, status, None, error, pause is not None)
        _logger.debug(
            "%s to %s, attempt %d: %s, HTTP status %s, request id %s, %.3f s%s",
            request.operation,
            request.host,
            request.attempt,
            event.error or "answered",
            event.status,
            event.request_id,
            seconds,
            "" if pause is None else f"; again in {pause:.2f} s",
        )
        _tell(self._on_response, event)


def _name(text: object) -> str | None:
    # Whoever answers chooses it, and it goes into logs: nothing but a name may.
    if text is None:
        return None
    return text if isinstance(text, str) and re.fullmatch(r"[\w.:/-]{1,128}", text, re.ASCII) else "(no name)"


def _tell(hook: Callable[[Any], object] | None, event: RequestEvent | ResponseEvent) -> None:
    if hook is None:
        return
    try:
        hook(event)
    except Exception:
        _logger.exception("a hook raised, and the call goes on")


def carry_out(steps: Steps[T], attempt: Callable[[Attempt], Any]) -> T:
    """Do what *steps* says, blocking, and return its result.

    Raises:
        TransportError: no answer was had; or whatever *attempt* raises.
    """
    step = next(steps)
    with closing(steps):
        while True:
            try:
                if isinstance(step, Pause):
                    done = None
                    time.sleep(step.seconds)
                else:
                    with step.limit():
                        done = attempt(step)
            except BaseException as error:  # noqa: BLE001 - the generator raises it again, or decides
                step = steps.throw(error)
                continue
            try:
                step = steps.send(done)
            except StopIteration as stop:
                result: T = stop.value
                return result


async def carry_out_async(steps: Steps[T], attempt: Callable[[Attempt], Awaitable[Any]]) -> T:
    """Do what *steps* says on the event loop, and return its result.

    Raises:
        TransportError: no answer was had; or whatever *attempt* raises.
    """
    import asyncio

    step = next(steps)
    with closing(steps):
        while True:
            try:
                if isinstance(step, Pause):
                    done = None
                    await asyncio.sleep(step.seconds)
                else:
                    with step.limit():
                        done = await attempt(step)
            except BaseException as error:  # noqa: BLE001 - the generator raises it again, or decides
                step = steps.throw(error)
                continue
            try:
                step = steps.send(done)
            except StopIteration as stop:
                result: T = stop.value
                return result
