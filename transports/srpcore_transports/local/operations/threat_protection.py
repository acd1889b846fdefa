"""The settings of threat protection. The pool only stores them.

The events that threat protection records are in :mod:`.auth_events`.
"""

from __future__ import annotations

from typing import Any

from ..api.parameters import Parameters, optional_string, present, string
from ..model.pools import PoolRecord
from ..storage.state import State
from .app_clients import require_client
from .auth_events import require_threat_protection

__all__ = ["OPERATIONS"]

_RISK = "risk_configuration"
_RISK_SETTINGS = (
    "CompromisedCredentialsRiskConfiguration",
    "AccountTakeoverRiskConfiguration",
    "RiskExceptionConfiguration",
)


def _pool_and_client_id(state: State, parameters: Parameters) -> tuple[PoolRecord, str]:
    pool, client_id = state.pool(string(parameters, "UserPoolId")), optional_string(parameters, "ClientId")
    return pool, "" if client_id is None else require_client(state, parameters).client_id


def set_risk_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetRiskConfiguration: without settings, those of the pool or app client are reset."""
    pool, client_id = _pool_and_client_id(state, parameters)
    require_threat_protection(pool)
    settings = present(parameters, *_RISK_SETTINGS)
    if settings:
        state.documents.put(pool, _RISK, settings, client_id)
    else:
        state.documents.remove(pool, _RISK, client_id)
    return _risk_configuration(state, pool, client_id)


def describe_risk_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeRiskConfiguration."""
    return _risk_configuration(state, *_pool_and_client_id(state, parameters))


def _risk_configuration(state: State, pool: PoolRecord, client_id: str) -> dict[str, Any]:
    document = state.documents.get(pool, _RISK, client_id)
    configuration: dict[str, Any] = {"UserPoolId": pool.id, **({"ClientId": client_id} if client_id else {})}
    if document is not None:
        configuration |= {**document.settings, "LastModifiedDate": document.modified}
    return {"RiskConfiguration": configuration}


OPERATIONS = {
    "SetRiskConfiguration": set_risk_configuration,
    "DescribeRiskConfiguration": describe_risk_configuration,
}
