"""The transports of lives: how the clients of one life reach their pool."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import srpcore
from srpcore.protocol import Operation
from srpcore_transports.httpx import AsyncHttpxTransport
from srpcore_transports.local.model.outbox import Message
from srpcore_transports.recorded import RecordingTransport, ReplayTransport
from support.clock import Clock
from support.world import KEYS, World

from .actor import Actor
from .records import Settings

__all__ = ["KINDS", "Stage", "open_stage"]

KINDS = ("in process", "https", "httpx", "httpx on a loop", "botocore", "recorded")
"""The transports that lives are led over."""


class Stage:
    """The pool of one life and its clients."""

    def __init__(self, actor: Actor, world: World) -> None:
        self.actor = actor
        self._world = world
        self._read = 0

    @property
    def clock(self) -> Clock:
        """The clock of the pool and of the clients."""
        return self._world.clock

    def new_messages(self) -> list[Message]:
        """Return the messages that were sent since the last call."""
        messages = self._world.pool.outbox.messages[self._read :]
        self._read += len(messages)
        return messages

    def look_up(self, name: str) -> dict[str, Any]:
        """Return what AdminGetUser answers, without a client in between."""
        return self._ask("AdminGetUser", name)

    def confirmed_devices(self, name: str) -> list[bool]:
        """Return for each confirmed device whether it is remembered, without a client in between."""
        status = "dev:device_remembered_status"
        return [
            {"Name": status, "Value": "remembered"} in device["DeviceAttributes"]
            for device in self._ask("AdminListDevices", name)["Devices"]
        ]

    def _ask(self, operation: str, name: str) -> dict[str, Any]:
        parameters = {"UserPoolId": self._world.pool.user_pool_id, "Username": name}
        return self._world.pool.call(Operation(operation, parameters)).document


def _pool_arguments(settings: Settings) -> dict[str, Any]:
    devices = {
        "ChallengeRequiredOnNewDevice": settings.device_replaces_mfa,
        "DeviceOnlyRememberedOnUserPrompt": settings.devices == "prompt",
    }
    pool = {"MfaConfiguration": settings.mfa, "EmailMfaConfiguration": {"Subject": "code"}}
    rotation = {"Feature": "ENABLED", "RetryGracePeriodSeconds": settings.rotation}
    return {
        "client_secret": settings.secret,
        "pool_settings": {**pool, **({} if settings.devices is None else {"DeviceConfiguration": devices})},
        "client_settings": {} if settings.rotation is None else {"RefreshTokenRotation": rotation},
    }


@contextmanager
def open_stage(kind: str, settings: Settings, folder: Path) -> Generator[Stage]:
    """Open the pool and the clients of a life. A recorded life is led once more on its recording at the end."""
    served = {"httpx on a loop": "https", "recorded": "in process"}.get(kind, kind)
    world = World(served, **_pool_arguments(settings))
    world.clock.now = float(int(time.time()))
    runner = asyncio.Runner()
    try:
        transport = _transport(kind, world, folder / "life.json")
        if kind == "httpx on a loop":
            yield Stage(_actor(srpcore.AsyncCognito, transport, world, world.clock, runner), world)
            runner.run(transport.close())
        elif kind == "recorded":
            stage = Stage(_actor(srpcore.Cognito, transport, world, world.clock, runner), world)
            yield stage
            transport.close()
            _lead_again(stage.actor, world, folder / "life.json", runner)
        else:
            yield Stage(_actor(srpcore.Cognito, transport, world, world.clock, runner), world)
    finally:
        runner.close()
        world.close()


def _transport(kind: str, world: World, path: Path) -> Any:
    if kind == "httpx on a loop":
        return AsyncHttpxTransport("us-east-1", world.url, KEYS)
    if kind == "recorded":
        return RecordingTransport(world.pool, path, clock=world.clock)
    return world.transport


def _actor(kind: type[Any], transport: Any, world: World, clock: Clock, runner: asyncio.Runner) -> Actor:
    def make(**arguments: Any) -> Any:
        pool = world.pool
        return kind(
            pool.user_pool_id,
            pool.client_id,
            client_secret=pool.client_secret,
            transport=transport,
            endpoint_url=world.url,
            clock=clock,
            **arguments,
        )

    def advance(seconds: float) -> None:
        clock.ahead += seconds

    return Actor(make, runner.run, advance, clock)


def _lead_again(recorded: Actor, world: World, path: Path, runner: asyncio.Runner) -> None:
    """Do everything that is in the journal of *recorded* on its recording, and compare the outcomes."""
    clock = Clock(float(int(time.time())))
    replay = ReplayTransport(path, clock=clock)
    actor = _actor(srpcore.Cognito, replay, world, clock, runner)
    for action, arguments, outcome in recorded.journal:
        again = actor.attempt(action, *arguments)
        if again != outcome:
            raise AssertionError(f"{action}{arguments}: recorded {outcome}, replayed {again}")
    replay.assert_all_used()
