"""The operations on resource servers and their scopes: create, describe, update, delete and list them."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, present, string
from ..model.pools import PoolRecord, Resource
from ..storage import pages
from ..storage.state import State

__all__ = ["OPERATIONS"]

_PAGE_LIMIT = 50
_MOST = 25  # Source: Amazon Cognito developer guide, "Quotas in Amazon Cognito".


def create_resource_server(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateResourceServer."""
    pool, identifier = state.pool(string(parameters, "UserPoolId")), string(parameters, "Identifier")
    settings = _settings(parameters)
    if state.resource_servers.get(pool, identifier) is not None:
        raise invalid_parameter(f"{identifier} already exists in user pool {pool.id}.")
    if len(state.resource_servers.all(pool)) >= _MOST:
        raise Refusal("LimitExceededException", f"A user pool can have at most {_MOST} resource servers.")
    now = state.clock()
    server = state.resource_servers.add(pool, identifier, Resource(identifier, now, now, settings))
    return {"ResourceServer": _server_fields(pool, server)}


def _settings(parameters: Parameters) -> dict[str, Any]:
    settings: dict[str, Any] = {"Scopes": [], **present(parameters, "Name", "Scopes")}
    names = [scope["ScopeName"] for scope in settings["Scopes"]]
    if len(names) != len(set(names)):
        raise invalid_parameter("Scopes has two scopes of the same name.")
    return settings


def _pool_and_server(state: State, parameters: Parameters) -> tuple[PoolRecord, Resource]:
    pool, identifier = state.pool(string(parameters, "UserPoolId")), string(parameters, "Identifier")
    server = state.resource_servers.get(pool, identifier)
    if server is None:
        raise not_found(f"Resource server {identifier} does not exist.")
    return pool, server


def describe_resource_server(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeResourceServer."""
    return {"ResourceServer": _server_fields(*_pool_and_server(state, parameters))}


def update_resource_server(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateResourceServer: without the parameter Scopes, all scopes are removed."""
    pool, server = _pool_and_server(state, parameters)
    server.settings = _settings(parameters)
    server.modified = state.clock()
    return {"ResourceServer": _server_fields(pool, server)}


def delete_resource_server(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteResourceServer."""
    state.resource_servers.remove(_pool_and_server(state, parameters)[1])
    return {}


def list_resource_servers(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListResourceServers, with at most 50 per page."""
    pool = state.pool(string(parameters, "UserPoolId"))
    servers = state.resource_servers.all(pool)
    page, following = pages.requested_page(state, parameters, servers, limit="MaxResults", most=_PAGE_LIMIT)
    return {"ResourceServers": [_server_fields(pool, server) for server in page], **following}


def _server_fields(pool: PoolRecord, server: Resource) -> dict[str, Any]:
    return {"UserPoolId": pool.id, "Identifier": server.name, **server.settings}


OPERATIONS = {
    "CreateResourceServer": create_resource_server,
    "DescribeResourceServer": describe_resource_server,
    "UpdateResourceServer": update_resource_server,
    "DeleteResourceServer": delete_resource_server,
    "ListResourceServers": list_resource_servers,
}
