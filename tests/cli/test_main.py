"""The command line as a whole: commands, options, and what happens if its output is closed or full."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import srpcore
from srpcore.cli import main
from support.cli_processes import SRPCORE, Result, Server, environment, run
from support.users import PASSWORD

pytestmark = pytest.mark.slow

COMMANDS = (
    "login token whoami logout decode verify keys password mfa devices passkeys users groups serve demo bench completion"
).split()


def test_the_documentation_has_every_command() -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text("utf-8")
    table = page.split("## All commands")[1].split("\n\n")[1]
    assert {*re.findall(r"`(\w+)", table)} >= {*COMMANDS}


def test_version_is_printed() -> None:
    result = run("--version")
    assert (result.status, result.stdout, result.stderr) == (0, f"srpcore {srpcore.__version__}\n", "")


def test_the_installed_script_runs_the_same_program() -> None:
    script = Path(sys.executable).with_name("srpcore.exe" if sys.platform == "win32" else "srpcore")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout == f"srpcore {srpcore.__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    result = run("--help")
    assert result.status == 0
    for command in COMMANDS:
        assert re.search(rf"\n    {command}\s", result.stdout)
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: srpcore {command} ")


def test_a_wrong_call_prints_the_usage() -> None:
    result = run("unknown")
    assert (result.status, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: srpcore")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("arguments", "command"), [([], "login"), (["users"], "export")])
def test_a_call_without_a_command_lists_the_commands(
    arguments: list[str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(rf"\n    {command}\s", captured.err)


@pytest.mark.parametrize(
    "arguments", [[], ["serve", "--port", "65536"], ["serve", "--port", "-1"], ["serve", "--port", "²"]]
)
def test_invalid_options_are_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: srpcore")


@pytest.mark.parametrize("command", ["demo", "serve"])
def test_a_missing_package_is_named(command: str) -> None:
    # As without the extra: the core has no dependency, the local pool has.
    program = f"import sys; sys.modules['jwt'] = None; from srpcore.cli import main; sys.exit(main([{command!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), timeout=30, check=False
    )
    error = Result(done.returncode, done.stdout, done.stderr).refused()
    assert error == "srpcore: PyJWT is not installed: pip install 'srpcore[local]'\n"


def test_a_closed_pipe_does_not_print_a_traceback(server: Server, user: str) -> None:
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
def test_a_full_disk_is_one_error_line(server: Server, user: str) -> None:
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
