"""ListUsers: list users, at most 60 per page, and parse its filter expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..api import pages
from ..api.errors import invalid_parameter
from ..api.parameters import Parameters, optional_string, string, strings
from ..model.records import User
from .admin_users import user_fields

if TYPE_CHECKING:
    from ..storage.state import State

__all__ = ["OPERATIONS", "parse_filter"]

# attribute = "value" or attribute ^= "value". A quotation mark in the value is escaped: \".
_FILTER = re.compile(r'\s*"?(?P<name>[\w:]+)"?\s*(?P<operator>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*')
_FILTERABLE = frozenset(
    "username email phone_number name given_name family_name preferred_username cognito:user_status status sub".split()
)


def parse_filter(expression: str) -> Callable[[User], bool]:
    """Return a function that returns whether a user matches *expression*.

    *expression* is ``attribute = "value"`` for equal values, or ``attribute ^= "value"`` for values that start with it,
    without regard to case.

    Raises:
        Refusal: the expression is malformed, or its attribute cannot be searched.
    """
    match = _FILTER.fullmatch(expression)
    if match is None or match["name"] not in _FILTERABLE:
        raise invalid_parameter("Error while parsing filter.")
    name, value = match["name"], re.sub(r"\\(.)", r"\1", match["value"])
    if match["operator"] == "^=":
        return lambda user: _value(user, name).casefold().startswith(value.casefold())
    return lambda user: _value(user, name) == value


def _value(user: User, name: str) -> str:
    own = {
        "username": user.username,
        "cognito:user_status": user.status,
        "status": "Enabled" if user.enabled else "Disabled",
    }
    return own[name] if name in own else user.attributes.get(name, "")


def list_users(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUsers."""
    pool = state.pool(string(parameters, "UserPoolId"))
    expression, wanted = optional_string(parameters, "Filter"), strings(parameters, "AttributesToGet")
    users = list(pool.users.values())
    if expression:
        users = list(filter(parse_filter(expression), users))
    page, following = pages.requested_page(state, parameters, users, token="PaginationToken")
    return {"Users": [user_fields(user, wanted) for user in page], **following}


OPERATIONS = {"ListUsers": list_users}
