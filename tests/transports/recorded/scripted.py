"""A transport with scripted answers, and helpers that record and replay a few calls of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt

from srpcore.exceptions import TransportError
from srpcore.protocol import Operation, Reply
from srpcore_transports.recorded import RecordingTransport, ReplayTransport

POOL = "us-east-1_Abc123"
KEYS_URL = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}/.well-known/jwks.json"


def token(**claims: Any) -> str:
    """Return a JWT with *claims*, signed with a key that no verifier knows."""
    return jwt.encode(claims, "not the key of anybody, and long enough", algorithm="HS256")


def answer(document: dict[str, Any] | None = None, status: int = 200, **headers: str) -> Reply:
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": headers, "RequestId": "a-real-request-id"}
    return Reply({**(document or {}), "ResponseMetadata": metadata})


def refusal(code: str, message: str, status: int = 400) -> Reply:
    return answer({"Error": {"Code": code, "Message": message}}, status)


class Scripted:
    """Answers each call with the next of *answers*; an exception is raised."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.answers = list(answers)
        self.closed = 0

    def call(self, operation: Operation) -> Reply:
        following = self.answers.pop(0) if self.answers else answer()
        if isinstance(following, Exception):
            raise following
        return following

    def fetch(self, url: str) -> bytes:
        if self.answers and isinstance(self.answers[0], Exception):
            raise self.answers.pop(0)  # type: ignore[misc]
        return b'{"keys": []}'

    def close(self) -> None:
        self.closed += 1


class AsyncScripted:
    """The same, asynchronous."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.inner = Scripted(*answers)

    async def call(self, operation: Operation) -> Reply:
        return self.inner.call(operation)

    async def fetch(self, url: str) -> bytes:
        return self.inner.fetch(url)

    async def close(self) -> None:
        self.inner.close()


def record(path: Path, calls: Sequence[tuple[Operation, Reply | Exception]], **options: Any) -> dict[str, Any]:
    """Record *calls* and return what the file has."""
    with RecordingTransport(Scripted(*(reply for _, reply in calls)), path, **options) as transport:
        for operation, _ in calls:
            try:
                transport.call(operation)
            except TransportError:
                continue
    written: dict[str, Any] = json.loads(path.read_bytes())
    return written


def replay(path: Path, *operations: Operation, **options: Any) -> list[dict[str, Any]]:
    """Return the documents of the replies, without their ResponseMetadata."""
    transport = ReplayTransport(path, **options)
    replies = [transport.call(operation).document for operation in operations]
    return [{key: value for key, value in reply.items() if key != "ResponseMetadata"} for reply in replies]


def admin_get(name: str) -> Operation:
    return Operation("AdminGetUser", {"UserPoolId": "us-east-1_Abc123", "Username": name})


def status(text: str) -> Reply:
    return answer({"UserStatus": text})
