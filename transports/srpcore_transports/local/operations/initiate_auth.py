"""InitiateAuth and AdminInitiateAuth: start a login by SRP, password, choice or triggers, or refresh tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..api.errors import invalid_parameter, not_authorized, user_not_found
from ..api.parameters import Parameters, mapping, named, optional_string, string
from ..auth import auth_events, choice, client_secret, custom_auth, passwords, sign_up_session, srp, user_migration
from ..auth.caller import Caller, read_metadata
from ..auth.next_step import advance
from ..model.auth_sessions import AuthSession, CustomLogin, Exchange
from ..model.pools import AppClient, PoolRecord
from ..model.users import User
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State
from ..triggers import events
from . import refresh_tokens

__all__ = ["OPERATIONS"]


@dataclass(frozen=True)
class LoginRequest:
    """The first request of a login.

    Attributes:
        values: AuthParameters.
        parameters: the parameters of the operation.
        metadata: ClientMetadata, which only the triggers before the login get, as ``validationData``.
    """

    pool: PoolRecord
    client: AppClient
    parameters: Parameters = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)
    metadata: Mapping[str, str] = field(repr=False)

    @property
    def typed(self) -> str:
        """The user name as the client sent it."""
        return named(self.values, "USERNAME")


class Flow(NamedTuple):
    """A value of AuthFlow.

    Attributes:
        begin: starts the login, and returns the first challenge or the tokens.
        settings: the names in ExplicitAuthFlows of the app client, each of which enables the flow.
    """

    begin: Callable[[State, LoginRequest], Step[dict[str, Any]]]
    settings: tuple[str, ...]


def initiate_auth(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer InitiateAuth."""
    return (yield from _initiate(state, parameters, _FLOWS))


