"""Record what a transport carries: everything goes through to the inner one, and a redacted copy into a cassette."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from os import PathLike
from pathlib import Path
from typing import Any

from srpcore._fork import ForkSafeLock
from srpcore.clock import Clock, monotonic_clock, system_clock
from srpcore.exceptions.base import TransportError, TransportTimeout
from srpcore.protocol import AsyncTransport, Operation, Reply, Transport

from .cassette import Call, Cassette
from .errors import CassetteError
from .leaks import refuse_leaks
from .redaction import Redactor, pool_id_at
from .vocabulary import is_member

__all__ = ["AsyncRecordingTransport", "RecordingTransport"]

SLOW = 1.0
"""Seconds from which on an answer is slow, and the cassette says how slow."""


class _Recorder:
    """The calls of one recording in the order in which they were begun; those without an end are left out."""

    def __init__(self, path: str | PathLike[str], keep: Collection[str], clock: Clock, monotonic: Clock) -> None:
        self._path = Path(path)
        self._redactor = Redactor(keep)
        self._clock = clock
        self._monotonic = monotonic
        self._calls: list[Call | None] = []
        self._lock = ForkSafeLock()

    def begin(self, operation: Operation) -> _Pending:
        """Note the request; CassetteError if that cannot be."""
        if not is_member(operation.name):
            raise CassetteError("the operation's name is none of the service: nothing was sent")
        with self._lock:
            self._note_start()
            try:
                request = self._redactor.request(operation.parameters)
            except RecursionError:
                raise CassetteError("the parameters are nested too deeply to be recorded: nothing was sent") from None
            return self._pending(Call(operation.name, request=request))

    def begin_fetch(self, url: str) -> _Pending:
        """Note the fetch of a key set; CassetteError if it is of anything else."""
        user_pool_id = pool_id_at(url) if url.endswith("/.well-known/jwks.json") else None
        if user_pool_id is None:
            raise CassetteError("only the key sets of user pools can be recorded: nothing was fetched")
        with self._lock:
            self._note_start()
            return self._pending(Call(key_set_of=self._redactor.pool(user_pool_id)))

    def _note_start(self) -> None:
        if not self._calls:
            self._redactor.start = self._clock()

    def _pending(self, call: Call) -> _Pending:
        self._calls.append(None)
        return _Pending(self, len(self._calls) - 1, call, self._monotonic())

    def end(self, pending: _Pending, reply: Reply | None, failure: TransportError | None) -> None:
        """Note how the call ended."""
        seconds = round(self._monotonic() - pending.started, 1)
        changes: dict[str, Any] = {"seconds": seconds if seconds >= SLOW else 0}
        with self._lock:
            if failure is not None:
                timed_out = isinstance(failure, TransportTimeout)
                changes["failure"] = "TransportTimeout" if timed_out else "TransportError"
            elif reply is not None:
                changes["reply"] = self._redactor.reply(reply.document, self._clock())
                changes |= {"status": reply.status, "retry_after": _retry_after(reply)}
            call = pending.call
            self._calls[pending.index] = Call(
                call.operation, key_set_of=call.key_set_of, request=call.request, **changes
            )

    def save(self) -> None:
        """Write the cassette."""
        with self._lock:
            calls = tuple(call for call in self._calls if call is not None)
            cassette = Cassette(calls, self._redactor.pools)
            refuse_leaks(cassette.as_json(), self._redactor)
            cassette.write(self._path)


class _Pending:
    """A call that has no end yet."""

    def __init__(self, recorder: _Recorder, index: int, call: Call, started: float) -> None:
        self.index, self.call, self.started = index, call, started
        self._recorder = recorder

    def answered(self, reply: Reply | None) -> None:
        """Note the answer."""
        self._recorder.end(self, reply, None)

    def failed(self, error: TransportError) -> None:
        """Note that there was none."""
        self._recorder.end(self, None, error)


def _retry_after(reply: Reply) -> str | None:
    value = reply.document.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    return str(value) if str(value).isascii() and str(value).isdigit() and len(str(value)) < 6 else None


class RecordingTransport:
    """Carry operations over the *inner* transport, and record them into a cassette, a file at *path*.

    The file is written by :meth:`close`, whole or not at all, so that only a conversation that has ended replaces an
    older one; leaving the context by an exception writes nothing. Secrets are in memory meanwhile, and never in the
    file: not in the clear, not hashed. ``a``, the client's SRP secret, never comes here. What a placeholder stands for
    is in no file, either.

    Args:
        inner: the transport that answers; it is closed with this one.
        path: where the cassette will be; folders are made.
        keep: members whose values stay in the clear, for cassettes that are easier to read (``{"Username", "email"}``).
        clock: the time, in seconds since the epoch.
        monotonic: what measures how slow an answer is, in seconds.

    Raises:
        ConfigurationError: *keep* names a secret (a password, code, token, Session, device key, a value of SRP's).
    """

    def __init__(
        self,
        inner: Transport,
        path: str | PathLike[str],
        *,
        keep: Collection[str] = (),
        clock: Clock = system_clock,
        monotonic: Clock = monotonic_clock,
    ) -> None:
        self._inner = inner
        self._recorder = _Recorder(path, keep, clock, monotonic)

    def call(self, operation: Operation) -> Reply:
        """Return the inner transport's answer.

        Raises:
            TransportError: the inner transport had none; that is recorded, too.
            CassetteError: the call cannot be recorded; it was not made.
        """
        pending = self._recorder.begin(operation)
        try:
            reply = self._inner.call(operation)
        except TransportError as error:
            pending.failed(error)
            raise
        pending.answered(reply)
        return reply

    def fetch(self, url: str) -> bytes:
        """Return the key set that the inner transport fetched; the keys are not recorded.

        Raises:
            TransportError: the inner transport had none; that is recorded, too.
            CassetteError: it is no user pool's key set; it was not fetched.
        """
        pending = self._recorder.begin_fetch(url)
        try:
            body = self._inner.fetch(url)
        except TransportError as error:
            pending.failed(error)
            raise
        pending.answered(None)
        return body

    def save(self) -> None:
        """Write the cassette as it is by now.

        Raises:
            SecretInCassette: it would hold a secret; no file was written.
            OSError: the file cannot be written; it is as it was.
        """
        self._recorder.save()

    def close(self) -> None:
        """Close the inner transport and write the cassette; later calls are added to it at the next close.

        Raises:
            SecretInCassette: it would hold a secret; no file was written.
            OSError: the file cannot be written; it is as it was.
        """
        self._inner.close()
        self.save()

    def abandon(self) -> None:
        """Close the inner transport and leave the file as it was."""
        self._inner.close()

    def __enter__(self) -> RecordingTransport:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close() if kind is None else self.abandon()


class AsyncRecordingTransport:
    """Record what an asynchronous *inner* transport carries; all else is as in :class:`RecordingTransport`.

    A synchronous transport needs none of this: ``AsyncCognito`` takes a RecordingTransport and drives it in threads.
    """

    def __init__(
        self,
        inner: AsyncTransport,
        path: str | PathLike[str],
        *,
        keep: Collection[str] = (),
        clock: Clock = system_clock,
        monotonic: Clock = monotonic_clock,
    ) -> None:
        self._inner = inner
        self._recorder = _Recorder(path, keep, clock, monotonic)

    async def call(self, operation: Operation) -> Reply:
        """Return the inner transport's answer.

        Raises:
            TransportError: the inner transport had none; that is recorded, too.
            CassetteError: the call cannot be recorded; it was not made.
        """
        pending = self._recorder.begin(operation)
        try:
            reply = await self._inner.call(operation)
        except TransportError as error:
            pending.failed(error)
            raise
        pending.answered(reply)
        return reply

    async def fetch(self, url: str) -> bytes:
        """Return the key set that the inner transport fetched; the keys are not recorded.

        Raises:
            TransportError: the inner transport had none; that is recorded, too.
            CassetteError: it is no user pool's key set; it was not fetched.
        """
        pending = self._recorder.begin_fetch(url)
        try:
            body = await self._inner.fetch(url)
        except TransportError as error:
            pending.failed(error)
            raise
        pending.answered(None)
        return body

    async def save(self) -> None:
        """Write the cassette as it is by now, in a thread.

        Raises:
            SecretInCassette: it would hold a secret; no file was written.
            OSError: the file cannot be written; it is as it was.
        """
        await asyncio.to_thread(self._recorder.save)

    async def close(self) -> None:
        """Close the inner transport and write the cassette; later calls are added to it at the next close.

        Raises:
            SecretInCassette: it would hold a secret; no file was written.
            OSError: the file cannot be written; it is as it was.
        """
        await self._inner.close()
        await self.save()

    async def abandon(self) -> None:
        """Close the inner transport and leave the file as it was."""
        await self._inner.close()

    async def __aenter__(self) -> AsyncRecordingTransport:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        await (self.close() if kind is None else self.abandon())
