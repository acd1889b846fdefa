"""The file with the state of a local pool: which files can be used, and who can read them.

SQLite locks a file with POSIX locks. When a process closes any descriptor of a file, it loses all POSIX locks that it
holds on this file, also those of another connection. Another process could then open the file, and one of the two would
overwrite what the other one has written. So nothing here opens a file that exists: SQLite itself does, and it keeps a
descriptor open for as long as the process has a lock.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path

from srpcore._fork import ForkSafeLock
from srpcore.exceptions.base import ConfigurationError

__all__ = ["IN_USE", "StateFile", "checked_path"]

IN_USE = "another process is using it: stop that `srpcore serve`, or choose another file"

_COMPANIONS = ("-wal", "-shm", "-journal")
"""The ends of the names of the files that SQLite writes beside a database."""

_registry = ForkSafeLock()
# The device and the inode of files: a file can have several names.
_in_use: set[tuple[int, int]] = set()
_inherited: set[tuple[int, int]] = set()


def checked_path(state: str | os.PathLike[str]) -> str:
    """Return the argument ``state`` of a local pool as a string.

    Raises:
        ConfigurationError: it is of bytes, or is not the name of a file.
    """
    path: object = os.fspath(state)
    if not isinstance(path, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"invalid state {path!r:.200}: use a str or a pathlib.Path, not bytes")
    if path == ":memory:":
        raise ConfigurationError("invalid state ':memory:': leave state (--state) out to keep a local pool in memory")
    try:
        usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usable = False
    if not path or not usable:
        raise ConfigurationError(f"invalid state {path!r:.200}: use the name of a file")
    return path


class StateFile:
    """A file that this process uses as the state of a local pool, until :meth:`release`.

    Args:
        path: the file, which is created if it does not exist. Symbolic links are followed here, because SQLite writes
            its other files beside the file itself, not beside the link.

    Attributes:
        path: the file, without symbolic links.
        empty: whether it has no contents.

    Raises:
        ConfigurationError: the file belongs to another user of the system, is used in this process, or is not a regular
            file.
        OSError: the file cannot be created.
    """

    def __init__(self, path: str) -> None:
        self._given = checked_path(path)
        try:
            self.path = Path(path).resolve()
        except RuntimeError:  # Python before 3.13, for links that form a circle
            raise self._refused("its symbolic links form a circle; choose another file") from None
        with _registry.lock:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            status = self.path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise self._refused("it is not a regular file; choose another file")
            self._check_owner(status)
            self.empty = not status.st_size
            self._identity = status.st_dev, status.st_ino
            if self._identity in _inherited:
                raise self._refused(
                    "it was open when this process was forked, so SQLite cannot open it here any more; start a new "
                    "process instead, for example with the start method 'spawn'"
                )
            if self._identity in _in_use:
                raise self._refused(IN_USE)
            _in_use.add(self._identity)

    def make_private(self) -> None:
        """Let only the owner read and write the file, and the files that SQLite has written beside it.

        The write-ahead log of a process that was killed has the mode that the file had when the log was created.

        Raises:
            ConfigurationError: one of the files belongs to another user of the system.
            OSError: the mode of a file cannot be changed.
        """
        if sys.platform == "win32":
            return
        for path in (self.path, *(self.path.with_name(self.path.name + end) for end in _COMPANIONS)):
            with contextlib.suppress(FileNotFoundError):
                status = path.lstat()
                self._check_owner(status)
                if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) != 0o600:
                    path.chmod(0o600)

    def release(self) -> None:
        """Let this process open the file again. SQLite must have closed it."""
        with _registry.lock:
            _in_use.discard(self._identity)

    def inherit(self) -> None:
        """Refuse the file from now on in this process, a forked child, whose copy of the connection is never closed."""
        _in_use.discard(self._identity)
        _inherited.add(self._identity)

    def _check_owner(self, status: os.stat_result) -> None:
        if sys.platform != "win32" and status.st_uid != os.geteuid():
            raise self._refused(
                "it belongs to another user of this computer, who could read the keys in it; choose another file"
            )

    def _refused(self, reason: str) -> ConfigurationError:
        return ConfigurationError(f"cannot use {self._given} as the state of a local pool: {reason}")
