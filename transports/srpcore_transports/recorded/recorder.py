"""The calls of one recording: what is noted when a call begins and when it ends.

The transports of :mod:`.recording` drive :meth:`Recorder.call` and :meth:`Recorder.fetch`, which are flows::

    begin: redact the request  -->  yield it to the inner transport  -->  end: redact the reply, or note the failure

A call that has not ended (it was cancelled, or is still running) is not written to the cassette.
"""

from __future__ import annotations

from collections.abc import Collection
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from srpcore._fork import ForkSafeLock
from srpcore.clock import Clock
from srpcore.exceptions.base import TransportError, TransportTimeout
from srpcore.protocol import Fetch, Flow, Operation, Reply

from .cassette import Call, Cassette
from .errors import CassetteError
from .leaks import refuse_leaks
from .redaction import Redactor, pool_id_at
from .vocabulary import is_member

__all__ = ["Recorder"]

SLOW = 1.0
"""An answer that took this many seconds or more is slow: the cassette contains its duration."""


class _Pending(NamedTuple):
    """A call that has begun and not ended."""

    position: int
    call: Call
    started: float


class Recorder:
    """The calls of one recording, in the order in which they began.

    Args:
        path: the cassette's path.
        keep: members whose values are not replaced by placeholders.
        clock: the wall clock, in seconds since 1970.
        monotonic: the clock that measures how long an answer takes, in seconds.

    Raises:
        ConfigurationError: *keep* names a secret.
    """

    def __init__(self, path: str | PathLike[str], keep: Collection[str], clock: Clock, monotonic: Clock) -> None:
        self._path = Path(path)
        self._redactor = Redactor(keep)
        self._clock = clock
        self._monotonic = monotonic
        self._calls: list[Call | None] = []
        self._lock = ForkSafeLock()

    def call(self, operation: Operation) -> Flow[Reply]:
        """Yield *operation*, record it with its answer, and return the answer.

        Raises:
            TransportError: the inner transport raised it. That is recorded too.
            CassetteError: the call cannot be recorded. It was not made.
        """
        pending = self._begin(operation)
        try:
            reply: Reply = yield operation
        except TransportError as error:
            self._end(pending, {"failure": _failure_name(error)})
            raise
        changes: dict[str, Any] = {"status": reply.status, "retry_after": _retry_after(reply)}
        self._end(pending, changes, reply)
        return reply

    def fetch(self, url: str) -> Flow[bytes]:
        """Yield the fetch of the key set at *url*, record it without the keys, and return the key set.

        Raises:
            TransportError: the inner transport raised it. That is recorded too.
            CassetteError: *url* is not that of a user pool's key set. It was not fetched.
        """
        pending = self._begin_fetch(url)
        try:
            body: bytes = yield Fetch(url)
        except TransportError as error:
            self._end(pending, {"failure": _failure_name(error)})
            raise
        self._end(pending, {})
        return body

    def save(self) -> None:
        """Write the cassette.

        Raises:
            SecretInCassette: it would contain a secret.
            OSError: the file cannot be written.
        """
        with self._lock.lock:
            calls = tuple(call for call in self._calls if call is not None)
            cassette = Cassette(calls, self._redactor.pools)
            refuse_leaks(cassette.as_json(), self._redactor)
            cassette.write(self._path)

    def _begin(self, operation: Operation) -> _Pending:
        if not is_member(operation.name):
            raise CassetteError("the operation's name is not in the form of the service's names: nothing was sent")
        with self._lock.lock:
            self._set_start()
            try:
                request = self._redactor.request(operation.parameters)
            except RecursionError:
                raise CassetteError("the parameters are nested too deeply to be recorded: nothing was sent") from None
            return self._pending(Call(operation.name, request=request))

    def _begin_fetch(self, url: str) -> _Pending:
        user_pool_id = pool_id_at(url) if url.endswith("/.well-known/jwks.json") else None
        if user_pool_id is None:
            raise CassetteError("only the key sets of user pools can be recorded: nothing was fetched")
        with self._lock.lock:
            self._set_start()
            return self._pending(Call(key_set_of=self._redactor.pool(user_pool_id)))

    def _set_start(self) -> None:
        if not self._calls:
            self._redactor.start = self._clock()

    def _pending(self, call: Call) -> _Pending:
        self._calls.append(None)
        return _Pending(len(self._calls) - 1, call, self._monotonic())

    def _end(self, pending: _Pending, changes: dict[str, Any], reply: Reply | None = None) -> None:
        seconds = round(self._monotonic() - pending.started, 1)
        with self._lock.lock:
            if reply is not None:
                changes["reply"] = self._redactor.reply(reply.document, self._clock())
            call = pending.call
            self._calls[pending.position] = Call(
                call.operation,
                key_set_of=call.key_set_of,
                request=call.request,
                seconds=seconds if seconds >= SLOW else 0,
                **changes,
            )


def _failure_name(error: TransportError) -> str:
    name = "TransportTimeout" if isinstance(error, TransportTimeout) else "TransportError"
    return f"{name}: {error.reason}"


def _retry_after(reply: Reply) -> str | None:
    value = str(reply.document.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", ""))
    return value if value.isascii() and value.isdigit() and len(value) < 6 else None
