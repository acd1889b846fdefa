"""Lambda triggers: the events, the rules for responses, the errors, and both ways to invoke a function."""

from __future__ import annotations

import contextvars
import json
import socket
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from threading import Event as Flag
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.clock import monotonic_clock
from srpcore.exceptions import ConfigurationError
from srpcore_transports.local.api.errors import Refusal
from srpcore_transports.local.model.token_groups import TokenGroups
from srpcore_transports.local.steps import Step
from srpcore_transports.local.triggers import claims as token_changes
from srpcore_transports.local.triggers import events as trigger_events
from srpcore_transports.local.triggers import functions
from srpcore_transports.local.triggers import messages as custom_message
from srpcore_transports.local.triggers import migration as user_migration
from srpcore_transports.local.triggers.claims import ClaimChanges, TokenChanges
from srpcore_transports.local.triggers.configuration import Triggers, enabled, lambda_config
from srpcore_transports.local.triggers.events import SignUpDecision
from srpcore_transports.local.triggers.invocation import NO_CLIENT, Subject
from support.lambda_runtime import RuntimeApi, function
from support.loopback import Drop, LoopbackServer, Request, answer
from support.ports import reserved_port
from support.waiting import wait_until

T = TypeVar("T")
Event = dict[str, Any]

pytestmark = pytest.mark.slow

ATTRIBUTES = {"sub": "1-2-3", "email": "alice@example.com", "cognito:user_status": "CONFIRMED"}
ALICE = Subject("eu-west-1_Abc", "client1", "alice", ATTRIBUTES)
WITH_METADATA = Subject("eu-west-1_Abc", "client1", "alice", ATTRIBUTES, {"from": "the request"})
STRANGER = Subject("eu-west-1_Abc", "client1", "bob", {}, not_found=True)


def run(step: Step[T]) -> T:
    """Call each function that *step* yields, and return its result."""
    result: object = None
    while True:
        try:
            result = step.send(result)()
        except StopIteration as stop:
            value: T = stop.value
            return value


class Recorder:
    """A handler that keeps the events, and returns them with *response*; an exception is raised."""

    def __init__(self, response: Mapping[str, Any] | BaseException | None = None) -> None:
        self.response = response
        self.events: list[Event] = []
        self.context: Any = None

    def __call__(self, event: Event, context: Any) -> Event:
        self.events.append(json.loads(json.dumps(event)))
        self.context = context
        if isinstance(self.response, BaseException):
            raise self.response
        if self.response is not None:
            event["response"] = self.response
        return event

    @property
    def event(self) -> Event:
        (event,) = self.events
        return event


def refused(code: str, message: str) -> Any:
    return pytest.raises(Refusal, check=lambda error: (error.code, error.message) == (code, message))


def with_source(source: str) -> Event:
    return {
        "version": "1",
        "region": "eu-west-1",
        "userPoolId": "eu-west-1_Abc",
        "userName": "alice",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "client1"},
        "triggerSource": source,
    }


