"""Reset passwords, pools, app clients and identity providers, with boto3 as the client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import jwt
import pytest

from srpcore.exceptions import ServiceError, TransportError
from srpcore_transports.local import LocalUserPool
from support.clock import Clock
from support.users import OTHER_PASSWORD, PASSWORD

from .boto import KEYS, connected
from .client import Client, refused

pytestmark = pytest.mark.counterpart


@pytest.fixture
def pool(clock: Clock) -> LocalUserPool:
    return LocalUserPool(clock=clock, credentials=KEYS)


@pytest.fixture
def boto(pool: LocalUserPool) -> Iterator[Any]:
    with connected(pool) as client:
        yield client


@pytest.fixture
def client(pool: LocalUserPool, clock: Clock) -> Client:
    return Client(pool, clock)


class TestResetPassword:
    def password_flow(self, boto: Any, client: Client, password: str) -> dict[str, Any]:
        reply: dict[str, Any] = boto.initiate_auth(
            ClientId=client.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "alice", "PASSWORD": password},
        )
        return reply

    def test_the_password_is_invalid_until_a_code_sets_another(self, boto: Any, client: Client) -> None:
        client.user(email="alice@example.com", email_verified="true")
        pending = client.begin()
        assert "ChallengeName" not in self.password_flow(boto, client, PASSWORD)
        boto.admin_reset_user_password(UserPoolId=client.pool_id, Username="alice")
        shown = boto.admin_get_user(UserPoolId=client.pool_id, Username="alice")
        assert shown["UserStatus"] == "RESET_REQUIRED"
        with pytest.raises(boto.exceptions.PasswordResetRequiredException, match="Password reset required"):
            self.password_flow(boto, client, PASSWORD)
        with refused("PasswordResetRequiredException"):
            client.log_in(password=PASSWORD)
        with refused("NotAuthorizedException", "Incorrect username or password."):
            client.log_in(password="Wrong-Horse-9")
        with refused("PasswordResetRequiredException"):
            pending.respond(pending.answers(PASSWORD))
        message = client.pool.outbox.latest("alice")
        assert (message.purpose, message.destination) == ("reset", "alice@example.com")
        boto.confirm_forgot_password(
            ClientId=client.client_id, Username="alice", ConfirmationCode=message.code, Password=OTHER_PASSWORD
        )
        assert client.admin("AdminGetUser", Username="alice")["UserStatus"] == "CONFIRMED"
        client.tokens(password=OTHER_PASSWORD)
        with refused("NotAuthorizedException"):
            client.log_in(password=PASSWORD)

    def test_the_password_of_a_disabled_user_is_not_reset(self, boto: Any, client: Client) -> None:
        named = {"UserPoolId": client.pool_id, "Username": "alice"}
        client.user(email="alice@example.com", email_verified="true")
        boto.admin_disable_user(**named)
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="User is disabled"):
            boto.admin_reset_user_password(**named)
        boto.admin_enable_user(**named)
        client.tokens()
        boto.admin_reset_user_password(**named)

    def test_a_second_code_or_a_password_of_an_administrator_ends_the_reset(self, boto: Any, client: Client) -> None:
        client.user(email="alice@example.com", email_verified="true")
        boto.admin_reset_user_password(UserPoolId=client.pool_id, Username="alice")
        boto.forgot_password(ClientId=client.client_id, Username="alice")
        assert len(client.pool.outbox.messages) == 2
        boto.admin_set_user_password(
            UserPoolId=client.pool_id, Username="alice", Password=OTHER_PASSWORD, Permanent=True
        )
        client.tokens(password=OTHER_PASSWORD)

    def test_a_user_without_a_verified_address_keeps_the_password(self, boto: Any, client: Client) -> None:
        client.user(email="alice@example.com")
        with pytest.raises(boto.exceptions.InvalidParameterException, match="no registered/verified"):
            boto.admin_reset_user_password(UserPoolId=client.pool_id, Username="alice")
        client.tokens()
        with pytest.raises(boto.exceptions.UserNotFoundException):
            boto.admin_reset_user_password(UserPoolId=client.pool_id, Username="nobody")

    def test_a_user_who_has_not_logged_in_yet_is_refused(self, boto: Any, client: Client) -> None:
        pairs = [{"Name": "email", "Value": "bob@example.com"}, {"Name": "email_verified", "Value": "true"}]
        boto.admin_create_user(
            UserPoolId=client.pool_id, Username="bob", UserAttributes=pairs, MessageAction="SUPPRESS"
        )
        boto.sign_up(ClientId=client.client_id, Username="carol", Password=PASSWORD)
        for name in ("bob", "carol"):
            with pytest.raises(boto.exceptions.NotAuthorizedException, match="in the current state"):
                boto.admin_reset_user_password(UserPoolId=client.pool_id, Username=name)


class TestPools:
    def test_settings_missing_in_an_update_return_to_their_defaults(self, boto: Any, clock: Clock) -> None:
        pool_id = boto.create_user_pool(
            PoolName="first",
            AliasAttributes=["email"],
            AutoVerifiedAttributes=["email"],
            Policies={"PasswordPolicy": {"MinimumLength": 20}},
        )["UserPool"]["Id"]
        boto.set_user_pool_mfa_config(
            UserPoolId=pool_id, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True}
        )
        clock.now += 5
        boto.update_user_pool(UserPoolId=pool_id, Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}})
        shown = boto.describe_user_pool(UserPoolId=pool_id)["UserPool"]
        assert (shown["Name"], shown["AliasAttributes"], shown["MfaConfiguration"]) == ("first", ["email"], "OFF")
        assert "AutoVerifiedAttributes" not in shown
        assert shown["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
        assert (shown["LastModifiedDate"] - shown["CreationDate"]).total_seconds() == 5
        boto.update_user_pool(UserPoolId=pool_id, PoolName="second")
        assert boto.describe_user_pool(UserPoolId=pool_id)["UserPool"]["Name"] == "second"

    @pytest.mark.parametrize(
        "settings",
        [
            {"MfaConfiguration": "MAYBE"},
            {"DeletionProtection": "NO"},
            {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["EMAIL_OTP"]}}},
            {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "SOFTWARE_TOKEN"]}}},
            {"Policies": {"PasswordPolicy": {"MinimumLength": 100}}},
        ],
    )
    def test_a_refused_setting_changes_nothing(self, boto: Any, client: Client, settings: dict[str, Any]) -> None:
        before = client.admin("DescribeUserPool")["UserPool"]
        with pytest.raises(boto.exceptions.InvalidParameterException):
            boto.update_user_pool(UserPoolId=client.pool_id, **settings)
        assert client.admin("DescribeUserPool")["UserPool"] == before

    def test_pools_are_listed_in_pages(self, boto: Any, pool: LocalUserPool) -> None:
        ids = [pool.user_pool_id, *(boto.create_user_pool(PoolName=f"p{i}")["UserPool"]["Id"] for i in range(4))]
        pages = list(boto.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 2}))
        assert [[shown["Id"] for shown in page["UserPools"]] for page in pages] == [ids[:2], ids[2:4], ids[4:]]
        assert pages[2]["UserPools"][0]["Name"] == "p3"
        for most in (0, 61):
            with pytest.raises(ServiceError, match=r"\bInvalidParameterException\b"):
                Client(pool, Clock.stopped()).call("ListUserPools", MaxResults=most)
        with refused("InvalidParameterException", "null"):
            Client(pool, Clock.stopped()).call("ListUserPools")

    def test_deleting_a_pool_deletes_its_clients_and_tokens(self, boto: Any, client: Client) -> None:
        client.user()
        tokens, pending = client.tokens(), client.begin()
        boto.update_user_pool(UserPoolId=client.pool_id, DeletionProtection="ACTIVE")
        with pytest.raises(boto.exceptions.InvalidParameterException, match="deletion protection"):
            boto.delete_user_pool(UserPoolId=client.pool_id)
        assert client.call("GetUser", AccessToken=tokens["AccessToken"])
        boto.update_user_pool(UserPoolId=client.pool_id, DeletionProtection="INACTIVE")
        boto.delete_user_pool(UserPoolId=client.pool_id)
        with pytest.raises(boto.exceptions.NotAuthorizedException):
            boto.get_user(AccessToken=tokens["AccessToken"])
        with pytest.raises(boto.exceptions.ResourceNotFoundException):
            boto.describe_user_pool(UserPoolId=client.pool_id)
        with refused("ResourceNotFoundException"):
            pending.respond(pending.answers(PASSWORD))
        with refused("ResourceNotFoundException"):
            client.begin()
        with pytest.raises(TransportError):
            client.pool.fetch(f"/{client.pool_id}/.well-known/jwks.json")
        assert boto.list_user_pools(MaxResults=60)["UserPools"] == []


class TestAppClients:
    def test_clients_are_listed_in_pages(self, boto: Any, client: Client) -> None:
        other = boto.create_user_pool(PoolName="other")["UserPool"]["Id"]
        boto.create_user_pool_client(UserPoolId=other, ClientName="elsewhere")
        for index in range(4):
            boto.create_user_pool_client(UserPoolId=client.pool_id, ClientName=f"c{index}", GenerateSecret=True)
        pages = boto.get_paginator("list_user_pool_clients").paginate(
            UserPoolId=client.pool_id, PaginationConfig={"PageSize": 3}
        )
        names = [[shown["ClientName"] for shown in page["UserPoolClients"]] for page in pages]
        assert names == [["local", "c0", "c1"], ["c2", "c3"]]
        with pytest.raises(boto.exceptions.InvalidParameterException):
            boto.list_user_pool_clients(UserPoolId=client.pool_id, MaxResults=61)

    def test_a_client_is_changed_and_deleted(self, boto: Any, client: Client) -> None:
        client.user()
        tokens = client.tokens()
        named = {"UserPoolId": client.pool_id, "ClientId": client.client_id}
        changed = boto.update_user_pool_client(**named, AccessTokenValidity=2, ClientName="renamed")["UserPoolClient"]
        assert (changed["ClientName"], changed["AccessTokenValidity"]) == ("renamed", 2)
        assert "ALLOW_USER_PASSWORD_AUTH" not in changed["ExplicitAuthFlows"]
        claims = jwt.decode(client.tokens()["AccessToken"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 7200
        assert boto.describe_user_pool_client(**named)["UserPoolClient"] == changed
        pending = client.begin()
        boto.delete_user_pool_client(**named)
        for operation in (boto.delete_user_pool_client, boto.describe_user_pool_client, boto.update_user_pool_client):
            with pytest.raises(boto.exceptions.ResourceNotFoundException):
                operation(**named)
        with refused("ResourceNotFoundException"):
            pending.respond(pending.answers(PASSWORD))
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="revoked"):
            boto.get_user(AccessToken=tokens["AccessToken"])

    def test_tokens_of_another_client_stay_valid(self, boto: Any, client: Client) -> None:
        client.user()
        token = client.tokens()["AccessToken"]
        made = boto.create_user_pool_client(UserPoolId=client.pool_id, ClientName="other")["UserPoolClient"]
        boto.delete_user_pool_client(UserPoolId=client.pool_id, ClientId=made["ClientId"])
        assert boto.get_user(AccessToken=token)["Username"] == "alice"


class TestIdentityProviders:
    DETAILS: ClassVar = {"client_id": "x", "authorize_scopes": "openid"}

    def test_a_provider_is_created_described_changed_and_deleted(self, boto: Any, client: Client, clock: Clock) -> None:
        named = {"UserPoolId": client.pool_id, "ProviderName": "google"}
        given = {
            "ProviderType": "Google",
            "ProviderDetails": self.DETAILS,
            "AttributeMapping": {"email": "email"},
            "IdpIdentifiers": ["g"],
        }
        made = boto.create_identity_provider(**named, **given)["IdentityProvider"]
        assert {name: made[name] for name in (*named, *given)} == {**named, **given}
        assert made["CreationDate"].timestamp() == clock.now
        assert boto.describe_identity_provider(**named)["IdentityProvider"] == made
        with pytest.raises(boto.exceptions.DuplicateProviderException):
            boto.create_identity_provider(**named, **given)
        clock.now += 3
        boto.update_identity_provider(**named, ProviderDetails={"client_id": "y"})
        changed = boto.describe_identity_provider(**named)["IdentityProvider"]
        assert (changed["ProviderDetails"], changed["IdpIdentifiers"]) == ({"client_id": "y"}, ["g"])
        assert (changed["LastModifiedDate"] - changed["CreationDate"]).total_seconds() == 3
        boto.delete_identity_provider(**named)
        for operation in (
            boto.describe_identity_provider,
            boto.update_identity_provider,
            boto.delete_identity_provider,
        ):
            with pytest.raises(boto.exceptions.ResourceNotFoundException):
                operation(**named)

    def test_providers_are_listed_in_pages(self, boto: Any, client: Client) -> None:
        for index in range(51):
            client.admin(
                "CreateIdentityProvider", ProviderName=f"idp{index}", ProviderType="OIDC", ProviderDetails=self.DETAILS
            )
        first = boto.list_identity_providers(UserPoolId=client.pool_id)
        assert len(first["Providers"]) == 50
        rest = boto.list_identity_providers(UserPoolId=client.pool_id, MaxResults=60, NextToken=first["NextToken"])
        assert [shown["ProviderName"] for shown in rest["Providers"]] == ["idp50"]
        two = boto.list_identity_providers(UserPoolId=client.pool_id, MaxResults=2)
        assert [shown["ProviderName"] for shown in two["Providers"]] == ["idp0", "idp1"]
        with pytest.raises(boto.exceptions.InvalidParameterException):
            boto.list_identity_providers(UserPoolId=client.pool_id, MaxResults=61)

    @pytest.mark.parametrize(
        "changes",
        [
            {"ProviderType": "Myspace"},
            {"ProviderType": None},
            {"ProviderDetails": None},
            {"ProviderDetails": {"a": 1}},
            {"ProviderName": "x" * 33},
            {"IdpIdentifiers": ["x" * 41]},
            {"IdpIdentifiers": [""]},
            {"IdpIdentifiers": ["x"] * 51},
            {"IdpIdentifiers": ["taken"]},
        ],
    )
    def test_what_the_model_does_not_allow_is_refused(self, client: Client, changes: dict[str, Any]) -> None:
        fine = {"ProviderType": "OIDC", "ProviderDetails": self.DETAILS}
        client.admin("CreateIdentityProvider", ProviderName="first", IdpIdentifiers=["taken"], **fine)
        with pytest.raises(ServiceError, match=r"\b(InvalidParameter|Serialization)Exception\b"):
            client.admin("CreateIdentityProvider", **{"ProviderName": "second", **fine, **changes})
        assert len(client.admin("ListIdentityProviders")["Providers"]) == 1
