"""Remembered devices: ConfirmDevice, DEVICE_SRP_AUTH, and their effect on second factors and refresh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from srpcore.crypto.cognito import GROUP
from srpcore.crypto.device import DeviceVerifier
from srpcore.crypto.encoding import to_hex
from srpcore.crypto.totp import totp

from .client import Client, Device, begin_device, confirm_device, enrol, finish, refused

pytestmark = pytest.mark.slow

Make = Callable[..., Client]
PROMPT = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": True}
ON_NEW = {"ChallengeRequiredOnNewDevice": True, "DeviceOnlyRememberedOnUserPrompt": False}


@pytest.fixture
def client(make: Make) -> Client:
    client = make(remember_devices=True)
    client.user()
    return client


def with_devices(make: Make, configuration: dict[str, bool]) -> Client:
    client = make(pool_settings={"DeviceConfiguration": configuration})
    client.user()
    return client


def answers_of(device: Device, exchange: Any) -> dict[str, str]:
    return {**exchange.answers(device.password, identity=device.identity), "DEVICE_KEY": device.key}


def test_a_new_device_gets_a_key(client: Client) -> None:
    metadata = client.tokens()["NewDeviceMetadata"]
    assert isinstance(metadata, dict)
    assert metadata["DeviceKey"].startswith("us-east-1_")
    assert metadata["DeviceGroupKey"].startswith("-")
    assert len(metadata["DeviceGroupKey"]) == 9


def test_devices_are_not_tracked_unless_the_pool_does(make: Make) -> None:
    client = make()
    client.user()
    assert "NewDeviceMetadata" not in client.tokens()


@pytest.mark.parametrize("salt", [None, -(0x93AB << 112), 0x7F, 1 << 127])
def test_a_remembered_device_proves_itself(client: Client, salt: int | None) -> None:
    device, reply = confirm_device(client, client.tokens(), salt)
    assert reply["UserConfirmationNecessary"] is False
    challenge = client.log_in(device_key=device.key)
    assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"
    result = finish(client, challenge, device)["AuthenticationResult"]
    assert "NewDeviceMetadata" not in result


def test_another_device_password_is_refused(client: Client) -> None:
    device, _ = confirm_device(client, client.tokens())
    with refused("NotAuthorizedException", "Incorrect username or password."):
        finish(client, client.log_in(device_key=device.key), device, "another password")


def test_a_missing_session_is_accepted_and_a_wrong_one_refused(client: Client) -> None:
    device, _ = confirm_device(client, client.tokens())
    exchange = begin_device(client, client.log_in(device_key=device.key), device, session=None)
    assert "AuthenticationResult" in client.respond("DEVICE_PASSWORD_VERIFIER", None, answers_of(device, exchange))
    challenge = client.log_in(device_key=device.key)
    with refused("NotAuthorizedException", "Invalid session for the user."):
        begin_device(client, challenge, device, session="A" * 400)
    exchange = begin_device(client, challenge, device)
    with refused("NotAuthorizedException", "Invalid session for the user."):
        exchange.respond(answers_of(device, exchange), session="A" * 400)
    answers = answers_of(device, exchange)
    exchange.respond(answers)
    for session, message in (
        (exchange.reply["Session"], "Invalid session for the user."),
        (None, "Incorrect username or password."),
    ):
        with refused("NotAuthorizedException", message):
            client.respond("DEVICE_PASSWORD_VERIFIER", session, answers)


def test_the_device_steps_need_the_password_before_them(client: Client) -> None:
    device, _ = confirm_device(client, client.tokens())
    with refused("NotAuthorizedException", "Invalid session for the user."):
        begin_device(client, {"Session": None}, device)


def test_an_answer_without_a_session_belongs_to_its_user(client: Client) -> None:
    client.user("bob")
    device, _ = confirm_device(client, client.tokens())
    client.log_in(device_key=device.key)
    with refused("NotAuthorizedException", "Invalid session for the user."):
        begin_device(client, {"Session": None}, device, USERNAME="bob")


def test_the_device_steps_refuse_another_device(client: Client) -> None:
    first, _ = confirm_device(client, client.tokens())
    second, _ = confirm_device(client, client.tokens())
    with refused("ResourceNotFoundException", "Device does not exist."):
        begin_device(client, client.log_in(device_key=first.key), second)
    exchange = begin_device(client, client.log_in(device_key=first.key), first)
    with refused("ResourceNotFoundException", "Device does not exist."):
        exchange.respond({**answers_of(first, exchange), "DEVICE_KEY": second.key})


@pytest.mark.parametrize("A", ["0", to_hex(GROUP.N), to_hex(2 * GROUP.N)])
def test_a_public_value_of_zero_is_refused(client: Client, A: str) -> None:
    device, _ = confirm_device(client, client.tokens())
    with refused("InvalidParameterException"):
        begin_device(client, client.log_in(device_key=device.key), device, SRP_A=A)


def test_a_stale_timestamp_is_refused(client: Client) -> None:
    device, _ = confirm_device(client, client.tokens())
    exchange = begin_device(client, client.log_in(device_key=device.key), device)
    stamp = client.timestamp(-600)
    answers = exchange.answers(device.password, identity=device.identity, timestamp=stamp)
    with refused("NotAuthorizedException"):
        exchange.respond({**answers, "DEVICE_KEY": device.key})


def test_unknown_unconfirmed_and_forgotten_devices_are_refused_after_the_password(client: Client) -> None:
    tokens: dict[str, Any] = dict(client.tokens())
    for key in ("us-east-1_made-up", tokens["NewDeviceMetadata"]["DeviceKey"]):
        with refused("ResourceNotFoundException", "Device does not exist."):
            client.log_in(device_key=key)
        with refused("NotAuthorizedException"):
            client.log_in(password="Wrong-password-1", device_key=key)
    device, _ = confirm_device(client, tokens)
    client.call("ForgetDevice", AccessToken=tokens["AccessToken"], DeviceKey=device.key)
    with refused("ResourceNotFoundException", "Device does not exist."):
        client.log_in(device_key=device.key)


def test_the_device_of_another_user_is_refused(client: Client) -> None:
    client.user("bob")
    device, _ = confirm_device(client, client.tokens())
    with refused("ResourceNotFoundException", "Device does not exist."):
        client.log_in("bob", device_key=device.key)
    token = client.tokens("bob")["AccessToken"]
    for name in ("GetDevice", "ForgetDevice", "UpdateDeviceStatus", "ConfirmDevice"):
        verifier = DeviceVerifier("AQ==", "Ag==").as_parameter()
        more = {"DeviceSecretVerifierConfig": verifier} if name == "ConfirmDevice" else {}
        with refused("ResourceNotFoundException", "Device does not exist."):
            client.call(name, AccessToken=token, DeviceKey=device.key, **more)


def test_a_device_is_remembered_only_on_request_if_the_pool_prompts_the_user(make: Make) -> None:
    client = with_devices(make, PROMPT)
    tokens: dict[str, Any] = dict(client.tokens())
    with refused("InvalidParameterException", "not confirmed"):
        client.call(
            "UpdateDeviceStatus",
            AccessToken=tokens["AccessToken"],
            DeviceKey=tokens["NewDeviceMetadata"]["DeviceKey"],
            DeviceRememberedStatus="remembered",
        )
    device, reply = confirm_device(client, tokens)
    assert reply["UserConfirmationNecessary"] is True
    assert "NewDeviceMetadata" not in client.log_in(device_key=device.key)["AuthenticationResult"]
    for status, challenge in (("remembered", "DEVICE_SRP_AUTH"), ("not_remembered", None)):
        parameters = {"DeviceKey": device.key, "DeviceRememberedStatus": status}
        client.call("UpdateDeviceStatus", AccessToken=tokens["AccessToken"], **parameters)
        shown = client.call("GetDevice", AccessToken=tokens["AccessToken"], DeviceKey=device.key)["Device"]
        assert {"Name": "dev:device_remembered_status", "Value": status} in shown["DeviceAttributes"]
        assert client.log_in(device_key=device.key).get("ChallengeName") == challenge


def test_a_device_is_confirmed_once_and_with_a_valid_verifier(client: Client) -> None:
    tokens: dict[str, Any] = dict(client.tokens())
    key = tokens["NewDeviceMetadata"]["DeviceKey"]
    for salt, verifier in (("AQ==", "AA=="), ("AQ==", "AQ=="), ("AQ==", "!"), ("é", "Ag=="), ("B" * 400, "Ag==")):
        with refused("InvalidParameterException"):
            client.call(
                "ConfirmDevice",
                AccessToken=tokens["AccessToken"],
                DeviceKey=key,
                DeviceSecretVerifierConfig={"Salt": salt, "PasswordVerifier": verifier},
            )
    confirm_device(client, tokens)
    with refused("DeviceKeyExistsException"):
        confirm_device(client, tokens)


def test_devices_are_listed_in_pages(client: Client) -> None:
    keys = [confirm_device(client, client.tokens())[0].key for _ in range(3)]
    token = client.tokens()["AccessToken"]
    first = client.call("ListDevices", AccessToken=token, Limit=2)
    second = client.call("ListDevices", AccessToken=token, Limit=2, PaginationToken=first["PaginationToken"])
    assert [device["DeviceKey"] for device in first["Devices"] + second["Devices"]] == keys
    assert "PaginationToken" not in second
    assert [d["DeviceKey"] for d in client.admin("AdminListDevices", Username="alice")["Devices"]] == keys


class TestSecondFactor:
    def test_a_device_is_proven_after_a_second_factor(self, client: Client) -> None:
        device, _ = confirm_device(client, client.tokens())
        secret = enrol(client)
        challenge = client.log_in(device_key=device.key)
        assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        challenge = client.answer(challenge, SOFTWARE_TOKEN_MFA_CODE=totp(secret, client.clock.now))
        assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"
        assert "AuthenticationResult" in finish(client, challenge, device)

    def test_the_device_key_can_be_sent_with_the_second_factor(self, client: Client) -> None:
        device, _ = confirm_device(client, client.tokens())
        secret = enrol(client)
        answers = {"SOFTWARE_TOKEN_MFA_CODE": totp(secret, client.clock.now), "DEVICE_KEY": device.key}
        challenge = client.answer(client.log_in(), **answers)
        assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"

    def test_a_remembered_device_replaces_the_second_factor_if_the_pool_says_so(self, make: Make) -> None:
        client = with_devices(make, ON_NEW)
        device, _ = confirm_device(client, client.tokens())
        enrol(client)
        assert client.log_in()["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        challenge = client.log_in(device_key=device.key)
        assert challenge["ChallengeName"] == "DEVICE_SRP_AUTH"
        assert "AuthenticationResult" in finish(client, challenge, device)

    def test_a_device_that_is_not_remembered_does_not_replace_the_second_factor(self, make: Make) -> None:
        client = with_devices(make, {**ON_NEW, "DeviceOnlyRememberedOnUserPrompt": True})
        device, _ = confirm_device(client, client.tokens())
        enrol(client)
        assert client.log_in(device_key=device.key)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


class TestRefresh:
    def test_a_refresh_needs_the_confirmed_device(self, client: Client) -> None:
        tokens: dict[str, Any] = dict(client.tokens())
        key = tokens["NewDeviceMetadata"]["DeviceKey"]
        refresh = tokens["RefreshToken"]
        for values in ({}, {"DEVICE_KEY": key}):
            with refused("NotAuthorizedException", "Invalid Refresh Token"):
                client.refresh(refresh, **values)
        device, _ = confirm_device(client, tokens)
        other, _ = confirm_device(client, client.tokens())
        for values in ({}, {"DEVICE_KEY": other.key}, {"DEVICE_KEY": "nope"}):
            with refused("NotAuthorizedException", "Invalid Refresh Token"):
                client.refresh(refresh, **values)
        assert client.refresh(refresh, DEVICE_KEY=device.key)["AuthenticationResult"]["AccessToken"]
        with refused("NotAuthorizedException", "Invalid Refresh Token"):
            client.call("GetTokensFromRefreshToken", ClientId=client.client_id, RefreshToken=refresh)
        again = client.call(
            "GetTokensFromRefreshToken", ClientId=client.client_id, RefreshToken=refresh, DeviceKey=device.key
        )
        assert again["AuthenticationResult"]["IdToken"]

    def test_a_forgotten_device_cannot_refresh(self, client: Client) -> None:
        tokens = client.tokens()
        device, _ = confirm_device(client, tokens)
        client.call("ForgetDevice", AccessToken=tokens["AccessToken"], DeviceKey=device.key)
        with refused("NotAuthorizedException", "Invalid Refresh Token"):
            client.refresh(tokens["RefreshToken"], DEVICE_KEY=device.key)


def test_a_secret_block_of_another_exchange_is_refused(client: Client) -> None:
    device, _ = confirm_device(client, client.tokens())
    first = begin_device(client, client.log_in(device_key=device.key), device)
    second = begin_device(client, client.log_in(device_key=device.key), device)
    block = {"PASSWORD_CLAIM_SECRET_BLOCK": second.parameters["SECRET_BLOCK"]}
    with refused("NotAuthorizedException", "Incorrect username or password."):
        first.respond({**answers_of(device, first), **block})


def test_a_secret_block_made_by_the_client_is_refused(client: Client) -> None:
    device, _ = confirm_device(client, client.tokens())
    exchange = begin_device(client, client.log_in(device_key=device.key), device)
    exchange.parameters["SECRET_BLOCK"] = "AAAA"
    with refused("NotAuthorizedException", "Incorrect username or password."):
        exchange.respond(answers_of(device, exchange))


def test_a_device_forgotten_during_the_login_is_refused(client: Client) -> None:
    for steps in (0, 1):
        tokens = client.tokens()
        device, _ = confirm_device(client, tokens)
        challenge = client.log_in(device_key=device.key)
        exchange = begin_device(client, challenge, device) if steps else None
        client.call("ForgetDevice", AccessToken=tokens["AccessToken"], DeviceKey=device.key)
        with refused("ResourceNotFoundException", "Device does not exist."):
            if exchange is None:
                begin_device(client, challenge, device)
            else:
                exchange.respond(answers_of(device, exchange))


def test_a_secret_hash_is_required_in_every_step(make: Make) -> None:
    client = make(remember_devices=True, client_secret=True)
    client.user()
    device, _ = confirm_device(client, client.tokens())
    with refused("NotAuthorizedException", "SECRET_HASH was not received"):
        begin_device(client, client.log_in(device_key=device.key), device, SECRET_HASH="")
    exchange = begin_device(client, client.log_in(device_key=device.key), device)
    with refused("NotAuthorizedException", "Unable to verify secret hash"):
        exchange.respond({**answers_of(device, exchange), "SECRET_HASH": "AAAA"})
    assert "AuthenticationResult" in finish(client, client.log_in(device_key=device.key), device)
