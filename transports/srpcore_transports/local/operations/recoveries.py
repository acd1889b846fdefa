"""The operations on point-in-time recovery. The pool goes through the states of a recovery, but restores nothing.

::

    InitiatePointInTimeRecovery --> PREVIEW_GENERATED --(Start)--> RESTORE_COMPLETED
                                        |  |
                                        |  +--(Cancel)--> PREVIEW_CANCELLED
                                        +--(a day)------> PREVIEW_EXPIRED
"""

from __future__ import annotations

import uuid
from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, present, string
from ..model.clock import DAY
from ..model.pool_defaults import tier
from ..model.pools import PoolRecord, Resource
from ..storage import pages
from ..storage.state import State

__all__ = ["OPERATIONS"]

# Source of these limits: API reference, InitiatePointInTimeRecovery.
_PERIODS = {"ESSENTIALS": DAY, "PLUS": 14 * DAY}
_LEAST_AGE = 15 * 60
_PREVIEWS_A_DAY = 3
_ENTITIES = ("Users", "Groups", "User MFAs", "Passkeys")


def initiate_point_in_time_recovery(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer InitiatePointInTimeRecovery. The preview is empty, because nothing would be restored."""
    pool, now = _pool(state, parameters), state.clock()
    _check_timestamp(pool, float(parameters["RestoreTimestamp"]), now)
    recent = [recovery for recovery in state.recoveries.all(pool) if recovery.created > now - DAY]
    if any(_status(state, recovery) == "PREVIEW_GENERATED" for recovery in recent):
        raise Refusal("LimitExceededException", "The user pool already has an active recovery.")
    if any(_status(state, recovery) == "RESTORE_COMPLETED" for recovery in recent):
        raise Refusal("LimitExceededException", "A user pool can be recovered once in 24 hours.")
    if len(recent) >= _PREVIEWS_A_DAY:
        raise Refusal(
            "LimitExceededException", f"A user pool can have {_PREVIEWS_A_DAY} recovery previews in 24 hours."
        )
    settings = {"RestoreTimestamp": parameters["RestoreTimestamp"], "RestoreStatus": "PREVIEW_GENERATED"}
    recovery = Resource(str(uuid.uuid4()), now, now, settings)
    return _answer(state, state.recoveries.add(pool, recovery.name, recovery))


def _pool(state: State, parameters: Parameters) -> PoolRecord:
    pool = state.pool(string(parameters, "UserPoolId"))
    if tier(pool.settings) == "LITE":
        raise Refusal(
            "FeatureUnavailableInTierException",
            "Point-in-time recovery is not available in the tier LITE of user pools.",
        )
    return pool


def _check_timestamp(pool: PoolRecord, timestamp: float, now: float) -> None:
    period = _PERIODS[tier(pool.settings)]
    if timestamp > now - _LEAST_AGE:
        raise invalid_parameter("RestoreTimestamp must be at least 15 minutes in the past.")
    if timestamp < now - period:
        raise invalid_parameter(f"RestoreTimestamp must be at most {period // 3600} hours in the past.")
    if timestamp < pool.created:
        raise invalid_parameter("RestoreTimestamp must not be earlier than the creation of the user pool.")


def _status(state: State, recovery: Resource) -> str:
    status = str(recovery.settings["RestoreStatus"])
    expired = status == "PREVIEW_GENERATED" and state.clock() >= recovery.created + DAY
    return "PREVIEW_EXPIRED" if expired else status


def _recovery(state: State, parameters: Parameters) -> Resource:
    pool, name = _pool(state, parameters), string(parameters, "RestoreId")
    recovery = state.recoveries.get(pool, name)
    if recovery is None:
        raise not_found(f"Recovery {name} does not exist.")
    return recovery


def _summary(state: State, recovery: Resource) -> dict[str, Any]:
    shown = present(recovery.settings, "RestoreTimestamp")
    return {"RestoreId": recovery.name, "RestoreStatus": _status(state, recovery), **shown}


def _answer(state: State, recovery: Resource) -> dict[str, Any]:
    preview = [{"Entity": name, "CreateCount": 0, "UpdateCount": 0, "DeleteCount": 0} for name in _ENTITIES]
    details = {"TriggerTimestamp": recovery.created, "RestorePreview": preview}
    return {"Restoration": {**_summary(state, recovery), **details}}


def describe_point_in_time_recovery(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribePointInTimeRecovery."""
    return _answer(state, _recovery(state, parameters))


def start_point_in_time_recovery(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer StartPointInTimeRecovery: it is completed at once, and changes nothing."""
    return _finish(state, parameters, "RESTORE_COMPLETED")


def cancel_point_in_time_recovery(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CancelPointInTimeRecovery."""
    return _finish(state, parameters, "PREVIEW_CANCELLED")


def _finish(state: State, parameters: Parameters, status: str) -> dict[str, Any]:
    recovery = _recovery(state, parameters)
    if _status(state, recovery) != "PREVIEW_GENERATED":
        raise invalid_parameter(f"The status of the recovery is {_status(state, recovery)}, not PREVIEW_GENERATED.")
    recovery.settings["RestoreStatus"] = status
    recovery.modified = state.clock()
    return _answer(state, recovery)


def list_point_in_time_recoveries(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListPointInTimeRecoveries, the newest first, with at most 60 per page."""
    newest = state.recoveries.all(_pool(state, parameters))[::-1]
    page, following = pages.requested_page(state, parameters, newest, limit="MaxResults")
    return {"Restorations": [_summary(state, recovery) for recovery in page], **following}


OPERATIONS = {
    "InitiatePointInTimeRecovery": initiate_point_in_time_recovery,
    "DescribePointInTimeRecovery": describe_point_in_time_recovery,
    "StartPointInTimeRecovery": start_point_in_time_recovery,
    "CancelPointInTimeRecovery": cancel_point_in_time_recovery,
    "ListPointInTimeRecoveries": list_point_in_time_recoveries,
}
