"""The operations that list and revoke the sessions of a user: the logins that can still be refreshed."""

from __future__ import annotations

from typing import Any

from ..api.errors import invalid_parameter, not_found
from ..api.parameters import Parameters, string
from ..auth.token_verification import verify_access_token
from ..model.grants import GrantRecord
from ..model.users import User
from ..storage import directory, pages
from ..storage.state import State

__all__ = ["OPERATIONS"]


def list_user_sessions(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUserSessions: the logins that can still be refreshed, oldest first, 60 per page."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    return _list(state, grant.user, parameters, grant.record)


def admin_list_user_sessions(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminListUserSessions."""
    return _list(state, directory.pool_and_user(state, parameters)[1], parameters, None)


def _list(state: State, user: User, parameters: Parameters, own: GrantRecord | None) -> dict[str, Any]:
    active = state.grants.active(user)
    # The caller cannot choose the page size in these two operations.
    page, following = pages.requested_page(state, {"NextToken": parameters.get("NextToken")}, active)
    return {"Sessions": [_session_fields(grant, own) for grant in page], **following}


def _session_fields(grant: GrantRecord, own: GrantRecord | None) -> dict[str, Any]:
    return {
        "SessionId": grant.session_id,
        "SessionType": "TOKEN",
        "ClientId": grant.client_id,
        "CreateDate": grant.auth_time,
        "LastActiveDate": grant.last_active,
        "IsCurrentSession": grant is own,
    }


def revoke_user_session(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer RevokeUserSession; the session of the access token itself cannot be revoked."""
    grant = verify_access_token(state, string(parameters, "AccessToken"))
    return _revoke(state, grant.user, parameters, grant.record)


def admin_revoke_user_session(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminRevokeUserSession."""
    return _revoke(state, directory.pool_and_user(state, parameters)[1], parameters, None)


def _revoke(state: State, user: User, parameters: Parameters, own: GrantRecord | None) -> dict[str, Any]:
    session = string(parameters, "SessionId")
    # RevokeAssociatedSessions has no effect: sessions of the local pool are never associated with each other.
    active = state.grants.active(user)
    grant = next((grant for grant in active if grant.session_id == session), None)
    if grant is None:
        raise not_found("Session does not exist.")
    if grant is own:
        raise invalid_parameter("The session that the access token belongs to cannot be revoked.")
    grant.revoked = True
    return {}


OPERATIONS = {
    "ListUserSessions": list_user_sessions,
    "AdminListUserSessions": admin_list_user_sessions,
    "RevokeUserSession": revoke_user_session,
    "AdminRevokeUserSession": admin_revoke_user_session,
}
