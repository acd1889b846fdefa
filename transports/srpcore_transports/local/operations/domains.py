"""The operations on the domains of a pool: create, describe, update and delete them.

The pool only stores them: it has no hosted login pages. A domain name is unique in the server, as it is unique in a
region of the service. A pool has at most one prefix domain and one custom domain.
"""

from __future__ import annotations

import re
from typing import Any

from ..api.errors import invalid_parameter
from ..api.parameters import Parameters, present, string
from ..model.aws_names import ACCOUNT_ID
from ..model.pools import PoolRecord, Resource
from ..storage.state import State

__all__ = ["OPERATIONS", "names_of"]

_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")
_RESERVED = ("aws", "amazon", "cognito")
_CHANGEABLE = ("ManagedLoginVersion", "CustomDomainConfig", "Routing")


def names_of(state: State, pool: PoolRecord) -> dict[str, str]:
    """Return the members ``Domain`` and ``CustomDomain`` of a UserPoolType, each only if the pool has such a domain."""
    return {
        "CustomDomain" if "CustomDomainConfig" in domain.settings else "Domain": domain.name
        for domain in state.domains.all(pool)
    }


def create_user_pool_domain(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateUserPoolDomain: the domain is active at once."""
    pool, name = state.pool(string(parameters, "UserPoolId")), string(parameters, "Domain")
    settings = present(parameters, *_CHANGEABLE)
    _check(settings, name)
    # The messages are those of the service: https://github.com/aws-samples/websocket-chat-application/issues/56.
    if state.domains.find(name) is not None:
        raise invalid_parameter("Domain already associated with another user pool.")
    kind = "CustomDomain" if "CustomDomainConfig" in settings else "Domain"
    if kind in names_of(state, pool):
        raise invalid_parameter("User pool already has a domain configured.")
    now = state.clock()
    return _answer(state.domains.add(pool, name, Resource(name, now, now, {"UserPoolId": pool.id, **settings})))


def _check(settings: Parameters, name: str) -> None:
    version = settings.get("ManagedLoginVersion", 1)
    if version not in (1, 2):
        raise invalid_parameter("ManagedLoginVersion must be 1 (hosted UI) or 2 (managed login).")
    if "CustomDomainConfig" in settings:
        if "." not in name:
            raise invalid_parameter("A custom domain must be a fully qualified domain name, such as auth.example.com.")
        return
    if "Routing" in settings:
        raise invalid_parameter("Routing is only supported for custom domains.")
    if not _PREFIX.fullmatch(name):
        # Source: https://github.com/mineiros-io/terraform-aws-cognito-user-pool/issues/69.
        raise invalid_parameter(
            "The domain name contains an invalid character. Domain names can only contain lower-case letters, numbers, "
            "and hyphens. Please enter a different name that follows this format: "
            r"^[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?$"
        )
    for word in _RESERVED:
        if word in name:
            raise invalid_parameter(f"Domain cannot contain reserved word: {word}")


def _answer(domain: Resource) -> dict[str, Any]:
    custom = {"CloudFrontDomain": _cloud_front(domain)} if "CustomDomainConfig" in domain.settings else {}
    return {**custom, "ManagedLoginVersion": 1, **present(domain.settings, "ManagedLoginVersion", "Routing")}


def _cloud_front(domain: Resource) -> str:
    return f"d{sum(domain.name.encode()):013d}.cloudfront.net"


def describe_user_pool_domain(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeUserPoolDomain: the description is empty if the domain does not exist."""
    domain = state.domains.find(string(parameters, "Domain"))
    region = "" if domain is None else str(domain.settings["UserPoolId"]).split("_", 1)[0]
    # A prefix domain can only be described in its own region.
    elsewhere = (
        state.region not in (None, region) and domain is not None and "CustomDomainConfig" not in domain.settings
    )
    return {"DomainDescription": {} if domain is None or elsewhere else _description(domain, region)}


def _description(domain: Resource, region: str) -> dict[str, Any]:
    return {
        "AWSAccountId": ACCOUNT_ID,
        "Domain": domain.name,
        "S3Bucket": f"aws-cognito-prod-{region}-assets",
        "CloudFrontDistribution": _cloud_front(domain),
        "Version": str(int(domain.modified)),
        "Status": "ACTIVE",
        "ManagedLoginVersion": 1,
        **domain.settings,
    }


def _pool_and_domain(state: State, parameters: Parameters) -> tuple[PoolRecord, Resource]:
    pool = state.pool(string(parameters, "UserPoolId"))
    domain = state.domains.get(pool, string(parameters, "Domain"))
    if domain is None:
        raise invalid_parameter("No such domain or user pool exists.")
    return pool, domain


def update_user_pool_domain(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateUserPoolDomain: parameters that are left out do not change.

    CustomDomainConfig cannot be left out for a custom domain.
    """
    _, domain = _pool_and_domain(state, parameters)
    changed = present(parameters, *_CHANGEABLE)
    is_custom, stays_custom = "CustomDomainConfig" in domain.settings, "CustomDomainConfig" in changed
    if is_custom != stays_custom:
        # Source: https://github.com/hashicorp/terraform-provider-aws/issues/43248.
        kinds = ("custom", "prefix") if is_custom else ("prefix", "custom")
        raise invalid_parameter("Cannot convert {} domain to {} domain.".format(*kinds))
    _check({**domain.settings, **changed}, domain.name)
    domain.settings |= changed
    domain.modified = state.clock()
    return _answer(domain)


def delete_user_pool_domain(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUserPoolDomain."""
    state.domains.remove(_pool_and_domain(state, parameters)[1])
    return {}


OPERATIONS = {
    "CreateUserPoolDomain": create_user_pool_domain,
    "DescribeUserPoolDomain": describe_user_pool_domain,
    "UpdateUserPoolDomain": update_user_pool_domain,
    "DeleteUserPoolDomain": delete_user_pool_domain,
}
