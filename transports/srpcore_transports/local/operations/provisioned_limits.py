"""GetProvisionedLimit and UpdateProvisionedLimit: the rates of requests of an account. The pool does not limit them."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, mapping
from ..storage.state import State

__all__ = ["OPERATIONS"]

_KIND = "provisioned_limit"
# Requests per second. Source: Amazon Cognito developer guide, "Quotas in Amazon Cognito".
_DEFAULTS = {
    "UserAuthentication": 120,
    "UserCreation": 50,
    "UserFederation": 25,
    "UserAccountRecovery": 30,
    "UserRead": 120,
    "UserUpdate": 25,
    "UserToken": 120,
    "UserResourceRead": 50,
    "UserResourceUpdate": 25,
    "UserList": 30,
    "UserPoolRead": 15,
    "UserPoolUpdate": 15,
    "UserPoolResourceRead": 20,
    "UserPoolResourceUpdate": 15,
    "UserPoolClientRead": 15,
    "UserPoolClientUpdate": 15,
    "ClientAuthentication": 150,
}
_MOST_TIMES_THE_DEFAULT = 10


def _category(parameters: Parameters) -> str:
    category = str(mapping(mapping(parameters, "LimitDefinition"), "Attributes").get("Category"))
    if category not in _DEFAULTS:
        raise not_found(f"The API category {category} does not exist: use one of {', '.join(_DEFAULTS)}.")
    return category


def get_provisioned_limit(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer GetProvisionedLimit."""
    return _answer(state, _category(parameters))


def update_provisioned_limit(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateProvisionedLimit. The maximum, which depends on the account, is ten times the default here."""
    category, value = _category(parameters), int(parameters["RequestedLimitValue"])
    default = _DEFAULTS[category]
    if value < default:
        raise invalid_parameter(f"RequestedLimitValue must be at least the default limit, {default}.")
    if value > default * _MOST_TIMES_THE_DEFAULT:
        raise Refusal(
            "ServiceQuotaExceededException",
            f"RequestedLimitValue must be at most the quota of the account, {default * _MOST_TIMES_THE_DEFAULT}.",
        )
    state.documents.put(None, _KIND, {"Value": value}, category)
    return _answer(state, category)


def _answer(state: State, category: str) -> dict[str, Any]:
    document, default = state.documents.get(None, _KIND, category), _DEFAULTS[category]
    limit = {
        "LimitDefinition": {"LimitClass": "API_CATEGORY", "Attributes": {"Category": category}},
        "ProvisionedLimitValue": default if document is None else document.settings["Value"],
        "FreeLimitValue": default,
    }
    return {"Limit": limit}


OPERATIONS = {
    "GetProvisionedLimit": get_provisioned_limit,
    "UpdateProvisionedLimit": update_provisioned_limit,
}
