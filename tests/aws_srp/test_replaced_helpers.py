"""Public helpers of ``AWSSRP`` that a program replaces on an object, on the class or in a subclass are used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

import srpcore
from srpcore import AWSSRP
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD
from support.world import Wire

HELPERS = {
    "calculate_a": 2,
    "generate_random_small_a": 2,
    "get_auth_params": 1,
    "get_cognito_formatted_timestamp": 2,
    "get_device_authentication_key": 1,
    "get_password_authentication_key": 1,
    "get_secret_hash": 4,
    "process_challenge": 1,
    "process_device_challenge": 1,
}
"""The helpers, and how often each is called in a login that proves a password and a device."""


@pytest.fixture(scope="module")
def enrolled() -> Iterator[tuple[LocalUserPool, srpcore.Device]]:
    """Yield a pool with a client secret, and the remembered device of its user."""
    with LocalUserPool(client_secret=True, remember_devices=True) as pool:
        user = srpcore.Cognito(pool.user_pool_id, pool.client_id, client_secret=pool.client_secret, transport=pool)
        user.set_base_attributes(email="alice@example.com")
        user.register("alice", PASSWORD)
        user.confirm_sign_up(pool.outbox.latest("alice").code)
        user.authenticate(PASSWORD)
        user.confirm_device("laptop")
        assert user.device is not None
        yield pool, user.device


def proof_of(kind: type[AWSSRP], enrolled: tuple[LocalUserPool, srpcore.Device]) -> tuple[AWSSRP, Wire]:
    pool, device = enrolled
    wire = Wire(pool)
    proof = kind(
        "alice",
        PASSWORD,
        pool.user_pool_id,
        pool.client_id,
        client=wire,
        client_secret=pool.client_secret,
        device_key=device.key,
        device_group_key=device.group_key,
        device_password=device.password,
    )
    return proof, wire


@pytest.mark.parametrize("name", HELPERS)
@pytest.mark.parametrize("way", ["object", "class", "subclass"])
def test_a_replaced_helper_is_called(enrolled: tuple[LocalUserPool, srpcore.Device], name: str, way: str) -> None:
    calls: list[Any] = []
    original = AWSSRP.__dict__.get(name) or getattr(AWSSRP, name)
    static = isinstance(original, staticmethod)
    function = getattr(AWSSRP, name)

    def replacement(*arguments: Any, **named: Any) -> Any:
        calls.append(arguments)
        return function(*arguments, **named)

    member = staticmethod(replacement) if static else replacement
    if way == "subclass":
        proof, _ = proof_of(type("Own", (AWSSRP,), {name: member}), enrolled)
        reply = proof.authenticate_user()
    elif way == "class":
        with mock.patch.object(AWSSRP, name, member):
            proof, _ = proof_of(AWSSRP, enrolled)
            reply = proof.authenticate_user()
    else:
        proof, _ = proof_of(AWSSRP, enrolled)
        setattr(proof, name, replacement if static else replacement.__get__(proof))
        reply = proof.authenticate_user()
    assert "AccessToken" in reply["AuthenticationResult"]
    assert len(calls) == HELPERS[name]


def test_a_replaced_timestamp_is_sent_and_signed(enrolled: tuple[LocalUserPool, srpcore.Device]) -> None:
    """The service refuses a TIMESTAMP that is not the signed one, so the login shows that it was signed."""
    proof, wire = proof_of(AWSSRP, enrolled)
    ours = proof.get_cognito_formatted_timestamp
    seen: list[str] = []

    def one_minute_later(input_datetime: Any) -> str:
        from datetime import timedelta

        seen.append(ours(input_datetime + timedelta(seconds=60)))
        return seen[-1]

    vars(proof)["get_cognito_formatted_timestamp"] = one_minute_later
    proof.authenticate_user()
    sent = [operation.parameters.get("ChallengeResponses", {}).get("TIMESTAMP") for operation in wire.operations]
    assert [timestamp for timestamp in sent if timestamp] == seen
    assert len(seen) == 2


def test_the_salt_reaches_a_replaced_key_as_the_challenges_string(
    enrolled: tuple[LocalUserPool, srpcore.Device],
) -> None:
    proof, _ = proof_of(AWSSRP, enrolled)
    with mock.patch.object(
        proof, "get_password_authentication_key", wraps=proof.get_password_authentication_key
    ) as key:
        proof.authenticate_user()
    _, password, B, salt = key.call_args.args
    assert password == PASSWORD
    assert isinstance(B, int)
    assert isinstance(salt, str)


def test_the_device_has_a_pair_of_its_own(enrolled: tuple[LocalUserPool, srpcore.Device]) -> None:
    proof, wire = proof_of(AWSSRP, enrolled)
    proof.authenticate_user()
    requests = [operation.parameters for operation in wire.operations]
    sent = [
        value
        for request in requests
        for member in ("AuthParameters", "ChallengeResponses")
        for name, value in request.get(member, {}).items()
        if name == "SRP_A"
    ]
    assert len({*sent}) == 2