class TestEvents:
    """The expected events are those of the developer guide, and of answers of the service in public issue threads."""

    @pytest.mark.parametrize("cause", ["SignUp", "AdminCreateUser", "ExternalProvider"])
    def test_pre_sign_up(self, cause: Any) -> None:
        handler = Recorder()
        run(trigger_events.pre_sign_up(Triggers(pre_sign_up=handler), cause, WITH_METADATA, {"code": "7"}))
        assert handler.event == {
            **with_source(f"PreSignUp_{cause}"),
            "request": {
                "userAttributes": ATTRIBUTES,
                "validationData": {"code": "7"},
                "clientMetadata": {"from": "the request"},
            },
            "response": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
        }

    def test_data_that_the_client_did_not_send_is_null_or_absent(self) -> None:
        handler = Recorder()
        run(trigger_events.pre_sign_up(Triggers(pre_sign_up=handler), "SignUp", ALICE, {}))
        assert handler.event["request"] == {"userAttributes": ATTRIBUTES, "validationData": None}

    @pytest.mark.parametrize("cause", ["ConfirmSignUp", "ConfirmForgotPassword"])
    def test_post_confirmation(self, cause: Any) -> None:
        handler = Recorder()
        run(trigger_events.post_confirmation(Triggers(post_confirmation=handler), cause, WITH_METADATA))
        request = {"userAttributes": ATTRIBUTES, "clientMetadata": {"from": "the request"}}
        assert handler.event == {**with_source(f"PostConfirmation_{cause}"), "request": request, "response": {}}

    def test_an_operation_without_an_app_client_has_the_services_placeholder(self) -> None:
        handler, subject = Recorder(), Subject("eu-west-1_Abc", NO_CLIENT, "alice", {})
        run(trigger_events.post_confirmation(Triggers(post_confirmation=handler), "ConfirmSignUp", subject))
        assert handler.event["callerContext"]["clientId"] == "CLIENT_ID_NOT_APPLICABLE"

    def test_pre_authentication(self) -> None:
        handler = Recorder()
        triggers = Triggers(pre_authentication=handler)
        run(trigger_events.pre_authentication(triggers, ALICE, {"captcha": "ok"}))
        request = {"userAttributes": ATTRIBUTES, "validationData": {"captcha": "ok"}}
        source = with_source("PreAuthentication_Authentication")
        assert handler.event == {**source, "request": request, "response": {}}

    def test_pre_authentication_of_a_stranger_if_the_client_hides_strangers(self) -> None:
        handler = Recorder()
        run(trigger_events.pre_authentication(Triggers(pre_authentication=handler), STRANGER, {}))
        assert handler.event["request"] == {"userAttributes": {}, "validationData": None, "userNotFound": True}

    @pytest.mark.parametrize("new_device", [False, True])
    def test_post_authentication(self, new_device: bool) -> None:
        handler = Recorder()
        triggers = Triggers(post_authentication=handler)
        run(trigger_events.post_authentication(triggers, WITH_METADATA, new_device=new_device))
        assert handler.event == {
            **with_source("PostAuthentication_Authentication"),
            "request": {
                "userAttributes": ATTRIBUTES,
                "newDeviceUsed": new_device,
                "clientMetadata": {"from": "the request"},
            },
            "response": {},
        }

    @pytest.mark.parametrize("cause", ["SignUp", "AdminCreateUser", "ForgotPassword", "Authentication"])
    def test_custom_message(self, cause: Any) -> None:
        handler = Recorder()
        run(custom_message.custom_message(Triggers(custom_message=handler), cause, WITH_METADATA))
        assert handler.event == {
            **with_source(f"CustomMessage_{cause}"),
            "request": {
                "userAttributes": ATTRIBUTES,
                "codeParameter": "{####}",
                "linkParameter": "{##Click Here##}",
                "usernameParameter": "{username}" if cause == "AdminCreateUser" else None,
                "clientMetadata": {"from": "the request"},
            },
            "response": {"smsMessage": None, "emailMessage": None, "emailSubject": None},
        }

    @pytest.mark.parametrize(
        ("password", "source"),
        [("secret", "UserMigration_Authentication"), (None, "UserMigration_ForgotPassword")],
    )
    def test_user_migration(self, password: str | None, source: str) -> None:
        handler = Recorder({"userAttributes": {"email": "alice@example.com"}})
        typed = Subject("eu-west-1_Abc", "client1", "alice", {})
        run(user_migration.migrate(Triggers(user_migration=handler), typed, password, {"a": "b"}))
        given = {} if password is None else {"password": password}
        assert handler.event == {
            **with_source(source),
            "request": {**given, "validationData": {"a": "b"}, "userAttributes": None},
            "response": dict.fromkeys(
                (
                    "userAttributes",
                    "finalUserStatus",
                    "messageAction",
                    "desiredDeliveryMediums",
                    "forceAliasCreation",
                    "enableSMSMFA",
                )
            ),
        }

    @pytest.mark.parametrize("version", ["V1_0", "V2_0", "V3_0"])
    def test_pre_token_generation(self, version: Any) -> None:
        handler, groups = Recorder(), TokenGroups(("a", "b"), ("arn:1",), "arn:1")
        triggers = Triggers(pre_token_generation=handler, pre_token_generation_version=version)
        run(token_changes.pre_token_generation(triggers, "RefreshTokens", WITH_METADATA, groups, ["openid"]))
        first = version == "V1_0"
        assert handler.event == {
            **with_source("TokenGeneration_RefreshTokens"),
            "version": {"V1_0": "1", "V2_0": "2", "V3_0": "3"}[version],
            "request": {
                "userAttributes": ATTRIBUTES,
                "groupConfiguration": {
                    "groupsToOverride": ["a", "b"],
                    "iamRolesToOverride": ["arn:1"],
                    "preferredRole": "arn:1",
                },
                **({} if first else {"scopes": ["openid"]}),
                "clientMetadata": {"from": "the request"},
            },
            "response": {"claimsOverrideDetails" if first else "claimsAndScopeOverrideDetails": None},
        }

    @pytest.mark.parametrize(("version", "calls"), [("V1_0", 0), ("V2_0", 0), ("V3_0", 1)])
    def test_only_the_third_version_has_events_for_machines(self, version: Any, calls: int) -> None:
        handler = Recorder()
        triggers = Triggers(pre_token_generation=handler, pre_token_generation_version=version)
        run(token_changes.pre_token_generation(triggers, "ClientCredentials", ALICE, TokenGroups(), ["a/b"]))
        assert len(handler.events) == calls

    def test_a_trigger_that_is_not_set_changes_nothing(self) -> None:
        none = Triggers()
        assert run(trigger_events.pre_sign_up(none, "SignUp", ALICE, {})) == SignUpDecision()
        run(trigger_events.post_confirmation(none, "ConfirmSignUp", ALICE))
        run(trigger_events.pre_authentication(none, ALICE, {}))
        run(trigger_events.post_authentication(none, ALICE, new_device=True))
        assert run(custom_message.custom_message(none, "SignUp", ALICE)) == custom_message.Texts()
        assert run(user_migration.migrate(none, ALICE, "x", {})) is None
        step = token_changes.pre_token_generation(none, "Authentication", ALICE, TokenGroups(("a",)), ["b"])
        changes = run(step)
        claims = {"scope": "b", "cognito:groups": ["a"], "cognito:roles": ["r"], "email": "e"}
        assert (changes.id_claims(claims), changes.access_claims(claims)) == (claims, claims)


class TestSignUp:
    def decide(self, response: Mapping[str, Any], cause: Any = "SignUp", subject: Subject = ALICE) -> SignUpDecision:
        return run(trigger_events.pre_sign_up(Triggers(pre_sign_up=Recorder(response)), cause, subject, {}))

    def test_the_decision_is_that_of_the_response(self) -> None:
        assert self.decide({"autoConfirmUser": True}) == SignUpDecision(confirm=True)
        assert self.decide({"autoVerifyEmail": True, "autoConfirmUser": None}) == SignUpDecision(verify_email=True)
        phone = Subject("eu-west-1_Abc", "client1", "alice", {"phone_number": "+1"})
        assert self.decide({"autoVerifyPhone": True}, subject=phone) == SignUpDecision(verify_phone=True)

    def test_the_decision_is_ignored_if_an_administrator_creates_the_user(self) -> None:
        given = {"autoConfirmUser": True, "autoVerifyEmail": True, "autoVerifyPhone": True}
        assert self.decide(given, "AdminCreateUser") == SignUpDecision()

    def test_an_address_that_is_missing_cannot_be_verified(self) -> None:
        message = "PreSignUp verifies phone_number, but the user does not have this attribute"
        with refused("InvalidLambdaResponseException", message):
            self.decide({"autoVerifyPhone": True})

    @pytest.mark.parametrize("value", ["true", 1, []])
    def test_other_values_than_booleans_are_refused(self, value: Any) -> None:
        with refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            self.decide({"autoConfirmUser": value})


