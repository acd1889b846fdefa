"""Options of ``srpcore serve`` that have no effect on a pool or an app client that exists in the state already."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from srpcore.driver import run
from srpcore.flows import ask

from ..embedded import LocalUserPool

__all__ = ["ignored_options"]


def ignored_options(pool: LocalUserPool, arguments: argparse.Namespace) -> Iterator[str]:
    """Yield a line for each option that the first pool and its app client do not have, because they existed."""
    ids = {"UserPoolId": pool.user_pool_id}
    client: dict[str, Any] = run(ask("DescribeUserPoolClient", {**ids, "ClientId": pool.client_id}), pool)
    settings = client["UserPoolClient"]
    where = f"app client {pool.client_id} exists in {arguments.state}"
    seconds = {
        "access": ("AccessToken", arguments.access_token_seconds),
        "refresh": ("RefreshToken", arguments.refresh_token_seconds),
    }
    for name, (token, given) in seconds.items():
        kept = (settings.get(f"{token}Validity"), settings["TokenValidityUnits"].get(token))
        if given is not None and kept != (given, "seconds"):
            yield f"--{name}-token-seconds is ignored: {where}; change it with UpdateUserPoolClient, or use a new file"
    if arguments.client_secret and pool.client_secret is None:
        yield f"--client-secret is ignored: {where} without one; choose a new --client-id, or use a new file"
    described: dict[str, Any] = run(ask("DescribeUserPool", ids), pool)
    if arguments.devices and not described["UserPool"].get("DeviceConfiguration"):
        where = f"user pool {pool.user_pool_id} exists in {arguments.state}"
        yield f"--devices is ignored: {where}; change it with UpdateUserPool, or use a new file"
