"""A world that is watched: the ledger records what is sent and received, the journal what is written."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import srpcore
from observability.ledger import Journal, Ledger
from srpcore.protocol import Operation, Reply, Transport
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport
from srpcore_transports.local import Triggers
from support.quiz import Quiz
from support.tracing import Tracing
from support.world import KEYS, Wire, World

ANSWER = "the-hippopotamus"


class Stage(World):
    """A pool over HTTP, and facades over a watched transport of that *kind*."""

    def __init__(self, kind: str, ledger: Ledger, journal: Journal, tracing: Tracing, **settings: Any) -> None:
        self.ledger, self.journal, self._tracing = ledger, journal, tracing
        self.asynchronous = kind in ("threaded", "asynchronous httpx")
        self.used: set[str] = set()
        super().__init__(kind, **{"client_secret": True, "triggers": triggers(), **settings})
        self.wire = AsyncWatchedWire(self) if kind == "asynchronous httpx" else WatchedWire(self)
        self.pool.outbox.on_message = lambda message: ledger.hear(message.code)
        ledger.hear([self.pool.client_secret, KEYS.secret_access_key])
        ledger.hear(KEYS.access_key_id, "access_key_id")

    def transport_of(self, kind: str) -> Any:
        """Return a new transport, whose hooks tell the journal and make spans."""
        spans = self._tracing.spans

        def on_request(event: Any) -> None:
            spans.on_request(event)
            self.journal.of_events.append(repr(event))

        def on_response(event: Any) -> None:
            spans.on_response(event)
            self.journal.of_events.append(repr(event))

        kinds: dict[str, Any] = {"httpx": HttpxTransport, "asynchronous httpx": AsyncHttpxTransport}
        make = kinds.get(kind, HttpsTransport)
        return make("us-east-1", self.url, KEYS, on_request=on_request, on_response=on_response)

    def person(self, username: str | None = "alice", **arguments: Any) -> Any:
        """Return a facade of the kind, which keeps the names that are asked of it."""
        make = self.async_user if self.asynchronous else self.user
        return Watched(make(username, **arguments), self.used)

    @contextmanager
    def refused(self, *kinds: type[Exception]) -> Iterator[None]:
        """Expect one of these exceptions, and write down what it says."""
        with pytest.raises(kinds) as caught:
            yield
        self.journal.error(caught.value)

    def administer(self, name: str, **parameters: Any) -> Any:
        """Ask the pool itself, which nobody watches."""
        reply = self.pool.call(Operation(name, {"UserPoolId": self.pool.user_pool_id, **parameters}))
        assert reply.error is None, reply.error
        return reply.document

    @property
    def code(self) -> str:
        """The last code that alice was sent."""
        return self.pool.outbox.latest("alice").code

    def play(self, story: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
        """Run *story*, with asyncio's own debug log, and close what it opened on its event loop."""

        async def played() -> None:
            try:
                await story(self)
                self.journal.objects()
            finally:
                if isinstance(self.transport, AsyncHttpxTransport):
                    await self.transport.close()

        asyncio.run(played(), debug=True)

    def close(self) -> None:
        """Stop what was started."""
        if isinstance(self.transport, AsyncHttpxTransport):
            self.transport = self.pool
        super().close()


async def got(value: Any) -> Any:
    """Return *value*, awaited if it is to be."""
    return await value if inspect.isawaitable(value) else value


async def listed(stream: Any) -> list[Any]:
    """Return all that *stream* yields."""
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


class Watched:
    """A facade that keeps which of its names were asked for."""

    def __init__(self, cognito: srpcore.Cognito | srpcore.AsyncCognito, used: set[str]) -> None:
        vars(self).update(cognito=cognito, used=used)

    def __getattr__(self, name: str) -> Any:
        vars(self)["used"].add(name)
        return getattr(vars(self)["cognito"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(vars(self)["cognito"], name, value)


class WatchedWire(Wire):
    """Tell the ledger what was asked and answered; the first time of each kind, look at all objects."""

    def __init__(self, stage: Stage) -> None:
        inner: Transport = stage.transport
        super().__init__(inner)
        self.stage = stage

    def call(self, operation: Operation) -> Reply:
        self._asked(operation)
        return self._answered(self.inner.call(operation))

    def _asked(self, operation: Operation) -> None:
        self.operations.append(operation)
        self.stage.ledger.hear(operation.parameters)

    def _answered(self, reply: Reply) -> Reply:
        self.stage.ledger.hear(reply.document)
        if not self.stage.asynchronous:
            self.stage.journal.objects_after(self.names[-1])
        return reply


class AsyncWatchedWire(WatchedWire):
    """The same on an event loop."""

    async def call(self, operation: Operation) -> Reply:  # type: ignore[override]  # the wire of an asynchronous facade
        self._asked(operation)
        inner: Any = self.inner
        return self._answered(await inner.call(operation))

    async def fetch(self, url: str) -> bytes:  # type: ignore[override]  # as above
        self.fetched.append(url)
        inner: Any = self.inner
        body: bytes = await inner.fetch(url)
        return body

    async def close(self) -> None:  # type: ignore[override]  # as above
        pass


class LongQuiz(Quiz):
    """The quiz with an answer that is long enough to be looked for; it is the program's, and shows nothing."""

    __repr__ = object.__repr__

    def create(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        super().create(event, context)
        event["response"]["privateChallengeParameters"]["answer"] = ANSWER
        return event


def triggers() -> Triggers:
    """Return the triggers of custom logins."""
    quiz = LongQuiz()
    return quiz.triggers
