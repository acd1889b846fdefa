"""The command line: ``srpcore login``, ``verify``, ``serve``, ``demo``.

Results go to standard output, all else to standard error. The exit status is 0, or 1 where something was refused or
failed, 2 for a wrong call, 130 when interrupted; an interrupt and SIGTERM are how ``serve`` ends, with 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from .._version import __version__
from ..exceptions.base import SrpcoreError
from ..resolve import transport_module
from .login import login
from .style import printable
from .verify import verify

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* (else the process's arguments) names, and return the exit status."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        status = command(arguments)
        # Here and not at the interpreter's exit, where a full disk or a reader that left would be a traceback.
        _flush()
    except SrpcoreError as error:
        print(f"srpcore: {printable(str(error)).strip()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:
        _drop_output()
        return 1
    except OSError as error:
        _drop_output()
        print(f"srpcore: the result could not be written: {error.strerror}", file=sys.stderr)
        return 1
    return status


def _flush() -> None:
    if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison] - closed by who started the process
        sys.stdout.flush()


def _drop_output() -> None:
    # What could not be written stays in the buffer: let the exit write it to nowhere.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="srpcore", description="Log in to Amazon Cognito user pools.")
    parser.add_argument("--version", action="version", version=f"srpcore {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_login(commands)
    _add_verify(commands)
    _add_serve(commands)
    _add_demo(commands)
    return parser


def _add_login(commands: Any) -> None:
    parser = commands.add_parser(
        "login",
        help="log in and print the tokens",
        description="Log in by SRP and print the tokens as JSON. Password and codes are asked for, or read line by "
        "line from standard input where that is no terminal. The app client's secret is read from "
        "SRPCORE_CLIENT_SECRET.",
    )
    _add_pool(parser)
    parser.add_argument("--username", help="the user's name or alias; asked for if not given")
    parser.add_argument("--token", choices=("access", "id", "refresh"), help="print only this token, bare")
    parser.set_defaults(command=login)


def _add_verify(commands: Any) -> None:
    parser = commands.add_parser(
        "verify",
        help="verify a token and print its claims",
        description="Verify a token of the pool and print its claims as JSON; the exit status is 1 if it is not "
        "accepted. The key set is fetched, or read from COGNITO_JWKS.",
    )
    _add_pool(parser)
    parser.add_argument(
        "--use", choices=("access", "id"), default="access", help="what the token must be (%(default)s)"
    )
    parser.add_argument(
        "file", nargs="?", default="-", help="the file with the token; - is standard input (%(default)s)"
    )
    parser.set_defaults(command=verify)


def _add_pool(parser: argparse.ArgumentParser) -> None:
    for option, variable, text in (
        ("--user-pool-id", "SRPCORE_USER_POOL_ID", "the user pool, such as eu-west-1_AbCd12345"),
        ("--client-id", "SRPCORE_CLIENT_ID", "the app client"),
    ):
        value = os.environ.get(variable) or None
        parser.add_argument(option, default=value, required=value is None, help=f"{text}; else {variable}")
    parser.add_argument("--endpoint-url", help="where the service is, if it is not AWS")


def _add_serve(commands: Any) -> None:
    parser = commands.add_parser(
        "serve",
        help="serve an embedded user pool over HTTP",
        description="Serve an embedded user pool, in memory, over HTTP. Codes that would be sent by e-mail or SMS are "
        "printed to standard error. Signed calls are checked against AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. "
        "Ctrl-C or SIGTERM ends it, with status 0.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=9229, help="the port; 0 picks a free one (%(default)s)")
    parser.add_argument("--region", default="us-east-1", help="the region in the pools' ids (%(default)s)")
    parser.add_argument("--issuer", help="what stands before /<pool id> in the tokens' issuer (the url)")
    parser.add_argument("--devices", action="store_true", help="have the first pool remember devices")
    parser.add_argument("--client-secret", action="store_true", help="give the first app client a secret")
    parser.add_argument("--json", action="store_true", help="print one line of JSON and nothing else on stdout")
    parser.set_defaults(command=_serve)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return int(text)


def _add_demo(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="the story of a user, on an embedded pool",
        description="Run the story of a user on an embedded pool: no AWS account, no network.",
    )
    parser.set_defaults(command=_demo)


# The pool's own commands are in its own package: the core does not know it.
def _serve(arguments: argparse.Namespace) -> int:
    status: int = transport_module("local.commands").serve(arguments)
    return status


def _demo(_arguments: argparse.Namespace) -> int:
    status: int = transport_module("local.demo").demo()
    return status
