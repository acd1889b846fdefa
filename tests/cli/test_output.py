"""What commands print: tables and dates for people, JSON for programs, no control characters; and decode."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from srpcore.cli.output import format_time, print_json, print_members, print_table
from srpcore.cli.qr_code import _key_uri
from support.cli_processes import Result, Terminal, environment
from support.minting import access_claims, mint


def test_columns_are_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME", "ENABLED"), [("a", True), ("long name", False), ("", None)])
    assert capsys.readouterr().out == "NAME       ENABLED\na          yes\nlong name  no\n\n"


def test_no_rows_are_a_line_of_heads(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME", "ENABLED"), [])
    assert capsys.readouterr().out == "NAME  ENABLED\n"


def test_control_characters_of_the_service_are_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_members({"name": "a\x1b[31mb\nc", "groups": ["d\r", "e"]})
    assert capsys.readouterr().out == "name    a?[31mb c\ngroups  d , e\n"


def test_dates_in_json_are_iso_8601(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"at": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-01-02T03:04:05.678+00:00"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "in 0 seconds"),
        (1, "in 1 second"),
        (-59, "59 seconds ago"),
        (60, "in 1 minute"),
        (-3600, "1 hour ago"),
        (86400 * 3 + 5, "in 3 days"),
    ],
)
def test_a_date_has_the_distance_from_now(seconds: float, words: str) -> None:
    assert format_time(1e9 + seconds, 1e9).endswith(f"({words})")


def test_a_time_that_is_not_a_date_is_printed_as_it_is() -> None:
    assert format_time(1e300) == "1e+300"


def test_decode_prints_header_and_claims_and_that_nothing_is_verified(run_here: Callable[..., Result]) -> None:
    token = mint(access_claims(exp=1))
    result = run_here("decode", stdin=f"{token[:-4]}AAAA\n")
    assert result.status == 0
    assert "Not verified" in result.stderr
    assert json.loads(result.stdout)["claims"] == access_claims(exp=1)
    assert json.loads(result.stdout)["header"]["alg"] == "RS256"
    run_here("decode", stdin="nonsense").refused(5)


@pytest.mark.slow
def test_decode_prints_times_as_dates_on_a_terminal() -> None:
    token = mint(access_claims(exp=1))
    with Terminal("decode", settings={"TZ": "UTC", "NO_COLOR": "1"}) as terminal:
        terminal.await_text("Paste the token")
        for start in range(0, len(token), 1000):
            terminal.type(token[start : start + 1000])
        terminal.type("\n\x04")
        assert terminal.end() == 0
    assert "1970-01-01 00:00:01 (" in terminal.shown
    assert "years ago" in terminal.shown or "days ago" in terminal.shown
    assert "\x1b[" not in terminal.shown


def test_the_uri_of_an_authenticator_app_names_the_account() -> None:
    uri = _key_uri("ABC234", "ann@example.com", "eu-west-1_AbCd12345")
    assert uri == "otpauth://totp/ann@example.com?secret=ABC234&issuer=eu-west-1_AbCd12345"
    assert _key_uri("ABC234", "", "A b") == "otpauth://totp/A%20b?secret=ABC234&issuer=A%20b"


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_completion_of_each_shell_has_all_commands(shell: str, run_here: Callable[..., Result]) -> None:
    result = run_here("completion", shell)
    assert result.status == 0
    options = () if shell == "tcsh" else ("--user-pool-id",)  # shtab completes only commands for tcsh
    for word in ("login", "whoami", "users", "export", *options):
        assert word in result.stdout


@pytest.mark.slow
def test_bash_completes_a_command() -> None:
    script = subprocess.run(
        [sys.executable, "-m", "srpcore", "completion", "bash"],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    ).stdout
    program = f"{script}\nCOMP_WORDS=(srpcore who); COMP_CWORD=1; _shtab_srpcore; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "whoami"


@pytest.mark.slow
@pytest.mark.parametrize(("module", "command"), [("shtab", ["completion", "bash"]), ("segno", ["decode", "-"])])
def test_the_command_line_works_without_the_extra(module: str, command: list[str]) -> None:
    program = f"import sys; sys.modules[{module!r}] = sys.modules['rich'] = None; from srpcore.cli import main; "
    done = subprocess.run(
        [sys.executable, "-c", f"{program}sys.exit(main({command!r}))"],
        input=mint(access_claims()),
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    if module == "shtab":
        assert done.stderr == "srpcore: shtab is not installed: pip install 'srpcore[cli]'\n"
        assert done.returncode == 2
    else:
        assert done.returncode == 0
