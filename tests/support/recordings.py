"""Run the same story twice: record it from the embedded pool, then replay it without the pool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from inspect import isawaitable
from pathlib import Path
from typing import Any

import srpcore
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation, Reply, Transport
from srpcore_transports.local import LocalUserPool
from srpcore_transports.recorded import RecordingTransport, ReplayTransport
from support.clock import Clock

NOW = 1_800_000_000.25
WEEKS = 5 * 7 * 86400
RECORDED = {
    "username": "alice.liddell",
    "email": "alice@wonderland.example",
    "phone": "+447700900123",
    "password": "Correct-Horse-1",
    "wrong": "Incorrect-Horse-1",
    "new": "Battery-Staple-2",
    "group": "white-rabbits",
}
DUMMIES = {name: f"Dummy-{name}-9" for name in RECORDED} | {"email": "d@dummy.example", "phone": "+15550000000"}


async def got(value: Any) -> Any:
    """Return what a method of either facade returns."""
    return await value if isawaitable(value) else value


# What the test itself knows to be no secret; the rest of the traffic must not be found in the file.
PUBLIC = re.compile(
    r"[A-Z][A-Z_0-9]*|Bearer|access|id|true|false|aws\.cognito\.signin\.user\.admin|(userAttributes\.)?[a-z_]+|"
    r'\[("(userAttributes\.)?[A-Za-z_]*"(, ?)?)*\]|\{\}|[A-Za-z]+Exception:?|application/x-amz-json-1\.1|[0-9]{1,4}|'
    r"[A-Z][A-Za-z_]*( [A-Za-z',]+)+[.?]?|dev:[a-z_]+|public-key"
)


class Spy:
    """Notes every text that goes by, before it is recorded."""

    def __init__(self, inner: Transport, public: set[str]) -> None:
        self.inner = inner
        self.public = public
        self.texts: set[str] = set()
        self.names: list[str] = []

    def call(self, operation: Operation) -> Reply:
        self.names.append(operation.name)
        self._note(operation.parameters)
        reply = self.inner.call(operation)
        self._note({key: value for key, value in reply.document.items() if key != "ResponseMetadata"})
        self._note(reply.request_id)
        return reply

    def fetch(self, url: str) -> bytes:
        body = self.inner.fetch(url)
        self._note(body.decode().split('"n": "')[1].split('"')[0])
        return body

    def close(self) -> None:
        self.inner.close()

    def _note(self, value: Any) -> None:
        if isinstance(value, Mapping):
            for member in value.values():
                self._note(member)
        elif isinstance(value, list):
            for item in value:
                self._note(item)
        elif isinstance(value, str) and value and not PUBLIC.fullmatch(value) and value not in self.public:
            self.texts.add(value)
            if value.count(".") == 2 and value.startswith("eyJ"):
                self._note(dict(srpcore.tokens.unverified_claims(value)))
                self.texts.update(value.split("."))


class Stage:
    """Where a story plays: over a recording of a pool, or over a replay, with other names and passwords."""

    def __init__(
        self,
        transport: Any,
        clock: Clock,
        values: Mapping[str, str],
        ids: tuple[str, str],
        *,
        pool: LocalUserPool | None = None,
        asynchronous: bool = False,
    ) -> None:
        self.transport, self.clock, self.values, self.ids, self.pool = transport, clock, values, ids, pool
        self.asynchronous = asynchronous
        self.client_secret = pool.client_secret if pool else None
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def user(self, **arguments: Any) -> Any:
        facade = srpcore.AsyncCognito if self.asynchronous else srpcore.Cognito
        given = {"username": self["username"], "client_secret": self.client_secret, **arguments}
        return facade(*self.ids, transport=self.transport, clock=self.clock, **given)

    def sent_code(self) -> str:
        """Return the code that was sent last; at replay any will do."""
        code = "135790" if self.pool is None else self.pool.outbox.messages[-1].code
        self.used.add(code)
        return code

    def totp(self, secret: str, *, wrong: bool = False) -> str:
        right = totp(secret, self.clock())
        code = right if not wrong else f"{(int(right) + 1) % 1_000_000:06d}"
        self.used.update((secret, code))
        return code

    def later(self, seconds: float) -> None:
        self.clock.now += seconds


class Recorder:
    """Records from a pool of its own, into *path*."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.path = path
        self.clock = Clock(NOW)
        self.pool = LocalUserPool(clock=self.clock, **settings)
        self.spy = Spy(self.pool, {self.pool.user_pool_id})
        self.ids = (self.pool.user_pool_id, self.pool.client_id)

    def stage(self, transport: Any, *, asynchronous: bool = False) -> Stage:
        return Stage(transport, self.clock, RECORDED, self.ids, pool=self.pool, asynchronous=asynchronous)

    def transport(self, **options: Any) -> RecordingTransport:
        # No answer counts as slow, which would be written: on a busy machine one may take more than a second.
        return RecordingTransport(self.spy, self.path, clock=self.clock, **{"monotonic": lambda: 0.0, **options})

    def create(self, *, permanent: bool = True, **attributes: str) -> None:
        """Create the user of the story, unrecorded."""
        of_user = {"UserPoolId": self.ids[0], "Username": RECORDED["username"]}
        pairs = [{"Name": name, "Value": value} for name, value in attributes.items()]
        self.pool.call(
            Operation(
                "AdminCreateUser",
                {
                    **of_user,
                    "TemporaryPassword": RECORDED["password"],
                    "UserAttributes": pairs,
                    "MessageAction": "SUPPRESS",
                },
            )
        )
        if permanent:
            parameters = {**of_user, "Password": RECORDED["password"], "Permanent": True}
            self.pool.call(Operation("AdminSetUserPassword", parameters))


def replay_stage(
    recorder: Recorder, *, asynchronous: bool = False, values: Mapping[str, str] = DUMMIES, **options: Any
) -> Stage:
    clock = Clock(NOW + WEEKS)
    transport = ReplayTransport(recorder.path, clock=clock, **options)
    stage = Stage(
        transport, clock, values, (recorder.ids[0], "the-program's-own-client"), pool=None, asynchronous=asynchronous
    )
    stage.client_secret = "another secret" if recorder.pool.client_secret else None
    return stage
