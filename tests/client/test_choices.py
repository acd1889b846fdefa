"""Choice-based login, custom challenges, e-mail codes and passkeys over the facades, on every transport."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation
from support.authenticator import Authenticator
from support.quiz import Quiz
from support.users import PASSWORD
from support.world import WORLDS, World, enrol

FACTORS = ["PASSWORD", "EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"]
EVERY_FACTOR = {"Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": FACTORS}}}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    kind, secret = request.param
    quiz = Quiz()
    world = make_world(kind=kind, client_secret=secret, pool_settings=EVERY_FACTOR, triggers=quiz.triggers)
    world.create(
        email="alice@example.com", email_verified="true", phone_number="+15550100", phone_number_verified="true"
    )
    return world


def test_select_challenge_offers_the_available_challenges(world: World) -> None:
    step = world.user().sign_in(auth_flow="USER_AUTH")
    assert step.challenge is not None
    assert (step.challenge.name, step.needs) == ("SELECT_CHALLENGE", "choice")
    assert {"PASSWORD", "PASSWORD_SRP", "EMAIL_OTP", "SMS_OTP"} <= set(step.challenge.choices)
    with pytest.raises(exceptions.ConfigurationError, match="WEB_AUTHN"):
        step.answer(choice="WEB_AUTHN")


@pytest.mark.parametrize("choice", ["PASSWORD", "PASSWORD_SRP"])
def test_password_can_be_chosen(world: World, choice: str) -> None:
    user = world.user()
    step = user.sign_in(auth_flow="USER_AUTH")
    with pytest.raises(exceptions.ConfigurationError, match="needs password"):
        step.answer(choice=choice)
    with pytest.raises(exceptions.NotAuthorizedException):
        step.answer(choice=choice, password="wrong")
    world.wire.clear()
    assert user.sign_in(auth_flow="USER_AUTH").answer(choice=choice, password=PASSWORD).done
    sent = repr([dict(operation.parameters) for operation in world.wire.operations])
    assert (PASSWORD in sent) == (choice == "PASSWORD")


@pytest.mark.parametrize("preferred", [None, "PASSWORD", "PASSWORD_SRP"])
def test_password_can_be_preferred(world: World, preferred: str | None) -> None:
    user = world.user()
    assert user.sign_in(PASSWORD, auth_flow="USER_AUTH", preferred=preferred).done
    sent = repr([dict(operation.parameters) for operation in world.wire.operations])
    assert (PASSWORD in sent) == (preferred == "PASSWORD")
    with pytest.raises(exceptions.NotAuthorizedException):
        world.user().sign_in("wrong", auth_flow="USER_AUTH", preferred=preferred)


@pytest.mark.parametrize("factor", ["EMAIL_OTP", "SMS_OTP"])
def test_a_code_can_replace_the_password(world: World, factor: str) -> None:
    user = world.user()
    ways: list[Callable[[], srpcore.SignIn]] = [
        lambda: user.sign_in(auth_flow="USER_AUTH", preferred=factor),
        lambda: user.sign_in(auth_flow="USER_AUTH").answer(choice=factor),
    ]
    for begin in ways:
        step = begin()
        assert step.challenge is not None
        assert (step.challenge.name, step.needs) == (factor, "code")
        assert step.challenge.destination
        code = world.pool.outbox.latest("alice").code
        with pytest.raises(exceptions.CodeMismatchException):
            step.answer(code="00000000" if code != "00000000" else "11111111")
        assert step.answer(code=code).done
    assert user.access_claims is not None


def test_custom_challenge_works_without_a_password(world: World) -> None:
    user = world.user()
    step = user.sign_in(auth_flow="CUSTOM_AUTH")
    assert step.challenge is not None
    assert (step.challenge.name, step.needs) == ("CUSTOM_CHALLENGE", "answer")
    assert step.challenge.parameters["question"] == "5 + 3"
    step = step.answer(answer="9")
    assert not step.done
    step = world.user(None).resume_sign_in(step.to_json())
    assert step.answer(answer="8").done


def test_custom_challenge_works_after_srp(world: World) -> None:
    user = world.user()
    with pytest.raises(exceptions.NotAuthorizedException):
        user.sign_in("wrong", auth_flow="CUSTOM_AUTH")
    world.wire.clear()
    step = user.sign_in(PASSWORD, auth_flow="CUSTOM_AUTH")
    assert world.wire.names == ["InitiateAuth:CUSTOM_AUTH", "RespondToAuthChallenge:PASSWORD_VERIFIER"]
    assert world.wire.operations[0].parameters["AuthParameters"]["CHALLENGE_NAME"] == "SRP_A"
    assert step.needs == "answer"
    assert step.answer(answer="8").done
    assert PASSWORD not in repr([dict(operation.parameters) for operation in world.wire.operations])


def test_email_code_can_be_the_second_factor(world: World) -> None:
    world.pool.call(
        Operation(
            "SetUserPoolMfaConfig",
            {
                "UserPoolId": world.pool.user_pool_id,
                "MfaConfiguration": "OPTIONAL",
                "EmailMfaConfiguration": {},
                "SoftwareTokenMfaConfiguration": {"Enabled": True},
            },
        )
    )
    secret = enrol(world)
    of_alice = {"UserPoolId": world.pool.user_pool_id, "Username": "alice"}
    world.pool.call(
        Operation(
            "AdminSetUserMFAPreference", {**of_alice, "EmailMfaSettings": {"Enabled": True, "PreferredMfa": True}}
        )
    )
    step = world.user().sign_in(PASSWORD)
    assert step.challenge is not None
    assert (step.challenge.name, step.needs) == ("EMAIL_OTP", "code")
    assert step.answer(code=world.pool.outbox.latest("alice").code).done
    world.pool.call(
        Operation(
            "AdminSetUserMFAPreference",
            {
                **of_alice,
                "EmailMfaSettings": {"Enabled": True, "PreferredMfa": False},
                "SoftwareTokenMfaSettings": {"Enabled": True, "PreferredMfa": False},
            },
        )
    )
    step = world.user().sign_in(PASSWORD)
    assert step.challenge is not None
    assert step.challenge.name == "SELECT_MFA_TYPE"
    assert step.answer(choice="SOFTWARE_TOKEN_MFA").answer(code=totp(secret, world.clock())).done


def test_passkeys_are_registered_used_and_deleted(world: World) -> None:
    user = world.user()
    user.authenticate(PASSWORD)
    authenticator = Authenticator()
    user.complete_web_authn_registration(authenticator.create(user.start_web_authn_registration()))
    (described,) = user.list_web_authn_credentials()
    assert described["CreatedAt"].tzinfo is not None
    again = world.user()
    step = again.sign_in(auth_flow="USER_AUTH", preferred="WEB_AUTHN")
    assert step.challenge is not None
    assert (step.challenge.name, step.needs) == ("WEB_AUTHN", "credential")
    options: dict[str, Any] = json.loads(step.challenge.parameters["CREDENTIAL_REQUEST_OPTIONS"])
    credential = authenticator.get(options)
    assert step.answer(credential=credential).done
    with pytest.raises(exceptions.ServiceError):
        step.answer(credential=json.dumps(credential))
    with pytest.raises(exceptions.ConfigurationError, match="needs credential"):
        world.user().sign_in(auth_flow="USER_AUTH", preferred="WEB_AUTHN").answer()
    user.delete_web_authn_credential(described["CredentialId"])
    assert user.list_web_authn_credentials() == []


def test_sessions_are_listed_and_revoked(world: World) -> None:
    first, second = world.user(), world.user()
    first.authenticate(PASSWORD)
    second.authenticate(PASSWORD)
    sessions = first.list_user_sessions()
    assert len(sessions) == 2
    assert all(session["CreateDate"].tzinfo is not None for session in sessions)
    (other,) = [session for session in sessions if not session["IsCurrentSession"]]
    first.revoke_user_session(other["SessionId"])
    assert len(first.list_user_sessions()) == 1
    with pytest.raises(exceptions.NotAuthorizedException):
        second.renew_access_token()
    assert [session["SessionId"] for session in first.admin_list_user_sessions("alice")] != []
    first.admin_revoke_user_session("alice", first.list_user_sessions()[0]["SessionId"])
    with pytest.raises(exceptions.NotAuthorizedException):
        first.renew_access_token()
    third = world.user()
    third.authenticate(PASSWORD)
    assert "PASSWORD" in third.get_user_auth_factors()["ConfiguredUserAuthFactors"]
    third.admin_user_global_sign_out("alice")
    with pytest.raises(exceptions.NotAuthorizedException):
        third.get_user()


def test_devices_are_listed(make_world: Callable[..., World]) -> None:
    world = make_world(remember_devices=True)
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    device = user.confirm_device("laptop")
    (listed,) = user.list_devices()
    assert listed["DeviceKey"] == device.key
    assert listed["DeviceCreateDate"].tzinfo is not None
    assert [found["DeviceKey"] for found in user.admin_list_devices("alice")] == [device.key]


def test_choices_work_on_an_event_loop(world: World) -> None:
    async def story() -> None:
        user = world.async_user()
        step = await (await user.sign_in(auth_flow="USER_AUTH")).answer(choice="PASSWORD_SRP", password=PASSWORD)
        assert step.done
        step = await (await user.sign_in(auth_flow="CUSTOM_AUTH")).answer(answer="8")
        assert step.done
        assert await user.list_web_authn_credentials() == []

    asyncio.run(story())
