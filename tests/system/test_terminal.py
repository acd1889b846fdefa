"""``srpcore login`` in tmux, a terminal that was not written for these tests: what a person sees and types there."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli_processes import SRPCORE, Server, environment, serving

from .programs import program

pytestmark = pytest.mark.system

USER, PASSWORD = "zoë", "Correct-Horse-1"
# Only bounds a hang.
_SECONDS = 60.0


class Pane:
    """A terminal with a shell, in a tmux server of its own."""

    def __init__(self, folder: Path) -> None:
        self._tmux = [program("tmux", "tmux"), "-u", "-S", str(folder / "socket"), "-f", "/dev/null"]
        # The prompt shows the exit status of the command before it. This shell has no line editor, so what is typed is
        # shown by the terminal itself, and only while its echo is on.
        self._run("new-session", "-d", "-x", "200", "-y", "50", "env", "PS1=[status $?] ", "sh")
        self.await_end("[status 0]")

    def type(self, text: str) -> None:
        """Type *text* and the Enter key."""
        self._run("send-keys", "-l", text)
        self.press("Enter")

    def press(self, key: str) -> None:
        """Press *key*, by its name in tmux."""
        self._run("send-keys", key)

    def await_end(self, end: str) -> str:
        """Return what is shown, once it ends with *end*."""
        deadline = time.monotonic() + _SECONDS
        while not (shown := self._shown()).endswith(end):
            assert time.monotonic() < deadline, f"{end!r} is not at the end of:\n{shown}"
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
        named = {"UserPoolId": server.user_pool_id, "Username": USER}
        admin.admin_create_user(**named, MessageAction="SUPPRESS")
        admin.admin_set_user_password(**named, Password=PASSWORD, Permanent=True)
        admin.close()
        yield server


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Pane]:
    pane = Pane(tmp_path)
    yield pane
    pane.close()


def start_log_in(pane: Pane, server: Server) -> None:
    pane.type(shlex.join([*SRPCORE, "login", *server.pool()]))
    pane.await_end("Username:")
    pane.type(USER)
    pane.await_end("Password:")


def test_log_in_shows_the_tokens_and_not_the_password(pane: Pane, server: Server) -> None:
    start_log_in(pane, server)
    pane.type(PASSWORD)
    shown = pane.await_end("[status 0]")
    assert f"Username: {USER}\n" in shown
    assert PASSWORD not in shown
    tokens = json.loads(shown[shown.index("{") : shown.rindex("}") + 1])
    admin = server.client()
    assert admin.get_user(AccessToken=tokens["access_token"])["Username"] == USER
    admin.close()


def test_log_in_with_a_wrong_password_shows_one_error(pane: Pane, server: Server) -> None:
    start_log_in(pane, server)
    pane.type("Incorrect-Horse-1")
    shown = pane.await_end("[status 1]")
    assert "Incorrect-Horse-1" not in shown
    assert shown.splitlines()[-2].startswith("srpcore: NotAuthorizedException")


def test_interrupt_at_the_password_leaves_the_terminal_with_echo(pane: Pane, server: Server) -> None:
    start_log_in(pane, server)
    pane.press("C-c")
    assert "Traceback" not in pane.await_end("[status 130]")
    pane.type("echo $((6 * 7))")
    assert pane.await_end("[status 0]").endswith("[status 130] echo $((6 * 7))\n42\n[status 0]")
