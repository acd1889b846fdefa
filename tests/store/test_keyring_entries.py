"""The exact entries of the keyring store and its messages, with a keyring that is a plain object."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from srpcore.exceptions import ConfigurationError, SrpcoreError, StoreCorrupt
from srpcore.store import FileStore, KeyringStore, Login
from srpcore.store.file import file_name
from srpcore.store.record import encode

from .making import KEY

Calls = list[tuple[str, ...]]
ALICE, BOB = Login(username="alice"), Login(username="bob" * 20)
TEXT, LONG = encode(KEY, ALICE).decode(), encode(KEY, BOB).decode()


class Keyring:
    """The three functions of the package keyring, and the calls that changed something."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.changes: Calls = []

    def get_password(self, service: str, name: str) -> str | None:
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, text: str) -> None:
        self.changes.append(("set", service, name, text))
        self.entries[service, name] = text

    def delete_password(self, service: str, name: str) -> None:
        self.changes.append(("delete", service, name))
        del self.entries[service, name]


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    made = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", made)
    return made


def store(tmp_path: Path, most: int | None = None, service: str = "s") -> KeyringStore:
    return KeyringStore(service, lock_folder=tmp_path / "locks", lock_timeout=0, max_characters=most)


def pieces(text: str, generation: int, most: int) -> Calls:
    count = -(-len(text) // most)
    parts = [text[index * most : (index + 1) * most] for index in range(count)]
    set_ = [("set", "s", f"{KEY}#{generation}.{index}", part) for index, part in enumerate(parts)]
    return [*set_, ("set", "s", KEY, f"pieces:{generation}:{count}")]


def test_a_login_that_fits_is_one_entry(keyring: Keyring, tmp_path: Path) -> None:
    for most in (None, len(TEXT)):
        made = store(tmp_path, most)
        made.save(KEY, ALICE)
        assert keyring.changes == [("set", "s", KEY, TEXT)]
        assert made.load(KEY) == ALICE
        made.delete(KEY)
        assert keyring.changes[1:] == [("delete", "s", KEY)]
        made.delete(KEY)
        assert made.load(KEY) is None
        assert keyring.changes[2:] == []
        keyring.changes.clear()


def test_a_longer_login_is_cut_into_pieces_and_the_old_ones_are_removed_from_the_last(
    keyring: Keyring, tmp_path: Path
) -> None:
    most = len(TEXT) - 1
    made = store(tmp_path, most)
    made.save(KEY, ALICE)
    assert keyring.changes == pieces(TEXT, 1, most)
    assert made.load(KEY) == ALICE
    keyring.changes.clear()

    made.save(KEY, BOB)
    count = -(-len(TEXT) // most)
    removed = [("delete", "s", f"{KEY}#1.{index}") for index in reversed(range(count))]
    assert keyring.changes == [*pieces(LONG, 0, most), *removed]
    assert made.load(KEY) == BOB
    keyring.changes.clear()

    store(tmp_path).save(KEY, ALICE)
    removed = [("delete", "s", f"{KEY}#0.{index}") for index in reversed(range(-(-len(LONG) // most)))]
    assert keyring.changes == [("set", "s", KEY, TEXT), *removed]
    keyring.changes.clear()

    made.save(KEY, BOB)
    made.delete(KEY)
    assert keyring.entries == {}


def test_pieces_in_use_survive_a_call_that_has_nothing_to_do(keyring: Keyring, tmp_path: Path) -> None:
    made = store(tmp_path)
    keyring.entries["s", f"{KEY}#0.0"] = "left by a program that cuts logins into pieces"
    made.save(KEY, ALICE)
    assert keyring.changes == [("set", "s", KEY, TEXT)]
    made.delete(KEY)
    assert keyring.changes[1:] == [("delete", "s", KEY)]


def message(call: Callable[[], object], kind: type[SrpcoreError] = SrpcoreError) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def test_a_damaged_entry_is_named(keyring: Keyring, tmp_path: Path) -> None:
    made = store(tmp_path)
    for text, why in (
        ("{", "not JSON"),
        ("\ud800", "not JSON"),
        ("pieces:0:1", "a piece is missing"),
        ("{}", "it belongs to another key"),
    ):
        keyring.entries["s", KEY] = text
        assert message(lambda: made.load(KEY), StoreCorrupt) == (
            f"an entry of 's' in the keyring is not a login ({why}): delete it, and log in again"
        )


def test_the_largest_number_of_pieces_has_four_digits(keyring: Keyring, tmp_path: Path) -> None:
    made = store(tmp_path)
    for head in ("pieces:0:10000", "pieces:0:0", "pieces:2:1", "pieces:1:1 "):
        keyring.entries["s", KEY] = head
        assert "not JSON" in message(lambda: made.load(KEY))
    keyring.entries["s", KEY] = "pieces:1:9999"
    assert "a piece is missing" in message(lambda: made.load(KEY))


def test_an_error_of_the_keyring_is_named(keyring: Keyring, tmp_path: Path) -> None:
    made = store(tmp_path)
    made.save(KEY, ALICE)

    def fail(*arguments: str) -> str | None:
        raise RuntimeError("the-secret")

    uses: list[tuple[str, str, Callable[[], object]]] = [
        ("set_password", "write", lambda: made.save(KEY, BOB)),
        ("delete_password", "delete", lambda: made.delete(KEY)),
        ("get_password", "read", lambda: made.load(KEY)),
    ]
    for function, verb, use in uses:
        setattr(keyring, function, fail)
        assert message(use) == (
            f"the keyring could not {verb} an entry (RuntimeError): see `keyring diagnose`, or use a FileStore"
        )
        delattr(keyring, function)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert message(KeyringStore, ConfigurationError) == (
        "KeyringStore needs the package keyring: pip install 'srpcore[keyring]'"
    )


def test_the_locks_are_files_with_the_service_in_their_name(
    keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store(tmp_path)
    assert repr(made) == "KeyringStore('s')"
    with made.lock(KEY):
        made.save(KEY, ALICE)
        name = file_name(f"1:s{KEY}")
        assert {file.name for file in (tmp_path / "locks").iterdir()} == {f"{name}.lock", f"{name}.use.lock"}
        assert made.load(KEY) == ALICE
        path = tmp_path / "locks" / f"{name}.lock"
        assert message(lambda: made.lock(KEY).__enter__()) == (
            f"could not lock {path} within 0 seconds: another thread or program holds the lock; "
            "try again, or stop that program"
        )
    with pytest.raises(ConfigurationError), made.lock(""):
        pass
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with KeyringStore().lock(KEY):
        assert (tmp_path / ".srpcore" / "locks").is_dir()
    assert KeyringStore().service == "srpcore"
    with pytest.raises(ConfigurationError, match=r"^service contains a lone surrogate"):
        KeyringStore("\ud800")
    with pytest.raises(ConfigurationError, match="lock_timeout"):
        KeyringStore(lock_timeout=-1)


def test_a_file_store_has_one_file_for_each_login_and_removes_only_its_own_temporary_files(tmp_path: Path) -> None:
    made = FileStore(tmp_path / "store")
    made.save(KEY, ALICE)
    name = hashlib.sha256(KEY.encode()).hexdigest()
    assert {file.name for file in made.path.iterdir()} == {f"{name}.json", "write.lock"}
    assert (made.path / f"{name}.json").read_bytes() == TEXT.encode()
    left, other = made.path / f"{'0a' * 16}.tmp", made.path / "other.tmp"
    for file in (left, other):
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    with made.lock(KEY):
        assert (made.path / f"{name}.lock").exists()
    assert left.exists()
    made.save(KEY, BOB)
    assert (left.exists(), other.exists()) == (False, True)
    made.delete(KEY)
    made.delete(KEY)
    assert made.load(KEY) is None
