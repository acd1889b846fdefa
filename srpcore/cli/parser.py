"""The commands of the command line and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from .._version import __version__
from ..crypto.groups import RFC5054_GROUPS
from ..crypto.modexp import ENGINES
from .administration import add_groups, add_users
from .options import (
    Commands,
    Parser,
    add_administrator,
    add_command,
    add_endpoint,
    add_group,
    add_json,
    add_pool,
    add_store,
)

__all__ = ["SHELLS", "make_parser"]

SHELLS = ("bash", "zsh", "tcsh")
"""The shells that ``srpcore completion`` knows."""

_FLOWS = ("USER_SRP_AUTH", "USER_PASSWORD_AUTH", "USER_AUTH", "CUSTOM_AUTH", "ADMIN_USER_PASSWORD_AUTH")
_KINDS = ("access", "id")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser. ``command`` of its result is "module:function" of the command."""
    parser = Parser(
        prog="srpcore",
        description="Log in to Amazon Cognito user pools, verify tokens, and manage users.",
        epilog="Options that name the pool, the app client and the user may come from environment variables "
        "(SRPCORE_USER_POOL_ID, SRPCORE_CLIENT_ID, SRPCORE_USERNAME), from a profile, or from the last login.",
    )
    parser.add_argument("--version", action="version", version=f"srpcore {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=Parser)
    _add_logins(commands)
    _add_tokens(commands)
    _add_own_account(commands)
    add_users(commands)
    add_groups(commands)
    _add_local_pool(commands)
    _add_bench(commands)
    completion = add_command(
        commands, "completion", "completion:completion", "print a script for the shell's completion"
    )
    completion.add_argument("shell", choices=SHELLS, help="the shell")
    return parser


def _add_logins(commands: Commands) -> None:
    login = add_command(
        commands,
        "login",
        "login:login",
        "log in, and keep the login for the other commands",
        "Log in, and keep the login for the other commands. The command prompts for the password and for codes. If "
        "standard input is not a terminal, they are read from it, one on each line. On a terminal a summary is "
        "printed; otherwise the tokens as JSON, without the refresh token. The secret of the app client is read from "
        "the environment variable SRPCORE_CLIENT_SECRET.",
    )
    add_pool(login)
    login.add_argument("--auth-flow", choices=_FLOWS, default="USER_SRP_AUTH", help="the flow (default: %(default)s)")
    login.add_argument("--preferred", metavar="CHALLENGE", help="the factor to begin with, for USER_AUTH only")
    login.add_argument("--token", choices=("access", "id", "refresh"), help="print only this token, not as JSON")
    login.add_argument("--refresh-token", action="store_true", help="print the refresh token too, in JSON")
    login.add_argument("--remember-device", action="store_true", help="let the device replace the second factor later")
    add_store(login)
    add_json(login)
    token = add_command(
        commands,
        "token",
        "session:token",
        "print a fresh token of the stored login",
        "Print a token of the stored login, refreshed if it has expired: "
        'curl -H "Authorization: Bearer $(srpcore token)" ...',
    )
    add_pool(token)
    token.add_argument("--use", choices=_KINDS, default="access", help="which token (default: %(default)s)")
    add_store(token)
    whoami = add_command(commands, "whoami", "session:whoami", "show the user of the stored login")
    add_pool(whoami)
    add_store(whoami)
    add_json(whoami)
    logout = add_command(
        commands,
        "logout",
        "session:logout",
        "end the stored login",
        "Revoke the refresh token of the stored login, and delete the login. It is deleted even if it could not be "
        "revoked; then the exit status is that of the reason.",
    )
    add_pool(logout)
    logout.add_argument("--everywhere", action="store_true", help="end all logins of the user, on all devices")
    add_store(logout)


def _add_tokens(commands: Commands) -> None:
    file = "the file with the token; - is standard input (default: %(default)s)"
    decode = add_command(
        commands,
        "decode",
        "decode:decode",
        "show what is in a token, without verifying it",
        "Print the header and the claims of a token. NOTHING IS VERIFIED: anybody can write such a token.",
    )
    decode.add_argument("file", nargs="?", default="-", help=file)
    add_json(decode)
    verify = add_command(
        commands,
        "verify",
        "verify:verify",
        "verify a token and print its claims",
        "Verify a token of the pool and print its claims. If the token is not accepted, the exit status is 5. The "
        "pool's key set is fetched, or read from the environment variable COGNITO_JWKS if it is set. AWS_ENDPOINT_URL "
        "does not count here: use --endpoint-url.",
    )
    add_pool(verify, user=False)
    verify.add_argument("--use", choices=_KINDS, default="access", help="the kind of the token (default: %(default)s)")
    verify.add_argument("file", nargs="?", default="-", help=file)
    add_json(verify)
    keys = add_command(
        commands,
        "keys",
        "keys:keys",
        "print the key set of a user pool",
        "Fetch the key set (JWKS) of a user pool and print it as JSON, for a function that is deployed with the keys "
        "instead of fetching them. The key set is checked first. AWS_ENDPOINT_URL does not count here: use "
        "--endpoint-url.",
    )
    keys.add_argument("pool", metavar="POOL_ID", nargs="?", help="the same as --user-pool-id")
    keys.add_argument(
        "--user-pool-id",
        help="the id of the user pool, for example eu-west-1_AbCd12345 (default: $SRPCORE_USER_POOL_ID)",
    )
    keys.add_argument("--output", metavar="FILE", help="write to FILE, and only if the key set is usable")
    keys.add_argument("--profile", metavar="NAME", help="the profile with the settings (default: $SRPCORE_PROFILE)")
    add_endpoint(keys)


def _add_own_account(commands: Commands) -> None:
    password = add_group(commands, "password", "change or reset a password")
    add_pool(
        add_command(
            password,
            "change",
            "password:change",
            "change the password of the stored login",
            "Change the password of the stored login. If standard input is not a terminal, three lines are read from "
            "it: the present password, the new password, and the new password again.",
        )
    )
    add_pool(
        add_command(
            password,
            "forgot",
            "password:forgot",
            "set a new password with a code that the service sends",
            "Let the service send a code to the user, and set a new password with the code. The code is sent to the "
            "user's verified e-mail address or phone number; a user without one gets none. If standard input is not a "
            "terminal, three lines are read from it: the code, the new password, and the new password again.",
        )
    )
    reset = add_command(
        password,
        "reset",
        "password:reset",
        "let a user choose a new password (needs AWS credentials)",
    )
    reset.add_argument("name", metavar="USER", help="the user")
    add_administrator(reset)
    mfa = add_group(commands, "mfa", "the second factors of the stored login")
    setup = add_command(
        mfa,
        "setup",
        "mfa:setup",
        "set up an authenticator app",
        "Show a QR code to scan with an authenticator app, ask for a code of the app, and make the app the preferred "
        "second factor. The QR code needs the extra cli; without it the secret is shown.",
    )
    add_pool(setup)
    setup.add_argument("--device-name", default="", help="a name for the app")
    status = add_command(mfa, "status", "mfa:status", "show the second factors")
    add_pool(status)
    add_json(status)
    add_pool(add_command(mfa, "off", "mfa:off", "turn the authenticator app off"))
    devices = add_group(commands, "devices", "the remembered devices of the stored login")
    shown = add_command(devices, "list", "devices:list_devices", "list the devices")
    add_pool(shown)
    add_json(shown)
    forget = add_command(devices, "forget", "devices:forget", "forget a device")
    forget.add_argument("key", metavar="KEY", help="the key of the device")
    add_pool(forget)
    passkeys = add_group(commands, "passkeys", "the passkeys of the stored login")
    listed = add_command(passkeys, "list", "devices:list_passkeys", "list the passkeys")
    add_pool(listed)
    add_json(listed)


def _add_local_pool(commands: Commands) -> None:
    serve = add_command(
        commands,
        "serve",
        "embedded:serve",
        "serve an embedded user pool over HTTP",
        "Serve an embedded user pool over HTTP. It is in memory, unless --state is given. Codes that AWS would send by "
        "e-mail or SMS are printed to standard error. The pool has no users at first: create one with --user, or sign "
        "up. The signature of a signed request must be made with AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY from the environment. Ctrl-C or SIGTERM ends the server, with exit status 0.",
    )
    _add_server(serve)
    _add_contents(serve)
    _add_first_pool(serve)
    _add_pool_files(commands)
    add_command(
        commands,
        "demo",
        "embedded:demo",
        "a guided demo on an embedded user pool",
        "Run a guided demo on an embedded user pool. It needs neither an AWS account nor a network.",
    )


def _add_server(serve: Parser) -> None:
    """Add the options of the server."""
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=_port, default=9229, help="the port; 0 picks a free one (default: %(default)s)")
    serve.add_argument(
        "--allowed-host",
        metavar="NAME",
        action="append",
        default=[],
        help="accept requests to this host name too, and let its web pages read the answers; '*' means every name. May "
        "be given more than once. Without it, a server on loopback accepts loopback names only",
    )
    serve.add_argument(
        "--page",
        action=argparse.BooleanOptionalAction,
        help="show a page at / with users, messages and their codes, and the last calls, to everybody who can connect "
        "(default: on a loopback address only)",
    )
    serve.add_argument(
        "--control",
        action="store_true",
        help="let tests move the clock, read the messages with their codes, and reset the pools, by requests to "
        "/_srpcore/. On another than a loopback address, requests must send the token that you set in the environment "
        "variable SRPCORE_CONTROL_TOKEN",
    )
    serve.add_argument("--issuer", help="the URL before /<pool id> in the tokens' issuer (default: as in the request)")
    serve.add_argument(
        "--strict",
        action="store_true",
        help="refuse operations and settings that would only be stored, without an effect in a local pool",
    )
    serve.add_argument("--json", action="store_true", help="print one line of JSON to standard output, nothing else")


