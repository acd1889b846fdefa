"""pycognito's own functions as an oracle, where they are right: for salts that are minimal and not negative."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpcore.crypto import cognito
from srpcore.crypto.device import device_identity, device_verifier
from srpcore.crypto.encoding import to_bytes, to_hex
from srpcore.crypto.hkdf import hkdf
from srpcore.crypto.secret_hash import secret_hash
from srpcore.testing import passwords, public_values, salts, secret_exponents, usernames

aws_srp = pytest.importorskip("pycognito.aws_srp")
pytestmark = pytest.mark.counterpart

N = cognito.GROUP.N
# pad_hex(0) works; from_bytes of what it writes is what we compare with.
positive_salts = salts().filter(lambda salt: salt >= 0)


def their_client(a: int, **device: str) -> Any:
    client = aws_srp.AWSSRP("alice", "password", "eu-west-1_AbCd1234", "client id", client=object(), **device)
    client.small_a_value = a
    client.large_a_value = client.calculate_a()
    return client


@given(public_values(N))
def test_integers_are_padded_like_pycognito(number: int) -> None:
    assert to_bytes(number).hex() == aws_srp.pad_hex(number)
    assert to_hex(number) == aws_srp.long_to_hex(number)


def test_the_constants_equal_those_of_pycognito() -> None:
    theirs = their_client(1)
    assert (theirs.big_n, theirs.val_g, theirs.val_k) == (N, cognito.GROUP.g, cognito.k)


@given(public_values(N), public_values(N))
def test_u_equals_that_of_pycognito(A: int, B: int) -> None:
    assert cognito.scrambling(A, B) == aws_srp.calculate_u(A, B)


@given(st.binary(min_size=1, max_size=400), st.binary(min_size=1, max_size=40))
def test_the_key_derivation_equals_that_of_pycognito(ikm: bytes, salt: bytes) -> None:
    ours = hkdf(ikm, salt=salt, info=cognito.INFO, length=cognito.KEY_LENGTH)
    assert ours == aws_srp.compute_hkdf(ikm, salt)


@given(usernames(), passwords(), positive_salts, secret_exponents(1024), public_values(N))
@settings(max_examples=40)
def test_the_key_of_a_login_equals_that_of_pycognito(username: str, password: str, salt: int, a: int, B: int) -> None:
    theirs = their_client(a)
    pair = cognito.client_pair(a)
    assert pair.public == theirs.large_a_value
    x = cognito.private_key("AbCd1234" + username, password, salt)
    key = theirs.get_password_authentication_key(username, password, B, to_hex(salt))
    assert cognito.client_key(pair, B, x) == key


@given(passwords(), positive_salts, secret_exponents(), public_values(N))
@settings(max_examples=20)
def test_the_key_of_a_device_equals_that_of_pycognito(password: str, salt: int, a: int, B: int) -> None:
    theirs = their_client(a, device_key="us-east-1_key", device_group_key="-group", device_password=password)
    x = cognito.private_key(device_identity("-group", "us-east-1_key"), password, salt)
    key = theirs.get_device_authentication_key("-group", "us-east-1_key", password, B, to_hex(salt))
    assert cognito.client_key(cognito.client_pair(a), B, x) == key


def test_the_verifier_of_a_device_equals_that_of_pycognito() -> None:
    for _ in range(20):
        password, config = aws_srp.generate_hash_device("-group", "us-east-1_key")
        salt = int.from_bytes(base64.b64decode(config["Salt"]), "big", signed=True)
        assert device_verifier("-group", "us-east-1_key", password, salt).as_parameter() == config


@given(usernames(), passwords())
def test_the_secret_hash_equals_that_of_pycognito(username: str, secret: str) -> None:
    assert secret_hash(username, "client id", secret) == aws_srp.AWSSRP.get_secret_hash(username, "client id", secret)


@given(st.datetimes())
def test_the_timestamp_equals_that_of_pycognito(time: datetime) -> None:
    assert cognito.format_timestamp(time) == aws_srp.AWSSRP.get_cognito_formatted_timestamp(time)
