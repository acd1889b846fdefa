"""How far an export or an import of users came, and with which options it was begun."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Literal, cast

from ..exceptions.base import ConfigurationError, SrpcoreError
from .output import note

__all__ = ["TransferProgress", "require_same_options"]


class TransferProgress:
    """How far a transfer came, in a file beside the file of users.

    Args:
        path: the file of users.
        kind: the transfer.
        restart: forget how far it came.
        dry_run: go on from nowhere, and leave the file of the progress as it is.

    Raises:
        ConfigurationError: a transfer of the other kind was begun with *path* and is not finished.
    """

    def __init__(self, path: Path, kind: Literal["export", "import"], *, restart: bool, dry_run: bool = False) -> None:
        self._path = path.with_name(f"{path.name}.progress")
        self._kind = kind
        self._restart = restart
        self._dry_run = dry_run
        # Also with --restart: to delete the progress of an export would let half of the users pass for all of them.
        try:
            saved = self._read()
        except ConfigurationError:
            return  # load() raises it, unless the file is not needed
        if saved.get("kind", kind) != kind:
            other = saved["kind"]
            raise ConfigurationError(
                f"{path} is an unfinished {other} ({_reached(saved)}): finish it first with the same users {other} "
                "command"
            )

    def load(self) -> dict[str, Any]:
        """Return what was saved last, or an empty object.

        Raises:
            ConfigurationError: the file is damaged.
        """
        if self._restart:
            self.end()
        return {} if self._dry_run else self._read()

    def _read(self) -> dict[str, Any]:
        try:
            document: object = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"could not read {self._path} ({error}): pass --restart to begin again") from None
        return cast("dict[str, Any]", document) if isinstance(document, dict) else {}

    def save(self, **members: object) -> None:
        """Save *members* instead of what was saved last. The file is replaced as a whole: it is never half-written."""
        if self._dry_run:
            return
        temporary = self._path.with_name(f"{self._path.name}.tmp")
        temporary.write_text(json.dumps({"kind": self._kind, **members}), "utf-8")
        temporary.replace(self._path)

    def end(self) -> None:
        """Delete the file."""
        if not self._dry_run:
            self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def explained(self) -> Generator[None, None, None]:
        """After Ctrl-C, SIGTERM or an error, print how to go on, if the transfer can go on."""
        # By default SIGTERM ends the process at once, and the terminal would stay without its cursor.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            yield
        except ConfigurationError:
            raise  # its message says what to change first
        except (KeyboardInterrupt, SrpcoreError, OSError) as error:
            if not self._dry_run and self._path.exists():
                what = "Interrupted" if isinstance(error, KeyboardInterrupt) else "Stopped by an error"
                reached = _reached(self._read())
                note(f"{what}: run the same command again to go on after {reached}, or with --restart to begin again.")
            elif not self._dry_run and isinstance(error, KeyboardInterrupt):
                note("Interrupted before the first user: run the same command again.")
            raise
        finally:
            signal.signal(signal.SIGTERM, before)


def _reached(saved: Mapping[str, object]) -> str:
    """Return where a transfer would go on: after how many users an export, and after which line an import."""
    if saved.get("kind") == "import":
        return f"line {saved.get('line', 0)}"
    done = saved.get("done", 0)
    return "1 user" if done == 1 else f"{done} users"


def require_same_options(what: str, came: Mapping[str, object], options: Mapping[str, object]) -> None:
    """Refuse to go on with other *options* than those that the transfer was begun with.

    Args:
        what: the transfer, for the message.
        came: what was saved last, or an empty object if the transfer has not begun.
        options: the options that change the result. A switch is True or False, another option a string or None.

    Raises:
        ConfigurationError: an option differs.
    """
    for name, value in options.items() if came else ():
        begun = came.get(name)
        if begun == value:
            continue
        option = f"--{name.replace('_', '-')}"
        if not begun:
            raise ConfigurationError(f"{what} was begun without {option}: leave it out, or pass --restart")
        shown = option if begun is True else f"{option} {str(begun)!r}"
        raise ConfigurationError(f"{what} was begun with {shown}: repeat it, or pass --restart")
