"""Programs that share a folder: locks, writes, and what remains after a kill."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import pytest

from srpcore.exceptions import StoreLocked
from srpcore.store import FileStore, Login, Tokens

from .making import KEY, LOGIN, OTHER, run, start

# These tests start one process or more each, so together they are too slow for the unit tier.
pytestmark = pytest.mark.slow

ADD = """
from srpcore.store import *
store, key = FileStore(sys.argv[1]), sys.argv[2]
for _ in range(int(sys.argv[3])):
    with store.lock(key):
        store.save(key, Login(username=str(int(store.load(key).username) + 1)))
"""

HOLD = """
from srpcore.store import *
with FileStore(sys.argv[1]).lock(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""

WRITE = """
from srpcore.store import *
store, name = FileStore(sys.argv[1]), sys.argv[2]
for number in range(20):
    store.save(f"{name} {number}", Login(username=name))
    store.save("shared", Login(username=name, tokens=Tokens(refresh_token=name * 5000)))
"""

# A child for every line that a save runs through, killed as it comes to it.
KILL = """
import json, os, signal
from srpcore.exceptions import StoreError
from srpcore.store import *
from srpcore.store import file
store, key = FileStore(sys.argv[1], lock_timeout=5), sys.argv[2]
old, new = Login(username="old"), Login(username="new", tokens=Tokens(refresh_token="r" * 100000))
room = os.path.dirname(file.__file__)

def save_and_die(at):
    left = at
    def trace(frame, event, argument):
        nonlocal left
        if not frame.f_code.co_filename.startswith(room):
            return None
        left -= event == "line"
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)
    store.save(key, new)
    os._exit(0)

seen, at = [], 0
while True:
    store.save(key, old)
    child = os.fork()
    if not child:
        save_and_die(at)
    _, status = os.waitpid(child, 0)
    found = store.load(key)
    orphans = sum(path.suffix == ".tmp" for path in store.path.iterdir())
    store.save("another", old)  # takes the locks that the dead child held, and takes its orphan away
    left = sum(path.suffix == ".tmp" for path in store.path.iterdir())
    seen.append(["old" if found == old else "new" if found == new else "broken", orphans, left])
    at += 1
    if not os.WIFSIGNALED(status):
        break
print(json.dumps([os.waitstatus_to_exitcode(status), seen]))
"""


def test_programs_that_hold_the_lock_lose_no_change(folder: Path) -> None:
    store = FileStore(folder)
    store.save(KEY, Login(username="0"))
    processes = [start(ADD, folder, KEY, 25) for _ in range(4)]
    for process in processes:
        with process:
            process.communicate(timeout=60)
        assert process.returncode == 0
    assert store.load(KEY) == Login(username="100")


def test_another_program_waits_until_the_holder_is_killed(folder: Path) -> None:
    with start(HOLD, folder, KEY) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLocked, match=str(folder)), FileStore(folder, lock_timeout=0.1).lock(KEY):
            raise AssertionError
        with FileStore(folder, lock_timeout=0).lock("another"):
            pass
        holder.kill()
    with FileStore(folder, lock_timeout=30).lock(KEY):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows removes no file that is open")
def test_a_removed_lock_file_neither_blocks_nor_shares_the_lock(folder: Path) -> None:
    store = FileStore(folder, lock_timeout=30)
    with start(HOLD, folder, KEY) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with start(HOLD, folder, KEY) as second:  # waits for the file that is removed now
            assert second.stdout is not None
            wait_until_open(second.pid, folder)
            (lock,) = folder.glob("*.lock")
            lock.unlink()
            assert second.stdout.readline() == "held\n"  # it has a new file
            with pytest.raises(StoreLocked), FileStore(folder, lock_timeout=0.2).lock(KEY):
                raise AssertionError
            first.communicate("")
            with pytest.raises(StoreLocked), FileStore(folder, lock_timeout=0).lock(KEY):
                raise AssertionError
            second.communicate("")
        with store.lock(KEY):
            pass


def wait_until_open(process: int, folder: Path) -> None:
    opened = Path(f"/proc/{process}/fd")
    if not opened.exists():
        pytest.skip("this system does not show what a process has open")
    while True:
        with contextlib.suppress(FileNotFoundError):  # what is closed meanwhile
            if any(name.readlink().suffix == ".lock" for name in opened.iterdir()):
                return


def test_concurrent_writers_lose_no_login(folder: Path) -> None:
    names = ["a", "b", "c"]
    processes = [start(WRITE, folder, name) for name in names]
    store, seen = FileStore(folder), []
    while any(process.poll() is None for process in processes):
        seen.append(store.load("shared"))
    for process in processes:
        with process:
            assert process.wait() == 0
    whole = [Login(username=name, tokens=Tokens(refresh_token=name * 5000)) for name in names]
    assert all(login is None or login in whole for login in [*seen, store.load("shared")])
    for name in names:
        assert all(store.load(f"{name} {number}") == Login(username=name) for number in range(20))
    assert not list(folder.glob("*.tmp"))


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_kill_at_any_line_leaves_the_old_login_or_the_new_one(folder: Path) -> None:
    code, seen = json.loads(run(KILL, folder, KEY))
    assert code == 0
    found = [name for name, _, _ in seen]
    assert found == sorted(found, reverse=True)  # the old one, then the new one: it changes at one stroke
    assert found.count("old") > 20
    assert found.count("new") > 2
    assert any(orphans for _, orphans, _ in seen)
    assert not any(left for _, _, left in seen)


def test_a_login_saved_by_one_program_is_loaded_by_another(folder: Path) -> None:
    FileStore(folder).save(KEY, LOGIN)
    program = (
        "from srpcore.store import *; store = FileStore(sys.argv[1]); login = store.load(sys.argv[2]);"
        "store.save('copy', login); print(login)"
    )
    output = run(program, folder, KEY)
    assert FileStore(folder).load("copy") == LOGIN
    assert output.strip() == repr(LOGIN)
    FileStore(folder).save(KEY, OTHER)


FORK = """
import os, signal
from srpcore.store import *
store, key = FileStore(sys.argv[1], lock_timeout=0), sys.argv[2]
with store.lock(key):
    child = os.fork()
    if not child:
        signal.pause()
try:
    with store.lock(key):
        print("free")
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_forked_child_does_not_keep_the_lock(folder: Path) -> None:
    assert run(FORK, folder, KEY) == "free\n"
