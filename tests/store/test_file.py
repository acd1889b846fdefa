"""The file store on a real disk: modes of files, what is refused, and full or read-only disks."""

from __future__ import annotations

import errno
import json
import os
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from srpcore._values import replace
from srpcore.exceptions import ConfigurationError, StoreCorrupt, StoreError, StoreLocked, StoreUnsafe
from srpcore.store import FileStore, Login, Tokens
from srpcore.store import file as files
from srpcore.store import folder as folders

from .making import KEY, LOGIN, OTHER, SECRETS, run, texts_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes, owners and links")

SOMEBODY_ELSE = 54321


@pytest.fixture
def store(folder: Path) -> FileStore:
    return FileStore(folder, lock_timeout=10)


@pytest.fixture
def kept(store: FileStore) -> Path:
    """The file of a login that is kept under KEY."""
    store.save(KEY, LOGIN)
    (path,) = store.path.glob("*.json")
    return path


def give_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make *path* another user's: really where we may, else by being somebody else ourselves."""
    if os.geteuid() == 0:
        os.chown(path, SOMEBODY_ELSE, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY_ELSE)


def uses(store: FileStore) -> list[Callable[[], object]]:
    return [
        lambda: store.load(KEY),
        lambda: store.save(KEY, OTHER),
        lambda: store.delete(KEY),
        lambda: store.lock(KEY).__enter__(),
    ]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_files_and_folders_are_private(tmp_path: Path, umask: int) -> None:
    program = (
        "import os, sys; from srpcore.store import *; os.umask(int(sys.argv[2]));"
        "store = FileStore(sys.argv[1]); store.save('key', Login(username='me')); lock = store.lock('key');"
        "lock.__enter__(); print(store.load('key'))"
    )
    path = tmp_path / "parent" / "logins"
    if umask == 0o777:  # then nobody, not even the owner, could enter the folder
        path.mkdir(mode=0o700, parents=True)
        for name in ("write.lock", f"{files.file_name('key')}.lock"):
            (path / name).touch(mode=0o600)
    run(program, path, umask)
    made = [path, *path.iterdir()]
    assert [mode_of(one) for one in made] == [0o700, 0o600, 0o600, 0o600]
    if umask != 0o777:
        assert mode_of(path.parent) == 0o700


def test_a_folder_of_the_user_that_others_may_list_is_accepted(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    store = FileStore(folder)
    store.save(KEY, LOGIN)
    assert store.load(KEY) == LOGIN
    assert mode_of(folder) == 0o755


def test_reading_and_deleting_create_no_file(store: FileStore) -> None:
    assert store.load(KEY) is None
    store.delete(KEY)
    assert not store.path.exists()


def test_the_file_is_json_with_the_key(kept: Path) -> None:
    assert json.loads(kept.read_text(encoding="ascii")) == {"key": KEY, **LOGIN.to_dict()}


def test_a_name_does_not_leave_the_folder(store: FileStore, tmp_path: Path) -> None:
    for key in ("../outside", "/absolute", "..", "a/b", "\0"):
        store.save(key, LOGIN)
    assert {path.name for path in tmp_path.iterdir()} == {"logins"}
    assert all(path.is_file() for path in store.path.iterdir())


def test_deleting_removes_every_secret(store: FileStore, kept: Path) -> None:
    (store.path / "0123456789abcdef0123456789abcdef.tmp").write_text("the-access-token", encoding="ascii")
    store.delete(KEY)
    assert b"".join(path.read_bytes() for path in store.path.iterdir()) == b""


def test_saving_removes_only_the_leftovers_of_a_killed_program(store: FileStore, kept: Path) -> None:
    (store.path / "0123456789abcdef0123456789abcdef.tmp").touch()
    (store.path / "the user's own.txt").touch()
    store.save("another", OTHER)
    assert sorted(path.suffix for path in store.path.iterdir()) == [".json", ".json", ".lock", ".txt"]
    assert store.load(KEY) == LOGIN


# What is refused.


def as_link(path: Path) -> None:
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


def as_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_suffix(".elsewhere"))


def as_hard_link(path: Path) -> None:
    path.with_suffix(".elsewhere").hardlink_to(path)


