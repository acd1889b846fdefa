"""The exact requests of the flows: each member of each request, and what is refused before anything is sent.

The flows do no I/O, so these tests advance the generators themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from srpcore import Challenge, exceptions
from srpcore.crypto import cognito
from srpcore.crypto.device import Device, device_identity
from srpcore.crypto.encoding import decode_secret_block, parse_hex, to_hex
from srpcore.crypto.secret_hash import secret_hash
from srpcore.flows.challenge import Answer, challenge_of
from srpcore.flows.devices import confirm_device, forget_device, update_device_status
from srpcore.flows.login import answer_challenge, set_up_totp, start_login
from srpcore.flows.login_context import AppClient, LoginContext
from srpcore.flows.refresh import refresh, require_refresh_token, revoke
from srpcore.flows.srp import Prover, password_prover, user_srp
from srpcore.pool import Pool
from srpcore.protocol import Flow, JsonObject, Operation, Reply
from support.users import NEW_PASSWORD, PASSWORD

TIME = 1_700_000_000.0
TIMESTAMP = "Tue Nov 14 22:13:20 UTC 2023"
PAIR = cognito.client_pair(1 << 256 | 5)
B = cognito.client_pair(1 << 256).public
SRP_PARAMETERS = {
    "SRP_B": f"{B:x}",
    "SALT": "ab" * 16,
    "SECRET_BLOCK": "c2VjcmV0",
    "USER_ID_FOR_SRP": "alice",
    "USERNAME": "alice",
}
DEVICE = Device("device-key", "group-key", "device-password")
DONE: JsonObject = {"AuthenticationResult": {"AccessToken": "t"}, "ChallengeParameters": {}}


def login(**changes: Any) -> LoginContext:
    members = {
        "app": AppClient(Pool("eu-west-1_abc"), "client", "client-secret"),
        "username": "alice",
        "device": DEVICE,
        "client_metadata": {"m": "1"},
        "clock": lambda: TIME,
        "random_bits": lambda bits: bits - 251,  # 5, if it is asked for 256 bits
        "user_context": {"IpAddress": "192.0.2.1"},
    }
    return LoginContext(**{**members, **changes})


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
        assert next(answers, None) is None
        return requests, stop.value


def refused(flow: Flow[Any], message: str, kind: type[Exception] = exceptions.ConfigurationError) -> None:
    """Check that *flow* raises *kind* with exactly this *message* before it sends anything."""
    with pytest.raises(kind) as caught:
        next(flow)
    assert str(caught.value) == message


def error(code: str, message: str = "") -> JsonObject:
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}


def challenge(name: str, parameters: Mapping[str, str] | None = None) -> JsonObject:
    return {"ChallengeName": name, "Session": f"session of {name}", "ChallengeParameters": dict(parameters or {})}


def carried(name: str = "alice") -> dict[str, str]:
    """What every request of a login has in its AuthParameters or ChallengeResponses."""
    return {
        "USERNAME": name,
        "SECRET_HASH": secret_hash(name, "client", "client-secret"),
        "DEVICE_KEY": "device-key",
    }


def proof(identity: str, password: str) -> dict[str, str]:
    """The ChallengeResponses that prove *password* for SRP_PARAMETERS."""
    x = cognito.private_key(identity, password, parse_hex("ab" * 16, name="SALT", max_digits=256, signed=True))
    key = cognito.client_key(PAIR, B, x)
    return {
        "TIMESTAMP": TIMESTAMP,
        "PASSWORD_CLAIM_SECRET_BLOCK": "c2VjcmV0",
        "PASSWORD_CLAIM_SIGNATURE": cognito.claim(key, identity, decode_secret_block("c2VjcmV0"), TIMESTAMP),
    }


SRP_A = {"SRP_A": to_hex(PAIR.public)}
USER_PROOF = proof("abcalice", PASSWORD)
DEVICE_PROOF = proof(device_identity("group-key", "device-key"), "device-password")


@pytest.mark.parametrize(
    ("auth_flow", "password", "preferred", "own"),
    [
        ("USER_SRP_AUTH", PASSWORD, None, SRP_A),
        ("CUSTOM_AUTH", PASSWORD, None, {**SRP_A, "CHALLENGE_NAME": "SRP_A"}),
        ("CUSTOM_AUTH", None, None, {}),
        ("USER_PASSWORD_AUTH", PASSWORD, None, {"PASSWORD": PASSWORD}),
        ("ADMIN_USER_PASSWORD_AUTH", PASSWORD, None, {"PASSWORD": PASSWORD}),
        ("ADMIN_NO_SRP_AUTH", PASSWORD, None, {"PASSWORD": PASSWORD}),
        ("USER_AUTH", None, None, {}),
        ("USER_AUTH", PASSWORD, None, {**SRP_A, "PREFERRED_CHALLENGE": "PASSWORD_SRP"}),
        ("USER_AUTH", PASSWORD, "PASSWORD_SRP", {**SRP_A, "PREFERRED_CHALLENGE": "PASSWORD_SRP"}),
        ("USER_AUTH", PASSWORD, "PASSWORD", {"PASSWORD": PASSWORD, "PREFERRED_CHALLENGE": "PASSWORD"}),
        ("USER_AUTH", PASSWORD, "EMAIL_OTP", {"PREFERRED_CHALLENGE": "EMAIL_OTP"}),
        ("USER_AUTH", None, "WEB_AUTHN", {"PREFERRED_CHALLENGE": "WEB_AUTHN"}),
    ],
)
def test_each_auth_flow_sends_exactly_its_parameters(
    auth_flow: str, password: str | None, preferred: str | None, own: dict[str, str]
) -> None:
    flow = start_login(login(), auth_flow, password, preferred=preferred)
    request = next(flow)
    assert request == Operation(
        "InitiateAuth",
        {
            "AuthFlow": auth_flow,
            "AuthParameters": {**carried(), **own},
            "ClientId": "client",
            "ClientMetadata": {"m": "1"},
            "UserContextData": {"IpAddress": "192.0.2.1"},
        },
    )


def test_the_login_of_an_administrator_names_the_pool_and_its_context() -> None:
    context = login(admin=True, device=None, app=AppClient(Pool("eu-west-1_abc"), "client"))
    common = {
        "ClientId": "client",
        "ClientMetadata": {"m": "1"},
        "UserPoolId": "eu-west-1_abc",
        "ContextData": {"IpAddress": "192.0.2.1"},
    }
    requests, reply = drive(start_login(context, "ADMIN_USER_PASSWORD_AUTH", PASSWORD), challenge("SMS_MFA"))
    parameters = {"USERNAME": "alice", "PASSWORD": PASSWORD}
    expected = {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": parameters, **common}
    assert requests == [("AdminInitiateAuth", expected)]

    step = challenge_of(context, reply)
    assert step is not None
    assert step.admin
    requests, _ = drive(answer_challenge(context, step, Answer(code="123456")), DONE)
    expected = {
        "ChallengeName": "SMS_MFA",
        "ChallengeResponses": {"USERNAME": "alice", "SMS_MFA_CODE": "123456"},
        "Session": "session of SMS_MFA",
        **common,
    }
    assert requests == [("AdminRespondToAuthChallenge", expected)]


def responses(requests: list[tuple[str, Mapping[str, Any]]]) -> list[Any]:
    """The challenge, the ChallengeResponses and the Session of each answer among *requests*."""
    return [
        (parameters["ChallengeName"], parameters["ChallengeResponses"], parameters.get("Session"))
        for name, parameters in requests
        if name == "RespondToAuthChallenge"
    ]


@pytest.mark.parametrize(
    "begin",
    [
        lambda context: start_login(context, "USER_SRP_AUTH", PASSWORD),
        lambda context: user_srp(context, password_prover(context, PASSWORD)),
        lambda context: start_login(context, "CUSTOM_AUTH", PASSWORD),
        lambda context: start_login(context, "USER_AUTH", PASSWORD),
    ],
)
def test_the_proofs_of_the_password_and_of_the_device_are_exact(
    begin: Callable[[LoginContext], Flow[Any]],
) -> None:
    requests, result = drive(
        begin(login()),
        challenge("PASSWORD_VERIFIER", SRP_PARAMETERS),
        challenge("DEVICE_SRP_AUTH"),
        challenge("DEVICE_PASSWORD_VERIFIER", SRP_PARAMETERS),
        DONE,
    )
    assert responses(requests) == [
        ("PASSWORD_VERIFIER", {**carried(), **USER_PROOF}, "session of PASSWORD_VERIFIER"),
        ("DEVICE_SRP_AUTH", {**carried(), **SRP_A}, "session of DEVICE_SRP_AUTH"),
        ("DEVICE_PASSWORD_VERIFIER", {**carried(), **DEVICE_PROOF}, "session of DEVICE_PASSWORD_VERIFIER"),
    ]
    assert result == DONE


def test_the_functions_of_a_prover_compute_the_answers_for_the_user_and_for_the_device() -> None:
    prover = Prover(
        lambda: {"A": "1"},
        lambda parameters, request: {"P": parameters["SALT"], **request},
        lambda: {"D": "2"},
        lambda parameters: {"Q": parameters["SALT"]},
    )
    requests, result = drive(
        user_srp(login(), prover),
        challenge("PASSWORD_VERIFIER", {"SALT": "3"}),
        challenge("DEVICE_SRP_AUTH"),
        challenge("DEVICE_PASSWORD_VERIFIER", {"SALT": "4"}),
        DONE,
    )
    assert requests[0][1]["AuthParameters"] == {"A": "1"}
    assert responses(requests) == [
        ("PASSWORD_VERIFIER", {"P": "3", "A": "1"}, "session of PASSWORD_VERIFIER"),
        ("DEVICE_SRP_AUTH", {"D": "2"}, "session of DEVICE_SRP_AUTH"),
        ("DEVICE_PASSWORD_VERIFIER", {"Q": "4"}, "session of DEVICE_PASSWORD_VERIFIER"),
    ]
    assert result == DONE


@pytest.mark.parametrize("after_device", ["PASSWORD", "PASSWORD_VERIFIER"])
@pytest.mark.parametrize("own", [True, False])
def test_the_proof_of_a_device_is_followed_by_nothing_that_asks_for_the_password(after_device: str, own: bool) -> None:
    functions = (lambda: {"D": "2"}, lambda parameters: {"Q": "4"}) if own else (None, None)
    prover = Prover(lambda: {"A": "1"}, lambda parameters, request: {}, *functions)
    for replies in (
        [challenge(after_device)],
        [challenge("DEVICE_PASSWORD_VERIFIER", SRP_PARAMETERS), challenge(after_device)],
    ):
        with pytest.raises(exceptions.UnexpectedChallenge):
            drive(user_srp(login(), prover), challenge("PASSWORD_VERIFIER"), challenge("DEVICE_SRP_AUTH"), *replies)


ATTRIBUTES = {"userAttributes": "{}", "requiredAttributes": '["userAttributes.given_name"]'}


@pytest.mark.parametrize(
    ("name", "parameters", "given", "own"),
    [
        ("SMS_MFA", {}, Answer(code=" 123 456\n"), {"SMS_MFA_CODE": "123 456"}),
        ("SOFTWARE_TOKEN_MFA", {}, Answer(code="123456"), {"SOFTWARE_TOKEN_MFA_CODE": "123456"}),
        ("EMAIL_OTP", {}, Answer(code="123456"), {"EMAIL_OTP_CODE": "123456"}),
        ("SMS_OTP", {}, Answer(code="123456"), {"SMS_OTP_CODE": "123456"}),
        ("CUSTOM_CHALLENGE", {}, Answer(answer=" 42 "), {"ANSWER": " 42 "}),
        ("SELECT_MFA_TYPE", {}, Answer(choice="SMS_MFA"), {"ANSWER": "SMS_MFA"}),
        ("WEB_AUTHN", {}, Answer(credential='{"id": 1}'), {"CREDENTIAL": '{"id": 1}'}),
        ("WEB_AUTHN", {}, Answer(credential={"id": "1"}), {"CREDENTIAL": '{"id": "1"}'}),
        ("NEW_PASSWORD_REQUIRED", {}, Answer(new_password=NEW_PASSWORD), {"NEW_PASSWORD": NEW_PASSWORD}),
        (
            "NEW_PASSWORD_REQUIRED",
            ATTRIBUTES,
            Answer(new_password=NEW_PASSWORD, attributes={"given_name": "Alice", "userAttributes.nickname": ""}),
            {"NEW_PASSWORD": NEW_PASSWORD, "userAttributes.given_name": "Alice", "userAttributes.nickname": ""},
        ),
        ("PASSWORD", {}, Answer(password=PASSWORD), {"PASSWORD": PASSWORD}),
        ("ADMIN_NO_SRP_AUTH", {}, Answer(password=PASSWORD), {"PASSWORD": PASSWORD}),
        (
            "SELECT_CHALLENGE",
            {},
            Answer(choice="PASSWORD", password=PASSWORD),
            {"ANSWER": "PASSWORD", "PASSWORD": PASSWORD},
        ),
        ("MFA_SETUP", {}, Answer(attributes={"email": "alice@example.com"}), {"EMAIL": "alice@example.com"}),
    ],
)
def test_each_answer_sends_exactly_its_responses(
    name: str, parameters: dict[str, str], given: Answer, own: dict[str, str]
) -> None:
    context = login()
    step = challenge_of(context, challenge(name, parameters))
    assert step is not None
    requests, result = drive(
        answer_challenge(context, step, given),
        challenge("DEVICE_SRP_AUTH"),
        challenge("DEVICE_PASSWORD_VERIFIER", SRP_PARAMETERS),
        DONE,
    )
    expected = {
        "ChallengeName": name,
        "ChallengeResponses": {**carried(), **own},
        "Session": f"session of {name}",
        "ClientId": "client",
        "ClientMetadata": {"m": "1"},
        "UserContextData": {"IpAddress": "192.0.2.1"},
    }
    assert requests[0] == ("RespondToAuthChallenge", expected)
    assert [name for name, _, _ in responses(requests)][1:] == ["DEVICE_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER"]
    assert result == DONE


@pytest.mark.parametrize("factor", ["EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"])
def test_the_choice_of_another_factor_sends_only_the_choice(factor: str) -> None:
    context = login()
    step = challenge_of(context, {**challenge("SELECT_CHALLENGE"), "AvailableChallenges": ["PASSWORD", factor]})
    assert step is not None
    flow = answer_challenge(context, step, Answer(choice=factor, password=PASSWORD))
    requests, result = drive(flow, challenge(factor))
    assert responses(requests) == [("SELECT_CHALLENGE", {**carried(), "ANSWER": factor}, "session of SELECT_CHALLENGE")]
    assert result == challenge(factor)


@pytest.mark.parametrize(
    ("name", "given", "own"),
    [
        ("SELECT_CHALLENGE", Answer(choice="PASSWORD_SRP", password=PASSWORD), {"ANSWER": "PASSWORD_SRP"}),
        ("PASSWORD_SRP", Answer(password=PASSWORD), {}),
    ],
)
def test_the_choice_of_srp_sends_the_public_value_and_then_the_proof(
    name: str, given: Answer, own: dict[str, str]
) -> None:
    context = login()
    step = challenge_of(context, challenge(name))
    assert step is not None
    requests, result = drive(
        answer_challenge(context, step, given), challenge("PASSWORD_VERIFIER", SRP_PARAMETERS), DONE
    )
    assert responses(requests) == [
        (name, {**carried(), **SRP_A, **own}, f"session of {name}"),
        ("PASSWORD_VERIFIER", {**carried(), **USER_PROOF}, "session of PASSWORD_VERIFIER"),
    ]
    assert result == DONE


def test_a_challenge_for_a_device_is_answered_with_the_device_alone() -> None:
    step = Challenge("DEVICE_SRP_AUTH", "session of DEVICE_SRP_AUTH", {}, "alice")
    requests, result = drive(
        answer_challenge(login(), step, Answer()), challenge("DEVICE_PASSWORD_VERIFIER", SRP_PARAMETERS), DONE
    )
    assert responses(requests) == [
        ("DEVICE_SRP_AUTH", {**carried(), **SRP_A}, "session of DEVICE_SRP_AUTH"),
        ("DEVICE_PASSWORD_VERIFIER", {**carried(), **DEVICE_PROOF}, "session of DEVICE_PASSWORD_VERIFIER"),
    ]
    assert result == DONE


def test_an_authenticator_app_is_set_up_with_the_session_of_each_reply() -> None:
    context = login()
    step = challenge_of(context, challenge("MFA_SETUP"))
    assert step is not None
    requests, (secret, shown) = drive(set_up_totp(step), {"SecretCode": "BASE32", "Session": "second"})
    assert requests == [("AssociateSoftwareToken", {"Session": "session of MFA_SETUP"})]
    assert (secret, shown.needs, shown.session) == ("BASE32", "code", "second")

    requests, _ = drive(answer_challenge(context, shown, Answer(code=" 123456 ")), {"Session": "third"}, DONE)
    assert requests[0] == ("VerifySoftwareToken", {"Session": "second", "UserCode": "123456"})
    assert responses(requests) == [("MFA_SETUP", carried(), "third")]


def test_the_canonical_name_is_used_after_the_first_challenge() -> None:
    context = login(username="alice@example.com")
    parameters = {**SRP_PARAMETERS, "USERNAME": "canonical"}
    requests, _ = drive(
        start_login(context, "USER_SRP_AUTH", PASSWORD), challenge("PASSWORD_VERIFIER", parameters), DONE
    )
    assert requests[0][1]["AuthParameters"] == {**carried("alice@example.com"), **SRP_A}
    assert responses(requests)[0][1] == {**carried("canonical"), **USER_PROOF}
    assert (context.name, context.canonical) == ("canonical", "canonical")


def test_without_username_in_the_challenge_the_name_for_srp_is_the_canonical_one() -> None:
    context = login(username="alice@example.com")
    parameters = {key: value for key, value in SRP_PARAMETERS.items() if key != "USERNAME"}
    drive(start_login(context, "USER_SRP_AUTH", PASSWORD), challenge("PASSWORD_VERIFIER", parameters), DONE)
    assert context.canonical == "alice"


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("SMS_MFA", Answer(), "the challenge needs code: it is missing or empty"),
        ("SMS_MFA", Answer(code=" \t"), "the challenge needs code: it is missing or empty"),
        ("CUSTOM_CHALLENGE", Answer(answer=""), "the challenge needs answer: it is missing or empty"),
        ("SELECT_MFA_TYPE", Answer(), "the challenge needs choice: it is missing or empty"),
        ("WEB_AUTHN", Answer(), "the challenge needs credential: it is missing or empty"),
        ("NEW_PASSWORD_REQUIRED", Answer(), "the challenge needs new_password: it is missing or empty"),
        ("PASSWORD", Answer(), "the challenge needs password: it is missing or empty"),
        ("PASSWORD_SRP", Answer(), "the challenge needs password: it is missing or empty"),
        ("MFA_SETUP", Answer(code=" "), "the challenge needs code: it is missing or empty"),
        ("MFA_SETUP", Answer(attributes={"email": ""}), "the challenge needs email: it is missing or empty"),
        (
            "NEW_PASSWORD_REQUIRED",
            Answer(new_password="x", attributes={"": "x"}),
            "the challenge needs attributes: it is missing or empty",
        ),
        (
            "WEB_AUTHN",
            Answer(credential={"id": b""}),
            "credential cannot be encoded as JSON: give the browser's PublicKeyCredential, as JSON or as a dictionary",
        ),
        (
            "CUSTOM_CHALLENGE",
            Answer(answer="\ud800"),
            "answer contains a lone surrogate, which UTF-8 cannot encode: pass a valid string",
        ),
    ],
)
def test_an_incomplete_answer_is_refused_before_anything_is_sent(name: str, given: Answer, message: str) -> None:
    refused(answer_challenge(login(), Challenge(name, "s", {}, "alice"), given), message)


def test_an_unexpected_reply_names_the_request_before_it() -> None:
    step = Challenge("SMS_MFA", "s", {}, "alice")
    for flow, after in (
        (answer_challenge(login(), step, Answer(code="1")), "the answer to SMS_MFA"),
        (start_login(login(), "CUSTOM_AUTH", None), "CUSTOM_AUTH"),
    ):
        with pytest.raises(exceptions.UnexpectedChallenge) as caught:
            drive(flow, challenge("PASSWORD"))
        assert (caught.value.challenge_name, caught.value.after) == ("PASSWORD", after)


def test_a_wrong_choice_and_missing_attributes_are_named() -> None:
    choose = Challenge("SELECT_MFA_TYPE", "s", {"MFAS_CAN_CHOOSE": '["SMS_MFA", "EMAIL_OTP"]'}, "alice")
    refused(
        answer_challenge(login(), choose, Answer(choice="PIGEON")),
        "invalid choice 'PIGEON': choose one of SMS_MFA, EMAIL_OTP",
    )
    required = {"requiredAttributes": '["userAttributes.given_name", "userAttributes.email"]'}
    renew = Challenge("NEW_PASSWORD_REQUIRED", "s", required, "alice")
    refused(
        answer_challenge(login(), renew, Answer(new_password=NEW_PASSWORD)),
        "required attributes are missing: give given_name, email in attributes",
    )


@pytest.mark.parametrize(
    ("auth_flow", "password", "preferred", "kind", "message"),
    [
        (
            "USER_SRP_AUTH",
            PASSWORD,
            "EMAIL_OTP",
            exceptions.ConfigurationError,
            "USER_SRP_AUTH does not accept a preferred challenge: only USER_AUTH does",
        ),
        *(
            (flow, None, None, exceptions.InvalidRequest, f"{flow} needs a password: give one")
            for flow in ("USER_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH")
        ),
        *(
            ("USER_AUTH", None, preferred, exceptions.InvalidRequest, "USER_AUTH needs a password: give one")
            for preferred in ("PASSWORD", "PASSWORD_SRP")
        ),
    ],
)
def test_a_login_that_cannot_work_is_refused_before_anything_is_sent(
    auth_flow: str, password: str | None, preferred: str | None, kind: type[Exception], message: str
) -> None:
    refused(start_login(login(), auth_flow, password, preferred=preferred), message, kind)


def test_names_that_are_missing_are_refused_before_anything_is_sent() -> None:
    empty = login(username="")
    refused(
        start_login(empty, "CUSTOM_AUTH", None),
        "no username: pass username= to Cognito, with the user's name or alias",
        exceptions.InvalidRequest,
    )
    surrogate = "contains a lone surrogate, which UTF-8 cannot encode: pass a valid string"
    refused(start_login(login(), "\ud800", None), f"auth_flow {surrogate}")
    refused(start_login(login(), "CUSTOM_AUTH", "\ud800"), f"password {surrogate}")
    refused(start_login(login(username="\ud800"), "CUSTOM_AUTH", None), f"username {surrogate}")
    refused(
        answer_challenge(
            login(), Challenge("NEW_PASSWORD_REQUIRED", "s", {}, "alice"), Answer(attributes={"name": "\ud800"})
        ),
        f"attribute name {surrogate}",
    )
    with pytest.raises(exceptions.ConfigurationError, match=f"^client_id {surrogate}$"):
        AppClient(Pool("eu-west-1_abc"), "\ud800")
    with pytest.raises(exceptions.InvalidRequest, match=r"^client_id is empty: give the id of the app client$"):
        AppClient(Pool("eu-west-1_abc"), "")
    with pytest.raises(exceptions.ConfigurationError, match=r"^client_metadata must be a dictionary of strings$"):
        login(client_metadata=[("m", "1")])


@pytest.mark.parametrize("name", ["PASSWORD_VERIFIER", "DEVICE_PASSWORD_VERIFIER"])
def test_an_answer_to_a_proof_is_refused_even_with_a_device(name: str) -> None:
    step = Challenge(name, "s", SRP_PARAMETERS, "alice")
    message = (
        f"challenge {name} is not supported by this method: begin the login again, because the answer needs the "
        "secret value of the request before it"
    )
    refused(answer_challenge(login(), step, Answer(password=PASSWORD)), message, exceptions.UnsupportedChallenge)


def test_set_up_needs_the_challenge_for_it() -> None:
    message = "SMS_MFA is not MFA_SETUP: answer it without set_up_totp()"
    refused(set_up_totp(Challenge("SMS_MFA", "s", {}, "alice")), message)


@pytest.mark.parametrize("name", ["SECRET_BLOCK", "USER_ID_FOR_SRP"])
@pytest.mark.parametrize("value", ["", None])
def test_a_proof_needs_the_strings_of_the_challenge(name: str, value: str | None) -> None:
    flow = start_login(login(), "USER_SRP_AUTH", PASSWORD)
    next(flow)
    with pytest.raises(exceptions.UnsafeServerValue) as caught:
        flow.send(Reply(challenge("PASSWORD_VERIFIER", {**SRP_PARAMETERS, name: value})))  # type: ignore[dict-item]
    assert str(caught.value) == f"unsafe value from the server: {name} is missing in the challenge"


@pytest.mark.parametrize("digits", [256, 257])
def test_the_salt_has_at_most_256_digits(digits: int) -> None:
    flow = start_login(login(), "USER_SRP_AUTH", PASSWORD)
    next(flow)
    reply = Reply(challenge("PASSWORD_VERIFIER", {**SRP_PARAMETERS, "SALT": "1" * digits}))
    if digits == 256:
        assert isinstance(flow.send(reply), Operation)
        return
    with pytest.raises(exceptions.UnsafeServerValue, match="SALT"):
        flow.send(reply)


def test_a_stale_device_is_dropped_and_the_answer_raises() -> None:
    context = login()
    flow = answer_challenge(context, Challenge("SMS_MFA", "s", {}, "alice"), Answer(code="1"))
    with pytest.raises(exceptions.ResourceNotFoundException):
        drive(flow, error("ResourceNotFoundException", "Device does not exist."))
    assert context.device is None

    context = login()
    flow = answer_challenge(context, Challenge("SMS_MFA", "s", {}, "alice"), Answer(code="1"))
    with pytest.raises(exceptions.ResourceNotFoundException):
        drive(flow, error("ResourceNotFoundException", "Client does not exist."))
    assert context.device is DEVICE


def test_a_login_with_a_stale_device_begins_again_without_it() -> None:
    context = login()
    flow = start_login(context, "CUSTOM_AUTH", None)
    requests, _ = drive(flow, error("ResourceNotFoundException", "Device does not exist."), DONE)
    assert ["DEVICE_KEY" in parameters["AuthParameters"] for _, parameters in requests] == [True, False]
    assert context.device is None


GET_TOKENS = (
    "GetTokensFromRefreshToken",
    {
        "ClientId": "client",
        "ClientMetadata": {"m": "1"},
        "RefreshToken": "r",
        "ClientSecret": "client-secret",
        "DeviceKey": "device-key",
    },
)
REFRESH_TOKEN_AUTH = (
    "InitiateAuth",
    {
        "ClientId": "client",
        "ClientMetadata": {"m": "1"},
        "AuthFlow": "REFRESH_TOKEN_AUTH",
        "AuthParameters": {
            "REFRESH_TOKEN": "r",
            "SECRET_HASH": secret_hash("canonical", "client", "client-secret"),
            "DEVICE_KEY": "device-key",
        },
    },
)


def refreshed(first: str | None, *replies: JsonObject) -> tuple[list[tuple[str, Mapping[str, Any]]], Any]:
    app = AppClient(Pool("eu-west-1_abc"), "client", "client-secret")
    flow = refresh(app, "r", username="canonical", device_key="device-key", client_metadata={"m": "1"}, first=first)
    return drive(flow, *replies)


def test_a_refresh_sends_exactly_the_parameters_of_its_way() -> None:
    assert refreshed(None, DONE) == ([GET_TOKENS], (DONE, "GetTokensFromRefreshToken"))
    assert refreshed("REFRESH_TOKEN_AUTH", DONE) == ([REFRESH_TOKEN_AUTH], (DONE, "REFRESH_TOKEN_AUTH"))


@pytest.mark.parametrize(
    "code",
    [
        "InvalidAction",
        "NotImplemented",
        "UnknownOperation",
        "UnknownOperationException",
        "Unsupported",
        "UnsupportedOperation",
        "UnsupportedOperationException",
    ],
)
def test_a_refresh_takes_the_other_way_if_the_operation_does_not_exist(code: str) -> None:
    requests, result = refreshed("GetTokensFromRefreshToken", error(code), DONE)
    assert (requests, result) == ([GET_TOKENS, REFRESH_TOKEN_AUTH], (DONE, "REFRESH_TOKEN_AUTH"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidParameterException", "Auth flow NOT ENABLED for this client"),
        ("InvalidParameterException", "Refresh token Rotation is on"),
        ("UnsupportedOperationException", ""),
        ("OperationNotEnabledException", ""),
    ],
)
def test_a_refresh_takes_the_other_way_if_the_flow_is_off(code: str, message: str) -> None:
    requests, result = refreshed("REFRESH_TOKEN_AUTH", error(code, message), DONE)
    assert (requests, result) == ([REFRESH_TOKEN_AUTH, GET_TOKENS], (DONE, "GetTokensFromRefreshToken"))


@pytest.mark.parametrize(
    ("first", "code", "message"),
    [
        ("REFRESH_TOKEN_AUTH", "InvalidParameterException", "Missing parameter"),
        ("REFRESH_TOKEN_AUTH", "NotAuthorizedException", "Refresh token rotation"),
        ("REFRESH_TOKEN_AUTH", "InternalFailure", ""),
        ("GetTokensFromRefreshToken", "InternalFailure", ""),  # HTTP 400, not 501
        ("GetTokensFromRefreshToken", "InvalidParameterException", "not enabled"),
    ],
)
def test_a_refresh_does_not_take_the_other_way_after_another_error(first: str, code: str, message: str) -> None:
    with pytest.raises(exceptions.ServiceError) as caught:
        refreshed(first, error(code, message))
    assert caught.value.code == code


def test_a_refresh_takes_the_other_way_after_an_internal_failure_with_http_501() -> None:
    missing = {**error("InternalFailure"), "ResponseMetadata": {"HTTPStatusCode": 501}}
    assert refreshed(None, missing, DONE)[1] == (DONE, "REFRESH_TOKEN_AUTH")


def is_request(request: object, name: str) -> bool:
    return isinstance(request, Operation) and request.name == name


@pytest.mark.parametrize("endpoint", ["http://localhost:5000", None])
@pytest.mark.parametrize("status", [500, 501, 502, None])
def test_a_page_instead_of_a_reply_means_a_missing_operation_only_on_an_emulator(
    endpoint: str | None, status: int | None
) -> None:
    app = AppClient(Pool("eu-west-1_abc", endpoint_url=endpoint), "client", "client-secret")
    flow = refresh(app, "r", username="canonical")
    next(flow)
    lost = exceptions.TransportError("a page", status=status)
    if endpoint is not None and status in (500, 501):
        assert is_request(flow.throw(lost), "InitiateAuth")
        return
    with pytest.raises(exceptions.TransportError):
        flow.throw(lost)


def test_an_emulator_without_the_operation_gets_the_other_one() -> None:
    app = AppClient(Pool("eu-west-1_abc"), "client", "client-secret")
    flow = refresh(app, "r", username="canonical")
    next(flow)
    assert is_request(flow.throw(NotImplementedError()), "InitiateAuth")
    flow = refresh(app, "r", username="canonical")
    next(flow)
    mock: Any = object()
    assert is_request(flow.send(Reply(mock)), "InitiateAuth")
    flow = refresh(app, "r", username="canonical", first="REFRESH_TOKEN_AUTH")
    next(flow)
    with pytest.raises(NotImplementedError):
        flow.throw(NotImplementedError())


def test_the_requests_without_a_login_are_exact() -> None:
    app = AppClient(Pool("eu-west-1_abc"), "client", "client-secret")
    assert drive(revoke(app, "r"), {})[0] == [
        ("RevokeToken", {"Token": "r", "ClientId": "client", "ClientSecret": "client-secret"})
    ]
    assert drive(forget_device("t", "key"), {}) == (
        [("ForgetDevice", {"AccessToken": "t", "DeviceKey": "key"})],
        {},
    )
    for remembered, status in ((True, "remembered"), (False, "not_remembered")):
        assert drive(update_device_status("t", "key", remembered=remembered), {})[0] == [
            ("UpdateDeviceStatus", {"AccessToken": "t", "DeviceKey": "key", "DeviceRememberedStatus": status})
        ]


def test_a_refresh_token_that_is_missing_is_refused() -> None:
    message = "no refresh token: log in first"
    app = AppClient(Pool("eu-west-1_abc"), "client")
    refused(refresh(app, "", username="alice"), message, exceptions.InvalidRequest)
    refused(revoke(app, ""), message, exceptions.InvalidRequest)
    with pytest.raises(exceptions.InvalidRequest, match=f"^{message}$"):
        require_refresh_token(None)
    with pytest.raises(exceptions.ConfigurationError, match="refresh_token contains a lone surrogate"):
        require_refresh_token("\ud800")
    assert require_refresh_token("r") == "r"


@pytest.mark.parametrize(
    ("given", "computer", "sent"),
    [("laptop", "host", "laptop"), (None, "host", "host"), (None, "", "unnamed"), ("", "", "unnamed")],
)
def test_a_device_is_confirmed_with_a_name_and_a_verifier(
    monkeypatch: pytest.MonkeyPatch, given: str | None, computer: str, sent: str
) -> None:
    monkeypatch.setattr("platform.node", lambda: computer)
    requests, (reply, device) = drive(confirm_device("t", "key", "group", name=given, password="p"), {"x": 1})
    assert (reply, device) == ({"x": 1}, Device("key", "group", "p"))
    [(operation, parameters)] = requests
    verifier = parameters["DeviceSecretVerifierConfig"]
    assert operation == "ConfirmDevice"
    assert {**parameters, "DeviceSecretVerifierConfig": None} == {
        "AccessToken": "t",
        "DeviceKey": "key",
        "DeviceName": sent,
        "DeviceSecretVerifierConfig": None,
    }
    assert set(verifier) == {"PasswordVerifier", "Salt"}


def test_a_challenge_keeps_what_the_reply_and_the_login_say() -> None:
    context = login(admin=True, canonical="sub")
    reply = {**challenge("SELECT_CHALLENGE", {"A": "b"}), "AvailableChallenges": ["PASSWORD", "SMS_OTP"]}
    step = challenge_of(context, reply)
    assert step == Challenge(
        "SELECT_CHALLENGE", "session of SELECT_CHALLENGE", {"A": "b"}, "alice", "sub", ("PASSWORD", "SMS_OTP"), True
    )
    assert step is not None
    assert step.as_reply() == challenge("SELECT_CHALLENGE", {"A": "b"})
    assert Challenge("SMS_MFA", None, {}, "alice").as_reply() == {"ChallengeName": "SMS_MFA", "ChallengeParameters": {}}
    assert challenge_of(context, DONE) is None
    shown = json.loads(Challenge("MFA_SETUP", "s", {}, "alice", secret_shown=True).to_json())
    assert Challenge.from_json(json.dumps(shown)).secret_shown is True
    assert Challenge.from_json(json.dumps({**shown, "secret_shown": 1, "admin": 1})) == Challenge(
        "MFA_SETUP", "s", {}, "alice"
    )
