"""The settings of the delivery of logs. The pool only stores them."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, present, string
from ..model.pool_defaults import tier
from ..model.pools import PoolRecord
from ..storage.state import State

__all__ = ["OPERATIONS"]

_KIND = "log_delivery_configuration"
# Source: API reference, LogConfigurationType: the level that each source of events has.
_LEVELS = {"userNotification": "ERROR", "userAuthEvents": "INFO"}
_DESTINATIONS = ("CloudWatchLogsConfiguration", "S3Configuration", "FirehoseConfiguration")


def set_log_delivery_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer SetLogDeliveryConfiguration."""
    pool = state.pool(string(parameters, "UserPoolId"))
    configurations: list[dict[str, Any]] = parameters["LogConfigurations"]
    sources = [configuration["EventSource"] for configuration in configurations]
    if len(sources) != len(set(sources)):
        raise invalid_parameter("LogConfigurations has two configurations of the same EventSource.")
    for configuration in configurations:
        _check_log_configuration(pool, configuration)
    state.documents.put(pool, _KIND, {"LogConfigurations": configurations})
    return _log_delivery(state, pool)


def _check_log_configuration(pool: PoolRecord, configuration: dict[str, Any]) -> None:
    source, destinations = configuration["EventSource"], present(configuration, *_DESTINATIONS)
    if configuration["LogLevel"] != _LEVELS[source]:
        raise invalid_parameter(f"LogLevel must be {_LEVELS[source]} for the EventSource {source}.")
    if len(destinations) != 1:
        raise invalid_parameter(f"A log configuration must have one of {', '.join(_DESTINATIONS)}.")
    if source == "userNotification" and "CloudWatchLogsConfiguration" not in destinations:
        raise invalid_parameter("userNotification can only be delivered to CloudWatchLogsConfiguration.")
    if source == "userAuthEvents" and tier(pool.settings) != "PLUS":
        raise Refusal("FeatureUnavailableInTierException", "userAuthEvents needs the tier PLUS of user pools.")


def get_log_delivery_configuration(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetLogDeliveryConfiguration."""
    return _log_delivery(state, state.pool(string(parameters, "UserPoolId")))


def _log_delivery(state: State, pool: PoolRecord) -> dict[str, Any]:
    document = state.documents.get(pool, _KIND)
    settings = {"LogConfigurations": list[Any]()} if document is None else document.settings
    return {"LogDeliveryConfiguration": {"UserPoolId": pool.id, **settings}}


OPERATIONS = {
    "SetLogDeliveryConfiguration": set_log_delivery_configuration,
    "GetLogDeliveryConfiguration": get_log_delivery_configuration,
}
