"""Answers from a terminal, read in this process."""

from __future__ import annotations

import errno
import getpass
import io
import os
import resource
import select
import selectors
import signal
import sys
import termios
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from srpcore.cli import prompt
from srpcore.cli.terminal import Selector, Terminal
from srpcore.exceptions import ConfigurationError

QUESTIONS = [prompt.ask, prompt.ask_secret]


class Window:
    """A terminal window: the program reads from ``program``, the person types with `type`."""

    def __init__(self) -> None:
        self.keys, self.program = os.openpty()

    def type(self, data: bytes) -> None:
        os.write(self.keys, data)

    def change(self, index: int, flag: int) -> None:
        """Turn off *flag* in the settings at *index*."""
        settings = termios.tcgetattr(self.program)
        settings[index] &= ~flag
        termios.tcsetattr(self.program, termios.TCSANOW, settings)

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self.program)[3] & termios.ECHO)

    def close(self) -> None:
        os.close(self.program)
        os.close(self.keys)


@pytest.fixture
def window() -> Iterator[Window]:
    window = Window()
    yield window
    window.close()


@pytest.fixture
def at_window(window: Window, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    """Make the window the standard input, and the only terminal of this process."""

    def no_controlling_terminal() -> Terminal:
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    monkeypatch.setattr(Terminal, "controlling", no_controlling_terminal)
    with open(window.program, encoding="utf-8", closefd=False) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield window


def before_each_wait(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Call *act* each time just before the process waits for a terminal."""
    wait = Selector.select

    def acting(selector: selectors.BaseSelector) -> Any:
        act()
        return wait(selector)

    monkeypatch.setattr(Selector, "select", acting)


@contextmanager
def many_open_files() -> Generator[None, None, None]:
    """Leave no descriptor below 1100 free, so that each file that is opened in the block gets one above."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 1200), hard))
    opened = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while opened[-1] < 1100:
            opened.append(os.dup(opened[0]))
        yield
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Lines.


@pytest.mark.parametrize("ask", QUESTIONS)
def test_answers_are_read_one_by_one(
    at_window: Window, ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_wait(monkeypatch, lambda: at_window.type("Ångström \r\n".encode()))
    at_window.change(0, termios.ICRNL)
    assert ask("Name: ") == "Ångström "
    assert ask("Name: ") == "Ångström "


def test_line_of_the_greatest_length_is_read_whole(window: Window) -> None:
    window.change(3, termios.ECHO)
    line = b"a" * 4000 + b"\n"
    window.type(line)
    with Terminal.at(window.program) as terminal:
        assert terminal.read_line() == line


def test_end_of_input_after_some_characters_ends_the_answer(at_window: Window) -> None:
    at_window.type(b"alice\x04\x04")
    assert prompt.ask("Name: ") == "alice"


@pytest.mark.parametrize("ask", QUESTIONS)
def test_end_of_input_is_an_error_on_a_line_of_its_own(
    at_window: Window, ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before_each_wait(monkeypatch, lambda: at_window.type(b"\x04"))
    with pytest.raises(ConfigurationError) as caught:
        ask("Name: ")
    assert str(caught.value) == "standard input ended before an answer to 'Name': give one line for each question"
    assert capsys.readouterr().err == "Name: \n"


@pytest.mark.parametrize("ask", QUESTIONS)
def test_answer_that_is_not_in_the_encoding_is_refused(
    at_window: Window, ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_wait(monkeypatch, lambda: at_window.type(b"secret\xff\n"))
    with pytest.raises(ConfigurationError) as caught:
        ask("Name: ")
    assert str(caught.value) == "could not decode the answer to 'Name': standard input must be utf-8"


@pytest.mark.parametrize("ask", QUESTIONS)
def test_terminal_that_cannot_be_read_is_an_error(
    at_window: Window, ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_terminal: Terminal) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Terminal, "read_line", fails)
    with pytest.raises(ConfigurationError) as caught:
        ask("Name: ")
    assert str(caught.value) == "could not read the answer to 'Name': Input/output error"
    assert at_window.echoes()


def test_next_line_is_kept_if_the_terminal_gives_several_at_once(window: Window) -> None:
    window.change(3, termios.ICANON)
    window.type(b"one\ntwo\n")
    for line in (b"one\n", b"two\n"):
        with Terminal.at(window.program) as terminal:
            assert terminal.read_line() == line


def test_everything_up_to_the_end_of_input_is_read(at_window: Window) -> None:
    at_window.type(b"one\ntwo\n\x04three\n")
    assert prompt.read_all() == "one\ntwo\n"
    assert prompt.ask("Name: ") == "three"


# Which terminal.


def test_standard_input_is_not_changed_for_other_processes(window: Window) -> None:
    with Terminal.at(window.program):
        assert os.get_blocking(window.program)


def test_terminal_that_cannot_be_opened_again_is_read_as_it_is(
    at_window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_descriptor: int) -> str:
        raise PermissionError

    monkeypatch.setattr(os, "ttyname", fails)
    # A read that comes before the wait would never end.
    before_each_wait(monkeypatch, lambda: at_window.type(b"alice\n"))
    assert prompt.ask("Name: ") == "alice"
    # The descriptor is still open.
    assert prompt.ask("Name: ") == "alice"


@pytest.mark.parametrize("module", ["termios", "srpcore.cli.terminal"])
def test_without_termios_the_answers_come_from_getpass_and_standard_input(
    at_window: Window, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.delitem(sys.modules, "srpcore.cli.terminal")
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(getpass, "getpass", "answer to {}".format)
    at_window.type(b"alice\nall\n\x04")
    assert prompt.ask("Name: ") == "alice"
    assert prompt.ask_secret("Password: ") == "answer to Password: "
    assert prompt.read_all() == "all\n"


def test_end_of_input_in_getpass_is_an_error_on_a_line_of_its_own(
    at_window: Window, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ends(_question: str) -> str:
        raise EOFError

    monkeypatch.setitem(sys.modules, "srpcore.cli.terminal", None)
    monkeypatch.setattr(getpass, "getpass", ends)
    with pytest.raises(ConfigurationError, match="standard input ended before an answer to 'Password'"):
        prompt.ask_secret("Password: ")
    assert capsys.readouterr().err == "\n"


def test_standard_input_without_a_descriptor_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Console(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Console("alice\nall\n"))
    assert prompt.ask("Name: ") == "alice"
    assert prompt.read_all() == "all\n"


# Signals.


def test_line_that_ctrl_c_discards_is_not_waited_for(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    """poll(2) reports a line, and Ctrl-C discards it before it is read: then read(2) must not wait."""
    waits: list[int] = []
    wait = Selector.select

    def reporting(selector: selectors.BaseSelector) -> Any:
        waits.append(len(waits))
        if len(waits) == 1:
            return [(key, key.events) for key in selector.get_map().values()]
        window.type(b"alice\n")
        return wait(selector)

    monkeypatch.setattr(Selector, "select", reporting)
    with Terminal.at(window.program) as terminal:
        assert terminal.read_line() == b"alice\n"
    assert len(waits) == 2


@pytest.mark.parametrize("ask", QUESTIONS)
def test_question_in_a_process_with_more_than_1024_open_files(
    at_window: Window, ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_wait(monkeypatch, lambda: at_window.type(b"alice\n"))
    with many_open_files():
        assert ask("Name: ") == "alice"


def test_other_signals_are_handled_during_the_wait_and_passed_on(window: Window) -> None:
    """asyncio, for example, learns of signals from the wake-up descriptor that it has set."""
    handled = threading.Event()
    passed_on: list[bytes] = []
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def handle(_number: int, _frame: FrameType | None) -> None:
        handled.set()

    def person() -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        if handled.wait(30) and select.select([reading], [], [], 30)[0]:
            passed_on.append(os.read(reading, 10))
        window.type(b"alice\n")

    own_handler = signal.signal(signal.SIGUSR1, handle)
    own_descriptor = signal.set_wakeup_fd(writing)
    try:
        with Terminal.at(window.program) as terminal:
            typing = threading.Thread(target=person, daemon=True)
            typing.start()
            assert terminal.read_line() == b"alice\n"
            typing.join()
        assert passed_on == [bytes([signal.SIGUSR1])]
        assert signal.set_wakeup_fd(-1) == writing
    finally:
        signal.set_wakeup_fd(own_descriptor)
        signal.signal(signal.SIGUSR1, own_handler)
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("ask", QUESTIONS)
def test_question_outside_the_main_thread(
    at_window: Window, ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[str] = []
    before_each_wait(monkeypatch, lambda: at_window.type(b"alice\n"))
    thread = threading.Thread(target=lambda: answers.append(ask("Name: ")), daemon=True)
    thread.start()
    thread.join(30)
    assert answers == ["alice"]


# Secrets.


def test_only_what_is_typed_after_the_question_is_the_secret(window: Window) -> None:
    shown_during_question: list[bool] = []

    def question() -> None:
        shown_during_question.append(window.echoes())
        window.type(b"secret\n")

    window.type(b"typed before\n")
    # The keys reach the terminal a little later.
    assert select.select([window.program], [], [], 30)[0]
    with Terminal.at(window.program) as terminal:
        assert terminal.read_secret(question) == b"secret\n"
    assert shown_during_question == [False]
    assert window.echoes()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_echo_is_restored_after_an_error(window: Window, error: type[BaseException]) -> None:
    def question() -> None:
        raise error

    with Terminal.at(window.program) as terminal, pytest.raises(error):
        terminal.read_secret(question)
    assert window.echoes()


def test_echo_is_restored_if_a_signal_interrupts_that(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    change = termios.tcsetattr
    calls: list[int] = []

    def interrupted(descriptor: int, when: int, settings: Any) -> None:
        calls.append(when)
        if len(calls) == 2:
            raise termios.error(errno.EINTR, "Interrupted system call")
        change(descriptor, when, settings)

    monkeypatch.setattr(termios, "tcsetattr", interrupted)
    with Terminal.at(window.program) as terminal:
        assert terminal.read_secret(lambda: window.type(b"secret\n")) == b"secret\n"
    assert window.echoes()
    assert calls[2:] == [termios.TCSANOW]


def test_settings_that_cannot_be_changed_are_an_error(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr(termios, "tcsetattr", fails)
    with Terminal.at(window.program) as terminal, pytest.raises(OSError, match="Input/output error") as caught:
        terminal.read_secret(lambda: None)
    assert caught.value.errno == errno.EIO


def test_question_waits_while_the_output_is_stopped(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open(os.ttyname(window.program), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    termios.tcflow(window.program, termios.TCOOFF)
    before_each_wait(monkeypatch, lambda: termios.tcflow(window.program, termios.TCOON))
    with Terminal(opened, shared=False) as terminal:
        terminal.write(b"Password: ")
    assert os.read(window.keys, 100) == b"Password: "


# Codes.


def typed_one_by_one(monkeypatch: pytest.MonkeyPatch, window: Window, *lines: str) -> None:
    left = iter(lines)
    before_each_wait(monkeypatch, lambda: window.type(f"{next(left)}\n".encode()))


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["", " ", "123 456"], "123456"),
        (["12345678"], "12345678"),
        ([" aBc dEf "], "aBc dEf"),
        (["１２ ３"], "１２ ３"),
    ],
)
def test_blanks_are_removed_from_a_code_of_digits_and_an_empty_line_repeats_the_question(
    at_window: Window, monkeypatch: pytest.MonkeyPatch, lines: list[str], code: str
) -> None:
    typed_one_by_one(monkeypatch, at_window, *lines)
    assert prompt.ask_code("Code: ") == code


def test_code_of_an_app_is_asked_for_until_it_has_six_digits(
    at_window: Window, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed_one_by_one(monkeypatch, at_window, "12345", "1234567", "abcdef", "", "１２３４５６", "123 456")
    assert prompt.ask_totp_code() == "123456"
    shown = capsys.readouterr().err
    assert shown.count("A code has six digits") == 4
    assert shown.count("Code of the authenticator app: ") == 6


@pytest.mark.parametrize("line", ["", "12345", "abc"])
@pytest.mark.parametrize("ask", [lambda: prompt.ask_code("Code: "), prompt.ask_totp_code])
def test_code_that_is_piped_in_is_returned_even_if_it_cannot_be_right(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[], str], line: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{line}\n"))
    assert ask() == line
