"""Domains of pools, with boto3 as the client."""

from __future__ import annotations

from typing import Any

import pytest

from .client import Client

pytestmark = pytest.mark.counterpart

CERTIFICATE = {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1"}


def test_a_prefix_domain_is_created_described_changed_and_deleted(boto: Any, client: Client) -> None:
    named = {"UserPoolId": client.pool_id, "Domain": "my-app"}
    boto.create_user_pool_domain(**named)
    described = boto.describe_user_pool_domain(Domain="my-app")["DomainDescription"]
    assert {"Status": "ACTIVE", "ManagedLoginVersion": 1, **named}.items() <= described.items()
    client.clock.now += 9
    assert boto.update_user_pool_domain(**named, ManagedLoginVersion=2)["ManagedLoginVersion"] == 2
    changed = boto.describe_user_pool_domain(Domain="my-app")["DomainDescription"]
    assert changed["ManagedLoginVersion"] == 2
    assert int(changed["Version"]) == int(described["Version"]) + 9
    assert boto.describe_user_pool(UserPoolId=client.pool_id)["UserPool"]["Domain"] == "my-app"
    boto.delete_user_pool_domain(**named)
    assert boto.describe_user_pool_domain(Domain="my-app")["DomainDescription"] == {}
    with pytest.raises(boto.exceptions.InvalidParameterException, match="No such domain or user pool exists"):
        boto.delete_user_pool_domain(**named)
    assert "Domain" not in boto.describe_user_pool(UserPoolId=client.pool_id)["UserPool"]


def test_a_pool_has_one_prefix_and_one_custom_domain(boto: Any, client: Client) -> None:
    pool = {"UserPoolId": client.pool_id}
    custom = {"Domain": "auth.example.com", "CustomDomainConfig": CERTIFICATE}
    boto.create_user_pool_domain(**pool, Domain="one")
    made = boto.create_user_pool_domain(**pool, **custom)
    described = boto.describe_user_pool_domain(Domain="auth.example.com")["DomainDescription"]
    assert made["CloudFrontDomain"] == described["CloudFrontDistribution"]
    assert described["CustomDomainConfig"] == CERTIFICATE
    shown = boto.describe_user_pool(**pool)["UserPool"]
    assert (shown["Domain"], shown["CustomDomain"]) == ("one", "auth.example.com")
    for second in ({"Domain": "two"}, {**custom, "Domain": "login.example.com"}):
        with pytest.raises(boto.exceptions.InvalidParameterException, match="already has a domain configured"):
            boto.create_user_pool_domain(**pool, **second)
    with pytest.raises(boto.exceptions.InvalidParameterException, match="convert prefix domain to custom domain"):
        boto.update_user_pool_domain(**pool, Domain="one", CustomDomainConfig=CERTIFICATE)
    with pytest.raises(boto.exceptions.InvalidParameterException, match="convert custom domain to prefix domain"):
        boto.update_user_pool_domain(**pool, Domain="auth.example.com", ManagedLoginVersion=2)
    renewed = {"CertificateArn": CERTIFICATE["CertificateArn"].replace("/1", "/2")}
    boto.update_user_pool_domain(**pool, **{**custom, "CustomDomainConfig": renewed}, ManagedLoginVersion=2)
    described = boto.describe_user_pool_domain(Domain="auth.example.com")["DomainDescription"]
    assert (described["CustomDomainConfig"], described["ManagedLoginVersion"]) == (renewed, 2)


def test_a_name_is_unique_over_all_pools_and_a_pool_with_a_domain_is_not_deleted(boto: Any, client: Client) -> None:
    other = boto.create_user_pool(PoolName="other")["UserPool"]["Id"]
    boto.create_user_pool_domain(UserPoolId=other, Domain="taken")
    with pytest.raises(
        boto.exceptions.InvalidParameterException, match="Domain already associated with another user pool"
    ):
        boto.create_user_pool_domain(UserPoolId=client.pool_id, Domain="taken")
    with pytest.raises(boto.exceptions.InvalidParameterException, match="No such domain"):
        boto.delete_user_pool_domain(UserPoolId=client.pool_id, Domain="taken")
    with pytest.raises(boto.exceptions.InvalidParameterException, match="has a domain configured"):
        boto.delete_user_pool(UserPoolId=other)
    boto.delete_user_pool_domain(UserPoolId=other, Domain="taken")
    boto.delete_user_pool(UserPoolId=other)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Domain": "My-App"}, "contains an invalid character"),
        ({"Domain": "auth.example.com"}, "contains an invalid character"),
        ({"Domain": "my-cognito-app"}, "reserved word: cognito"),
        ({"Domain": "app", "CustomDomainConfig": CERTIFICATE}, "fully qualified"),
        ({"Domain": "app", "ManagedLoginVersion": 3}, "ManagedLoginVersion"),
        (
            {
                "Domain": "app",
                "Routing": {"Failover": {"SecondaryRegion": "us-west-2", "PrimaryRoute53HealthCheckId": "x"}},
            },
            "only supported for custom domains",
        ),
    ],
)
def test_a_domain_with_an_invalid_setting_is_refused(
    boto: Any, client: Client, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(boto.exceptions.InvalidParameterException, match=message):
        boto.create_user_pool_domain(UserPoolId=client.pool_id, **given)