class TestCustomMessage:
    def texts(self, response: Mapping[str, Any], cause: Any = "SignUp") -> custom_message.Texts:
        return run(custom_message.custom_message(Triggers(custom_message=Recorder(response)), cause, ALICE))

    def test_the_placeholders_are_replaced(self) -> None:
        texts = self.texts(
            {"emailMessage": "{username}: {####}, {####}", "emailSubject": "Hi", "smsMessage": None}, "AdminCreateUser"
        )
        assert (texts.sms, texts.subject) == (None, "Hi")
        assert texts.email is not None
        assert custom_message.fill(texts.email, code="123456", username="alice") == "alice: 123456, 123456"

    def test_a_placeholder_in_a_value_is_not_replaced(self) -> None:
        filled = custom_message.fill("{username} {####}", code="{username}", username="{####}")
        assert filled == "{####} {username}"

    def test_a_text_without_the_code_is_refused_in_the_services_words(self) -> None:
        with pytest.raises(Refusal) as raised:
            self.texts({"emailMessage": "Foo"})
        assert raised.value.code == "InvalidParameterException"
        assert raised.value.message.startswith(
            "1 validation error detected: Value 'Foo' at 'emailBody' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: "
        )

    def test_an_invitation_needs_the_user_name_too(self) -> None:
        assert self.texts({"smsMessage": "{####}"}).sms == "{####}"
        with pytest.raises(Refusal, match="smsBody"):
            self.texts({"smsMessage": "{####}"}, "AdminCreateUser")

    @pytest.mark.parametrize(("member", "longest"), [("smsMessage", 140), ("emailMessage", 20_000)])
    def test_long_texts_are_refused(self, member: str, longest: int) -> None:
        self.texts({member: "{####}".ljust(longest)})
        with pytest.raises(Refusal, match=f"less than or equal to {longest}"):
            self.texts({member: "{####}".ljust(longest + 1)})

    def test_other_values_than_strings_are_refused(self) -> None:
        with refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            self.texts({"emailSubject": 5})


class TestMigration:
    MINIMAL: Mapping[str, Any] = {"userAttributes": {"email": "a@example.com"}}

    def migrate(self, response: Any, password: str | None = "secret", *, hides: bool = False) -> Any:
        subject = Subject("eu-west-1_Abc", "client1", "bob", {}, not_found=True if hides else None)
        handler = Recorder(response)
        return run(user_migration.migrate(Triggers(user_migration=handler), subject, password, {}))

    def test_the_defaults(self) -> None:
        migration = self.migrate(self.MINIMAL)
        assert migration == user_migration.Migration({"email": "a@example.com"}, "bob", "CONFIRMED", ("SMS",))
        empty = {"userAttributes": {"username": "", "email": "a@example.com"}}
        assert self.migrate(empty) == migration

    def test_all_members(self) -> None:
        migration = self.migrate(
            {
                "userAttributes": {"username": "b", "email": "a@example.com", "custom:x": "1"},
                "finalUserStatus": "RESET_REQUIRED",
                "messageAction": "SUPPRESS",
                "desiredDeliveryMediums": ["EMAIL"],
                "forceAliasCreation": True,
                "enableSMSMFA": True,
            }
        )
        attributes = {"email": "a@example.com", "custom:x": "1"}
        assert migration == user_migration.Migration(attributes, "b", "RESET_REQUIRED", (), True, True)
        assert self.migrate({**self.MINIMAL, "desiredDeliveryMediums": ["EMAIL"]}).mediums == ("EMAIL",)
        assert self.migrate({**self.MINIMAL, "desiredDeliveryMediums": []}).mediums == ("SMS",)

    def test_a_user_who_forgot_the_password_must_reset_it(self) -> None:
        assert self.migrate({**self.MINIMAL, "finalUserStatus": "CONFIRMED"}, None).status == "RESET_REQUIRED"

    @pytest.mark.parametrize(
        "response",
        [
            {},
            {"userAttributes": {}},
            {"userAttributes": []},
            {"userAttributes": {"email": 1}},
            {"userAttributes": {"sub": "1", "email": "a@example.com"}},
            {"userAttributes": {"cognito:user_status": "CONFIRMED", "email": "a@example.com"}},
            {**MINIMAL, "finalUserStatus": "UNCONFIRMED"},
            {**MINIMAL, "messageAction": "SHOUT"},
            {**MINIMAL, "desiredDeliveryMediums": "EMAIL"},
            {**MINIMAL, "desiredDeliveryMediums": ["PIGEON"]},
            {**MINIMAL, "forceAliasCreation": "true"},
        ],
    )
    def test_a_response_that_is_not_valid_tells_as_much_as_the_client_may_know(self, response: Any) -> None:
        with refused("UserNotFoundException", "Exception migrating user in app client client1"):
            self.migrate(response)
        with refused("NotAuthorizedException", "Incorrect username or password."):
            self.migrate(response, hides=True)

    @pytest.mark.parametrize("password", ["secret", None])
    def test_an_exception_reaches_the_client(self, password: str | None) -> None:
        with refused("UserLambdaValidationException", "UserMigration failed with error Bad password."):
            self.migrate(ValueError("Bad password"), password, hides=True)


