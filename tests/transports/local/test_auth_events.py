"""The recorded events of users, with boto3 as the client."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from srpcore.crypto.totp import totp
from srpcore_transports.local.auth import auth_events
from srpcore_transports.local.storage import directory
from srpcore_transports.local.storage.state import State
from support.users import OTHER_PASSWORD, PASSWORD

from .client import Client, enrol, refused

pytestmark = pytest.mark.counterpart

AUDIT = {"UserPoolAddOns": {"AdvancedSecurityMode": "AUDIT"}}
SUCCESS, FAILURE = ("Password", "Success"), ("Password", "Failure")


@pytest.fixture
def client(make: Any) -> Client:
    client: Client = make(pool_settings=AUDIT)
    client.user(email="alice@example.com", email_verified="true")
    return client


def events(boto: Any, client: Client) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = boto.admin_list_user_auth_events(UserPoolId=client.pool_id, Username="alice")[
        "AuthEvents"
    ]
    return listed


def shown(event: dict[str, Any]) -> tuple[Any, ...]:
    answers = [(each["ChallengeName"], each["ChallengeResponse"]) for each in event["ChallengeResponses"]]
    return event["EventType"], event["EventResponse"], answers


def by_password(boto: Any, client: Client, password: str = PASSWORD, **more: Any) -> Any:
    return boto.initiate_auth(
        ClientId=client.client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "alice", "PASSWORD": password},
        **more,
    )


def test_logins_are_recorded_the_newest_first(boto: Any, client: Client) -> None:
    tokens = client.tokens()
    client.clock.now += 60
    with refused("NotAuthorizedException"):
        client.log_in(password="Wrong-Horse-9")
    with pytest.raises(boto.exceptions.NotAuthorizedException):
        by_password(boto, client, "Wrong-Horse-9", UserContextData={"IpAddress": "192.0.2.7"})
    by_password(boto, client)
    listed = events(boto, client)
    assert [shown(event) for event in listed] == [
        ("SignIn", "Pass", [SUCCESS]),
        ("SignIn", "Fail", [FAILURE]),
        ("SignIn", "Fail", [FAILURE]),
        ("SignIn", "Pass", [SUCCESS]),
    ]
    assert [event["EventContextData"] for event in listed] == [{}, {"IpAddress": "192.0.2.7"}, {}, {}]
    assert (listed[0]["CreationDate"] - listed[3]["CreationDate"]).total_seconds() == 60
    claims = jwt.decode(tokens["AccessToken"], options={"verify_signature": False})
    assert claims["event_id"] == listed[3]["EventId"]


def test_a_login_with_a_second_factor_is_one_event(boto: Any, client: Client) -> None:
    secret = enrol(client)
    challenge = client.log_in()
    assert shown(events(boto, client)[0]) == ("SignIn", "InProgress", [SUCCESS])
    with refused("CodeMismatchException"):
        client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE="000000")
    assert shown(events(boto, client)[0]) == ("SignIn", "Fail", [SUCCESS, ("Mfa", "Failure")])
    client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=totp(secret, client.clock.now))
    assert shown(events(boto, client)[0]) == ("SignIn", "Pass", [SUCCESS, ("Mfa", "Failure"), ("Mfa", "Success")])
    assert len(events(boto, client)) == 2


@pytest.mark.parametrize("in_one_request", [False, True])
def test_a_login_by_choice_is_recorded(make: Any, in_one_request: bool) -> None:
    client = make(pool_settings=AUDIT)
    client.user()
    more = {"PREFERRED_CHALLENGE": "PASSWORD", "PASSWORD": PASSWORD} if in_one_request else {}
    start = client.call(
        "InitiateAuth", ClientId=client.client_id, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": "alice", **more}
    )
    if not in_one_request:
        assert client.admin("AdminListUserAuthEvents", Username="alice")["AuthEvents"] == []
        client.answer(start, ANSWER="PASSWORD", PASSWORD=PASSWORD)
    listed = client.admin("AdminListUserAuthEvents", Username="alice")["AuthEvents"]
    assert [shown(event) for event in listed] == [("SignIn", "Pass", [SUCCESS])]


@pytest.mark.parametrize("preferred", [False, True])
def test_a_login_by_a_code_alone_has_no_second_factor(make: Any, preferred: bool) -> None:
    factors = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}}
    client = make(pool_settings={**AUDIT, **factors})
    client.user(email="alice@example.com", email_verified="true")
    values = {"USERNAME": "alice", **({"PREFERRED_CHALLENGE": "EMAIL_OTP"} if preferred else {})}
    start = client.call("InitiateAuth", ClientId=client.client_id, AuthFlow="USER_AUTH", AuthParameters=values)
    if not preferred:
        start = client.answer(start, ANSWER="EMAIL_OTP")
    client.answer(start, EMAIL_OTP_CODE=client.pool.outbox.latest("alice").code)
    listed = client.admin("AdminListUserAuthEvents", Username="alice")["AuthEvents"]
    assert [shown(event) for event in listed] == [("SignIn", "Pass", [])]


def test_other_events_are_recorded(boto: Any, client: Client) -> None:
    pool = {"ClientId": client.client_id}
    boto.change_password(
        AccessToken=client.tokens()["AccessToken"], PreviousPassword=PASSWORD, ProposedPassword=OTHER_PASSWORD
    )
    boto.forgot_password(**pool, Username="alice")
    assert [event["EventType"] for event in events(boto, client)] == ["ForgotPassword", "PasswordChange", "SignIn"]
    email = [{"Name": "email", "Value": "bob@example.com"}]
    boto.sign_up(**pool, Username="bob", Password=PASSWORD, UserAttributes=email)
    boto.resend_confirmation_code(**pool, Username="bob")
    listed = boto.admin_list_user_auth_events(UserPoolId=client.pool_id, Username="bob")["AuthEvents"]
    assert [event["EventType"] for event in listed] == ["ResendCode", "SignUp"]


def test_events_are_listed_in_pages_and_the_oldest_are_forgotten(boto: Any, client: Client) -> None:
    def add(state: State) -> None:
        pool = state.pool(client.pool_id)
        for _ in range(203):
            auth_events.record(state, pool, directory.require_user(state, pool, "alice"), "PasswordChange")

    State(client.pool._service).run(add)
    pages = boto.get_paginator("admin_list_user_auth_events").paginate(UserPoolId=client.pool_id, Username="alice")
    ids = [[event["EventId"] for event in page["AuthEvents"]] for page in pages]
    assert [len(page) for page in ids] == [60, 60, 60, 20]
    assert len({event_id for page in ids for event_id in page}) == 200


def test_an_administrator_gives_feedback(boto: Any, client: Client) -> None:
    client.tokens()
    event_id = events(boto, client)[0]["EventId"]
    named = {"UserPoolId": client.pool_id, "Username": "alice"}
    boto.admin_update_auth_event_feedback(**named, EventId=event_id, FeedbackValue="Invalid")
    feedback = events(boto, client)[0]["EventFeedback"]
    assert (feedback["FeedbackValue"], feedback["Provider"]) == ("Invalid", "Admin")
    assert feedback["FeedbackDate"].timestamp() == client.clock.now
    with pytest.raises(boto.exceptions.InvalidParameterException, match="does not exist"):
        boto.admin_update_auth_event_feedback(**named, EventId="unknown", FeedbackValue="Valid")
    with pytest.raises(boto.exceptions.NotAuthorizedException, match="feedback token"):
        boto.update_auth_event_feedback(**named, EventId=event_id, FeedbackToken="x", FeedbackValue="Valid")


def test_a_pool_without_threat_protection_has_no_events(boto: Any, client: Client) -> None:
    boto.update_user_pool(UserPoolId=client.pool_id, UserPoolAddOns={"AdvancedSecurityMode": "OFF"})
    client.tokens()
    with pytest.raises(boto.exceptions.UserPoolAddOnNotEnabledException):
        events(boto, client)
    boto.update_user_pool(UserPoolId=client.pool_id, **AUDIT)
    assert events(boto, client) == []


def test_events_are_deleted_with_the_user(boto: Any, client: Client) -> None:
    client.tokens()
    boto.admin_delete_user(UserPoolId=client.pool_id, Username="alice")
    connection = client.pool._service.database.connection
    assert connection.execute("SELECT count(*) FROM auth_event").fetchone() == (0,)
