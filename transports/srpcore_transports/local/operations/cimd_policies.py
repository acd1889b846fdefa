"""The operations on policies for client ID metadata documents (CIMD): OAuth clients whose id is the URL of a document.

The pool stores the policies. It has no OAuth endpoints, so it never fetches such a document, and none is cached.
"""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, not_found
from ..api.parameters import Parameters, present, string
from ..model.pools import PoolRecord, Resource
from ..model.records import random_string
from ..storage import pages
from ..storage.state import State
from .app_clients import require_client

__all__ = ["OPERATIONS"]

_CHANGEABLE = ("ClientId", "PolicyName", "CacheDuration", "URLPatterns")


def create_cimd_policy(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateCIMDPolicy."""
    pool, now = state.pool(require_client(state, parameters).user_pool_id), state.clock()
    policy = Resource(random_string(26), now, now, present(parameters, *_CHANGEABLE))
    return _answer(state, pool, state.cimd_policies.add(pool, policy.name, policy))


def _answer(state: State, pool: PoolRecord, policy: Resource) -> dict[str, Any]:
    return {"CIMDPolicy": {"UserPoolId": pool.id, **_policy_fields(state, policy)}}


def _policy_fields(state: State, policy: Resource) -> dict[str, Any]:
    settings = dict(policy.settings)
    # Documented: the value is left out if the app client was deleted.
    if state.clients.find(settings["ClientId"]) is None:
        del settings["ClientId"]
    dates = {"CreationDate": policy.created, "LastModifiedDate": policy.modified}
    return {"CIMDPolicyId": policy.name, **settings, **dates}


def _pool_and_policy(state: State, parameters: Parameters) -> tuple[PoolRecord, Resource]:
    pool, name = state.pool(string(parameters, "UserPoolId")), string(parameters, "CIMDPolicyId")
    policy = state.cimd_policies.get(pool, name)
    if policy is None:
        raise not_found(f"CIMD policy {name} does not exist.")
    return pool, policy


def describe_cimd_policy(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeCIMDPolicy."""
    return _answer(state, *_pool_and_policy(state, parameters))


def update_cimd_policy(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateCIMDPolicy: parameters that are left out do not change."""
    pool, policy = _pool_and_policy(state, parameters)
    require_client(state, parameters)
    policy.settings |= present(parameters, *_CHANGEABLE)
    policy.modified = state.clock()
    return _answer(state, pool, policy)


def delete_cimd_policy(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteCIMDPolicy."""
    state.cimd_policies.remove(_pool_and_policy(state, parameters)[1])
    return {}


def list_cimd_policies(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListCIMDPolicies, with at most 60 per page."""
    pool = state.pool(string(parameters, "UserPoolId"))
    policies = state.cimd_policies.all(pool)
    page, following = pages.requested_page(state, parameters, policies, limit="MaxResults")
    shown = [_policy_fields(state, policy) for policy in page]
    for fields in shown:
        del fields["URLPatterns"]
    return {"CIMDPolicies": shown, **following}


def list_client_metadata_urls(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListClientMetadataURLs: the pool has not received any."""
    _pool_and_policy(state, parameters)
    return {"ClientMetadataURLs": []}


def update_client_metadata_url_state(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateClientMetadataURLState: no document is cached."""
    _pool_and_policy(state, parameters)
    raise Refusal("CachedCIMDURLDoesNotExistException", "The client metadata document of this URL is not cached.")


OPERATIONS = {
    "CreateCIMDPolicy": create_cimd_policy,
    "DescribeCIMDPolicy": describe_cimd_policy,
    "UpdateCIMDPolicy": update_cimd_policy,
    "DeleteCIMDPolicy": delete_cimd_policy,
    "ListCIMDPolicies": list_cimd_policies,
    "ListClientMetadataURLs": list_client_metadata_urls,
    "UpdateClientMetadataURLState": update_client_metadata_url_state,
}
