"""Record the events of users, for AdminListUserAuthEvents.

Only a pool with threat protection (AdvancedSecurityMode of UserPoolAddOns) has events. A sign-in is one event:
each answered challenge is added to it, until the tokens are issued or a challenge is failed.
"""

from __future__ import annotations

import uuid
from typing import Any

from msgspec.structs import replace

from ..api.errors import Refusal
from ..api.parameters import Parameters, mapping
from ..model.auth_events import AuthEvent
from ..model.auth_sessions import AuthSession
from ..model.pool_defaults import has_threat_protection
from ..model.pools import PoolRecord
from ..model.users import User
from ..steps import Step
from ..storage.state import State

__all__ = ["enabled", "record", "record_sign_in"]

_PASSWORD = ("PASSWORD", "PASSWORD_VERIFIER")
_SECOND_FACTORS = ("SOFTWARE_TOKEN_MFA", "SMS_MFA", "EMAIL_OTP")
_FAILURES = ("NotAuthorizedException", "CodeMismatchException", "ExpiredCodeException")


def enabled(pool: PoolRecord) -> bool:
    """Return whether the threat protection of *pool* is on, so that events are recorded."""
    return has_threat_protection(pool.settings)


def record(state: State, pool: PoolRecord, user: User, kind: str) -> None:
    """Record an event of *user* that is not a sign-in, for example ``SignUp``."""
    # A trigger may have taken so long that the user was deleted meanwhile.
    if enabled(pool) and state.users.is_stored(user):
        state.auth_events.put(user, AuthEvent(str(uuid.uuid4()), kind, state.clock(), "Pass"))


def record_sign_in(
    state: State, auth_session: AuthSession, challenge: str, parameters: Parameters, step: Step[dict[str, Any]]
) -> Step[dict[str, Any]]:
    """Run *step*, which checks the answer to *challenge*, and return its result. Record it as a part of a sign-in."""
    if not enabled(auth_session.pool):
        return (yield from step)
    try:
        result = yield from step
    except Refusal as refusal:
        if refusal.code in _FAILURES:
            _add(state, auth_session, challenge, parameters, "Fail")
        raise
    response = "Pass" if "AuthenticationResult" in result else "InProgress"
    _add(state, auth_session, challenge, parameters, response)
    return result


def _add(state: State, auth_session: AuthSession, challenge: str, parameters: Parameters, response: str) -> None:
    user, kind = auth_session.user, _kind(auth_session, challenge)
    if user is None or not state.users.is_stored(user):
        return
    before = state.auth_events.get(user, auth_session.event_id)
    if before is None and kind is None and response == "InProgress":
        # Nothing was proved yet.
        return
    event = before or AuthEvent(auth_session.event_id, "SignIn", state.clock(), response)
    added = () if kind is None else ((kind, "Failure" if response == "Fail" else "Success"),)
    address = _address(parameters) or event.address
    state.auth_events.put(user, replace(event, response=response, challenges=event.challenges + added, address=address))


def _kind(auth_session: AuthSession, challenge: str) -> str | None:
    if challenge in _PASSWORD:
        return "Password"
    return "Mfa" if challenge in _SECOND_FACTORS and auth_session.first_factor is None else None


def _address(parameters: Parameters) -> str | None:
    context = mapping(parameters, "UserContextData") or mapping(parameters, "ContextData")
    address: str | None = context.get("IpAddress")
    return address
