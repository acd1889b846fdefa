"""Which files a local pool uses for its state: names, modes, locks, and files of other programs."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from srpcore.exceptions.base import ConfigurationError
from srpcore.protocol import Operation
from srpcore_transports.local import LocalUserPool
from srpcore_transports.local.storage.database import Database
from support.cli_processes import run
from support.forks import in_a_child

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes and POSIX locks")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@posix
@pytest.mark.slow
@pytest.mark.parametrize("name", ["pool.db", "symbolic.db", "hard.db"])
def test_opening_a_file_twice_keeps_the_lock_of_the_process(tmp_path: Path, name: str) -> None:
    path = tmp_path / "pool.db"
    database = Database(str(path))
    (tmp_path / "symbolic.db").symlink_to(path)
    (tmp_path / "hard.db").hardlink_to(path)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="another process is using it"):
        Database(str(tmp_path / name))
    program = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('SELECT * FROM meta')"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "database is locked" in other.stderr
    database.close()
    Database(str(path)).close()


@pytest.mark.parametrize("version", [0, 3])
def test_a_database_of_another_program_is_refused_and_stays_as_it_is(tmp_path: Path, version: int) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE meta (name)")
        other.execute(f"PRAGMA user_version = {version}")
    other.close()
    path.chmod(0o644)
    before = path.read_bytes(), mode(path)
    gc.disable()  # the connection must be closed without it
    try:
        with pytest.raises(ConfigurationError, match="is not the state of a local pool, but"):
            Database(str(path))
        other = sqlite3.connect(path, timeout=0)
        other.execute("INSERT INTO meta VALUES (1)")
        other.rollback()
        other.close()
    finally:
        gc.enable()
    assert (path.read_bytes(), mode(path)) == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.db"]


def test_the_state_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    Database(str(path)).close()
    with sqlite3.connect(path) as changed:
        changed.execute("PRAGMA user_version = 99")
    changed.close()
    with pytest.raises(ConfigurationError, match="its version is 99, not 3: another version of srpcore wrote it"):
        Database(str(path))


@posix
@pytest.mark.parametrize("state_mode", [0o600, 0o644])
def test_the_log_that_others_can_read_becomes_private(tmp_path: Path, state_mode: int) -> None:
    path, log, link = tmp_path / "pool.db", tmp_path / "pool.db-wal", tmp_path / "link.db"
    Database(str(path)).close()
    log.write_bytes(bytes(64))
    path.chmod(state_mode)
    log.chmod(0o644)
    link.symlink_to(path)
    database = Database(str(link))
    assert (mode(path), mode(log)) == (0o600, 0o600)
    database.close()


@posix
def test_the_log_of_another_user_of_the_computer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, log = tmp_path / "pool.db", tmp_path / "pool.db-journal"
    Database(str(path)).close()
    log.touch(0o600)
    lstat = Path.lstat

    def of_another(self: Path) -> os.stat_result:
        found = lstat(self)
        return os.stat_result((*found[:4], found.st_uid + (self == log), *found[5:]))

    monkeypatch.setattr(Path, "lstat", of_another)
    with pytest.raises(ConfigurationError, match="belongs to another user of this computer"):
        Database(str(path))


def test_a_state_in_memory_is_not_a_file_of_this_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"leave state \(--state\) out"):
        LocalUserPool(state=":memory:")
    assert not [*tmp_path.iterdir()]


@posix
def test_a_name_that_looks_like_a_uri_is_a_file_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "file:pool.db?mode=memory"
    with LocalUserPool(state=name) as pool:
        pass
    with LocalUserPool(state=name) as again:
        assert again.user_pool_id == pool.user_pool_id
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("state", ["", "a\0b", b"pool.db"])
def test_a_value_that_is_not_the_name_of_a_file_is_refused(state: str) -> None:
    with pytest.raises(ConfigurationError, match="invalid state"):
        LocalUserPool(state=state)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot use"):
        LocalUserPool(state=tmp_path)


@posix
def test_links_that_form_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(ConfigurationError, match="cannot use"):
        Database(str(tmp_path / "a"))


def test_a_closed_pool_raises_a_configuration_error(tmp_path: Path) -> None:
    pool = LocalUserPool(state=tmp_path / "pool.db")
    pool.close()
    pool.close()
    for use in (
        lambda: pool.call(Operation("ListUserPools", {"MaxResults": 1})),
        pool.export_pool,
        lambda: pool.document(f"/{pool.user_pool_id}/.well-known/jwks.json"),
    ):
        with pytest.raises(ConfigurationError, match=r"was closed .*pool\.db"):
            use()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork()")
def test_a_forked_child_is_told_why_it_cannot_open_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    database = Database(str(path))

    def open_in_the_child() -> None:
        with pytest.raises(ConfigurationError, match="it was open when this process was forked"):
            Database(str(path))
        database.close()
        with pytest.raises(ConfigurationError, match="it was open when this process was forked"):
            Database(str(path))
        Database(str(tmp_path / "other.db")).close()

    assert in_a_child(open_in_the_child) == 0
    database.close()
    Database(str(path)).close()
    # Not open any more, so a child can use it.
    assert in_a_child(lambda: Database(str(path)).close()) == 0


def damage(path: Path, statement: str) -> None:
    with LocalUserPool(state=path):
        pass
    with sqlite3.connect(path) as connection:
        connection.executescript(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE login",
        "DROP INDEX user_sub",
        "UPDATE meta SET value = 5",
        "UPDATE record SET data = x'81a26964'",
        "UPDATE record SET data = x'81a26964a1ff'",
        "UPDATE record SET data = 5 WHERE kind = 'client'",
        "UPDATE record SET data = CAST(x'ff' AS TEXT)",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = CAST(x'ff' AS TEXT), sql = 'x' WHERE name = 'user'",
    ],
)
def test_a_damaged_state_is_refused(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "pool.db"
    damage(path, statement)
    with pytest.raises(ConfigurationError, match=r"not the state of a local pool, or it is damaged .*: restore it"):
        LocalUserPool(state=path)
    # The file is closed again.
    sqlite3.connect(path, timeout=0).execute("BEGIN IMMEDIATE").connection.close()


@pytest.mark.slow
def test_the_commands_refuse_a_damaged_state(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    damage(path, "UPDATE record SET data = x'81a26964'")
    assert "is damaged" in run("pool", "export", "--state", str(path), str(tmp_path / "pool.json")).refused()
    assert "is damaged" in run("serve", "--port", "0", "--state", str(path)).refused()


def test_a_damaged_page_is_explained_by_the_request_that_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "pool.db"
    with LocalUserPool(state=path) as pool:
        connection = pool._service.database.connection
        root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'user_pool'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    contents = bytearray(path.read_bytes())
    contents[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(contents)
    with LocalUserPool(state=path) as pool, pytest.raises(ConfigurationError, match="is damaged"):
        pool.call(Operation("ListUsers", {"UserPoolId": pool.user_pool_id}))
