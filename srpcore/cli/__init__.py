"""The command line: ``srpcore login``, ``verify``, ``keys``, ``serve``, ``demo``, ``bench``.

Results are printed to standard output, and everything else to standard error. The exit status is:

- 0 after success, and when ``serve`` was ended with Ctrl-C or SIGTERM
- 1 if something failed or was refused
- 2 for invalid arguments
- 130 after Ctrl-C in any other command
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from .._version import __version__
from ..crypto.groups import RFC5054_GROUPS
from ..crypto.modexp import ENGINES
from ..exceptions.base import SrpcoreError
from ..resolve import transport_module
from ..text import printable, without_tokens
from .keys import keys
from .login import login
from .verify import verify

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command in *argv*, by default the arguments of the process, and return the exit status."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        status = command(arguments)
        # Flush here. At the exit of the interpreter, an error (the disk is full, the reader of the pipe has ended)
        # would print a traceback.
        _flush()
    except SrpcoreError as error:
        hint = getattr(error, "hint", "").replace("\n", "; ")
        message = without_tokens(printable(str(error))).strip() + (f" ({hint})" if hint else "")
        print(f"srpcore: {message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:
        _drop_output()
        return 1
    except OSError as error:
        _drop_output()
        print(f"srpcore: could not write the result: {error.strerror}", file=sys.stderr)
        return 1
    return status


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


class _Parser(argparse.ArgumentParser):
    """A parser whose errors show no token that was given by mistake."""

    def error(self, message: str) -> NoReturn:
        super().error(without_tokens(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="srpcore", description="Log in to Amazon Cognito user pools.")
    parser.add_argument("--version", action="version", version=f"srpcore {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_login(commands)
    _add_verify(commands)
    _add_keys(commands)
    _add_serve(commands)
    _add_demo(commands)
    _add_bench(commands)
    return parser


def _add_login(commands: Any) -> None:
    parser = commands.add_parser(
        "login",
        help="log in and print the tokens",
        description="Log in with SRP and print the tokens as JSON. The command prompts for the password and for codes. "
        "If standard input is not a terminal, they are read from it, one on each line. The secret of the app client "
        "is read from the environment variable SRPCORE_CLIENT_SECRET.",
    )
    _add_pool(parser)
    parser.add_argument("--username", help="the user's name or alias (default: prompt for it)")
    parser.add_argument("--token", choices=("access", "id", "refresh"), help="print only this token, not as JSON")
    parser.set_defaults(command=login)


def _add_verify(commands: Any) -> None:
    parser = commands.add_parser(
        "verify",
        help="verify a token and print its claims",
        description="Verify a token of the pool and print its claims as JSON. If the token is not accepted, the exit "
        "status is 1. The pool's key set is fetched, or read from the environment variable COGNITO_JWKS if it is set. "
        "AWS_ENDPOINT_URL does not count here: use --endpoint-url.",
    )
    _add_pool(parser)
    parser.add_argument(
        "--use", choices=("access", "id"), default="access", help="the kind of the token (default: %(default)s)"
    )
    parser.add_argument(
        "file", nargs="?", default="-", help="the file with the token; - is standard input (default: %(default)s)"
    )
    parser.set_defaults(command=verify)


_POOL_VARIABLE = "SRPCORE_USER_POOL_ID"


def _add_keys(commands: Any) -> None:
    parser = commands.add_parser(
        "keys",
        help="print the key set of a user pool",
        description="Fetch the key set (JWKS) of a user pool and print it as JSON, for a function that is deployed "
        "with the keys instead of fetching them. The key set is checked first. AWS_ENDPOINT_URL does not count here: "
        "use --endpoint-url.",
    )
    value = os.environ.get(_POOL_VARIABLE) or None
    parser.add_argument(
        "user_pool_id",
        metavar="POOL_ID",
        nargs="?" if value else None,
        default=value,
        help=f"the id of the user pool, for example eu-west-1_AbCd12345 (default: ${_POOL_VARIABLE})",
    )
    _add_endpoint(parser)
    parser.set_defaults(command=keys)


def _add_pool(parser: argparse.ArgumentParser) -> None:
    for option, variable, meaning in (
        ("--user-pool-id", _POOL_VARIABLE, "the id of the user pool, for example eu-west-1_AbCd12345"),
        ("--client-id", "SRPCORE_CLIENT_ID", "the id of the app client"),
    ):
        value = os.environ.get(variable) or None
        parser.add_argument(option, default=value, required=value is None, help=f"{meaning} (default: ${variable})")
    _add_endpoint(parser)


def _add_endpoint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoint-url", help="the URL of the service, if it is not AWS")
    parser.add_argument(
        "--allow-http", action="store_true", help="allow an endpoint with plain http on another machine (an emulator)"
    )


def _add_serve(commands: Any) -> None:
    parser = commands.add_parser(
        "serve",
        help="serve an embedded user pool over HTTP",
        description="Serve an embedded user pool over HTTP. It is in memory. Codes that AWS would send by e-mail or "
        "SMS are printed to standard error. The pool has no users at first: create one with --user, or sign up. The "
        "signature of a signed request must be made with AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY from the environment. Ctrl-C or SIGTERM ends the server, with exit status 0.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=9229, help="the port; 0 picks a free one (default: %(default)s)")
    parser.add_argument("--region", default="us-east-1", help="the region in the pools' ids (default: %(default)s)")
    parser.add_argument("--issuer", help="the URL before /<pool id> in the tokens' issuer (default: the server's URL)")
    parser.add_argument(
        "--user",
        metavar="NAME",
        help="create this user. The password is read from the environment variable SRPCORE_USER_PASSWORD; if it is not "
        "set, a password is generated and printed",
    )
    parser.add_argument("--devices", action="store_true", help="let the first pool remember devices")
    parser.add_argument("--client-secret", action="store_true", help="give the first app client a secret")
    parser.add_argument("--json", action="store_true", help="print one line of JSON to standard output, nothing else")
    parser.set_defaults(command=_serve)


def _port(number: str) -> int:
    if not (number.isdecimal() and int(number) < 1 << 16):
        raise argparse.ArgumentTypeError(f"invalid port {number!r}: use a number from 0 to 65535")
    return int(number)


def _add_demo(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="a guided demo on an embedded user pool",
        description="Run a guided demo on an embedded user pool. It needs neither an AWS account nor a network.",
    )
    parser.set_defaults(command=_demo)


def _add_bench(commands: Any) -> None:
    parser = commands.add_parser(
        "bench",
        help="measure the arithmetic of SRP on this computer",
        description="Measure both sides of a login over SRP-6a (RFC 5054, SHA-256) for each engine and group, and the "
        "logins per second with one thread and with two. The figures are medians. Cognito uses the group of 3072 bits. "
        "This takes about ten seconds and needs pyperf.",
    )
    parser.add_argument(
        "--engine", action="append", choices=ENGINES, help="measure only this engine; may be repeated (default: all)"
    )
    parser.add_argument(
        "--bits",
        action="append",
        type=int,
        choices=sorted(RFC5054_GROUPS),
        help="measure only the group of this size; may be repeated (default: all)",
    )
    parser.add_argument(
        "--rounds", type=_rounds, default=3, help="how often each row is measured (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON with the computer and the versions")
    parser.add_argument("--output", metavar="FILE", help="also write all timings to FILE, for python -m pyperf")
    parser.set_defaults(command=_bench)


def _rounds(number: str) -> int:
    if not (number.isdecimal() and 0 < int(number) <= 1000):
        raise argparse.ArgumentTypeError(f"invalid number of rounds {number!r}: use 1 to 1000")
    return int(number)


def _bench(arguments: argparse.Namespace) -> int:
    from .bench import bench  # only here: it imports subprocess and tempfile

    return bench(arguments)


# The commands of the embedded pool are in its package. It is imported only when one of them is run.
def _serve(arguments: argparse.Namespace) -> int:
    status: int = transport_module("local.commands").serve(arguments)
    return status


def _demo(_arguments: argparse.Namespace) -> int:
    status: int = transport_module("local.demo").demo()
    return status
