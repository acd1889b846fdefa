"""Our client against moto's server, over HTTPS's and botocore's transports: what moto supports.

moto accepts any password at SRP's second step, so nothing here says that a wrong one is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import srpcore
from counterparts import ministack, moto
from srpcore import exceptions
from support.users import PASSWORD

pytestmark = pytest.mark.counterpart


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto.running() as url:
        yield url


@pytest.fixture(params=["https", "botocore"])
def user(request: pytest.FixtureRequest, url: str) -> Iterator[srpcore.Cognito]:
    admin = ministack.admin(url)
    pool_id = admin.create_user_pool(PoolName="srpcore")["UserPool"]["Id"]
    made = admin.create_user_pool_client(UserPoolId=pool_id, ClientName="srpcore")["UserPoolClient"]
    admin.close()
    with srpcore.Cognito(
        pool_id,
        made["ClientId"],
        username="alice",
        endpoint_url=url,
        transport=request.param,
        access_key="test",
        secret_key="test",
    ) as user:
        yield user


def test_administration(user: srpcore.Cognito) -> None:
    user.admin_create_user("alice", "Temporary-1", {"MessageAction": "SUPPRESS"}, email="alice@example.com")
    shown = user.admin_get_user()
    assert shown.email == "alice@example.com"
    assert shown.user_status == "FORCE_CHANGE_PASSWORD"
    assert shown.create_date.tzinfo is not None
    user.admin_update_profile({"email": "other@example.com"})
    assert [found.email for found in user.get_users()] == ["other@example.com"]
    user.client.create_group(UserPoolId=user.user_pool_id, GroupName="staff", Description="all of us")
    assert user.get_group("staff").description == "all of us"
    user.admin_add_user_to_group("alice", "staff")
    assert user.admin_list_groups_for_user("alice") == ["staff"]
    assert [found.username for found in user.iter_users_in_group("staff")] == ["alice"]
    user.admin_disable_user("alice")
    assert user.admin_get_user().enabled is False
    user.admin_enable_user("alice")
    user.admin_delete_user()
    with pytest.raises(exceptions.UserNotFoundException):
        user.admin_get_user()


def test_log_in(user: srpcore.Cognito) -> None:
    user.admin_create_user("alice", PASSWORD, {"MessageAction": "SUPPRESS"})
    with pytest.raises(exceptions.ForceChangePasswordException):
        user.authenticate(PASSWORD)
    user.new_password_challenge(PASSWORD, "Another-Horse-2")
    user.authenticate("Another-Horse-2")
    assert user.access_claims is not None
    assert user.access_claims["username"] == "alice"
    user.verify_tokens()
    user.renew_access_token()
    assert user.get_user().username == "alice"


def test_identity_providers(user: srpcore.Cognito) -> None:
    pool_id = user.user_pool_id
    details = {"client_id": "x", "client_secret": "y", "authorize_scopes": "email"}
    user.admin_create_identity_provider(pool_id, "Google", "Google", details)
    described = user.admin_describe_identity_provider(pool_id, "Google")["IdentityProvider"]
    assert described["ProviderDetails"] == details
    user.admin_update_identity_provider(pool_id, "Google", AttributeMapping={"email": "email"})
    described = user.admin_describe_identity_provider(pool_id, "Google")["IdentityProvider"]
    assert described["AttributeMapping"] == {"email": "email"}
    assert user.describe_user_pool_client(pool_id, user.client_id)["ClientName"] == "srpcore"
    user.admin_update_user_pool_client(pool_id, user.client_id, ClientName="renamed")
    assert user.describe_user_pool_client(pool_id, user.client_id)["ClientName"] == "renamed"
