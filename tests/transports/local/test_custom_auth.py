"""Custom logins: triggers written as Lambda handlers are, with and without SRP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from srpcore.crypto import cognito
from srpcore.crypto.encoding import to_hex
from srpcore.crypto.totp import totp
from srpcore_transports.local import LocalUserPool, Triggers
from support.clock import Clock
from support.quiz import Event, Quiz
from support.users import OTHER_PASSWORD, PASSWORD

from .boto import KEYS, connected
from .client import Client, Exchange, confirm_device, enrol, finish, refused, temporary_user

Make = Callable[..., Client]


@pytest.fixture
def quiz() -> Quiz:
    return Quiz()


@pytest.fixture
def client(make: Make, quiz: Quiz) -> Client:
    client = make(triggers=quiz.triggers)
    client.user(email="alice@example.com")
    return client


def begin(client: Client, username: str = "alice", **values: str) -> dict[str, Any]:
    return client.call(
        "InitiateAuth",
        ClientId=client.client_id,
        AuthFlow="CUSTOM_AUTH",
        AuthParameters={"USERNAME": username, **client.hash(username), **values},
        ClientMetadata={"from": "the beginning"},
    )


def begin_srp(client: Client, username: str = "alice", **values: str) -> Exchange:
    pair = cognito.client_pair()
    reply = begin(client, username, CHALLENGE_NAME="SRP_A", SRP_A=to_hex(pair.public), **values)
    return Exchange(client, reply, pair)


def respond(client: Client, challenge: dict[str, Any], answer: str, username: str = "alice") -> dict[str, Any]:
    return client.call(
        "RespondToAuthChallenge",
        ClientId=client.client_id,
        ChallengeName="CUSTOM_CHALLENGE",
        Session=challenge["Session"],
        ChallengeResponses={"USERNAME": username, "ANSWER": answer},
        ClientMetadata={"from": "the answer"},
    )


class TestWithoutSrp:
    def test_the_right_answer_gives_tokens(self, client: Client, quiz: Quiz) -> None:
        challenge = begin(client)
        assert challenge["ChallengeName"] == "CUSTOM_CHALLENGE"
        assert challenge["ChallengeParameters"] == {"USERNAME": "alice", "question": "5 + 3"}
        tokens = client.answer(challenge, ANSWER="8")["AuthenticationResult"]
        assert client.call("GetUser", AccessToken=tokens["AccessToken"])["Username"] == "alice"

    def test_the_triggers_decide_the_number_of_attempts_and_a_session_can_be_used_once(self, client: Client) -> None:
        first = begin(client)
        second = client.answer(first, ANSWER="7")
        assert second["ChallengeName"] == "CUSTOM_CHALLENGE"
        with refused("NotAuthorizedException", "Invalid session"):
            client.answer(first, ANSWER="8")
        assert "AuthenticationResult" in client.answer(second, ANSWER="8")
        again = client.answer(begin(client), ANSWER="7")
        with refused("NotAuthorizedException", "Incorrect username or password."):
            client.answer(again, ANSWER="7")

    def test_the_triggers_get_the_documented_event(self, client: Client, quiz: Quiz) -> None:
        client.answer(begin(client), ANSWER="7")
        sources = [event["triggerSource"].removesuffix("_Authentication") for event in quiz.events]
        ask = ["DefineAuthChallenge", "CreateAuthChallenge"]
        assert sources == [*ask, "VerifyAuthChallengeResponse", *ask]
        define, create, verify, again, _ = quiz.events
        assert (define["userName"], define["userPoolId"], define["region"]) == ("alice", client.pool_id, "us-east-1")
        assert define["callerContext"]["clientId"] == client.client_id
        assert define["request"]["session"] == []
        attributes = define["request"]["userAttributes"]
        assert (attributes["email"], attributes["cognito:user_status"]) == ("alice@example.com", "CONFIRMED")
        assert define["request"]["userNotFound"] is False
        assert create["request"]["challengeName"] == "CUSTOM_CHALLENGE"
        assert verify["request"]["privateChallengeParameters"] == {"answer": "8"}
        assert verify["request"]["challengeAnswer"] == "7"
        result = {"challengeName": "CUSTOM_CHALLENGE", "challengeResult": False, "challengeMetadata": "SUM"}
        assert again["request"]["session"] == [result]

    def test_triggers_get_the_client_metadata_of_answers_only(self, client: Client, quiz: Quiz) -> None:
        challenge = respond(client, begin(client), "7")
        assert ["clientMetadata" in event["request"] for event in quiz.events] == [False, False, True, True, True]
        assert quiz.events[-1]["request"]["clientMetadata"] == {"from": "the answer"}
        client.answer(challenge, ANSWER="8")
        assert "clientMetadata" not in quiz.events[-1]["request"]

    def test_an_unknown_user_is_simulated_and_gets_no_tokens(self, client: Client, quiz: Quiz) -> None:
        challenge = begin(client, "nobody")
        assert challenge["ChallengeParameters"] == {"USERNAME": "nobody", "question": "5 + 3"}
        assert quiz.events[0]["request"] == {"userAttributes": {}, "session": [], "userNotFound": True}
        with refused("NotAuthorizedException", "Incorrect username or password."):
            client.answer(challenge, "nobody", ANSWER="8")

    def test_an_unknown_user_is_an_error_if_the_client_reveals_users(self, make: Make, quiz: Quiz) -> None:
        client = make(triggers=quiz.triggers, client_settings={"PreventUserExistenceErrors": "LEGACY"})
        with refused("UserNotFoundException"):
            begin(client, "nobody")
        client.user()
        begin(client)
        assert "userNotFound" not in quiz.events[0]["request"]

    def test_a_temporary_password_is_not_asked_for_before_the_triggers_decide(self, client: Client) -> None:
        temporary_user(client, "bob")
        challenge = begin(client, "bob")
        assert challenge["ChallengeName"] == "CUSTOM_CHALLENGE"
        following = respond(client, challenge, "8", "bob")
        assert following["ChallengeName"] == "NEW_PASSWORD_REQUIRED"

    def test_users_who_may_not_log_in_do_not_reach_the_triggers(self, client: Client, quiz: Quiz) -> None:
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "User is disabled."):
            begin(client)
        client.call("SignUp", ClientId=client.client_id, Username="carol", Password=PASSWORD)
        with refused("UserNotConfirmedException"):
            begin(client, "carol")
        assert quiz.events == []

    def test_a_user_disabled_during_the_login_gets_no_tokens(self, client: Client) -> None:
        challenge = begin(client)
        client.admin("AdminDisableUser", Username="alice")
        with refused("NotAuthorizedException", "User is disabled."):
            client.answer(challenge, ANSWER="8")

    def test_the_triggers_decide_about_the_second_factor_of_the_pool(self, client: Client) -> None:
        enrol(client)
        assert "AuthenticationResult" in client.answer(begin(client), ANSWER="8")

    def test_a_remembered_device_is_asked_to_prove_itself(self, make: Make, quiz: Quiz) -> None:
        client = make(triggers=quiz.triggers, remember_devices=True)
        client.user()
        device, _ = confirm_device(client, client.answer(begin(client), ANSWER="8")["AuthenticationResult"])
        challenge = client.answer(begin(client, DEVICE_KEY=device.key), ANSWER="8")
        assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"
        assert "AuthenticationResult" in finish(client, challenge, device)


class TestWithSrp:
    def test_the_password_is_asked_for_before_the_question(self, client: Client, quiz: Quiz) -> None:
        exchange = begin_srp(client)
        assert exchange.reply["ChallengeName"] == "PASSWORD_VERIFIER"
        challenge = exchange.respond(exchange.answers(PASSWORD))
        assert challenge["ChallengeName"] == "CUSTOM_CHALLENGE"
        names = [result["challengeName"] for result in quiz.events[-1]["request"]["session"]]
        assert names == ["SRP_A", "PASSWORD_VERIFIER"]
        assert all(result["challengeResult"] is True for result in quiz.events[-1]["request"]["session"])
        assert "AuthenticationResult" in client.answer(challenge, ANSWER="8")

    def test_a_wrong_password_does_not_reach_the_question(self, client: Client, quiz: Quiz) -> None:
        exchange = begin_srp(client)
        with refused("NotAuthorizedException", "Incorrect username or password."):
            exchange.respond(exchange.answers(OTHER_PASSWORD))
        assert len(quiz.events) == 1

    def test_an_unknown_user_gets_the_same_challenge(self, client: Client) -> None:
        exchange = begin_srp(client, "nobody")
        assert exchange.reply["ChallengeName"] == "PASSWORD_VERIFIER"
        with refused("NotAuthorizedException", "Incorrect username or password."):
            exchange.respond(exchange.answers(PASSWORD))

    def test_the_password_is_asked_for_once(self, make: Make) -> None:
        client = make(triggers=answering(define={"challengeName": "PASSWORD_VERIFIER"}))
        client.user()
        exchange = begin_srp(client)
        with refused("InvalidLambdaResponseException"):
            exchange.respond(exchange.answers(PASSWORD))

    def test_a_second_factor_is_asked_for_before_the_question_and_is_in_the_event(
        self, client: Client, quiz: Quiz
    ) -> None:
        secret = enrol(client)
        exchange = begin_srp(client)
        challenge = exchange.respond(exchange.answers(PASSWORD))
        assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        code = totp(secret, client.clock.now)
        challenge = client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=code)
        assert challenge["ChallengeName"] == "CUSTOM_CHALLENGE"
        names = [result["challengeName"] for result in quiz.events[-1]["request"]["session"]]
        assert names == ["SRP_A", "PASSWORD_VERIFIER", "SOFTWARE_TOKEN_MFA"]
        assert "AuthenticationResult" in client.answer(challenge, ANSWER="8")

    def test_a_temporary_password_is_replaced_before_the_question(self, client: Client) -> None:
        temporary_user(client, "bob")
        exchange = begin_srp(client, "bob")
        challenge = exchange.respond(exchange.answers(PASSWORD))
        assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        following = client.answer(challenge, "bob", NEW_PASSWORD=OTHER_PASSWORD)
        assert following["ChallengeName"] == "CUSTOM_CHALLENGE"

    def test_invalid_first_requests_are_refused(self, client: Client, quiz: Quiz) -> None:
        for values in (
            {"CHALLENGE_NAME": "OTHER", "SRP_A": "1234"},
            {"CHALLENGE_NAME": "SRP_A"},
            {"CHALLENGE_NAME": "SRP_A", "SRP_A": "0"},
        ):
            with refused("InvalidParameterException"):
                begin(client, **values)
        assert quiz.events == []


def answering(**responses: Any) -> Triggers:
    """Return triggers that answer what they are told to, or raise it."""

    def trigger(name: str, default: dict[str, Any]) -> Callable[[Event, None], Any]:
        def handler(event: Event, context: None) -> Any:
            response = responses.get(name, default)
            if isinstance(response, Exception):
                raise response
            return {"response": response} if isinstance(response, dict) else response

        return handler

    return Triggers(
        define_auth_challenge=trigger("define", {"challengeName": "CUSTOM_CHALLENGE"}),
        create_auth_challenge=trigger("create", {}),
        verify_auth_challenge_response=trigger("verify", {"answerCorrect": True}),
    )


class TestTriggersThatFail:
    def logged_in(self, make: Make, **responses: Any) -> dict[str, Any]:
        client = make(triggers=answering(**responses))
        client.user()
        return client.answer(begin(client), ANSWER="x")

    @pytest.mark.parametrize(
        ("name", "trigger"),
        [
            ("define", "DefineAuthChallenge"),
            ("create", "CreateAuthChallenge"),
            ("verify", "VerifyAuthChallengeResponse"),
        ],
    )
    def test_exceptions_of_a_trigger_become_service_errors(self, make: Make, name: str, trigger: str) -> None:
        with refused("UserLambdaValidationException", f"{trigger} failed with error no more of this"):
            self.logged_in(make, **{name: ValueError("no more of this")})

    @pytest.mark.parametrize(
        ("name", "response"),
        [
            ("define", None),
            ("define", "yes"),
            ("define", {}),
            ("define", {"challengeName": 1}),
            ("define", {"challengeName": "COFFEE"}),
            ("define", {"challengeName": "PASSWORD_VERIFIER"}),
            ("define", {"issueTokens": "true"}),
            ("create", None),
            ("create", {"publicChallengeParameters": {"a": 1}}),
            ("create", {"publicChallengeParameters": []}),
            ("create", {"privateChallengeParameters": "x"}),
            ("create", {"challengeMetadata": 1}),
            ("verify", None),
        ],
    )
    def test_invalid_results_of_a_trigger_are_refused(self, make: Make, name: str, response: Any) -> None:
        with refused("InvalidLambdaResponseException"):
            self.logged_in(make, **{name: response})

    @pytest.mark.parametrize("correct", [False, None, "true", 1])
    def test_only_true_counts_as_a_correct_answer(self, make: Make, quiz: Quiz, correct: Any) -> None:
        verify = answering(verify={"answerCorrect": correct}).verify_auth_challenge_response
        triggers = replace(quiz.triggers, verify_auth_challenge_response=verify)
        client = make(triggers=triggers)
        client.user()
        assert client.answer(begin(client), ANSWER="8")["ChallengeName"] == "CUSTOM_CHALLENGE"

    def test_a_failed_authentication_wins_over_issued_tokens(self, make: Make) -> None:
        with refused("NotAuthorizedException", "Incorrect username or password."):
            self.logged_in(make, define={"failAuthentication": True, "issueTokens": True})

    def test_a_trigger_can_issue_tokens_without_a_challenge(self, make: Make) -> None:
        client = make(triggers=answering(define={"issueTokens": True}))
        client.user()
        assert "AuthenticationResult" in begin(client)

    def test_custom_login_is_refused_without_triggers(self, make: Make) -> None:
        client = make()
        client.user()
        with refused("InvalidParameterException", "Custom auth lambda trigger is not configured for the user pool."):
            begin(client)

    def test_custom_login_is_refused_if_the_client_does_not_allow_it(self, make: Make, quiz: Quiz) -> None:
        flows = {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]}
        client = make(triggers=quiz.triggers, client_settings=flows)
        client.user()
        with refused("InvalidParameterException", "CUSTOM_AUTH is not enabled for the client."):
            begin(client)

    def test_custom_login_is_allowed_by_the_older_names_of_flows(self, make: Make, quiz: Quiz) -> None:
        client = make(triggers=quiz.triggers, client_settings={"ExplicitAuthFlows": ["USER_PASSWORD_AUTH"]})
        client.user()
        assert begin(client)["ChallengeName"] == "CUSTOM_CHALLENGE"

    def test_an_answer_is_required_and_metadata_must_be_strings(self, client: Client) -> None:
        challenge = begin(client)
        with refused("InvalidParameterException", "ANSWER"):
            client.answer(challenge)
        with refused("SerializationException"):
            client.call(
                "RespondToAuthChallenge",
                ClientId=client.client_id,
                ChallengeName="CUSTOM_CHALLENGE",
                Session=client.answer(challenge, ANSWER="7")["Session"],
                ChallengeResponses={"USERNAME": "alice", "ANSWER": "8"},
                ClientMetadata={"a": 1},
            )

    def test_a_trigger_can_call_the_pool(self, make: Make) -> None:
        client: Client

        def define(event: Event, context: None) -> Event:
            user = client.admin("AdminGetUser", Username=event["userName"])
            event["response"]["issueTokens"] = user["UserStatus"] == "CONFIRMED"
            return event

        client = make(triggers=replace(answering(), define_auth_challenge=define))
        client.user()
        assert "AuthenticationResult" in begin(client)

    def test_changing_an_event_afterwards_does_not_change_the_pool(self, make: Make, quiz: Quiz) -> None:
        def define(event: Event, context: None) -> Event:
            event["request"]["session"].append({"challengeName": "CUSTOM_CHALLENGE", "challengeResult": True})
            event["request"]["userAttributes"]["email"] = "mallory@example.com"
            return {**event, "response": {"challengeName": "CUSTOM_CHALLENGE"}}

        client = make(triggers=replace(quiz.triggers, define_auth_challenge=define))
        client.user(email="alice@example.com")
        client.answer(begin(client), ANSWER="7")
        assert [len(event["request"]["session"]) for event in quiz.events if "session" in event["request"]] == [0, 1]
        assert quiz.events[-1]["request"]["userAttributes"]["email"] == "alice@example.com"


@pytest.mark.counterpart
def test_boto3_logs_in_and_gets_its_typed_error(clock: Clock, quiz: Quiz) -> None:
    pool = LocalUserPool(clock=clock, credentials=KEYS, triggers=quiz.triggers)
    Client(pool, clock).user()
    with connected(pool) as boto:
        named: dict[str, Any] = {"ClientId": pool.client_id}
        challenge = boto.admin_initiate_auth(
            **named, UserPoolId=pool.user_pool_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "alice"}
        )
        responses = {"USERNAME": "alice", "ANSWER": "8"}
        result = boto.admin_respond_to_auth_challenge(
            **named,
            UserPoolId=pool.user_pool_id,
            ChallengeName="CUSTOM_CHALLENGE",
            Session=challenge["Session"],
            ChallengeResponses=responses,
            ClientMetadata={"a": "b"},
        )
        assert result["AuthenticationResult"]["AccessToken"]
    broken = LocalUserPool(clock=clock, credentials=KEYS, triggers=answering(define=RuntimeError("closed")))
    Client(broken, clock).user()
    with connected(broken) as boto, pytest.raises(boto.exceptions.UserLambdaValidationException, match="closed"):
        boto.initiate_auth(ClientId=broken.client_id, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "alice"})
