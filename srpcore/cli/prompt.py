"""Ask the person at the terminal; standard output stays free for results."""

from __future__ import annotations

import getpass
import sys

from ..exceptions.base import ConfigurationError
from .style import printable

__all__ = ["ask", "ask_secret", "at_terminal"]


def at_terminal() -> bool:
    """Return whether standard input is a terminal: if not, answers are read from it line by line."""
    # It is None where the process was started with it closed.
    return sys.stdin is not None and sys.stdin.isatty()  # pyright: ignore[reportUnnecessaryComparison]


def ask(question: str) -> str:
    """Return the answer to *question*, shown as it is typed; from standard input where that is no terminal.

    Raises:
        ConfigurationError: standard input ended, or is not text in its encoding.
    """
    if not at_terminal():
        return _line(question)
    print(printable(question), end="", file=sys.stderr, flush=True)
    try:
        return _line(question)
    except ConfigurationError:
        print(file=sys.stderr)
        raise


def ask_secret(question: str) -> str:
    """Return the answer to *question*, not shown; from standard input where that is no terminal.

    Raises:
        ConfigurationError: standard input ended, or is not text in its encoding.
    """
    if not at_terminal():
        return _line(question)
    try:
        # The question goes to the terminal itself, wherever standard error goes.
        return getpass.getpass(printable(question))
    except EOFError:
        print(file=sys.stderr)
        raise _ended(question) from None
    except UnicodeDecodeError:
        raise _not_text(question) from None


def _line(question: str) -> str:
    try:
        line = sys.stdin.readline() if sys.stdin is not None else ""  # pyright: ignore[reportUnnecessaryComparison]
    except UnicodeDecodeError:
        raise _not_text(question) from None
    if not line:
        raise _ended(question)
    return line.removesuffix("\n").removesuffix("\r")


def _ended(question: str) -> ConfigurationError:
    return ConfigurationError(f"standard input ended before an answer to {_name(question)}: give one line each")


def _not_text(question: str) -> ConfigurationError:
    return ConfigurationError(
        f"the answer to {_name(question)} is not text: standard input must be {sys.stdin.encoding}"
    )


def _name(question: str) -> str:
    return repr(question.strip(" :"))
