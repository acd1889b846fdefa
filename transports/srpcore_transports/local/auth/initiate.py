"""InitiateAuth and AdminInitiateAuth: start a login by SRP, password, choice or triggers, or refresh tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..api.errors import invalid_parameter, user_not_found
from ..api.parameters import Parameters, mapping, named, optional_string, string
from ..model.conversations import Conversation, Custom, Exchange
from ..model.records import AppClient, PoolRecord, User
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State
from . import choice, custom_auth, passwords, refresh, srp
from .next_step import advance

__all__ = ["OPERATIONS"]

Flow: TypeAlias = "Callable[[State, PoolRecord, AppClient, Mapping[str, Any]], Step[dict[str, Any]]]"


def initiate_auth(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer InitiateAuth."""
    return (yield from _initiate(state, parameters, _FLOWS))


def admin_initiate_auth(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer AdminInitiateAuth."""
    string(parameters, "UserPoolId")
    return (yield from _initiate(state, parameters, _ADMIN_FLOWS))


def _initiate(
    state: State, parameters: Parameters, flows: Mapping[str, tuple[tuple[str, ...], Flow]]
) -> Step[dict[str, Any]]:
    client, pool = directory.client_and_pool(state, parameters)
    name = string(parameters, "AuthFlow")
    if name not in flows:
        raise invalid_parameter("Initiate Auth method not supported.")
    settings, flow = flows[name]
    if not _flow_enabled(client, settings):
        raise invalid_parameter(f"{name} flow not enabled for this client")
    return (yield from flow(state, pool, client, mapping(parameters, "AuthParameters")))


def _flow_enabled(client: AppClient, settings: tuple[str, ...]) -> bool:
    if any(setting in client.flows for setting in settings):
        return True
    # A client whose ExplicitAuthFlows has the old names, without ALLOW_, may always use SRP and refresh tokens, unless
    # it has CUSTOM_AUTH_FLOW_ONLY.
    legacy = not any(flow.startswith("ALLOW_") for flow in client.flows)
    implied = settings[0] in ("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH")
    return legacy and implied and "CUSTOM_AUTH_FLOW_ONLY" not in client.flows


def _by_srp(state: State, pool: PoolRecord, client: AppClient, values: Mapping[str, Any]) -> Step[dict[str, Any]]:
    typed = named(values, "USERNAME")
    A = srp.public_value(values)
    user = _find_user(state, pool, client, typed, values)
    challenged = user or srp.fake_user(pool, typed)
    exchange, parameters = yield from srp.password_challenge(pool, challenged, A)
    conversation = _conversation(pool, client, user, values, exchange=exchange)
    # The service does not send a Session with this challenge. The answer is matched by its secret block instead.
    state.conversations.open(conversation, "PASSWORD_VERIFIER")
    return {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": parameters}


def _by_password(state: State, pool: PoolRecord, client: AppClient, values: Mapping[str, Any]) -> Step[dict[str, Any]]:
    typed, password = named(values, "USERNAME"), named(values, "PASSWORD")
    user = _find_user(state, pool, client, typed, values)
    yield from passwords.check(state, pool, user, password)
    return (yield from advance(state, _conversation(pool, client, user, values)))


def _by_choice(state: State, pool: PoolRecord, client: AppClient, values: Mapping[str, Any]) -> Step[dict[str, Any]]:
    typed = named(values, "USERNAME")
    user = _find_user(state, pool, client, typed, values)
    conversation = _conversation(pool, client, user, values)
    return (yield from choice.start(state, conversation, values))


def _by_triggers(state: State, pool: PoolRecord, client: AppClient, values: Mapping[str, Any]) -> Step[dict[str, Any]]:
    if state.service.custom_auth is None:
        raise custom_auth.not_configured()
    typed, first = named(values, "USERNAME"), optional_string(values, "CHALLENGE_NAME")
    if first not in (None, "SRP_A"):
        raise invalid_parameter("CHALLENGE_NAME must be SRP_A or absent")
    custom = custom_auth.start(None if first is None else srp.public_value(values))
    user = _find_user(state, pool, client, typed, values)
    return (yield from advance(state, _conversation(pool, client, user, values, custom=custom)))


def _conversation(
    pool: PoolRecord,
    client: AppClient,
    user: User | None,
    values: Mapping[str, Any],
    *,
    exchange: Exchange | None = None,
    custom: Custom | None = None,
) -> Conversation:
    typed, device_key = named(values, "USERNAME"), optional_string(values, "DEVICE_KEY")
    return Conversation(
        pool=pool, client=client, user=user, typed=typed, device_key=device_key, exchange=exchange, custom=custom
    )


def _find_user(state: State, pool: PoolRecord, client: AppClient, typed: str, values: Mapping[str, Any]) -> User | None:
    user = directory.find(state, pool, typed)
    names = [typed] if user is None else [typed, user.username]
    directory.check_secret_hash(client, optional_string(values, "SECRET_HASH"), *names)
    if user is None and not client.hides_users:
        raise user_not_found()
    return user


_REFRESH: tuple[tuple[str, ...], Flow] = (("ALLOW_REFRESH_TOKEN_AUTH",), refresh.by_flow)
_SRP: tuple[tuple[str, ...], Flow] = (("ALLOW_USER_SRP_AUTH",), _by_srp)
_ADMIN_PASSWORD: tuple[tuple[str, ...], Flow] = (("ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"), _by_password)
_COMMON_FLOWS: dict[str, tuple[tuple[str, ...], Flow]] = {
    "USER_SRP_AUTH": _SRP,
    "REFRESH_TOKEN_AUTH": _REFRESH,
    "REFRESH_TOKEN": _REFRESH,
    "CUSTOM_AUTH": (("ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY"), _by_triggers),
    "USER_AUTH": (("ALLOW_USER_AUTH",), _by_choice),
}
_FLOWS = _COMMON_FLOWS | {"USER_PASSWORD_AUTH": (("ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"), _by_password)}
_ADMIN_FLOWS = _COMMON_FLOWS | {"ADMIN_USER_PASSWORD_AUTH": _ADMIN_PASSWORD, "ADMIN_NO_SRP_AUTH": _ADMIN_PASSWORD}

OPERATIONS: dict[str, Handler] = {"InitiateAuth": initiate_auth, "AdminInitiateAuth": admin_initiate_auth}
