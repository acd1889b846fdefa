"""Store logins in files in a folder of the user, one file for each login.

With a file for each login, a write does not read and cannot damage the other logins, and each login has its own lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager

from ..exceptions.base import ConfigurationError
from ..exceptions.store import StoreCorrupt, StoreError
from .base import LOCK_TIMEOUT, check_timeout
from .folder import Folder, folder_path, store_errors
from .locks import file_lock
from .record import Login, check_key, decode, encode

__all__ = ["FileStore", "file_name"]

MAX_SIZE = 1 << 20
"""The highest number of bytes in a file. A login has about five thousand."""

_TEMPORARY = ".tmp"
_TEMPORARY_NAME = re.compile(r"[0-9a-f]{32}\.tmp", re.ASCII)
_WRITE_LOCK = "write.lock"


def file_name(key: str) -> str:
    """Return the name of the files for *key*, without a suffix.

    It is SHA-256 of the key in hexadecimal: such a name is valid on every file system.

    Raises:
        ConfigurationError: *key* is empty or not a string.
    """
    return hashlib.sha256(check_key(key)).hexdigest()


class FileStore:
    """A store that keeps logins in files in a folder.

    The files are not encrypted. They are protected by their mode (0600): only the user can read them. The store refuses
    symbolic links, files and folders of other users, files that other users can open, and folders that other users can
    write to. If the program is killed or the disk is full, the file has either the old login or the new one.

    Args:
        path: the folder. It is made, with mode 0700, when the first login is saved.
        lock_timeout: seconds to wait for a lock.

    Raises:
        ConfigurationError: *path* is not a path, or *lock_timeout* is not a number of seconds.
    """

    def __init__(self, path: str | os.PathLike[str], *, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self.path = folder_path(path)
        self._lock_timeout = check_timeout(lock_timeout)

    def __repr__(self) -> str:
        return f"FileStore({str(self.path)!r})"

    def load(self, key: str) -> Login | None:
        """Return the login stored under *key*, or None.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreCorrupt: the file does not contain a login. It is not changed.
            StoreUnsafe: the file or the folder is a link, belongs to another user, or is open to other users.
            StoreError: the file cannot be read.
        """
        name = f"{file_name(key)}.json"
        try:
            with Folder.opened(self.path) as folder:
                data = _read(folder, name)
        except FileNotFoundError:
            return None
        path = self.path / name
        if len(data) > MAX_SIZE:
            raise StoreCorrupt(f"{path} does not contain a login (it is too big): delete it, and log in again")
        try:
            return decode(key, data)
        except ConfigurationError as error:
            raise StoreCorrupt(f"{path} does not contain a login ({error}): delete it, and log in again") from None

    def save(self, key: str, login: Login) -> None:
        """Store *login* under *key*, instead of what was there. When this returns, it is on the disk.

        Raises:
            ConfigurationError: *key* is empty or not a string, or *login* is not a :class:`Login`, or is too big.
            StoreUnsafe: the file or the folder is a link, belongs to another user, or is open to other users. Nothing
                was written.
            StoreLocked: another program was writing until the timeout.
            StoreError: the disk is full, or the folder cannot be written to. The old login is still there.
        """
        name, data = f"{file_name(key)}.json", encode(key, login)
        if len(data) > MAX_SIZE:
            raise ConfigurationError(f"login is too big: at most {MAX_SIZE} bytes can be stored")
        with self._writing(make=True) as folder:
            _check_existing(folder, name)
            temporary = f"{secrets.token_hex(16)}{_TEMPORARY}"
            try:
                _write(folder, temporary, data)
                folder.replace(temporary, name)
            except BaseException:
                with contextlib.suppress(StoreError):  # the caller must get the first error, not this one
                    folder.remove(temporary)
                raise

    def delete(self, key: str) -> None:
        """Delete the file of *key*, if there is one, even if it does not contain a login.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreUnsafe: the folder is a link, belongs to another user, or can be written to by other users.
            StoreLocked: another program was writing until the timeout.
            StoreError: the file cannot be removed.
        """
        name = f"{file_name(key)}.json"
        with contextlib.suppress(FileNotFoundError), self._writing(make=False) as folder:
            folder.remove(name)

    @contextmanager
    def lock(self, key: str) -> Generator[None, None, None]:
        """Hold the lock of *key* against all other threads and programs. It is an operating system lock on a file.

        Raises:
            ConfigurationError: *key* is empty or not a string.
            StoreLocked: another thread or program held the lock until the timeout.
            StoreUnsafe: the lock file or the folder is a link, belongs to another user, or is open to other users.
            StoreError: the lock file cannot be made or locked.
        """
        name = f"{file_name(key)}.lock"
        with Folder.opened(self.path, make=True) as folder, file_lock(folder, name, self._lock_timeout):
            yield

    @contextmanager
    def _writing(self, *, make: bool) -> Generator[Folder, None, None]:
        # Only one program at a time writes in the folder. So a temporary file that exists when a write begins was left
        # by a program that was killed, and can be removed.
        with Folder.opened(self.path, make=make) as folder, file_lock(folder, _WRITE_LOCK, self._lock_timeout):
            for name in folder.names():
                if _TEMPORARY_NAME.fullmatch(name):
                    folder.remove(name)
            yield folder


def _read(folder: Folder, name: str) -> bytes:
    descriptor = folder.open(name, os.O_RDONLY)
    with store_errors(folder.path / name), os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_SIZE + 1)


def _check_existing(folder: Folder, name: str) -> None:
    # Opening the file checks it: a login must not be replaced if its file is unsafe.
    with contextlib.suppress(FileNotFoundError):
        os.close(folder.open(name, os.O_RDONLY))


def _write(folder: Folder, name: str, data: bytes) -> None:
    descriptor = folder.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with store_errors(folder.path / name), os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
