"""The command line in tmux, a terminal that was not written for these tests: what a person sees and types there."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import segno

from srpcore.crypto.totp import totp
from support.cli_processes import KEYS, SRPCORE, Server, environment, serving

from .programs import program

pytestmark = pytest.mark.system

USER, PASSWORD = "zoë", "Correct-Horse-1"
# The export asks for the groups of each, so it does not end before it is interrupted. That of 150 users took 0.2 seconds,
# within which a busy machine may not run tmux.
_OTHERS = 1000
# Only bounds a hang.
_SECONDS = 60.0


class Pane:
    """A terminal with a shell, in a tmux server of its own."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._tmux = [program("tmux", "tmux"), "-u", "-S", str(folder / "socket"), "-f", "/dev/null"]
        # The prompt shows the exit status of the command before it. This shell has no line editor, so what is typed is
        # shown by the terminal itself, and only while its echo is on.
        settings = {
            "PS1": "[status $?] ",
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "SRPCORE_USER_POOL_ID": server.user_pool_id,
            "SRPCORE_CLIENT_ID": server.client_id,
            **KEYS,
        }
        variables = [f"{name}={value}" for name, value in settings.items()]
        self._run("new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), "env", *variables, "sh")
        self.await_end("[status 0]")

    def type(self, text: str) -> None:
        """Type *text* and the Enter key."""
        self._run("send-keys", "-l", text)
        self.press("Enter")

    def press(self, key: str) -> None:
        """Press *key*, by its name in tmux."""
        self._run("send-keys", key)

    def srpcore(self, *arguments: str) -> None:
        """Type a command, and wait until the terminal shows it: before that, the screen ends with the last prompt."""
        prompt = self._shown()
        self.type(shlex.join([*SRPCORE, *arguments]))
        self._await(lambda shown: shown != prompt, "the command")

    def await_text(self, text: str) -> str:
        """Return what is shown, once *text* is in it."""
        return self._await(lambda shown: text in shown, text)

    def await_end(self, end: str) -> str:
        """Return what is shown, once it ends with *end*."""
        return self._await(lambda shown: shown.endswith(end), end)

    def screen(self) -> list[str]:
        """Return the lines that are visible."""
        return self._run("capture-pane", "-p").splitlines()

    def clear(self) -> None:
        """Forget what was shown."""
        self._run("send-keys", "-R")
        self._run("clear-history")
        self.type("")
        self.await_end("[status 0]")

    def _await(self, condition: Callable[[str], bool], text: str) -> str:
        deadline = time.monotonic() + _SECONDS
        while not condition(shown := self._shown()):
            assert time.monotonic() < deadline, f"{text!r} is not shown, but:\n{shown}"
            time.sleep(0.05)
        return shown

    def close(self) -> None:
        """End the shell and the tmux server."""
        self._run("kill-server")

    def _shown(self) -> str:
        # With lines that have scrolled away, and with wrapped lines joined.
        return self._run("capture-pane", "-p", "-J", "-S", "-").rstrip()

    def _run(self, *arguments: str) -> str:
        command = [*self._tmux, *arguments]
        done = subprocess.run(command, check=True, capture_output=True, env=environment(), timeout=_SECONDS)
        return done.stdout.decode()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        admin = server.client()
        for name in (USER, *(f"user-{number}" for number in range(_OTHERS))):
            admin.admin_create_user(UserPoolId=server.user_pool_id, Username=name, MessageAction="SUPPRESS")
        admin.admin_set_user_password(UserPoolId=server.user_pool_id, Username=USER, Password=PASSWORD, Permanent=True)
        admin.close()
        yield server


@pytest.fixture
def pane(tmp_path: Path, server: Server) -> Iterator[Pane]:
    pane = Pane(tmp_path, server)
    yield pane
    pane.close()


def start_log_in(pane: Pane, server: Server) -> None:
    pane.srpcore("login", "--endpoint-url", server.url)
    pane.await_end("Username:")
    pane.type(USER)
    pane.await_end("Password:")


def log_in(pane: Pane, server: Server) -> str:
    start_log_in(pane, server)
    pane.type(PASSWORD)
    return pane.await_end("[status 0]")


def test_log_in_shows_a_summary_and_neither_the_password_nor_a_token(pane: Pane, server: Server) -> None:
    shown = log_in(pane, server)
    assert f"Username: {USER}\n" in shown
    assert f"logged in as {USER}\n" in shown
    assert PASSWORD not in shown
    assert "eyJ" not in shown
    pane.srpcore("whoami")
    assert re.search(rf"^username +{USER}$", pane.await_end("[status 0]"), re.MULTILINE)


def test_log_in_with_a_wrong_password_shows_one_error(pane: Pane, server: Server) -> None:
    start_log_in(pane, server)
    pane.type("Incorrect-Horse-1")
    shown = pane.await_end("[status 3]")
    assert "Incorrect-Horse-1" not in shown
    assert "\nsrpcore: NotAuthorizedException" in shown


def test_interrupt_at_the_password_leaves_the_terminal_with_echo(pane: Pane, server: Server) -> None:
    start_log_in(pane, server)
    pane.press("C-c")
    assert "Traceback" not in pane.await_end("[status 130]")
    pane.type("echo $((6 * 7))")
    assert pane.await_end("[status 0]").endswith("[status 130] echo $((6 * 7))\n42\n[status 0]")


def test_authenticator_app_is_set_up_by_a_qr_code_that_fits_24_lines(pane: Pane, server: Server) -> None:
    log_in(pane, server)
    pane.srpcore("mfa", "setup", "--endpoint-url", server.url)
    shown = pane.await_end("Code of the authenticator app:")
    secret = shown.split("Secret for the authenticator app: ")[1].split()[0]
    uri = f"otpauth://totp/zo%C3%AB?secret={secret}&issuer={server.user_pool_id}"
    code = segno.make_qr(uri, error="l", boost_error=False)
    assert modules(pane.screen()) == [list(map(bool, row)) for row in code.matrix_iter(border=2)]
    pane.type(totp(secret, time.time()))
    pane.await_end("[status 0]")
    # The next login needs the app. Its first code is mistyped.
    pane.clear()
    pane.srpcore("login")
    pane.await_end("Password:")
    pane.type(PASSWORD)
    pane.await_end("Code of the authenticator app:")
    pane.type("000000")
    pane.await_end("That code is wrong: enter the newest one.\nCode of the authenticator app:")
    pane.type(totp(secret, time.time() + 30))
    assert f"logged in as {USER}\n" in pane.await_end("[status 0]")
    pane.srpcore("mfa", "off")
    pane.await_end("[status 0]")


def modules(screen: list[str]) -> list[list[bool]]:
    """Return which modules of the QR code on the *screen* are dark. The question is in the line below it."""
    rows: list[list[bool]] = []
    lines = screen[: screen.index("Code of the authenticator app:")]
    width = max(map(len, lines)) + 2  # with the border, whose spaces tmux leaves out
    for line in lines:
        rows += [[block in blocks for block in line.ljust(width)] for blocks in ("▀█", "▄█")]
    return rows[:width]


def test_export_can_be_interrupted_and_goes_on(pane: Pane, server: Server, tmp_path: Path) -> None:
    log_in(pane, server)
    pane.srpcore("users", "list", "--limit", "2")
    assert re.search(r"\nUSERNAME  +STATUS .*\n.*\n.*\n\[status 0\]$", pane.await_end("[status 0]"))
    pane.srpcore("users", "export", "users.jsonl", "--groups")
    pane.await_text("users ━")
    pane.press("C-c")
    shown = pane.await_end("[status 130]")
    assert "Interrupted: run the same command again to go on" in shown
    assert "Traceback" not in shown
    pane.srpcore("users", "export", "users.jsonl", "--groups")
    assert f"{_OTHERS + 1} users were written to users.jsonl" in pane.await_end("[status 0]")
    names = re.findall(r'"username": ?"([^"]+)"', (tmp_path / "users.jsonl").read_text("utf-8"))
    assert len(names) == len(set(names)) == _OTHERS + 1
