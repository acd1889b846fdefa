"""Transports that fail on purpose: refusals, throttling, slow answers, lost requests and answers.

:class:`_Script` decides what happens to a call; its flows yield the call to the inner transport, or raise the fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from srpcore._fork import ForkSafeLock
from srpcore.clock import system_sleep
from srpcore.driver import arun, run
from srpcore.exceptions.base import TransportError, TransportTimeout
from srpcore.protocol import AsyncTransport, CallMethod, Fetch, Flow, Operation, Reply, Transport

from .inner import Wrapper

__all__ = ["FETCH", "AsyncFaultTransport", "Fault", "FaultTransport"]

FETCH: Final = "fetch"
"""The name of the fetch of a key set in a script, where an operation has the operation's name."""

Lost: TypeAlias = Literal["request", "answer"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call. The default is that nothing goes wrong.

    Attributes:
        operation: the operation's name, or :data:`FETCH`; None means every one.
        number: which call of that operation, 1 for the first; None means every call.
        code: the error code of a refusal. The inner transport is not called.
        message: the message of the refusal.
        status: the HTTP status of the refusal.
        delay: the seconds before anything else happens.
        lost: ``"request"``: a TransportError is raised, and the inner transport is not called. ``"answer"``: it is
            raised after the inner transport has answered.
        timeout: whether it is a TransportTimeout.
    """

    operation: str | None = None
    number: int | None = None
    code: str | None = None
    message: str = ""
    status: int = 400
    delay: float = 0
    lost: Lost | None = None
    timeout: bool = False

    @classmethod
    def throttling(cls, operation: str | None = None, number: int | None = None) -> Fault:
        """Return the fault that the service answers with TooManyRequestsException."""
        return cls(operation, number, code="TooManyRequestsException", message="Rate exceeded", status=400)

    def matches(self, name: str, number: int) -> bool:
        """Return whether this fault applies to the call *number* of the operation *name*."""
        return self.operation in (None, name) and self.number in (None, number)

    def reply(self) -> Reply:
        """Return the refusal."""
        metadata: dict[str, Any] = {"HTTPStatusCode": self.status, "HTTPHeaders": {}, "RetryAttempts": 0}
        return Reply({"Error": {"Code": self.code, "Message": self.message}, "ResponseMetadata": metadata})

    def error(self, name: str) -> TransportError:
        """Return the exception for a lost request or answer of the operation *name*."""
        message = f"{name}: no answer, because the script of the test says so"
        if self.timeout:
            return TransportTimeout(message)
        return TransportError(message, reason="connect" if self.lost == "request" else "closed")


_NO_FAULT: Final = Fault()


class _Script:
    """The faults, and the number of calls of each operation so far.

    Args:
        faults: the faults; the first one that matches a call applies.
        sleep: waits for a number of seconds. On an event loop it is a coroutine function.
    """

    def __init__(self, faults: Sequence[Fault], sleep: Callable[[float], object]) -> None:
        self._faults = tuple(faults)
        self._sleep = sleep
        self._counts: dict[str, int] = {}
        self._lock = ForkSafeLock()

    def call(self, operation: Operation) -> Flow[Reply]:
        """Yield *operation* unless a fault prevents it, and return the refusal or the answer.

        Raises:
            TransportError: the script demands it, or the inner transport raised it.
        """
        fault = yield from self._begin(operation.name)
        if fault.code is not None:
            return fault.reply()
        reply: Reply = yield operation
        if fault.lost is not None:
            raise fault.error(operation.name)
        return reply

    def fetch(self, url: str) -> Flow[bytes]:
        """Yield the fetch of *url* unless a fault prevents it, and return the document.

        Raises:
            TransportError: the script demands it (a refusal too), or the inner transport raised it.
        """
        fault = yield from self._begin(FETCH)
        if fault.code is not None:
            raise fault.error(FETCH)
        body: bytes = yield Fetch(url)
        if fault.lost is not None:
            raise fault.error(FETCH)
        return body

    def _begin(self, name: str) -> Flow[Fault]:
        fault = self._next(name)
        if fault.delay:
            yield CallMethod(lambda: self._sleep(fault.delay))
        if fault.lost == "request":
            raise fault.error(name)
        return fault

    def _next(self, name: str) -> Fault:
        """Count a call of *name*, and return its fault."""
        with self._lock.lock:
            self._counts[name] = number = self._counts.get(name, 0) + 1
        return next((fault for fault in self._faults if fault.matches(name, number)), _NO_FAULT)


class FaultTransport(Wrapper):
    """Forward calls to *inner*, injecting the faults in *script*. If several match a call, the first one applies.

    To have the faults in a cassette, wrap this transport in a RecordingTransport.

    Args:
        inner: the transport that answers. It is closed together with this one.
        script: the faults.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self, inner: Transport, script: Sequence[Fault], *, sleep: Callable[[float], object] = system_sleep
    ) -> None:
        self._inner = inner
        self._script = _Script(script, sleep)

    def call(self, operation: Operation) -> Reply:
        """Return the refusal of the script, or the answer of the inner transport.

        Raises:
            TransportError: the script demands it, or the inner transport raised it.
        """
        return run(self._script.call(operation), self._inner)

    def fetch(self, url: str) -> bytes:
        """Return the key set at *url*, unless the script has a fault for :data:`FETCH`.

        Raises:
            TransportError: the script demands it (a refusal too), or the inner transport raised it.
        """
        return run(self._script.fetch(url), self._inner)

    def close(self) -> None:
        """Close the inner transport. A later call opens it again."""
        self._inner.close()

    def __enter__(self) -> FaultTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _event_loop_sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


class AsyncFaultTransport(Wrapper):
    """Forward calls to an asynchronous *inner* transport: the async version of :class:`FaultTransport`."""

    def __init__(
        self,
        inner: AsyncTransport,
        script: Sequence[Fault],
        *,
        sleep: Callable[[float], Awaitable[object]] = _event_loop_sleep,
    ) -> None:
        self._inner = inner
        self._script = _Script(script, sleep)

    async def call(self, operation: Operation) -> Reply:
        """Return the refusal of the script, or the answer of the inner transport.

        Raises:
            TransportError: the script demands it, or the inner transport raised it.
        """
        return await arun(self._script.call(operation), self._inner)

    async def fetch(self, url: str) -> bytes:
        """Return the key set at *url*, unless the script has a fault for :data:`FETCH`.

        Raises:
            TransportError: the script demands it (a refusal too), or the inner transport raised it.
        """
        return await arun(self._script.fetch(url), self._inner)

    async def close(self) -> None:
        """Close the inner transport. A later call opens it again."""
        await self._inner.close()

    async def __aenter__(self) -> AsyncFaultTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
