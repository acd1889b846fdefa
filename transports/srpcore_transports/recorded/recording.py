"""Recording transports: they pass everything to an inner transport and write a redacted copy to a cassette."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from os import PathLike

from srpcore.clock import Clock, monotonic_clock, system_clock
from srpcore.driver import arun, run
from srpcore.protocol import AsyncTransport, Operation, Reply, Transport

from .inner import Wrapper
from .recorder import Recorder

__all__ = ["AsyncRecordingTransport", "RecordingTransport"]


class RecordingTransport(Wrapper):
    """Send operations with the *inner* transport, and record them to a cassette, a file at *path*.

    :meth:`close` writes the file, completely or not at all, so only a finished recording replaces an older one. If the
    ``with`` block ends with an exception, nothing is written. The recorded values are kept in memory until then. The
    file has placeholders for secrets, which are never written, neither in the clear nor hashed. The secret exponent *a*
    of SRP does not pass through a transport at all.

    Args:
        inner: the transport that answers. It is closed together with this one.
        path: the cassette's path. Missing folders are created.
        keep: members whose values stay in the clear, for cassettes that are easier to read (``{"Username", "email"}``).
        clock: the wall clock, in seconds since 1970.
        monotonic: the clock that measures how long an answer takes, in seconds.

    Raises:
        ConfigurationError: *keep* names a secret (a password, code, token, Session, device key, a value of SRP).
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
        self._recorder = Recorder(path, keep, clock, monotonic)

    def call(self, operation: Operation) -> Reply:
        """Return the answer of the inner transport.

        Raises:
            TransportError: the inner transport raised it. That is recorded too.
            CassetteError: the call cannot be recorded. Nothing was sent.
        """
        return run(self._recorder.call(operation), self._inner)

    def fetch(self, url: str) -> bytes:
        """Return the key set that the inner transport fetched. The keys are not recorded.

        Raises:
            TransportError: the inner transport raised it. That is recorded too.
            CassetteError: *url* is not that of a user pool's key set. Nothing was fetched.
        """
        return run(self._recorder.fetch(url), self._inner)

    def save(self) -> None:
        """Write the cassette with the calls that have ended.

        Raises:
            SecretInCassette: it would contain a secret. The file was not changed.
            OSError: the file cannot be written. It was not changed.
        """
        self._recorder.save()

    def close(self) -> None:
        """Close the inner transport and write the cassette. Calls after that are added to it by the next ``close``.

        Raises:
            SecretInCassette: it would contain a secret. The file was not changed.
            OSError: the file cannot be written. It was not changed.
        """
        self._inner.close()
        self.save()

    def abandon(self) -> None:
        """Close the inner transport without writing the cassette."""
        self._inner.close()

    def __enter__(self) -> RecordingTransport:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


class AsyncRecordingTransport(Wrapper):
    """Record the calls of an asynchronous *inner* transport: the async version of :class:`RecordingTransport`.

    It is not needed for a synchronous transport: ``AsyncCognito`` accepts a RecordingTransport and uses it in threads.
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
        self._recorder = Recorder(path, keep, clock, monotonic)

    async def call(self, operation: Operation) -> Reply:
        """Return the answer of the inner transport.

        Raises:
            TransportError: the inner transport raised it. That is recorded too.
            CassetteError: the call cannot be recorded. Nothing was sent.
        """
        return await arun(self._recorder.call(operation), self._inner)

    async def fetch(self, url: str) -> bytes:
        """Return the key set that the inner transport fetched. The keys are not recorded.

        Raises:
            TransportError: the inner transport raised it. That is recorded too.
            CassetteError: *url* is not that of a user pool's key set. Nothing was fetched.
        """
        return await arun(self._recorder.fetch(url), self._inner)

    async def save(self) -> None:
        """Write the cassette with the calls that have ended, in a thread.

        Raises:
            SecretInCassette: it would contain a secret. The file was not changed.
            OSError: the file cannot be written. It was not changed.
        """
        await asyncio.to_thread(self._recorder.save)

    async def close(self) -> None:
        """Close the inner transport and write the cassette. Calls after that are added to it by the next ``close``.

        Raises:
            SecretInCassette: it would contain a secret. The file was not changed.
            OSError: the file cannot be written. It was not changed.
        """
        await self._inner.close()
        await self.save()

    async def abandon(self) -> None:
        """Close the inner transport without writing the cassette."""
        await self._inner.close()

    async def __aenter__(self) -> AsyncRecordingTransport:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        if kind is None:
            await self.close()
        else:
            await self.abandon()
