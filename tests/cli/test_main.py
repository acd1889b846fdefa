"""The command line as a whole: what it is called with, and how it ends when its output is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import srpcore
from srpcore.cli import main
from support.cli_processes import SRPCORE, Result, Server, environment, run
from support.users import PASSWORD


def test_version() -> None:
    result = run("--version")
    assert (result.status, result.stdout, result.stderr) == (0, f"srpcore {srpcore.__version__}\n", "")


def test_installed_script_is_the_same() -> None:
    script = Path(sys.executable).with_name("srpcore.exe" if sys.platform == "win32" else "srpcore")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout == f"srpcore {srpcore.__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    result = run("--help")
    assert result.status == 0
    for command in ("login", "verify", "serve", "demo"):
        assert f"\n    {command} " in result.stdout
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: srpcore {command} ")


def test_wrong_call() -> None:
    result = run("unknown")
    assert (result.status, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: srpcore")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["serve", "--port", "65536"], ["serve", "--port", "-1"], ["serve", "--port", "²"]]
)
def test_options_that_cannot_be_used(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: srpcore")


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_what_is_not_installed_is_named(command: str) -> None:
    # As without the extra: the core has no dependency, the local pool has.
    program = f"import sys; sys.modules['jwt'] = None; from srpcore.cli import main; sys.exit(main([{command!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), timeout=30, check=False
    )
    error = Result(done.returncode, done.stdout, done.stderr).refused()
    assert error == "srpcore: jwt is not installed: pip install 'srpcore[local]'\n"


def test_reader_that_left_is_no_traceback(server: Server, user: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [*SRPCORE, "login", *server.pool(), "--username", user],
            input=PASSWORD.encode(),
            stdout=writer,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_disk_is_one_clear_error(server: Server, user: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*SRPCORE, "login", *server.pool(), "--username", user],
            input=PASSWORD.encode(),
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"srpcore: could not write the result: No space left on device\n"
