"""The attempts of one call: how often a request is sent, how long to pause, and when to give up.

Theory of operation: :meth:`Attempts.steps` is a generator that makes all decisions and does no I/O. A driver does what
the generator yields and sends back the outcome. There are two drivers, :func:`run_attempts` for blocking transports and
:func:`run_attempts_async` for transports on an event loop, so both follow the same rules::

    Attempts.steps (decides, no I/O)                     driver (I/O, decides nothing)

    +-> yield Attempt(deadline)  ---------------------->  call attempt(step), which sends the request once
    |                            <----------------------  send(reply or document), or throw(exception)
    |   may the request be sent again? (Retries)
    |       an answer that is not an error      -- no -->  return it
    |       an error that a retry cannot help   -- no -->  return the reply, or raise the exception
    |   is the pause over before the deadline?  -- no -->  the same
    |   are there units left in the RetryQuota? -- no -->  the same
    |   yes
    +-- yield Pause(seconds)     ---------------------->  sleep
                                 <----------------------  send(None)

An exception that is not a TransportError (a cancellation, a refused argument) ends the generator at once. Before each
attempt and after it, the generator reports an event to :class:`~srpcore_transports.events.Reporter`, if the program
listens to events or logs them.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing
from typing import Any, TypeAlias, TypeVar

from srpcore._values import Value
from srpcore.clock import monotonic_clock
from srpcore.exceptions.base import TransportError, TransportTimeout
from srpcore.protocol import Fetch, Operation, Reply

from .deadline import current_deadline
from .events import OnRequest, OnResponse, Reporter
from .retries import Retries, RetryQuota, may_be_repeated

__all__ = ["Attempt", "Attempts", "Pause", "Steps", "not_sent_in_time", "run_attempts", "run_attempts_async"]

T = TypeVar("T")


class Attempt(Value):
    """A step: send the request once, and finish by *deadline* (a reading of ``monotonic_clock()``)."""

    __slots__ = ("deadline", "repeatable")

    deadline: float
    repeatable: bool
    """Whether the service may process the request twice."""

    def __init__(self, deadline: float, repeatable: bool) -> None:
        self._set(deadline=deadline, repeatable=repeatable)

    def seconds_left(self, at_most: float) -> float:
        """Return the seconds until the deadline, or *at_most* if that is less.

        Raises:
            TransportTimeout: the deadline is over.
        """
        left = self.deadline - monotonic_clock()
        if left <= 0:
            raise not_sent_in_time()
        return min(left, at_most)


def not_sent_in_time() -> TransportTimeout:
    """Return the error for a call whose time limit was over before its request was sent."""
    message = "the time limit of the call was over before the request was sent"
    return TransportTimeout(message, may_have_arrived=False, transient=False)


class Pause(Value):
    """A step: wait before the next attempt."""

    __slots__ = ("seconds",)

    seconds: float

    def __init__(self, seconds: float) -> None:
        self._set(seconds=seconds)


Steps: TypeAlias = Generator[Attempt | Pause, Any, T]


class Attempts:
    """The rules for the attempts of all calls of one transport, and the quota of retries that these calls share.

    Args:
        max_attempts: how often one call may be sent in total; see :mod:`~srpcore_transports.retries`.
        total_timeout: the seconds for one call in total, with its retries and pauses.
        on_request: called before each attempt; see :class:`~srpcore_transports.events.Reporter`.
        on_response: called after each attempt.

    Raises:
        ConfigurationError: *max_attempts* is not a positive integer, or a hook is not callable.
    """

    def __init__(
        self,
        *,
        max_attempts: int,
        total_timeout: float,
        on_request: OnRequest | None,
        on_response: OnResponse | None,
    ) -> None:
        self._reporter = Reporter(on_request, on_response)
        self.retries = Retries(max_attempts)
        self._quota = RetryQuota()
        self._total_timeout = total_timeout

    def steps(self, request: Operation | Fetch, host: str) -> Steps[Any]:
        """Yield the steps of *request*, receive the outcome of each, and return the answer.

        Args:
            request: what is sent.
            host: the host name that it is sent to, for the events.

        Raises:
            TransportError: the last attempt raised it.
        """
        deadline = min(monotonic_clock() + self._total_timeout, current_deadline.get())
        repeatable = may_be_repeated(request)
        name = request.name if isinstance(request, Operation) else "GET"
        spent, number, arrived = 1, 1, False
        while True:
            report = self._reporter.begin(name, host, number)
            try:
                outcome = yield Attempt(deadline, repeatable)
            except TransportError as error:
                # If an earlier attempt may have been processed, that stays true even if this one was not sent at all.
                error.may_have_arrived = arrived = arrived or error.may_have_arrived
                outcome = error
            except BaseException as error:
                if report is not None:
                    report.finish(error, None)
                raise
            if isinstance(outcome, Reply):
                failed = outcome.error is not None
                arrived = arrived or (failed and outcome.status >= 500)
            else:
                failed = isinstance(outcome, TransportError)
            pause = self._next_pause(request, outcome, number, deadline) if failed else None
            if report is not None:
                report.finish(outcome, pause)
            if pause is None:
                break
            spent, number = self.retries.cost(outcome), number + 1
            yield Pause(pause)
        if isinstance(outcome, TransportError):
            try:
                raise outcome
            finally:
                # The traceback of the error refers to this frame. Without the `del`, the frame refers to the error too,
                # and the cycle keeps the locals of all callers (passwords) in memory until a garbage collection.
                del outcome
        if not failed and self._quota.left < RetryQuota.CAPACITY:
            self._quota.give_back(spent)
        return outcome

    def single(self) -> Attempt:
        """Return an attempt with the deadline of a call, which sends no request, and is not repeated or reported."""
        return Attempt(min(monotonic_clock() + self._total_timeout, current_deadline.get()), repeatable=False)

    def _next_pause(
        self, request: Operation | Fetch, outcome: Reply | TransportError, number: int, deadline: float
    ) -> float | None:
        """Return the seconds until the next attempt after the failure *outcome*, or None if there is none."""
        pause = self.retries.pause(request, outcome, number)
        if pause is None or monotonic_clock() + pause >= deadline or not self._quota.take(self.retries.cost(outcome)):
            return None
        return pause


def run_attempts(steps: Steps[T], attempt: Callable[[Attempt], Any]) -> T:
    """Do the *steps* in this thread and return their result.

    Args:
        steps: a generator made by :meth:`Attempts.steps`.
        attempt: sends the request once and returns the answer.

    Raises:
        TransportError: the server did not answer.
        Exception: any other exception that *attempt* raises.
    """
    step = next(steps)
    with closing(steps):
        while True:
            try:
                if isinstance(step, Pause):
                    done = None
                    time.sleep(step.seconds)
                else:
                    done = attempt(step)
            except BaseException as error:  # noqa: BLE001 - the generator raises it again, or retries
                step = steps.throw(error)
                continue
            try:
                step = steps.send(done)
            except StopIteration as stop:
                result: T = stop.value
                return result


async def run_attempts_async(steps: Steps[T], attempt: Callable[[Attempt], Awaitable[Any]]) -> T:
    """Do the *steps* on the event loop and return their result: the async version of :func:`run_attempts`.

    Raises:
        TransportError: the server did not answer.
        Exception: any other exception that *attempt* raises.
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
                    done = await attempt(step)
            except BaseException as error:  # noqa: BLE001 - the generator raises it again, or retries
                step = steps.throw(error)
                continue
            try:
                step = steps.send(done)
            except StopIteration as stop:
                result: T = stop.value
                return result
