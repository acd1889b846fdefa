"""What ``srpcore serve`` prints when the server has started: how to connect to it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from srpcore import __version__
from srpcore.driver import run
from srpcore.flows import ask
from srpcore.text import Style, printable

from ...credentials import Credentials
from ..embedded import LocalUserPool
from ..http.server import LocalServer

__all__ = ["connection_settings", "control_setting", "summary"]


def _pool_ids(pool: LocalUserPool) -> list[str]:
    found: list[str] = []
    page: dict[str, Any] = {}
    while not found or "NextToken" in page:
        following = {"NextToken": page["NextToken"]} if found else {}
        page = run(ask("ListUserPools", {"MaxResults": 60, **following}), pool)
        found += [each["Id"] for each in page["UserPools"]]
    return found


def _number_of_users(pool: LocalUserPool) -> int:
    described: dict[str, Any] = run(ask("DescribeUserPool", {"UserPoolId": pool.user_pool_id}), pool)
    return int(described["UserPool"]["EstimatedNumberOfUsers"])


def connection_settings(pool: LocalUserPool, server: LocalServer) -> dict[str, str]:
    """Return what a client needs to connect: the URL and the ids, and the client secret if there is one."""
    secret = {} if pool.client_secret is None else {"client_secret": pool.client_secret}
    return {"url": server.url, "user_pool_id": pool.user_pool_id, "client_id": pool.client_id, **secret}


def summary(
    pool: LocalUserPool,
    server: LocalServer,
    user: Mapping[str, str],
    arguments: argparse.Namespace,
    credentials: Credentials | None,
) -> str:
    """Return the whole summary, with colours if standard output is a terminal.

    Args:
        user: what to show of the first user; empty if none was asked for.
    """
    style = Style(sys.stdout)
    rows = _rows(pool, server, user, arguments, credentials)
    kept, end = "in memory", "Ctrl-C stops the pool and deletes its data"
    if arguments.state is not None:
        state = printable(arguments.state)
        kept, end = f"kept in {state}", f"Ctrl-C stops the pool; its data stays in {state}"
    lines = [
        f"\n  {style.paint(f'srpcore {__version__}', 'bold')} {style.sign('dot')} a local user pool, {kept}\n",
        *(f"  {style.paint(f'{name:<14}', 'cyan')}{value}" for name, value in rows.items()),
    ]
    for name, example in _examples(pool, server, user.get("username")).items():
        first, *more = example
        lines += ["", f"  {style.paint(f'{name:<14}', 'dim')}{first}", *(" " * 16 + line for line in more)]
    return "\n".join([*lines, f"\n  Codes are printed here. {end}.\n"])


def _rows(
    pool: LocalUserPool,
    server: LocalServer,
    user: Mapping[str, str],
    arguments: argparse.Namespace,
    credentials: Credentials | None,
) -> dict[str, str]:
    """Return the table of the summary."""
    rows = {name.replace("_", " "): value for name, value in connection_settings(pool, server).items()}
    others = [each for each in _pool_ids(pool) if each != pool.user_pool_id]
    if others:
        rows["other pools"] = ", ".join(others)
    users = _number_of_users(pool)
    if users > bool(user):
        rows["users"] = str(users)
    elif not user:
        rows["users"] = "none yet: sign up, or start with --user NAME"
    rows.update({name: printable(value) for name, value in user.items()})
    if arguments.issuer is not None:
        rows["issuer"] = f"{arguments.issuer.rstrip('/')}/{pool.user_pool_id}"
    if server.page_url is not None:
        rows["page"] = f"{server.page_url} shows users, codes and calls"
    if arguments.control:
        token = "" if control_setting(arguments) is True else ", with the token in SRPCORE_CONTROL_TOKEN"
        rows["control"] = f"{server.url}/_srpcore/ moves the clock, shows codes, and resets the pools{token}"
    rows["signed calls"] = (
        "refused: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY first"
        if credentials is None
        else f"accepted with the AWS keys of {printable(credentials.access_key_id)}"
    )
    return rows


def _examples(pool: LocalUserPool, server: LocalServer, username: str | None) -> dict[str, list[str]]:
    settings = {"SRPCORE_USER_POOL_ID": pool.user_pool_id, "SRPCORE_CLIENT_ID": pool.client_id}
    if pool.client_secret is not None:
        # The table above already shows the secret; it need not be printed again.
        settings["SRPCORE_CLIENT_SECRET"] = "..."
    secret = [] if pool.client_secret is None else ["        client_secret=...,"]
    log_in_as = "" if username is None else f" --username {shlex.quote(printable(username))}"
    return {
        "srpcore": [
            f'Cognito("{pool.user_pool_id}", "{pool.client_id}",',
            *secret,
            f'        username=..., endpoint_url="{server.url}")',
        ],
        "boto3": [
            f'boto3.client("cognito-idp", region_name="{pool.region}",',
            f'             endpoint_url="{server.url}")',
        ],
        "shell": [
            *(f"export {name}={value}" for name, value in settings.items()),
            f"srpcore login --endpoint-url {server.url}{log_in_as}",
        ],
    }


def control_setting(arguments: argparse.Namespace) -> bool | str:
    """Return *control* for LocalUserPool.serve: False, True, or the token that requests must have."""
    return bool(arguments.control) and (os.environ.get("SRPCORE_CONTROL_TOKEN") or True)