ID_CLAIMS: dict[str, Any] = {
    "sub": "1",
    "aud": "client1",
    "cognito:username": "alice",
    "email": "alice@example.com",
    "cognito:groups": ["a"],
    "cognito:roles": ["arn:1"],
}
ACCESS_CLAIMS: dict[str, Any] = {
    "sub": "1",
    "client_id": "client1",
    "username": "alice",
    "scope": "aws.cognito.signin.user.admin",
    "cognito:groups": ["a"],
}


class TestTokens:
    def changes(self, version: Any, details: Any) -> TokenChanges:
        member = "claimsOverrideDetails" if version == "V1_0" else "claimsAndScopeOverrideDetails"
        triggers = Triggers(pre_token_generation=Recorder({member: details}), pre_token_generation_version=version)
        return run(token_changes.pre_token_generation(triggers, "Authentication", ALICE, TokenGroups(("a",)), ["b"]))

    def test_the_first_version_changes_the_id_token_only(self) -> None:
        changes = self.changes(
            "V1_0", {"claimsToAddOrOverride": {"tenant": "acme", "email": "x"}, "claimsToSuppress": ["cognito:roles"]}
        )
        expected = {**ID_CLAIMS, "tenant": "acme", "email": "x"}
        del expected["cognito:roles"]
        assert changes.id_claims(ID_CLAIMS) == expected
        assert changes.access_claims(ACCESS_CLAIMS) == ACCESS_CLAIMS

    def test_later_versions_change_each_token_on_its_own_with_any_values(self) -> None:
        values: dict[str, Any] = {"n": 1, "list": ["a", True, 2.5], "object": {"a": {"b": None}}}
        changes = self.changes(
            "V2_0",
            {
                "idTokenGeneration": {"claimsToAddOrOverride": values, "claimsToSuppress": ["email"]},
                "accessTokenGeneration": {"claimsToAddOrOverride": {"tenant": "acme"}},
            },
        )
        kept = {name: value for name, value in ID_CLAIMS.items() if name != "email"}
        assert changes.id_claims(ID_CLAIMS) == {**kept, **values}
        assert changes.access_claims(ACCESS_CLAIMS) == {**ACCESS_CLAIMS, "tenant": "acme"}

    def test_a_claim_that_is_added_and_suppressed_is_suppressed(self) -> None:
        changes = self.changes("V1_0", {"claimsToAddOrOverride": {"email": "x"}, "claimsToSuppress": ["email"]})
        assert "email" not in changes.id_claims(ID_CLAIMS)

    @pytest.mark.parametrize("claim", ["sub", "iss", "exp", "iat", "token_use", "origin_jti", "jti", "auth_time"])
    def test_claims_that_identify_a_token_cannot_be_changed(self, claim: str) -> None:
        change = {"claimsToAddOrOverride": {claim: "x"}, "claimsToSuppress": []}
        suppress = {"claimsToAddOrOverride": {}, "claimsToSuppress": [claim]}
        for part in (change, suppress):
            changes = self.changes("V2_0", {"idTokenGeneration": part, "accessTokenGeneration": part})
            assert changes.id_claims({claim: "old"}) == {claim: "old"}
            assert changes.access_claims({claim: "old"}) == {claim: "old"}

    @pytest.mark.parametrize("claim", ["aud", "cognito:username", "identities"])
    def test_claims_that_cannot_be_changed_in_the_id_token_only(self, claim: str) -> None:
        part = {"claimsToAddOrOverride": {claim: "x"}}
        changes = self.changes("V2_0", {"idTokenGeneration": part, "accessTokenGeneration": part})
        assert (changes.id_claims({}), changes.access_claims({})) == ({}, {claim: "x"})

    @pytest.mark.parametrize("claim", ["client_id", "username", "scope", "device_key", "version"])
    def test_claims_that_cannot_be_changed_in_the_access_token_only(self, claim: str) -> None:
        part = {"claimsToAddOrOverride": {claim: "x"}}
        changes = self.changes("V2_0", {"idTokenGeneration": part, "accessTokenGeneration": part})
        assert (changes.id_claims({}), changes.access_claims({})) == ({claim: "x"}, {})

    def test_scopes_are_added_and_suppressed(self) -> None:
        scopes = {"scopesToAdd": ["orders/read", "orders/write"], "scopesToSuppress": ["orders/write"]}
        changes = self.changes("V2_0", {"accessTokenGeneration": scopes})
        claims = changes.access_claims(ACCESS_CLAIMS)
        assert claims["scope"] == "aws.cognito.signin.user.admin orders/read"

    def test_a_token_without_scopes_has_no_such_claim(self) -> None:
        scopes = {"scopesToSuppress": ["aws.cognito.signin.user.admin"]}
        changes = self.changes("V3_0", {"accessTokenGeneration": scopes})
        assert "scope" not in changes.access_claims(ACCESS_CLAIMS)

    @pytest.mark.parametrize("version", ["V1_0", "V2_0"])
    def test_groups_are_replaced_in_both_tokens(self, version: Any) -> None:
        groups = {"groupsToOverride": ["x"], "iamRolesToOverride": ["arn:2"], "preferredRole": "arn:2"}
        changes = self.changes(version, {"groupOverrideDetails": groups})
        claims = changes.id_claims(ID_CLAIMS)
        assert (claims["cognito:groups"], claims["cognito:roles"]) == (["x"], ["arn:2"])
        assert claims["cognito:preferred_role"] == "arn:2"
        assert changes.access_claims(ACCESS_CLAIMS) == {**ACCESS_CLAIMS, "cognito:groups": ["x"]}

    @pytest.mark.parametrize("empty", [None, {}])
    def test_empty_group_details_remove_the_groups(self, empty: Any) -> None:
        changes = self.changes("V1_0", {"groupOverrideDetails": empty})
        assert not {"cognito:groups", "cognito:roles"} & changes.id_claims(ID_CLAIMS).keys()
        assert "cognito:groups" not in changes.access_claims(ACCESS_CLAIMS)

    @pytest.mark.parametrize(
        ("version", "details"),
        [
            ("V1_0", {"claimsToAddOrOverride": {"tenants": ["a"]}}),
            ("V1_0", {"claimsToAddOrOverride": {"n": 1}}),
            ("V1_0", {"claimsToAddOrOverride": {"n": None}}),
            ("V1_0", {"claimsToAddOrOverride": []}),
            ("V1_0", {"claimsToSuppress": "email"}),
            ("V1_0", {"claimsToSuppress": [1]}),
            ("V1_0", {"groupOverrideDetails": []}),
            ("V1_0", {"groupOverrideDetails": {"groupsToOverride": "a"}}),
            ("V1_0", {"groupOverrideDetails": {"preferredRole": 1}}),
            ("V1_0", "no"),
            ("V2_0", {"idTokenGeneration": []}),
            ("V2_0", {"idTokenGeneration": {"claimsToAddOrOverride": {"n": None}}}),
            ("V2_0", {"idTokenGeneration": {"claimsToAddOrOverride": {"address": {"country": "NZ"}}}}),
            ("V2_0", {"accessTokenGeneration": {"scopesToAdd": "a"}}),
        ],
    )
    def test_invalid_details_are_refused(self, version: Any, details: Any) -> None:
        with refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            self.changes(version, details)

    def test_a_scope_with_a_blank_is_refused(self) -> None:
        with pytest.raises(Refusal, match="blank"):
            self.changes("V2_0", {"accessTokenGeneration": {"scopesToAdd": ["a b"]}})

    def test_changes_do_not_alter_the_claims_that_they_are_applied_to(self) -> None:
        claims = {"a": 1, "scope": "b"}
        TokenChanges(access=ClaimChanges({"c": 2}, frozenset("a"))).access_claims(claims)
        assert claims == {"a": 1, "scope": "b"}