def as_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def chmod(mode: int) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.chmod(mode)

    change.__name__ = f"mode_{mode:o}"
    return change


UNSAFE: list[Callable[[Path], None]] = [
    as_link,
    as_dangling_link,
    as_hard_link,
    as_pipe,
    as_folder,
    *(chmod(0o600 | bit) for bit in (0o040, 0o020, 0o010, 0o004, 0o002, 0o001)),
]


@pytest.mark.parametrize("spoil", UNSAFE, ids=lambda function: function.__name__)
def test_an_unsafe_file_is_neither_read_nor_replaced(
    store: FileStore, kept: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(kept)
    before = kept.lstat()
    for use in uses(store)[:2]:
        with pytest.raises(StoreError, match=str(kept)) as caught:
            use()
        assert isinstance(caught.value, StoreUnsafe) or spoil is as_folder
        assert "delete it" in str(caught.value) or spoil is as_folder
        assert not any(secret in texts_of(caught.value) for secret in SECRETS)
    assert kept.lstat() == before
    assert not list(store.path.glob("*.tmp"))
    elsewhere = kept.with_suffix(".elsewhere")
    if elsewhere.exists():
        assert json.loads(elsewhere.read_bytes())["username"] == "somebody"


@pytest.mark.parametrize("spoil", [one for one in UNSAFE if one is not as_folder], ids=lambda one: one.__name__)
def test_deleting_an_unsafe_file_makes_the_store_usable_again(
    store: FileStore, kept: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(kept)
    store.delete(KEY)
    assert not os.path.lexists(kept)
    elsewhere = kept.with_suffix(".elsewhere")
    if elsewhere.exists():
        assert json.loads(elsewhere.read_bytes())["username"] == "somebody"
    store.save(KEY, OTHER)
    assert store.load(KEY) == OTHER


def test_a_file_of_another_user_is_refused(store: FileStore, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(kept, monkeypatch)
    for use in uses(store)[:2]:
        with pytest.raises(StoreUnsafe, match="belongs to another user"):
            use()


@pytest.mark.parametrize("spoil", UNSAFE, ids=lambda function: function.__name__)
def test_an_unsafe_lock_is_refused(store: FileStore, kept: Path, spoil: Callable[[Path], None]) -> None:
    with store.lock(KEY):
        pass
    _, save, _, lock = uses(store)
    for path, use in ((kept.with_suffix(".lock"), lock), (store.path / "write.lock", save)):
        spoil(path)
        with pytest.raises(StoreError, match=str(path)) as caught:
            use()
        assert isinstance(caught.value, StoreUnsafe) or spoil is as_folder
        assert spoil is not as_dangling_link or not path.with_suffix(".elsewhere").exists()
    assert store.load(KEY) == LOGIN


def test_a_folder_of_another_user_is_refused(store: FileStore, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_away(store.path, monkeypatch)
    for use in uses(store):
        with pytest.raises(StoreUnsafe, match="belongs to another user: choose one of your own"):
            use()
    assert kept.exists()


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused(store: FileStore, kept: Path, mode: int) -> None:
    store.path.chmod(mode)
    for use in uses(store):
        with pytest.raises(StoreUnsafe, match="other users can write"):
            use()
    store.path.chmod(0o700)
    assert store.load(KEY) == LOGIN


def test_a_link_to_a_folder_is_refused(store: FileStore, kept: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(store.path)
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "nothing")
    for path in (link, dangling, f"{link}/"):
        for use in uses(FileStore(path)):
            with pytest.raises(StoreUnsafe, match="symbolic link"):
                use()
    assert store.load(KEY) == LOGIN
    assert not (tmp_path / "nothing").exists()


def test_a_file_instead_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("the user's own", encoding="ascii")
    for use in uses(FileStore(tmp_path / "file")):
        with pytest.raises(StoreUnsafe, match="not a folder"):
            use()
    for use in uses(FileStore(tmp_path / "file" / "logins")):
        with pytest.raises(StoreError, match=r"[Nn]ot a directory"):
            use()
    assert (tmp_path / "file").read_text(encoding="ascii") == "the user's own"


def test_a_folder_that_is_swapped_for_another_after_the_check_is_not_used(
    store: FileStore, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swap(*arguments: Any) -> None:
        check(*arguments)
        store.path.rename(tmp_path / "moved")
        store.path.mkdir()

    check = folders._check_folder
    monkeypatch.setattr(folders, "_check_folder", swap)
    store.save(KEY, OTHER)
    assert list(store.path.iterdir()) == []
    monkeypatch.undo()
    assert FileStore(tmp_path / "moved").load(KEY) == OTHER


def test_a_folder_that_becomes_a_link_after_the_check_is_not_followed(
    store: FileStore, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swap(path: Any, *arguments: Any, **options: Any) -> int:
        if path == store.path:
            store.path.rename(tmp_path / "moved")
            store.path.symlink_to(tmp_path / "moved")
        return real(path, *arguments, **options)

    real = os.open
    monkeypatch.setattr(os, "open", swap)
    with pytest.raises(StoreError):
        store.save(KEY, OTHER)
    monkeypatch.undo()
    assert FileStore(tmp_path / "moved").load(KEY) == LOGIN


# What is damaged.


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"key": "the-access-token"}',
        b'{"tokens": {"access_token": "the-access-token"}}',
        b"[" * 100000,
        b'{"the-access-token": ',
        b"1" * 5000,
        json.dumps({"key": KEY, "tokens": {"access_token": ["the-access-token"]}}).encode(),
        json.dumps({"key": KEY, "tokens": {"access_token": "the-access-token\ud800"}}).encode(),
        json.dumps({"key": KEY, "device": {"password": "the-device-password"}}).encode(),
        json.dumps({"key": KEY, **LOGIN.to_dict()}).encode() + b" " * (1 << 20),
        json.dumps({"key": KEY, **LOGIN.to_dict()}).encode()[:-1],
    ],
    ids=range(15),
)
def test_a_damaged_file_is_reported_and_kept(store: FileStore, kept: Path, data: bytes) -> None:
    kept.write_bytes(data)
    with pytest.raises(StoreCorrupt, match="delete it, and log in again") as caught:
        store.load(KEY)
    assert str(kept) in str(caught.value)
    assert not any(secret in texts_of(caught.value) for secret in SECRETS)
    assert kept.read_bytes() == data
    store.save(KEY, OTHER)
    assert store.load(KEY) == OTHER


def test_a_login_that_is_too_large_is_not_written(store: FileStore, kept: Path) -> None:
    room = (1 << 20) - kept.stat().st_size
    assert LOGIN.username is not None
    store.save(KEY, replace(LOGIN, username=LOGIN.username + "n" * room))
    biggest = store.load(KEY)
    assert biggest is not None
    with pytest.raises(ConfigurationError, match="too big"):
        store.save(KEY, replace(biggest, username=f"{biggest.username}n"))
    assert store.load(KEY) == biggest


def test_a_file_of_another_key_counts_as_damaged(store: FileStore, kept: Path) -> None:
    store.save("another", OTHER)
    (other,) = set(store.path.glob("*.json")) - {kept}
    kept.replace(other)
    with pytest.raises(StoreCorrupt, match="another key"):
        store.load("another")


def test_members_of_a_newer_version_are_ignored(store: FileStore, kept: Path) -> None:
    document = json.loads(kept.read_bytes())
    kept.write_text(json.dumps({**document, "colour": "red"}), encoding="ascii")
    assert store.load(KEY) == LOGIN


# What the system refuses.


def test_a_full_disk_keeps_the_old_login(store: FileStore, kept: Path) -> None:
    program = """
import resource
from srpcore.store import *
from srpcore.exceptions import StoreError
store, key = FileStore(sys.argv[1]), sys.argv[2]
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
try:
    store.save(key, Login(tokens=Tokens(refresh_token="secret" * 10000)))
except StoreError as error:
    print(type(error).__name__, error)
"""
    output = run(program, store.path, KEY)
    assert output.startswith("StoreError cannot use ")
    assert "too large" in output
    assert "secret" not in output
    assert store.load(KEY) == LOGIN
    assert sorted(path.suffix for path in store.path.iterdir()) == [".json", ".lock"]


def test_a_new_file_that_a_killed_program_leaves_is_removed_by_the_next_save(
    store: FileStore, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folders.Folder, "replace", killed)
        patch.setattr(folders.Folder, "remove", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            store.save(KEY, OTHER)
    assert len([*store.path.glob("*.tmp")]) == 1
    store.save(KEY, OTHER)
    assert [*store.path.glob("*.tmp")] == []
    assert store.load(KEY) == OTHER


def test_of_two_errors_the_caller_gets_the_first(store: FileStore, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(message: str) -> Callable[..., None]:
        def raising(*_: object) -> None:
            raise StoreError(message)

        return raising

    monkeypatch.setattr(folders.Folder, "replace", refuse("cannot rename"))
    monkeypatch.setattr(folders.Folder, "remove", refuse("cannot remove"))
    with pytest.raises(StoreError, match=r"^cannot rename$"):
        store.save(KEY, OTHER)
    assert store.load(KEY) == LOGIN


def test_logins_can_be_read_from_a_read_only_folder(store: FileStore, kept: Path, tmp_path: Path) -> None:
    program = """
import os
from srpcore.store import *
from srpcore.exceptions import StoreError
store, key = FileStore(sys.argv[1]), sys.argv[2]
if os.geteuid() == 0:  # whom no mode stops
    for path in [store.path, *store.path.iterdir()]:
        os.chown(path, 65534, 65534)
    os.chdir(store.path.parent)  # whose parents a stranger could not enter
    store.path = type(store.path)(store.path.name)
    os.setuid(65534)
store.path.chmod(0o500)
print(store.load(key).username)
(store.path / "write.lock").chmod(0o400)
for use in (lambda: store.save(key, Login()), lambda: store.delete(key), lambda: store.lock(key).__enter__()):
    try:
        use()
    except StoreError as error:
        print(type(error).__name__, error)
(store.path / "write.lock").chmod(0o600)
for use in (lambda: store.save(key, Login()), lambda: store.delete(key)):
    try:
        use()
    except StoreError as error:
        print(type(error).__name__, error)
print(store.load(key).username)
"""
    tmp_path.chmod(0o711)
    lines = run(program, store.path, KEY).splitlines()
    store.path.chmod(0o700)
    assert [lines[0], lines[-1]] == ["somebody", "somebody"]
    assert len(lines) == 7
    for line in lines[1:-1]:
        assert line.startswith("StoreError cannot use ")
        assert line.endswith("ermission denied")


def test_the_folder_may_be_removed_at_any_time(store: FileStore, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def remove(*arguments: Any) -> None:
        check(*arguments)
        for path in store.path.iterdir():
            path.unlink()
        store.path.rmdir()

    check = folders._check_folder
    monkeypatch.setattr(folders, "_check_folder", remove)
    with pytest.raises(StoreError, match=r"[Nn]o such file"):
        store.save(KEY, LOGIN)
    monkeypatch.undo()
    store.save(KEY, LOGIN)
    monkeypatch.setattr(folders, "_check_folder", remove)
    assert store.load(KEY) is None


def test_file_and_folder_are_synced_around_the_rename(
    store: FileStore, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        done.append("folder" if stat.S_ISDIR(found.st_mode) else f"file of {found.st_size}")
        real_sync(descriptor)

    def replace(*arguments: Any, **options: Any) -> None:
        done.append("rename")
        real_replace(*arguments, **options)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", replace)
    store.save(KEY, OTHER)
    assert done == [f"file of {kept.stat().st_size}", "rename", "folder"]
    done.clear()
    store.delete(KEY)
    assert done == ["folder"]
    done.clear()
    FileStore(store.path / "new" / "newer").save(KEY, LOGIN)
    assert done[:2] == ["folder", "folder"]
    assert done[-2:] == ["rename", "folder"]


@pytest.mark.parametrize(("number", "told"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_a_file_system_that_cannot_sync_folders_is_accepted(
    store: FileStore, kept: Path, monkeypatch: pytest.MonkeyPatch, number: int, told: bool
) -> None:
    real = os.fsync

    def sync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    for use in (uses(store)[1], uses(store)[2], lambda: FileStore(store.path / "new").save(KEY, LOGIN)):
        if told:
            with pytest.raises(StoreError, match=os.strerror(number)):
                use()
        else:
            use()


def test_a_file_system_without_locks_is_an_error(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    for use in (uses(store)[1], uses(store)[3]):
        with pytest.raises(StoreError, match=f"cannot lock .*{os.strerror(errno.ENOLCK)}") as caught:
            use()
        assert not isinstance(caught.value, StoreLocked)
    assert opened_below(store.path) == []


def opened_below(folder: Path) -> list[Path]:
    """Return the files in *folder* that this process has open. Other threads may open and close other files meanwhile."""
    opened: list[Path] = []
    for link in Path("/dev/fd").iterdir():
        with suppress(OSError):  # it was closed meanwhile
            opened.append(link.readlink())
    return [path for path in opened if path.is_relative_to(folder)]


def test_no_descriptor_is_left_open(store: FileStore, kept: Path) -> None:
    with kept.open("rb"):
        assert opened_below(store.path) == [kept]
    for spoil in (chmod(0o600), chmod(0o644)):
        spoil(kept)
        for use in uses(store)[:2]:
            try:
                use()
            except StoreUnsafe:
                continue
    store.delete(KEY)
    FileStore(store.path / "new").save(KEY, LOGIN)
    with store.lock(KEY), pytest.raises(StoreLocked), FileStore(store.path, lock_timeout=0).lock(KEY):
        raise AssertionError
    kept.with_suffix(".lock").chmod(0o644)
    with pytest.raises(StoreUnsafe), store.lock(KEY):
        pass
    store.path.chmod(0o777)
    with pytest.raises(StoreUnsafe):
        store.load(KEY)
    assert opened_below(store.path) == []


# The path.


def test_a_relative_path_is_resolved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = FileStore("logins")
    store.save(KEY, LOGIN)
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert store.load(KEY) == LOGIN
    assert (tmp_path / "logins").is_dir()


def test_a_tilde_means_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    FileStore("~/logins").save(KEY, LOGIN)
    assert FileStore(tmp_path / "logins").load(KEY) == LOGIN


@pytest.mark.parametrize("path", [None, 1, b"bytes", "a\0b", "~no such user at all/x"])
def test_an_invalid_path_is_refused(path: Any) -> None:
    with pytest.raises(ConfigurationError, match="path"):
        FileStore(path)


def test_a_socket_instead_of_the_file_is_refused(store: FileStore, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.unlink()
    monkeypatch.chdir(store.path)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
    Path("s").rename(kept)
    with pytest.raises(StoreError):
        store.load(KEY)


# The way of a system without descriptors of folders, which this one can go as well.


@pytest.fixture
def without_posix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_POSIX", False)
    monkeypatch.setattr(folders, "_FLAGS", 0)


@pytest.mark.usefixtures("without_posix")
def test_the_store_works_without_folder_descriptors(store: FileStore) -> None:
    assert store.load(KEY) is None
    with store.lock(KEY):
        store.save(KEY, LOGIN)
    (store.path / "0123456789abcdef0123456789abcdef.tmp").touch()
    store.save(KEY, OTHER)
    assert store.load(KEY) == OTHER
    (kept,) = store.path.glob("*.json")
    assert sorted(path.suffix for path in store.path.iterdir()) == [".json", ".lock", ".lock"]
    as_link(kept)
    with pytest.raises(StoreUnsafe, match="symbolic link"):
        store.load(KEY)
    store.delete(KEY)
    assert store.load(KEY) is None


@pytest.mark.usefixtures("without_posix")
def test_replacing_a_file_is_retried_while_windows_refuses_it(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = os.replace, iter([True, True, False])

    def replace(*arguments: Any, **options: Any) -> None:
        if next(refused):
            raise PermissionError(13, "Permission denied")
        real(*arguments, **options)

    monkeypatch.setattr(os, "replace", replace)
    store.save(KEY, LOGIN)
    assert store.load(KEY) == LOGIN
    monkeypatch.setattr(folders, "_PAUSES", (0.0, None))
    refused = iter([True, True])
    with pytest.raises(StoreError, match="Permission denied"):
        store.save(KEY, Login(tokens=Tokens(id_token="new")))
    assert store.load(KEY) == LOGIN
