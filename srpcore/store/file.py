"""Logins kept in files: one a login, in a folder of the user's own.

One file a login, since then a write neither reads nor can lose another login, a damaged file takes one login with it,
and the lock of one login is no other's.
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
from .folder import Folder, folder_path, told
from .locks import file_lock
from .record import Login, check_key, decode, encode

__all__ = ["FileStore", "file_name"]

MAX_SIZE = 1 << 20
"""Bytes that a file may have: a login has some five thousand."""

_TEMPORARY = ".tmp"
_OURS = re.compile(r"[0-9a-f]{32}\.tmp", re.ASCII)
_WRITE_LOCK = "write.lock"


def file_name(key: str) -> str:
    """Return the name, without a suffix, of what belongs to *key*: SHA-256 in hexadecimal, which every system takes.

    Raises:
        ConfigurationError: *key* is no key.
    """
    return hashlib.sha256(check_key(key)).hexdigest()


class FileStore:
    """Keep logins in the folder *path*, which is made, with mode 0700, when the first is saved.

    They are not encrypted: what protects them is that only their user can read the files (mode 0600). Files and folders
    that are links or another user's, files that others can open and folders that others can write to are refused. A
    program that is killed, or a full disk, leaves the old login or the new one, whole.

    Raises:
        ConfigurationError: *path* is no path, or *lock_timeout* no time.
    """

    def __init__(self, path: str | os.PathLike[str], *, lock_timeout: float = LOCK_TIMEOUT) -> None:
        self.path = folder_path(path)
        self._lock_timeout = check_timeout(lock_timeout)

    def __repr__(self) -> str:
        return f"FileStore({str(self.path)!r})"

    def load(self, key: str) -> Login | None:
        """Return the login kept under *key*, or None.

        Raises:
            ConfigurationError: *key* is no key.
            StoreCorrupt: the file holds something else; it is left as it is.
            StoreUnsafe: the file or the folder is a link, another user's, or open to others.
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
            raise StoreCorrupt(f"{path} holds no login (it is too big): delete it, and log in again")
        try:
            return decode(key, data)
        except ConfigurationError as error:
            raise StoreCorrupt(f"{path} holds no login ({error}): delete it, and log in again") from None

    def save(self, key: str, login: Login) -> None:
        """Keep *login* under *key*, in place of what was there: on the disk when this returns.

        Raises:
            ConfigurationError: *key* is no key, or *login* is no :class:`Login`, or too big.
            StoreUnsafe: the file or the folder is a link, another user's, or open to others; nothing was written.
            StoreLocked: another program was writing until the timeout.
            StoreError: the disk is full or the folder cannot be written; what was kept is still there.
        """
        name, data = f"{file_name(key)}.json", encode(key, login)
        if len(data) > MAX_SIZE:
            raise ConfigurationError(f"login is too big: it has more than {MAX_SIZE} bytes")
        with self._writing(make=True) as folder:
            _check(folder, name)
            temporary = f"{secrets.token_hex(16)}{_TEMPORARY}"
            try:
                _write(folder, temporary, data)
                folder.replace(temporary, name)
            except BaseException:
                with contextlib.suppress(StoreError):  # the first error is the one to tell
                    folder.remove(temporary)
                raise

    def delete(self, key: str) -> None:
        """Forget what is kept under *key*, if anything is, whatever it is.

        Raises:
            ConfigurationError: *key* is no key.
            StoreUnsafe: the folder is a link, another user's, or writable for others.
            StoreLocked: another program was writing until the timeout.
            StoreError: the file cannot be removed.
        """
        name = f"{file_name(key)}.json"
        with contextlib.suppress(FileNotFoundError), self._writing(make=False) as folder:
            folder.remove(name)

    @contextmanager
    def lock(self, key: str) -> Generator[None, None, None]:
        """Keep all other threads and programs out of the lock of *key*, by the kernel's lock on a file of the folder.

        Raises:
            ConfigurationError: *key* is no key.
            StoreLocked: somebody else held it until the timeout.
            StoreUnsafe: the lock file or the folder is a link, another user's, or open to others.
            StoreError: the lock file cannot be made or locked.
        """
        name = f"{file_name(key)}.lock"
        with Folder.opened(self.path, make=True) as folder, file_lock(folder, name, self._lock_timeout):
            yield

    @contextmanager
    def _writing(self, *, make: bool) -> Generator[Folder, None, None]:
        # One writer at a time in a folder: so what is temporary when a write begins is what a killed program left.
        with Folder.opened(self.path, make=make) as folder, file_lock(folder, _WRITE_LOCK, self._lock_timeout):
            for name in folder.names():
                if _OURS.fullmatch(name):
                    folder.remove(name)
            yield folder


def _read(folder: Folder, name: str) -> bytes:
    descriptor = folder.open(name, os.O_RDONLY)
    with told(folder.path / name), os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_SIZE + 1)


def _check(folder: Folder, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.close(folder.open(name, os.O_RDONLY))


def _write(folder: Folder, name: str, data: bytes) -> None:
    descriptor = folder.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with told(folder.path / name), os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
