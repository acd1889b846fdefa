"""Which values become placeholders and which are kept. No secret of a call may be in the file."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from srpcore.exceptions import ConfigurationError
from srpcore.protocol import Operation
from srpcore_transports.recorded import RecordingTransport, ReplayTransport, SecretInCassette
from support.clock import Clock
from support.recordings import NOW

from .scripted import POOL, Scripted, admin_get, answer, record, refusal, replay, token


def request_of(path: Path, name: str, reply: dict[str, Any] | None = None, /, **parameters: Any) -> dict[str, Any]:
    written = record(path, [(Operation(name, parameters), answer(reply))])
    request: dict[str, Any] = written["calls"][0]["request"]
    return request


def reply_of(path: Path, reply: dict[str, Any], **options: Any) -> dict[str, Any]:
    written = record(path, [(Operation("GetUser", {}), answer(reply))], **options)
    redacted: dict[str, Any] = written["calls"][0]["reply"]
    return redacted


def test_a_value_has_the_same_placeholder_everywhere(path: Path) -> None:
    calls = [
        (Operation("AdminGetUser", {"UserPoolId": POOL, "Username": "alice"}), answer({"Username": "alice"})),
        (
            Operation("AdminInitiateAuth", {"AuthParameters": {"USERNAME": "alice", "PASSWORD": "pa55word"}}),
            answer({"ChallengeParameters": {"USER_ID_FOR_SRP": "alice"}, "Session": "the-session"}),
        ),
        (
            Operation("RespondToAuthChallenge", {"Session": "the-session", "ClientMetadata": {"pw": "pa55word"}}),
            answer({"Session": "another-session"}),
        ),
    ]
    written = record(path, calls)
    assert written == {
        "srpcore cassette": 1,
        "pools": {"<UserPoolId 1>": POOL},
        "calls": [
            {
                "operation": "AdminGetUser",
                "request": {"UserPoolId": "<UserPoolId 1>", "Username": "<Username 1>"},
                "reply": {"Username": "<Username 1>"},
                "status": 200,
            },
            {
                "operation": "AdminInitiateAuth",
                "request": {"AuthParameters": {"USERNAME": "<Username 1>", "PASSWORD": "<Password 1>"}},
                "reply": {"ChallengeParameters": {"USER_ID_FOR_SRP": "<Username 1>"}, "Session": "<Session 1>"},
                "status": 200,
            },
            {
                "operation": "RespondToAuthChallenge",
                "request": {"Session": "<Session 1>", "ClientMetadata": {"<key 1>": "<Password 1>"}},
                "reply": {"Session": "<Session 2>"},
                "status": 200,
            },
        ],
    }


def test_published_words_are_kept_only_in_their_members(path: Path) -> None:
    reply = reply_of(
        path,
        {
            "UserStatus": "FORCE_CHANGE_PASSWORD",
            "Username": "CONFIRMED",
            "Enabled": True,
            "Precedence": 7,
            "UserMFASettingList": ["SMS_MFA", "an unheard-of factor"],
            "UserAttributes": [
                {"Name": "email_verified", "Value": "true"},
                {"Name": "given_name", "Value": "true"},
                {"Name": "custom:tier", "Value": "gold"},
                {"Name": "no attribute", "Value": "gold"},
            ],
            "AttributesToGet": ["email", "custom:tier", "not one"],
            "Absent": None,
            "Empty": "",
        },
    )
    assert reply == {
        "UserStatus": "FORCE_CHANGE_PASSWORD",
        "Username": "<Username 1>",
        "Enabled": True,
        "Precedence": 7,
        "UserMFASettingList": ["SMS_MFA", "<UserMFASettingList 1>"],
        "UserAttributes": [
            {"Name": "email_verified", "Value": "true"},
            {"Name": "given_name", "Value": "<given_name 1>"},
            {"Name": "custom:tier", "Value": "<custom:tier 1>"},
            {"Name": "<Name 1>", "Value": "<custom:tier 1>"},
        ],
        "AttributesToGet": ["email", "custom:tier", "<AttributesToGet 1>"],
        "Absent": None,
        "Empty": "",
    }


def test_json_strings_are_redacted_inside(path: Path) -> None:
    parameters = {
        "requiredAttributes": '["userAttributes.email","userAttributes.custom:x"]',
        "userAttributes": '{"email":"alice@example.com","secret key":"v"}',
        "MFAS_CAN_SETUP": '["SMS_MFA"]',
        "MFAS_CAN_CHOOSE": "no json",
    }
    assert reply_of(path, {"ChallengeParameters": parameters})["ChallengeParameters"] == {
        "requiredAttributes": {"<JSON>": ["userAttributes.email", "userAttributes.custom:x"]},
        "userAttributes": {"<JSON>": {"email": "<email 1>", "<key 1>": "<Text 1>"}},
        "MFAS_CAN_SETUP": {"<JSON>": ["SMS_MFA"]},
        "MFAS_CAN_CHOOSE": "<MFAS_CAN_CHOOSE 1>",
    }
    (replayed,) = replay(path, Operation("GetUser", {}))
    shown = {name: json.loads(text) for name, text in replayed["ChallengeParameters"].items() if "CHOOSE" not in name}
    assert shown == {
        "requiredAttributes": ["userAttributes.email", "userAttributes.custom:x"],
        "userAttributes": {"email": "email-1@example.com", "key-1": "Text-1"},
        "MFAS_CAN_SETUP": ["SMS_MFA"],
    }


def test_json_strings_match_if_their_values_are_equal(path: Path) -> None:
    operation = Operation(
        "RespondToAuthChallenge", {"ChallengeResponses": {"CREDENTIAL": '{"id": "abc", "type": "public-key"}'}}
    )
    record(path, [(operation, answer())])
    again = {"ChallengeResponses": {"CREDENTIAL": '{"type":"public-key","id":"another"}'}}
    assert replay(path, Operation("RespondToAuthChallenge", again)) == [{}]
    transport = ReplayTransport(path)
    for text in ("[]", "no json", '{"type":"public-key"}', '{"type":"other","id":"abc"}'):
        with pytest.raises(AssertionError):
            transport.call(Operation("RespondToAuthChallenge", {"ChallengeResponses": {"CREDENTIAL": text}}))


# Nothing of SRP and no device's verifier: whichever value, only the shape is in the file.
N = 1 << 3000
SHAPED = {
    "SRP_A": (["2", f"{N:x}", "0" * 30 + "ff"], ["1", "0", "0x2", "-2", f"{N * N:x}", "no", ""]),
    "TIMESTAMP": (
        ["Tue Jan 5 00:00:09 UTC 2027", "Sun Feb 28 23:59:59 UTC 2027"],
        ["Tue Jan 05 00:00:09 UTC 2027", "Tue Jan 5 00:00:09 2027", "Tue Jan 5 24:00:09 UTC 2027", "soon", ""],
    ),
    "PASSWORD_CLAIM_SIGNATURE": (
        [base64.b64encode(bytes(32)).decode()],
        [base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(32)).decode() + "!", "é", ""],
    ),
}


@pytest.mark.parametrize("name", SHAPED)
def test_fresh_values_are_compared_by_their_shape(name: str, path: Path) -> None:
    good, bad = SHAPED[name]
    for value in good:
        request = request_of(path, "RespondToAuthChallenge", ChallengeResponses={name: value})
        assert request == {"ChallengeResponses": {name: f"<{name}>"}}
    for other in good:
        replay(path, Operation("RespondToAuthChallenge", {"ChallengeResponses": {name: other}}))
    transport = ReplayTransport(path)
    refused: list[Any] = [*bad, 7, None]
    for value in refused:
        with pytest.raises(AssertionError, match=rf"ChallengeResponses.{name}: expected a {name}"):
            transport.call(Operation("RespondToAuthChallenge", {"ChallengeResponses": {name: value}}))


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("PasswordVerifier", [b"\x02", b"\x00" + bytes([255]) * 380], [b"\x01", b"", bytes([255]) * 385]),
        ("Salt", [b"\x02", bytes(64)], [b"", bytes(65)]),
    ],
)
def test_device_verifiers_are_compared_by_their_shape(
    name: str, good: list[bytes], bad: list[bytes], path: Path
) -> None:
    for value in good:
        config = {name: base64.b64encode(value).decode()}
        assert request_of(path, "ConfirmDevice", Config=config) == {"Config": {name: f"<{name}>"}}
    transport = ReplayTransport(path)
    for value in bad:
        with pytest.raises(AssertionError, match=f"expected a {name}"):
            transport.call(Operation("ConfirmDevice", {"Config": {name: base64.b64encode(value).decode()}}))


def test_values_without_a_shape_become_placeholders(path: Path) -> None:
    assert request_of(path, "InitiateAuth", AuthParameters={"SRP_A": "zz"}) == {
        "AuthParameters": {"SRP_A": "<SRP_A 1>"}
    }


def test_numbers_instead_of_secrets_become_placeholders(path: Path) -> None:
    request = request_of(path, "VerifySoftwareToken", UserCode=135790, Limit=60, Password=1.5, Flag=False)
    assert request == {"UserCode": "<Code 1>", "Limit": 60, "Password": "<Password 1>", "Flag": False}


def test_numbers_are_kept_if_the_model_has_them(path: Path) -> None:
    parameters = {"timeout": 60000, "custom:age": 42, "of its own": 7, "customer": 447700900123}
    reply = {"Precedence": 3, "ChallengeParameters": parameters}
    assert reply_of(path, reply, keep={"customer"}) == {
        "Precedence": 3,
        "ChallengeParameters": {
            "timeout": 60000,
            "custom:age": "<custom:age 1>",
            "<key 1>": "<Text 1>",
            "customer": 447700900123,
        },
    }


def test_an_answer_is_kept_if_it_is_a_choice_and_not_if_it_is_a_secret(path: Path) -> None:
    calls = [
        (Operation("RespondToAuthChallenge", {"ANSWER": text}), answer()) for text in ("SMS_MFA", "required", "ON")
    ]
    requests = [call["request"]["ANSWER"] for call in record(path, calls)["calls"]]
    assert requests == ["SMS_MFA", "<ANSWER 1>", "<ANSWER 2>"]


def test_dates_are_whole_seconds_after_the_start(path: Path) -> None:
    # The start is the clock's first reading, whatever it reads later.
    readings = count(int(NOW) + 0.25, 10)
    calls = [
        (admin_get("alice"), answer()),
        (admin_get("alice"), answer({"UserCreateDate": datetime.fromtimestamp(NOW - 90.4, tz=timezone.utc)})),
    ]
    written = record(path, calls, clock=lambda: next(readings))
    assert written["calls"][1]["reply"] == {"UserCreateDate": -90}
    clock = Clock(NOW + 1000)
    transport = ReplayTransport(path, clock=clock)
    transport.call(admin_get("bob"))
    clock.now += 77
    shown = transport.call(admin_get("bob")).document["UserCreateDate"]
    assert shown == datetime.fromtimestamp(int(NOW) + 1000 - 90, tz=timezone.utc)


SENTENCES = {
    "Incorrect username or password.": "Incorrect username or password.",
    "Password attempts exceeded": "Password attempts exceeded",
    "User alice.liddell is not confirmed.": "User <Username 1> is not confirmed.",
    "User pool us-east-1_Abc123 does not exist.": "User pool <UserPoolId 1> does not exist.",
    "PreSignUp failed with error go away, bob.": "PreSignUp failed with error <Text 1>.",
    "1 validation error detected: Value 's3cr3t' at 'x'": "<Text 1> validation error detected: Value '<Text 2>' at '<Text 3>'",
    "xalice.liddell": "<Text 1>",
    "(alice.liddell)": "(<Username 1>)",
    "  two  spaces ": "  <Text 1> ",
    "<Password 1>": "<Text 1>",
    "Xuser does not exist": "<Text 1> does not exist",
    "-- ??": "<Text 1> ??",
    "": "",
}


@pytest.mark.parametrize(("said", "written"), SENTENCES.items())
def test_messages_keep_only_the_words_of_the_service(said: str, written: str, path: Path) -> None:
    document = record(path, [(admin_get("alice.liddell"), refusal("NotAuthorizedException", said))])
    assert document["calls"][0]["reply"]["Error"] == {"Code": "NotAuthorizedException", "Message": written}


def test_a_message_that_quotes_the_user_quotes_the_user_of_the_program_at_replay(path: Path) -> None:
    record(path, [(admin_get("alice.liddell"), refusal("UserNotFoundException", "User alice.liddell does not exist."))])
    (reply,) = replay(path, admin_get("bob"))
    assert reply["Error"] == {"Code": "UserNotFoundException", "Message": "User bob does not exist."}


def test_a_username_that_is_a_word_of_the_service_does_not_change_messages(path: Path) -> None:
    said = "Incorrect username or password."
    record(path, [(admin_get("password"), refusal("NotAuthorizedException", said))])
    assert replay(path, admin_get("bob"))[0]["Error"]["Message"] == said


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("TooManyRequestsException", "TooManyRequestsException"),
        ("UnknownOperationException", "UnknownOperationException"),
        ("503", "503"),
        ("hunter2", "<ErrorCode 1>"),
        ("Hunter Exception", "<ErrorCode 1>"),
        ("", ""),
    ],
)
def test_names_of_errors_are_kept(code: str, written: str, path: Path) -> None:
    document = record(path, [(admin_get("alice"), refusal(code, ""))])
    assert document["calls"][0]["reply"] == {"Error": {"Code": written, "Message": ""}}


def test_headers_are_dropped_except_retry_after(path: Path) -> None:
    reply = answer({}, 429, **{"retry-after": "3", "x-amzn-requestid": "its-id", "set-cookie": "secret"})
    written = record(
        path, [(admin_get("alice"), reply), (admin_get("alice"), answer({}, 429, **{"retry-after": "soon"}))]
    )
    assert [call.get("retry after") for call in written["calls"]] == ["3", None]
    transport = ReplayTransport(path)
    metadata = transport.call(admin_get("alice")).document["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 429
    assert metadata["HTTPHeaders"] == {"retry-after": "3"}
    assert metadata["RequestId"]
    assert transport.call(admin_get("alice")).document["ResponseMetadata"]["HTTPHeaders"] == {}


CLAIMS = {
    "sub": "the-sub",
    "iss": f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}",
    "token_use": "id",
    "scope": "openid email",
    "cognito:groups": ["admins"],
    "aud": "the-client",
    "iat": 1_700_000_000,
    "exp": 1_700_000_300,
    "auth_time": 1_699_999_000,
    "nbf": 1_700_000_000,
    "at_hash": "h" * 22,
    "custom:age": 42,
    "https://example.com/own": "claim",
    "email_verified": True,
    "identities": [{"userId": "x", "providerName": "Google", "primary": "true", "dateCreated": "1620000000000"}],
}


def test_tokens_are_kept_as_claims(path: Path) -> None:
    result = {"AccessToken": token(sub="the-sub", iat=5), "IdToken": token(**CLAIMS), "RefreshToken": "a.b.c.d.e"}
    redacted = reply_of(path, {"AuthenticationResult": result})["AuthenticationResult"]
    assert redacted["AccessToken"] == {"<AccessToken 1>": {"sub": "<sub 1>", "iat": 0}}
    assert redacted["RefreshToken"] == "<RefreshToken 1>"
    assert redacted["IdToken"] == {
        "<IdToken 1>": {
            "sub": "<sub 1>",
            "iss": "https://cognito-idp/<UserPoolId 1>",
            "token_use": "id",
            "scope": "openid email",
            "cognito:groups": ["<GroupName 1>"],
            "aud": "<ClientId 1>",
            "iat": 0,
            "exp": 300,
            "auth_time": -1000,
            "nbf": 0,
            "at_hash": "<at_hash>",
            "custom:age": "<custom:age 1>",
            "<key 1>": "<Text 1>",
            "email_verified": True,
            "identities": [
                {
                    "userId": "<userId 1>",
                    "providerName": "<providerName 1>",
                    "primary": "<primary 1>",
                    "dateCreated": "<dateCreated 1>",
                }
            ],
        }
    }


@pytest.mark.parametrize(
    "recorded",
    [
        "https://issuer-cognito-idp.us-east-1.amazonaws.com/",
        "http://127.0.0.1:5000/",
        "https://cognito-idp.us-east-1.amazonaws.com/",
    ],
)
def test_the_issuer_is_that_of_the_pool(recorded: str, path: Path) -> None:
    claims = {"iss": recorded + POOL, "iat": 5, "exp": 10}
    reply_of(path, {"AuthenticationResult": {"IdToken": token(**claims)}})
    (reply,) = replay(path, Operation("GetUser", {}), user_pool_id="eu-west-1_Other9")
    issuer = jwt.decode(reply["AuthenticationResult"]["IdToken"], options={"verify_signature": False})["iss"]
    host = "issuer-cognito-idp" if "issuer-" in recorded else "cognito-idp"
    assert issuer == f"https://{host}.eu-west-1.amazonaws.com/eu-west-1_Other9"


def test_at_hash_matches_the_replayed_access_token(path: Path) -> None:
    result = {"IdToken": token(iat=5, at_hash="of another"), "AccessToken": token(iat=5, sub="x")}
    reply_of(path, {"AuthenticationResult": result})
    (reply,) = replay(path, Operation("GetUser", {}))
    result = reply["AuthenticationResult"]
    # PyJWT's own formula is the oracle.
    digest = jwt.get_algorithm_by_name("RS256").compute_hash_digest(result["AccessToken"].encode())
    expected = base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
    assert jwt.decode(result["IdToken"], options={"verify_signature": False})["at_hash"] == expected


def test_tokens_without_an_issue_time_count_from_the_clock(path: Path) -> None:
    clock = Clock(NOW)
    redacted = reply_of(path, {"AuthenticationResult": {"AccessToken": token(exp=int(NOW) + 60)}}, clock=clock)
    assert redacted["AuthenticationResult"]["AccessToken"] == {"<AccessToken 1>": {"exp": 60}}
    (reply,) = replay(path, Operation("GetUser", {}), clock=Clock(5000.5))
    replayed = jwt.decode(reply["AuthenticationResult"]["AccessToken"], options={"verify_signature": False})
    assert replayed == {"exp": 5060}


def test_keep_records_the_named_members_unchanged(path: Path) -> None:
    attributes = [{"Name": "email", "Value": "alice@example.com"}, {"Name": "name", "Value": "Alice"}]
    calls = [(admin_get("alice"), answer({"UserAttributes": attributes, "ChallengeParameters": {"question": "why?"}}))]
    written = record(path, calls, keep={"USERNAME", "email", "question"})["calls"][0]
    assert written["request"]["Username"] == "alice"
    assert written["reply"]["UserAttributes"] == [attributes[0], {"Name": "name", "Value": "<name 1>"}]
    assert written["reply"]["ChallengeParameters"] == {"question": "why?"}
    with pytest.raises(AssertionError, match="expected 'alice', got another string"):
        replay(path, admin_get("bob"))


@pytest.mark.parametrize(
    "name",
    """Password PASSWORD ProposedPassword AccessToken REFRESH_TOKEN Token Session SecretHash SECRET_CODE DeviceKey
    DEVICE_GROUP_KEY SRP_A SRP_B SALT SECRET_BLOCK PasswordVerifier PASSWORD_CLAIM_SIGNATURE ClientSecret Code
    ConfirmationCode SMS_MFA_CODE ANSWER Credential CREDENTIAL""".split(),
)
def test_secrets_cannot_be_kept(name: str, path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be kept"):
        RecordingTransport(Scripted(), path, keep={"email", name})


def test_keep_must_not_be_a_single_string(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="set"):
        RecordingTransport(Scripted(), path, keep="email")


@pytest.mark.parametrize(
    "text", ["<Username 7>", "<JSON>", "<SRP_A>", "<at_hash>", "a \ud800 surrogate", "is <email 1>"]
)
def test_a_kept_string_must_not_look_like_a_placeholder(text: str, path: Path) -> None:
    written = record(path, [(admin_get(text), answer())], keep={"Username"})
    assert written["calls"][0]["request"]["Username"] == "<Username 1>"
    assert replay(path, admin_get(text)) == [{}]


@pytest.mark.parametrize(
    "form", [str, lambda text: base64.b64encode(text.encode()).decode(), lambda text: text.encode().hex()]
)
def test_a_kept_string_that_contains_a_secret_is_not_written(form: Any, path: Path) -> None:
    path.parent.mkdir()
    path.write_text("what was there before")
    password = "Correct-Horse-1"
    calls = [
        (Operation("SignUp", {"Password": password}), answer()),
        (
            Operation("GetUser", {}),
            answer({"UserAttributes": [{"Name": "website", "Value": f"see {form(password)}!"}]}),
        ),
    ]
    with pytest.raises(SecretInCassette) as caught:
        record(path, calls, keep={"website"})
    assert password not in str(caught.value)
    assert path.read_text() == "what was there before"
    assert list(path.parent.iterdir()) == [path]


def test_a_kept_string_that_equals_a_secret_is_not_written(path: Path) -> None:
    calls = [(Operation("SignUp", {"Password": "alice-1234", "Username": "alice-1234"}), answer())]
    with pytest.raises(SecretInCassette):
        record(path, calls, keep={"Username"})


def test_a_kept_string_may_contain_a_name_that_is_not_kept(path: Path) -> None:
    attributes = [{"Name": "email", "Value": "alice@example.com"}]
    written = record(path, [(admin_get("alice"), answer({"UserAttributes": attributes}))], keep={"email"})
    assert written["calls"][0]["request"]["Username"] == "<Username 1>"
    assert written["calls"][0]["reply"]["UserAttributes"] == attributes


def test_a_kept_string_may_equal_a_value_that_is_not_secret(path: Path) -> None:
    attributes = [{"Name": "nickname", "Value": "alice"}, {"Name": "email", "Value": "alice@example.com"}]
    record(
        path,
        [(Operation("SignUp", {"UserAttributes": attributes}), answer({"Username": "alice"}))],
        keep={"Username", "email"},
    )


@pytest.mark.parametrize(
    "name",
    [
        "User",
        "Session",
        "USER_SRP_AUTH",
        "email",
        "cognito",
        "https",
        "NotAuthorizedException",
        "CONFIRMED",
        "operation",
        "Message",
        "calls",
    ],
)
def test_a_username_that_is_a_published_word_can_be_recorded(name: str, path: Path) -> None:
    claims = {"iss": f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}", "iat": 5}
    calls = [
        (
            admin_get(name),
            answer({"UserStatus": "CONFIRMED", "AuthenticationResult": {"AccessToken": token(**claims)}}),
        ),
        (Operation("InitiateAuth", {"AuthFlow": "USER_SRP_AUTH"}), refusal("NotAuthorizedException", "User email")),
    ]
    assert name not in record(path, calls)["calls"][0]["request"].values()
    replay(path, admin_get("bob"))


def test_a_secret_as_the_name_of_a_member_is_not_written(path: Path) -> None:
    calls = [(Operation("SignUp", {"Password": "Hunter2isMine", "Hunter2isMine": 1}), answer())]
    with pytest.raises(SecretInCassette):
        record(path, calls)


# A core that no published word has, within what may upset a parser; the core must be nowhere in the file.
cores = st.text("qxzjkvw0123456789", min_size=8, max_size=12)
around = st.sampled_from(
    ["", " ", "<", ">", '"', "\\", "\n", "é", "😀", "\ud800", "user ", ".", "/", "{", "=", "1", "Password "]
)
members = st.sampled_from(
    """AuthFlow AuthParameters ChallengeName ChallengeParameters ChallengeResponses ClientId ClientMetadata Session
    UserPoolId Username UserAttributes Attributes Name Value AccessToken IdToken RefreshToken AuthenticationResult
    NewDeviceMetadata Error Message message Code UserStatus scope iss identities userAttributes requiredAttributes
    CREDENTIAL MFAS_CAN_SETUP USERNAME PASSWORD SRP_A TIMESTAMP ANSWER custom:x userAttributes.email AttributesToGet
    ProviderDetails""".split()
)


class Secrets:
    """Makes texts with secret cores, and remembers the cores."""

    def __init__(self, draw: st.DrawFn, side: str) -> None:
        self.draw = draw
        self.side = side
        self.cores: list[str] = []

    def text(self) -> str:
        self.cores.append(self.side + self.draw(cores))
        text = self.draw(around) + self.cores[-1] + self.draw(around)
        kind = self.draw(st.sampled_from(["plain", "plain", "json", "token", "sentence"]))
        if kind == "json":
            return json.dumps({self.draw(members): text, text: [text]})
        if kind == "token":
            return token(iat=5, sub=text.encode("utf-8", "replace").decode())
        return f"User {text} is not confirmed: {text}" if kind == "sentence" else text

    def value(self, depth: int) -> Any:
        kind = self.draw(st.integers(0, 5 if depth else 2))
        if kind <= 2:
            return self.text()
        if kind == 3:
            return [self.value(depth - 1) for _ in range(self.draw(st.integers(0, 2)))]
        if kind == 4:
            return {"Name": self.draw(st.sampled_from(["email", "custom:x", "?"])), "Value": self.value(depth - 1)}
        return self.members(depth)

    def members(self, depth: int) -> dict[str, Any]:
        names = [self.draw(members) for _ in range(self.draw(st.integers(0, 3)))]
        names += [self.text() for _ in range(self.draw(st.sampled_from([0, 0, 0, 1])))]
        return {name: self.value(depth - 1) for name in names}


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[tuple[Operation, Any]], list[str]]:
    # A program that repeats what a reply told it repeats another value at replay: the stories do that.
    asked, told = Secrets(draw, "q"), Secrets(draw, "z")
    calls = []
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(["InitiateAuth", "SignUp", "AdminCreateUser"]))
        request, reply = asked.members(3), told.members(3)
        for place in ("Error", "AuthenticationResult"):
            if not isinstance(reply.get(place, {}), dict):
                reply[place] = {"Message": reply[place], "AccessToken": reply[place]}
        calls.append((Operation(name, request), answer(reply)))
    return calls, asked.cores + told.cores


NAME_IN_A_REPLY_AND_THEN_SECOND_IN_A_REQUEST = [
    (Operation("InitiateAuth", {"AuthFlow": "q00000000"}), answer()),
    (Operation("InitiateAuth", {}), answer({"AuthFlow": {"ClientMetadata": {"AuthFlow": "z00000000"}}})),
    (
        Operation("InitiateAuth", {"ClientMetadata": {"x": {"ClientMetadata": "q00000000", "AuthFlow": "q00000000 "}}}),
        answer(),
    ),
]


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(conversations())
@example((NAME_IN_A_REPLY_AND_THEN_SECOND_IN_A_REQUEST, ["q00000000", "z00000000"]))
def test_the_file_contains_no_value_and_every_call_replays(
    path: Path, conversation: tuple[list[tuple[Operation, Any]], list[str]]
) -> None:
    calls, secret_cores = conversation
    record(path, calls)
    written = path.read_text(encoding="utf-8")
    for core in secret_cores:
        assert core not in written
        assert base64.b64encode(core.encode()).decode()[:-4] not in written
    transport = ReplayTransport(path)
    for operation, _ in calls:
        transport.call(operation)
    transport.assert_all_used()
