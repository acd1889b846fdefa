"""AWSSRP: pycognito's class of this name, over the embedded pool, and beside pycognito's own arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

import srpcore
from srpcore import AWSSRP, exceptions
from srpcore.aws_srp import DeviceResponse, generate_hash_device
from srpcore.crypto.totp import totp
from srpcore.service_client import ServiceClient
from support.users import PASSWORD
from support.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(client_secret=True, remember_devices=True)
    world.create()
    yield world
    world.pool.close()


def make(world: World, **arguments: Any) -> AWSSRP:
    return AWSSRP(
        **{
            "username": "alice",
            "password": PASSWORD,
            "pool_id": world.pool.user_pool_id,
            "client_id": world.pool.client_id,
            "client": ServiceClient(world.wire, "us-east-1"),
            "client_secret": world.pool.client_secret,
            **arguments,
        }
    )


def test_log_in_returns_the_raw_reply(world: World) -> None:
    reply = make(world).authenticate_user(client_metadata={"a": "b"})
    assert set(reply["AuthenticationResult"]) >= {"AccessToken", "IdToken", "RefreshToken", "TokenType", "ExpiresIn"}
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [operation.parameters["ClientMetadata"] for operation in world.wire.operations] == [{"a": "b"}] * 2


def test_client_may_be_a_transport_and_come_with_the_call(world: World) -> None:
    srp = make(world, client=world.wire)
    assert srp.authenticate_user()["AuthenticationResult"]
    srp.client = None
    assert srp.authenticate_user(client=world.wire)["AuthenticationResult"]


def test_first_exchange_uses_the_public_pair_and_later_ones_redraw_it(world: World) -> None:
    srp = make(world)
    a, A = srp.small_a_value, srp.large_a_value
    assert pow(srp.val_g, a, srp.big_n) == A
    assert a.bit_length() >= 256
    srp.authenticate_user()
    assert world.wire.operations[0].parameters["AuthParameters"]["SRP_A"] == f"{A:x}"
    assert srp.large_a_value == A
    srp.authenticate_user()
    assert srp.large_a_value != A
    assert pow(srp.val_g, srp.small_a_value, srp.big_n) == srp.large_a_value
    assert world.asked("InitiateAuth")[1].parameters["AuthParameters"]["SRP_A"] == f"{srp.large_a_value:x}"


def test_auth_params_follow_a_changed_client_secret(world: World) -> None:
    srp = make(world)
    before = srp.get_auth_params()
    assert srp.get_auth_params() == before
    srp.client_secret = "another"
    assert srp.get_auth_params()["SECRET_HASH"] != before["SECRET_HASH"]
    srp.client_secret = None
    assert "SECRET_HASH" not in srp.get_auth_params()


def test_overridden_methods_are_used(world: World) -> None:
    class Own(AWSSRP):
        def get_auth_params(self) -> dict[str, str]:
            return {**super().get_auth_params(), "MINE": "1"}

        def process_challenge(
            self, challenge_parameters: dict[str, Any], request_parameters: dict[str, str]
        ) -> dict[str, str]:
            assert request_parameters["MINE"] == "1"
            return {**super().process_challenge(challenge_parameters, request_parameters), "MINE": "2"}

    Own(
        "alice",
        PASSWORD,
        world.pool.user_pool_id,
        world.pool.client_id,
        client=world.wire,
        client_secret=world.pool.client_secret,
    ).authenticate_user()
    first, second = world.wire.operations
    assert first.parameters["AuthParameters"]["MINE"] == "1"
    assert second.parameters["ChallengeResponses"]["MINE"] == "2"


def test_a_device_is_confirmed_and_used_at_the_next_login(world: World) -> None:
    srp = make(world)
    reply = srp.authenticate_user()
    response, password = srp.confirm_device(reply, "laptop")
    assert isinstance(response, DeviceResponse)
    assert (response.status_code, response.ok) == (200, True)
    assert response.json() == {"UserConfirmationNecessary": False}
    again = make(world, device_key=srp.device_key, device_group_key=srp.device_group_key, device_password=password)
    world.wire.clear()
    tokens = again.authenticate_user()["AuthenticationResult"]
    assert world.wire.names[-1] == "RespondToAuthChallenge:DEVICE_PASSWORD_VERIFIER"
    assert "200" in again.update_device_status(False, tokens["AccessToken"], str(srp.device_key))
    assert "200" in again.forget_device(tokens["AccessToken"], str(srp.device_key))
    world.wire.clear()
    assert again.authenticate_user()["AuthenticationResult"]
    assert again.device_key is None or "DEVICE_KEY" not in world.asked("InitiateAuth")[-1].parameters["AuthParameters"]


def test_device_challenge_can_be_answered_by_hand(world: World) -> None:
    srp = make(world)
    srp.confirm_device(srp.authenticate_user())
    client = srp.client
    challenge = client.initiate_auth(
        AuthFlow="USER_SRP_AUTH", ClientId=world.pool.client_id, AuthParameters=srp.get_auth_params()
    )
    answer = srp.process_challenge(challenge["ChallengeParameters"], srp.get_auth_params())
    reply = client.respond_to_auth_challenge(
        ClientId=world.pool.client_id, ChallengeName="PASSWORD_VERIFIER", ChallengeResponses=answer
    )
    assert reply["ChallengeName"] == AWSSRP.DEVICE_SRP_CHALLENGE
    reply = client.respond_to_auth_challenge(
        ClientId=world.pool.client_id,
        ChallengeName="DEVICE_SRP_AUTH",
        Session=reply["Session"],
        ChallengeResponses={**srp.get_auth_params()},
    )
    reply = client.respond_to_auth_challenge(
        ClientId=world.pool.client_id,
        ChallengeName="DEVICE_PASSWORD_VERIFIER",
        Session=reply["Session"],
        ChallengeResponses=srp.process_device_challenge(reply["ChallengeParameters"]),
    )
    assert reply["AuthenticationResult"]["AccessToken"]


def test_challenges_are_exceptions(world: World) -> None:
    world.create("bob", permanent=False)
    with pytest.raises(exceptions.ForceChangePasswordException):
        make(world, username="bob").authenticate_user()
    reply = make(world, username="bob").set_new_password_challenge("Another-Horse-2")
    assert reply["AuthenticationResult"]
    user = srpcore.Cognito(
        world.pool.user_pool_id,
        world.pool.client_id,
        username="bob",
        client_secret=world.pool.client_secret,
        transport=world.wire,
    )
    user.authenticate("Another-Horse-2")
    secret = user.associate_software_token()
    user.verify_software_token(totp(secret, world.clock()))
    user.set_user_mfa_preference(False, True, "SOFTWARE_TOKEN")
    with pytest.raises(srpcore.SoftwareTokenMFAChallengeException) as caught:
        make(world, username="bob", password="Another-Horse-2").authenticate_user()
    assert caught.value.get_tokens()["ChallengeName"] == AWSSRP.SOFTWARE_TOKEN_MFA_CHALLENGE


def test_new_password_that_is_not_required_is_ignored_and_the_user_is_logged_in(world: World) -> None:
    assert make(world).set_new_password_challenge("Another-Horse-2")["AuthenticationResult"]
    assert "RespondToAuthChallenge:NEW_PASSWORD_REQUIRED" not in world.wire.names


def test_constructor_refuses_arguments_that_contradict_each_other(world: World) -> None:
    with pytest.raises(ValueError, match="pool_region"):
        make(world, pool_region="us-east-1")
    for given in ("device_key", "device_group_key", "device_password"):
        with pytest.raises(ValueError, match="go together"):
            make(world, **{given: "x"})
    with pytest.raises(ValueError, match="no device"):
        make(world).process_device_challenge({})


def test_repr_does_not_show_secrets(world: World) -> None:
    srp = make(world)
    for secret in (PASSWORD, str(srp.small_a_value), f"{srp.small_a_value:x}", world.pool.client_secret or "-"):
        assert secret not in repr(srp)


@pytest.mark.counterpart
def test_values_equal_those_of_pycognito(world: World) -> None:
    import pycognito.aws_srp

    from srpcore import aws_srp

    srp = make(world, client=world.wire)
    theirs = pycognito.aws_srp.AWSSRP(
        "alice", PASSWORD, world.pool.user_pool_id, world.pool.client_id, client=object(), client_secret="s"
    )
    assert (srp.big_n, srp.val_g, srp.val_k) == (theirs.big_n, theirs.val_g, theirs.val_k)
    assert (aws_srp.N_HEX, aws_srp.G_HEX) == (pycognito.aws_srp.N_HEX, pycognito.aws_srp.G_HEX)
    theirs.small_a_value, theirs.large_a_value = srp.small_a_value, srp.large_a_value
    for salt in ("0f" * 16, "a" * 31, int("9b" * 16, 16)):
        arguments = ("alice", PASSWORD, 2**3000 + 12345, salt)
        assert srp.get_password_authentication_key(*arguments) == theirs.get_password_authentication_key(*arguments)
        of_device = ("-group", "us-east-1_key", "secret", 2**3000 + 12345, salt)
        assert srp.get_device_authentication_key(*of_device) == theirs.get_device_authentication_key(*of_device)
    now = datetime(2024, 2, 9, 3, 4, 5, tzinfo=timezone.utc)
    assert srp.get_cognito_formatted_timestamp(now) == theirs.get_cognito_formatted_timestamp(now)
    assert AWSSRP.get_secret_hash("alice", "id", "s") == theirs.get_secret_hash("alice", "id", "s")


@pytest.mark.counterpart
def test_functions_equal_those_of_pycognito() -> None:
    from pycognito import aws_srp as theirs

    from srpcore import aws_srp as ours

    for text in ("0", "f", "7f", "80", "ABC", "8abc", "00ff"):
        assert ours.pad_hex(text) == theirs.pad_hex(text)
        assert ours.hex_to_long(text) == theirs.hex_to_long(text)
        assert ours.pad_hex(int(text, 16)) == theirs.pad_hex(int(text, 16))
    assert ours.long_to_hex(48879) == theirs.long_to_hex(48879)
    assert ours.hash_sha256(b"abc") == theirs.hash_sha256(b"abc")
    assert ours.hex_hash("00ff") == theirs.hex_hash("00ff")
    assert ours.calculate_u(2**3071, 255) == theirs.calculate_u(2**3071, 255)
    assert ours.compute_hkdf(bytearray(b"ikm"), bytearray(b"salt")) == theirs.compute_hkdf(b"ikm", b"salt")
    assert 0 <= ours.get_random(4) < 2**32
    password, verifier = generate_hash_device("-group", "key")
    assert set(verifier) == set(theirs.generate_hash_device("-group", "key")[1])
    assert len(password) == len(theirs.generate_hash_device("-group", "key")[0])
