"""The cassette: the file of a recording.

It is one JSON object in UTF-8, sorted and indented, so that two recordings can be compared. It is written completely or
not at all, and only its owner can read it (mode 0600).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn, cast

from srpcore.exceptions.compat import REASONS

from .errors import CassetteError
from .placeholders import PATTERN

__all__ = ["FORMAT", "VERSION", "Call", "Cassette"]

FORMAT: Final = "srpcore cassette"
VERSION: Final = 1

_FAILURES: Final = tuple(
    f"{'TransportTimeout' if reason.endswith('timeout') else 'TransportError'}: {reason}" for reason in REASONS
)
"""The names of the errors, each with a value of its attribute ``reason``."""
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "operation": (str,),
    "request": (dict,),
    "key set of": (str,),
    "reply": (dict,),
    "status": (int,),
    "failure": (str,),
    "seconds": (int, float),
    "retry after": (str,),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call, redacted.

    Attributes:
        operation: the operation's name; None for the fetch of a key set.
        key_set_of: the pool of a fetched key set. The keys are not recorded, because replay has keys of its own.
        request: the operation's parameters.
        reply: the answer's document; None for a failure.
        status: the answer's HTTP status.
        failure: the name and the reason of the TransportError that was raised instead of an answer, for example
            ``TransportTimeout: connect timeout``.
        seconds: how long a slow answer took, else 0.
        retry_after: the header ``Retry-After`` of the answer.
    """

    operation: str | None = None
    key_set_of: str | None = None
    request: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reply: Mapping[str, Any] | None = None
    status: int = 200
    failure: str | None = None
    seconds: float = 0
    retry_after: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the call as a JSON value for the file."""
        document: dict[str, Any] = {}
        if self.operation is None:
            document["key set of"] = self.key_set_of
        else:
            document |= {"operation": self.operation, "request": self.request}
        if self.reply is not None:
            document |= {"reply": self.reply, "status": self.status}
        extras = {"failure": self.failure, "seconds": self.seconds, "retry after": self.retry_after}
        return document | {name: value for name, value in extras.items() if value}


@dataclass(frozen=True, slots=True)
class Cassette:
    """The contents of a file: the calls in their order, and the user pool ids behind the placeholders of pools."""

    calls: tuple[Call, ...]
    pools: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the file's JSON value."""
        return {FORMAT: VERSION, "calls": [call.as_json() for call in self.calls], "pools": dict(self.pools)}

    def write(self, path: Path) -> None:
        """Write the file.

        The data is written to a temporary file in the same folder, which then replaces the old file, so that a crash
        leaves either the old file or the new one.

        Raises:
            CassetteError: the calls cannot be written as JSON. The file was not changed.
            OSError: the file cannot be written. It was not changed.
        """
        try:
            text = json.dumps(self.as_json(), ensure_ascii=False, allow_nan=False, indent=2, sort_keys=True)
            data = f"{text}\n".encode()
        except (TypeError, ValueError, RecursionError):
            raise CassetteError("the calls cannot be written as JSON: the cassette was not written") from None
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp creates the file with mode 0600.
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    @classmethod
    def read(cls, path: Path) -> Cassette:
        """Return the contents of the file at *path*.

        Raises:
            CassetteError: the file does not exist, or is not a cassette of this version.
        """
        try:
            document = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise CassetteError(f"there is no cassette {path}: record it first") from None
        except (OSError, ValueError, RecursionError):
            _malformed("it is not JSON")
        if not isinstance(document, dict) or FORMAT not in document:
            _malformed(f"it has no member {FORMAT!r}")
        members = cast(dict[str, Any], document)
        if type(members[FORMAT]) is not int or members[FORMAT] != VERSION:
            raise CassetteError(
                f"the cassette is not of version {VERSION}: record it again, or use the srpcore that wrote it"
            )
        calls, pools = members.get("calls"), members.get("pools")
        if not isinstance(calls, list) or not _is_pools(pools) or members.keys() != {FORMAT, "calls", "pools"}:
            _malformed(f"it must have {FORMAT!r}, 'calls' and 'pools' and nothing else")
        read = tuple(_call(item, number) for number, item in enumerate(cast(list[Any], calls), 1))
        return cls(read, cast(dict[str, str], pools))


def _call(item: Any, number: int) -> Call:
    if not isinstance(item, dict):
        _malformed(f"call {number} is not an object")
    members = cast(dict[str, Any], item)
    for name, value in members.items():
        if name not in _TYPES or not isinstance(value, _TYPES[name]) or isinstance(value, bool):
            _malformed(f"call {number} has an unknown member, or a member of a wrong type")
    if ("operation" in members) == ("key set of" in members) or ("operation" in members) != ("request" in members):
        _malformed(f"call {number} must have 'operation' and 'request', or 'key set of'")
    if "operation" in members and ("reply" in members) == ("failure" in members):
        _malformed(f"call {number} must have 'reply' or 'failure'")
    if members.get("failure", _FAILURES[0]) not in _FAILURES:
        _malformed(f"'failure' of call {number} must be one of {', '.join(_FAILURES)}")
    return Call(**{name.replace(" ", "_"): value for name, value in members.items()})


def _is_pools(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(text, str) and PATTERN.fullmatch(name) for name, text in cast(dict[str, object], value).items()
    )


def _malformed(reason: str) -> NoReturn:
    raise CassetteError(f"the file is not a cassette: {reason}; record it again") from None
