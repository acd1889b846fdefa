"""The parts of a file lock in one process: the open file, the waiting lock and the thread queue. No test really waits."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from types import SimpleNamespace

import pytest

from srpcore.store import locks
from srpcore.store.folder import Folder
from srpcore.store.locks import (
    _acquire,  # pyright: ignore[reportPrivateUsage]
    _after_fork_in_child,  # pyright: ignore[reportPrivateUsage]
    _LockFile,  # pyright: ignore[reportPrivateUsage]
    _open_files,  # pyright: ignore[reportPrivateUsage]
    _QueuePlace,  # pyright: ignore[reportPrivateUsage]
    _thread_queues,  # pyright: ignore[reportPrivateUsage]
    _try_lock,  # pyright: ignore[reportPrivateUsage]
)

NAME, QUEUE = "a.lock", "a.queue"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="two files of one process, and removed files")


class Time:
    """The clock of the locks. A pause takes no real time; *during* is called in it, with the number of the pause."""

    def __init__(self) -> None:
        self.now = 50.0
        self.pauses: list[float] = []
        self.during: Callable[[int], object] = lambda number: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)
        self.during(len(self.pauses))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(locks, "monotonic_clock", lambda: made.now)
    monkeypatch.setattr(locks, "time", SimpleNamespace(sleep=made.sleep))
    return made


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Folder]:
    with Folder.opened(tmp_path / "locks", make=True) as folder:
        yield folder
    for file in [*_open_files]:
        file.close()


def test_a_file_is_closed_once(opened: Folder) -> None:
    file = held(opened)
    file.close()
    assert file.descriptor < 0
    file.close()  # it must not close another file that has this number now


def held(folder: Folder, name: str = NAME) -> _LockFile:
    """Return the locked file *name*, as another process would have it."""
    file = _LockFile(folder, name, os.O_RDWR | os.O_CREAT)
    assert file.lock_until(0)
    return file


def is_free(folder: Folder, name: str = NAME) -> bool:
    """Return whether the file *name* can be locked."""
    file = _LockFile(folder, name, os.O_RDWR)
    locked = file.lock_until(0)
    file.close()
    return locked


def test_a_file_that_is_locked_is_tried_again_until_the_deadline(opened: Folder, clock: Time) -> None:
    held(opened)
    waiting = _LockFile(opened, NAME, os.O_RDWR)
    assert not waiting.lock_until(clock.now + 1)
    assert 51 <= clock.now < 51.03
    assert all(0.01 <= pause < 0.03 for pause in clock.pauses)
    assert len(set(clock.pauses)) > 1
    clock.pauses.clear()
    assert not waiting.lock_until(clock.now)
    assert not clock.pauses


def test_a_file_that_becomes_free_is_locked_at_the_next_try(opened: Folder, clock: Time) -> None:
    first, second = held(opened), _LockFile(opened, NAME, os.O_RDWR)
    clock.during = lambda number: first.close() if number == 3 else None
    assert second.lock_until(clock.now + 10)
    assert len(clock.pauses) == 3
    assert not is_free(opened)


def test_a_file_that_is_removed_is_no_longer_waited_for(opened: Folder, clock: Time) -> None:
    held(opened)
    waiting = _LockFile(opened, NAME, os.O_RDWR)
    clock.during = lambda number: (opened.path / NAME).unlink()
    assert not waiting.lock_until(clock.now + 10)
    assert len(clock.pauses) == 1


def test_closing_releases_the_lock_although_another_process_has_a_copy_of_the_descriptor(opened: Folder) -> None:
    file = held(opened)
    copy = os.dup(file.descriptor)
    file.close()
    assert is_free(opened)
    os.close(copy)
    file.close()  # once more: nothing is left to close


def test_a_file_may_have_the_descriptor_0(opened: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    # It has, if the standard input is closed.
    file, closed = _LockFile(opened, NAME, os.O_RDWR | os.O_CREAT), list[int]()
    descriptor, file.descriptor = file.descriptor, 0
    monkeypatch.setattr(os, "close", closed.append)
    file.close()
    monkeypatch.undo()
    os.close(descriptor)
    assert closed == [0]


def test_a_lock_that_is_free_is_acquired_without_a_waiting_lock(opened: Folder, clock: Time) -> None:
    file = _acquire(opened, NAME, clock.now)
    assert file is not None
    assert not is_free(opened)
    assert opened.names() == [NAME]


def test_a_lock_that_is_held_at_the_deadline_is_not_waited_for(opened: Folder, clock: Time) -> None:
    held(opened)
    assert _acquire(opened, NAME, clock.now) is None
    assert opened.names() == [NAME]
    assert not clock.pauses


def test_the_process_that_waits_has_the_waiting_lock_until_it_has_the_lock(opened: Folder, clock: Time) -> None:
    first, found = held(opened), list[bool]()

    def during(number: int) -> None:
        found.append(is_free(opened, QUEUE))
        if number == 4:
            first.close()

    clock.during = during
    assert _acquire(opened, NAME, clock.now + 10) is not None
    assert found == [False] * 4
    assert is_free(opened, QUEUE)
    assert not is_free(opened)


def test_a_process_that_gives_up_releases_the_waiting_lock(opened: Folder, clock: Time) -> None:
    held(opened)
    assert _acquire(opened, NAME, clock.now + 1) is None
    assert 51 <= clock.now < 51.03
    assert is_free(opened, QUEUE)
    assert len(_open_files) == 1


def test_nobody_overtakes_the_process_that_has_the_waiting_lock(opened: Folder, clock: Time) -> None:
    waiting = held(opened, QUEUE)
    assert _acquire(opened, NAME, clock.now + 1) is None
    assert 51 <= clock.now < 51.03
    assert opened.names() == [QUEUE]  # the lock itself was not even tried
    clock.during = lambda number: waiting.close()
    assert _acquire(opened, NAME, clock.now + 1) is not None


def test_a_waiting_lock_that_was_removed_is_not_needed(opened: Folder, clock: Time) -> None:
    held(opened, QUEUE)
    clock.during = lambda number: (opened.path / QUEUE).unlink()
    assert _acquire(opened, NAME, clock.now + 1) is not None
    assert len(clock.pauses) == 1


def test_a_lock_on_a_file_that_was_replaced_does_not_count(opened: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_LockFile, "is_current", lambda self: False)
    assert _try_lock(opened, NAME, 0) is None
    assert not _open_files
    assert is_free(opened)


def test_a_forked_child_has_no_file_and_no_queue(opened: Folder, tmp_path: Path) -> None:
    file = held(opened)
    descriptor = file.descriptor
    place = _QueuePlace(tmp_path)
    assert place.wait(0)
    _after_fork_in_child()
    assert file.descriptor == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert not _open_files
    assert not _thread_queues.queues
    file.close()
    place.leave()


def test_a_thread_waits_although_less_than_a_second_is_left(tmp_path: Path, clock: Time) -> None:
    first, second = _QueuePlace(tmp_path), _QueuePlace(tmp_path)
    assert first.wait(0)
    Timer(0.02, first.leave).start()
    assert second.wait(clock.now + 0.9)
    second.leave()


def test_the_names_are_those_of_the_folder_that_was_opened(opened: Folder) -> None:
    file = held(opened)
    moved = opened.path.rename(opened.path.with_name("moved"))
    opened.path.mkdir()
    assert opened.names() == [path.name for path in moved.iterdir()] != []
    file.close()


def test_the_next_thread_in_the_queue_is_woken_up(tmp_path: Path) -> None:
    first, second, third = (_QueuePlace(tmp_path) for _ in range(3))
    assert first.wait(0)
    assert not second.wait(0)
    assert not third.wait(0)
    first.leave()
    assert (second._is_first.is_set(), third._is_first.is_set()) == (True, False)
    assert second.wait(0)
    third.leave()
    second.leave()
    second.leave()
    assert tmp_path not in _thread_queues.queues


def test_a_thread_that_was_never_in_the_queue_leaves_nothing(tmp_path: Path) -> None:
    _QueuePlace(tmp_path).leave()
    assert tmp_path not in _thread_queues.queues
