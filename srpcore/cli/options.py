"""The options that several commands have, and how a command is added to the parser."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn, Protocol

from ..text import without_tokens

__all__ = [
    "Commands",
    "Parser",
    "add_administrator",
    "add_command",
    "add_endpoint",
    "add_group",
    "add_json",
    "add_pool",
    "add_store",
]


class Parser(argparse.ArgumentParser):
    """A parser whose errors do not show a token that was given by mistake. It lists the commands if none is given."""

    def error(self, message: str) -> NoReturn:
        """Print *message* and the usage, and end the process."""
        if message.endswith(": COMMAND"):  # the argument that is required
            self.print_help(sys.stderr)
            self.exit(2)
        super().error(without_tokens(message))


class Commands(Protocol):
    """Where commands are added: what ``ArgumentParser.add_subparsers`` returns."""

    def add_parser(self, name: str, *, help: str, description: str) -> Parser:
        """Add a command."""
        ...


def add_command(commands: Commands, name: str, command: str, help: str, description: str = "") -> Parser:
    """Add a command, and return its parser. *command* is "module:function"."""
    parser = commands.add_parser(name, help=help, description=description or f"{help[0].upper()}{help[1:]}.")
    parser.set_defaults(command=command)
    return parser


def add_group(commands: Commands, name: str, help: str) -> Commands:
    """Add a command that has commands of its own, and return where to add those."""
    parser = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    return parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Parser)


def add_pool(parser: Parser, *, user: bool = True, client: bool = True) -> None:
    """Add the options that name the pool, the app client and the user."""
    parser.add_argument("--profile", metavar="NAME", help="the profile with the settings (default: $SRPCORE_PROFILE)")
    parser.add_argument(
        "--user-pool-id",
        help="the user pool's id, such as eu-west-1_AbCd12345 (default: $SRPCORE_USER_POOL_ID)",
    )
    if client:
        parser.add_argument("--client-id", help="the id of the app client (default: $SRPCORE_CLIENT_ID)")
    if user:
        parser.add_argument("--username", help="the user's name or alias (default: $SRPCORE_USERNAME)")
    parser.add_argument("--region", help="the region, if it is not that of the user pool (a replica)")
    add_endpoint(parser)


def add_endpoint(parser: Parser) -> None:
    """Add the options for an emulator."""
    parser.add_argument("--endpoint-url", help="the URL of the service, if it is not AWS")
    parser.add_argument(
        "--allow-http", action="store_true", help="allow an endpoint with plain http on another machine (an emulator)"
    )


def add_administrator(parser: Parser) -> None:
    """Add the options of a command that needs AWS credentials."""
    add_pool(parser, user=False)
    parser.add_argument(
        "--aws-profile", metavar="NAME", help="the profile with the AWS credentials (default: $AWS_PROFILE)"
    )


def add_json(parser: Parser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON on a terminal too")


def add_store(parser: Parser) -> None:
    """Add ``--store``."""
    parser.add_argument(
        "--store",
        choices=("file", "keyring", "none"),
        help="where the login is kept (default: $SRPCORE_STORE or file)",
    )
