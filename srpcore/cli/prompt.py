"""Ask the person at the terminal; standard output stays free for results."""

from __future__ import annotations

import getpass
import sys

from ..exceptions.base import ConfigurationError

__all__ = ["ask", "ask_secret"]


def ask(question: str) -> str:
    """Return the answer to *question*, shown as it is typed; from standard input where that is no terminal.

    Raises:
        ConfigurationError: standard input ended.
    """
    if sys.stdin.isatty():
        print(question, end="", file=sys.stderr, flush=True)
    return _line(question)


def ask_secret(question: str) -> str:
    """Return the answer to *question*, not shown; from standard input where that is no terminal.

    Raises:
        ConfigurationError: standard input ended.
    """
    if not sys.stdin.isatty():
        return _line(question)
    try:
        return getpass.getpass(question, stream=sys.stderr)
    except EOFError:
        raise _ended(question) from None


def _line(question: str) -> str:
    line = sys.stdin.readline()
    if not line:
        raise _ended(question)
    return line.removesuffix("\n").removesuffix("\r")


def _ended(question: str) -> ConfigurationError:
    return ConfigurationError(f"standard input ended before an answer to {question.strip(' :')!r}: give one line each")