def _add_contents(serve: Parser) -> None:
    """Add the options for what the pools contain, and where it is kept."""
    serve.add_argument(
        "--state",
        metavar="FILE",
        help="keep everything but the messages in this file. It is created if it does not exist. It holds secrets, so "
        "only its owner can read it",
    )
    serve.add_argument(
        "--seed",
        metavar="FILE",
        help="add the pools, app clients, groups and users in this JSON or TOML file, if they do not exist",
    )
    serve.add_argument(
        "--user-pool-id",
        metavar="ID",
        help="the id of the first pool, with its region (default: the first pool of the seed, the oldest pool of the "
        "state, or a random id)",
    )
    serve.add_argument(
        "--client-id", metavar="ID", help="the id of the first app client (default: as for --user-pool-id)"
    )
    serve.add_argument(
        "--user",
        metavar="NAME",
        help="create this user. The password is read from the environment variable SRPCORE_USER_PASSWORD; if it is not "
        "set, a password is generated and printed",
    )


def _add_first_pool(serve: Parser) -> None:
    """Add the options of the first pool and its first app client."""
    serve.add_argument("--region", help="the region in the pools' ids (default: us-east-1)")
    serve.add_argument(
        "--access-token-seconds",
        type=_seconds(86_400),
        metavar="N",
        help="let access and ID tokens expire after N seconds, to see a refresh (default: 3600; AWS: 300 or more)",
    )
    serve.add_argument(
        "--refresh-token-seconds",
        type=_seconds(315_360_000),
        metavar="N",
        help="let refresh tokens expire after N seconds, to see a login end (default: 30 days)",
    )
    serve.add_argument("--devices", action="store_true", help="let the first pool remember devices")
    serve.add_argument("--client-secret", action="store_true", help="give the first app client a secret")
    serve.add_argument(
        "--trigger",
        action="append",
        default=[],
        metavar="NAME=URL",
        help="a Lambda trigger of the first pool, for example pre_sign_up=http://127.0.0.1:3001/2015-03-31/functions/"
        "NAME/invocations; may be repeated",
    )
    serve.add_argument(
        "--pre-token-generation-version",
        choices=("V1_0", "V2_0", "V3_0"),
        default="V1_0",
        help="the version of the events of the trigger pre_token_generation (default: %(default)s)",
    )


