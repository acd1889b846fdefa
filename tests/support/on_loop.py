"""An asynchronous transport behind the methods of a synchronous one, so that one test serves both."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from typing import Any

from srpcore.protocol import AsyncTransport, Operation, Reply

__all__ = ["OnLoop"]


class OnLoop:
    """Drive *transport* on an event loop of its own, which lives until :meth:`end`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self.transport: Any = transport
        self.runner = asyncio.Runner()

    def __enter__(self) -> OnLoop:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def call(self, operation: Operation) -> Reply:
        reply: Reply = self.runner.run(self.transport.call(operation), context=copy_context())
        return reply

    def fetch(self, url: str) -> bytes:
        body: bytes = self.runner.run(self.transport.fetch(url), context=copy_context())
        return body

    def prepare(self, *, connect: bool = True) -> None:
        self.runner.run(self.transport.prepare(connect=connect), context=copy_context())

    def close(self) -> None:
        self.runner.run(self.transport.close())

    def end(self) -> None:
        """Close the transport, and the loop: nothing may be left running on it."""

        async def close() -> list[asyncio.Task[Any]]:
            await self.transport.close()
            for _ in range(20):
                # Generators that were not read to their end are finished by the loop, one in another.
                await asyncio.sleep(0)
            return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

        left = self.runner.run(close())
        self.runner.close()
        assert left == []
