"""A lock between threads and processes: an operating system lock on a file.

The operating system releases such a lock when the process that holds it ends, even if it was killed.
"""

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
"""Seconds between two attempts. No system call waits for a lock with a time limit, so the lock is polled."""


@contextmanager
def file_lock(folder: Folder, name: str, timeout: float) -> Generator[None, None, None]:
    """Hold a lock on the file *name* of *folder*. Wait for it at most *timeout* seconds.

    The file is made if it is missing, and it is never removed: otherwise one program could hold a lock on the old file
    while another one holds a lock on a new file of the same name. The file must be on a disk of this machine, because
    network file systems do not all lock files between machines.

    Raises:
        StoreLocked: another thread or program held the lock until the timeout.
        StoreUnsafe: the file is a link, belongs to another user, or is open to other users.
        StoreError: the file cannot be opened, or cannot be locked.
    """
    descriptor = _acquire(folder, name, monotonic_clock() + timeout)
    if descriptor is None:
        path = folder.path / name
        raise StoreLocked(
            f"could not lock {path} within {timeout:g} seconds: another program is using it; try again, or end it"
        )
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
            locked = _lock_until(folder, name, descriptor, deadline) and _is_current(folder, name, descriptor)
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


def _is_current(folder: Folder, name: str, descriptor: int) -> bool:
    # A user may have removed the file while this program waited. Then other programs lock a new file of the same name.
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
    # flock and not lockf: a lock by flock belongs to the open file and not to the process. So it also works between
    # threads of one process, and it is not lost when another descriptor of the same file is closed.
    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    # Unlock explicitly. A child that was forked meanwhile has the open file as well, so closing only our descriptor
    # would not release the lock.
    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
