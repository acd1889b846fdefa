"""The settings of threat protection and of the delivery of logs. The pool only stores them.

The events that threat protection records are in :mod:`.auth_events`.
"""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, optional_string, present, string
from ..model.records import PoolRecord, Resource
from ..storage.state import State
from .app_clients import require_client
from .auth_events import require_threat_protection

__all__ = ["OPERATIONS"]

_RISK, _LOGS = "risk_configuration", "log_delivery_configuration"
_RISK_SETTINGS = (
    "CompromisedCredentialsRiskConfiguration",
    "AccountTakeoverRiskConfiguration",
    "RiskExceptionConfiguration",
)
# Source: API reference, LogConfigurationType: the level that each source of events has.
_LEVELS = {"userNotification": "ERROR", "userAuthEvents": "INFO"}
_DESTINATIONS = ("CloudWatchLogsConfiguration", "S3Configuration", "FirehoseConfiguration")


def _pool_and_client_id(state: State, parameters: Parameters) -> tuple[PoolRecord, str]:
    pool, client_id = state.pool(string(parameters, "UserPoolId")), optional_string(parameters, "ClientId")
    return pool, "" if client_id is None else require_client(state, parameters).client_id


def set_risk_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetRiskConfiguration: without settings, those of the pool or app client are reset."""
    pool, client_id = _pool_and_client_id(state, parameters)
    require_threat_protection(pool)
    settings, now = present(parameters, *_RISK_SETTINGS), state.clock()
    if settings:
        state.documents.put(pool, _RISK, Resource("", now, now, settings), client_id)
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


def set_log_delivery_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetLogDeliveryConfiguration."""
    pool, now = state.pool(string(parameters, "UserPoolId")), state.clock()
    configurations: list[dict[str, Any]] = parameters["LogConfigurations"]
    sources = [configuration["EventSource"] for configuration in configurations]
    if len(sources) != len(set(sources)):
        raise invalid_parameter("LogConfigurations has two configurations of the same EventSource.")
    for configuration in configurations:
        _check_log_configuration(pool, configuration)
    state.documents.put(pool, _LOGS, Resource("", now, now, {"LogConfigurations": configurations}))
    return _log_delivery(state, pool)


def _check_log_configuration(pool: PoolRecord, configuration: dict[str, Any]) -> None:
    source, destinations = configuration["EventSource"], present(configuration, *_DESTINATIONS)
    if configuration["LogLevel"] != _LEVELS[source]:
        raise invalid_parameter(f"LogLevel must be {_LEVELS[source]} for the EventSource {source}.")
    if len(destinations) != 1:
        raise invalid_parameter(f"A log configuration must have one of {', '.join(_DESTINATIONS)}.")
    if source == "userNotification" and "CloudWatchLogsConfiguration" not in destinations:
        raise invalid_parameter("userNotification can only be delivered to CloudWatchLogsConfiguration.")
    if source == "userAuthEvents" and pool.settings.get("UserPoolTier") != "PLUS":
        raise Refusal("FeatureUnavailableInTierException", "userAuthEvents needs the tier PLUS of user pools.")


def get_log_delivery_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetLogDeliveryConfiguration."""
    return _log_delivery(state, state.pool(string(parameters, "UserPoolId")))


def _log_delivery(state: State, pool: PoolRecord) -> dict[str, Any]:
    document = state.documents.get(pool, _LOGS)
    settings = {"LogConfigurations": list[Any]()} if document is None else document.settings
    return {"LogDeliveryConfiguration": {"UserPoolId": pool.id, **settings}}


OPERATIONS = {
    "SetRiskConfiguration": set_risk_configuration,
    "DescribeRiskConfiguration": describe_risk_configuration,
    "SetLogDeliveryConfiguration": set_log_delivery_configuration,
    "GetLogDeliveryConfiguration": get_log_delivery_configuration,
}
