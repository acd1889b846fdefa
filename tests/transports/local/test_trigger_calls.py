"""Lambda triggers through the API: which request calls which trigger, with which event, and what the response changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import pytest

from srpcore.crypto.totp import totp
from srpcore_transports.local import LocalUserPool, Triggers
from support.clock import Clock
from support.loopback import LoopbackServer, answer
from support.users import OTHER_PASSWORD, PASSWORD

from .boto import KEYS, connected
from .client import Client, confirm_device, enrol, finish, refused, temporary_user

pytestmark = pytest.mark.slow

Make = Callable[..., Client]
Event = dict[str, Any]
METADATA = {"from": "the client"}
ALIASES = {"AliasAttributes": ["email"], "AutoVerifiedAttributes": ["email"]}


class Spy:
    """One handler for all triggers. It keeps the events, and returns what *responses* has for their trigger."""

    def __init__(self, **responses: Any) -> None:
        self.responses = responses
        self.events: list[Event] = []

    def __call__(self, event: Event, context: object) -> Event:
        self.events.append(json.loads(json.dumps(event)))
        response = self.responses.get(event["triggerSource"].partition("_")[0])
        if callable(response):
            response = response(event)
        if isinstance(response, Exception):
            raise response
        return {**event, "response": event["response"] | (response or {})}

    def triggers(self, *kinds: str, **settings: Any) -> Triggers:
        chosen: dict[str, Any] = {**dict.fromkeys(kinds, self), **settings}
        return Triggers(**chosen)

    @property
    def sources(self) -> list[str]:
        return [event["triggerSource"] for event in self.events]

    @property
    def event(self) -> Event:
        (event,) = self.events
        return event

    @property
    def request(self) -> Event:
        request: Event = self.event["request"]
        return request


def sign_up(client: Client, username: str = "alice", **changes: Any) -> dict[str, Any]:
    given = {"ClientId": client.client_id, "Username": username, "Password": PASSWORD, **client.hash(username)}
    attributes = [{"Name": "email", "Value": "alice@example.com"}]
    return client.call("SignUp", **{**given, "UserAttributes": attributes, **changes})


def confirm(client: Client, username: str = "alice", **changes: Any) -> dict[str, Any]:
    code = client.pool.outbox.latest(username).code
    given = {"ClientId": client.client_id, "Username": username, "ConfirmationCode": code}
    return client.call("ConfirmSignUp", **{**given, **changes})


def log_in(client: Client, username: str = "alice", password: str = PASSWORD, **changes: Any) -> dict[str, Any]:
    values = {"USERNAME": username, "PASSWORD": password, **client.hash(username)}
    given = {"ClientId": client.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": values}
    return client.call("InitiateAuth", **{**given, **changes})


def read(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def attributes(client: Client, username: str = "alice") -> dict[str, str]:
    user = client.admin("AdminGetUser", Username=username)
    return {pair["Name"]: pair["Value"] for pair in user["UserAttributes"]}


def status(client: Client, username: str = "alice") -> str:
    return str(client.admin("AdminGetUser", Username=username)["UserStatus"])


def snapshot(client: Client) -> Any:
    """Return what an administrator sees of the pool, and how many messages were sent."""
    users = client.admin("ListUsers")["Users"]
    groups = [client.admin("AdminListGroupsForUser", Username=user["Username"])["Groups"] for user in users]
    return users, groups, len(client.pool.outbox.messages)


@pytest.fixture
def spy() -> Spy:
    return Spy()


class TestSignUp:
    def test_the_event_has_what_the_client_sent(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_sign_up"))
        sign_up(client, ValidationData=[{"Name": "captcha", "Value": "ok"}], ClientMetadata=METADATA)
        assert spy.event["userName"] == "alice"
        assert spy.event["callerContext"]["clientId"] == client.client_id
        assert spy.request == {
            "userAttributes": {"email": "alice@example.com"},
            "validationData": {"captcha": "ok"},
            "clientMetadata": METADATA,
        }

    def test_a_user_whose_name_is_an_address_has_the_sub_as_name(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_sign_up"), pool_settings={"UsernameAttributes": ["email"]})
        reply = sign_up(client, "alice@example.com", UserAttributes=[])
        assert spy.event["userName"] == reply["UserSub"]
        assert spy.request["userAttributes"] == {"email": "alice@example.com"}

    def test_a_user_who_is_refused_is_not_added(self, make: Make) -> None:
        client = make(triggers=Spy(PreSignUp=ValueError("only staff")).triggers("pre_sign_up"))
        with refused("UserLambdaValidationException", r"PreSignUp failed with error only staff\."):
            sign_up(client)
        assert snapshot(client) == ([], [], 0)

    def test_a_user_can_be_confirmed_and_verified(self, make: Make) -> None:
        spy = Spy(PreSignUp={"autoConfirmUser": True, "autoVerifyEmail": True})
        client = make(triggers=spy.triggers("pre_sign_up", "post_confirmation"))
        reply = sign_up(client, ClientMetadata=METADATA)
        assert reply["UserConfirmed"] is True
        assert "CodeDeliveryDetails" not in reply
        assert (status(client), attributes(client)["email_verified"]) == ("CONFIRMED", "true")
        assert client.pool.outbox.messages == []
        assert "AuthenticationResult" in client.log_in()
        assert spy.sources == ["PreSignUp_SignUp", "PostConfirmation_ConfirmSignUp"]
        request = spy.events[1]["request"]
        assert request["userAttributes"]["cognito:user_status"] == "CONFIRMED"
        assert request["clientMetadata"] == METADATA

    def test_an_address_can_be_verified_for_a_user_who_is_not_confirmed(self, make: Make) -> None:
        client = make(triggers=Spy(PreSignUp={"autoVerifyEmail": True}).triggers("pre_sign_up"))
        assert sign_up(client)["UserConfirmed"] is False
        assert (status(client), attributes(client)["email_verified"]) == ("UNCONFIRMED", "true")

    def test_a_verified_alias_is_taken_from_its_user(self, make: Make) -> None:
        spy = Spy(PreSignUp=lambda event: {"autoVerifyEmail": event["userName"] == "bob"})
        client = make(triggers=spy.triggers("pre_sign_up"), pool_settings=ALIASES)
        client.user(email="alice@example.com", email_verified="true")
        sign_up(client, "bob")
        assert attributes(client)["email_verified"] == "false"
        assert attributes(client, "bob")["email_verified"] == "true"

    def test_an_administrator_calls_the_trigger_without_an_app_client(self, make: Make) -> None:
        spy = Spy(PreSignUp={"autoConfirmUser": True, "autoVerifyEmail": True})
        client = make(triggers=spy.triggers("pre_sign_up"))
        pairs = [{"Name": "email", "Value": "alice@example.com"}]
        given = {"Username": "alice", "UserAttributes": pairs, "ClientMetadata": METADATA}
        client.admin("AdminCreateUser", **given, ValidationData=[{"Name": "a", "Value": "b"}])
        assert spy.event["triggerSource"] == "PreSignUp_AdminCreateUser"
        assert spy.event["callerContext"]["clientId"] == "CLIENT_ID_NOT_APPLICABLE"
        assert spy.request == {
            "userAttributes": {"email": "alice@example.com"},
            "validationData": {"a": "b"},
            "clientMetadata": METADATA,
        }
        assert status(client) == "FORCE_CHANGE_PASSWORD"
        assert "email_verified" not in attributes(client)

    def test_a_repeated_invitation_is_not_a_sign_up(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_sign_up"))
        temporary_user(client)
        client.admin("AdminCreateUser", Username="alice", MessageAction="RESEND")
        assert len(spy.events) == 1


class TestConfirmation:
    def test_each_way_to_confirm_calls_the_trigger(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("post_confirmation"))
        sign_up(client)
        confirm(client, ClientMetadata=METADATA)
        sign_up(client, "bob")
        client.admin("AdminConfirmSignUp", Username="bob", ClientMetadata={"by": "an administrator"})
        client.call("ForgotPassword", ClientId=client.client_id, Username="alice")
        code = client.pool.outbox.latest("alice").code
        given = {"Username": "alice", "ConfirmationCode": code, "Password": OTHER_PASSWORD}
        client.call("ConfirmForgotPassword", ClientId=client.client_id, **given)
        confirmed = "PostConfirmation_ConfirmSignUp"
        assert spy.sources == [confirmed, confirmed, "PostConfirmation_ConfirmForgotPassword"]
        first, second, third = spy.events
        assert first["request"]["userAttributes"]["email_verified"] == "true"
        assert first["request"]["clientMetadata"] == METADATA
        assert second["callerContext"]["clientId"] == "CLIENT_ID_NOT_APPLICABLE"
        assert second["request"]["clientMetadata"] == {"by": "an administrator"}
        assert "clientMetadata" not in third["request"]

    def test_the_trigger_can_use_the_pool(self, make: Make) -> None:
        def join(event: Event) -> None:
            assert status(client) == "CONFIRMED"
            client.admin("AdminAddUserToGroup", Username=event["userName"], GroupName="members")

        client = make(triggers=Spy(PostConfirmation=join).triggers("post_confirmation"))
        client.admin("CreateGroup", GroupName="members")
        sign_up(client)
        confirm(client)
        assert client.admin("AdminListGroupsForUser", Username="alice")["Groups"][0]["GroupName"] == "members"

    def test_a_trigger_that_fails_does_not_undo_the_confirmation(self, make: Make) -> None:
        client = make(triggers=Spy(PostConfirmation=ValueError("too late")).triggers("post_confirmation"))
        sign_up(client)
        with refused("UserLambdaValidationException", "PostConfirmation failed with error too late"):
            confirm(client)
        assert status(client) == "CONFIRMED"

    def test_a_user_of_an_administrator_is_not_confirmed(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("post_confirmation"))
        temporary_user(client)
        client.answer(log_in(client), NEW_PASSWORD=OTHER_PASSWORD)
        assert spy.events == []


def by_srp(client: Client) -> Any:
    return client.begin(ClientMetadata=METADATA)


class TestPreAuthentication:
    @pytest.mark.parametrize("flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH", "USER_AUTH", "CUSTOM_AUTH"])
    def test_every_flow_calls_the_trigger_before_it_starts(self, make: Make, spy: Spy, flow: str) -> None:
        client = make(triggers=spy.triggers("pre_authentication", "define_auth_challenge"))
        client.user(email="alice@example.com")
        values = {"USERNAME": "alice", "PASSWORD": PASSWORD, "SRP_A": "1234"}
        given = {"ClientId": client.client_id, "AuthFlow": flow, "AuthParameters": values, "ClientMetadata": METADATA}
        if flow == "CUSTOM_AUTH":
            with refused("InvalidLambdaResponseException"):
                client.call("InitiateAuth", **given)
        else:
            client.call("InitiateAuth", **given)
        event = spy.events[0]
        assert event["triggerSource"] == "PreAuthentication_Authentication"
        assert event["request"]["validationData"] == METADATA
        assert event["request"]["userNotFound"] is False
        assert event["request"]["userAttributes"]["email"] == "alice@example.com"
        assert "clientMetadata" not in event["request"]

    def test_an_administrators_login_calls_it_too_and_a_refresh_does_not(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_authentication"))
        client.user()
        values = {"USERNAME": "alice", "PASSWORD": PASSWORD}
        given = {"ClientId": client.client_id, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": values}
        tokens = client.admin("AdminInitiateAuth", **given)["AuthenticationResult"]
        client.refresh(tokens["RefreshToken"])
        assert len(spy.events) == 1

    def test_it_is_called_before_the_password_is_checked(self, make: Make) -> None:
        client = make(triggers=Spy(PreAuthentication=ValueError("closed")).triggers("pre_authentication"))
        client.user()
        for password in (PASSWORD, OTHER_PASSWORD):
            with refused("UserLambdaValidationException", "PreAuthentication failed with error closed"):
                log_in(client, password=password)

    def test_a_stranger_is_shown_only_if_the_client_hides_strangers(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_authentication"))
        with refused("NotAuthorizedException"):
            log_in(client, "nobody")
        assert spy.request == {"userAttributes": {}, "validationData": None, "userNotFound": True}
        settings = {"PreventUserExistenceErrors": "LEGACY"}
        client = make(triggers=spy.triggers("pre_authentication"), client_settings=settings)
        with refused("UserNotFoundException"):
            log_in(client, "nobody")
        client.user()
        log_in(client)
        assert len(spy.events) == 2
        assert "userNotFound" not in spy.events[1]["request"]

    def test_a_user_whom_the_trigger_deletes_does_not_log_in(self, make: Make) -> None:
        def delete(event: Event) -> None:
            client.admin("AdminDeleteUser", Username="alice")

        client = make(triggers=Spy(PreAuthentication=delete).triggers("pre_authentication"))
        client.user()
        with refused("NotAuthorizedException", "Incorrect username or password."):
            log_in(client)

    @pytest.mark.parametrize(
        ("settings", "verified", "alias"),
        [
            ({"UsernameAttributes": ["email"]}, "false", True),
            (ALIASES, "true", True),
            (ALIASES, "false", False),
            ({}, "true", False),
        ],
    )
    def test_an_address_by_which_the_user_logs_in_is_shown_as_an_alias(
        self, make: Make, spy: Spy, settings: Mapping[str, Any], verified: str, alias: bool
    ) -> None:
        client = make(triggers=spy.triggers("pre_authentication"), pool_settings=settings)
        name = "alice@example.com" if "UsernameAttributes" in settings else "alice"
        client.user(name, email="alice@example.com", email_verified=verified)
        log_in(client, name)
        shown = spy.request["userAttributes"]
        assert shown["cognito:user_status"] == "CONFIRMED"
        assert shown.get("cognito:email_alias") == ("alice@example.com" if alias else None)


class TestPostAuthentication:
    def test_it_gets_the_metadata_of_the_last_request(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("post_authentication"))
        client.user()
        exchange = client.begin()
        client.call(
            "RespondToAuthChallenge",
            ClientId=client.client_id,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=exchange.answers(PASSWORD),
            ClientMetadata=METADATA,
        )
        assert spy.event["triggerSource"] == "PostAuthentication_Authentication"
        assert spy.request["clientMetadata"] == METADATA
        assert spy.request["newDeviceUsed"] is False
        log_in(client, ClientMetadata=METADATA)
        assert "clientMetadata" not in spy.events[1]["request"]

    def test_it_is_told_about_a_new_device(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("post_authentication"), remember_devices=True)
        client.user()
        device, _ = confirm_device(client, client.tokens())
        finish(client, client.log_in(device_key=device.key), device)
        assert [event["request"]["newDeviceUsed"] for event in spy.events] == [True, False]

    def test_it_is_called_after_the_second_factor(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("post_authentication"))
        client.user()
        secret = enrol(client)
        before = len(spy.events)
        challenge = client.log_in()
        assert len(spy.events) == before
        client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=totp(secret, client.clock.now))
        assert len(spy.events) == before + 1

    def test_a_login_that_it_refuses_gets_no_tokens_and_no_device(self, make: Make) -> None:
        client = make(
            triggers=Spy(PostAuthentication=ValueError("no")).triggers("post_authentication"), remember_devices=True
        )
        client.user()
        with refused("UserLambdaValidationException", "PostAuthentication failed with error no"):
            client.log_in()
        assert client.admin("AdminListDevices", Username="alice")["Devices"] == []
        assert client.admin("AdminListUserSessions", Username="alice").get("Sessions", []) == []

    def test_a_user_whom_the_trigger_disables_gets_no_tokens(self, make: Make) -> None:
        def disable(event: Event) -> None:
            client.admin("AdminDisableUser", Username="alice")

        client = make(triggers=Spy(PostAuthentication=disable).triggers("post_authentication"))
        client.user()
        with refused("NotAuthorizedException", "User is disabled."):
            client.log_in()


TEXT = {"emailMessage": "Code {####}", "emailSubject": "For you", "smsMessage": "SMS {####}"}
INVITATION = {"emailMessage": "{username}: {####}", "emailSubject": "For you", "smsMessage": "{username}: {####}"}


class TestMessages:
    def test_the_text_replaces_the_pools_own(self, make: Make) -> None:
        spy = Spy(CustomMessage=TEXT)
        client = make(triggers=spy.triggers("custom_message"))
        sign_up(client, ClientMetadata=METADATA)
        message = client.pool.outbox.latest("alice")
        assert (message.text, message.subject) == (f"Code {message.code}", "For you")
        assert spy.event["triggerSource"] == "CustomMessage_SignUp"
        assert spy.request["clientMetadata"] == METADATA
        assert spy.request["userAttributes"]["cognito:user_status"] == "UNCONFIRMED"
        confirm(client)

    def test_every_message_calls_the_trigger(self, make: Make) -> None:
        spy = Spy(CustomMessage=lambda event: INVITATION if event["request"]["usernameParameter"] else TEXT)
        client = make(triggers=spy.triggers("custom_message"))
        sign_up(client)
        client.call("ResendConfirmationCode", ClientId=client.client_id, Username="alice")
        confirm(client)
        client.call("ForgotPassword", ClientId=client.client_id, Username="alice")
        token = client.tokens()["AccessToken"]
        pairs = [{"Name": "email", "Value": "new@example.com"}]
        client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs)
        client.call("GetUserAttributeVerificationCode", AccessToken=token, AttributeName="email")
        client.admin("AdminCreateUser", Username="bob", UserAttributes=pairs, DesiredDeliveryMediums=["EMAIL"])
        client.admin(
            "AdminUpdateUserAttributes", Username="alice", UserAttributes=[{"Name": "email_verified", "Value": "true"}]
        )
        client.admin("AdminResetUserPassword", Username="alice")
        assert spy.sources == [
            f"CustomMessage_{cause}"
            for cause in (
                "SignUp",
                "ResendCode",
                "ForgotPassword",
                "UpdateUserAttribute",
                "VerifyUserAttribute",
                "AdminCreateUser",
                "ForgotPassword",
            )
        ]
        assert spy.events[3]["request"]["userAttributes"]["email"] == "new@example.com"
        invitation = client.pool.outbox.latest("bob")
        assert invitation.text == f"bob: {invitation.code}"
        assert all(message.text and message.code in message.text for message in client.pool.outbox.messages)

    @pytest.mark.parametrize("value", ["alice@example.com", ""])
    def test_an_address_that_needs_no_code_calls_no_trigger(self, make: Make, spy: Spy, value: str) -> None:
        client = make(triggers=spy.triggers("custom_message"))
        client.user(email="alice@example.com", email_verified="true")
        token = client.tokens()["AccessToken"]
        pairs = [{"Name": "email", "Value": value}, {"Name": "phone_number", "Value": "+12065550100"}]
        client.call("UpdateUserAttributes", AccessToken=token, UserAttributes=pairs)
        assert spy.events == []

    def test_a_code_of_a_login_calls_the_trigger(self, make: Make) -> None:
        spy = Spy(CustomMessage=TEXT)
        client = make(triggers=spy.triggers("custom_message"))
        client.user(phone_number="+12065550100", phone_number_verified="true")
        token = client.tokens()["AccessToken"]
        client.call("SetUserMFAPreference", AccessToken=token, SMSMfaSettings={"Enabled": True, "PreferredMfa": True})
        challenge = client.log_in()
        message = client.pool.outbox.latest("alice")
        assert spy.sources == ["CustomMessage_Authentication"]
        assert (message.text, message.subject) == (f"SMS {message.code}", None)
        assert "AuthenticationResult" in client.answer(challenge, SMS_MFA_CODE=message.code)

    def test_a_trigger_without_a_text_leaves_the_pools_own(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("custom_message"))
        sign_up(client)
        message = client.pool.outbox.latest("alice")
        assert (message.text, message.subject) == (None, None)

    def test_a_text_without_the_code_sends_nothing(self, make: Make) -> None:
        client = make(triggers=Spy(CustomMessage={"emailMessage": "Hello"}).triggers("custom_message"))
        with refused("InvalidParameterException", "emailBody"):
            sign_up(client)
        assert snapshot(client) == ([], [], 0)


MIGRATED = {"userAttributes": {"email": "alice@example.com", "email_verified": "true"}, "messageAction": "SUPPRESS"}


class TestMigration:
    def test_a_stranger_with_the_right_password_is_taken_over(self, make: Make) -> None:
        spy = Spy(UserMigration=MIGRATED)
        client = make(triggers=spy.triggers("user_migration", "pre_authentication"))
        assert "AuthenticationResult" in log_in(client, ClientMetadata=METADATA)
        assert spy.event["triggerSource"] == "UserMigration_Authentication"
        assert spy.event["userName"] == "alice"
        assert spy.request["password"] == PASSWORD
        assert spy.request["validationData"] == METADATA
        assert (status(client), attributes(client)["email"]) == ("CONFIRMED", "alice@example.com")
        assert client.pool.outbox.messages == []
        # The user is in the pool now, with this password.
        assert "AuthenticationResult" in client.log_in()
        log_in(client)
        assert "UserMigration_Authentication" not in spy.sources[1:]

    def test_a_login_by_choice_with_a_password_takes_the_user_over(self, make: Make) -> None:
        spy = Spy(UserMigration=MIGRATED)
        client = make(triggers=spy.triggers("user_migration"))
        values = {"USERNAME": "alice", "PREFERRED_CHALLENGE": "PASSWORD_SRP", "PASSWORD": PASSWORD}
        given = {"ClientId": client.client_id, "AuthFlow": "USER_AUTH"}
        client.call("InitiateAuth", **given, AuthParameters=values)
        assert spy.events == []
        values["PREFERRED_CHALLENGE"] = "PASSWORD"
        assert "AuthenticationResult" in client.call("InitiateAuth", **given, AuthParameters=values)
        assert status(client) == "CONFIRMED"

    def test_a_password_against_the_policy_is_taken_over(self, make: Make) -> None:
        client = make(triggers=Spy(UserMigration=MIGRATED).triggers("user_migration"))
        assert "AuthenticationResult" in log_in(client, password="short")

    def test_a_user_who_must_reset_the_password_does_not_log_in(self, make: Make) -> None:
        response = {**MIGRATED, "finalUserStatus": "RESET_REQUIRED"}
        client = make(triggers=Spy(UserMigration=response).triggers("user_migration"))
        with refused("PasswordResetRequiredException"):
            log_in(client)
        assert status(client) == "RESET_REQUIRED"

    def test_a_forgotten_password_takes_the_user_over_and_sends_a_code(self, make: Make) -> None:
        spy = Spy(UserMigration=MIGRATED)
        client = make(triggers=spy.triggers("user_migration"))
        given = {"ClientId": client.client_id, "Username": "alice"}
        client.call("ForgotPassword", **given, ClientMetadata=METADATA)
        assert spy.event["triggerSource"] == "UserMigration_ForgotPassword"
        assert "password" not in spy.request
        assert spy.request["clientMetadata"] == METADATA
        assert status(client) == "RESET_REQUIRED"
        code = client.pool.outbox.latest("alice").code
        client.call("ConfirmForgotPassword", **given, ConfirmationCode=code, Password=OTHER_PASSWORD)
        assert "AuthenticationResult" in client.log_in(password=OTHER_PASSWORD)

    def test_the_trigger_is_not_called_for_a_user_of_the_pool(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("user_migration"), pool_settings=ALIASES)
        sign_up(client)
        client.call("ForgotPassword", ClientId=client.client_id, Username="alice@example.com")
        with refused("UserNotConfirmedException"):
            log_in(client)
        assert spy.events == []

    def test_the_trigger_is_not_called_for_a_proof_by_srp_or_a_wrong_secret_hash(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("user_migration"), client_secret=True)
        client.begin()
        values = {"USERNAME": "alice", "PASSWORD": PASSWORD, "SECRET_HASH": "wrong"}
        with refused("NotAuthorizedException", "secret hash"):
            log_in(client, AuthParameters=values)
        with refused("NotAuthorizedException", "secret hash"):
            client.call("ForgotPassword", ClientId=client.client_id, Username="alice", SecretHash="wrong")
        assert spy.events == []

    def test_a_stranger_who_is_refused_is_not_added(self, make: Make) -> None:
        client = make(triggers=Spy(UserMigration=ValueError("Bad password")).triggers("user_migration"))
        with refused("UserLambdaValidationException", "UserMigration failed with error Bad password"):
            log_in(client)
        with refused("UserLambdaValidationException", "UserMigration failed with error Bad password"):
            client.call("ForgotPassword", ClientId=client.client_id, Username="alice")
        assert snapshot(client) == ([], [], 0)

    @pytest.mark.parametrize(
        "response",
        [
            {**MIGRATED, "userAttributes": {"custom:color": "red"}},
            {**MIGRATED, "userAttributes": {"email": "no address"}},
            {**MIGRATED, "enableSMSMFA": True},
            {**MIGRATED, "userAttributes": {**MIGRATED["userAttributes"], "username": "taken"}},  # type: ignore[dict-item]
            {},
        ],
    )
    @pytest.mark.parametrize(
        ("setting", "code", "message"),
        [
            ("ENABLED", "NotAuthorizedException", "Incorrect username or password."),
            ("LEGACY", "UserNotFoundException", "Exception migrating user in app client"),
        ],
    )
    def test_a_user_who_does_not_fit_the_pool_is_not_added(
        self, make: Make, response: Mapping[str, Any], setting: str, code: str, message: str
    ) -> None:
        settings = {"PreventUserExistenceErrors": setting}
        client = make(triggers=Spy(UserMigration=response).triggers("user_migration"), client_settings=settings)
        client.user("taken")
        with refused(code, message):
            log_in(client)
        assert [user["Username"] for user in client.admin("ListUsers")["Users"]] == ["taken"]

    def test_the_name_is_that_of_the_response_in_a_pool_with_aliases(self, make: Make) -> None:
        attributes_ = {**MIGRATED["userAttributes"], "username": "alice"}  # type: ignore[dict-item]
        spy = Spy(UserMigration={**MIGRATED, "userAttributes": attributes_})
        client = make(triggers=spy.triggers("user_migration"), pool_settings=ALIASES)
        assert "AuthenticationResult" in log_in(client, "alice@example.com")
        assert client.admin("ListUsers")["Users"][0]["Username"] == "alice"

    @pytest.mark.parametrize("force", [False, True])
    def test_an_alias_is_taken_away_only_by_force(self, make: Make, force: bool) -> None:
        spy = Spy(UserMigration={**MIGRATED, "forceAliasCreation": force})
        client = make(triggers=spy.triggers("user_migration"), pool_settings=ALIASES)
        client.user("bob", email="alice@example.com", email_verified="true")
        if force:
            log_in(client)
        else:
            with refused("NotAuthorizedException"):
                log_in(client)
        assert attributes(client, "bob")["email_verified"] == ("false" if force else "true")

    def test_a_second_factor_by_sms_can_be_set_up(self, make: Make) -> None:
        numbers = {"phone_number": "+12065550100", "phone_number_verified": "true"}
        spy = Spy(UserMigration={**MIGRATED, "userAttributes": numbers, "enableSMSMFA": True})
        client = make(triggers=spy.triggers("user_migration"))
        assert log_in(client)["ChallengeName"] == "SMS_MFA"

    def test_a_second_factor_needs_a_pool_with_second_factors(self, make: Make) -> None:
        numbers = {"phone_number": "+12065550100", "phone_number_verified": "true"}
        spy = Spy(UserMigration={**MIGRATED, "userAttributes": numbers, "enableSMSMFA": True})
        client = make(triggers=spy.triggers("user_migration"), pool_settings={"MfaConfiguration": "OFF"})
        with refused("NotAuthorizedException"):
            log_in(client)
        assert snapshot(client) == ([], [], 0)

    def test_the_welcome_message_has_no_password(self, make: Make) -> None:
        response = {"userAttributes": MIGRATED["userAttributes"], "desiredDeliveryMediums": ["EMAIL"]}
        client = make(triggers=Spy(UserMigration=response).triggers("user_migration"))
        log_in(client)
        (message,) = client.pool.outbox.messages
        assert (message.purpose, message.destination, message.code) == ("welcome", "alice@example.com", "")


class TestTokens:
    @pytest.mark.parametrize("version", ["V1_0", "V2_0", "V3_0"])
    def test_claims_are_added_to_the_tokens_of_the_version(self, make: Make, version: Any) -> None:
        first = version == "V1_0"
        change = {"claimsToAddOrOverride": {"tenant": "acme"}, "claimsToSuppress": ["email"]}
        details = (
            {"claimsOverrideDetails": change}
            if first
            else {"claimsAndScopeOverrideDetails": {"idTokenGeneration": change, "accessTokenGeneration": change}}
        )
        spy = Spy(TokenGeneration=details)
        client = make(triggers=spy.triggers("pre_token_generation", pre_token_generation_version=version))
        client.user(email="alice@example.com")
        tokens = client.tokens()
        identity, access = read(tokens["IdToken"]), read(tokens["AccessToken"])
        assert (identity["tenant"], access.get("tenant")) == ("acme", None if first else "acme")
        assert "email" not in identity
        assert client.call("GetUser", AccessToken=tokens["AccessToken"])["Username"] == "alice"

    def test_the_event_has_the_groups_and_the_scopes(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_token_generation", pre_token_generation_version="V2_0"))
        client.user()
        role = "arn:aws:iam::123456789012:role/staff"
        client.admin("CreateGroup", GroupName="staff", RoleArn=role, Precedence=1)
        client.admin("AdminAddUserToGroup", Username="alice", GroupName="staff")
        client.tokens()
        assert spy.event["version"] == "2"
        assert spy.request["groupConfiguration"] == {
            "groupsToOverride": ["staff"],
            "iamRolesToOverride": [role],
            "preferredRole": role,
        }
        assert spy.request["scopes"] == ["aws.cognito.signin.user.admin"]

    def test_a_token_whose_scope_is_suppressed_cannot_call_the_pool(self, make: Make) -> None:
        access = {"scopesToAdd": ["orders/read"], "scopesToSuppress": ["aws.cognito.signin.user.admin"]}
        spy = Spy(TokenGeneration={"claimsAndScopeOverrideDetails": {"accessTokenGeneration": access}})
        client = make(triggers=spy.triggers("pre_token_generation", pre_token_generation_version="V2_0"))
        client.user()
        token = client.tokens()["AccessToken"]
        assert read(token)["scope"] == "orders/read"
        with refused("NotAuthorizedException", "Access Token does not have required scopes"):
            client.call("GetUser", AccessToken=token)

    def test_the_source_says_what_the_tokens_were_issued_after(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_token_generation"), remember_devices=True)
        temporary_user(client)
        tokens = client.answer(client.log_in(), NEW_PASSWORD=OTHER_PASSWORD)["AuthenticationResult"]
        device, _ = confirm_device(client, tokens)
        client.refresh(tokens["RefreshToken"], DEVICE_KEY=device.key)
        given = {"RefreshToken": tokens["RefreshToken"], "DeviceKey": device.key, "ClientMetadata": METADATA}
        client.call("GetTokensFromRefreshToken", ClientId=client.client_id, **given)
        challenge = client.log_in(password=OTHER_PASSWORD, device_key=device.key)
        finish(client, challenge, device)
        client.log_in(password=OTHER_PASSWORD)
        causes = ["NewPasswordChallenge", "RefreshTokens", "RefreshTokens", "AuthenticateDevice", "Authentication"]
        assert spy.sources == [f"TokenGeneration_{cause}" for cause in causes]
        assert [event["request"].get("clientMetadata") for event in spy.events] == [None, None, METADATA, None, None]

    def test_a_refresh_token_that_is_revoked_during_the_trigger_gives_no_tokens(self, make: Make) -> None:
        def sign_out(event: Event) -> None:
            if event["triggerSource"] == "TokenGeneration_RefreshTokens":
                client.admin("AdminUserGlobalSignOut", Username="alice")

        client = make(triggers=Spy(TokenGeneration=sign_out).triggers("pre_token_generation"))
        client.user()
        tokens = client.tokens()
        with refused("NotAuthorizedException", "Refresh Token has been revoked"):
            client.refresh(tokens["RefreshToken"])
        with refused("NotAuthorizedException", "Refresh Token has been revoked"):
            given = {"ClientId": client.client_id, "RefreshToken": tokens["RefreshToken"]}
            client.call("GetTokensFromRefreshToken", **given)

    def test_a_refused_rotation_does_not_use_up_the_refresh_token(self, make: Make) -> None:
        spy = Spy()
        rotation = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}
        client = make(triggers=spy.triggers("pre_token_generation"), client_settings=rotation)
        client.user()
        given = {"ClientId": client.client_id, "RefreshToken": client.tokens()["RefreshToken"]}
        spy.responses["TokenGeneration"] = ValueError("not now")
        with refused("UserLambdaValidationException", "PreTokenGeneration failed with error not now"):
            client.call("GetTokensFromRefreshToken", **given)
        del spy.responses["TokenGeneration"]
        assert client.call("GetTokensFromRefreshToken", **given)["AuthenticationResult"]["RefreshToken"]


class TestPools:
    ARN = "arn:aws:lambda:us-east-1:123456789012:function:mine"

    def test_the_first_pool_shows_its_triggers(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_sign_up", "pre_token_generation"))
        prefix = "arn:aws:lambda:us-east-1:000000000000:function:"
        assert client.admin("DescribeUserPool")["UserPool"]["LambdaConfig"] == {
            "PreSignUp": f"{prefix}PreSignUp",
            "PreTokenGeneration": f"{prefix}PreTokenGeneration",
            "PreTokenGenerationConfig": {
                "LambdaVersion": "V1_0",
                "LambdaArn": f"{prefix}PreTokenGeneration",
            },
        }

    def test_another_pool_uses_the_triggers_that_its_settings_name(self, make: Make, spy: Spy) -> None:
        client = make(triggers=spy.triggers("pre_sign_up", "custom_message"))
        for settings, sources in (({}, []), ({"LambdaConfig": {"PreSignUp": self.ARN}}, ["PreSignUp_SignUp"])):
            pool = client.call("CreateUserPool", PoolName="other", AutoVerifiedAttributes=["email"], **settings)
            pool_id = pool["UserPool"]["Id"]
            made = client.call("CreateUserPoolClient", UserPoolId=pool_id, ClientName="other")
            spy.events.clear()
            sign_up(client.use(made["UserPoolClient"]["ClientId"]))
            assert spy.sources == sources

    def test_a_function_that_was_not_given_has_no_effect(self, make: Make) -> None:
        client = make(pool_settings={"LambdaConfig": {"PreSignUp": self.ARN}})
        sign_up(client)
        assert client.admin("DescribeUserPool")["UserPool"]["LambdaConfig"] == {"PreSignUp": self.ARN}

    def test_the_version_is_that_of_the_pool(self, make: Make, spy: Spy) -> None:
        config = {"PreTokenGenerationConfig": {"LambdaVersion": "V3_0", "LambdaArn": self.ARN}}
        client = make(triggers=spy.triggers("pre_token_generation"), pool_settings={"LambdaConfig": config})
        client.user()
        client.tokens()
        assert spy.event["version"] == "3"


FAILING: dict[str, tuple[str, Callable[[Client], object]]] = {
    "PreSignUp": ("pre_sign_up", lambda client: sign_up(client, "bob")),
    "PreSignUp by an administrator": (
        "pre_sign_up",
        lambda client: client.admin("AdminCreateUser", Username="bob"),
    ),
    "CustomMessage of a sign-up": ("custom_message", lambda client: sign_up(client, "bob")),
    "CustomMessage of an invitation": (
        "custom_message",
        lambda client: client.admin(
            "AdminCreateUser", Username="bob", UserAttributes=[{"Name": "email", "Value": "bob@example.com"}]
        ),
    ),
    "CustomMessage of a reset": (
        "custom_message",
        lambda client: client.call("ForgotPassword", ClientId=client.client_id, Username="alice"),
    ),
    "CustomMessage of a reset by an administrator": (
        "custom_message",
        lambda client: client.admin("AdminResetUserPassword", Username="alice"),
    ),
    "CustomMessage of a changed address": (
        "custom_message",
        lambda client: client.call(
            "UpdateUserAttributes",
            AccessToken=client.tokens()["AccessToken"],
            UserAttributes=[{"Name": "email", "Value": "new@example.com"}, {"Name": "name", "Value": "Alice"}],
        ),
    ),
    "PreAuthentication": ("pre_authentication", log_in),
    "PostAuthentication": ("post_authentication", log_in),
    "PreTokenGeneration": ("pre_token_generation", log_in),
    "UserMigration": ("user_migration", lambda client: log_in(client, "bob")),
    "UserMigration of a forgotten password": (
        "user_migration",
        lambda client: client.call("ForgotPassword", ClientId=client.client_id, Username="bob"),
    ),
}


@pytest.mark.parametrize("failure", [ValueError("no"), "not an event"])
@pytest.mark.parametrize("case", FAILING)
def test_a_trigger_that_fails_changes_nothing(make: Make, case: str, failure: Any) -> None:
    def fail(event: Event, context: object) -> Any:
        if isinstance(failure, Exception):
            raise failure
        return failure

    kind, request = FAILING[case]
    client = make(triggers=Triggers(**{kind: fail}), remember_devices=True)  # type: ignore[arg-type]
    if kind != "pre_sign_up":
        client.user(email="alice@example.com", email_verified="true")
    before = snapshot(client)
    with refused("(UserLambdaValidation|InvalidLambdaResponse|NotAuthorized)Exception"):
        request(client)
    assert snapshot(client) == before


def test_a_slow_trigger_does_not_stop_other_requests(make: Make) -> None:
    def look(event: Event) -> None:
        assert client.admin("ListUsers")["Users"] == []

    client = make(triggers=Spy(PreSignUp=look).triggers("pre_sign_up"))
    sign_up(client)


def test_a_trigger_can_be_an_http_endpoint(make: Make) -> None:
    def confirm_all(body: bytes) -> bytes:
        event = json.loads(body)
        event["response"]["autoConfirmUser"] = True
        return answer(json.dumps(event).encode())

    with LoopbackServer(lambda request, _: confirm_all(request.body)) as server:
        client = make(triggers=Triggers(pre_sign_up=f"{server.url}/2015-03-31/functions/f/invocations"))
        assert sign_up(client)["UserConfirmed"] is True


@pytest.mark.counterpart
def test_boto3_gets_the_typed_errors_of_every_operation(clock: Clock) -> None:
    no = Spy(**dict.fromkeys(("PreSignUp", "CustomMessage", "PreAuthentication", "UserMigration"), ValueError("no")))
    kinds = ("pre_sign_up", "custom_message", "pre_authentication", "user_migration")
    pool = LocalUserPool(clock=clock, credentials=KEYS, triggers=no.triggers(*kinds))
    with connected(pool) as boto:
        failed = boto.exceptions.UserLambdaValidationException
        named = {"ClientId": pool.client_id, "Username": "alice"}
        with pytest.raises(failed, match="PreSignUp failed with error no"):
            boto.sign_up(**named, Password=PASSWORD)
        with pytest.raises(failed, match="UserMigration failed with error no"):
            boto.forgot_password(**named)
        with pytest.raises(failed, match="PreSignUp failed with error no"):
            boto.admin_create_user(UserPoolId=pool.user_pool_id, Username="alice")
        values = {"USERNAME": "alice", "PASSWORD": PASSWORD}
        with pytest.raises(failed, match="UserMigration failed with error no"):
            boto.initiate_auth(ClientId=pool.client_id, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=values)
