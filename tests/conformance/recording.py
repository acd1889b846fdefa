"""Recordings: what a server was asked and what it answered, redacted, one entry for each probe."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .redaction import Redactor
from .runner import Result
from .targets import Target

__all__ = ["Recorder"]


class Recorder:
    """A target that forwards to *target* and keeps a redacted copy of each call.

    Args:
        secrets: see :class:`~conformance.redaction.Redactor`.
    """

    def __init__(self, target: Target, secrets: Iterable[str] = ()) -> None:
        self._target = target
        self.name, self.region = target.name, target.region
        self._redactor = Redactor(secrets)
        self._calls: list[dict[str, Any]] = []
        self._entries: list[dict[str, Any]] = []

    def send(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        status, answer = self._target.send(operation, body)
        self._calls.append(
            {
                "operation": operation,
                "request": self._redactor.document(json.loads(body)),
                "status": status,
                "answer": self._redactor.document(answer),
            }
        )
        return status, answer

    def fetch(self, path: str) -> bytes:
        return self._target.fetch(path)

    def code(self, *names: str) -> str:
        return self._target.code(*names)

    def address(self, name: str) -> str:
        return self._target.address(name)

    def email_sender(self) -> dict[str, str]:
        return self._target.email_sender()

    def finish(self, result: Result) -> None:
        """Close the entry of the probe that has just ended."""
        probe = result.probe
        self._entries.append(
            {
                "probe": probe.name,
                "source": probe.source,
                **({"question": probe.question} if probe.question else {}),
                "result": result.outcome.value,
                **({"detail": self._redactor.text(result.detail)} if result.detail else {}),
                "calls": self._calls,
            }
        )
        self._calls = []

    def save(self, path: Path) -> None:
        """Write the recording as JSON, readable by its owner only.

        Raises:
            Leak: something is left in the recording that must not be in it. Nothing is written.
        """
        text = json.dumps(self._entries, indent=2) + "\n"
        self._redactor.check(text)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
