"""Challenges for which pycognito's interface has no method: the error names the way, and the login can be continued."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from srpcore import exceptions
from srpcore.crypto.totp import totp
from srpcore.flows.challenge import NEEDS, Answer, Challenge, challenge_of, unsupported
from srpcore.protocol import Reply
from support.users import NEW_PASSWORD, PASSWORD
from support.world import World, enrol

MFA_ON = {"MfaConfiguration": "ON"}
EMAIL = {"EmailMfaConfiguration": {"Subject": "code"}}
BY_EMAIL: dict[str, Any] = {"email": "alice@example.com", "email_verified": "true"}


def email_world(make_world: Callable[..., World], **user: Any) -> World:
    world = make_world(pool_settings={**MFA_ON, **EMAIL})
    world.create(**BY_EMAIL, **user)
    return world


@pytest.mark.parametrize("how", ["authenticate", "admin_authenticate", "new_password_challenge"])
def test_code_by_email_is_answered_from_the_error(make_world: Callable[..., World], how: str) -> None:
    world = email_world(make_world, permanent=how != "new_password_challenge")
    user = world.user()
    arguments = (PASSWORD, NEW_PASSWORD) if how == "new_password_challenge" else (PASSWORD,)
    with pytest.raises(exceptions.UnsupportedChallenge, match=r"EMAIL_OTP.*answer\(code=") as caught:
        getattr(user, how)(*arguments)
    step = user.resume_sign_in(caught.value.to_json())
    assert step.answer(code=world.pool.outbox.latest("alice").code).done
    assert user.access_claims is not None
    administrator = "Admin" if how == "admin_authenticate" else ""
    assert world.wire.names[-1] == f"{administrator}RespondToAuthChallenge:EMAIL_OTP"


def test_code_by_email_is_answered_from_the_error_on_the_event_loop(make_world: Callable[..., World]) -> None:
    world = email_world(make_world)

    async def log_in() -> None:
        async with world.async_user() as user:
            with pytest.raises(exceptions.UnsupportedChallenge) as caught:
                await user.authenticate(PASSWORD)
            challenge = Challenge.from_json(caught.value.to_json())
            await user.answer_challenge(challenge, Answer(code=world.pool.outbox.latest("alice").code))
            assert user.access_claims is not None

    asyncio.run(log_in())


def test_authenticator_app_is_set_up_from_the_error(make_world: Callable[..., World]) -> None:
    world = make_world(pool_settings=MFA_ON)
    world.create()
    user = world.user()
    with pytest.raises(exceptions.UnsupportedChallenge, match=r"MFA_SETUP.*set_up_totp\(\)") as caught:
        user.authenticate(PASSWORD)
    secret, step = user.resume_sign_in(caught.value.to_json()).set_up_totp()
    assert step.answer(code=totp(secret, world.clock())).done


def test_second_factor_is_chosen_from_the_error(make_world: Callable[..., World]) -> None:
    world = make_world(pool_settings=EMAIL)
    world.create(**BY_EMAIL)
    secret = enrol(world)
    user = world.user()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        user.authenticate(PASSWORD)
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
    user.set_user_mfa_preference(None, True, email_mfa=True)
    with pytest.raises(exceptions.UnsupportedChallenge, match=r"SELECT_MFA_TYPE.*answer\(choice=") as caught:
        user.authenticate(PASSWORD)
    step = user.resume_sign_in(caught.value.to_json()).answer(choice="EMAIL_OTP")
    assert step.answer(code=world.pool.outbox.latest("alice").code).done


def test_remembered_device_that_the_object_lacks_is_named(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create()
    reply = Reply({"ChallengeName": "DEVICE_SRP_AUTH", "Session": "s", "ChallengeParameters": {}})
    world.wire.instead = lambda operation: reply if operation.name == "RespondToAuthChallenge" else None
    with pytest.raises(exceptions.UnsupportedChallenge, match=r"device=\.\.\.") as caught:
        world.user().authenticate(PASSWORD)
    with pytest.raises(exceptions.ConfigurationError, match="begin the login again"):
        caught.value.to_json()


@pytest.mark.parametrize("name", NEEDS)
def test_error_for_every_challenge_names_the_way_and_hides_the_session(name: str) -> None:
    challenge = Challenge(name, "the-session", {"USERNAME": "alice"}, "alice")
    error = unsupported(challenge)
    assert str(error).startswith(f"challenge {name} is not supported by this method: ")
    assert "the-session" not in f"{error} {error!r} {error.args}"
    if NEEDS[name][0] != "device" and name != "PASSWORD_VERIFIER":
        assert Challenge.from_json(error.to_json()) == challenge
        for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (str(again), again.to_json()) == (str(error), error.to_json())


def test_challenge_that_is_newer_than_the_library_names_the_operation(make_world: Callable[..., World]) -> None:
    context = make_world().user()._login_context()
    with pytest.raises(exceptions.UnsupportedChallenge, match=r"BRAND_NEW.*RespondToAuthChallenge"):
        challenge_of(context, {"ChallengeName": "BRAND_NEW", "Session": "s"})


@pytest.mark.parametrize("given", [False, True], ids=["of the object", "given"])
def test_method_of_another_factor_says_so_and_keeps_the_session(make_world: Callable[..., World], given: bool) -> None:
    world = make_world()
    world.create(phone_number="+15550100", phone_number_verified="true")
    secret = enrol(world)
    user = world.user()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException) as caught:
        user.authenticate(PASSWORD)
    tokens = caught.value.get_tokens() if given else None
    world.wire.clear()
    with pytest.raises(exceptions.ConfigurationError, match="respond_to_software_token_mfa_challenge") as refused:
        user.respond_to_sms_mfa_challenge("123456", tokens)
    assert world.wire.operations == []
    assert caught.value.get_tokens()["Session"] not in str(refused.value)
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()), tokens)
    user.set_user_mfa_preference(True, False, "SMS")
    with pytest.raises(exceptions.SMSMFAChallengeException) as by_sms:
        user.authenticate(PASSWORD)
    tokens = by_sms.value.get_tokens() if given else None
    with pytest.raises(exceptions.ConfigurationError, match="respond_to_sms_mfa_challenge"):
        user.respond_to_software_token_mfa_challenge("123456", tokens)
    user.respond_to_sms_mfa_challenge(world.pool.outbox.latest("alice").code, tokens)
    assert user.access_claims is not None


def test_method_for_a_code_names_answer_challenge_for_other_challenges(make_world: Callable[..., World]) -> None:
    world = make_world()
    with pytest.raises(exceptions.ConfigurationError, match="answer_challenge"):
        world.user().respond_to_sms_mfa_challenge("123456", {"ChallengeName": "EMAIL_OTP", "Session": "s"})
    assert world.wire.operations == []


def test_tokens_with_a_session_alone_are_answered(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create()
    secret = enrol(world)
    user = world.user()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException) as caught:
        user.authenticate(PASSWORD)
    session = caught.value.get_tokens()["Session"]
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()), {"Session": session})
    assert user.access_claims is not None
