"""A lock between threads and processes: the kernel's, on a file, so it ends with its holder however that ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

from ..clock import monotonic_clock
from ..exceptions.store import StoreError, StoreLocked
from .folder import Folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["file_lock"]

_PAUSE = 0.02
"""Seconds between two tries: no system call waits for a lock with a time limit."""


@contextmanager
def file_lock(folder: Folder, name: str, timeout: float) -> Generator[None, None, None]:
    """Hold the lock that is the file *name* of *folder*, waiting at most *timeout* seconds for it.

    The file is made if it is missing and stays: were it removed, one program could hold the lock of the old file while
    another holds that of a new one. It must be on a disk of this machine: what a network file system locks, and for
    whom, differs.

    Raises:
        StoreLocked: somebody else held it until the timeout.
        StoreUnsafe: the file is a link, another user's, or open to others.
        StoreError: the file cannot be opened, or cannot be locked.
    """
    descriptor = _acquire(folder, name, monotonic_clock() + timeout)
    if descriptor is None:
        path = folder.path / name
        raise StoreLocked(f"another program held {path} for {timeout:g} seconds: try again, or end that program")
    try:
        yield
    finally:
        try:
            _unlock(descriptor)
        finally:
            os.close(descriptor)


def _acquire(folder: Folder, name: str, deadline: float) -> int | None:
    while True:
        descriptor = folder.open(name, os.O_RDWR | os.O_CREAT)
        locked = False
        try:
            locked = _lock_until(folder, name, descriptor, deadline) and _is_still(folder, name, descriptor)
        finally:
            if not locked:
                os.close(descriptor)
        if locked:
            return descriptor
        if monotonic_clock() >= deadline:
            return None


def _lock_until(folder: Folder, name: str, descriptor: int, deadline: float) -> bool:
    while True:
        try:
            _lock(descriptor)
            return True
        except (BlockingIOError, PermissionError):
            if monotonic_clock() >= deadline:
                return False
            time.sleep(_PAUSE)
        except OSError as error:
            raise StoreError(f"cannot lock {folder.path / name}: {error.strerror}") from None


def _is_still(folder: Folder, name: str, descriptor: int) -> bool:
    # Somebody may have removed the file while we waited for it: then others lock another one.
    found = os.fstat(descriptor)
    return folder.identity(name) == (found.st_dev, found.st_ino)


if sys.platform == "win32":

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    # flock, not lockf: it belongs to the open file, so it keeps out the threads of one process too, and the closing of
    # some other descriptor of the file does not end it.
    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    # In so many words: a child forked meanwhile has the open file too, and closing ours would leave it locked.
    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
