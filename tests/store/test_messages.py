"""The whole message of each error of the stores, and what a name in the folder of a store is."""

from __future__ import annotations

import errno
import math
import os
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srpcore.crypto.device import Device
from srpcore.exceptions import ConfigurationError, SrpcoreError, StoreError, StoreUnsafe
from srpcore.store import FileStore, Login, MemoryStore, Tokens, store_key
from srpcore.store.base import check_timeout
from srpcore.store.file import file_name
from srpcore.store.folder import Folder, folder_path, store_errors
from srpcore.store.record import check_key, decode, encode

from .making import KEY

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes, owners and links")


def message(call: Callable[[], object]) -> str:
    """Return the message of the error that *call* raises."""
    with pytest.raises(SrpcoreError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: check_key(""), "key is empty: make one with store_key"),
        (lambda: check_key(5), "key must be a string, not int"),  # type: ignore[arg-type]
        (lambda: encode(KEY, "x"), "login must be a Login, not str"),  # type: ignore[arg-type]
        (lambda: decode(KEY, b"{"), "not JSON"),
        (lambda: decode(KEY, b"[]"), "login must be a JSON object, not list"),
        (lambda: decode(KEY, b"{}"), "it belongs to another key"),
        (lambda: Tokens.from_dict([]), "tokens must be a JSON object, not list"),  # type: ignore[arg-type]
        (lambda: Login(tokens=5), "tokens must be a Tokens or None, not int"),  # type: ignore[arg-type]
        (lambda: Login(device=5), "device must be a Device or None, not int"),  # type: ignore[arg-type]
        (lambda: Login(username=5), "username must be a string, not int"),  # type: ignore[arg-type]
        (lambda: Login(refresh_way=5), "refresh_way must be a string, not int"),  # type: ignore[arg-type]
        (lambda: Tokens(id_token=5), "id_token must be a string, not int"),  # type: ignore[arg-type]
        (lambda: Login.from_dict([]), "login must be a JSON object, not list"),  # type: ignore[arg-type]
        (lambda: Login.from_dict({"device": 5}), "device must be a JSON object, not int"),
        (lambda: Login.from_dict({"device": {"key": "k"}}), "device group_key is missing or empty"),
        (lambda: Login(device=Device("k", "g", "")), "device password is missing or empty"),
        (
            lambda: Tokens(expires_at=float("nan")),
            "expires_at must be a finite number of seconds since the epoch, or None",
        ),
        (lambda: store_key("", "c", "u"), "pool_id is empty: a login is stored for one user of one app client"),
        (lambda: store_key("p", "", "u"), "client_id is empty: a login is stored for one user of one app client"),
        (lambda: store_key("p", "c", ""), "username is empty: a login is stored for one user of one app client"),
        (
            lambda: store_key("p", "c", "\ud800"),
            "username contains a lone surrogate, which UTF-8 cannot encode: pass a valid string",
        ),
        (lambda: store_key("p", 5, "u"), "client_id must be a string, not int"),  # type: ignore[arg-type]
        (lambda: check_timeout(-1), "invalid lock_timeout -1: use a number of seconds, 0 or more"),
        (lambda: check_timeout(True), "invalid lock_timeout True: use a number of seconds, 0 or more"),
        (lambda: folder_path("a\0b"), "store path contains a NUL character: give the path of a folder"),
        (
            lambda: folder_path(5),  # type: ignore[arg-type]
            "invalid store path: give the path of a folder, as a string or pathlib.Path",
        ),
    ],
)
def test_a_wrong_argument_is_named(call: Callable[[], object], expected: str) -> None:
    assert message(call) == expected


def test_a_lock_may_be_waited_for_as_long_as_python_can_wait() -> None:
    assert check_timeout(threading.TIMEOUT_MAX) == threading.TIMEOUT_MAX
    assert check_timeout(0) == 0
    with pytest.raises(ConfigurationError, match="lock_timeout"):
        check_timeout(math.nextafter(threading.TIMEOUT_MAX, math.inf))


