"""Read a token from a file or from standard input, never from an argument."""

from __future__ import annotations

import sys
from pathlib import Path

from ..exceptions.base import ConfigurationError
from ..exceptions.context import without_context
from ..text import without_tokens
from .prompt import at_terminal, read_all

__all__ = ["read_token"]


@without_context
def read_token(name: str) -> str:
    """Return the token in the file *name*, or on standard input if *name* is ``-``.

    Raises:
        ConfigurationError: the file cannot be read, or there is no token in it.
    """
    # The token is never a command-line argument, because other users of the machine can see those.
    if name == "-" and at_terminal():
        print("Paste the token, then end the input (Ctrl-D on an empty line):", file=sys.stderr)
    source = "standard input" if name == "-" else name
    try:
        token = read_all() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if without_tokens(name) != name:
            raise ConfigurationError(
                "a token was given as the name of a file: give the token on standard input, because other users of "
                "this machine can see the arguments of a command"
            ) from None
        raise ConfigurationError(f"could not read {source}: {type(error).__name__}") from None
    if not token.strip():
        raise ConfigurationError(f"no token in {source}: give the token on standard input, or name a file with it")
    return token.strip()