def _add_pool_files(commands: Commands) -> None:
    pool = add_group(commands, "pool", "export and import the local user pools in a file of srpcore serve --state")
    exported = add_command(pool, "export", "embedded:export_pool", "write a local user pool to a JSON file")
    exported.add_argument("file", metavar="FILE", help="the file, which must not exist. It holds secrets")
    imported = add_command(pool, "import", "embedded:import_pool", "add a local user pool from a JSON file")
    imported.add_argument("file", metavar="FILE", help="the file that srpcore pool export has written")
    for command in (exported, imported):
        command.add_argument("--state", metavar="FILE", required=True, help="the state; no server may use it meanwhile")
    exported.add_argument("--user-pool-id", metavar="ID", help="the id of the pool (default: the oldest)")
    imported.add_argument("--replace", action="store_true", help="delete a pool of the same id first, with its users")


def _add_bench(commands: Commands) -> None:
    parser = add_command(
        commands,
        "bench",
        "bench:bench",
        "measure the arithmetic of SRP on this computer",
        "Measure both sides of a login over SRP-6a (RFC 5054, SHA-256) for each engine and group, and the "
        "logins per second with one thread and with two. The figures are medians; the time of each side is processor "
        "time. Cognito uses the group of 3072 bits. "
        "This takes about ten seconds and needs the extra bench.",
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


def _port(number: str) -> int:
    if not (number.isdecimal() and int(number) < 1 << 16):
        raise argparse.ArgumentTypeError(f"invalid port {number!r}: use a number from 0 to 65535")
    return int(number)


def _seconds(most: int) -> Callable[[str], int]:
    def seconds(number: str) -> int:
        if not (number.isdecimal() and 0 < int(number) <= most):
            raise argparse.ArgumentTypeError(f"invalid number of seconds {number!r}: use 1 to {most}")
        return int(number)

    return seconds


def _rounds(number: str) -> int:
    if not (number.isdecimal() and 0 < int(number) <= 1000):
        raise argparse.ArgumentTypeError(f"invalid number of rounds {number!r}: use 1 to 1000")
    return int(number)
