"""Prompt the user at the terminal. Prompts are not printed to standard output, which is for results only.

Theory of operation
===================

A Ctrl-C can arrive after the interpreter has checked for signals and before the system call that waits for input. A
plain read then waits for the next key, and the program seems to hang. So the answers from a terminal are read by
`terminal`, whose docstring explains how it avoids that::

    standard input is a terminal        ask(), read_all(): terminal.Terminal, opened from standard input
                                        ask_secret():      terminal.Terminal, /dev/tty if it can be opened
    ... and Python has no termios       sys.stdin and getpass (Windows)
    standard input is a pipe or a file  sys.stdin, one line for each question

Each question reads exactly one line and leaves the next line for the next question.
"""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..exceptions.base import ConfigurationError
from ..exceptions.context import without_context
from ..text import printable
from .output import note

if TYPE_CHECKING:
    from .terminal import Terminal

__all__ = ["ask", "ask_code", "ask_secret", "ask_totp_code", "at_terminal", "read_all"]


def at_terminal() -> bool:
    """Return whether standard input is a terminal. If it is not, answers are read from it line by line."""
    # It is None if the process was started with standard input closed.
    return sys.stdin is not None and sys.stdin.isatty()  # pyright: ignore[reportUnnecessaryComparison]


def ask(question: str) -> str:
    """Return the answer to *question*, which is shown as it is typed, or a line of standard input if that is a pipe.

    Raises:
        ConfigurationError: standard input ended, could not be read, or could not be decoded.
    """
    return _answer(question, _read_shown if at_terminal() else _read_line)


def ask_secret(question: str) -> str:
    """Return the answer to *question*, which is not shown, or a line of standard input if that is a pipe.

    Raises:
        ConfigurationError: standard input ended, could not be read, or could not be decoded.
    """
    return _answer(question, _read_secret if at_terminal() else _read_line)


def ask_code(question: str) -> str:
    """Return the code that answers *question*, which is not shown, or a line of standard input if that is a pipe.

    Blanks are removed from a code of digits, because many apps and messages show "123 456". At a terminal an empty line
    repeats the question.

    Raises:
        ConfigurationError: standard input ended, could not be read, or could not be decoded.
    """
    while True:
        code = _without_blanks(ask_secret(question))
        if code or not at_terminal():
            return code


def ask_totp_code() -> str:
    """Return the code of an authenticator app, as :func:`ask_code` does.

    At a terminal an answer that is not six digits repeats the question.

    Raises:
        ConfigurationError: standard input ended, could not be read, or could not be decoded.
    """
    while True:
        code = ask_code("Code of the authenticator app: ")
        if not at_terminal() or re.fullmatch("[0-9]{6}", code):
            return code
        note("A code has six digits: enter the one that the app shows now.")


def _without_blanks(code: str) -> str:
    joined = "".join(code.split())
    return joined if re.fullmatch("[0-9]+", joined) else code.strip()


def read_all() -> str:
    """Return what is on standard input, up to its end.

    Raises:
        OSError: standard input could not be read.
        UnicodeDecodeError: it could not be decoded.
    """
    terminal = _terminal()
    if terminal is None:
        return sys.stdin.read() if sys.stdin is not None else ""  # pyright: ignore[reportUnnecessaryComparison]
    with terminal:
        return terminal.read_all().decode(sys.stdin.encoding)


@without_context
def _answer(question: str, read: Callable[[str], str]) -> str:
    try:
        line = read(question)
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"could not decode the answer to {_name(question)}: standard input must be {sys.stdin.encoding}"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"could not read the answer to {_name(question)}: {error.strerror}") from None
    if not line:
        raise ConfigurationError(
            f"standard input ended before an answer to {_name(question)}: give one line for each question"
        )
    return line.removesuffix("\n").removesuffix("\r")


# Each of these returns a line with its newline, or an empty string at the end of input.


def _read_line(_question: str = "") -> str:
    terminal = _terminal()
    if terminal is None:
        return sys.stdin.readline() if sys.stdin is not None else ""  # pyright: ignore[reportUnnecessaryComparison]
    with terminal:
        return terminal.read_line().decode(sys.stdin.encoding)


def _read_shown(question: str) -> str:
    _show(question)
    line = _read_line()
    if not line.endswith("\n"):
        # After Ctrl-D the cursor is still on the line of the question.
        print(file=sys.stderr)
    return line


def _read_secret(question: str) -> str:
    controlling = _controlling_terminal()
    if controlling is not None:
        # The question goes to the terminal itself, even if standard error goes to a file.
        shown = printable(question).encode(sys.stdin.encoding, "replace")
        with controlling:
            line = controlling.read_secret(lambda: controlling.write(shown))
            controlling.write(b"\n")
        return line.decode(sys.stdin.encoding)
    terminal = _terminal()
    if terminal is not None:
        with terminal:
            line = terminal.read_secret(lambda: _show(question))
        print(file=sys.stderr)
        return line.decode(sys.stdin.encoding)
    return _read_getpass(question)


def _read_getpass(question: str) -> str:
    try:
        return getpass.getpass(printable(question)) + "\n"
    except EOFError:
        print(file=sys.stderr)
        return ""


def _terminal() -> Terminal | None:
    """Return the terminal at standard input, or None if only `sys.stdin` can read it.

    None means one of these: standard input is not a terminal; Python has no termios (Windows, WebAssembly); the program
    that calls this one has replaced `sys.stdin` with an object that does not have a descriptor.
    """
    if not at_terminal():
        return None
    try:
        from .terminal import Terminal

        return Terminal.at(sys.stdin.fileno())
    except (ImportError, AttributeError, OSError, ValueError):
        return None


def _controlling_terminal() -> Terminal | None:
    try:
        from .terminal import Terminal

        return Terminal.controlling()
    except (ImportError, OSError):
        return None


def _show(question: str) -> None:
    print(printable(question), end="", file=sys.stderr, flush=True)


def _name(question: str) -> str:
    return repr(question.strip(" :"))
