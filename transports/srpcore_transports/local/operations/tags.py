"""The operations on the tags of a user pool. The requests name the pool by its ARN."""

from __future__ import annotations

import re
from typing import Any, cast

from ..api.errors import invalid_parameter, not_found
from ..api.parameters import Parameters, mapping, string, strings
from ..model.pools import PoolRecord
from ..storage.state import State

__all__ = ["OPERATIONS"]

_POOL_ARN = re.compile(
    r"arn:[\w-]+:cognito-idp:(?P<region>[\w-]+):[0-9]+:userpool/(?P<id>[\w-]+_[0-9a-zA-Z]+)", re.ASCII
)
_MOST = 50  # Source: API reference, TagResource: "A user pool can have as many as 50 tags."


def _pool(state: State, parameters: Parameters) -> PoolRecord:
    match = _POOL_ARN.fullmatch(string(parameters, "ResourceArn"))
    if match is None:
        raise invalid_parameter("ResourceArn is not the ARN of a user pool.")
    pool = state.pool(match["id"])
    if match["region"] != pool.region:
        raise not_found(f"User pool {pool.id} does not exist.")
    return pool


def _tags(pool: PoolRecord) -> dict[str, str]:
    return cast("dict[str, str]", pool.section("UserPoolTags"))


def tag_resource(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer TagResource: a tag with the same key gets the new value."""
    pool = _pool(state, parameters)
    tags = _tags(pool) | mapping(parameters, "Tags")
    if len(tags) > _MOST:
        raise invalid_parameter(f"A user pool can have at most {_MOST} tags.")
    pool.settings["UserPoolTags"] = tags
    return {}


def untag_resource(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UntagResource; it is not an error if the pool does not have a tag."""
    pool, removed = _pool(state, parameters), strings(parameters, "TagKeys")
    pool.settings["UserPoolTags"] = {key: value for key, value in _tags(pool).items() if key not in removed}
    return {}


def list_tags_for_resource(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListTagsForResource."""
    return {"Tags": _tags(_pool(state, parameters))}


OPERATIONS = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
