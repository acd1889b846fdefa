"""Options of ``srpcore serve`` that have no effect, most of them on what exists in the state already."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from srpcore.driver import run
from srpcore.flows import ask

from ..embedded import LocalUserPool
from ..triggers.configuration import KINDS, Triggers, enabled

__all__ = ["ignored_options"]


def ignored_options(pool: LocalUserPool, arguments: argparse.Namespace, triggers: Triggers | None) -> Iterator[str]:
    """Yield a line for each option that the first pool and its app client do not have."""
    if arguments.region not in (None, pool.region):
        yield f"--region is ignored: user pool {pool.user_pool_id} is in {pool.region}, the region in its id"
    if arguments.state is not None:
        yield from _ignored_in_state(pool, arguments, triggers)


def _ignored_in_state(pool: LocalUserPool, arguments: argparse.Namespace, triggers: Triggers | None) -> Iterator[str]:
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
    where = f"user pool {pool.user_pool_id} exists in {arguments.state}"
    if arguments.devices and not described["UserPool"].get("DeviceConfiguration"):
        yield f"--devices is ignored: {where}; change it with UpdateUserPool, or use a new file"
    if triggers is not None:
        yield from _ignored_triggers(triggers, described["UserPool"].get("LambdaConfig", {}), where)


def _ignored_triggers(triggers: Triggers, config: Mapping[str, Any], where: str) -> Iterator[str]:
    active = enabled(triggers, config)
    change = "change its LambdaConfig with UpdateUserPool, or use a new file"
    for kind in KINDS:
        if getattr(triggers, kind) is not None and getattr(active, kind) is None:
            yield f"--trigger {kind} is ignored: {where} without it; {change}"
    version = active.pre_token_generation_version
    if active.pre_token_generation is not None and version != triggers.pre_token_generation_version:
        yield f"--pre-token-generation-version is ignored: {where} with {version}; {change}"
