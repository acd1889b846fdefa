"""What only the keyring store does: entries in pieces, a backend that fails, and where its locks are."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError, StoreCorrupt, StoreError
from srpcore.store import KeyringStore, Login, Tokens

from .making import KEY, LOGIN, OTHER, SECRETS, run, texts_of

Entries = dict[tuple[str, str], str]
SHORT = Login(username="s")


class Killed(BaseException):
    """Stands for the end of the program."""


@pytest.fixture
def store(folder: Path, keyring_entries: Entries) -> KeyringStore:
    return KeyringStore("a service", lock_folder=folder, lock_timeout=10)


@pytest.fixture
def pieces(folder: Path, keyring_entries: Entries) -> KeyringStore:
    return KeyringStore("a service", lock_folder=folder, lock_timeout=10, max_characters=200)


@pytest.mark.counterpart
def test_a_login_is_an_entry_of_the_service(store: KeyringStore, keyring_entries: Entries) -> None:
    store.save(KEY, LOGIN)
    assert list(keyring_entries) == [("a service", KEY)]
    store.delete(KEY)
    assert keyring_entries == {}


@pytest.mark.counterpart
def test_the_folder_of_the_locks_contains_no_secret(pieces: KeyringStore, folder: Path) -> None:
    pieces.save(KEY, LOGIN)
    with pieces.lock(KEY):
        pass
    assert [path.read_bytes() for path in folder.iterdir()] == [b"", b""]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 or sys.platform == "win32"


@pytest.mark.counterpart
def test_a_service_does_not_see_the_logins_of_another(store: KeyringStore, folder: Path) -> None:
    store.save(KEY, LOGIN)
    other = KeyringStore("another service", lock_folder=folder, lock_timeout=0)
    assert other.load(KEY) is None
    with store.lock(KEY), other.lock(KEY):
        pass


@pytest.mark.counterpart
def test_entries_are_not_longer_than_the_limit(pieces: KeyringStore, keyring_entries: Entries) -> None:
    for login in (LOGIN, OTHER, SHORT, OTHER, LOGIN, LOGIN):
        pieces.save(KEY, login)
        assert max(map(len, keyring_entries.values())) <= 200
        size = sum(len(text) for text in keyring_entries.values())
        assert size < 250 + len(str(login.to_dict())), "pieces of an older login are left"
        assert pieces.load(KEY) == login
    pieces.delete(KEY)
    assert keyring_entries == {}


@pytest.mark.counterpart
def test_a_login_that_fits_is_one_entry(pieces: KeyringStore, keyring_entries: Entries) -> None:
    pieces.save(KEY, SHORT)
    assert len(keyring_entries) == 1


@pytest.mark.counterpart
@pytest.mark.parametrize("service", [None, 1, "half \ud800"])
def test_a_service_that_is_not_a_string_is_refused(service: Any, keyring_entries: Entries) -> None:
    with pytest.raises(ConfigurationError, match="service"):
        KeyringStore(service)


@pytest.mark.counterpart
def test_a_store_of_whole_entries_reads_and_replaces_pieces(
    store: KeyringStore, pieces: KeyringStore, keyring_entries: Entries
) -> None:
    pieces.save(KEY, OTHER)
    assert store.load(KEY) == OTHER
    store.save(KEY, LOGIN)
    assert len(keyring_entries) == 1
    assert pieces.load(KEY) == LOGIN
    pieces.save(KEY, OTHER)
    store.delete(KEY)
    assert keyring_entries == {}


@pytest.mark.counterpart
@pytest.mark.parametrize("first", [SHORT, LOGIN, OTHER], ids=["whole", "pieces", "many"])
@pytest.mark.parametrize("second", [SHORT, LOGIN, OTHER, None], ids=["whole", "pieces", "many", "deleted"])
def test_a_program_killed_between_two_entries_leaves_the_old_login_or_the_new_one(
    pieces: KeyringStore, keyring_entries: Entries, monkeypatch: pytest.MonkeyPatch, first: Login, second: Login | None
) -> None:
    from .backend import MemoryKeyring

    seen, at, done = [], 0, False
    while not done:
        pieces.save(KEY, first)
        left = at

        def counting(real: Callable[..., None]) -> Callable[..., None]:
            def call(*given: str) -> None:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Killed
                real(*given)

            return call

        with monkeypatch.context() as patch:
            for name in ("set_password", "delete_password"):
                patch.setattr(MemoryKeyring, name, counting(getattr(MemoryKeyring, name)))
            try:
                pieces.delete(KEY) if second is None else pieces.save(KEY, second)
                done = True
            except Killed:
                at += 1
        seen.append(pieces.load(KEY))
        pieces.delete(KEY)
        assert keyring_entries == {}
    turn = seen.index(second)
    assert seen == [first] * turn + [second] * (len(seen) - turn)


@pytest.mark.counterpart
@pytest.mark.parametrize("text", ["", "{", "pieces:2:1", "pieces:0:1", "pieces:0:0", "the-access-token", "half \ud800"])
def test_a_damaged_entry_is_reported_and_kept(store: KeyringStore, keyring_entries: Entries, text: str) -> None:
    keyring_entries["a service", KEY] = text
    with pytest.raises(StoreCorrupt, match=r"'a service'.*delete it, and log in again") as caught:
        store.load(KEY)
    assert "the-access-token" not in texts_of(caught.value)
    assert keyring_entries == {("a service", KEY): text}
    store.save(KEY, LOGIN)
    assert store.load(KEY) == LOGIN


@pytest.mark.counterpart
@pytest.mark.parametrize("verb", ["read", "write", "delete"])
def test_the_error_of_a_failing_backend_does_not_show_the_secret(
    store: KeyringStore, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    from .backend import MemoryKeyring

    def fail(self: MemoryKeyring, *arguments: str) -> None:
        raise RuntimeError(f"cannot do it with {arguments}, {SECRETS}")

    store.save(KEY, LOGIN)
    name = {"read": "get_password", "write": "set_password", "delete": "delete_password"}[verb]
    monkeypatch.setattr(MemoryKeyring, name, fail)
    uses: dict[str, Callable[[], object]] = {
        "read": lambda: store.load(KEY),
        "write": lambda: store.save(KEY, Login(tokens=Tokens(*SECRETS[:3]))),
        "delete": lambda: store.delete(KEY),
    }
    with pytest.raises(StoreError, match=rf"could not {verb} .*RuntimeError.*FileStore") as caught:
        uses[verb]()
    assert not any(secret in texts_of(caught.value) for secret in SECRETS)
    monkeypatch.undo()


@pytest.mark.counterpart
def test_the_locks_are_in_the_home_folder_in_every_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keyring_entries: Entries
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "elsewhere"))
    with KeyringStore().lock(KEY):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".srpcore"]
    assert len(list((tmp_path / ".srpcore" / "locks").iterdir())) == 1
    assert KeyringStore().service == "srpcore"


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigurationError, match=r"srpcore\[keyring\]"):
        KeyringStore()


def test_the_package_is_not_loaded_until_it_is_needed() -> None:
    assert (
        run("from srpcore.store import *; FileStore('x'); MemoryStore(); print('keyring' in sys.modules)") == "False\n"
    )
