from __future__ import annotations

import base64

import pytest
from hypothesis import given

from srpcore.crypto import cognito
from srpcore.crypto.device import Device, DeviceVerifier, device_identity, device_verifier, new_device_password
from srpcore.exceptions.base import ConfigurationError
from srpcore.testing import other_passwords, passwords, salts, texts_with_lone_surrogates
from support import vectors


@vectors.each("cognito/device_verifiers.jsonl")
def test_device_verifier_vectors(vector: vectors.Vector) -> None:
    group_key, key, password = (vector[f"device_{name}"] for name in ("group_key", "key", "password"))
    salt = int(vector["rand_salt_hex"], 16)
    assert salt == int(vector["salt_hex"], 16)
    x = cognito.private_key(device_identity(group_key, key), password, salt)
    assert x == int(vector["x_hex"], 16)
    assert cognito.verifier(x) == int(vector["verifier_hex"], 16)
    found = device_verifier(group_key, key, password, salt)
    assert (found.salt, found.verifier) == (vector["salt_b64"], vector["verifier_b64"])
    assert found.as_parameter() == {"Salt": vector["salt_b64"], "PasswordVerifier": vector["verifier_b64"]}
    raw = bytes.fromhex(vector["device_password_raw_hex"])
    assert (len(raw), base64.b64encode(raw).decode()) == (40, password)


@given(passwords(), salts())
def test_the_service_can_use_the_verifier_as_it_was_sent(password: str, salt: int) -> None:
    sent = device_verifier("-group", "us-east-1_key", password, salt)
    numbers = [int.from_bytes(base64.b64decode(text), "big", signed=True) for text in (sent.salt, sent.verifier)]
    assert numbers[0] == salt
    server = cognito.server_pair(numbers[1])
    client = cognito.client_pair()
    x = cognito.private_key(device_identity("-group", "us-east-1_key"), password, numbers[0])
    assert cognito.client_key(client, server.public, x) == cognito.server_key(server, client.public, numbers[1])


def test_salts_and_passwords_are_fresh() -> None:
    made = [device_verifier("-group", "key", "password") for _ in range(6)]
    assert len({found.salt for found in made}) == len({found.verifier for found in made}) == 6
    # 128 bits each: that all of six are shorter than 112 has a chance below 2^-96.
    assert any(len(base64.b64decode(found.salt)) >= 14 for found in made)
    assert all(len(base64.b64decode(found.salt)) <= 17 for found in made)
    drawn = [new_device_password() for _ in range(6)]
    assert len(set(drawn)) == 6
    assert all(len(base64.b64decode(text, validate=True)) == 40 for text in drawn)


@given(passwords().flatmap(lambda password: other_passwords(password).map(lambda other: (password, other))))
def test_another_password_gives_another_verifier(drawn: tuple[str, str]) -> None:
    one, other = drawn
    assert device_verifier("-group", "key", one, 1).verifier != device_verifier("-group", "key", other, 1).verifier


@given(texts_with_lone_surrogates())
def test_lone_surrogates_are_refused_and_the_error_does_not_show_the_string(text: str) -> None:
    for arguments in ((text, "key", "password"), ("-group", text, "password"), ("-group", "key", text)):
        with pytest.raises(ConfigurationError) as caught:
            device_verifier(*arguments)
        assert caught.value.args[0].endswith(
            " contains a lone surrogate, which UTF-8 cannot encode: pass a valid string"
        )
        assert caught.value.__context__ is None


def test_a_repr_does_not_show_secrets() -> None:
    device = Device("us-east-1_key", "-group", "Secr3t!")
    sent = DeviceVerifier("c2FsdA==", "dmVyaWZpZXI=")
    assert "Secr3t!" not in repr(device)
    assert "us-east-1_key" in repr(device)
    assert "dmVyaWZpZXI=" not in repr(sent)