def confirm(function: Any, timeout: float | None = 5.0) -> None:
    """Invoke *function* as PostConfirmation."""
    triggers = Triggers(post_confirmation=function, timeout=timeout)
    run(trigger_events.post_confirmation(triggers, "ConfirmSignUp", ALICE))


class TestCallables:
    def test_an_exception_refuses_the_request_with_its_message(self) -> None:
        with refused("UserLambdaValidationException", "PostConfirmation failed with error no more of this."):
            confirm(Recorder(ValueError("no more of this")))

    @pytest.mark.parametrize("timeout", [5.0, None])
    @pytest.mark.parametrize(
        ("error", "message"),
        [(SystemExit(3), "SystemExit: 3"), (SystemExit(), "SystemExit"), (GeneratorExit(), "GeneratorExit")],
    )
    def test_a_handler_that_exits_has_failed(self, error: BaseException, message: str, timeout: float | None) -> None:
        with refused("UserLambdaValidationException", f"PostConfirmation failed with error {message}."):
            confirm(Recorder(error), timeout)

    def test_ctrl_c_in_the_main_thread_ends_the_program_and_in_another_thread_the_handler(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            confirm(Recorder(KeyboardInterrupt()), None)
        with refused("UserLambdaValidationException", "PostConfirmation failed with error KeyboardInterrupt."):
            confirm(Recorder(KeyboardInterrupt()), 5.0)

    def test_an_exception_without_a_readable_message_is_named(self) -> None:
        class Unreadable(Exception):
            def __str__(self) -> str:
                raise ValueError("broken")

        message = "PostConfirmation failed with error Unreadable (its message cannot be read)."
        with refused("UserLambdaValidationException", message):
            confirm(Recorder(Unreadable()))

    @pytest.mark.parametrize("returned", [None, "yes", [], {}, {"response": None}, {"response": []}])
    def test_a_result_that_is_not_an_event_is_refused(self, returned: Any) -> None:
        with refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            confirm(lambda event, context: returned)

    @pytest.mark.parametrize("returned", [{"response": {"a": {1, 2}}}, {"response": {"a": float("nan")}}])
    def test_a_result_that_is_not_json_is_refused_as_lambda_does(self, returned: Any) -> None:
        with pytest.raises(Refusal, match="failed with error Unable to marshal response"):
            confirm(lambda event, context: returned)

    def test_a_result_that_is_nested_too_deep_is_refused(self) -> None:
        with refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            confirm(lambda event, context: {"response": {"a": json.loads("[" * 900 + "]" * 900)}})

    def test_characters_without_an_encoding_are_not_passed_on(self) -> None:
        with refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            confirm(lambda event, context: {"response": {"a": "\ud800"}})
        with refused("UserLambdaValidationException", "PostConfirmation failed with error \\ud800."):
            confirm(Recorder(ValueError("\ud800")))

    def test_a_handler_cannot_change_the_values_of_the_caller(self) -> None:
        def handler(event: Event, context: Any) -> Event:
            event["request"]["userAttributes"]["email"] = "mallory@example.com"
            return event

        confirm(handler)
        assert ATTRIBUTES["email"] == "alice@example.com"

    @pytest.mark.parametrize("timeout", [5.0, None])
    def test_the_context_has_the_attributes_of_lambda(self, timeout: float | None) -> None:
        handler = Recorder()
        confirm(handler, timeout)
        context = handler.context
        assert context.function_name == "PostConfirmation"
        assert context.invoked_function_arn == "arn:aws:lambda:eu-west-1:000000000000:function:PostConfirmation"
        assert context.aws_request_id in context.log_stream_name
        assert 0 <= context.get_remaining_time_in_millis() <= (900_000 if timeout is None else 5000)

    def test_a_handler_that_hangs_is_tried_three_times(self) -> None:
        release, calls = Flag(), []

        def hang(event: Event, context: Any) -> Event:
            calls.append(1)
            assert release.wait(20)
            return event

        message = "PostConfirmation invocation failed due to error Socket timeout while invoking Lambda function."
        try:
            with refused("UnexpectedLambdaException", message):
                confirm(hang, 0.01)
            # The thread of the last call may have to wait for a processor.
            wait_until(lambda: len(calls) >= 3)
        finally:
            release.set()
        assert len(calls) == 3

    def test_a_handler_that_is_slow_once_is_called_again(self) -> None:
        release, handler = Flag(), Recorder()

        def slow(event: Event, context: Any) -> Event:
            if not handler.events:
                handler.events.append({})
                assert release.wait(20)
            return handler(event, context)

        confirm(slow, 0.3)
        release.set()
        assert len(handler.events) >= 2

    def test_the_time_limit_holds_while_the_time_is_frozen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: 1.0)
        release = Flag()
        try:
            with pytest.raises(Refusal, match="Socket timeout"):
                confirm(lambda event, context: release.wait(20), 0.01)
        finally:
            release.set()

    def test_a_handler_sees_the_context_variables_of_the_caller(self) -> None:
        variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
        variable.set("mine")
        seen: list[str] = []

        def handler(event: Event, context: Any) -> Event:
            seen.append(variable.get("missing"))
            return event

        confirm(handler)
        assert seen == ["mine"]

    def test_a_failed_assertion_of_pytest_reaches_the_test(self) -> None:
        def handler(event: Event, context: Any) -> Event:
            pytest.fail("this is not the event that I expected")

        with pytest.raises(pytest.fail.Exception, match="not the event"):
            confirm(handler)

    def test_the_traceback_of_a_handler_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO", "srpcore_transports.local")
        with pytest.raises(Refusal):
            confirm(Recorder(KeyError("email")))
        (record,) = caplog.records
        assert record.exc_info is not None
        assert record.exc_info[0] is KeyError


