"""ListUsers: list users, at most 60 per page, and parse its filter expressions."""

from __future__ import annotations

import re
from typing import Any

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, optional_string, string, strings
from ..model import schema
from ..model.pools import PoolRecord
from ..model.users import User
from ..storage import pages
from ..storage.state import State
from ..storage.users import SEARCHABLE, Search
from .admin_users import user_fields

__all__ = ["OPERATIONS", "parse_filter"]

# attribute = "value" or attribute ^= "value". A quotation mark in the value is escaped: \".
_FILTER = re.compile(r'\s*"?(?P<name>[\w:]+)"?\s*(?P<operator>\^?=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*')
# According to the service model's documentation of the parameter Filter.
_CASE_SENSITIVE = ("username", "status")
_TOKEN = "PaginationToken"


def parse_filter(expression: str) -> Search:
    """Return the search that *expression* describes.

    *expression* is ``attribute = "value"`` for equal values, or ``attribute ^= "value"`` for values that start with it.

    Raises:
        Refusal: the expression is malformed, or its attribute cannot be searched.
    """
    match = _FILTER.fullmatch(expression)
    if match is None:
        raise invalid_parameter("Error while parsing filter.")
    if match["name"] not in SEARCHABLE:
        # Sources: moto and cognito-local, whose answers agree.
        raise invalid_parameter(f"Invalid search attribute: {match['name']}")
    return Search(match["name"], re.sub(r"\\(.)", r"\1", match["value"]), prefix=match["operator"] == "^=")


def _matches(search: Search, user: User) -> bool:
    """Return whether *user*, whom *search* found without regard to case, matches with regard to it."""
    if search.attribute not in _CASE_SENSITIVE:
        return True
    value = user.username if search.attribute == "username" else "Enabled" if user.enabled else "Disabled"
    return value.startswith(search.value) if search.prefix else value == search.value


def list_users(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUsers: without a filter by the order of creation, with one by the values of the attribute."""
    pool = state.pool(string(parameters, "UserPoolId"))
    expression, wanted = optional_string(parameters, "Filter"), strings(parameters, "AttributesToGet")
    for name in wanted:
        if schema.definition(pool, name) is None:
            raise _not_in_all(name)
    if expression:
        page, following = _search(state, pool, parse_filter(expression), parameters)
    else:
        page, following = pages.requested_rows(
            state, parameters, lambda after, limit: state.users.page(pool, after, limit), first=0, token=_TOKEN
        )
    for name in wanted:
        if any(name not in user.attributes for user in page):
            raise _not_in_all(name)
    return {"Users": [user_fields(user, wanted) for user in page], **following}


def _not_in_all(name: str) -> Refusal:
    # The API reference of ListUsers: "returns an error if not all users in the results have set a value".
    return invalid_parameter(f"AttributesToGet: not all users in the results have a value of {name}.")


def _search(
    state: State, pool: PoolRecord, search: Search, parameters: Parameters
) -> tuple[list[User], dict[str, str]]:
    def fetch(after: tuple[str, int], limit: int) -> list[tuple[tuple[str, int], User]]:
        return state.users.search(pool, search, after, limit, lambda user: _matches(search, user))

    return pages.requested_rows(state, parameters, fetch, first=("", 0), token=_TOKEN)


OPERATIONS = {"ListUsers": list_users}
