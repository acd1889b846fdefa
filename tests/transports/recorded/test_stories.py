"""Every conversation that a client has is recorded, and replayed weeks later by a program with other names and passwords."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import srpcore
from srpcore import TokenVerifier, exceptions
from srpcore.resolve import as_async
from srpcore_transports.recorded import AsyncRecordingTransport
from support.authenticator import Authenticator
from support.quiz import Quiz
from support.recordings import DUMMIES, RECORDED, Recorder, Stage, got, replay_stage

pytestmark = pytest.mark.slow

Story = Callable[[Stage], Coroutine[Any, Any, Any]]
Recordings = Callable[[str], tuple[Recorder, Stage, Any]]


async def log_in(stage: Stage) -> Any:
    user = stage.user()
    with pytest.raises(exceptions.NotAuthorizedException, match="Incorrect username or password"):
        await got(user.authenticate(stage["wrong"]))
    await got(user.authenticate(stage["password"], client_metadata={"hint": "from the tests", "more": "of it"}))
    await got(user.verify_tokens())
    assert await got(user.check_token()) is False
    assert user.access_claims["username"] == user.id_claims["cognito:username"] == stage["username"]
    stage.later(2 * 3600)
    assert await got(user.check_token()) is True
    await got(user.update_profile({"given_name": "Alice Pleasance", "email": stage["email"]}))
    shown = await got(user.get_user())
    assert shown.sub == user.access_claims["sub"]
    await got(user.change_password(stage["password"], stage["new"]))
    await got(user.revoke_token())
    return shown.email


async def new_password(stage: Stage) -> Any:
    user = stage.user()
    with pytest.raises(exceptions.ForceChangePasswordException) as caught:
        await got(user.authenticate(stage["password"]))
    await got(user.new_password_challenge(stage["password"], stage["new"], {"name": "Alice the Second"}))
    assert user.access_claims["token_use"] == "access"
    return caught.value.required_attributes


async def app_codes(stage: Stage) -> Any:
    user = stage.user()
    await got(user.authenticate(stage["password"]))
    secret = await got(user.associate_software_token())
    with pytest.raises(exceptions.EnableSoftwareTokenMFAException):
        await got(user.verify_software_token(stage.totp(secret, wrong=True)))
    assert await got(user.verify_software_token(stage.totp(secret), "Alice's telephone"))
    await got(user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN"))
    stage.later(60)
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        await got(user.authenticate(stage["password"]))
    with pytest.raises(exceptions.CodeMismatchException):
        await got(user.respond_to_software_token_mfa_challenge(stage.totp(secret, wrong=True)))
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        await got(user.authenticate(stage["password"]))
    await got(user.respond_to_software_token_mfa_challenge(stage.totp(secret)))
    return user.token_type


async def text_message_codes(stage: Stage) -> Any:
    user = stage.user()
    await got(user.authenticate(stage["password"]))
    await got(user.set_user_mfa_preference(True, False, "SMS"))
    with pytest.raises(exceptions.SMSMFAChallengeException):
        await got(user.authenticate(stage["password"]))
    await got(user.respond_to_sms_mfa_challenge(stage.sent_code()))
    return (await got(user.get_user())).phone_number_verified


async def device(stage: Stage) -> Any:
    user = stage.user()
    await got(user.authenticate(stage["password"]))
    remembered = await got(user.confirm_device("Alice's looking glass"))
    stage.used.add(remembered.password)
    user = stage.user(device=remembered)
    await got(user.authenticate(stage["password"]))
    assert user.access_claims["device_key"] == remembered.key
    await got(user.renew_access_token())
    assert len(await got(user.list_devices())) == 1
    await got(user.forget_device())
    with pytest.raises(exceptions.ResourceNotFoundException, match="Device does not exist"):
        await got(user.client.get_device(AccessToken=user.access_token, DeviceKey=remembered.key))


async def rotation(stage: Stage) -> Any:
    user = stage.user()
    await got(user.authenticate(stage["password"]))
    first = user.refresh_token
    await got(user.renew_access_token())
    await got(user.renew_access_token())
    again = stage.user(refresh_token=first, access_token=user.access_token)
    with pytest.raises(exceptions.RefreshTokenReuseException):
        await got(again.renew_access_token())
    return first != user.refresh_token


async def sign_up(stage: Stage) -> Any:
    user = stage.user()
    user.set_base_attributes(email=stage["email"])
    made = await got(user.register(stage["username"], stage["password"]))
    with pytest.raises(exceptions.UserNotConfirmedException):
        await got(user.authenticate(stage["password"]))
    with pytest.raises(exceptions.CodeMismatchException):
        await got(user.confirm_sign_up("999999"))
    await got(user.resend_confirmation_code(stage["username"]))
    await got(user.confirm_sign_up(stage.sent_code()))
    await got(user.authenticate(stage["password"]))
    assert user.access_claims["sub"] == made["UserSub"]
    await got(user.initiate_forgot_password())
    await got(user.confirm_forgot_password(stage.sent_code(), stage["new"]))
    await got(user.authenticate(stage["new"]))
    assert user.id_claims["email"] == stage["email"]
    await got(user.logout())
    return user.access_token


async def directory(stage: Stage) -> Any:
    admin = stage.user()
    for number in range(5):
        await got(
            admin.admin_create_user(f"{stage['username']}{number}", additional_kwargs={"MessageAction": "SUPPRESS"})
        )
    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        page = await got(admin.client.list_users(UserPoolId=stage.ids[0], Limit=2, **token))
        pages.append([user["Username"] for user in page["Users"]])
        if "PaginationToken" not in page:
            break
        token = {"PaginationToken": page["PaginationToken"]}
    await got(admin.client.create_group(UserPoolId=stage.ids[0], GroupName=stage["group"], Description="late, late"))
    await got(admin.admin_add_user_to_group(f"{stage['username']}1", stage["group"]))
    assert (await got(admin.get_group(stage["group"]))).group_name == stage["group"]
    assert await got(admin.admin_list_groups_for_user(f"{stage['username']}1")) == [stage["group"]]
    with pytest.raises(exceptions.UsernameExistsException):
        await got(admin.admin_create_user(f"{stage['username']}2", additional_kwargs={"MessageAction": "SUPPRESS"}))
    with pytest.raises(exceptions.GroupExistsException) as caught:
        await got(admin.client.create_group(UserPoolId=stage.ids[0], GroupName=stage["group"]))
    assert caught.value.message == f"A group with the name {stage['group']} already exists."
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(name for page in pages for name in page) == [f"{stage['username']}{number}" for number in range(5)]


async def choices(stage: Stage) -> Any:
    user = stage.user()
    step = await got(user.sign_in(auth_flow="USER_AUTH"))
    offered = sorted(step.challenge.choices)
    with pytest.raises(exceptions.NotAuthorizedException):
        await got(step.answer(choice="PASSWORD_SRP", password=stage["wrong"]))
    step = await got(user.sign_in(auth_flow="USER_AUTH"))
    assert (await got(step.answer(choice="PASSWORD_SRP", password=stage["password"]))).done
    step = await got(user.sign_in(auth_flow="USER_AUTH", preferred="EMAIL_OTP"))
    assert (await got(step.answer(code=stage.sent_code()))).done
    step = await got(user.sign_in(stage["password"], auth_flow="CUSTOM_AUTH"))
    step = await got(step.answer(answer="9 of course"))
    assert not step.done
    step = await got(user.resume_sign_in(step.to_json()))
    step = await got(step.answer(answer="8"))
    assert step.done
    stage.used.add("9 of course")
    return offered


async def passkey(stage: Stage) -> Any:
    user, authenticator = stage.user(), Authenticator()
    await got(user.authenticate(stage["password"]))
    options = await got(user.start_web_authn_registration())
    await got(user.complete_web_authn_registration(authenticator.create(options)))
    (described,) = await got(user.list_web_authn_credentials())
    step = await got(user.sign_in(auth_flow="USER_AUTH", preferred="WEB_AUTHN"))
    credential = authenticator.get(json.loads(step.challenge.parameters["CREDENTIAL_REQUEST_OPTIONS"]))
    step = await got(step.answer(credential=credential))
    await got(user.delete_web_authn_credential(described["CredentialId"]))
    assert step.done
    return described["AuthenticatorAttachment"]


FACTORS = ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]
QUIZ = Quiz()
BY_CHOICE = {
    "pool_settings": {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": FACTORS}}},
    "triggers": QUIZ.triggers,
    "client_secret": True,
}
EMAIL = {"email": RECORDED["email"], "email_verified": "true"}
PHONE = {"phone_number": RECORDED["phone"], "phone_number_verified": "true"}
REQUIRED = {"Schema": [{"Name": "name", "Required": True, "Mutable": True, "AttributeDataType": "String"}]}
ROTATION = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 0}}
STORIES: dict[str, tuple[Story, dict[str, Any], dict[str, Any] | None]] = {
    "log in": (log_in, {"client_secret": True}, EMAIL),
    "new password": (new_password, {"pool_settings": REQUIRED}, {**EMAIL, "permanent": False}),
    "app codes": (app_codes, {}, EMAIL),
    "text messages": (text_message_codes, {"client_secret": True}, PHONE),
    "device": (device, {"remember_devices": True, "client_secret": True}, EMAIL),
    "rotation": (rotation, {"client_settings": ROTATION}, EMAIL),
    "sign-up": (sign_up, {"client_secret": True}, None),
    "directory": (directory, {}, None),
    "choices": (choices, BY_CHOICE, EMAIL),
    "passkey": (passkey, BY_CHOICE, EMAIL),
}
stories = pytest.mark.parametrize("name", STORIES)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    """Record each story once, for the tests that only read it."""
    folder, made = tmp_path_factory.mktemp("cassettes"), dict[str, tuple[Recorder, Stage, Any]]()

    def recording(name: str) -> tuple[Recorder, Stage, Any]:
        if name not in made:
            made[name] = record(name, folder / f"{name}.json")
        return made[name]

    return recording


def record(name: str, path: Path, *, asynchronous: bool = False) -> tuple[Recorder, Stage, Any]:
    story, settings, user = STORIES[name]
    recorder = Recorder(path, **settings)
    if user is not None:
        recorder.create(**user)
    with recorder.transport() as transport:
        stage = recorder.stage(transport, asynchronous=asynchronous)
        result = asyncio.run(story(stage))
    return recorder, stage, result


@stories
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_story_is_replayed(name: str, asynchronous: bool, recordings: Recordings) -> None:
    recorder, _, result = recordings(name)
    stage = replay_stage(recorder, asynchronous=asynchronous)
    replayed = asyncio.run(STORIES[name][0](stage))
    stage.transport.assert_all_used()
    if name == "log in":
        assert (result, replayed) == (RECORDED["email"], DUMMIES["email"])
    else:
        assert replayed == result


@stories
def test_a_story_recorded_by_the_asynchronous_facade_is_the_same(name: str, path: Path, recordings: Recordings) -> None:
    recorder, _, _ = record(name, path, asynchronous=True)
    other, _, _ = recordings(name)
    written, expected = (one.path.read_text(encoding="utf-8") for one in (recorder, other))
    assert written == expected.replace(other.ids[0], recorder.ids[0])


def test_a_story_over_an_asynchronous_transport_is_recorded_in_the_same_way(path: Path, recordings: Recordings) -> None:
    other, _, _ = recordings("rotation")
    _, settings, user = STORIES["rotation"]
    recorder = Recorder(path, **settings)
    recorder.create(**(user or {}))

    async def story() -> None:
        inner = as_async(recorder.spy)
        async with AsyncRecordingTransport(inner, path, clock=recorder.clock, monotonic=lambda: 0.0) as transport:
            await rotation(recorder.stage(transport, asynchronous=True))

    asyncio.run(story())
    written, expected = (one.path.read_text(encoding="utf-8") for one in (recorder, other))
    assert written == expected.replace(other.ids[0], recorder.ids[0])


@stories
def test_a_story_is_replayed_with_the_values_of_the_recording(name: str, recordings: Recordings) -> None:
    recorder, _, _ = recordings(name)
    stage = replay_stage(recorder, values=RECORDED)
    asyncio.run(STORIES[name][0](stage))
    stage.transport.assert_all_used()


def forms(text: str) -> set[str]:
    data = text.encode()
    encodings = {function(data).decode().rstrip("=") for function in (base64.b64encode, base64.urlsafe_b64encode)}
    return {text, quote(text, safe=""), data.hex(), json.dumps(text)[1:-1], *encodings}


@stories
def test_the_file_contains_no_secret_of_the_story(name: str, recordings: Recordings) -> None:
    recorder, stage, _ = recordings(name)
    written = recorder.path.read_text(encoding="utf-8")
    secrets = recorder.spy.texts | stage.used | set(RECORDED.values())
    secrets |= {recorder.pool.client_secret or RECORDED["password"], recorder.pool.client_id}
    assert len(secrets) > 15
    assert RECORDED["username"] in recorder.spy.texts | {""} or name == "directory"
    for secret in secrets:
        for form in forms(secret):
            assert form not in written, f"a value of {len(secret)} characters"
    # A base64 or hexadecimal run of this length is a key, a token or a proof, whoever's.
    assert not any(len(word) > 60 for word in written.replace('"', " ").split())


def test_strict_verifier_accepts_replayed_tokens_weeks_later(recordings: Recordings) -> None:
    recorder, _, _ = recordings("rotation")
    stage = replay_stage(recorder)
    user = stage.user()
    user.authenticate("anything")
    verifier = TokenVerifier(
        recorder.ids[0],
        client_id="the-program's-own-client",
        token_use=None,
        transport=stage.transport,
        clock=stage.clock,
    )
    access = verifier.verify(user.access_token, token_use="access")
    identity = verifier.verify(user.id_token, token_use="id", access_token=user.access_token)
    now = int(stage.clock())
    assert (access["iat"], access["exp"], access["auth_time"]) == (now, now + 3600, now)
    assert access["sub"] == identity["sub"]
    assert access["username"] == DUMMIES["username"]
    assert user.expires_datetime.timestamp() == stage.clock() + 3600
    stage.later(3601)
    with pytest.raises(exceptions.TokenVerificationException):
        verifier.verify(user.access_token, token_use="access")


def test_other_verifiers_refuse_replayed_tokens(recordings: Recordings) -> None:
    recorder, _, _ = recordings("rotation")
    stage = replay_stage(recorder)
    user = stage.user()
    user.authenticate("anything")
    real = TokenVerifier(recorder.ids[0], client_id=None, token_use=None, transport=recorder.pool, clock=stage.clock)
    with pytest.raises(exceptions.TokenVerificationException):
        real.verify(user.access_token, token_use="access")


@pytest.mark.parametrize("name", ["directory", "rotation"])
def test_the_program_may_use_another_pool_id(name: str, recordings: Recordings) -> None:
    recorder, _, _ = recordings(name)
    stage = replay_stage(recorder, user_pool_id="eu-central-1_Another1")
    stage.ids = ("eu-central-1_Another1", stage.ids[1])
    asyncio.run(STORIES[name][0](stage))
    stage.transport.assert_all_used()


def test_a_replay_has_ids_for_a_program_without_any(recordings: Recordings) -> None:
    recorder, _, _ = recordings("rotation")
    stage = replay_stage(recorder)
    assert stage.transport.user_pool_id == recorder.ids[0]
    user = srpcore.Cognito(
        stage.transport.user_pool_id,
        stage.transport.client_id,
        username="bob",
        transport=stage.transport,
        clock=stage.clock,
    )
    user.authenticate("anything")
    assert user.access_claims is not None
    assert user.access_claims["client_id"] == stage.transport.client_id
