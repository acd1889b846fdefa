"""Remembered devices: confirm, prove at login, after MFA and at refresh, forget, and start over when one is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import srpcore
from srpcore import exceptions
from srpcore._values import replace
from srpcore.crypto.totp import totp
from srpcore.protocol import Operation, Reply
from support.users import PASSWORD
from support.world import World, enrol, error

DEVICE_STEPS = [
    "InitiateAuth:USER_SRP_AUTH",
    "RespondToAuthChallenge:PASSWORD_VERIFIER",
    "RespondToAuthChallenge:DEVICE_SRP_AUTH",
    "RespondToAuthChallenge:DEVICE_PASSWORD_VERIFIER",
]


@pytest.fixture(params=[False, True], ids=["public", "confidential"])
def world(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    world = make_world(client_secret=request.param, remember_devices=True)
    world.create()
    return world


def remembered(world: World) -> srpcore.Device:
    user = world.user()
    user.authenticate(PASSWORD)
    return user.confirm_device("laptop")


def test_confirmed_device_is_proven_at_the_next_log_in(world: World) -> None:
    device = remembered(world)
    user = world.user(device=device)
    world.wire.clear()
    user.authenticate(PASSWORD)
    assert world.wire.names == DEVICE_STEPS
    assert user.access_claims is not None
    assert user.access_claims["device_key"] == device.key
    assert user.new_device_metadata is None
    for operation in world.wire.operations[1:]:
        responses = operation.parameters["ChallengeResponses"]
        assert responses["DEVICE_KEY"] == device.key
        assert ("SECRET_HASH" in responses) == (world.pool.client_secret is not None)
    first, _, third, _ = world.wire.operations
    assert first.parameters["AuthParameters"]["SRP_A"] != third.parameters["ChallengeResponses"]["SRP_A"]
    assert device.password not in repr(world.wire.operations)
    assert device.password not in repr([dict(operation.parameters) for operation in world.wire.operations])


def test_device_password_is_not_in_a_repr(world: World) -> None:
    device = remembered(world)
    assert device.password not in repr(device)


def test_wrong_device_password_is_refused(world: World) -> None:
    device = replace(remembered(world), password="bm90IHRoZSBwYXNzd29yZA==")
    user = world.user(device=device)
    with pytest.raises(exceptions.NotAuthorizedException):
        user.authenticate(PASSWORD)
    assert user.access_token is None
    assert user.device == device


def test_stale_device_is_forgotten_and_the_log_in_starts_over(world: World) -> None:
    device = remembered(world)
    other = world.user(device=device)
    other.authenticate(PASSWORD)
    other.forget_device()
    assert other.device is None
    user = world.user(device=device)
    world.wire.clear()
    user.authenticate(PASSWORD)
    assert user.device is None
    assert user.access_claims is not None
    begun = world.asked("InitiateAuth")
    assert [("DEVICE_KEY" in operation.parameters["AuthParameters"]) for operation in begun] == [True, False]
    assert len({operation.parameters["AuthParameters"]["SRP_A"] for operation in begun}) == 2


def test_stale_device_is_forgotten_even_if_the_login_then_fails(world: World) -> None:
    user = world.user(device=remembered(world))

    def answer(operation: Operation) -> Reply:
        if "DEVICE_KEY" in operation.parameters["AuthParameters"]:
            return error("ResourceNotFoundException", "Device does not exist.")
        return error("PasswordResetRequiredException", "Password reset required for the user")

    world.wire.instead = answer
    with pytest.raises(exceptions.PasswordResetRequiredException):
        user.authenticate(PASSWORD)
    assert user.device is None


def test_another_missing_resource_does_not_count_as_a_stale_device(world: World) -> None:
    device = remembered(world)
    user = world.user(device=device)
    world.wire.clear()
    world.wire.instead = lambda operation: error("ResourceNotFoundException", "User pool client does not exist.")
    with pytest.raises(exceptions.ResourceNotFoundException):
        user.authenticate(PASSWORD)
    assert len(world.wire.operations) == 1
    assert user.device == device


def test_without_a_device_a_missing_device_is_an_error(world: World) -> None:
    world.wire.instead = lambda operation: error("ResourceNotFoundException", "Device does not exist.")
    with pytest.raises(exceptions.ResourceNotFoundException):
        world.user().authenticate(PASSWORD)
    assert len(world.wire.operations) == 1


def test_device_is_proven_after_mfa(world: World) -> None:
    secret = enrol(world)
    user = world.user()
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        user.authenticate(PASSWORD)
    user.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
    device = user.confirm_device()
    world.clock.ahead += 60
    again = world.user(device=device)
    with pytest.raises(exceptions.SoftwareTokenMFAChallengeException):
        again.authenticate(PASSWORD)
    world.wire.clear()
    again.respond_to_software_token_mfa_challenge(totp(secret, world.clock()))
    assert world.wire.names == ["RespondToAuthChallenge:SOFTWARE_TOKEN_MFA", *DEVICE_STEPS[2:]]
    assert world.wire.operations[0].parameters["ChallengeResponses"]["DEVICE_KEY"] == device.key
    assert again.new_device_metadata is None
    assert again.access_claims is not None
    assert again.access_claims["device_key"] == device.key


def test_refresh_sends_the_device_key_without_an_access_token(world: World) -> None:
    user = world.user(device=remembered(world))
    user.authenticate(PASSWORD)
    user.access_token = None
    user.renew_access_token()
    user.device = user.access_token = None
    with pytest.raises(exceptions.NotAuthorizedException, match="Invalid Refresh Token"):
        user.renew_access_token()


@pytest.mark.parametrize("way", ["GetTokensFromRefreshToken", "InitiateAuth"])
def test_saved_tokens_refresh_with_the_device_that_the_access_token_names(world: World, way: str) -> None:
    device = remembered(world)
    user = world.user(device=device)
    user.authenticate(PASSWORD)
    world.wire.clear()
    world.wire.instead = lambda operation: (
        None
        if operation.name == way
        else error("UnknownOperationException")
        if operation.name == "GetTokensFromRefreshToken"
        else error("UnsupportedOperationException")
    )
    restarted = world.user(access_token=user.access_token, refresh_token=user.refresh_token)
    restarted.renew_access_token()
    sent = world.asked(way)[-1].parameters
    assert sent.get("DeviceKey", sent.get("AuthParameters", {}).get("DEVICE_KEY")) == device.key


def test_refresh_sends_the_key_of_the_token_and_not_of_another_device(world: World) -> None:
    device, other = remembered(world), remembered(world)
    user = world.user(device=device)
    user.authenticate(PASSWORD)
    restarted = world.user(access_token=user.access_token, refresh_token=user.refresh_token, device=other)
    restarted.renew_access_token()
    assert restarted.access_claims is not None
    assert restarted.access_claims["device_key"] == device.key


def test_refresh_token_of_another_process_is_sent_with_its_device(world: World) -> None:
    store = srpcore.MemoryStore()
    ours, theirs = world.user(store=store), world.user()
    ours.authenticate(PASSWORD)
    first = ours.confirm_device()
    theirs.authenticate(PASSWORD)
    second = theirs.confirm_device()
    assert ours.device == first
    key = srpcore.store.store_key(world.pool.user_pool_id, world.pool.client_id, "alice")
    store.save(key, srpcore.store.Login(theirs.tokens.stored, second))
    world.clock.ahead += 3601
    ours.renew_access_token()
    assert ours.access_claims is not None
    assert ours.access_claims["device_key"] == second.key


def test_device_key_that_is_not_a_string_is_not_sent(world: World) -> None:
    user = world.user(refresh_token="the-refresh-token", access_token="e30.eyJkZXZpY2Vfa2V5IjoxfQ.AA")
    with pytest.raises(exceptions.NotAuthorizedException):
        user.renew_access_token()
    sent = world.wire.operations[-1].parameters
    assert "DeviceKey" not in sent
    assert "DEVICE_KEY" not in sent.get("AuthParameters", {})


@pytest.mark.parametrize("remember", [False, True])
def test_a_device_is_remembered_on_request_if_the_pool_prompts_the_user(
    make_world: Callable[..., World], remember: bool
) -> None:
    settings = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": True}
    world = make_world(pool_settings={"DeviceConfiguration": settings})
    world.create()
    user = world.user()
    user.authenticate(PASSWORD)
    world.wire.clear()
    user.confirm_device(remember=remember)
    assert world.wire.names == ["ConfirmDevice", *(["UpdateDeviceStatus"] if remember else [])]
    world.wire.clear()
    user.authenticate(PASSWORD)
    assert ("RespondToAuthChallenge:DEVICE_SRP_AUTH" in world.wire.names) == remember


def test_a_remembered_device_can_be_made_not_remembered(world: World) -> None:
    user = world.user(device=remembered(world))
    user.authenticate(PASSWORD)
    user.update_device_status(False)
    world.wire.clear()
    user.authenticate(PASSWORD)
    assert world.wire.names == DEVICE_STEPS[:2]


def test_without_a_device_nothing_is_sent(world: World) -> None:
    user = world.user()
    user.authenticate(PASSWORD)
    user.confirm_device()
    world.wire.clear()
    with pytest.raises(exceptions.ConfigurationError, match="no new device"):
        user.confirm_device()
    user.device = None
    with pytest.raises(exceptions.ConfigurationError, match="no device"):
        user.forget_device()
    with pytest.raises(exceptions.ConfigurationError, match="no device"):
        user.update_device_status(True)
    assert world.wire.operations == []


def test_device_is_proven_after_a_new_password(world: World) -> None:
    device = remembered(world)
    world.pool.call(
        Operation(
            "AdminSetUserPassword",
            {"UserPoolId": world.pool.user_pool_id, "Username": "alice", "Password": PASSWORD, "Permanent": False},
        )
    )
    user = world.user(device=device)
    world.wire.clear()
    user.new_password_challenge(PASSWORD, "Another-Horse-2")
    assert world.wire.names == [
        *DEVICE_STEPS[:2],
        "RespondToAuthChallenge:NEW_PASSWORD_REQUIRED",
        *DEVICE_STEPS[2:],
    ]


def test_no_status_is_sent_if_the_pool_remembers_every_device(world: World) -> None:
    user = world.user()
    user.authenticate(PASSWORD)
    world.wire.clear()
    user.confirm_device()
    assert world.wire.names == ["ConfirmDevice"]
