"""The limit of sessions of a user, with boto3 as the client."""

from __future__ import annotations

from typing import Any

import pytest

from .client import Client, refused

pytestmark = pytest.mark.counterpart


def limit(boto: Any, client: Client, most: int, tracking: str = "ENABLED") -> None:
    boto.set_user_pool_session_configuration(
        UserPoolId=client.pool_id, UserSessionTracking=tracking, TokenSession={"MaxPerUser": most}
    )


def log_in(client: Client, username: str = "alice") -> dict[str, str]:
    client.clock.now += 10
    return client.tokens(username)


def test_a_login_above_the_limit_ends_the_least_recently_used_session(boto: Any, client: Client) -> None:
    client.user()
    client.user("bob")
    limit(boto, client, 2)
    first, second, of_bob = log_in(client), log_in(client), log_in(client, "bob")
    client.clock.now += 10
    client.refresh(first["RefreshToken"])
    third = log_in(client)
    for tokens, username in ((first, "alice"), (third, "alice"), (of_bob, "bob")):
        assert boto.get_user(AccessToken=tokens["AccessToken"])["Username"] == username
    with refused("NotAuthorizedException", "revoked"):
        client.refresh(second["RefreshToken"])
    with pytest.raises(boto.exceptions.NotAuthorizedException, match="revoked"):
        boto.get_user(AccessToken=second["AccessToken"])


def test_a_lower_limit_is_applied_at_the_next_login(boto: Any, client: Client) -> None:
    client.user()
    limit(boto, client, 5)
    tokens = [log_in(client) for _ in range(4)]
    limit(boto, client, 1)
    assert all(boto.get_user(AccessToken=each["AccessToken"]) for each in tokens)
    last = log_in(client)
    listed = boto.list_user_sessions(AccessToken=last["AccessToken"])["Sessions"]
    assert [session["IsCurrentSession"] for session in listed] == [True]


def test_sessions_are_not_limited_without_tracking(boto: Any, client: Client) -> None:
    client.user()
    default = boto.get_user_pool_session_configuration(UserPoolId=client.pool_id)
    assert (default["UserSessionTracking"], default["TokenSession"]) == ("DISABLED", {"MaxPerUser": 20})
    limit(boto, client, 1, "DISABLED")
    first = log_in(client)
    log_in(client)
    assert boto.get_user(AccessToken=first["AccessToken"])


def test_an_app_client_has_a_setting_of_its_own(boto: Any, client: Client) -> None:
    named = {"UserPoolId": client.pool_id, "ClientId": client.client_id}
    ninety = {"SSOSession": {"MaxValidityMinutes": 90}}
    default = boto.get_user_pool_client_session_configuration(**named)
    assert default["SSOSession"] == {"MaxValidityMinutes": 60}
    with pytest.raises(boto.exceptions.InvalidParameterException, match="not enabled"):
        boto.set_user_pool_client_session_configuration(**named, **ninety)
    limit(boto, client, 20)
    assert boto.set_user_pool_client_session_configuration(**named, **ninety)["SSOSession"] == ninety["SSOSession"]
    assert boto.get_user_pool_client_session_configuration(**named)["SSOSession"] == ninety["SSOSession"]
    limit(boto, client, 20, "DISABLED")
    assert boto.get_user_pool_client_session_configuration(**named)["SSOSession"] == ninety["SSOSession"]


def test_a_pool_of_the_tier_lite_has_no_limit(boto: Any, client: Client) -> None:
    boto.update_user_pool(UserPoolId=client.pool_id, UserPoolTier="LITE")
    with pytest.raises(boto.exceptions.FeatureUnavailableInTierException):
        limit(boto, client, 2)
