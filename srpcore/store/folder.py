"""A folder and files that nobody else can read, write or have put there.

The folder is opened once and everything in it is reached through its descriptor, so that no one can put another in its
place between the check and the use. Windows has no such thing, nor modes and owners as POSIX knows them: there the
files are as safe as the folder's access list (a user's own profile is closed to others), and only links are refused.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ..exceptions.base import ConfigurationError
from ..exceptions.store import StoreError, StoreUnsafe

__all__ = ["Folder", "folder_path", "told"]

_POSIX = os.name == "posix"
# Not to follow a link, not to wait for the other end of a pipe, not to turn \n into \r\n.
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, None)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def folder_path(path: str | os.PathLike[str]) -> Path:
    """Return *path* as an absolute path, ``~`` being the user's home.

    Raises:
        ConfigurationError: it is no path.
    """
    try:
        if "\0" in os.fspath(path):
            raise ConfigurationError("the store's path has a NUL character")
        return Path(path).expanduser().absolute()
    except (TypeError, RuntimeError):
        raise ConfigurationError("the store's path must be that of a folder, as text or a path") from None


class Folder:
    """A folder that is the user's own and that no other user can write to."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def opened(cls, path: Path, *, make: bool = False) -> Generator[Folder, None, None]:
        """Open the folder *path* for a while; with *make* it is made first if it is missing, with mode 0700.

        Raises:
            FileNotFoundError: there is none, and it was not to be made.
            StoreUnsafe: it is a link, no folder, another user's, or writable for others.
            StoreError: it cannot be made or opened.
        """
        with told(path, but_missing=not make):
            if make:
                _make(path)
            descriptor = _open_folder(path)
        try:
            yield cls(path, descriptor)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def open(self, name: str, flags: int) -> int:
        """Open the file *name*, and return its descriptor. A file that *flags* make has mode 0600.

        Raises:
            FileNotFoundError: there is none, and *flags* make none.
            StoreUnsafe: it is a link, no regular file, another user's, or open to others.
            StoreError: it cannot be opened.
        """
        path = self.path / name
        with told(path, but_missing=not flags & os.O_CREAT):
            if not _POSIX and path.is_symlink():
                raise OSError(errno.ELOOP, "a symbolic link")
            descriptor = os.open(self._at(name), flags | _FLAGS, 0o600, dir_fd=self._descriptor)
        try:
            if _POSIX and flags & os.O_EXCL:
                os.fchmod(descriptor, 0o600)  # whatever the umask took away
            _check_file(path, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def replace(self, source: str, target: str) -> None:
        """Give the file *source* the name *target*, in place of the file of that name, and see that it lasts."""
        with told(self.path / target):
            _replace(self._at(source), self._at(target), self._descriptor)
            _sync(self._descriptor)

    def remove(self, name: str) -> None:
        """Remove the file *name*, if there is one."""
        with told(self.path / name), contextlib.suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._descriptor)
            _sync(self._descriptor)

    def names(self) -> list[str]:
        """Return the names of what is in the folder."""
        with told(self.path):
            return os.listdir(self.path if self._descriptor is None else self._descriptor)  # noqa: PTH208

    def identity(self, name: str) -> tuple[int, int] | None:
        """Return which file *name* is now, or None."""
        try:
            found = os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else str(self.path / name)


def _make(path: Path) -> None:
    if os.path.lexists(path):
        return
    _make(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    if _POSIX:  # the new folder's name is to last as well, if its parent may be opened
        with contextlib.suppress(PermissionError):
            parent = os.open(path.parent, os.O_RDONLY)
            try:
                _sync(parent)
            finally:
                os.close(parent)


def _open_folder(path: Path) -> int | None:
    if not stat.S_ISDIR(path.lstat().st_mode):
        raise StoreUnsafe(f"{path} is not a folder, or a symbolic link to one: give the folder itself")
    if not _POSIX:
        return None
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _FLAGS)
    try:
        _check_folder(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_folder(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise StoreUnsafe(f"the folder {path} is another user's: choose one of your own")
    if found.st_mode & _OTHERS_WRITE:
        raise StoreUnsafe(f"others can write to the folder {path}: choose one of your own, or run chmod 700 on it")


def _check_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StoreUnsafe(f"{path} is not a regular file: delete it, and log in again")
    if not _POSIX:
        return
    if found.st_uid != os.geteuid():
        raise StoreUnsafe(f"{path} is another user's file: delete it, and log in again")
    if found.st_nlink > 1:
        raise StoreUnsafe(f"{path} has another name elsewhere (a hard link): delete it, and log in again")
    if found.st_mode & _OTHERS:
        raise StoreUnsafe(f"others can open {path}: run chmod 600 on it, or delete it and log in again")


def _sync(folder: int | None) -> None:
    if folder is None:
        return
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # so say file systems that sync no folders
            raise


def _replace(source: str, target: str, descriptor: int | None) -> None:
    for pause in _PAUSES:
        try:
            os.replace(source, target, src_dir_fd=descriptor, dst_dir_fd=descriptor)
            return
        except PermissionError:
            if _POSIX or pause is None:
                raise
            time.sleep(pause)  # Windows refuses while somebody reads the old file, which takes a moment


@contextmanager
def told(path: Path, *, but_missing: bool = False) -> Generator[None, None, None]:
    """Turn an OSError about *path* into a StoreError, *but* not that a file is *missing*.

    Raises:
        StoreUnsafe: it is a symbolic link that is not to be followed.
        StoreError: any other error of the system's; its text is in the message.
    """
    try:
        yield
    except OSError as error:
        if but_missing and isinstance(error, FileNotFoundError):
            raise
        if error.errno in (errno.ELOOP, errno.EMLINK):  # FreeBSD says EMLINK
            raise StoreUnsafe(f"{path} is a symbolic link: delete it, and log in again") from None
        raise StoreError(f"cannot use {path}: {error.strerror or type(error).__name__}") from None
