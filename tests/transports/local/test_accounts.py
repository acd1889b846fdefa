"""A user's own account: sign up, codes, passwords, attributes, the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, members_of, refused

Make = Callable[..., Client]
MISMATCH = ("CodeMismatchException", "Invalid verification code provided, please try again.")


def pairs(**attributes: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in attributes.items()]


def secret_hash_of(client: Client, username: str) -> dict[str, str]:
    hashed = client.hash(username)
    return {"SecretHash": hashed["SECRET_HASH"]} if hashed else {}


def sign_up(client: Client, username: str = "alice", password: str = PASSWORD, **attributes: str) -> dict[str, Any]:
    return client.call(
        "SignUp",
        ClientId=client.client_id,
        Username=username,
        Password=password,
        UserAttributes=pairs(**attributes),
        **secret_hash_of(client, username),
    )


def by_client(client: Client, name: str, username: str = "alice", **parameters: Any) -> dict[str, Any]:
    named = {"ClientId": client.client_id, "Username": username, **secret_hash_of(client, username)}
    return client.call(name, **{**named, **parameters})


def code_of(client: Client, username: str = "alice") -> str:
    return client.pool.outbox.latest(username).code


def other_code(code: str) -> str:
    return "000000" if code != "000000" else "111111"


class TestSignUp:
    def test_the_code_confirms_the_user_and_the_address(self, client: Client) -> None:
        reply = sign_up(client, email="alice@example.com")
        assert reply["UserConfirmed"] is False
        delivery = {"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
        assert reply["CodeDeliveryDetails"] == delivery
        message = client.pool.outbox.latest("alice")
        assert (message.destination, message.purpose) == ("alice@example.com", "sign_up")
        by_client(client, "ConfirmSignUp", ConfirmationCode=message.code)
        user = client.admin("AdminGetUser", Username="alice")
        assert user["UserStatus"] == "CONFIRMED"
        assert {"Name": "email_verified", "Value": "true"} in user["UserAttributes"]
        assert {"Name": "sub", "Value": reply["UserSub"]} in user["UserAttributes"]
        client.tokens()

    def test_a_wrong_used_or_expired_code_is_refused(self, client: Client) -> None:
        sign_up(client, email="alice@example.com")
        code = code_of(client)
        with refused(*MISMATCH):
            by_client(client, "ConfirmSignUp", ConfirmationCode=other_code(code))
        client.clock.now += 86400
        with refused("ExpiredCodeException", "please request a code again"):
            by_client(client, "ConfirmSignUp", ConfirmationCode=code)
        by_client(client, "ResendConfirmationCode")
        by_client(client, "ConfirmSignUp", ConfirmationCode=code_of(client))
        with refused("NotAuthorizedException", "Current status is CONFIRMED"):
            by_client(client, "ConfirmSignUp", ConfirmationCode=code)
        with refused("InvalidParameterException", "already confirmed"):
            by_client(client, "ResendConfirmationCode")

    def test_codes_cannot_be_guessed(self, client: Client) -> None:
        sign_up(client, email="alice@example.com")
        code = code_of(client)
        for _ in range(5):
            with refused(*MISMATCH):
                by_client(client, "ConfirmSignUp", ConfirmationCode=other_code(code))
        with refused("LimitExceededException"):
            by_client(client, "ConfirmSignUp", ConfirmationCode=code)

    @pytest.mark.parametrize(
        "password", ["Short-1", "no-upper-case-1", "NO-LOWER-CASE-1", "No-number-here", "NoSymbol1"]
    )
    def test_the_password_policy_applies(self, client: Client, password: str) -> None:
        with refused("InvalidPasswordException", "Password did not conform with policy"):
            sign_up(client, password=password)
        with refused("UserNotFoundException"):
            client.admin("AdminGetUser", Username="alice")

    def test_the_password_policy_can_be_set_for_the_pool(self, make: Make) -> None:
        rules = dict.fromkeys(("RequireUppercase", "RequireLowercase", "RequireNumbers", "RequireSymbols"), False)
        client = make(pool_settings={"Policies": {"PasswordPolicy": {"MinimumLength": 6, **rules}}})
        sign_up(client, password="simple")
        with refused("InvalidPasswordException", "not long enough"):
            sign_up(client, "bob", password="short")

    def test_a_username_is_unique(self, client: Client) -> None:
        sign_up(client)
        with refused("UsernameExistsException", "User already exists"):
            sign_up(client)

    @pytest.mark.parametrize("username", ["with space", "line\nend", "a" * 129, "nul\0"])
    def test_a_username_must_have_a_valid_form(self, client: Client, username: str) -> None:
        with refused("InvalidParameterException"):
            sign_up(client, username)

    def test_a_name_may_have_128_characters(self, client: Client) -> None:
        assert sign_up(client, "é" * 128)["UserSub"]

    def test_attributes_are_checked(self, make: Make) -> None:
        client = make(
            pool_settings={
                "Schema": [{"Name": "email", "Required": True}, {"Name": "custom:team", "AttributeDataType": "String"}]
            }
        )
        for attributes in (
            {},
            {"email": "alice@example.com", "unknown": "x"},
            {"email": "alice@example.com", "custom:other": "x"},
            {"email": "no address"},
            {"email": "alice@example.com", "phone_number": "12345"},
            {"email": "alice@example.com", "sub": "x"},
        ):
            with refused("InvalidParameterException"):
                sign_up(client, **attributes)
        with refused("NotAuthorizedException", "unauthorized attribute"):
            sign_up(client, email="alice@example.com", email_verified="true")
        sign_up(client, **{"email": "alice@example.com", "custom:team": "blue"})

    def test_usernames_must_be_addresses_if_the_pool_says_so(self, make: Make) -> None:
        client = make(pool_settings={"UsernameAttributes": ["email"]})
        with refused("InvalidParameterException", "Username should be an email."):
            sign_up(client, "alice")
        canonical = sign_up(client, "alice@example.com")["UserSub"]
        with refused("UsernameExistsException", "An account with the given email already exists."):
            sign_up(client, "alice@example.com")
        by_client(client, "ConfirmSignUp", "alice@example.com", ConfirmationCode=code_of(client, canonical))
        assert client.admin("AdminGetUser", Username="alice@example.com")["Username"] == canonical

    @pytest.mark.parametrize(
        ("kinds", "message"),
        [
            (["phone_number"], "Username should be a phone number."),
            (["email", "phone_number"], "Username should be either an email or a phone number."),
            (["phone_number", "email"], "Username should be either an email or a phone number."),
        ],
    )
    def test_other_names_than_addresses_are_refused_in_the_words_of_the_service(
        self, make: Make, kinds: list[str], message: str
    ) -> None:
        with refused("InvalidParameterException", message):
            sign_up(make(pool_settings={"UsernameAttributes": kinds}), "alice")

    def test_the_address_that_is_the_user_name_cannot_be_another_one(self, make: Make) -> None:
        client = make(pool_settings={"UsernameAttributes": ["email", "phone_number"]})
        rule = "should be empty or same as username, since username attribute is"
        with refused("InvalidParameterException", f"User email {rule} email."):
            sign_up(client, "alice@example.com", email="bob@example.com")
        with refused("InvalidParameterException", f"User phone number {rule} phone_number."):
            sign_up(client, "+15555550100", phone_number="+15555550101")
        sign_up(client, "alice@example.com", email="alice@example.com", phone_number="+15555550101")

    def test_an_alias_belongs_to_one_user(self, make: Make) -> None:
        client = make(pool_settings={"AliasAttributes": ["email"]})
        with refused("InvalidParameterException", "email format"):
            sign_up(client, "alice@example.com")
        client.user("bob", email="shared@example.com", email_verified="true")
        sign_up(client, email="shared@example.com")
        code = code_of(client)
        with refused("AliasExistsException"):
            by_client(client, "ConfirmSignUp", ConfirmationCode=code)
        by_client(client, "ResendConfirmationCode")
        by_client(client, "ConfirmSignUp", ConfirmationCode=code_of(client), ForceAliasCreation=True)
        assert client.begin("shared@example.com").parameters["USERNAME"] == "alice"

    def test_a_code_needs_an_email_or_phone_number(self, client: Client) -> None:
        assert "CodeDeliveryDetails" not in sign_up(client)
        with refused("CodeDeliveryFailureException"):
            by_client(client, "ResendConfirmationCode")

    def test_codes_go_to_the_phone_first(self, make: Make) -> None:
        client = make(pool_settings={"AutoVerifiedAttributes": ["email", "phone_number"]})
        reply = sign_up(client, email="alice@example.com", phone_number="+15550001234")
        delivery = {"Destination": "+*******1234", "DeliveryMedium": "SMS", "AttributeName": "phone_number"}
        assert reply["CodeDeliveryDetails"] == delivery

    def test_an_alias_confirms_before_it_is_verified(self, make: Make) -> None:
        client = make(pool_settings={"AliasAttributes": ["email"]})
        sign_up(client, email="alice@example.com")
        by_client(client, "ConfirmSignUp", "alice@example.com", ConfirmationCode=code_of(client))
        client.tokens("alice@example.com")

    def test_sign_up_can_be_disabled(self, make: Make) -> None:
        client = make(pool_settings={"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True}})
        with refused("NotAuthorizedException", "SignUp is not permitted for this user pool"):
            sign_up(client)

    def test_a_secret_hash_is_required(self, make: Make) -> None:
        client = make(client_secret=True)
        for given in ({}, {"SecretHash": "AAAA"}):
            with refused("NotAuthorizedException"):
                client.call("SignUp", ClientId=client.client_id, Username="alice", Password=PASSWORD, **given)
        sign_up(client, email="alice@example.com")
        for name in ("ConfirmSignUp", "ResendConfirmationCode", "ForgotPassword", "ConfirmForgotPassword"):
            given = {"ConfirmationCode": "000000", "Password": PASSWORD, "SecretHash": "AAAA"}
            with refused("NotAuthorizedException", "Unable to verify secret hash"):
                by_client(client, name, **members_of(name, **given))
        by_client(client, "ConfirmSignUp", ConfirmationCode=code_of(client))

    def test_errors_do_not_reveal_unknown_users(self, make: Make, client: Client) -> None:
        assert by_client(client, "ResendConfirmationCode")["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
        assert by_client(client, "ForgotPassword")["CodeDeliveryDetails"]["AttributeName"] == "email"
        phone = by_client(client, "ForgotPassword", "+15550001234")["CodeDeliveryDetails"]
        assert (phone["Destination"], phone["DeliveryMedium"]) == ("+*******1234", "SMS")
        with refused("ExpiredCodeException"):
            by_client(client, "ConfirmSignUp", ConfirmationCode="000000")
        with refused("CodeMismatchException"):
            by_client(client, "ConfirmForgotPassword", ConfirmationCode="000000", Password=PASSWORD)
        assert client.pool.outbox.messages == []
        open_client = make(client_settings={"PreventUserExistenceErrors": "LEGACY"})
        for name in ("ConfirmSignUp", "ResendConfirmationCode", "ForgotPassword", "ConfirmForgotPassword"):
            with refused("UserNotFoundException"):
                by_client(open_client, name, **members_of(name, ConfirmationCode="000000", Password=PASSWORD))


class TestForgottenPassword:
    @pytest.fixture
    def client(self, make: Make) -> Client:
        client = make()
        client.user(email="alice@example.com", email_verified="true")
        return client

    def test_the_code_sets_a_new_password(self, client: Client) -> None:
        reply = by_client(client, "ForgotPassword")
        assert reply["CodeDeliveryDetails"]["Destination"] == "a***@e***"
        code = code_of(client)
        with refused(*MISMATCH):
            by_client(client, "ConfirmForgotPassword", ConfirmationCode=other_code(code), Password=OTHER_PASSWORD)
        with refused("InvalidPasswordException"):
            by_client(client, "ConfirmForgotPassword", ConfirmationCode=code, Password="short")
        by_client(client, "ConfirmForgotPassword", ConfirmationCode=code, Password=OTHER_PASSWORD)
        client.tokens(password=OTHER_PASSWORD)
        with refused("NotAuthorizedException"):
            client.log_in()
        with refused("ExpiredCodeException"):
            by_client(client, "ConfirmForgotPassword", ConfirmationCode=code, Password=PASSWORD)

    def test_a_code_expires(self, client: Client) -> None:
        by_client(client, "ForgotPassword")
        client.clock.now += 3600
        with refused("ExpiredCodeException"):
            by_client(client, "ConfirmForgotPassword", ConfirmationCode=code_of(client), Password=OTHER_PASSWORD)

    def test_a_new_password_ends_the_lockout(self, client: Client) -> None:
        for _ in range(5):
            with refused("NotAuthorizedException", "Incorrect"):
                client.log_in(password=OTHER_PASSWORD)
        by_client(client, "ForgotPassword")
        by_client(client, "ConfirmForgotPassword", ConfirmationCode=code_of(client), Password=OTHER_PASSWORD)
        client.tokens(password=OTHER_PASSWORD)

    def test_a_verified_address_is_required(self, make: Make) -> None:
        client = make(client_settings={"PreventUserExistenceErrors": "LEGACY"})
        client.user(email="alice@example.com")
        with refused("InvalidParameterException", "no registered/verified email or phone_number"):
            by_client(client, "ForgotPassword")

    def test_a_disabled_user_gets_no_code(self, make: Make) -> None:
        client = make(client_settings={"PreventUserExistenceErrors": "LEGACY"})
        client.user(email="alice@example.com", email_verified="true")
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "User is disabled."):
            by_client(client, "ForgotPassword")

    def test_a_temporary_password_is_not_reset(self, client: Client) -> None:
        client.admin("AdminSetUserPassword", Username="alice", Password=PASSWORD)
        with refused("NotAuthorizedException", "cannot be reset in the current state"):
            by_client(client, "ForgotPassword")


class TestChangePassword:
    def test_the_previous_password_is_required(self, client: Client) -> None:
        client.user()
        change = {"AccessToken": client.tokens()["AccessToken"], "ProposedPassword": OTHER_PASSWORD}
        with refused("NotAuthorizedException", "Incorrect username or password."):
            client.call("ChangePassword", PreviousPassword=OTHER_PASSWORD, **change)
        with refused("InvalidPasswordException"):
            client.call("ChangePassword", PreviousPassword=PASSWORD, **{**change, "ProposedPassword": "short"})
        client.tokens()
        client.call("ChangePassword", PreviousPassword=PASSWORD, **change)
        client.tokens(password=OTHER_PASSWORD)

    def test_guesses_are_limited(self, client: Client) -> None:
        client.user()
        change = {"AccessToken": client.tokens()["AccessToken"], "ProposedPassword": OTHER_PASSWORD}
        for _ in range(5):
            with refused("NotAuthorizedException", "Incorrect username or password."):
                client.call("ChangePassword", PreviousPassword="Wrong-Guess-1", **change)
        with refused("LimitExceededException", "Attempt limit exceeded, please try after some time."):
            client.call("ChangePassword", PreviousPassword=PASSWORD, **change)


class TestProfile:
    def values(self, client: Client, token: str) -> dict[str, str]:
        user = client.call("GetUser", AccessToken=token)
        return {pair["Name"]: pair["Value"] for pair in user["UserAttributes"]}

    def test_attributes_are_changed_and_verified(self, client: Client) -> None:
        client.user(email="alice@example.com", email_verified="true")
        token = client.tokens()["AccessToken"]
        changed = pairs(email="new@example.com", name="Alice")
        reply = client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=changed)
        assert [d["AttributeName"] for d in reply["CodeDeliveryDetailsList"]] == ["email"]
        assert self.values(client, token)["email_verified"] == "false"
        assert self.values(client, token)["name"] == "Alice"
        verify = {"AccessToken": token, "AttributeName": "email"}
        with refused(*MISMATCH):
            client.call("VerifyUserAttribute", Code=other_code(code_of(client)), **verify)
        client.call("GetUserAttributeVerificationCode", **verify)
        client.call("VerifyUserAttribute", Code=code_of(client), **verify)
        assert self.values(client, token)["email_verified"] == "true"
        with refused("ExpiredCodeException"):
            client.call("VerifyUserAttribute", Code=code_of(client), **verify)

    def test_a_code_is_for_the_address_it_was_sent_to(self, client: Client) -> None:
        client.user(email="alice@example.com")
        token = client.tokens()["AccessToken"]
        verify = {"AccessToken": token, "AttributeName": "email"}
        client.call("GetUserAttributeVerificationCode", **verify)
        code = code_of(client)
        client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs(email="other@example.com"))
        with refused("ExpiredCodeException"):
            client.call("VerifyUserAttribute", Code=code, **verify)

    def test_attributes_that_a_user_may_not_write_are_refused(self, client: Client) -> None:
        client.user(email="alice@example.com")
        token = client.tokens()["AccessToken"]
        before = self.values(client, token)
        for code, attributes in (
            ("NotAuthorizedException", pairs(email_verified="true")),
            ("InvalidParameterException", pairs(sub="x")),
            ("InvalidParameterException", pairs(name="x", unknown="x")),
        ):
            with refused(code):
                client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=attributes)
        assert self.values(client, token) == before

    def test_an_empty_value_removes_the_attribute(self, client: Client) -> None:
        client.user(email="alice@example.com", email_verified="true", name="Alice")
        token = client.tokens()["AccessToken"]
        client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs(name=""))
        assert "name" not in self.values(client, token)
        client.call("DeleteUserAttributes", AccessToken=token, UserAttributeNames=["email"])
        assert set(self.values(client, token)) == {"sub"}
        client.admin("AdminUpdateUserAttributes", Username="alice", UserAttributes=pairs(nickname="al"))
        client.admin("AdminDeleteUserAttributes", Username="alice", UserAttributeNames=["nickname"])
        assert set(self.values(client, token)) == {"sub"}

    def test_a_code_is_sent_only_for_an_email_or_phone_number_that_the_user_has(self, client: Client) -> None:
        client.user()
        token = client.tokens()["AccessToken"]
        unavailable = "the user does not have it"
        for name, message in (("name", "Only email and phone_number can be verified"), ("email", unavailable)):
            with refused("InvalidParameterException", message):
                client.call("GetUserAttributeVerificationCode", AccessToken=token, AttributeName=name)

    def test_the_alias_of_another_user_is_refused(self, make: Make) -> None:
        client = make(pool_settings={"UsernameAttributes": ["email"]})
        client.user("alice@example.com")
        client.user("bob@example.com")
        token = client.tokens("alice@example.com")["AccessToken"]
        with refused("AliasExistsException"):
            client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs(email="bob@example.com"))

    def test_a_deleted_user_no_longer_exists(self, client: Client) -> None:
        client.user()
        tokens = client.tokens()
        client.call("DeleteUser", AccessToken=tokens["AccessToken"])
        with refused("UserNotFoundException"):
            client.call("GetUser", AccessToken=tokens["AccessToken"])
        with refused("NotAuthorizedException", "Incorrect username or password."):
            client.log_in()

    def test_every_operation_of_a_user_needs_a_valid_token(self, client: Client) -> None:
        device = "us-east-1_0f0f"
        operations: dict[str, dict[str, Any]] = {
            "ChangePassword": {"PreviousPassword": PASSWORD, "ProposedPassword": OTHER_PASSWORD},
            "ConfirmDevice": {"DeviceKey": device},
            "DeleteUser": {},
            "DeleteUserAttributes": {"UserAttributeNames": []},
            "ForgetDevice": {"DeviceKey": device},
            "GetDevice": {"DeviceKey": device},
            "GetUser": {},
            "GetUserAttributeVerificationCode": {"AttributeName": "email"},
            "GlobalSignOut": {},
            "ListDevices": {},
            "SetUserMFAPreference": {},
            "UpdateDeviceStatus": {"DeviceKey": device},
            "UpdateUserAttributes": {"UserAttributes": []},
            "VerifyUserAttribute": {"AttributeName": "email", "Code": "000000"},
        }
        for name, parameters in operations.items():
            with refused("NotAuthorizedException", "Invalid Access Token"):
                client.call(name, AccessToken="a.b.c", **parameters)
            with refused("InvalidParameterException", "accessToken"):
                client.call(name, **parameters)


def test_the_outbox_calls_its_listener(client: Client) -> None:
    heard: list[str] = []

    def confirm(username: str) -> None:
        client.admin("AdminConfirmSignUp", Username=username)

    client.pool.outbox.on_message = lambda message: heard.append(message.username)
    sign_up(client, email="alice@example.com")
    assert heard == ["alice"]
    # A listener may use the pool.
    client.pool.outbox.on_message = lambda message: confirm(message.username)
    sign_up(client, "carol", email="carol@example.com")
    client.tokens("carol")
    assert client.pool.outbox.latest("carol@example.com").username == "carol"
    with pytest.raises(LookupError):
        client.pool.outbox.latest("bob")
