"""Let things go wrong on purpose: refusals, throttling, slow answers, answers that never come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from srpcore._fork import ForkSafeLock
from srpcore.clock import system_sleep
from srpcore.exceptions.base import TransportError, TransportTimeout
from srpcore.protocol import AsyncTransport, Operation, Reply, Transport

__all__ = ["FETCH", "AsyncFaultTransport", "Fault", "FaultTransport"]

FETCH: Final = "fetch"
"""The name under which a script speaks of fetching key sets."""

Lost: TypeAlias = Literal["request", "answer"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the call *number* (from 1) of *operation*; None is every number, and every operation.

    After *delay* seconds: with *code*, the service's refusal of that name, and the inner transport is not asked. With
    *lost*, a TransportError, or TransportTimeout where *timeout* says so: the inner transport was not asked
    (``"request"``) or has answered in vain (``"answer"``). With neither, the inner transport's answer.
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
        """Return the fault that the service answers TooManyRequestsException."""
        return cls(operation, number, code="TooManyRequestsException", message="Rate exceeded", status=400)

    def is_of(self, name: str, number: int) -> bool:
        """Whether this is the fault of the call *number* of the operation *name*."""
        return self.operation in (None, name) and self.number in (None, number)

    def reply(self) -> Reply:
        """Return the refusal."""
        metadata: dict[str, Any] = {"HTTPStatusCode": self.status, "HTTPHeaders": {}, "RetryAttempts": 0}
        return Reply({"Error": {"Code": self.code, "Message": self.message}, "ResponseMetadata": metadata})

    def error(self, name: str) -> TransportError:
        """Return the error where there is no answer."""
        kind = TransportTimeout if self.timeout else TransportError
        return kind(f"{name}: no answer, by the test's own script")


_NONE: Final = Fault()


class _Script:
    """The faults, and how often each operation was called."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = tuple(faults)
        self._counts: dict[str, int] = {}
        self._lock = ForkSafeLock()

    def next(self, name: str) -> Fault:
        """Return the fault of this call of *name*: the first of the script that is its."""
        with self._lock:
            self._counts[name] = number = self._counts.get(name, 0) + 1
        return next((fault for fault in self._faults if fault.is_of(name, number)), _NONE)


class FaultTransport:
    """Carry operations over *inner*, but for the faults of the *script*; the first that is a call's counts.

    Record from it, and the cassette has the faults, too.

    Args:
        inner: the transport that answers otherwise; it is closed with this one.
        script: the faults.
        sleep: waits so many seconds.
    """

    def __init__(
        self, inner: Transport, script: Sequence[Fault], *, sleep: Callable[[float], object] = system_sleep
    ) -> None:
        self._inner = inner
        self._script = _Script(script)
        self._sleep = sleep

    def call(self, operation: Operation) -> Reply:
        """Return the answer of the script, or else of the inner transport.

        Raises:
            TransportError: the script says so, or the inner transport had no answer.
        """
        fault = self._begin(operation.name)
        if fault.code is not None:
            return fault.reply()
        reply = self._inner.call(operation)
        if fault.lost is not None:
            raise fault.error(operation.name)
        return reply

    def fetch(self, url: str) -> bytes:
        """Return the key set, unless the script has a fault of :data:`FETCH`; a refusal is a TransportError here.

        Raises:
            TransportError: the script says so, or the inner transport had no answer.
        """
        fault = self._begin(FETCH)
        if fault.code is not None:
            raise fault.error(FETCH)
        body = self._inner.fetch(url)
        if fault.lost is not None:
            raise fault.error(FETCH)
        return body

    def _begin(self, name: str) -> Fault:
        fault = self._script.next(name)
        if fault.delay:
            self._sleep(fault.delay)
        if fault.lost == "request":
            raise fault.error(name)
        return fault

    def close(self) -> None:
        """Release what the inner transport holds; a later call opens it anew."""
        self._inner.close()

    def __enter__(self) -> FaultTransport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _event_loop_sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


class AsyncFaultTransport:
    """The same over an asynchronous *inner* transport."""

    def __init__(
        self,
        inner: AsyncTransport,
        script: Sequence[Fault],
        *,
        sleep: Callable[[float], Awaitable[object]] = _event_loop_sleep,
    ) -> None:
        self._inner = inner
        self._script = _Script(script)
        self._sleep = sleep

    async def call(self, operation: Operation) -> Reply:
        """Return the answer of the script, or else of the inner transport.

        Raises:
            TransportError: the script says so, or the inner transport had no answer.
        """
        fault = await self._begin(operation.name)
        if fault.code is not None:
            return fault.reply()
        reply = await self._inner.call(operation)
        if fault.lost is not None:
            raise fault.error(operation.name)
        return reply

    async def fetch(self, url: str) -> bytes:
        """Return the key set, unless the script has a fault of :data:`FETCH`; a refusal is a TransportError here.

        Raises:
            TransportError: the script says so, or the inner transport had no answer.
        """
        fault = await self._begin(FETCH)
        if fault.code is not None:
            raise fault.error(FETCH)
        body = await self._inner.fetch(url)
        if fault.lost is not None:
            raise fault.error(FETCH)
        return body

    async def _begin(self, name: str) -> Fault:
        fault = self._script.next(name)
        if fault.delay:
            await self._sleep(fault.delay)
        if fault.lost == "request":
            raise fault.error(name)
        return fault

    async def close(self) -> None:
        """Release what the inner transport holds; a later call opens it anew."""
        await self._inner.close()

    async def __aenter__(self) -> AsyncFaultTransport:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
