"""A folder whose files no other user can read, write or replace.

The folder is opened once, and its files are opened relative to its descriptor. So no other user can replace the folder
after it was checked and before it is used.

Windows has neither such descriptors nor the owners and modes of POSIX. There, the files are protected by the access
list of the folder (other users cannot open a user's profile folder), and only symbolic links are refused.
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

__all__ = ["Folder", "folder_path", "store_errors"]

_POSIX = os.name == "posix"
# Do not follow a symbolic link, do not wait for the other end of a pipe, do not change \n to \r\n.
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, None)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def folder_path(path: str | os.PathLike[str]) -> Path:
    """Return *path* as an absolute path. ``~`` is the user's home folder.

    Raises:
        ConfigurationError: *path* is not a path.
    """
    try:
        if "\0" in os.fspath(path):
            raise ConfigurationError("store path contains a NUL character: give the path of a folder")
        return Path(path).expanduser().absolute()
    except (TypeError, RuntimeError):
        raise ConfigurationError("invalid store path: give the path of a folder, as a string or pathlib.Path") from None


class Folder:
    """An open folder that belongs to the user and that no other user can write to."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    @contextmanager
    def opened(cls, path: Path, *, make: bool = False) -> Generator[Folder, None, None]:
        """Open the folder *path*, and close it at the end of the block. With *make*, a missing folder is made (0700).

        Raises:
            FileNotFoundError: the folder is missing, and *make* is false.
            StoreUnsafe: it is a link, is not a folder, belongs to another user, or other users can write to it.
            StoreError: it cannot be made or opened.
        """
        with store_errors(path, pass_missing=not make):
            if make:
                _make(path)
            descriptor = _open_folder(path)
        try:
            yield cls(path, descriptor)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def open(self, name: str, flags: int) -> int:
        """Open the file *name*, and return its descriptor. A new file gets mode 0600.

        Raises:
            FileNotFoundError: the file is missing, and *flags* do not have O_CREAT.
            StoreUnsafe: it is a link, is not a regular file, belongs to another user, or is open to other users.
            StoreError: it cannot be opened.
        """
        path = self.path / name
        with store_errors(path, pass_missing=not flags & os.O_CREAT):
            if not _POSIX and path.is_symlink():
                raise OSError(errno.ELOOP, "a symbolic link")
            descriptor = os.open(self._at(name), flags | _FLAGS, 0o600, dir_fd=self._descriptor)
        try:
            if _POSIX and flags & os.O_EXCL:
                os.fchmod(descriptor, 0o600)  # the umask may have removed bits
            _check_file(path, os.fstat(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def replace(self, source: str, target: str) -> None:
        """Rename the file *source* to *target*, which is replaced if it exists, and sync the folder to the disk."""
        with store_errors(self.path / target):
            _replace(self._at(source), self._at(target), self._descriptor)
            _sync(self._descriptor)

    def remove(self, name: str) -> None:
        """Remove the file *name*, if there is one."""
        with store_errors(self.path / name), contextlib.suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._descriptor)
            _sync(self._descriptor)

    def names(self) -> list[str]:
        """Return the names of the files in the folder."""
        with store_errors(self.path):
            return os.listdir(self.path if self._descriptor is None else self._descriptor)  # noqa: PTH208

    def identity(self, name: str) -> tuple[int, int] | None:
        """Return the device and inode number of the file that *name* is now, or None if there is no such file."""
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
    if _POSIX:  # sync the parent too, so that the new folder survives a crash; the user may not be allowed to open it
        with contextlib.suppress(PermissionError):
            parent = os.open(path.parent, os.O_RDONLY)
            try:
                _sync(parent)
            finally:
                os.close(parent)


def _open_folder(path: Path) -> int | None:
    if not stat.S_ISDIR(path.lstat().st_mode):
        raise StoreUnsafe(f"{path} is not a folder, or is a symbolic link to one: give the folder itself")
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
        raise StoreUnsafe(f"the folder {path} belongs to another user: choose one of your own")
    if found.st_mode & _OTHERS_WRITE:
        raise StoreUnsafe(f"other users can write to the folder {path}: run chmod 700 on it, or choose another one")


def _check_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StoreUnsafe(f"{path} is not a regular file: delete it, and log in again")
    if not _POSIX:
        return
    if found.st_uid != os.geteuid():
        raise StoreUnsafe(f"{path} belongs to another user: delete it, and log in again")
    if found.st_nlink > 1:
        raise StoreUnsafe(f"{path} has a second name (a hard link): delete it, and log in again")
    if found.st_mode & _OTHERS:
        raise StoreUnsafe(f"other users can open {path}: run chmod 600 on it, or delete it and log in again")


def _sync(folder: int | None) -> None:
    if folder is None:
        return
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # from file systems that cannot sync a folder
            raise


def _replace(source: str, target: str, descriptor: int | None) -> None:
    for pause in _PAUSES:
        try:
            os.replace(source, target, src_dir_fd=descriptor, dst_dir_fd=descriptor)
            return
        except PermissionError:
            if _POSIX or pause is None:
                raise
            time.sleep(pause)  # Windows refuses this while another program has the old file open, usually for a moment


@contextmanager
def store_errors(path: Path, *, pass_missing: bool = False) -> Generator[None, None, None]:
    """Turn an OSError about *path* into a StoreError. With *pass_missing*, FileNotFoundError is raised as it is.

    Raises:
        StoreUnsafe: *path* is a symbolic link.
        StoreError: any other error of the operating system. Its description is in the message.
    """
    try:
        yield
    except OSError as error:
        if pass_missing and isinstance(error, FileNotFoundError):
            raise
        if error.errno in (errno.ELOOP, errno.EMLINK):  # EMLINK on FreeBSD
            raise StoreUnsafe(f"{path} is a symbolic link: delete it, and log in again") from None
        raise StoreError(f"cannot use {path}: {error.strerror or type(error).__name__}") from None
