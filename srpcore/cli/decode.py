"""``srpcore decode``: show what is in a token, without verifying it."""

from __future__ import annotations

import argparse
import sys

from ..text import Style
from ..tokens.jws import parse
from .output import as_json, note, print_json, print_members
from .token_input import read_token
from .verify import readable_claims

__all__ = ["decode"]


def decode(arguments: argparse.Namespace) -> int:
    """Print the header and the claims of a token. Nothing is verified.

    Raises:
        TokenVerificationException: it is not a token.
        ConfigurationError: the token could not be read.
    """
    token = parse(read_token(arguments.file))
    header, claims = dict(token.header), token.claims()
    note("Not verified: anybody can write such a token. To verify it, use srpcore verify.")
    if as_json(arguments):
        print_json({"header": header, "claims": claims})
    else:
        style = Style(sys.stdout)
        print(style.paint("header", "bold"))
        print_members(header)
        print(style.paint("claims", "bold"))
        print_members(readable_claims(claims))
    return 0
