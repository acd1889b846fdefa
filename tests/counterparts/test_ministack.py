"""Our client against ministack, over HTTP: the server's half is nobody's here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import srpcore
from counterparts import ministack
from srpcore import exceptions
from srpcore.crypto.totp import totp

pytestmark = pytest.mark.counterpart

PASSWORD = "Correct-Horse-1"


@dataclass
class Client:
    """An app client of a pool in ministack."""

    url: str
    admin: Any
    pool_id: str
    client_id: str
    client_secret: str | None
    transport: str

    def user(self, username: str, **arguments: Any) -> srpcore.Cognito:
        return srpcore.Cognito(
            self.pool_id,
            self.client_id,
            username=username,
            client_secret=self.client_secret,
            endpoint_url=self.url,
            transport=self.transport,
            access_key="test",
            secret_key="test",
            **arguments,
        )

    def create(self, username: str, *, permanent: bool = True) -> str:
        self.admin.admin_create_user(
            UserPoolId=self.pool_id, Username=username, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS"
        )
        if permanent:
            self.admin.admin_set_user_password(
                UserPoolId=self.pool_id, Username=username, Password=PASSWORD, Permanent=True
            )
        return username


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ministack.running() as url:
        yield url


@pytest.fixture(
    scope="module",
    params=[(transport, secret) for transport in ("https", "botocore") for secret in (False, True)],
    ids=lambda param: f"{param[0]}, {'confidential' if param[1] else 'public'}",
)
def client(request: pytest.FixtureRequest, url: str) -> Client:
    transport, secret = request.param
    admin = ministack.admin(url)
    pool_id = admin.create_user_pool(PoolName="srpcore", MfaConfiguration="OPTIONAL")["UserPool"]["Id"]
    made = admin.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="srpcore",
        GenerateSecret=secret,
        ExplicitAuthFlows=["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"],
    )["UserPoolClient"]
    return Client(url, admin, pool_id, made["ClientId"], made.get("ClientSecret"), transport)


def test_log_in_and_verified_tokens(client: Client) -> None:
    with client.user(client.create("alice")) as user:
        user.authenticate(PASSWORD)
        assert user.access_claims is not None
        assert user.access_claims["username"] == "alice"
        assert user.client.get_user(AccessToken=user.access_token)["Username"] == "alice"


def test_wrong_password_is_refused_and_sets_nothing(client: Client) -> None:
    with client.user(client.create("bob")) as user:
        with pytest.raises(exceptions.NotAuthorizedException) as caught:
            user.authenticate(PASSWORD + "x")
        assert PASSWORD not in repr(caught.value)
        assert (user.access_token, user.id_token, user.refresh_token) == (None, None, None)


def test_new_password(client: Client) -> None:
    with client.user(client.create("carol", permanent=False)) as user:
        with pytest.raises(exceptions.ForceChangePasswordException):
            user.authenticate(PASSWORD)
        user.new_password_challenge(PASSWORD, "Another-Horse-2")
        user.verify_tokens()
        user.authenticate("Another-Horse-2")
        with pytest.raises(exceptions.NotAuthorizedException):
            user.authenticate(PASSWORD)


def test_totp(client: Client) -> None:
    with client.user(client.create("dave")) as user:
        user.authenticate(PASSWORD)
        secret = user.associate_software_token()
        assert user.verify_software_token(totp(secret, time.time()))
        user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
        with pytest.raises(exceptions.SoftwareTokenMFAChallengeException) as caught:
            user.authenticate(PASSWORD)
    with client.user("dave") as elsewhere:
        code = totp(secret, time.time())
        with pytest.raises(exceptions.CodeMismatchException):
            elsewhere.respond_to_software_token_mfa_challenge(
                f"{(int(code) + 1) % 10**6:06d}", caught.value.get_tokens()
            )
        with pytest.raises(exceptions.SoftwareTokenMFAChallengeException) as again:
            elsewhere.authenticate(PASSWORD)
        elsewhere.respond_to_software_token_mfa_challenge(totp(secret, time.time()), again.value.get_tokens())
        elsewhere.verify_tokens()


def test_refresh_and_logout(client: Client) -> None:
    with client.user(client.create("erin")) as user:
        user.authenticate(PASSWORD)
        before = user.access_token
        time.sleep(1.1)  # ministack's tokens of one second are equal
        user.renew_access_token()
        assert user.access_token != before
        user.verify_tokens()
        user.logout()
        assert user.access_token is None


def test_revoked_refresh_token_is_refused(client: Client) -> None:
    with client.user(client.create("frank")) as user:
        user.authenticate(PASSWORD)
        refresh_token = user.refresh_token
        user.revoke_token()
        assert user.refresh_token is None
        user.refresh_token = refresh_token
        with pytest.raises(exceptions.NotAuthorizedException):
            user.renew_access_token()


def test_administration(client: Client) -> None:
    with client.user(client.create("grace")) as user:
        user.admin_update_profile({"name": "Grace"})
        assert user.admin_get_user().name == "Grace"
        assert "grace" in {found.username for found in user.get_users()}
        assert "grace" in {found.username for found in user.iter_users(filter='username = "grace"')}
        user.client.create_group(UserPoolId=client.pool_id, GroupName="staff")
        user.admin_add_user_to_group("grace", "staff")
        assert user.admin_list_groups_for_user("grace") == ["staff"]
        assert [group.group_name for group in user.get_groups()] == ["staff"]
        user.admin_remove_user_from_group("grace", "staff")
        assert user.admin_list_groups_for_user("grace") == []
        user.admin_disable_user("grace")
        with pytest.raises(exceptions.ServiceError):
            user.authenticate(PASSWORD)
        user.admin_enable_user("grace")
        user.authenticate(PASSWORD)
        user.admin_delete_user()
        with pytest.raises(exceptions.UserNotFoundException):
            user.admin_get_user()
        user.client.delete_group(UserPoolId=client.pool_id, GroupName="staff")


def test_profile_and_passwords(client: Client) -> None:
    with client.user(client.create("heidi")) as user:
        user.authenticate(PASSWORD)
        user.update_profile({"name": "Heidi"})
        assert user.get_user().name == "Heidi"
        user.change_password(PASSWORD, "Another-Horse-2")
        with pytest.raises(exceptions.NotAuthorizedException):
            user.authenticate(PASSWORD)
        user.authenticate("Another-Horse-2")
        user.delete_user()


def test_administrators_log_in(client: Client) -> None:
    with client.user(client.create("ivan")) as user:
        with pytest.raises(exceptions.NotAuthorizedException):
            user.admin_authenticate("wrong")
        assert user.sign_in(PASSWORD, auth_flow="ADMIN_USER_PASSWORD_AUTH").done
        user.verify_tokens()