def admin_initiate_auth(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer AdminInitiateAuth."""
    return (yield from _initiate(state, parameters, _ADMIN_FLOWS))


def _initiate(state: State, parameters: Parameters, flows: Mapping[str, Flow]) -> Step[dict[str, Any]]:
    client, pool = directory.client_and_pool(state, parameters)
    name = string(parameters, "AuthFlow")
    if name not in flows:
        raise invalid_parameter("Initiate Auth method not supported.")
    flow = flows[name]
    if not _is_enabled(client, flow):
        raise invalid_parameter(_NOT_ENABLED.get(name, f"{name} flow not enabled for this client"))
    request = LoginRequest(pool, client, parameters, mapping(parameters, "AuthParameters"), read_metadata(parameters))
    return (yield from flow.begin(state, request))


def _is_enabled(client: AppClient, flow: Flow) -> bool:
    if any(setting in client.flows for setting in flow.settings):
        return True
    # A client whose ExplicitAuthFlows has the old names, without ALLOW_, may always use SRP, triggers and refresh
    # tokens, unless it has CUSTOM_AUTH_FLOW_ONLY.
    legacy = not any(setting.startswith("ALLOW_") for setting in client.flows)
    implied = flow.settings[0] in ("ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_CUSTOM_AUTH")
    return legacy and implied and "CUSTOM_AUTH_FLOW_ONLY" not in client.flows


def _by_refresh_token(state: State, request: LoginRequest) -> Step[dict[str, Any]]:
    return (yield from refresh_tokens.answer_refresh_flow(state, request.pool, request.client, request.values))


def _by_srp(state: State, request: LoginRequest) -> Step[dict[str, Any]]:
    A = srp.public_value(request.values)
    user = yield from _pre_authenticated_user(state, request)
    if user is not None and not request.client.hides_users:
        _refuse_before_srp(user)
    exchange, parameters = yield from srp.password_challenge(request.pool, user, request.typed, A)
    auth_session = _auth_session(request, user, exchange=exchange)
    # The service does not send a Session with this challenge. The answer is matched by its secret block instead.
    state.auth_sessions.open(auth_session, "PASSWORD_VERIFIER")
    return {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": parameters}


def _refuse_before_srp(user: User) -> None:
    """Refuse *user* before the challenge, as the service does: https://github.com/ministackorg/ministack/pull/1758.

    A client that hides which users exist is challenged instead: this answer would reveal that the user does.

    Raises:
        Refusal: the user is disabled or not confirmed.
    """
    if not user.enabled:
        raise not_authorized("User is disabled.")
    passwords.refuse_unconfirmed(user)


def _by_password(state: State, request: LoginRequest) -> Step[dict[str, Any]]:
    password = named(request.values, "PASSWORD")
    migrated = yield from _migrate(state, request, password)
    if migrated is not None:
        return (yield from advance(state, _auth_session(request, migrated)))
    auth_session = _auth_session(request, (yield from _pre_authenticated_user(state, request)))
    step = _check_password(state, auth_session, password)
    return (yield from auth_events.record_sign_in(state, auth_session, "PASSWORD", request.parameters, step))


def _check_password(state: State, auth_session: AuthSession, password: str) -> Step[dict[str, Any]]:
    user, typed = auth_session.user, auth_session.typed
    yield from passwords.check_password(state, auth_session.pool, user, typed, password)
    return (yield from advance(state, auth_session))


def _by_choice(state: State, request: LoginRequest) -> Step[dict[str, Any]]:
    password = optional_string(request.values, "PASSWORD")
    if password is not None and request.values.get("PREFERRED_CHALLENGE") == "PASSWORD":
        migrated = yield from _migrate(state, request, password)
        if migrated is not None:
            return (yield from advance(state, _auth_session(request, migrated)))
    user = yield from _pre_authenticated_user(state, request)
    auth_session = _auth_session(request, user)
    session = optional_string(request.parameters, "Session")
    if session is not None:
        sign_up_session.check_confirmed(state, session, request.client, user)
        return (yield from advance(state, auth_session))
    step = choice.first_challenge(state, auth_session, request.values)
    # The request carries only a password. With another challenge it proves nothing.
    proved = "PASSWORD" if request.values.get("PREFERRED_CHALLENGE") == "PASSWORD" else "SELECT_CHALLENGE"
    return (yield from auth_events.record_sign_in(state, auth_session, proved, request.parameters, step))


def _by_triggers(state: State, request: LoginRequest) -> Step[dict[str, Any]]:
    if Caller(request.pool, request.client).triggers(state).define_auth_challenge is None:
        raise custom_auth.not_configured()
    first = optional_string(request.values, "CHALLENGE_NAME")
    if first not in (None, "SRP_A"):
        raise invalid_parameter("CHALLENGE_NAME must be SRP_A or absent")
    custom = custom_auth.start(None if first is None else srp.public_value(request.values))
    user = yield from _pre_authenticated_user(state, request)
    return (yield from advance(state, _auth_session(request, user, custom=custom)))


def _auth_session(
    request: LoginRequest, user: User | None, *, exchange: Exchange | None = None, custom: CustomLogin | None = None
) -> AuthSession:
    return AuthSession(
        pool=request.pool,
        client=request.client,
        user=user,
        typed=request.typed,
        device_key=optional_string(request.values, "DEVICE_KEY"),
        exchange=exchange,
        custom=custom,
    )


def _pre_authenticated_user(state: State, request: LoginRequest) -> Step[User | None]:
    """Return the user who logs in, after the trigger PreAuthentication has accepted that.

    Raises:
        Refusal: SECRET_HASH is wrong, the user does not exist and the client does not hide that, or the trigger
            refuses the login.
    """
    user = _check_hash_and_find(state, request)
    if user is None and not request.client.hides_users:
        raise user_not_found()
    triggers = Caller(request.pool, request.client).triggers(state)
    if triggers.pre_authentication is None:
        return user
    subject = custom_auth.login_subject(_auth_session(request, user))
    yield from events.pre_authentication(triggers, subject, request.metadata)
    return user


def _check_hash_and_find(state: State, request: LoginRequest) -> User | None:
    user = directory.find(state, request.pool, request.typed)
    names = [request.typed] if user is None else [request.typed, user.username]
    client_secret.check_hash(request.client, optional_string(request.values, "SECRET_HASH"), *names)
    return user


def _migrate(state: State, request: LoginRequest, password: str) -> Step[User | None]:
    """Take over the user by the trigger UserMigration; return None if the user exists or there is no trigger."""
    caller = Caller(request.pool, request.client)
    if caller.triggers(state).user_migration is None or _check_hash_and_find(state, request) is not None:
        return None
    return (yield from user_migration.take_over(state, caller, request.typed, password, request.metadata))


_REFRESH = Flow(_by_refresh_token, ("ALLOW_REFRESH_TOKEN_AUTH",))
_ADMIN_PASSWORD = Flow(_by_password, ("ALLOW_ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"))
_COMMON_FLOWS = {
    "USER_SRP_AUTH": Flow(_by_srp, ("ALLOW_USER_SRP_AUTH",)),
    "REFRESH_TOKEN_AUTH": _REFRESH,
    "REFRESH_TOKEN": _REFRESH,
    "CUSTOM_AUTH": Flow(_by_triggers, ("ALLOW_CUSTOM_AUTH", "CUSTOM_AUTH_FLOW_ONLY")),
    "USER_AUTH": Flow(_by_choice, ("ALLOW_USER_AUTH",)),
}
_FLOWS = _COMMON_FLOWS | {"USER_PASSWORD_AUTH": Flow(_by_password, ("ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH"))}
_ADMIN_FLOWS = _COMMON_FLOWS | {"ADMIN_USER_PASSWORD_AUTH": _ADMIN_PASSWORD, "ADMIN_NO_SRP_AUTH": _ADMIN_PASSWORD}

# The service's messages have three forms. Sources: https://github.com/aws-samples/aws-serverless-workshops/issues/277,
# https://github.com/ministackorg/ministack/pull/1758.
_NOT_ENABLED = {
    **dict.fromkeys(("ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"), "Auth flow not enabled for this client"),
    **{name: f"{name} is not enabled for the client." for name in ("USER_SRP_AUTH", "CUSTOM_AUTH")},
}

OPERATIONS: dict[str, Handler] = {"InitiateAuth": initiate_auth, "AdminInitiateAuth": admin_initiate_auth}
