"""The command line: ``srpcore login``, ``token``, ``verify``, ``users``, ``serve`` and others.

Results are printed to standard output, and everything else to standard error. :mod:`srpcore.cli.exit_status` has the
exit status for each kind of failure.

Theory of operation
===================

Each command is a function that takes the parsed arguments and returns the exit status. Its module is imported only when
the command is run, because a user waits for each import::

    parser.py      the commands and their options; each names its function as "module:function";
                   with administration.py (users, groups) and options.py (what several commands share)
    settings.py    which pool, app client and user: options, environment, profile, last login
    output.py      tables for a terminal, JSON for a program, progress
    prompt.py      questions to the user
    the others     the commands, by subject
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from ..exceptions.base import SrpcoreError, TransportError
from ..text import printable, without_tokens
from .exit_status import ExitStatus, exit_status
from .parser import make_parser

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in *argv*, by default the arguments of the process, and return the exit status."""
    arguments = make_parser().parse_args(argv)
    try:
        status = _command(arguments)(arguments)
        # Flush here. At the exit of the interpreter, an error (the disk is full, the reader of the pipe has ended)
        # would print a traceback.
        _flush()
    except SrpcoreError as error:
        hint = _hint(error)
        message = without_tokens(printable(str(error))).strip() + (f" ({hint})" if hint else "")
        print(f"srpcore: {message}", file=sys.stderr)
        return exit_status(error)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return ExitStatus.FAILURE
    except OSError as error:
        if error.filename is None:
            _drop_output()
        name = "" if error.filename is None else f" to {printable(os.fsdecode(error.filename))}"
        print(f"srpcore: could not write the result{name}: {error.strerror}", file=sys.stderr)
        return ExitStatus.FAILURE
    return status


def _hint(error: SrpcoreError) -> str:
    """Return what to do about *error*, in one line, or an empty string."""
    if isinstance(error, TransportError) and error.reason == "connect" and _is_local(error.url):
        return "is srpcore serve, or the emulator, still running there?"
    hint: str = getattr(error, "hint", "")
    return hint.replace("\n", "; ")


def _is_local(url: str) -> bool:
    from urllib.parse import urlsplit

    from ..pool import is_loopback

    return is_loopback(urlsplit(url).hostname or "")


def _command(arguments: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    module, _, name = str(arguments.command).partition(":")
    command: Callable[[argparse.Namespace], int] = getattr(import_module(f"{__name__}.{module}"), name)
    return command


def _flush() -> None:
    # It is None if the process was started with standard output closed.
    if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]
        sys.stdout.flush()


def _drop_output() -> None:
    # The data that could not be written is still in the buffer, and the interpreter writes it again at exit. Let that
    # write go to the null device.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
