"""A lock between threads and processes: an operating system lock on a file.

The operating system releases such a lock when the process that holds it ends, even if it was killed.

Theory of operation
===================

A caller waits for three things, in this order::

    1. the thread queue    the threads of one process wait in a queue, first come, first served
    2. the waiting lock    an operating system lock on <name>.queue: its holder is the next one to get the lock. The
                           file is made when a process has to wait for the first time. While it is missing, no process
                           waits, and this step is skipped
    3. the lock            an operating system lock on <name>.lock. The waiting lock is released when this one is held

Without the first two, a caller could wait forever. No system call waits for a lock with a time limit, so the lock is
polled. Busy threads that release the lock and acquire it again at once would always be faster than the poll of another
thread or process. With the first two, a busy thread finds another thread before it in the thread queue, or finds the
waiting lock held, and must wait behind the other one.

fork() copies the descriptor of the lock, and a lock by flock() belongs to all copies. So a forked child closes its
copies at once. Otherwise it would release the lock of its parent when it left the block, and it would keep the lock
after its parent was killed. No process forks while one of its threads opens a file here, because the child would not
know the descriptor.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, local
from weakref import ref

from .._fork import ForkSafeLock
from ..clock import monotonic_clock
from ..exceptions.store import StoreError, StoreLocked
from .folder import Folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["file_lock"]

_PAUSE = 0.02
"""Seconds between two attempts, on average."""


@contextmanager
def file_lock(folder: Folder, name: str, timeout: float) -> Generator[None, None, None]:
    """Hold a lock on the file *name* of *folder*. Wait for it at most *timeout* seconds.

    The files are made if they are missing, and they are never removed: otherwise one program could hold a lock on the
    old file while another one holds a lock on a new file of the same name. They must be on a disk of this machine,
    because network file systems do not all lock files between machines.

    A child that is forked within the block does not hold the lock. Its parent still does.

    Raises:
        StoreLocked: another thread or program held the lock until the timeout.
        StoreUnsafe: a file is a link, belongs to another user, or is open to other users.
        StoreError: a file cannot be opened, or cannot be locked.
    """
    deadline = monotonic_clock() + timeout
    place = _QueuePlace(folder.path / name)
    file: _LockFile | None = None
    try:
        file = _acquire(folder, name, deadline) if place.wait(deadline) else None
        if file is None:
            path = folder.path / name
            raise StoreLocked(
                f"could not lock {path} within {timeout:g} seconds: another thread or program holds the lock; "
                "try again, or stop that program"
            )
        yield
    finally:
        if file is not None:
            file.close()
        place.leave()


class _QueuePlace:
    """The place of one thread in the thread queue of *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_first = Event()

    def wait(self, deadline: float) -> bool:
        """Go to the end of the thread queue, and return whether this thread came to its front before *deadline*."""
        with _thread_queues.lock.lock:
            queue = _thread_queues.queues.setdefault(self._path, deque())
            queue.append(ref(self))
        while True:
            with _thread_queues.lock.lock:
                # Skip threads that were interrupted (Ctrl-C) before they could leave the queue.
                while (first := queue[0]()) is None:
                    queue.popleft()
            if first is self:
                return True
            left = deadline - monotonic_clock()
            if left <= 0:
                return False
            self._is_first.wait(min(left, 1))

    def leave(self) -> None:
        """Leave the thread queue, and wake up the thread that is the first one now."""
        with _thread_queues.lock.lock:
            queue = _thread_queues.queues.get(self._path, deque())
            if ref(self) not in queue:
                return  # this is a forked child, or the thread was interrupted before it was in the queue
            queue.remove(ref(self))
            if not queue:
                del _thread_queues.queues[self._path]
            elif (first := queue[0]()) is not None:
                first._is_first.set()


class _ThreadQueues:
    def __init__(self) -> None:
        self.lock = ForkSafeLock()
        self.queues: dict[Path, deque[ref[_QueuePlace]]] = {}


_thread_queues = _ThreadQueues()