def serving(handler: Callable[[Request, socket.socket], bytes]) -> LoopbackServer:
    return LoopbackServer(handler)


class TestEndpoints:
    PATH = "/2015-03-31/functions/confirm/invocations"

    def confirm(self, response: Callable[[Request], bytes], timeout: float | None = 5.0) -> LoopbackServer:
        with serving(lambda request, _: response(request)) as server:
            confirm(server.url + self.PATH, timeout)
        return server

    def test_the_event_is_posted_as_json(self) -> None:
        server = self.confirm(lambda request: answer(request.body))
        (request,) = server.requests
        assert (request.method, request.target) == ("POST", self.PATH)
        assert request.headers["content-type"] == "application/json"
        assert json.loads(request.body)["triggerSource"] == "PostConfirmation_ConfirmSignUp"

    def test_an_endpoint_may_have_no_time_limit(self) -> None:
        assert len(self.confirm(lambda request: answer(request.body), None).requests) == 1

    def test_nothing_is_sent_after_the_time_limit(self) -> None:
        sender, receiver = socket.socketpair()
        with sender, receiver:
            with pytest.raises(TimeoutError):
                functions._TimedSocket(sender, monotonic_clock() - 1).sendall(b"late")
            sender.close()
            assert receiver.recv(10) == b""

    def test_a_query_in_the_url_is_sent(self) -> None:
        with serving(lambda request, _: answer(request.body)) as server:
            confirm(f"{server.url}/run?stage=test")
        assert server.requests[0].target == "/run?stage=test"

    @pytest.mark.parametrize("header", ["", "Unhandled"])
    def test_an_error_of_the_function_is_told(self, header: str) -> None:
        body = json.dumps({"errorMessage": "Bad name", "errorType": "ValueError", "stackTrace": []}).encode()
        with refused("UserLambdaValidationException", "PostConfirmation failed with error Bad name."):
            self.confirm(lambda _: answer(body, X_Amz_Function_Error=header))

    def test_an_error_without_a_message_is_an_error_too(self) -> None:
        with refused("UserLambdaValidationException", "PostConfirmation failed with error Unhandled."):
            self.confirm(lambda _: answer(b'{"response": {}}', X_Amz_Function_Error="Unhandled"))

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"no",
            b"null",
            b"[]",
            b"[" * 100_000,
            b'{"response": 1}',
            b'{"response": {"a": NaN}}',
            b'{"response": {"a": -1e999}}',
            b'{"response": {"a": 18446744073709551616}}',
            b'{"response": {"a": %s}}' % (b"[" * 900 + b"]" * 900),
            b'{"response": {"a": "\\ud800"}}',
        ],
    )
    def test_a_result_that_is_not_an_event_is_refused(self, body: bytes) -> None:
        with refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            self.confirm(lambda _: answer(body))

    def test_an_answer_over_the_limit_of_lambda_is_refused(self) -> None:
        body = b'{"response": {}}'.ljust(6 * 1024 * 1024 + 1)
        with refused("InvalidLambdaResponseException", "Unrecognizable lambda output"):
            self.confirm(lambda _: answer(body))

    @pytest.mark.parametrize("status", [302, 404, 500])
    def test_any_other_status_is_a_failed_invocation(self, status: int) -> None:
        with serving(lambda request, _: answer(b"{}", status, Location="/elsewhere")) as server:
            reason = f"the endpoint answered with HTTP status {status}"
            with refused("UnexpectedLambdaException", f"PostConfirmation invocation failed due to error {reason}."):
                confirm(server.url + self.PATH)
        assert len(server.requests) == 1

    def test_an_endpoint_that_is_not_there_is_a_failed_invocation(self, caplog: pytest.LogCaptureFixture) -> None:
        def drop(request: Request) -> bytes:
            raise Drop

        with pytest.raises(Refusal, check=lambda error: error.code == "UnexpectedLambdaException"):
            self.confirm(drop)
        caplog.clear()
        reason = "the endpoint cannot be reached, or its answer is not valid HTTP"
        with (
            reserved_port() as port,
            refused("UnexpectedLambdaException", f"PostConfirmation invocation failed due to error {reason}."),
        ):
            confirm(f"http://127.0.0.1:{port}/run?code=secret")
        # The server logs the address, but not the query, which may be a secret.
        (record,) = caplog.records
        assert f"PostConfirmation: cannot invoke http://127.0.0.1:{port}/run: Conn" in record.getMessage()
        assert "secret" not in caplog.text

    def test_an_answer_that_is_cut_short_is_a_failed_invocation(self) -> None:
        reason = "the answer of the endpoint is not complete"
        with refused("UnexpectedLambdaException", f"PostConfirmation invocation failed due to error {reason}."):
            self.confirm(lambda _: answer(b'{"response": {}}', Content_Length="5000", Connection="close"))

    @pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"])
    def test_an_endpoint_that_sends_a_byte_now_and_then_does_not_keep_a_thread(self, sent: bytes) -> None:
        ended = Flag()

        def drip(_: Request, connection: socket.socket) -> bytes:
            connection.sendall(sent)
            for _number in range(200):
                try:
                    connection.sendall(b" ")
                except OSError:
                    ended.set()
                    break
                time.sleep(0.01)
            raise Drop

        with serving(drip) as server:
            with pytest.raises(Refusal, match="Socket timeout while invoking Lambda function"):
                confirm(server.url + self.PATH, 0.05)
            assert ended.wait(20)

    def test_an_endpoint_that_hangs_is_tried_three_times(self) -> None:
        release = Flag()

        def hang(request: Request, _: socket.socket) -> bytes:
            assert release.wait(20)
            return answer(request.body)

        with serving(hang) as server:
            with pytest.raises(Refusal, match="Socket timeout while invoking Lambda function"):
                confirm(server.url + self.PATH, 0.05)
            wait_until(lambda: len(server.requests) >= 3)
            release.set()
        assert len(server.requests) == 3


