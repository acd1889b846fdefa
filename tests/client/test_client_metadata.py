"""``client_metadata`` reaches every operation that hands it to the pool's Lambda triggers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import srpcore
from srpcore import exceptions
from srpcore.crypto.totp import totp
from srpcore.protocol import Reply
from support.users import NEW_PASSWORD, PASSWORD
from support.world import World, enrol

METADATA = {"from": "the-program"}


def metadata_sent(world: World) -> list[Any]:
    return [operation.parameters.get("ClientMetadata") for operation in world.wire.operations]


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (lambda user: user.register("bob", PASSWORD, None, METADATA), "SignUp"),
        (lambda user: user.confirm_sign_up("123456", client_metadata=METADATA), "ConfirmSignUp"),
        (lambda user: user.admin_confirm_sign_up(client_metadata=METADATA), "AdminConfirmSignUp"),
        (lambda user: user.resend_confirmation_code("alice", client_metadata=METADATA), "ResendConfirmationCode"),
        (lambda user: user.initiate_forgot_password(METADATA), "ForgotPassword"),
        (
            lambda user: user.confirm_forgot_password("123456", PASSWORD, client_metadata=METADATA),
            "ConfirmForgotPassword",
        ),
        (lambda user: user.admin_reset_password("alice", METADATA), "AdminResetUserPassword"),
        (lambda user: user.update_profile({"name": "Alice"}, client_metadata=METADATA), "UpdateUserAttributes"),
        (
            lambda user: user.admin_update_profile({"name": "Alice"}, client_metadata=METADATA),
            "AdminUpdateUserAttributes",
        ),
        (lambda user: user.send_verification(client_metadata=METADATA), "GetUserAttributeVerificationCode"),
        (
            lambda user: user.admin_create_user("bob", additional_kwargs={"ClientMetadata": METADATA}),
            "AdminCreateUser",
        ),
    ],
)
def test_operation_sends_client_metadata(
    make_world: Callable[..., World], call: Callable[[srpcore.Cognito], object], operation: str
) -> None:
    world = make_world()
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    world.wire.clear()
    world.wire.instead = lambda operation: Reply({})
    call(user)
    assert world.wire.names == [operation]
    assert metadata_sent(world) == [METADATA]


@pytest.mark.parametrize("client_secret", [False, True])
@pytest.mark.parametrize("method", ["renew_access_token", "check_token", "check_tokens"])
def test_refresh_sends_client_metadata(make_world: Callable[..., World], method: str, client_secret: bool) -> None:
    world = make_world(client_secret=client_secret)
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    world.wire.clear()
    world.clock.ahead += 3601
    getattr(user, method)(client_metadata=METADATA)
    assert metadata_sent(world) == [METADATA]


def test_refresh_on_the_event_loop_sends_client_metadata(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create()
    user = world.async_user()

    async def refresh() -> None:
        await user.authenticate(PASSWORD)
        world.wire.clear()
        await user.renew_access_token(client_metadata=METADATA)
        world.clock.ahead += 3601
        await user.check_token(client_metadata=METADATA)
        await user.close()

    asyncio.run(refresh())
    assert metadata_sent(world) == [METADATA] * 2


def test_replaced_refresh_gets_the_metadata_only_if_it_was_given(make_world: Callable[..., World]) -> None:
    called: list[Any] = []

    class Replaced(srpcore.Cognito):
        def renew_access_token(self, **more: Any) -> None:
            called.append(more)

    world = make_world()
    world.create()
    user = world.user(cls=Replaced)
    user.authenticate(PASSWORD)
    world.clock.ahead += 3601
    user.check_token()
    user.check_token(client_metadata=METADATA)
    assert called == [{}, {"client_metadata": METADATA}]


@pytest.mark.parametrize("how", ["user", "administrator", "AWSSRP"])
def test_new_password_sends_client_metadata_in_each_request(make_world: Callable[..., World], how: str) -> None:
    world = make_world()
    world.create(permanent=False)
    user = world.user()
    if how == "AWSSRP":
        srp = srpcore.AWSSRP("alice", PASSWORD, world.pool.user_pool_id, world.pool.client_id, client=world.wire)
        srp.set_new_password_challenge(NEW_PASSWORD, client_metadata=METADATA)
    else:
        if how == "administrator":
            with pytest.raises(exceptions.ForceChangePasswordException):
                user.admin_authenticate(PASSWORD, METADATA)
        user.new_password_challenge(PASSWORD, NEW_PASSWORD, client_metadata=METADATA)
    assert metadata_sent(world) == [METADATA] * (2 if how == "administrator" else 3)


def test_codes_send_client_metadata(make_world: Callable[..., World]) -> None:
    world = make_world()
    world.create(phone_number="+15550100", phone_number_verified="true")
    secret = enrol(world)
    user = world.user()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        user.authenticate(PASSWORD)
    world.wire.clear()
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()), client_metadata=METADATA)
    assert metadata_sent(world) == [METADATA]
    user.set_user_mfa_preference(True, False, "SMS")
    with pytest.raises(exceptions.SMSMFAChallengeException):
        user.authenticate(PASSWORD)
    world.wire.clear()
    user.respond_to_sms_mfa_challenge(world.pool.outbox.latest("alice").code, client_metadata=METADATA)
    assert metadata_sent(world) == [METADATA]
