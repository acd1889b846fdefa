"""ChangePassword: a logged-in user sets another password."""

from __future__ import annotations

from typing import Any

from ..api.errors import limit_exceeded, not_authorized
from ..api.parameters import Parameters, string
from ..auth import auth_events, passwords
from ..auth.token_verification import verify_access_token
from ..steps import Step
from ..storage import directory
from ..storage.state import Handler, State

__all__ = ["OPERATIONS"]


def change_password(state: State, parameters: Parameters) -> Step[dict[str, Any]]:
    """Answer ChangePassword."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    previous, proposed = string(parameters, "PreviousPassword"), string(parameters, "ProposedPassword")
    yield from passwords.check_password(
        state, grant.pool, grant.user, grant.user.username, previous, locked=limit_exceeded()
    )
    passwords.check_policy(grant.pool, proposed)
    proved = grant.user.password
    yield from passwords.check_history(grant.pool, grant.user, proposed)
    verifier = yield from passwords.make_verifier(grant.pool, grant.user.username, proposed)
    directory.require_stored(state, grant.user)
    if grant.user.password != proved or not grant.user.enabled:
        # An administrator has set another password meanwhile, or disabled the user.
        raise not_authorized()
    passwords.store(state, grant.pool, grant.user, verifier, grant.user.status)
    auth_events.record(state, grant.pool, grant.user, "PasswordChange")
    return {}


OPERATIONS: dict[str, Handler] = {"ChangePassword": change_password}