def test_a_store_key_has_its_three_parts_in_order() -> None:
    assert store_key("p", "c/d", "u@e") == "p/c%2Fd/u%40e"
    assert file_name("a") == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def test_a_busy_lock_in_memory_is_named() -> None:
    store = MemoryStore(lock_timeout=0)

    def again() -> None:
        with store.lock(KEY):
            pass

    with store.lock(KEY):
        assert message(again) == (
            "could not lock the stored login within 0 seconds: another thread is using it; try again"
        )


def saved(tmp_path: Path) -> tuple[FileStore, Path]:
    """Return a store in which a login is saved under KEY, and its file."""
    store = FileStore(tmp_path / "store")
    store.save(KEY, Login(username="alice"))
    return store, store.path / f"{file_name(KEY)}.json"


def test_a_file_that_is_not_a_login_is_named(tmp_path: Path) -> None:
    store, path = saved(tmp_path)
    for data, why in ((b"x" * ((1 << 20) + 1), "it is too big"), (b"x" * (1 << 20), "not JSON")):
        path.write_bytes(data)
        assert message(lambda: store.load(KEY)) == (
            f"{path} does not contain a login ({why}): delete it, and log in again"
        )
    big = Login(username="x" * (1 << 20))
    assert message(lambda: store.save(KEY, big)) == f"login is too big: at most {1 << 20} bytes can be stored"


@posix
def test_an_unsafe_file_is_named(tmp_path: Path) -> None:
    store, path = saved(tmp_path)

    def load() -> object:
        return store.load(KEY)

    path.chmod(0o640)
    assert message(load) == f"other users can open {path}: run chmod 600 on it, or delete it and log in again"
    path.chmod(0o600)
    path.with_suffix(".other").hardlink_to(path)
    assert message(load) == f"{path} has a second name (a hard link): delete it, and log in again"
    path.unlink()
    path.symlink_to(path.with_suffix(".other"))
    assert message(load) == f"{path} is a symbolic link: delete it, and log in again"
    path.unlink()
    path.mkdir()
    assert message(load) == f"{path} is not a regular file: delete it, and log in again"
    path.rmdir()
    store.path.chmod(0o720)
    assert message(load) == (
        f"other users can write to the folder {store.path}: run chmod 700 on it, or choose another one"
    )
    store.path.chmod(0o700)
    linked = FileStore(tmp_path / "link")
    linked.path.symlink_to(store.path)
    assert message(lambda: linked.load(KEY)) == (
        f"{linked.path} is not a folder, or is a symbolic link to one: give the folder itself"
    )


@posix
def test_the_files_of_another_user_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, path = saved(tmp_path)
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    assert (
        message(lambda: store.load(KEY)) == f"the folder {store.path} belongs to another user: choose one of your own"
    )
    answers = iter([own, own + 1])
    monkeypatch.setattr(os, "geteuid", lambda: next(answers))
    assert message(lambda: store.load(KEY)) == f"{path} belongs to another user: delete it, and log in again"


def test_an_error_of_the_system_is_named(tmp_path: Path) -> None:
    def raised(error: OSError, *, pass_missing: bool = False) -> None:
        with store_errors(tmp_path, pass_missing=pass_missing):
            raise error

    assert message(lambda: raised(OSError(28, "No space"))) == f"cannot use {tmp_path}: No space"
    assert message(lambda: raised(TimeoutError())) == f"cannot use {tmp_path}: TimeoutError"
    with pytest.raises(FileNotFoundError):
        raised(FileNotFoundError(), pass_missing=True)
    with pytest.raises(StoreError):
        raised(FileNotFoundError())


@pytest.mark.parametrize("mode", ["rb", "wb"])
def test_a_fault_of_the_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    store, path = saved(tmp_path)
    real = os.fdopen

    def broken(descriptor: int, opened: str) -> Any:
        if opened == mode:
            os.close(descriptor)
            raise OSError(errno.EIO, "Input/output error")
        return real(descriptor, opened)

    monkeypatch.setattr(os, "fdopen", broken)
    if mode == "rb":
        assert message(lambda: store.load(KEY)) == f"cannot use {path}: Input/output error"
    else:
        found = re.fullmatch(
            r"cannot use (.*): Input/output error", message(lambda: store.save(KEY, Login(username="bob")))
        )
        assert found is not None
        assert Path(found[1]).parent == path.parent  # the new file, before it replaces the old one
        monkeypatch.undo()
        assert store.load(KEY) == Login(username="alice")


