"""Log in step by step: challenges as values, answered here or in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import srpcore
from srpcore import Challenge, exceptions
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation, Reply
from support.users import NEW_PASSWORD, PASSWORD
from support.world import World, enrol

CONTEXT = {"IpAddress": "127.0.0.1", "ServerName": "here", "ServerPath": "/", "HttpHeaders": []}


def test_a_log_in_that_needs_nothing_is_done(world: World) -> None:
    world.create()
    user = world.user()
    step = user.sign_in(PASSWORD)
    assert step.done
    assert step.needs is None
    assert user.access_claims is not None
    with pytest.raises(exceptions.ConfigurationError, match="nothing to answer"):
        step.answer(code="123456")
    with pytest.raises(exceptions.ConfigurationError, match="nothing to answer"):
        step.to_json()


@pytest.mark.parametrize("auth_flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH"])
def test_wrong_password_is_refused_by_every_flow(world: World, auth_flow: str) -> None:
    world.create()
    user = world.user()
    with pytest.raises(exceptions.NotAuthorizedException):
        user.sign_in("wrong", auth_flow=auth_flow)
    assert user.access_token is None
    user.sign_in(PASSWORD, auth_flow=auth_flow)
    assert user.access_token


@pytest.mark.parametrize("auth_flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"])
@pytest.mark.parametrize("password", [None, "lone \ud800"])
def test_flow_that_needs_a_password_sends_nothing_without_one(
    world: World, auth_flow: str, password: str | None
) -> None:
    with pytest.raises(exceptions.ConfigurationError, match="password"):
        world.user().sign_in(password, auth_flow=auth_flow)
    assert world.wire.operations == []


def test_new_password_and_totp_in_other_processes(world: World) -> None:
    world.create()
    secret = enrol(world)
    of_alice = {"UserPoolId": world.pool.user_pool_id, "Username": "alice"}
    world.pool.call(Operation("AdminSetUserPassword", {**of_alice, "Password": PASSWORD, "Permanent": False}))
    texts = []
    step = world.user().sign_in(PASSWORD)
    while not step.done:
        texts.append(step.to_json())
        assert step.needs in ("new_password", "code")
        elsewhere = world.user(None).resume_sign_in(texts[-1])
        assert elsewhere.challenge == step.challenge
        if step.needs == "new_password":
            step = elsewhere.answer(new_password=NEW_PASSWORD)
        else:
            step = elsewhere.answer(code=totp(secret, world.clock()))
    assert len(texts) == 2
    for text in texts:
        for hidden in (
            PASSWORD,
            NEW_PASSWORD,
            secret,
            *([world.pool.client_secret] if world.pool.client_secret else []),
        ):
            assert hidden not in text


def test_wrong_code_can_be_given_again(world: World) -> None:
    world.create()
    secret = enrol(world)
    step = world.user().sign_in(PASSWORD)
    with pytest.raises(exceptions.CodeMismatchException):
        step.answer(code=f"{(int(totp(secret, world.clock())) + 1) % 10**6:06d}")
    assert step.answer(code=totp(secret, world.clock())).done


def test_an_answer_must_have_what_the_challenge_needs(world: World) -> None:
    world.create()
    enrol(world)
    step = world.user().sign_in(PASSWORD)
    world.wire.clear()
    answers: list[dict[str, Any]] = [{}, {"code": ""}, {"code": "  "}, {"new_password": "x"}, {"answer": "123456"}]
    for answer in answers:
        with pytest.raises(exceptions.ConfigurationError, match="needs code"):
            step.answer(**answer)
    with pytest.raises(exceptions.ConfigurationError, match="is not MFA_SETUP"):
        step.set_up_totp()
    assert world.wire.operations == []


def test_a_factor_can_be_chosen(world: World) -> None:
    world.create(phone_number="+15550100", phone_number_verified="true")
    secret = enrol(world)
    of_alice = {"UserPoolId": world.pool.user_pool_id, "Username": "alice"}
    both = {"SMSMfaSettings": {"Enabled": True}, "SoftwareTokenMfaSettings": {"Enabled": True}}
    world.pool.call(Operation("AdminSetUserMFAPreference", {**of_alice, **both}))
    user = world.user()
    step = user.sign_in(PASSWORD)
    assert step.challenge is not None
    assert (step.challenge.name, step.needs) == ("SELECT_MFA_TYPE", "choice")
    assert set(step.challenge.choices) == {"SMS_MFA", "SOFTWARE_TOKEN_MFA"}
    with pytest.raises(exceptions.ConfigurationError, match="EMAIL_OTP"):
        step.answer(choice="EMAIL_OTP")
    step = step.answer(choice="SMS_MFA")
    assert step.challenge is not None
    assert (step.challenge.name, step.needs) == ("SMS_MFA", "code")
    assert step.challenge.destination
    assert step.answer(code=world.pool.outbox.latest("alice").code).done
    step = user.sign_in(PASSWORD).answer(choice="SOFTWARE_TOKEN_MFA")
    assert step.answer(code=totp(secret, world.clock())).done


def test_a_required_factor_is_set_up_during_login(make_world: Callable[..., World]) -> None:
    world = make_world(pool_settings={"MfaConfiguration": "ON"})
    world.pool.call(
        Operation(
            "SetUserPoolMfaConfig",
            {
                "UserPoolId": world.pool.user_pool_id,
                "MfaConfiguration": "ON",
                "SoftwareTokenMfaConfiguration": {"Enabled": True},
            },
        )
    )
    world.create()
    user = world.user()
    step = user.sign_in(PASSWORD)
    assert step.challenge is not None
    assert (step.challenge.name, step.needs) == ("MFA_SETUP", "set_up")
    assert "SOFTWARE_TOKEN_MFA" in step.challenge.choices
    secret, step = step.set_up_totp()
    # The login can go on in another process here, too.
    step = world.user(None).resume_sign_in(step.to_json())
    step = step.answer(code=totp(secret, world.clock()))
    assert step.done
    world.clock.ahead += 60
    again = user.sign_in(PASSWORD)
    assert again.challenge is not None
    assert again.challenge.name == "SOFTWARE_TOKEN_MFA"
    assert again.answer(code=totp(secret, world.clock())).done


def test_login_of_an_administrator_is_answered_by_the_admin_operation(world: World) -> None:
    world.create()
    secret = enrol(world)
    user = world.user()
    world.wire.clear()
    step = user.sign_in(PASSWORD, auth_flow="ADMIN_USER_PASSWORD_AUTH", user_context=CONTEXT)
    step = world.user(None).resume_sign_in(step.to_json())
    assert step.answer(code=totp(secret, world.clock())).done
    assert world.wire.names == [
        "AdminInitiateAuth:ADMIN_USER_PASSWORD_AUTH",
        "AdminRespondToAuthChallenge:SOFTWARE_TOKEN_MFA",
    ]
    for operation in world.wire.operations:
        assert operation.parameters["UserPoolId"] == world.pool.user_pool_id
    assert world.wire.operations[0].parameters["ContextData"] == CONTEXT


def test_admin_authenticate_answers_challenges(world: World) -> None:
    world.create()
    secret = enrol(world)
    user = world.user()
    world.wire.clear()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        user.admin_authenticate(PASSWORD)
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
    assert user.access_claims is not None
    assert world.wire.names == [
        "AdminInitiateAuth:ADMIN_NO_SRP_AUTH",
        "AdminRespondToAuthChallenge:SOFTWARE_TOKEN_MFA",
    ]
    with pytest.raises(exceptions.NotAuthorizedException):
        user.admin_authenticate("wrong")


def test_metadata_and_context_are_sent_with_every_step(world: World) -> None:
    world.create()
    secret = enrol(world)
    world.wire.clear()
    more: dict[str, Any] = {"client_metadata": {"from": "web"}, "user_context": {"EncodedData": "abc"}}
    world.user().sign_in(PASSWORD, **more).answer(code=totp(secret, world.clock()), **more)
    assert len(world.wire.operations) == 3
    for operation in world.wire.operations:
        assert operation.parameters["ClientMetadata"] == {"from": "web"}
        assert operation.parameters["UserContextData"] == {"EncodedData": "abc"}


def test_steps_work_on_an_event_loop(world: World) -> None:
    world.create()
    secret = enrol(world)

    async def story() -> srpcore.AsyncCognito:
        user = world.async_user()
        step = await user.sign_in(PASSWORD)
        step = await user.resume_sign_in(step.to_json())
        step = await step.answer(code=totp(secret, world.clock()))
        assert step.done
        return user

    assert asyncio.run(story()).access_token


def test_device_challenge_without_the_device_cannot_be_answered(make_world: Callable[..., World]) -> None:
    world = make_world(remember_devices=True)
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    device = user.confirm_device()
    world.wire.instead = lambda operation: (
        Reply({"ChallengeName": "DEVICE_SRP_AUTH", "Session": "s", "ChallengeParameters": {}})
        if operation.name == "RespondToAuthChallenge"
        else None
    )
    step = world.user().sign_in(PASSWORD)
    assert step.needs == "device"
    with pytest.raises(exceptions.UnsupportedChallenge):
        step.answer()
    assert device.key not in repr(step)


def test_unknown_challenge_is_an_error(world: World) -> None:
    world.wire.instead = lambda operation: Reply({"ChallengeName": "BRAND_NEW", "Session": "s"})
    with pytest.raises(exceptions.UnsupportedChallenge, match="BRAND_NEW"):
        world.user().sign_in(PASSWORD)


def test_a_proof_that_needs_the_request_before_it_is_refused_and_nothing_is_sent(world: World) -> None:
    for name in ("PASSWORD_VERIFIER", "DEVICE_PASSWORD_VERIFIER"):
        step = world.user().resume_sign_in(Challenge(name, "session", {}, "alice").to_json())
        with pytest.raises(exceptions.UnsupportedChallenge, match=name):
            step.answer(password=PASSWORD)
    assert world.wire.operations == []


def test_admin_no_srp_auth_is_answered_with_the_password(world: World) -> None:
    step = world.user().resume_sign_in(Challenge("ADMIN_NO_SRP_AUTH", "session", {}, "alice").to_json())
    with pytest.raises(exceptions.ConfigurationError, match="password"):
        step.answer()
    assert world.wire.operations == []
    world.wire.instead = lambda operation: Reply({"ChallengeName": "SMS_MFA", "Session": "s"})
    assert step.answer(password=PASSWORD).needs == "code"
    (sent,) = world.wire.operations
    assert sent.parameters["ChallengeResponses"]["PASSWORD"] == PASSWORD


def test_after_the_secret_was_shown_another_process_answers_with_a_code(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create()
    settings = {"MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    pool = {"UserPoolId": world.pool.user_pool_id}
    assert world.pool.call(Operation("SetUserPoolMfaConfig", {**pool, **settings})).status == 200
    step = world.user().sign_in(PASSWORD)
    assert step.needs == "set_up"
    secret, step = step.set_up_totp()
    assert step.needs == "code"
    resumed = world.user(None).resume_sign_in(step.to_json())
    assert resumed.challenge == step.challenge
    assert resumed.needs == "code"
    assert resumed.answer(code=totp(secret, world.clock())).done
