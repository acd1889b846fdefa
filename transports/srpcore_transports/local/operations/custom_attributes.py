"""AddCustomAttributes: add attributes to the schema of a pool. They cannot be changed or removed later."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, string
from ..model import schema
from ..model.pools import PoolRecord
from ..storage.state import State
from . import import_jobs

__all__ = ["OPERATIONS"]

_MOST = 50  # Source: Amazon Cognito developer guide, "Quotas in Amazon Cognito".


def add_custom_attributes(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AddCustomAttributes."""
    pool = state.pool(string(parameters, "UserPoolId"))
    if any(import_jobs.is_running(job) for job in state.import_jobs.all(pool)):
        raise Refusal("UserImportInProgressException", "A user import job is in progress in the user pool.")
    added: list[dict[str, Any]] = parameters["CustomAttributes"]
    known = schema.names(pool)
    for attribute in added:
        name = _full_name(attribute)
        # A name is also taken if an attribute that only administrators see has it.
        for existing in (name, f"dev:{name}"):
            if existing in known:
                raise invalid_parameter(f"{name}: Existing attribute already has name {existing}.")
        known.add(name)
    schema.check(added)
    if len(_custom(pool)) + len(added) > _MOST:
        raise invalid_parameter(f"A user pool can have at most {_MOST} custom attributes.")
    pool.settings["Schema"] = [*pool.schema, *added]
    pool.modified = state.clock()
    return {}


def _full_name(attribute: dict[str, Any]) -> str:
    name = attribute.get("Name")
    if not name:
        raise invalid_parameter("Name of a custom attribute is missing.")
    return f"custom:{name}"


def _custom(pool: PoolRecord) -> list[str]:
    return [name for name in schema.names(pool) if name.startswith("custom:")]


OPERATIONS = {"AddCustomAttributes": add_custom_attributes}
