"""The command line at a real terminal: secrets are not shown, and standard output has only the result."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.cli_processes import (
    IN_THE_BACKGROUND,
    SIGNALS_GO_TO_ANOTHER_THREAD,
    WITHOUT_CONTROLLING_TERMINAL,
    Server,
    Terminal,
    awaited,
)
from support.users import NEW_PASSWORD, PASSWORD

# These tests start one process or more each, so together they are too slow for the unit tier.
pytestmark = pytest.mark.slow


def test_password_is_not_shown_and_the_result_can_be_redirected(
    server: Server, admin: Any, user: str, tmp_path: Path
) -> None:
    result = tmp_path / "tokens.json"
    with result.open("wb") as stdout, Terminal("login", *server.pool(), stdout=stdout.fileno()) as terminal:
        terminal.answer("Username: ", user)
        terminal.answer("Password: ", PASSWORD)
        assert terminal.end() == 0
    assert user in terminal.shown
    assert PASSWORD not in terminal.shown
    assert "eyJ" not in terminal.shown
    tokens = json.loads(result.read_text())
    assert admin.get_user(AccessToken=tokens["access_token"])["Username"] == user


def test_questions_for_secrets_are_shown_even_if_errors_are_redirected(
    server: Server, user: str, tmp_path: Path
) -> None:
    with (
        (tmp_path / "errors").open("wb") as stderr,
        Terminal("login", *server.pool(), "--username", user, "--token", "id", stderr=stderr.fileno()) as terminal,
    ):
        terminal.answer("Password: ", PASSWORD)
        assert terminal.end() == 0
    assert "eyJ" in terminal.shown
    assert (tmp_path / "errors").read_bytes() == b""


def test_new_password_is_not_shown(server: Server, make_user: Callable[..., str]) -> None:
    user = make_user(permanent=False)
    with Terminal("login", *server.pool(), "--username", user) as terminal:
        terminal.answer("Password: ", PASSWORD)
        terminal.answer("New password: ", NEW_PASSWORD)
        terminal.answer("New password again: ", NEW_PASSWORD)
        assert terminal.end() == 0
    assert PASSWORD not in terminal.shown
    assert NEW_PASSWORD not in terminal.shown


def test_code_of_the_authenticator_app_is_not_shown(server: Server, totp_user: tuple[str, Callable[[], str]]) -> None:
    user, next_code = totp_user
    with Terminal("login", *server.pool(), "--username", user, "--token", "refresh") as terminal:
        terminal.answer("Password: ", PASSWORD)
        code = next_code()
        terminal.answer("Code of the authenticator app: ", code)
        assert terminal.end() == 0
    assert code not in terminal.shown


def test_code_by_sms_is_not_shown(server: Server, sms_user: tuple[str, str]) -> None:
    user, number = sms_user
    with Terminal("login", *server.pool(), "--username", user, "--token", "refresh") as terminal:
        terminal.answer("Password: ", PASSWORD)
        code = server.await_code(number)
        terminal.answer(f"{number[-4:]}: ", code)
        assert terminal.end() == 0
    assert code not in terminal.shown
    assert number not in terminal.shown


def test_wrong_password_is_one_error_line(server: Server, user: str) -> None:
    with Terminal("login", *server.pool(), "--username", user) as terminal:
        terminal.answer("Password: ", "wrong-Horse-9")
        assert terminal.end() == 3
    assert "Password: \r\nsrpcore: NotAuthorizedException" in terminal.shown
    assert "wrong-Horse-9" not in terminal.shown
    assert "Traceback" not in terminal.shown


QUESTIONS = {
    "Username: ": ["login"],
    "Password: ": ["login", "--username", "alice"],
    "Paste the token": ["verify"],
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_interrupt_ends_a_question(server: Server, question: str) -> None:
    with Terminal(*QUESTIONS[question], *server.pool()) as terminal:
        terminal.await_text(question)
        terminal.type("\x03")
        assert terminal.end() == 130, terminal.shown
        assert "Traceback" not in terminal.shown
        assert terminal.echoes()


@pytest.mark.parametrize("question", QUESTIONS)
def test_interrupt_that_does_not_interrupt_the_system_call_ends_the_question(server: Server, question: str) -> None:
    """Ctrl-C between the interpreter's check for signals and the start of the wait does not interrupt the wait.

    No test can aim at that gap, but a signal that goes to another thread has the same effect: Python's flag is set,
    and the main thread goes on waiting.
    """
    with Terminal(*QUESTIONS[question], *server.pool(), program=SIGNALS_GO_TO_ANOTHER_THREAD) as terminal:
        terminal.await_text(question)
        terminal.await_sleep()
        terminal.type("\x03")
        assert terminal.end() == 130, terminal.shown
        assert "Traceback" not in terminal.shown
        assert terminal.echoes()


@pytest.mark.parametrize(("question", "stopped_by"), [("Username: ", "SIGTTIN"), ("Password: ", "SIGTTOU")])
def test_question_in_the_background_waits_for_the_foreground(server: Server, question: str, stopped_by: str) -> None:
    with Terminal(*QUESTIONS[question], *server.pool(), program=IN_THE_BACKGROUND) as terminal:
        terminal.await_text(f"stopped by {stopped_by}")
        if question == "Username: ":
            terminal.type("alice\n")
        terminal.await_text("Password: ")
        terminal.type("wrong-Horse-9\n")
        assert terminal.end() == 3
        assert "srpcore: NotAuthorizedException" in terminal.shown
        assert "wrong-Horse-9" not in terminal.shown
        assert terminal.echoes()


def test_secret_is_not_shown_without_a_controlling_terminal(server: Server, user: str, tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with (
        errors.open("wb") as stderr,
        Terminal(
            *["login", *server.pool(), "--username", user, "--token", "id"],
            stderr=stderr.fileno(),
            program=WITHOUT_CONTROLLING_TERMINAL,
        ) as terminal,
    ):
        awaited(lambda: re.findall("Password: ", errors.read_text()))
        terminal.type(f"{PASSWORD}\n")
        assert terminal.end() == 0
        assert terminal.echoes()
    assert "eyJ" in terminal.shown
    assert PASSWORD not in terminal.shown
    assert errors.read_text() == "Password: \n"


def test_end_of_input_ends_a_question(server: Server) -> None:
    for question, options in (("Username: ", []), ("Password: ", ["--username", "alice"])):
        with Terminal("login", *server.pool(), *options) as terminal:
            terminal.await_text(question)
            terminal.type("\x04")
            assert terminal.end() == 2
            # The error is on a line of its own.
            assert "\nsrpcore: standard input ended" in terminal.shown
            assert "Traceback" not in terminal.shown
            assert terminal.echoes()


def test_verify_prints_that_it_waits_for_a_token(server: Server) -> None:
    with Terminal("verify", *server.pool()) as terminal:
        terminal.await_text("Paste the token")
        terminal.type("nonsense\n\x04")
        assert terminal.end() == 5


def test_interrupt_ends_the_server(server: Server) -> None:
    with Terminal("serve", "--port", "0") as terminal:
        terminal.await_text("Ctrl-C")
        terminal.type("\x03")
        assert terminal.end() == 0
    assert "Traceback" not in terminal.shown


def test_colours_are_used_at_a_terminal() -> None:
    with Terminal("demo") as terminal:
        assert terminal.end() == 0
    assert "\x1b[32m" in terminal.shown
