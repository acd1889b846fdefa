"""Link identities of external providers to users, and second factors that an administrator changes. boto3 is the client."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from .client import Client, enrol, refused

pytestmark = pytest.mark.counterpart


def identity(value: str, provider: str = "acme", attribute: str = "Cognito_Subject") -> dict[str, str]:
    return {"ProviderName": provider, "ProviderAttributeName": attribute, "ProviderAttributeValue": value}


@pytest.fixture
def linked(boto: Any, client: Client) -> Any:
    """Return a function that links a user."""
    details = {"client_id": "x", "authorize_scopes": "openid"}
    boto.create_identity_provider(
        UserPoolId=client.pool_id, ProviderName="acme", ProviderType="OIDC", ProviderDetails=details
    )
    for name in ("alice", "bob"):
        client.user(name)

    def link(username: str, source: dict[str, str]) -> None:
        boto.admin_link_provider_for_user(
            UserPoolId=client.pool_id, DestinationUser=identity(username, "Cognito", "any"), SourceUser=source
        )

    return link


def identities(client: Client, username: str = "alice") -> Any:
    shown = client.admin("AdminGetUser", Username=username)["UserAttributes"]
    return next((json.loads(entry["Value"]) for entry in shown if entry["Name"] == "identities"), None)


class TestLinkedIdentities:
    def test_a_link_is_shown_and_removed(self, boto: Any, client: Client, linked: Any) -> None:
        linked("alice", identity("42"))
        expected = {"userId": "42", "providerName": "acme", "providerType": "OIDC", "issuer": None}
        created = int(client.clock.now * 1000)
        assert identities(client) == [{**expected, "primary": False, "dateCreated": created}]
        claims = jwt.decode(client.tokens()["IdToken"], options={"verify_signature": False})
        assert claims["identities"] == [{**expected, "primary": "false", "dateCreated": str(created)}]
        boto.admin_disable_provider_for_user(UserPoolId=client.pool_id, User=identity("42"))
        assert identities(client) is None
        assert "identities" not in jwt.decode(client.tokens()["IdToken"], options={"verify_signature": False})
        with pytest.raises(boto.exceptions.UserNotFoundException):
            boto.admin_disable_provider_for_user(UserPoolId=client.pool_id, User=identity("42"))

    def test_an_identity_belongs_to_one_user(self, boto: Any, client: Client, linked: Any) -> None:
        linked("alice", identity("42"))
        with pytest.raises(boto.exceptions.InvalidParameterException, match="already linked to DestinationUser"):
            linked("alice", identity("42"))
        with pytest.raises(boto.exceptions.AliasExistsException):
            linked("bob", identity("42"))
        boto.admin_delete_user(UserPoolId=client.pool_id, Username="alice")
        linked("bob", identity("42"))
        assert [each["userId"] for each in identities(client, "bob")] == ["42"]

    def test_a_user_has_at_most_five(self, boto: Any, client: Client, linked: Any) -> None:
        for value in "12345":
            linked("alice", identity(value))
        with pytest.raises(boto.exceptions.LimitExceededException):
            linked("alice", identity("6"))
        assert [each["userId"] for each in identities(client)] == [*"12345"]
        boto.admin_disable_provider_for_user(UserPoolId=client.pool_id, User=identity("3"))
        assert [each["userId"] for each in identities(client)] == [*"1245"]

    def test_a_linked_user_is_found_by_the_identity(self, boto: Any, client: Client, linked: Any) -> None:
        linked("alice", identity("42"))
        boto.admin_link_provider_for_user(
            UserPoolId=client.pool_id,
            DestinationUser={"ProviderName": "acme", "ProviderAttributeValue": "42"},
            SourceUser=identity("alice@example.com", attribute="email"),
        )
        assert [each["userId"] for each in identities(client)] == ["42", "alice@example.com"]

    def test_wrong_users_and_providers_are_refused(self, boto: Any, client: Client, linked: Any) -> None:
        with pytest.raises(boto.exceptions.InvalidParameterException, match="Invalid SourceUser"):
            linked("alice", identity("bob", "Cognito"))
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            linked("alice", identity("42", "unknown"))
        with pytest.raises(boto.exceptions.UserNotFoundException):
            linked("nobody", identity("42"))
        assert identities(client) is None

    def test_a_disabled_native_user_cannot_use_the_password(self, boto: Any, client: Client) -> None:
        client.user()
        pool = {"UserPoolId": client.pool_id}
        with pytest.raises(boto.exceptions.InvalidParameterException, match="Cognito_Subject"):
            boto.admin_disable_provider_for_user(**pool, User=identity("alice", "Cognito", "email"))
        client.tokens()
        boto.admin_disable_provider_for_user(**pool, User=identity("alice", "Cognito"))
        with refused("NotAuthorizedException", "Incorrect username or password"):
            client.log_in()


class TestSecondFactors:
    def test_a_lost_authenticator_app_is_removed(self, boto: Any, client: Client) -> None:
        client.user()
        enrol(client)
        assert client.log_in()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        boto.admin_delete_software_token(UserPoolId=client.pool_id, Username="alice")
        assert "UserMFASettingList" not in boto.admin_get_user(UserPoolId=client.pool_id, Username="alice")
        client.tokens()
        enrol(client)
        assert client.log_in()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        with pytest.raises(boto.exceptions.UserNotFoundException):
            boto.admin_delete_software_token(UserPoolId=client.pool_id, Username="nobody")

    def test_the_old_settings_turn_codes_by_sms_on_and_off(self, boto: Any, client: Client) -> None:
        client.user(phone_number="+15550100", phone_number_verified="true")
        named = {"UserPoolId": client.pool_id, "Username": "alice"}
        sms = [{"DeliveryMedium": "SMS", "AttributeName": "phone_number"}]
        token = client.tokens()["AccessToken"]
        for turn, given in ((boto.admin_set_user_settings, named), (boto.set_user_settings, {"AccessToken": token})):
            turn(**given, MFAOptions=sms)
            assert client.log_in()["ChallengeName"] == "SMS_MFA"
            turn(**given, MFAOptions=[])
            assert "AuthenticationResult" in client.log_in()
        with pytest.raises(boto.exceptions.InvalidParameterException, match="MFAOptions"):
            boto.admin_set_user_settings(**named, MFAOptions=[{"DeliveryMedium": "EMAIL", "AttributeName": "email"}])
