"""``srpcore verify``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..client import Cognito
from ..exceptions.base import ConfigurationError

__all__ = ["verify"]


def verify(arguments: argparse.Namespace) -> int:
    """Verify a token and print its claims.

    Raises:
        SrpcoreError: the token is not accepted, or could not be read or verified.
    """
    token = _read(arguments.file)
    with Cognito(arguments.user_pool_id, arguments.client_id, endpoint_url=arguments.endpoint_url) as pool:
        claims = pool.verify_token(token, f"{arguments.use}_token", arguments.use)
    print(json.dumps(dict(claims), indent=2))
    return 0


def _read(name: str) -> str:
    # From a file and never an argument: other users see a process's arguments.
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name} could not be read: {type(error).__name__}") from None
    return text.strip()
