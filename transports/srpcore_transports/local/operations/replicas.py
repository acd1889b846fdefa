"""The operations on replicas of a pool in other regions. The pool stores which ones there are; they have no users."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, string
from ..model.aws_names import user_pool_arn
from ..model.pool_defaults import tier
from ..model.pools import PoolRecord, Resource
from ..storage import pages
from ..storage.state import State

__all__ = ["OPERATIONS"]


def create_user_pool_replica(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateUserPoolReplica: the replica is there at once, and inactive."""
    pool, region = state.pool(string(parameters, "UserPoolId")), string(parameters, "RegionName")
    if tier(pool.settings) == "LITE":
        raise Refusal("FeatureUnavailableInTierException", "Replicas are not available in the tier LITE of user pools.")
    if region == pool.region or state.replicas.get(pool, region) is not None:
        raise invalid_parameter(f"The user pool already has a replica in {region}.")
    now = state.clock()
    replica = state.replicas.add(pool, region, Resource(region, now, now, {"Status": "INACTIVE"}))
    return {"UserPoolReplica": _secondary(pool, replica)}


def _secondary(pool: PoolRecord, replica: Resource) -> dict[str, Any]:
    return _replica_fields(pool, replica.name, replica.settings["Status"], "SECONDARY")


def _replica_fields(pool: PoolRecord, region: str, status: str, role: str) -> dict[str, Any]:
    arn = user_pool_arn(region, pool.id)
    return {"RegionName": region, "Status": status, "Role": role, "UserPoolArn": arn}


def _pool_and_replica(state: State, parameters: Parameters) -> tuple[PoolRecord, Resource]:
    pool, region = state.pool(string(parameters, "UserPoolId")), string(parameters, "RegionName")
    if region == pool.region:
        raise invalid_parameter("The primary replica can be neither changed nor deleted.")
    replica = state.replicas.get(pool, region)
    if replica is None:
        raise not_found(f"The user pool does not have a replica in {region}.")
    return pool, replica


def update_user_pool_replica(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateUserPoolReplica."""
    pool, replica = _pool_and_replica(state, parameters)
    replica.settings["Status"] = string(parameters, "Status")
    replica.modified = state.clock()
    return {"UserPoolReplica": _secondary(pool, replica)}


def delete_user_pool_replica(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUserPoolReplica; the replica must be inactive."""
    pool, replica = _pool_and_replica(state, parameters)
    if replica.settings["Status"] != "INACTIVE":
        raise invalid_parameter("Only a replica with the status INACTIVE can be deleted.")
    state.replicas.remove(replica)
    return {"UserPoolReplica": _replica_fields(pool, replica.name, "DELETING", "SECONDARY")}


def list_user_pool_replicas(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUserPoolReplicas: the pool itself, and its replicas."""
    pool = state.pool(string(parameters, "UserPoolId"))
    primary = _replica_fields(pool, pool.region, "ACTIVE", "PRIMARY")
    replicas = [primary, *(_secondary(pool, replica) for replica in state.replicas.all(pool))]
    page, following = pages.requested_page(state, parameters, replicas)
    return {"UserPoolReplicas": [*page], **following}


OPERATIONS = {
    "CreateUserPoolReplica": create_user_pool_replica,
    "UpdateUserPoolReplica": update_user_pool_replica,
    "DeleteUserPoolReplica": delete_user_pool_replica,
    "ListUserPoolReplicas": list_user_pool_replicas,
}