@pytest.mark.parametrize(
    ("function", "call", "name"),
    [
        ("listdir", lambda folder: folder.names(), ""),
        ("unlink", lambda folder: folder.remove("a"), "a"),
        ("replace", lambda folder: folder.replace("a", "b"), "b"),
        ("open", lambda folder: folder.open("a", os.O_RDWR), "a"),
    ],
)
def test_a_fault_of_the_disk_names_what_was_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, call: Callable[[Folder], object], name: str
) -> None:
    def broken(*_: object, **named: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with Folder.opened(tmp_path / "folder", make=True) as folder:
        monkeypatch.setattr(os, function, broken)
        assert message(lambda: call(folder)) == f"cannot use {folder.path / name}: Input/output error"
        monkeypatch.undo()


@posix
def test_a_link_in_the_place_of_a_file_is_another_file(tmp_path: Path) -> None:
    # A lock is checked in this way: a program that waited must see that its file was replaced, also by a link to it.
    with Folder.opened(tmp_path / "folder", make=True) as folder:
        os.close(folder.open("a", os.O_RDWR | os.O_CREAT))
        before = folder.identity("a")
        assert before is not None
        found = (folder.path / "a").stat()
        assert before == (found.st_dev, found.st_ino)
        folder.replace("a", "b")
        assert folder.identity("a") is None
        (folder.path / "a").symlink_to(folder.path / "b")
        assert folder.identity("b") == before != folder.identity("a")
        with pytest.raises(StoreUnsafe):
            folder.open("a", os.O_RDWR)


def test_a_configuration_error_of_a_key_is_raised_by_every_method(tmp_path: Path) -> None:
    stores: list[Any] = [MemoryStore(), FileStore(tmp_path / "store")]
    for store in stores:
        for call in (store.load, store.delete, lambda key, store=store: store.save(key, Login())):
            with pytest.raises(ConfigurationError):
                call("")
        with pytest.raises(ConfigurationError), store.lock(""):
            pass
    assert repr(stores[0]) == "MemoryStore(0 logins)"
    assert repr(stores[1]) == f"FileStore({str(tmp_path / 'store')!r})"


@posix
def test_a_folder_without_a_descriptor_is_used_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # This is how a folder is used on Windows.
    monkeypatch.setattr("srpcore.store.folder._POSIX", False)
    with Folder.opened(tmp_path / "a" / "b", make=True) as folder:
        os.close(folder.open("one", os.O_RDWR | os.O_CREAT))
        assert folder.names() == ["one"]
        assert folder.identity("one") is not None
        assert folder.identity("two") is None
        folder.replace("one", "two")
        assert [path.name for path in folder.path.iterdir()] == ["two"]
        (folder.path / "link").symlink_to(folder.path / "two")
        assert message(lambda: folder.open("link", os.O_RDWR)) == (
            f"{folder.path / 'link'} is a symbolic link: delete it, and log in again"
        )
        folder.remove("link")
        folder.remove("link")
        (folder.path / "two").chmod(0o644)
        os.close(folder.open("two", os.O_RDONLY))
        folder.remove("two")
        assert folder.names() == []


def test_a_file_that_is_in_use_is_replaced_a_little_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Windows refuses to replace a file that another program has open.
    pauses: list[float] = []
    refusals = iter([PermissionError(), PermissionError()])
    replace = os.replace

    def busy(*arguments: Any, **options: Any) -> None:
        error = next(refusals, None)
        if error is not None:
            raise error
        replace(*arguments, **options)

    monkeypatch.setattr("srpcore.store.folder._POSIX", False)
    monkeypatch.setattr("os.replace", busy)
    monkeypatch.setattr("time.sleep", pauses.append)
    with Folder.opened(tmp_path / "folder", make=True) as folder:
        (folder.path / "a").touch()
        folder.replace("a", "b")
        assert (pauses, folder.names()) == ([0.01, 0.02], ["b"])
        refusals = iter([PermissionError(13, "Denied")] * 7)
        assert message(lambda: folder.replace("b", "c")) == f"cannot use {folder.path / 'c'}: Denied"
        assert pauses[2:] == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
