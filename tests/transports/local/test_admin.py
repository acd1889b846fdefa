"""Operations of administrators: users, pages of users, pools and app clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srpcore.exceptions import ConfigurationError
from srpcore_transports.local import LocalUserPool
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, members_of, refused

Make = Callable[..., Client]


class TestUsers:
    def test_an_invitation_carries_the_temporary_password(self, client: Client) -> None:
        attributes = [{"Name": "email", "Value": "alice@example.com"}]
        client.admin("AdminCreateUser", Username="alice", UserAttributes=attributes)
        message = client.pool.outbox.latest("alice")
        assert (message.purpose, message.medium) == ("invitation", "EMAIL")
        assert client.log_in(password=message.code)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        client.admin("AdminCreateUser", Username="alice", MessageAction="RESEND")
        again = client.pool.outbox.latest("alice")
        assert again.code != message.code
        with refused("NotAuthorizedException"):
            client.log_in(password=message.code)
        client.log_in(password=again.code)

    def test_no_invitation_is_sent_if_it_is_suppressed(self, client: Client) -> None:
        attributes = [{"Name": "email", "Value": "alice@example.com"}]
        client.admin("AdminCreateUser", Username="alice", UserAttributes=attributes, MessageAction="SUPPRESS")
        assert client.pool.outbox.messages == []

    def test_invalid_parameters_are_refused(self, client: Client) -> None:
        client.user()
        with refused("UsernameExistsException", "User account already exists"):
            client.admin("AdminCreateUser", Username="alice")
        with refused("UnsupportedUserStateException"):
            client.admin("AdminCreateUser", Username="alice", MessageAction="RESEND")
        with refused("UserNotFoundException"):
            client.admin("AdminCreateUser", Username="bob", MessageAction="RESEND")
        with refused("InvalidParameterException"):
            client.admin("AdminCreateUser", Username="bob", MessageAction="SHOUT")
        with refused("InvalidPasswordException"):
            client.admin("AdminCreateUser", Username="bob", TemporaryPassword="short")
        with refused("InvalidPasswordException"):
            client.admin("AdminSetUserPassword", Username="alice", Password="short", Permanent=True)
        client.tokens()

    @pytest.mark.parametrize(
        "name",
        """
        AdminGetUser AdminSetUserPassword AdminConfirmSignUp AdminDeleteUser AdminDisableUser AdminEnableUser
        AdminUpdateUserAttributes AdminDeleteUserAttributes AdminUserGlobalSignOut AdminSetUserMFAPreference
        AdminListDevices
        """.split(),
    )
    def test_an_unknown_user_or_pool_is_an_error(self, client: Client, name: str) -> None:
        more = members_of(name, Password=PASSWORD, UserAttributes=[], UserAttributeNames=[])
        with refused("UserNotFoundException", "User does not exist."):
            client.admin(name, Username="nobody", **more)
        with refused("ResourceNotFoundException", "User pool us-east-1_Nope00000 does not exist."):
            client.call(name, UserPoolId="us-east-1_Nope00000", Username="alice", **more)
        with refused("InvalidParameterException", "userPoolId"):
            client.call(name, Username="alice", **more)

    def test_a_user_is_confirmed_and_found_by_sub(self, client: Client) -> None:
        sub = client.call("SignUp", ClientId=client.client_id, Username="alice", Password=PASSWORD)["UserSub"]
        client.admin("AdminConfirmSignUp", Username=sub)
        client.tokens()
        with refused("NotAuthorizedException", "Current status is CONFIRMED"):
            client.admin("AdminConfirmSignUp", Username="alice")

    def test_a_temporary_password_must_be_changed(self, client: Client) -> None:
        client.user()
        client.admin("AdminSetUserPassword", Username="alice", Password=OTHER_PASSWORD, Permanent=False)
        assert client.admin("AdminGetUser", Username="alice")["UserStatus"] == "FORCE_CHANGE_PASSWORD"
        assert client.log_in(password=OTHER_PASSWORD)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"

    def test_a_verified_alias_of_another_user_is_refused(self, make: Make) -> None:
        client = make(pool_settings={"AliasAttributes": ["email"]})
        client.user(email="alice@example.com", email_verified="true")
        with refused("AliasExistsException"):
            client.user("bob", email="alice@example.com", email_verified="true")
        with refused("UserNotFoundException"):
            client.admin("AdminGetUser", Username="bob")


class TestListUsers:
    @pytest.fixture
    def client(self, make: Make) -> Client:
        client = make(pool_settings={"Policies": {"PasswordPolicy": {"MinimumLength": 6}}})
        for index in range(5):
            name = f"user{index}"
            pairs = [{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "name", "Value": f'N"{index}'}]
            client.admin("AdminCreateUser", Username=name, UserAttributes=pairs, MessageAction="SUPPRESS")
        return client

    def names(self, client: Client, expression: str) -> list[str]:
        return [user["Username"] for user in client.admin("ListUsers", Filter=expression)["Users"]]

    def test_users_are_listed_in_pages(self, client: Client) -> None:
        first = client.admin("ListUsers", Limit=2)
        second = client.admin("ListUsers", Limit=2, PaginationToken=first["PaginationToken"])
        third = client.admin("ListUsers", Limit=2, PaginationToken=second["PaginationToken"])
        users = [user["Username"] for page in (first, second, third) for user in page["Users"]]
        assert users == [f"user{index}" for index in range(5)]
        assert "PaginationToken" not in third
        for limit in (5, 60):
            assert "PaginationToken" not in client.admin("ListUsers", Limit=limit)

    @pytest.mark.parametrize("token", ["made up", "AAAA", "é", ""])
    def test_a_made_up_token_is_refused(self, client: Client, token: str) -> None:
        with refused("InvalidParameterException"):
            client.admin("ListUsers", PaginationToken=token)

    @pytest.mark.parametrize("limit", [-1, 61])
    def test_an_invalid_page_size_is_refused(self, client: Client, limit: int) -> None:
        with refused("InvalidParameterException"):
            client.admin("ListUsers", Limit=limit)

    def test_filters_select_users(self, client: Client) -> None:
        everybody = [f"user{index}" for index in range(5)]
        assert self.names(client, 'username = "user3"') == ["user3"]
        assert self.names(client, 'email ^= "USER1@"') == ["user1"]
        assert self.names(client, '"email"="user2@example.com"') == ["user2"]
        assert self.names(client, r'name = "N\"4"') == ["user4"]
        assert self.names(client, 'username ^= "user"') == everybody
        assert self.names(client, 'cognito:user_status = "FORCE_CHANGE_PASSWORD"') == everybody
        client.admin("AdminDisableUser", Username="user0")
        assert self.names(client, 'status = "Disabled"') == ["user0"]
        assert self.names(client, 'email = "user1"') == []

    @pytest.mark.parametrize("expression", ["email", "email == x", 'email = "x', 'email > "x"'])
    def test_an_invalid_filter_is_refused(self, client: Client, expression: str) -> None:
        with refused("InvalidParameterException", "Error while parsing filter."):
            self.names(client, expression)

    @pytest.mark.parametrize("name", ["custom:team", "nickname"])
    def test_an_attribute_that_cannot_be_searched_is_named(self, client: Client, name: str) -> None:
        with refused("InvalidParameterException", f"Invalid search attribute: {name}"):
            self.names(client, f'{name} = "x"')

    def test_the_listed_attributes_can_be_chosen(self, client: Client) -> None:
        user = client.admin("ListUsers", Limit=1, AttributesToGet=["email"])["Users"][0]
        assert user["Attributes"] == [{"Name": "email", "Value": "user0@example.com"}]
        assert user["Enabled"] is True
        assert user["UserStatus"] == "FORCE_CHANGE_PASSWORD"


class TestPoolsAndClients:
    def test_pools_do_not_share_users(self, client: Client) -> None:
        client.user()
        made = client.call("CreateUserPool", PoolName="second", AliasAttributes=["email"], MfaConfiguration="OFF")
        pool = made["UserPool"]
        assert pool["Name"] == "second"
        assert pool["AliasAttributes"] == ["email"]
        described = client.call("DescribeUserPool", UserPoolId=pool["Id"])["UserPool"]
        assert described["Id"] == pool["Id"] != client.pool_id
        other = client.call("CreateUserPoolClient", UserPoolId=pool["Id"], ClientName="c", GenerateSecret=True)[
            "UserPoolClient"
        ]
        second = client.use(other["ClientId"], other["ClientSecret"])
        second.pool_id = pool["Id"]
        with refused("UserNotFoundException"):
            second.log_in()
        second.user()
        assert second.tokens()

    def test_a_client_is_described_and_changed(self, client: Client) -> None:
        made = client.admin("CreateUserPoolClient", ClientName="c", GenerateSecret=True)["UserPoolClient"]
        named = {"ClientId": made["ClientId"]}
        assert client.admin("DescribeUserPoolClient", **named)["UserPoolClient"]["ClientSecret"] == made["ClientSecret"]
        flows = ["ALLOW_USER_PASSWORD_AUTH"]
        changed = client.admin("UpdateUserPoolClient", ExplicitAuthFlows=flows, **named)["UserPoolClient"]
        assert changed["ExplicitAuthFlows"] == flows
        assert changed["ClientSecret"] == made["ClientSecret"]
        assert changed["ClientName"] == "c"
        other = client.call("CreateUserPool", PoolName="other")["UserPool"]["Id"]
        with refused("ResourceNotFoundException"):
            client.call("DescribeUserPoolClient", UserPoolId=other, ClientId=made["ClientId"])
        with refused("ResourceNotFoundException"):
            client.admin("DescribeUserPoolClient", ClientId="nope")

    def test_second_factors_can_be_switched(self, client: Client) -> None:
        assert client.admin("GetUserPoolMfaConfig")["MfaConfiguration"] == "OPTIONAL"
        plain = {"UserPoolId": client.call("CreateUserPool", PoolName="plain")["UserPool"]["Id"]}
        assert client.call("GetUserPoolMfaConfig", **plain).keys() - {"ResponseMetadata"} == {"MfaConfiguration"}
        enabled = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
        for contradiction in ({"MfaConfiguration": "ON"}, {"MfaConfiguration": "OFF", **enabled}):
            with refused("InvalidParameterException", "Invalid MFA configuration given"):
                client.admin("SetUserPoolMfaConfig", **contradiction)
        client.admin("SetUserPoolMfaConfig", MfaConfiguration="ON", **enabled)
        client.user()
        assert client.log_in()["ChallengeName"] == "MFA_SETUP"

    @pytest.mark.parametrize(
        "settings",
        [
            {"AliasAttributes": ["name"]},
            {"AliasAttributes": ["email"], "UsernameAttributes": ["email"]},
            {"MfaConfiguration": "PERHAPS"},
            {"Policies": {"PasswordPolicy": {"MinimumLength": 3}}},
        ],
    )
    def test_settings_of_pools_are_checked(self, client: Client, settings: dict[str, object]) -> None:
        with refused("InvalidParameterException"):
            client.call("CreateUserPool", PoolName="x", **settings)
        with pytest.raises(ConfigurationError):
            LocalUserPool(pool_settings=settings)

    @pytest.mark.parametrize(
        "settings",
        [
            {"ExplicitAuthFlows": ["ALLOW_MAGIC"]},
            {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ADMIN_NO_SRP_AUTH"]},
            {"PreventUserExistenceErrors": "MAYBE"},
            {"AuthSessionValidity": 2},
            {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 61}},
            {"TokenValidityUnits": {"AccessToken": "years"}},
            {"AccessTokenValidity": -1},
        ],
    )
    def test_settings_of_clients_are_checked(self, client: Client, settings: dict[str, object]) -> None:
        with refused("InvalidParameterException"):
            client.admin("CreateUserPoolClient", ClientName="x", **settings)
        with pytest.raises(ConfigurationError):
            LocalUserPool(client_settings=settings)

    def test_a_new_pool_with_a_second_factor_can_send_sms(self, client: Client) -> None:
        sms = {"SmsConfiguration": {"SnsCallerArn": "arn:aws:iam::000000000000:role/sms"}}
        phone = {"AutoVerifiedAttributes": ["phone_number"]}
        for lacking in ({}, phone):
            with refused("InvalidParameterException", "SMS configuration and Auto verification"):
                client.call("CreateUserPool", PoolName="p", MfaConfiguration="ON", **lacking)
        made = client.call("CreateUserPool", PoolName="p", MfaConfiguration="ON", **sms)["UserPool"]
        # UpdateUserPool needs no SMS if the pool has another factor.
        pool = {"UserPoolId": made["Id"]}
        with refused("InvalidParameterException", "SMS configuration and Auto verification"):
            client.call("UpdateUserPool", MfaConfiguration="OPTIONAL", **pool)
        enabled = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
        client.call("SetUserPoolMfaConfig", MfaConfiguration="ON", **enabled, **pool)
        client.call("UpdateUserPool", MfaConfiguration="OPTIONAL", **pool)
        client.call("SetUserPoolMfaConfig", MfaConfiguration="OFF", **pool)
        with refused("InvalidParameterException", "SMS configuration and Auto verification"):
            client.call("UpdateUserPool", MfaConfiguration="OPTIONAL", **pool)

    def test_the_template_and_the_older_names_of_messages_are_described_alike(self, client: Client) -> None:
        older = {"EmailVerificationMessage": "Old {####}", "EmailVerificationSubject": "Old"}
        template = {"EmailMessage": "New {####}", "SmsMessage": "Code {####}"}
        made = client.call("CreateUserPool", PoolName="p", VerificationMessageTemplate=template, **older)["UserPool"]
        shown = {**template, "EmailSubject": "Old", "DefaultEmailOption": "CONFIRM_WITH_CODE"}
        assert made["VerificationMessageTemplate"] == shown
        assert made["EmailVerificationMessage"] == "New {####}"
        assert (made["EmailVerificationSubject"], made["SmsVerificationMessage"]) == ("Old", "Code {####}")

    def test_the_tier_of_a_pool_must_have_its_features(self, client: Client) -> None:
        audit = {"UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}
        history = {"Policies": {"PasswordPolicy": {"PasswordHistorySize": 3}}}
        features = "The following features need to be disabled for the {} pricing tier configured: {}"
        unavailable, change = "FeatureUnavailableInTierException", "TierChangeNotAllowedException"

        def pool(**settings: object) -> dict[str, Any]:
            made: dict[str, Any] = client.call("CreateUserPool", PoolName="p", **settings)["UserPool"]
            return made

        def update(pool_id: str, **settings: object) -> str:
            client.call("UpdateUserPool", UserPoolId=pool_id, **settings)
            return str(client.call("DescribeUserPool", UserPoolId=pool_id)["UserPool"]["UserPoolTier"])

        assert (pool()["UserPoolTier"], pool(**audit)["UserPoolTier"]) == ("ESSENTIALS", "PLUS")
        pool(UserPoolTier="LITE", **audit)
        with refused(unavailable, features.format("ESSENTIALS", "Threat Protection")):
            pool(UserPoolTier="ESSENTIALS", **audit)
        with refused(unavailable, features.format("LITE", "Password History")):
            pool(UserPoolTier="LITE", **history)
        pool_id = pool()["Id"]
        with refused(unavailable, "Threat Protection"):
            update(pool_id, **audit)
        assert update(pool_id, UserPoolTier="PLUS", **audit) == "PLUS"
        assert update(pool_id) == "PLUS"
        with refused(change, features.format("ESSENTIALS", "Threat Protection")):
            update(pool_id, UserPoolTier="ESSENTIALS", **audit)
        assert update(pool_id, UserPoolTier="ESSENTIALS") == "ESSENTIALS"
        with refused(change, features.format("LITE", "Password History")):
            update(pool_id, UserPoolTier="LITE", **history)

    def test_a_zero_that_the_service_does_not_accept_is_described_as_the_default(self, client: Client) -> None:
        policies = {"PasswordPolicy": {"TemporaryPasswordValidityDays": 0}}
        described = client.call("CreateUserPool", PoolName="p", Policies=policies)["UserPool"]
        assert described["Policies"]["PasswordPolicy"]["TemporaryPasswordValidityDays"] == 7
        assert described["AdminCreateUserConfig"]["UnusedAccountValidityDays"] == 7
        validity = {"RefreshTokenValidity": 0, "TokenValidityUnits": {"RefreshToken": "hours", "IdToken": "minutes"}}
        made = client.admin("CreateUserPoolClient", ClientName="c", IdTokenValidity=5, **validity)["UserPoolClient"]
        assert made["RefreshTokenValidity"] == 30
        assert made["TokenValidityUnits"] == {"RefreshToken": "days", "IdToken": "minutes"}

    def test_settings_that_are_left_out_are_described_with_their_defaults(self, client: Client) -> None:
        made = client.call("CreateUserPool", PoolName="p", AdminCreateUserConfig={"AllowAdminCreateUserOnly": True})
        described = made["UserPool"]
        assert described["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True, "UnusedAccountValidityDays": 7}
        assert described["Policies"]["PasswordPolicy"]["MinimumLength"] == 8
        policy = {"PasswordPolicy": {"MinimumLength": 12, "TemporaryPasswordValidityDays": 3}}
        described = client.call("CreateUserPool", PoolName="p", Policies=policy)["UserPool"]
        assert described["AdminCreateUserConfig"]["UnusedAccountValidityDays"] == 3
        assert described["Policies"]["PasswordPolicy"]["RequireSymbols"] is True
        assert described["Policies"]["SignInPolicy"] == {"AllowedFirstAuthFactors": ["PASSWORD"]}

    @pytest.mark.parametrize(
        ("settings", "code"),
        [
            ({"ReadAttributes": ["custom:nope"]}, "InvalidParameterException"),
            ({"WriteAttributes": ["custom:nope"]}, "InvalidParameterException"),
            ({"WriteAttributes": ["email_verified"]}, "InvalidParameterException"),
            ({"AccessTokenValidity": 4, "TokenValidityUnits": {"AccessToken": "minutes"}}, "InvalidParameterException"),
            ({"IdTokenValidity": 25}, "InvalidParameterException"),
            ({"RefreshTokenValidity": 3651}, "InvalidParameterException"),
            ({"AllowedOAuthFlows": ["client_credentials", "implicit"]}, "InvalidOAuthFlowException"),
        ],
    )
    def test_contradictory_settings_of_clients_are_refused(
        self, client: Client, settings: dict[str, object], code: str
    ) -> None:
        with refused(code):
            client.admin("CreateUserPoolClient", ClientName="x", **settings)
        with refused(code):
            client.admin("UpdateUserPoolClient", ClientId=client.client_id, **settings)

    def test_the_region_of_a_pool_is_validated_and_in_its_id(self, make: Make) -> None:
        assert make(region="eu-west-1").pool_id.startswith("eu-west-1_")
        with pytest.raises(ConfigurationError):
            LocalUserPool(region="nowhere/else")
