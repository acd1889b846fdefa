"""The operations on user pools: create, describe, update, delete and list them."""

from __future__ import annotations

from typing import Any, cast

from srpcore.service_model import ENUMS

from ..api.errors import Refusal, invalid_parameter
from ..api.parameters import Parameters, mapping, optional_string, string, strings
from ..model import pool_defaults, schema
from ..model.aws_names import user_pool_arn
from ..model.pools import PoolRecord
from ..storage import pages
from ..storage.state import State
from . import domains, pool_mfa

__all__ = ["OPERATIONS", "check_pool_settings"]

# Source: the model's documentation of AllowedFirstAuthFactors: "SOFTWARE_TOKEN is not currently supported".
_FIRST_FACTORS = frozenset(ENUMS["AuthFactorType"]) - {"SOFTWARE_TOKEN"}
# UpdateUserPool does not change these settings, nor those that SetUserPoolMfaConfig changes (pool_mfa.SETTINGS).
_FIXED_AT_CREATION = ("PoolName", "Schema", "UsernameAttributes", "AliasAttributes", "UsernameConfiguration")


def check_pool_settings(settings: Parameters) -> None:
    """Check what the service model does not say about the parameters of CreateUserPool.

    Raises:
        Refusal: a parameter has a value that the service would not accept.
    """
    if strings(settings, "AliasAttributes") and strings(settings, "UsernameAttributes"):
        raise invalid_parameter("Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")
    schema.check(cast(list[dict[str, Any]], settings.get("Schema") or []))
    _check_sign_in_policy(mapping(mapping(settings, "Policies"), "SignInPolicy"))
    recovery: list[dict[str, Any]] = mapping(settings, "AccountRecoverySetting").get("RecoveryMechanisms") or []
    if len(recovery) > 1 and any(mechanism["Name"] == "admin_only" for mechanism in recovery):
        raise invalid_parameter(
            "Invalid account recovery setting parameter. Account Recovery Setting cannot use admin_only setting with "
            "any other recovery mechanisms."
        )


def _check_sign_in_policy(policy: Parameters) -> None:
    factors = strings(policy, "AllowedFirstAuthFactors")
    if not set(factors) <= _FIRST_FACTORS:
        raise invalid_parameter(f"AllowedFirstAuthFactors may only contain {', '.join(sorted(_FIRST_FACTORS))}")
    if factors and "PASSWORD" not in factors:
        raise invalid_parameter("AllowedFirstAuthFactors must include PASSWORD")


def create_user_pool(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer CreateUserPool."""
    check_pool_settings(parameters)
    _check_mfa(parameters, {})
    _check_tier(parameters, pool_defaults.tier(parameters), changes=False)
    return {"UserPool": _pool_fields(state, state.add_pool(dict(parameters)))}


def _check_tier(settings: Parameters, tier: str, *, changes: bool) -> None:
    """Check that *tier* has the features that *settings* turn on.

    Args:
        changes: whether the pool has had another tier before.
    """
    history = mapping(mapping(settings, "Policies"), "PasswordPolicy").get("PasswordHistorySize")
    # Sources: https://github.com/hashicorp/terraform-provider-aws/pull/40734, and "User pool feature plans" in the
    # developer guide. Pools of the time before the tiers are LITE, and may have threat protection.
    lacking = (tier == "ESSENTIALS" and pool_defaults.has_threat_protection(settings) and "Threat Protection") or (
        tier == "LITE" and history and "Password History"
    )
    if lacking:
        code = "TierChangeNotAllowedException" if changes else "FeatureUnavailableInTierException"
        message = f"The following features need to be disabled for the {tier} pricing tier configured: {lacking}"
        raise Refusal(code, message)


def _check_mfa(settings: Parameters, before: Parameters) -> None:
    """Check that a pool with second factors can send codes by SMS, or has had another factor *before*.

    The constructor of LocalUserPool does not need this: its pools have all factors.
    """
    if settings.get("MfaConfiguration", "OFF") == "OFF" or pool_mfa.configured_factors(before):
        return
    if not settings.get("SmsConfiguration"):
        # Source: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/769. In spite of the
        # message, phone numbers need not be verified automatically: moto runs a test of that against the service.
        raise invalid_parameter(
            "SMS configuration and Auto verification for phone_number are required when MFA is required/optional"
        )


def describe_user_pool(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DescribeUserPool."""
    return {"UserPool": _pool_fields(state, state.pool(string(parameters, "UserPoolId")))}


def _pool_fields(state: State, pool: PoolRecord) -> dict[str, Any]:
    settings = {
        "Name" if name == "PoolName" else name: value for name, value in pool_defaults.described_settings(pool).items()
    }
    settings.pop("Schema", None)
    settings["SchemaAttributes"] = schema.describe(pool)
    for name in pool_mfa.SETTINGS:
        settings.pop(name, None)
    return {
        **settings,
        "Id": pool.id,
        "Arn": user_pool_arn(pool.region, pool.id),
        "MfaConfiguration": pool.mfa,
        **domains.names_of(state, pool),
        "EstimatedNumberOfUsers": state.users.count(pool),
        "CreationDate": pool.created,
        "LastModifiedDate": pool.modified,
    }


def update_user_pool(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer UpdateUserPool: settings that are left out are reset to their defaults, except the tier."""
    pool = state.pool(string(parameters, "UserPoolId"))
    check_pool_settings(parameters)
    _check_mfa(parameters, pool.settings)
    before = pool_defaults.tier(pool.settings)
    tier = optional_string(parameters, "UserPoolTier") or before
    _check_tier(parameters, tier, changes=tier != before)
    kept = {name: value for name, value in pool.settings.items() if name in (*_FIXED_AT_CREATION, *pool_mfa.SETTINGS)}
    changed = {name: value for name, value in parameters.items() if name != "UserPoolId"}
    pool.settings = kept | changed | {"UserPoolTier": tier}
    pool.modified = state.clock()
    return {}


def delete_user_pool(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUserPool; this also deletes its app clients and revokes their tokens."""
    pool = state.pool(string(parameters, "UserPoolId"))
    if pool.settings.get("DeletionProtection") == "ACTIVE":
        raise invalid_parameter(
            "The user pool cannot be deleted because deletion protection is activated. "
            "Deletion protection must be inactivated first."
        )
    if state.domains.all(pool):
        raise invalid_parameter("User pool cannot be deleted. It has a domain configured that should be deleted first.")
    state.remove_pool(pool)
    return {}


def list_user_pools(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUserPools: the pools of the region, at most 60 per page."""
    pools = [pool for pool in state.pools.all(None) if state.region in (None, pool.region)]
    page, following = pages.requested_page(state, parameters, pools, limit="MaxResults")
    return {"UserPools": [_summary(pool) for pool in page], **following}


def _summary(pool: PoolRecord) -> dict[str, Any]:
    # Not _pool_fields(), which executes statements for each pool.
    settings = pool_defaults.described_settings(pool)
    name = {"Name": settings["PoolName"]} if "PoolName" in settings else {}
    dates = {"LastModifiedDate": pool.modified, "CreationDate": pool.created}
    return {"Id": pool.id, **name, "LambdaConfig": settings["LambdaConfig"], **dates}


OPERATIONS = {
    "CreateUserPool": create_user_pool,
    "DescribeUserPool": describe_user_pool,
    "UpdateUserPool": update_user_pool,
    "DeleteUserPool": delete_user_pool,
    "ListUserPools": list_user_pools,
}
