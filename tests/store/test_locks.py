"""The lock of a store between threads, processes and forked children."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from srpcore.exceptions import StoreLocked, StoreUnsafe
from srpcore.store import FileStore, locks
from srpcore.store.locks import _QueuePlace, _thread_queues  # pyright: ignore[reportPrivateUsage]
from support.forks import held_by_another_thread, in_a_child

from .making import KEY, start

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")

FORK_AND_WAIT = """
import os, time
from srpcore.store import *
with FileStore(sys.argv[1]).lock(sys.argv[2]):
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(600)
"""

BUSY = """
import time
from pathlib import Path
from threading import Thread
from srpcore.store import *
store, key, count = FileStore(sys.argv[1], lock_timeout=60), sys.argv[2], Path(sys.argv[3])
def work():
    while True:
        with store.lock(key):
            count.write_text(str(int(count.read_text()) + 1))
            time.sleep(0.005)
for _ in range(3):
    Thread(target=work, daemon=True).start()
time.sleep(0.1)
print("busy", flush=True)
sys.stdin.read()
"""


def is_locked(folder: Path) -> bool:
    """Return whether a lock of KEY cannot be had at once."""
    try:
        with FileStore(folder, lock_timeout=0).lock(KEY):
            return False
    except StoreLocked:
        return True


@forks
def test_a_child_that_leaves_the_block_does_not_unlock_its_parent(folder: Path) -> None:
    store = FileStore(folder)
    with store.lock(KEY):
        child = os.fork()
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert is_locked(folder)
    if not child:
        os._exit(0)
    assert not is_locked(folder)


@forks
def test_a_child_has_to_wait_for_the_lock_of_its_parent(folder: Path) -> None:
    def refused() -> None:
        assert is_locked(folder)

    with FileStore(folder).lock(KEY):
        assert in_a_child(refused) == 0
    with held_by_another_thread(FileStore(folder).lock(KEY)):
        assert in_a_child(refused) == 0
        assert is_locked(folder)


@forks
def test_a_child_can_lock_what_its_parent_released(folder: Path) -> None:
    reading, writing = os.pipe()

    def lock_later() -> None:
        os.read(reading, 1)
        with FileStore(folder, lock_timeout=30).lock(KEY):
            assert is_locked(folder)

    with FileStore(folder).lock(KEY):
        child = os.fork()
        if not child:
            os._exit(in_a_child(lock_later))
    os.write(writing, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(reading)
    os.close(writing)


@forks
@pytest.mark.slow
def test_a_child_does_not_keep_the_lock_of_a_killed_parent(folder: Path) -> None:
    with start(FORK_AND_WAIT, folder, KEY) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        try:
            assert is_locked(folder)
            holder.kill()
            holder.wait()
            os.kill(child, 0)  # it is still there
            with FileStore(folder, lock_timeout=20).lock(KEY):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


@forks
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the open descriptors cannot be listed on this system")
def test_a_child_has_no_descriptor_of_a_lock(folder: Path) -> None:
    """Threads open and close lock files all the time, while this one forks."""

    def none_open() -> None:
        opened = [name.resolve().suffix for name in Path("/proc/self/fd").iterdir() if name.is_symlink()]
        assert not {".lock", ".queue"} & set(opened), opened

    with busy_threads(folder):
        for _ in range(20):
            assert in_a_child(none_open) == 0


@forks
def test_a_fork_waits_for_a_thread_that_is_opening_a_file() -> None:
    opening, opened = threading.Event(), threading.Event()

    def open_slowly() -> None:
        with locks._forking.lock:  # pyright: ignore[reportPrivateUsage]
            opening.set()
            time.sleep(0.1)
            opened.set()

    def check() -> None:
        assert opened.is_set()

    thread = threading.Thread(target=open_slowly)
    thread.start()
    assert opening.wait(60)
    assert in_a_child(check) == 0
    thread.join(60)
    assert not locks._forking.lock.locked()  # pyright: ignore[reportPrivateUsage]


@forks
def test_a_fork_that_gives_up_waiting_does_not_release_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    class Held:
        def acquire(self, timeout: float) -> bool:
            return False

        def release(self) -> None:
            raise AssertionError

    class Forking:
        lock = Held()

    monkeypatch.setattr(locks, "_forking", Forking())
    assert in_a_child() == 0


def test_a_lock_on_a_file_that_was_removed_meanwhile_does_not_count(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, removed = locks._lock, list[Path]()  # pyright: ignore[reportPrivateUsage]

    def remove_and_lock(descriptor: int) -> None:
        if not removed:
            removed.extend(folder.glob("*.lock"))
            removed[0].unlink()
        lock(descriptor)

    monkeypatch.setattr(locks, "_lock", remove_and_lock)
    with FileStore(folder, lock_timeout=30).lock(KEY):
        assert [*folder.glob("*.lock")] == removed  # it was made again, and locked


@contextmanager
def busy_threads(folder: Path) -> Generator[None]:
    """Have three threads take the lock of KEY again as soon as they have released it."""
    store, stop = FileStore(folder, lock_timeout=60), threading.Event()

    def work() -> None:
        while not stop.is_set():
            with store.lock(KEY):
                time.sleep(0.005)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()


def test_busy_threads_let_another_thread_have_its_turn(folder: Path) -> None:
    store = FileStore(folder, lock_timeout=10)
    with busy_threads(folder):
        for _ in range(10):
            with store.lock(KEY):
                assert is_locked(folder)


@pytest.mark.slow
def test_busy_threads_let_another_process_have_its_turn(folder: Path, tmp_path: Path) -> None:
    store, count = FileStore(folder, lock_timeout=60), tmp_path / "count"
    count.write_text("0")
    with start(BUSY, folder, KEY, count) as busy:
        assert busy.stdout is not None
        assert busy.stdout.readline() == "busy\n"
        turns: list[int] = []
        for _ in range(10):
            # What the busy threads do during the pause does not count: a busy machine may prolong it.
            time.sleep(0.05)
            before = number_in(count)
            with store.lock(KEY):
                assert busy.poll() is None
                turns.append(number_in(count) - before)
        # If nobody waited in a queue, the busy threads would have the lock some hundred times before this process does.
        assert sum(turns) < 50, turns
        busy.communicate("")


def number_in(file: Path) -> int:
    """Return the number in *file*, which is empty for a moment whenever another process writes it."""
    while not (text := file.read_text()):
        pass
    return int(text)


def test_threads_have_the_lock_in_the_order_in_which_they_came(folder: Path) -> None:
    store, order = FileStore(folder, lock_timeout=60), list[int]()

    def work(number: int) -> None:
        with store.lock(KEY):
            order.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    with store.lock(KEY):
        for number, thread in enumerate(threads):
            thread.start()
            while sum(len(queue) for queue in _thread_queues.queues.values()) < number + 2:
                time.sleep(0.001)
    for thread in threads:
        thread.join(60)
    assert order == [*range(6)]
    assert _thread_queues.queues == {}


def test_a_thread_that_gives_up_leaves_the_queue(folder: Path) -> None:
    store = FileStore(folder, lock_timeout=60)
    with held_by_another_thread(store.lock(KEY)):
        for timeout in (0, 0.05):
            with pytest.raises(StoreLocked), FileStore(folder, lock_timeout=timeout).lock(KEY):
                raise AssertionError
        assert [len(queue) for queue in _thread_queues.queues.values()] == [1]
    assert _thread_queues.queues == {}


def test_a_thread_that_was_interrupted_does_not_block_the_queue(folder: Path) -> None:
    path = folder / "x.lock"
    lost: _QueuePlace | None = _QueuePlace(path)
    assert lost is not None
    assert lost.wait(0)
    lost = None
    gc.collect()
    following = _QueuePlace(path)
    assert following.wait(0)
    following.leave()
    assert path not in _thread_queues.queues


def test_the_file_of_the_queue_is_made_when_somebody_waits(folder: Path) -> None:
    store = FileStore(folder)
    with store.lock(KEY):
        assert [path.suffix for path in folder.iterdir()] == [".lock"]
        assert is_locked(folder)
        assert [path.suffix for path in folder.iterdir()] == [".lock"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files")
def test_the_file_of_the_queue_must_be_the_users_own(folder: Path) -> None:
    store = FileStore(folder)
    with store.lock(KEY):
        (lock,) = folder.iterdir()
    queue = lock.with_suffix(".queue")
    queue.touch(0o600)
    with store.lock(KEY):
        pass
    queue.chmod(0o666)
    with pytest.raises(StoreUnsafe, match=r"\.queue: run chmod"), store.lock(KEY):
        raise AssertionError
