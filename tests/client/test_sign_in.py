"""Log in over the facade, against the embedded pool: what is sent, what is set, what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.crypto.cognito import GROUP
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation, Reply
from support.users import PASSWORD
from support.vectors import load_lines
from support.world import World, enrol, error

LONE_SURROGATE = "Correct\ud800Horse-1"


def everything_sent(world: World) -> str:
    return repr([dict(operation.parameters) for operation in world.wire.operations])


def test_log_in_sets_verified_tokens(world: World) -> None:
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    assert user.access_claims is not None
    assert user.id_claims is not None
    assert user.access_claims["username"] == "alice"
    assert user.access_claims["client_id"] == world.pool.client_id
    assert user.id_claims["aud"] == world.pool.client_id
    assert (user.token_type, user.expires_in) == ("Bearer", 3600)
    assert user.expires_datetime is not None
    assert abs(user.expires_datetime.timestamp() - world.clock() - 3600) < 60
    assert world.wire.names == [
        "InitiateAuth:USER_SRP_AUTH",
        "RespondToAuthChallenge:PASSWORD_VERIFIER",
    ]
    assert PASSWORD not in everything_sent(world)


def test_wrong_password_is_refused_and_leaves_the_object_as_it_was(world: World) -> None:
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    before = dict(vars(user))
    with pytest.raises(exceptions.NotAuthorizedException) as caught:
        user.authenticate(PASSWORD + " ")
    assert caught.value.message == "Incorrect username or password."
    assert (caught.value.operation, caught.value.status) == ("RespondToAuthChallenge", 400)
    assert vars(user) == before
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in repr(caught.value)


def test_unknown_user_is_refused_at_the_answer(world: World) -> None:
    with pytest.raises(exceptions.NotAuthorizedException):
        world.user("nobody").authenticate(PASSWORD)
    assert len(world.wire.operations) == 2


def test_log_in_by_alias_names_the_canonical_user_afterwards(make_world: Callable[..., World]) -> None:
    world = make_world(client_secret=True, pool_settings={"AliasAttributes": ["email"]})
    world.create(email="alice@example.com", email_verified="true")
    user = world.user("alice@example.com")
    user.authenticate(PASSWORD)
    first, answer = world.wire.operations
    assert first.parameters["AuthParameters"]["USERNAME"] == "alice@example.com"
    assert answer.parameters["ChallengeResponses"]["USERNAME"] == "alice"
    assert user.access_claims is not None
    assert user.access_claims["username"] == "alice"


def test_log_in_works_if_the_email_is_the_username(make_world: Callable[..., World]) -> None:
    world = make_world(client_secret=True, pool_settings={"UsernameAttributes": ["email"]})
    sub = world.create("alice@example.com", email_verified="true")
    user = world.user("alice@example.com")
    user.authenticate(PASSWORD)
    assert user.access_claims is not None
    assert user.access_claims["username"] == sub == user.access_claims["sub"]


def test_client_metadata_is_sent_with_every_step(world: World) -> None:
    world.create()
    world.user().authenticate(PASSWORD, client_metadata={"from": "here"})
    assert [operation.parameters["ClientMetadata"] for operation in world.wire.operations] == [{"from": "here"}] * 2


@pytest.mark.parametrize(
    ("arguments", "password"),
    [
        ({"username": LONE_SURROGATE}, PASSWORD),
        ({"username": None}, PASSWORD),
        ({"username": ""}, PASSWORD),
        ({}, LONE_SURROGATE),
        ({}, None),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(world: World, arguments: dict[str, Any], password: str) -> None:
    user = world.user(**arguments)
    with pytest.raises(exceptions.ConfigurationError) as caught:
        user.authenticate(password)
    assert world.wire.operations == []
    for part in (str(caught.value), repr(caught.value.__cause__), repr(caught.value.__context__)):
        assert "Horse" not in part or caught.value.__suppress_context__


def test_client_id_of_none_is_accepted_and_refused_at_first_use(world: World) -> None:
    user = world.user()
    user.client_id = None  # type: ignore[assignment]  # programs do it
    with pytest.raises(exceptions.ConfigurationError, match="client_id"):
        user.authenticate(PASSWORD)
    assert world.wire.operations == []


@pytest.mark.parametrize("password", ["", " ", "p\0ss", "pässwörd", "密碼", "é", "🔑" * 40, "a" * 5000])
def test_any_string_can_be_a_password_and_a_wrong_one_is_refused(world: World, password: str) -> None:
    world.create()
    with pytest.raises(exceptions.NotAuthorizedException):
        world.user().authenticate(password)


def hostile(**changes: Any) -> Callable[[Operation], Reply | None]:
    """Answer InitiateAuth with a challenge that no honest service sends."""
    parameters = {
        "SALT": "ab12",
        "SRP_B": "5",
        "SECRET_BLOCK": "AAAA",
        "USER_ID_FOR_SRP": "alice",
        "USERNAME": "alice",
        **changes,
    }
    challenge = {
        "ChallengeName": "PASSWORD_VERIFIER",
        "ChallengeParameters": {key: value for key, value in parameters.items() if value is not None},
    }
    return lambda operation: Reply(challenge) if operation.name == "InitiateAuth" else None


@pytest.mark.parametrize(
    "changes",
    [
        {"SRP_B": "0"},
        {"SRP_B": f"{GROUP.N:x}"},
        {"SRP_B": f"{2 * GROUP.N:x}"},
        {"SRP_B": f"{GROUP.N + 1:x}"},
        {"SRP_B": "-5"},
        {"SRP_B": "0x5"},
        {"SRP_B": "5_5"},
        {"SRP_B": " 5"},
        {"SRP_B": ""},
        {"SRP_B": "5" * 100_000},
        {"SRP_B": None},
        {"SRP_B": 5},
        {"SALT": "xyz"},
        {"SALT": ""},
        {"SALT": "--1"},
        {"SALT": "f" * 10_000},
        {"SALT": None},
        {"SECRET_BLOCK": None},
        {"USER_ID_FOR_SRP": None},
    ],
    ids=lambda changes: f"{next(iter(changes))}={str(next(iter(changes.values())))[:12]}",
)
def test_unsafe_srp_values_are_not_answered(world: World, changes: dict[str, Any]) -> None:
    world.wire.instead = hostile(**changes)
    with pytest.raises(exceptions.UnsafeServerValue):
        world.user().authenticate(PASSWORD)
    assert world.wire.names == ["InitiateAuth:USER_SRP_AUTH"]


def test_another_first_challenge_is_refused(world: World) -> None:
    world.wire.instead = lambda operation: Reply({"ChallengeName": "CUSTOM_CHALLENGE", "Session": "s"})
    with pytest.raises(exceptions.UnsupportedChallenge, match="CUSTOM_CHALLENGE") as caught:
        world.user().authenticate(PASSWORD)
    assert isinstance(caught.value, NotImplementedError)


def test_every_login_draws_a_new_exponent(world: World) -> None:
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    user.authenticate(PASSWORD)
    sent = {operation.parameters["AuthParameters"]["SRP_A"] for operation in world.asked("InitiateAuth")}
    assert len(sent) == 2


def test_new_password_is_set(world: World) -> None:
    world.create(permanent=False)
    user = world.user()
    with pytest.raises(exceptions.ForceChangePasswordException):
        user.authenticate(PASSWORD)
    assert user.access_token is None
    user.new_password_challenge(PASSWORD, "Another-Horse-2")
    assert user.access_claims is not None
    world.user().authenticate("Another-Horse-2")
    with pytest.raises(exceptions.NotAuthorizedException):
        world.user().authenticate(PASSWORD)


def test_new_password_needs_the_required_attributes(make_world: Callable[..., World]) -> None:
    schema = [{"Name": name, "Required": True, "AttributeDataType": "String"} for name in ("given_name", "email")]
    world = make_world(pool_settings={"Schema": schema})
    world.create(permanent=False, email="alice@example.com")
    user = world.user()
    with pytest.raises(exceptions.ForceChangePasswordException) as caught:
        user.authenticate(PASSWORD)
    assert caught.value.required_attributes == ("given_name",)
    assert "given_name" in str(caught.value)
    with pytest.raises(exceptions.ConfigurationError, match="given_name"):
        user.new_password_challenge(PASSWORD, "Another-Horse-2")
    assert "RespondToAuthChallenge:NEW_PASSWORD_REQUIRED" not in world.wire.names
    user.new_password_challenge(PASSWORD, "Another-Horse-2", {"given_name": "Alice"})
    assert user.id_claims is not None
    assert user.id_claims["given_name"] == "Alice"


@pytest.mark.parametrize("prefix", ["", "userAttributes."])
@pytest.mark.parametrize("how", ["authenticate", "sign_in", "AWSSRP"])
def test_required_attributes_count_in_both_spellings_and_are_sent_as_strings(
    make_world: Callable[..., World], how: str, prefix: str
) -> None:
    kinds = {"given_name": "String", "updated_at": "Number"}
    schema = [{"Name": name, "Required": True, "AttributeDataType": kind} for name, kind in kinds.items()]
    schema.append({"Name": "tester", "AttributeDataType": "Boolean"})
    world = make_world(pool_settings={"Schema": schema})
    world.create(permanent=False)
    given: dict[str, str | float | bool] = {"given_name": "Alice", "updated_at": 1700000000, "custom:tester": True}
    given = {prefix + name: value for name, value in given.items()}
    if how == "authenticate":
        world.user().new_password_challenge(PASSWORD, "Another-Horse-2", given)
    elif how == "sign_in":
        world.user().sign_in(PASSWORD).answer(new_password="Another-Horse-2", attributes=given)
    else:
        srp = srpcore.AWSSRP("alice", PASSWORD, world.pool.user_pool_id, world.pool.client_id, client=world.wire)
        srp.set_new_password_challenge("Another-Horse-2", required_attributes=given)
    sent = world.wire.operations[-1].parameters["ChallengeResponses"]
    assert {name: value for name, value in sent.items() if name.startswith("userAttributes.")} == {
        "userAttributes.given_name": "Alice",
        "userAttributes.updated_at": "1700000000",
        "userAttributes.custom:tester": "true",
    }


def test_attributes_of_profiles_and_new_users_are_sent_as_strings(make_world: Callable[..., World]) -> None:
    schema = [{"Name": name, "AttributeDataType": kind} for name, kind in (("n", "Number"), ("b", "Boolean"))]
    world = make_world(pool_settings={"Schema": schema})
    user = world.user()
    given: dict[str, Any] = {"custom:n": 7, "custom:b": False}
    user.admin_create_user("bob", **given)
    user.set_base_attributes(updated_at=1700000000)
    user.add_custom_attributes(n=7, b=False)
    user.register("alice", PASSWORD)
    user.admin_confirm_sign_up("alice")
    user.authenticate(PASSWORD)
    user.update_profile(given)
    user.admin_update_profile(given)
    for operation in world.wire.operations:
        for attribute in operation.parameters.get("UserAttributes", ()):
            assert attribute["Value"] == {"custom:n": "7", "custom:b": "false"}.get(attribute["Name"], "1700000000")


def test_new_password_that_utf8_cannot_encode_is_refused_before_anything_is_sent(world: World) -> None:
    with pytest.raises(exceptions.ConfigurationError, match="new_password"):
        world.user().new_password_challenge(PASSWORD, LONE_SURROGATE)
    assert world.wire.operations == []


def test_totp_is_asked_for_and_answered_by_another_object(world: World) -> None:
    world.create()
    secret = enrol(world)
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException) as caught:
        world.user().authenticate(PASSWORD)
    session = caught.value.get_tokens()["Session"]
    assert session not in str(caught.value)
    assert session not in repr(caught.value)
    elsewhere = world.user()
    elsewhere.respond_to_software_token_mfa_challenge(totp(secret, world.clock()), caught.value.get_tokens())
    assert elsewhere.access_claims is not None


def test_wrong_totp_is_refused(world: World) -> None:
    world.create()
    secret = enrol(world)
    user = world.user()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        user.authenticate(PASSWORD)
    wrong = f"{(int(totp(secret, world.clock())) + 1) % 10**6:06d}"
    with pytest.raises(exceptions.CodeMismatchException):
        user.respond_to_software_token_mfa_challenge(wrong)
    assert user.access_token is None


def test_code_may_be_a_number_or_have_spaces_around_it(world: World) -> None:
    world.create()
    secret = enrol(world)
    user = world.user()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        user.authenticate(PASSWORD)
    user.respond_to_software_token_mfa_challenge(f" {totp(secret, world.clock())}\n")
    assert user.access_token


def test_code_without_a_challenge_or_without_a_code_is_refused(world: World) -> None:
    user = world.user()
    with pytest.raises(exceptions.ConfigurationError, match="no challenge"):
        user.respond_to_software_token_mfa_challenge("123456")
    with pytest.raises(exceptions.ConfigurationError, match="code"):
        user.respond_to_sms_mfa_challenge(" ", {"Session": "s"})
    assert world.wire.operations == []


def test_made_up_session_is_refused(world: World) -> None:
    world.create()
    with pytest.raises(exceptions.NotAuthorizedException):
        world.user().respond_to_software_token_mfa_challenge("123456", {"Session": "x" * 40})


def test_sms_code_is_answered(world: World) -> None:
    world.create(phone_number="+15550100", phone_number_verified="true")
    user = world.user()
    user.authenticate(PASSWORD)
    user.set_user_mfa_preference(True, False, "SMS")
    with pytest.raises(exceptions.SMSMFAChallengeException):
        user.authenticate(PASSWORD)
    code = world.pool.outbox.latest("alice").code
    user.respond_to_sms_mfa_challenge(code)
    assert user.access_claims is not None
    with pytest.raises(exceptions.ServiceError):
        user.respond_to_sms_mfa_challenge(code)


def test_invalid_mfa_preferences_are_refused_before_anything_is_sent(world: World) -> None:
    world.create()
    user = world.user()
    arguments: tuple[Any, ...]
    for arguments in (
        (True, True, "E-MAIL"),
        (False, False, "E-MAIL"),  # an unknown factor must not disable all factors
        (None, True, "email"),
        (True, True, None),
        (True, True, "EMAIL"),  # preferred, but not enabled
        (True, False, "SOFTWARE_TOKEN"),
        (True, None, "SOFTWARE_TOKEN"),
        (None, None, "SMS"),
        (None, None),
    ):
        with pytest.raises(ValueError, match="factor"):
            user.set_user_mfa_preference(*arguments)
    with pytest.raises(AttributeError, match="log in first"):
        user.set_user_mfa_preference(False, False)
    assert world.wire.operations == []
    user.authenticate(PASSWORD)
    user.set_user_mfa_preference(False, False)


@pytest.mark.parametrize(
    ("factors", "preferred", "sent"),
    [
        ({"email_mfa": True}, "EMAIL", {"EmailMfaSettings": (True, True)}),
        ({"email_mfa": True}, None, {"EmailMfaSettings": (True, False)}),
        ({"sms_mfa": False}, None, {"SMSMfaSettings": (False, False)}),
        ({"sms_mfa": False}, "SMS", {"SMSMfaSettings": (False, False)}),
        (
            {"sms_mfa": True, "software_token_mfa": False, "email_mfa": True},
            "EMAIL",
            {
                "SMSMfaSettings": (True, False),
                "SoftwareTokenMfaSettings": (False, False),
                "EmailMfaSettings": (True, True),
            },
        ),
        (
            {"sms_mfa": False, "software_token_mfa": False},
            None,
            {"SMSMfaSettings": (False, False), "SoftwareTokenMfaSettings": (False, False)},
        ),
    ],
)
def test_only_the_given_factors_are_set(
    make_world: Callable[..., World],
    factors: dict[str, bool],
    preferred: str | None,
    sent: dict[str, tuple[bool, bool]],
) -> None:
    world = make_world()
    world.wire.instead = lambda operation: Reply({})
    given: dict[str, Any] = {"sms_mfa": None, "software_token_mfa": None, **factors}
    world.user(access_token="the-access-token").set_user_mfa_preference(**given, preferred=preferred)
    assert world.wire.operations[0].parameters == {
        "AccessToken": "the-access-token",
        **{name: {"Enabled": enabled, "PreferredMfa": is_preferred} for name, (enabled, is_preferred) in sent.items()},
    }


def test_email_becomes_the_second_factor(make_world: Callable[..., World]) -> None:
    world = make_world(pool_settings={"EmailMfaConfiguration": {"Subject": "code"}})
    world.create(email="alice@example.com", email_verified="true")
    user = world.user()
    user.authenticate(PASSWORD)
    user.set_user_mfa_preference(None, None, "EMAIL", email_mfa=True)
    step = user.sign_in(PASSWORD)
    assert step.challenge is not None
    assert step.challenge.name == "EMAIL_OTP"
    assert step.answer(code=world.pool.outbox.latest("alice").code).done


@pytest.mark.parametrize("how", ["admin_authenticate", "sign_in"])
@pytest.mark.parametrize("devices", [False, True])
def test_administrator_logs_a_user_in_by_srp(make_world: Callable[..., World], how: str, devices: bool) -> None:
    world = make_world(client_secret=True, remember_devices=devices)
    world.create()
    user = world.user()
    if devices:
        user.authenticate(PASSWORD)
        user.confirm_device()
        world.wire.clear()

    def log_in(password: str) -> None:
        if how == "admin_authenticate":
            user.admin_authenticate(password, auth_flow="USER_SRP_AUTH")
        else:
            user.sign_in(password, admin=True)

    log_in(PASSWORD)
    assert user.access_claims is not None
    assert world.wire.names == [
        "AdminInitiateAuth:USER_SRP_AUTH",
        "AdminRespondToAuthChallenge:PASSWORD_VERIFIER",
        *(["AdminRespondToAuthChallenge:DEVICE_SRP_AUTH"] if devices else []),
        *(["AdminRespondToAuthChallenge:DEVICE_PASSWORD_VERIFIER"] if devices else []),
    ]
    assert PASSWORD not in repr([dict(operation.parameters) for operation in world.wire.operations])
    with pytest.raises(exceptions.NotAuthorizedException):
        log_in("wrong")


@pytest.mark.parametrize("how", ["admin_authenticate", "sign_in"])
def test_code_after_srp_by_an_administrator_is_answered_by_the_admin_operation(
    make_world: Callable[..., World], how: str
) -> None:
    world = make_world()
    world.create()
    secret = enrol(world)
    user = world.user()
    if how == "sign_in":
        assert user.sign_in(PASSWORD, admin=True).answer(code=totp(secret, world.clock())).done
    else:
        with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
            user.admin_authenticate(PASSWORD, auth_flow="USER_SRP_AUTH")
        user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
    assert world.wire.names[-1] == "AdminRespondToAuthChallenge:SOFTWARE_TOKEN_MFA"


def test_sign_up_is_confirmed_with_the_code(world: World) -> None:
    user = world.user(None)
    user.set_base_attributes(email="bob@example.com")
    user.add_custom_attributes(team="blue")
    assert user.custom_attributes == {"custom:team": "blue"}
    user.custom_attributes = None
    with pytest.raises(exceptions.InvalidPasswordException):
        user.register("bob", "short")
    assert user.username is None
    answer = user.register("bob", PASSWORD)
    assert answer["UserConfirmed"] is False
    assert "ResponseMetadata" not in answer
    assert (vars(user)["username"], vars(user)["email"]) == ("bob", "bob@example.com")
    with pytest.raises(exceptions.UserNotConfirmedException):
        user.authenticate(PASSWORD)
    with pytest.raises(exceptions.CodeMismatchException):
        user.confirm_sign_up("000000" if world.pool.outbox.latest("bob").code != "000000" else "111111")
    user.resend_confirmation_code("bob")
    user.confirm_sign_up(world.pool.outbox.latest("bob").code)
    user.authenticate(PASSWORD)
    assert user.id_claims is not None
    assert user.id_claims["email"] == "bob@example.com"


def test_admin_confirms_sign_up(world: World) -> None:
    user = world.user(None)
    user.register("bob", PASSWORD)
    user.admin_confirm_sign_up()
    user.authenticate(PASSWORD)
    assert user.access_token


@pytest.mark.parametrize("code", ["UserNotFoundException", "TooManyRequestsException", "SomethingNewException"])
def test_errors_of_the_service_are_typed(world: World, code: str) -> None:
    world.wire.instead = lambda operation: error(code, "why", 400)
    with pytest.raises(exceptions.ServiceError) as caught:
        world.user().authenticate(PASSWORD)
    assert type(caught.value).__name__ == code
    assert (caught.value.code, caught.value.message) == (code, "why")


@pytest.mark.counterpart
@pytest.mark.parametrize("code", ["UserNotFoundException", "SomethingNewException"])
def test_errors_of_the_service_have_the_class_and_text_of_botocore(world: World, code: str) -> None:
    import botocore.exceptions

    world.wire.instead = lambda operation: error(code, "why", 400)
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        world.user().authenticate(PASSWORD)
    assert isinstance(caught.value, exceptions.ServiceError)
    assert str(caught.value) == f"An error occurred ({code}) when calling the InitiateAuth operation: why"
    assert caught.value.response["Error"] == {"Code": code, "Message": "why"}


def test_a_reply_without_tokens_or_challenge_is_an_error(world: World) -> None:
    world.create()
    world.wire.instead = lambda operation: (
        Reply({"ChallengeName": "MFA_SETUP", "Session": "s"}) if operation.name == "RespondToAuthChallenge" else None
    )
    user = world.user()
    with pytest.raises(exceptions.UnsupportedChallenge, match="MFA_SETUP"):
        user.authenticate(PASSWORD)
    assert user.access_token is None


def test_secret_hash_uses_the_typed_name_first_and_then_the_canonical_one(make_world: Callable[..., World]) -> None:
    world = make_world(client_secret=True, pool_settings={"AliasAttributes": ["email"]})
    world.create(email="alice@example.com", email_verified="true")
    world.user("alice@example.com").authenticate(PASSWORD)
    first, answer = world.wire.operations
    assert world.pool.client_secret is not None
    for name, sent in (
        ("alice@example.com", first.parameters["AuthParameters"]),
        ("alice", answer.parameters["ChallengeResponses"]),
    ):
        mac = hmac.new(world.pool.client_secret.encode(), (name + world.pool.client_id).encode(), hashlib.sha256)
        assert sent["SECRET_HASH"] == base64.b64encode(mac.digest()).decode()


def test_answers_equal_the_vectors() -> None:
    """The vectors through the whole answer to PASSWORD_VERIFIER: negative and odd salts, every text."""
    for vector in [*load_lines("cognito/log_in.jsonl"), *load_lines("cognito/edges.jsonl")]:
        time = datetime.strptime(vector["timestamp"], "%a %b %d %H:%M:%S UTC %Y").replace(tzinfo=timezone.utc)
        srp = srpcore.AWSSRP(
            vector["username"], vector["password"], vector["pool"], "id", client=object(), clock=time.timestamp
        )
        srp.small_a_value, srp.large_a_value = int(vector["a_hex"], 16), int(vector["A_hex"], 16)
        parameters = {
            "SALT": vector["salt_hex"],
            "SRP_B": vector["B_hex"],
            "SECRET_BLOCK": vector["secret_block_b64"],
            "USER_ID_FOR_SRP": vector["username"],
        }
        answer = srp.process_challenge(parameters, {"USERNAME": "typed"})
        assert answer == {
            "TIMESTAMP": vector["timestamp"],
            "USERNAME": vector["username"],
            "PASSWORD_CLAIM_SECRET_BLOCK": vector["secret_block_b64"],
            "PASSWORD_CLAIM_SIGNATURE": vector["signature_b64"],
        }, vector["id"]


def test_code_is_asked_for_after_a_new_password(world: World) -> None:
    world.create()
    secret = enrol(world)
    of_alice = {"UserPoolId": world.pool.user_pool_id, "Username": "alice"}
    world.pool.call(Operation("AdminSetUserPassword", {**of_alice, "Password": PASSWORD, "Permanent": False}))
    user = world.user()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        user.new_password_challenge(PASSWORD, "Another-Horse-2")
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
    assert user.access_token
