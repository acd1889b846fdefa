"""The operations on the recorded events of a user: list them, and give feedback on whether one was the user's own."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from ..api.errors import Refusal, invalid_parameter, not_authorized
from ..api.parameters import Parameters, string
from ..auth import auth_events
from ..model.auth_events import AuthEvent, Feedback
from ..model.pools import PoolRecord
from ..model.users import User
from ..storage import directory, pages
from ..storage.auth_events import NEWEST
from ..storage.state import State

__all__ = ["OPERATIONS", "require_threat_protection"]


def require_threat_protection(pool: PoolRecord) -> None:
    """Check that the threat protection of *pool* is on.

    Raises:
        Refusal: it is off, as it is by default.
    """
    if not auth_events.enabled(pool):
        raise Refusal("UserPoolAddOnNotEnabledException", "User pool add-ons are not enabled for this user pool.")


def _user(state: State, parameters: Parameters) -> User:
    pool = state.pool(string(parameters, "UserPoolId"))
    require_threat_protection(pool)
    return directory.require_user(state, pool, string(parameters, "Username"))


def admin_list_user_auth_events(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminListUserAuthEvents, the newest event first, with at most 60 per page."""
    user = _user(state, parameters)
    page, following = pages.requested_rows(
        state,
        parameters,
        lambda before, limit: state.auth_events.page(user, before, limit),
        first=NEWEST,
        limit="MaxResults",
    )
    return {"AuthEvents": [_event_fields(event) for event in page], **following}


def _event_fields(event: AuthEvent) -> dict[str, Any]:
    challenges = [{"ChallengeName": name, "ChallengeResponse": result} for name, result in event.challenges]
    given = event.feedback
    feedback = given and {"FeedbackValue": given.value, "Provider": given.provider, "FeedbackDate": given.date}
    return {
        "EventId": event.id,
        "EventType": event.kind,
        "CreationDate": event.created,
        "EventResponse": event.response,
        "EventRisk": {"RiskDecision": "NoRisk", "CompromisedCredentialsDetected": False},
        "ChallengeResponses": challenges,
        "EventContextData": {"IpAddress": event.address} if event.address else {},
        **({"EventFeedback": feedback} if feedback else {}),
    }


def admin_update_auth_event_feedback(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AdminUpdateAuthEventFeedback."""
    user, event_id = _user(state, parameters), string(parameters, "EventId")
    event = state.auth_events.get(user, event_id)
    if event is None:
        raise invalid_parameter(f"Auth event {event_id} does not exist.")
    feedback = Feedback(string(parameters, "FeedbackValue"), "Admin", state.clock())
    state.auth_events.put(user, replace(event, feedback=feedback))
    return {}


def update_auth_event_feedback(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateAuthEventFeedback: every token is refused, because the pool sends none in its messages."""
    _user(state, parameters)
    raise not_authorized("Invalid feedback token.")


OPERATIONS = {
    "AdminListUserAuthEvents": admin_list_user_auth_events,
    "AdminUpdateAuthEventFeedback": admin_update_auth_event_feedback,
    "UpdateAuthEventFeedback": update_auth_event_feedback,
}