class TestSettings:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "function",
            "https://127.0.0.1/f",
            "ftp://127.0.0.1/f",
            "http://",
            "http:///f",
            "http://127.0.0.1",
            "http://127.0.0.1:x/f",
            "http://127.0.0.1:0/f",
            "http://me:secret@127.0.0.1/f",
            "http://[::1/f",
            "http://127.0.0.1/f?code=a b",
            "http://127.0.0.1/f?code=\u00e4",
        ],
    )
    def test_only_http_urls_with_a_path_are_endpoints(self, url: str) -> None:
        with pytest.raises(ConfigurationError, match="not the http URL of a function"):
            Triggers(pre_sign_up=url)

    def test_other_values_are_refused_when_they_are_given(self) -> None:
        wrong: Any = 5
        with pytest.raises(ConfigurationError, match="trigger pre_sign_up must be a callable or an http URL, not 5"):
            Triggers(pre_sign_up=wrong)
        with pytest.raises(ConfigurationError, match="'V1_0', 'V2_0' or 'V3_0', not 5"):
            Triggers(pre_token_generation_version=wrong)
        for timeout in (0, -1, float("nan")):
            with pytest.raises(ConfigurationError, match="seconds over 0"):
                Triggers(timeout=timeout)

    def test_the_settings_name_a_function_for_each_trigger(self) -> None:
        handler = Recorder()
        prefix = "arn:aws:lambda:eu-west-1:000000000000:function:"
        assert lambda_config(Triggers(), "eu-west-1") == {}
        settings = lambda_config(Triggers(verify_auth_challenge_response=handler), "eu-west-1")
        assert settings == {"VerifyAuthChallengeResponse": f"{prefix}VerifyAuthChallengeResponse"}
        second = Triggers(pre_token_generation=handler, pre_token_generation_version="V2_0")
        settings = lambda_config(second, "eu-west-1")
        arn = f"{prefix}PreTokenGeneration"
        config = {"LambdaVersion": "V2_0", "LambdaArn": arn}
        assert settings == {"PreTokenGeneration": arn, "PreTokenGenerationConfig": config}

    def test_a_pool_has_the_triggers_that_its_settings_name(self) -> None:
        handler, arn = Recorder(), "arn:aws:lambda:eu-west-1:123456789012:function:mine"
        triggers = Triggers(pre_sign_up=handler, user_migration=handler, pre_token_generation=handler, timeout=2)
        assert enabled(triggers, {}) == Triggers(timeout=2)
        assert enabled(triggers, {"PreSignUp": arn, "CustomMessage": arn}) == Triggers(pre_sign_up=handler, timeout=2)
        second = Triggers(pre_token_generation=handler, pre_token_generation_version="V2_0")
        assert enabled(second, {"PreTokenGeneration": arn}).pre_token_generation_version == "V1_0"
        later = enabled(triggers, {"PreTokenGenerationConfig": {"LambdaVersion": "V3_0", "LambdaArn": arn}})
        assert later.pre_token_generation is handler
        assert later.pre_token_generation_version == "V3_0"
        assert enabled(triggers, lambda_config(triggers, "eu-west-1")) == triggers

    def test_a_repr_has_no_attributes_of_users(self) -> None:
        assert "alice@example.com" not in repr(ALICE)
        migration = user_migration.Migration({"email": "alice@example.com"}, "alice", "CONFIRMED")
        assert "alice@example.com" not in repr(migration)


