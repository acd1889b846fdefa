"""``srpcore verify``: verify a token, and print its claims."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..client import Cognito
from ..exceptions.base import ConfigurationError
from ..exceptions.context import without_context
from ..pool import Pool, default_endpoint
from ..text import without_tokens
from .prompt import at_terminal, read_all

__all__ = ["verify"]


def verify(arguments: argparse.Namespace) -> int:
    """Verify a token and print its claims.

    Raises:
        SrpcoreError: the token is not accepted, or could not be read or verified.
    """
    with Cognito(
        arguments.user_pool_id,
        arguments.client_id,
        # Not from AWS_ENDPOINT_URL: an environment variable must not change which keys are trusted.
        endpoint_url=arguments.endpoint_url or default_endpoint(Pool(arguments.user_pool_id).region),
        allow_http=arguments.allow_http,
    ) as pool:
        claims = pool.verify_token(_read(arguments.file), f"{arguments.use}_token", arguments.use)
    print(json.dumps(dict(claims), indent=2))
    return 0


@without_context
def _read(name: str) -> str:
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