def _acquire(folder: Folder, name: str, deadline: float) -> _LockFile | None:
    """Acquire the waiting lock and then the lock. Return the locked file, or None if *deadline* passed before that."""
    waiting = _open_waiting_lock(folder, name, os.O_RDWR)
    try:
        if waiting is None:
            file = _try_lock(folder, name, 0)  # deadline 0: one attempt, no waiting
            if file is not None or monotonic_clock() >= deadline:
                return file
            waiting = _open_waiting_lock(folder, name, os.O_RDWR | os.O_CREAT)
        # lock_until() also returns False if the file was removed. Then go on without the waiting lock.
        if waiting is not None and not waiting.lock_until(deadline) and monotonic_clock() >= deadline:
            return None
        while True:
            file = _try_lock(folder, name, deadline)
            if file is not None or monotonic_clock() >= deadline:
                return file
    finally:
        if waiting is not None:
            waiting.close()


def _open_waiting_lock(folder: Folder, name: str, flags: int) -> _LockFile | None:
    try:
        return _LockFile(folder, f"{name.removesuffix('.lock')}.queue", flags)
    except FileNotFoundError:
        return None  # no process has had to wait so far


def _try_lock(folder: Folder, name: str, deadline: float) -> _LockFile | None:
    """Return the locked file, or None if it could not be locked until *deadline*, or was removed meanwhile."""
    file = _LockFile(folder, name, os.O_RDWR | os.O_CREAT)
    locked = False
    try:
        locked = file.lock_until(deadline) and file.is_current()
    finally:
        if not locked:
            file.close()
    return file if locked else None


class _LockFile:
    """An open file that can be locked. A forked child closes its copy."""

    def __init__(self, folder: Folder, name: str, flags: int) -> None:
        self._folder, self._name = folder, name
        self._locked = False
        with _forking.lock:
            self.descriptor = folder.open(name, flags)  # -1 after it was closed
            _open_files.add(self)

    def lock_until(self, deadline: float) -> bool:
        """Lock the file, and return whether that succeeded before *deadline*, and before the file was removed.

        Raises:
            StoreError: the operating system or the file system cannot lock the file.
        """
        while True:
            try:
                _lock(self.descriptor)
                self._locked = True
                return True
            except (BlockingIOError, PermissionError):
                if monotonic_clock() >= deadline or not self.is_current():
                    return False
                # Vary the pause. If two processes always tried at the same times, one of them could always be first.
                time.sleep(_PAUSE * (0.5 + monotonic_clock() * 1e6 % 1))
            except OSError as error:
                raise StoreError(f"cannot lock {self._folder.path / self._name}: {error.strerror}") from None

    def is_current(self) -> bool:
        """Return whether the file still has its name."""
        # A user may have removed the file while this program waited. Then other programs lock a new file of this name.
        found = os.fstat(self.descriptor)
        return self._folder.identity(self._name) == (found.st_dev, found.st_ino)

    def close(self) -> None:
        """Release the lock, and close the file. In a forked child it is closed already, and its parent has the lock."""
        with _forking.lock:
            descriptor, self.descriptor = self.descriptor, -1
            _open_files.discard(self)
            if descriptor < 0:
                return
            try:
                if self._locked:
                    _unlock(descriptor)
            finally:
                os.close(descriptor)


_forking = ForkSafeLock()
"""Held while a file is opened or closed, and while the process forks."""
_open_files: set[_LockFile] = set()
_forks = local()


def _before_fork() -> None:
    # With a time limit, because a signal handler of this thread may fork while the thread opens a file.
    _forks.waited = _forking.lock.acquire(timeout=5)


def _after_fork_in_parent() -> None:
    if _forks.waited:
        _forking.lock.release()


def _after_fork_in_child() -> None:
    _thread_queues.queues.clear()  # the threads that wait are not here
    for file in _open_files:
        os.close(file.descriptor)
        file.descriptor = -1
    _open_files.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


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

    # Unlock explicitly. A subprocess that is being started has the open file too, until it runs its program, so closing
    # only our descriptor would not release the lock.
    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
