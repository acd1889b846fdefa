"""``srpcore serve``: serve a local user pool over HTTP until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import contextlib
import errno
import ipaddress
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from srpcore.driver import run
from srpcore.exceptions import ServiceError, UsernameExistsException
from srpcore.exceptions.base import ConfigurationError
from srpcore.flows import ask
from srpcore.text import Style, printable

from ...credentials import Credentials, from_environment
from ..embedded import LocalUserPool
from ..http.server import LocalServer
from ..model.outbox import PURPOSES, Message
from ..triggers.configuration import KINDS, Triggers, Version
from .ignored_options import ignored_options
from .summary import connection_settings, control_setting, summary

__all__ = ["serve"]


def serve(arguments: argparse.Namespace) -> int:
    """Serve a local user pool until Ctrl-C or SIGTERM, and return the exit status 0.

    Raises:
        ConfigurationError: a setting is invalid, or the server cannot listen on the address.
        ServiceError: the pool refuses the first user or the password.
    """
    credentials = from_environment()
    triggers = _triggers(arguments.trigger, arguments.pre_token_generation_version)
    pool = _make_pool(arguments, credentials, triggers)
    pool.outbox.on_message = _announce
    for line in ignored_options(pool, arguments, triggers):
        _note(line)
    user, user_existed = ({}, False) if arguments.user is None else _create_user(pool, arguments.user)
    # Python's own handler is not enough: a shell starts background jobs with SIGINT ignored, and then Python installs
    # no handler for it. SIGTERM has none by default.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with _listen(pool, arguments) as server:
            if arguments.json:
                print(json.dumps(connection_settings(pool, server) | user), flush=True)
            else:
                shown = {**user, "password": "as before"} if user_existed else user
                print(summary(pool, server, shown, arguments, credentials), flush=True)
            _wait_for_signal()
    except KeyboardInterrupt:
        return 0
    finally:
        pool.close()


def _make_pool(
    arguments: argparse.Namespace, credentials: Credentials | None, triggers: Triggers | None
) -> LocalUserPool:
    return LocalUserPool(
        region=arguments.region or "us-east-1",
        issuer=arguments.issuer,
        credentials=credentials,
        remember_devices=arguments.devices,
        client_secret=arguments.client_secret,
        triggers=triggers,
        client_settings=_validity(arguments.access_token_seconds, arguments.refresh_token_seconds),
        user_pool_id=arguments.user_pool_id,
        client_id=arguments.client_id,
        state=arguments.state,
        seed=arguments.seed,
        strict=arguments.strict,
    )


def _wait_for_signal() -> NoReturn:
    """Wait until the handler of a signal raises KeyboardInterrupt."""
    while True:
        # Sleep in short intervals. A signal that arrives just before the system call, or on another thread, does not
        # interrupt the sleep; the handler then runs when the sleep ends.
        time.sleep(0.2)


def _triggers(given: list[str], version: Version) -> Triggers | None:
    """Return the triggers of the options ``--trigger NAME=URL``, or None if there are none."""
    urls: dict[str, str] = {}
    for option in given:
        name, separator, url = option.partition("=")
        if not separator or name not in KINDS:
            raise ConfigurationError(f"invalid --trigger {option!r:.200}: use NAME=URL with one of {', '.join(KINDS)}")
        if name in urls:
            raise ConfigurationError(f"--trigger {name} is given twice: a pool has one function for each trigger")
        urls[name] = url
    return Triggers(**cast("dict[Any, Any]", urls), pre_token_generation_version=version) if urls else None


def _validity(access_seconds: int | None, refresh_seconds: int | None) -> Mapping[str, object]:
    """Return the settings of the app client for how long tokens are valid. None leaves the default."""
    seconds = {"AccessToken": access_seconds, "IdToken": access_seconds, "RefreshToken": refresh_seconds}
    given = {token: value for token, value in seconds.items() if value is not None}
    return {f"{token}Validity": value for token, value in given.items()} | {
        "TokenValidityUnits": dict.fromkeys(given, "seconds")
    }


def _create_user(pool: LocalUserPool, name: str) -> tuple[dict[str, str], bool]:
    """Create a user who can log in.

    Returns:
        the name, and the password if it was generated here; and whether the user existed. Such a user is left as it is.

    Raises:
        ConfigurationError: the pool refuses the password.
    """
    given = os.environ.get("SRPCORE_USER_PASSWORD")
    # The suffix has the kinds of characters that the password policy demands.
    password = given or f"{secrets.token_urlsafe(12)}-aA1"
    user = {"UserPoolId": pool.user_pool_id, "Username": name}
    try:
        run(ask("AdminCreateUser", {**user, "MessageAction": "SUPPRESS"}), pool)
    except UsernameExistsException:
        if given:
            _note(
                f"SRPCORE_USER_PASSWORD is ignored: user {name} exists already; use AdminSetUserPassword to change it"
            )
        return {"username": name}, True
    try:
        run(ask("AdminSetUserPassword", {**user, "Password": password, "Permanent": True}), pool)
    except ServiceError as error:
        # In a file, the next start would find a user without a password.
        run(ask("AdminDeleteUser", user), pool)
        what = "SRPCORE_USER_PASSWORD is refused" if given else "set SRPCORE_USER_PASSWORD: a generated one is refused"
        raise ConfigurationError(f"{what}: a password of this pool needs {_policy(pool)} ({error.code})") from None
    return {"username": name} if given else {"username": name, "password": password}, False


def _policy(pool: LocalUserPool) -> str:
    """Return what the pool demands of a password: ``at least 8 characters, with upper-case letters and digits``."""
    described: dict[str, Any] = run(ask("DescribeUserPool", {"UserPoolId": pool.user_pool_id}), pool)
    policy = described["UserPool"]["Policies"]["PasswordPolicy"]
    kinds = {"Uppercase": "upper-case letters", "Lowercase": "lower-case letters", "Numbers": "digits"}
    needed = [text for name, text in {**kinds, "Symbols": "symbols"}.items() if policy.get(f"Require{name}")]
    with_kinds = f", with {', '.join(needed)}" if needed else ""
    return f"at least {policy['MinimumLength']} characters{with_kinds}"


def _listen(pool: LocalUserPool, arguments: argparse.Namespace) -> LocalServer:
    host, port = arguments.host, arguments.port
    if not host:
        raise ConfigurationError("--host is empty: use 127.0.0.1 or another address to listen on")
    if not _is_loopback(host):
        print(
            f"{Style(sys.stderr).paint('warning:', 'bold', 'yellow')} {host} lets other machines connect over plain "
            "HTTP: anybody on the network can read passwords and tokens. Use --host 127.0.0.1 unless the network is "
            "private.",
            file=sys.stderr,
            flush=True,
        )
    try:
        return pool.serve(
            host, port, allowed_hosts=arguments.allowed_host, control=control_setting(arguments), page=arguments.page
        )
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a valid host name"
        hint = (
            "choose another port, or --port 0 for a free one"
            if getattr(error, "errno", None) == errno.EADDRINUSE
            else "check --host"
        )
        raise ConfigurationError(f"cannot listen on {host} port {port}: {reason}; {hint}") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _note(line: str) -> None:
    print(printable(line), file=sys.stderr, flush=True)


def _announce(message: Message) -> None:
    # The line is only information. If stderr is closed, the request that sent the code must still succeed.
    with contextlib.suppress(OSError, ValueError):
        medium = "e-mail" if message.medium == "EMAIL" else "SMS"
        purpose = PURPOSES.get(message.purpose, message.purpose)
        shown = f": {message.code}" if message.code else ""
        line = f"{medium} to {message.destination} for {message.username}: {purpose}{shown}"
        _note(line)