NAMES = (
    *("autoConfirmUser", "autoVerifyEmail", "smsMessage", "emailMessage", "emailSubject", "userAttributes"),
    *("finalUserStatus", "messageAction", "desiredDeliveryMediums", "forceAliasCreation", "enableSMSMFA"),
    *("claimsOverrideDetails", "claimsAndScopeOverrideDetails", "idTokenGeneration", "accessTokenGeneration"),
    *("claimsToAddOrOverride", "claimsToSuppress", "groupOverrideDetails", "groupsToOverride", "preferredRole"),
    *("scopesToAdd", "scopesToSuppress", "sub", "exp", "scope", "email", "cognito:groups"),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(
    SCALARS | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
RESPONSES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=5)
CLAIMS = st.sampled_from(("sub", "exp", "iss", "token_use", "scope", "email", "cognito:groups", "tenant"))
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "claimsToAddOrOverride": st.dictionaries(CLAIMS, st.text() | SCALARS.filter(lambda value: value is not None)),
        "claimsToSuppress": st.lists(CLAIMS),
        "scopesToAdd": st.lists(st.sampled_from(("a", "b"))),
        "scopesToSuppress": st.lists(st.sampled_from(("a", "b"))),
        "groupOverrideDetails": JSON,
    },
)
DETAILS = CHANGES | st.fixed_dictionaries({}, optional={"idTokenGeneration": CHANGES, "accessTokenGeneration": CHANGES})
REFUSALS = {"InvalidLambdaResponseException", "InvalidParameterException", "UserNotFoundException"}


@given(RESPONSES)
def test_any_response_is_used_or_refused(response: dict[str, Any]) -> None:
    every: Any = dict.fromkeys(
        ("pre_sign_up", "custom_message", "user_migration"), lambda event, _: {**event, "response": response}
    )
    triggers = Triggers(**every, timeout=None)
    steps: tuple[Step[Any], ...] = (
        trigger_events.pre_sign_up(triggers, "SignUp", ALICE, {}),
        custom_message.custom_message(triggers, "SignUp", ALICE),
        user_migration.migrate(triggers, ALICE, "secret", {}),
    )
    for step in steps:
        try:
            run(step)
        except Refusal as refusal:
            assert refusal.code in REFUSALS  # noqa: PT017 - a response may also be used


@given(DETAILS | RESPONSES, st.sampled_from(["V1_0", "V2_0"]))
def test_no_response_changes_what_a_token_is(details: dict[str, Any], version: Any) -> None:
    member = "claimsOverrideDetails" if version == "V1_0" else "claimsAndScopeOverrideDetails"
    handler: Any = lambda event, _: {**event, "response": {member: details}}  # noqa: E731
    triggers = Triggers(pre_token_generation=handler, pre_token_generation_version=version, timeout=None)
    try:
        changes = run(token_changes.pre_token_generation(triggers, "Authentication", ALICE, TokenGroups(), []))
    except Refusal as refusal:
        assert refusal.code == "InvalidLambdaResponseException"  # noqa: PT017 - a response may also be used
        return
    fixed = {"sub": "1", "exp": 5, "iss": "x", "token_use": "id"}
    for claims in (changes.id_claims(fixed), changes.access_claims(fixed)):
        assert fixed.items() <= claims.items()
        json.dumps(claims, allow_nan=False).encode()


POWERTOOLS = """
from aws_lambda_powertools.utilities.data_classes import event_source
from aws_lambda_powertools.utilities.data_classes.cognito_user_pool_event import PreSignUpTriggerEvent


@event_source(data_class=PreSignUpTriggerEvent)
def handler(event, context):
    assert event.request.validation_data == {}
    if event.user_name != "alice":
        raise ValueError("only alice")
    event.response.auto_confirm_user = event.request.user_attributes["email"].endswith("@example.com")
    return event.raw_event
"""


@pytest.fixture
def in_lambda(tmp_path: Path) -> Generator[LoopbackServer]:
    """A function with AWS's own runtime client and Powertools, behind the endpoint of an emulator."""

    def invoke(api: RuntimeApi, request: Request) -> bytes:
        _, result = api.invoke(json.loads(request.body))
        return answer(json.dumps(result).encode())

    with function(POWERTOOLS, tmp_path) as api, serving(lambda request, _: invoke(api, request)) as server:
        yield server


@pytest.mark.counterpart
def test_a_function_that_runs_in_lambdas_own_runtime_is_a_trigger(in_lambda: LoopbackServer) -> None:
    triggers = Triggers(pre_sign_up=in_lambda.url + TestEndpoints.PATH, timeout=60)
    assert run(trigger_events.pre_sign_up(triggers, "SignUp", ALICE, {})) == SignUpDecision(confirm=True)
    with refused("UserLambdaValidationException", "PreSignUp failed with error only alice."):
        run(trigger_events.pre_sign_up(triggers, "SignUp", STRANGER, {}))
