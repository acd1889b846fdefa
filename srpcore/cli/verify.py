"""``srpcore verify``: verify a token, and print its claims."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Final

from ..client import Cognito
from ..text import Style
from .output import as_json, format_time, print_json, print_members
from .settings import settings_of
from .token_input import read_token

__all__ = ["readable_claims", "verify"]

_TIMES: Final = ("exp", "iat", "auth_time", "nbf")


def verify(arguments: argparse.Namespace) -> int:
    """Verify a token and print its claims.

    Raises:
        SrpcoreError: the token is not accepted, or could not be read or verified.
    """
    settings = settings_of(arguments)
    with Cognito(
        settings.required("user_pool_id"),
        settings.required("client_id"),
        # Not from AWS_ENDPOINT_URL: an environment variable must not change which keys are trusted.
        endpoint_url=settings.trusted_endpoint(),
        allow_http=settings.allow_http,
    ) as pool:
        claims = pool.verify_token(read_token(arguments.file), f"{arguments.use}_token", arguments.use)
    if as_json(arguments):
        print_json(dict(claims))
    else:
        style = Style(sys.stdout)
        print(f"{style.paint(style.sign('tick'), 'green')} valid {arguments.use} token of {settings.user_pool_id}")
        print_members(readable_claims(claims))
    return 0


def readable_claims(claims: Mapping[str, object]) -> dict[str, object]:
    """Return *claims* with the times as dates."""
    return {
        name: format_time(value) if name in _TIMES and isinstance(value, (int, float)) else value
        for name, value in claims.items()
    }
