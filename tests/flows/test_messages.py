"""The whole message of each error of the flows, and what a reply may contain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from srpcore import Challenge, exceptions
from srpcore.flows import ask, fetch, is_json, object_list, require_object, require_string, user_attributes
from srpcore.flows.challenge import (
    challenge_of,
    missing_attributes,
    raise_challenge,
    required_attributes,
    unsupported,
)
from srpcore.flows.login_context import (
    AppClient,
    LoginContext,
    authentication_result,
    challenge_parameters,
    pool_or_placeholder,
)
from srpcore.flows.paging import collect, page
from srpcore.flows.srp import parse_salt, password_prover, sign_claim
from srpcore.flows.srp import require_string as parameter
from srpcore.flows.transitions import check_expected
from srpcore.pool import Pool
from srpcore.protocol import Fetch, Flow, JsonObject, Operation, Reply

UNSAFE = "unsafe value from the server: "


def context() -> LoginContext:
    return LoginContext(AppClient(Pool("eu-west-1_abc"), "client"), "alice")


def drive(flow: Flow[Any], *replies: JsonObject) -> tuple[list[tuple[str, Mapping[str, Any]]], Any]:
    """Advance *flow* with *replies*. Return the names and the parameters of its requests, and its result."""
    requests: list[tuple[str, Mapping[str, Any]]] = []
    answers = iter(replies)
    try:
        request = next(flow)
        while True:
            assert isinstance(request, Operation)
            requests.append((request.name, request.parameters))
            request = flow.send(Reply(next(answers)))
    except StopIteration as stop:
        return requests, stop.value


def named(name: str, **parameters: Any) -> JsonObject:
    return {"ChallengeName": name, "ChallengeParameters": parameters}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: require_string({}, "X"), "X must be a string that is not empty"),
        (lambda: require_string({"X": ""}, "X"), "X must be a string that is not empty"),
        (lambda: require_string({"X": 5}, "X"), "X must be a string that is not empty"),
        (lambda: require_object({}, "X"), "X must be a JSON object"),
        (lambda: require_object({"X": []}, "X"), "X must be a JSON object"),
        (lambda: object_list({"X": {}}, "X"), "X must be a list of JSON objects"),
        (lambda: object_list({"X": [5]}, "X"), "X must be a list of JSON objects"),
        (lambda: user_attributes({"X": [{"Name": 5}]}, "X"), "X has a Name that is not a string"),
        (lambda: parameter({}, "X"), "X is missing in the challenge"),
        (lambda: parameter({"X": ""}, "X"), "X is missing in the challenge"),
        (lambda: parameter({"X": 5}, "X"), "X is missing in the challenge"),
        (lambda: parse_salt("x"), "SALT is not hexadecimal"),
        (lambda: parse_salt("1" * 257), "SALT has more than 256 hexadecimal digits"),
        *(
            (
                lambda parameters=parameters: sign_claim(parameters, "alice", lambda *_: b"", lambda: ""),
                message,
            )
            for parameters, message in (
                ({"SRP_B": "x"}, "SRP_B is not hexadecimal"),
                ({"SRP_B": "5", "SALT": "x"}, "SALT is not hexadecimal"),
                ({"SRP_B": "5", "SALT": "5"}, "SECRET_BLOCK is missing in the challenge"),
            )
        ),
        (lambda: challenge_parameters({"ChallengeParameters": [5]}), "ChallengeParameters is not a JSON object"),
        (lambda: authentication_result({"AuthenticationResult": "x"}), "AuthenticationResult is not a JSON object"),
        (
            lambda: authentication_result({"AuthenticationResult": {"AccessToken": 5}}),
            "AccessToken has a wrong type (int)",
        ),
        (
            lambda: authentication_result({"AuthenticationResult": {"ExpiresIn": True}}),
            "ExpiresIn has a wrong type (bool)",
        ),
        *(
            (
                lambda seconds=seconds: authentication_result({"AuthenticationResult": {"ExpiresIn": seconds}}),
                "ExpiresIn is not a number of seconds within 100 years",
            )
            for seconds in (-1, 100 * 365 * 86400 + 1, float("nan"), 10**400)
        ),
        (
            lambda: required_attributes(named("X", requiredAttributes="5")),
            "requiredAttributes must be a JSON list of names",
        ),
        (lambda: required_attributes(named("X", requiredAttributes="{")), "requiredAttributes must be JSON"),
        (lambda: missing_attributes(named("X", userAttributes="{"), {}), "userAttributes must be JSON"),
        (
            lambda: Challenge("SELECT_MFA_TYPE", "s", {"MFAS_CAN_CHOOSE": "{"}, "alice").choices,
            "the list of factors must be a JSON list",
        ),
        (
            lambda: challenge_of(context(), {**named("SELECT_CHALLENGE"), "AvailableChallenges": "x"}),
            "AvailableChallenges is not a JSON list",
        ),
        (
            lambda: drive(page("ListUsers", {}, None), {"Users": [], "PaginationToken": 5}),
            "PaginationToken must be a string",
        ),
        (lambda: drive(page("ListUsers", {}, None), {"Users": 5}), "Users must be a list of JSON objects"),
    ],
)
def test_an_unsafe_value_of_the_server_is_named(call: Callable[[], object], expected: str) -> None:
    with pytest.raises(exceptions.UnsafeServerValue) as caught:
        call()
    assert str(caught.value) == UNSAFE + expected


def test_a_valid_reply_is_returned() -> None:
    assert authentication_result({}) == challenge_parameters({"ChallengeParameters": None}) == {}
    result = {"AccessToken": "a", "ExpiresIn": 100 * 365 * 86400, "NewDeviceMetadata": {}, "RefreshToken": None}
    assert authentication_result({"AuthenticationResult": result}) == result
    assert authentication_result({"AuthenticationResult": {"ExpiresIn": 0}}) == {"ExpiresIn": 0}
    assert object_list({}, "X") == []
    assert object_list({"X": [{}]}, "X") == [{}]
    assert user_attributes({"X": [{"Name": "a"}, {}]}, "X") == [{"Name": "a"}, {}]
    assert (parse_salt("-ff"), parse_salt("f" * 256)) == (-255, 16**256 - 1)
    assert (require_string({"X": "x"}, "X"), require_object({"X": {}}, "X")) == ("x", {})
    assert [is_json(value) for value in (None, "", 0, 0.5, True, [], {}, (), object())] == [True] * 7 + [False] * 2


def test_a_mock_is_returned_as_it_is() -> None:
    mock: Any = (5,)
    assert require_string({"X": mock}, "X") is mock
    assert require_object({"X": mock}, "X") is mock
    assert [*map(str, object_list({"X": mock}, "X"))] == ["5"]


def test_only_the_parameters_that_must_not_be_none_are_sent_as_none() -> None:
    kept = (
        "AccessToken Code ConfirmationCode GroupName Password PreviousPassword ProposedPassword UserCode Username"
    ).split()
    flow = ask("X", {**dict.fromkeys(kept), "Other": None, "False": False})
    assert next(flow) == Operation("X", {**dict.fromkeys(kept), "False": False})


@pytest.mark.parametrize(("name", "usual"), [("InitiateAuth", False), ("ListUsers", True)])
def test_a_flow_can_choose_whether_its_operation_is_signed(name: str, usual: bool) -> None:
    for signed, expected in ((None, usual), (True, True), (False, False)):
        operation = next(ask(name, {}, signed=signed))
        assert isinstance(operation, Operation)
        assert operation.signed is expected


def test_the_error_of_an_operation_names_the_operation_and_its_flow() -> None:
    refusal = {"Error": {"Code": "InvalidParameterException", "Message": "Auth flow not enabled for this client"}}
    with pytest.raises(exceptions.InvalidParameterException) as caught:
        drive(ask("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH"}), refusal)
    assert "InitiateAuth" in str(caught.value)
    assert caught.value.hint is not None
    assert "ALLOW_USER_SRP_AUTH" in caught.value.hint


def test_a_fetch_that_fails_is_an_error_of_a_fetch() -> None:
    flow = fetch("https://example.com")
    assert next(flow) == Fetch("https://example.com")
    cause = OSError("lost")
    lost = exceptions.TransportError("lost")
    lost.__cause__ = cause
    with pytest.raises(exceptions.TransportError) as caught:
        flow.throw(lost)
    assert caught.value.fetching
    assert caught.value.__cause__ is cause


def test_pages_are_collected_until_there_is_no_token() -> None:
    users = [{"Username": name} for name in "abc"]
    requests, found = drive(
        collect("ListUsers", {"UserPoolId": "p"}, 2),
        {"Users": users[:2], "PaginationToken": "next"},
        {"Users": users[2:], "PaginationToken": ""},
    )
    assert found == users
    assert requests == [
        ("ListUsers", {"UserPoolId": "p", "Limit": 2}),
        ("ListUsers", {"UserPoolId": "p", "Limit": 2, "PaginationToken": "next"}),
    ]


def test_a_token_that_comes_back_is_refused() -> None:
    flow = collect("ListUsers", {})
    with pytest.raises(exceptions.UnsafeServerValue) as caught:
        drive(flow, {"Users": [], "PaginationToken": "a"}, {"Users": [], "PaginationToken": "a"})
    assert str(caught.value) == "the service sent the same PaginationToken twice: the pages would never end"
    mock: Any = object()
    assert drive(collect("ListUsers", {}), {"Users": [], "PaginationToken": mock})[1] == []


RESUME = "continue with step = resume_sign_in(error.to_json()), then "
AGAIN = "begin the login again, because the answer needs the secret value of the request before it"


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("SMS_MFA", f"{RESUME}step.answer(code=...)"),
        ("NEW_PASSWORD_REQUIRED", f"{RESUME}step.answer(new_password=...)"),
        ("CUSTOM_CHALLENGE", f"{RESUME}step.answer(answer=...)"),
        ("SELECT_CHALLENGE", f"{RESUME}step.answer(choice=...) with one of step.challenge.choices"),
        ("WEB_AUTHN", f"{RESUME}step.answer(credential=...)"),
        ("PASSWORD_SRP", f"{RESUME}step.answer(password=...)"),
        ("PASSWORD", f"{RESUME}step.answer(password=...), which sends the password itself"),
        (
            "MFA_SETUP",
            f"{RESUME}step.set_up_totp() and step.answer(code=...) for an authenticator app, "
            "or step.answer(attributes={'email': ...})",
        ),
        (
            "DEVICE_SRP_AUTH",
            "give the remembered device to the constructor (device=... or store=...), and log in again",
        ),
        ("PASSWORD_VERIFIER", AGAIN),
        ("DEVICE_PASSWORD_VERIFIER", AGAIN),
    ],
)
def test_a_challenge_that_a_method_cannot_answer_names_the_way(name: str, way: str) -> None:
    challenge = Challenge(name, "s", {}, "alice")
    error = unsupported(challenge)
    assert str(error) == f"challenge {name} is not supported by this method: {way}"
    if way.startswith(RESUME):
        assert error.to_json() == challenge.to_json()
    else:
        with pytest.raises(exceptions.ConfigurationError):
            error.to_json()


def test_an_unknown_challenge_is_named() -> None:
    with pytest.raises(exceptions.UnsupportedChallenge) as caught:
        challenge_of(context(), {"ChallengeName": "BRAND_NEW"})
    assert str(caught.value) == (
        "challenge BRAND_NEW is not supported by this method: it is newer than this library: update srpcore, or answer "
        "it with client.call('RespondToAuthChallenge', ...)"
    )


def test_a_challenge_is_not_made_of_other_json() -> None:
    for text in ("{", "5", "{}", '{"name": "SMS_MFA"}'):
        with pytest.raises(exceptions.ConfigurationError) as caught:
            Challenge.from_json(text)
        assert str(caught.value) == "not a challenge: give the string that to_json() returned"


def test_pycognitos_exceptions_have_its_messages() -> None:
    attributes = named("NEW_PASSWORD_REQUIRED", requiredAttributes='["userAttributes.email"]')
    with pytest.raises(exceptions.ForceChangePasswordException) as force:
        raise_challenge(attributes)
    assert force.value.args[0] == "Change password before authenticating"
    assert force.value.required_attributes == ("email",)
    with pytest.raises(exceptions.SMSMFAChallengeException) as sms:
        raise_challenge(named("SMS_MFA"))
    assert (str(sms.value), sms.value.get_tokens()) == ("Do SMS MFA", named("SMS_MFA"))
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException) as totp:
        raise_challenge(named("SOFTWARE_TOKEN_MFA"))
    assert (str(totp.value), totp.value.get_tokens()) == ("Do Software Token MFA", named("SOFTWARE_TOKEN_MFA"))
    raise_challenge(named("EMAIL_OTP"))
    raise_challenge({})


def test_an_unexpected_challenge_names_what_it_followed() -> None:
    for reply, name in (({}, "absent"), ({"ChallengeName": 5}, "5"), ({"ChallengeName": "PASSWORD"}, "PASSWORD")):
        with pytest.raises(exceptions.UnexpectedChallenge) as caught:
            check_expected(reply, frozenset({"SMS_MFA"}), "USER_SRP_AUTH")
        assert (caught.value.challenge_name, caught.value.after) == (name, "USER_SRP_AUTH")


def test_a_pair_must_be_drawn_before_the_proof() -> None:
    with pytest.raises(RuntimeError, match=r"^call get_auth_params\(\) first: it draws the pair$"):
        password_prover(context(), "x").process_challenge({}, {})


def test_a_pool_that_is_not_valid_raises_when_its_id_is_needed() -> None:
    pool = pool_or_placeholder("your-pool-id", "eu-west-1", "http://localhost:5000")
    assert (pool.user_pool_id, pool.region, pool.endpoint_url) == ("your-pool-id", "eu-west-1", "http://localhost:5000")
    for name in ("suffix", "url", "issuers", "jwks_url"):
        with pytest.raises(exceptions.ConfigurationError, match="your-pool-id"):
            getattr(pool, name)
    valid = pool_or_placeholder("eu-west-1_abc", endpoint_url="http://localhost:5000")
    assert (valid.suffix, valid.region, valid.endpoint_url) == ("abc", "eu-west-1", "http://localhost:5000")
    with pytest.raises(exceptions.ConfigurationError):
        pool_or_placeholder("eu-west-1_abc", endpoint_url="http://example.com")
    assert pool_or_placeholder("us-east-1_abc", "us-west-2").region == "us-west-2"
    allowed = pool_or_placeholder("eu-west-1_abc", endpoint_url="http://example.com", allow_http=True)
    assert (type(valid), type(allowed), allowed.endpoint_url) == (Pool, Pool, "http://example.com")


def test_the_size_of_a_page_is_sent_only_to_an_operation_that_has_one() -> None:
    named = {"UserPoolId": "eu-west-1_a", "Username": "alice"}
    asked = next(page("AdminListUserSessions", named, "t", 5))
    assert asked == Operation("AdminListUserSessions", {**named, "NextToken": "t"})
    asked = next(page("AdminListGroupsForUser", named, "t", 5))
    assert asked == Operation("AdminListGroupsForUser", {**named, "NextToken": "t", "Limit": 5})
