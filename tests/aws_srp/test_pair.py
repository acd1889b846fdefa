"""The pair of AWSSRP: when it is drawn, which B it answers, and that no two processes send the same SRP_A."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from srpcore import AWSSRP
from srpcore.crypto import cognito
from srpcore.exceptions import ConfigurationError, UnsafeServerValue
from support.forks import in_a_child

PASSWORD = "The-Secret-Password-1"
DEVICE: dict[str, Any] = {"device_key": "key", "device_group_key": "group", "device_password": "device-password"}


class Bits:
    """A source of random bits that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, bits: int) -> int:
        self.calls += 1
        return int.from_bytes(os.urandom(bits // 8))


def make(cls: type[AWSSRP] = AWSSRP, **arguments: Any) -> AWSSRP:
    return cls("alice", PASSWORD, "us-east-1_abc", "client", client=object(), clock=lambda: 1e9, **arguments)


def challenge(b: int = 1 << 256) -> dict[str, str]:
    return {
        "SRP_B": f"{cognito.client_pair(b).public:x}",
        "SALT": "ab" * 16,
        "SECRET_BLOCK": "c2VjcmV0",
        "USER_ID_FOR_SRP": "alice",
        "USERNAME": "alice",
    }


FIRST, SECOND = challenge(1 << 256), challenge(1 << 257)


def test_pair_is_drawn_at_its_first_use() -> None:
    bits = Bits()
    srp = make(random_bits=bits)
    assert bits.calls == 0
    assert srp.get_auth_params()["SRP_A"] == f"{srp.large_a_value:x}"
    assert pow(srp.val_g, srp.small_a_value, srp.big_n) == srp.large_a_value
    assert srp.get_auth_params() == srp.get_auth_params()
    assert bits.calls == 1


def test_same_challenge_is_answered_again() -> None:
    srp = make(**DEVICE)
    asked = srp.get_auth_params()
    answer = srp.process_challenge(FIRST, asked)
    assert srp.process_challenge(dict(FIRST), asked) == answer
    # Also in another notation, and after get_auth_params() was called for the next exchange.
    assert srp.process_challenge({**FIRST, "SRP_B": "00" + FIRST["SRP_B"].upper()}, asked) == answer
    assert srp.process_challenge(FIRST, srp.get_auth_params()) == answer
    assert srp.process_challenge(FIRST, srp.get_auth_params()) == answer


ANSWERS: list[Callable[[AWSSRP, dict[str, str]], object]] = [
    lambda srp, parameters: srp.process_challenge(parameters, {"USERNAME": "alice"}),
    lambda srp, parameters: srp.process_device_challenge(parameters),
    lambda srp, parameters: srp.get_password_authentication_key("alice", PASSWORD, int(parameters["SRP_B"], 16), 7),
    lambda srp, parameters: srp.get_device_authentication_key("g", "k", PASSWORD, int(parameters["SRP_B"], 16), 7),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=["process_challenge", "process_device_challenge", "password", "device"])
def test_a_second_challenge_for_the_same_pair_is_refused(answer: Callable[[AWSSRP, dict[str, str]], object]) -> None:
    srp = make(**DEVICE)
    srp.get_auth_params()
    answer(srp, FIRST)
    with pytest.raises(UnsafeServerValue, match="a second B for the same SRP_A"):
        answer(srp, SECOND)
    assert answer(srp, FIRST)
    with pytest.raises(UnsafeServerValue):
        answer(srp, SECOND)


def test_every_exchange_has_its_own_pair() -> None:
    srp = make()
    first = srp.get_auth_params()
    srp.process_challenge(FIRST, first)
    second = srp.get_auth_params()
    assert second["SRP_A"] != first["SRP_A"]
    assert srp.process_challenge(SECOND, second)
    with pytest.raises(UnsafeServerValue):
        srp.process_challenge(FIRST, second)


def test_password_and_device_are_each_bound_to_one_challenge() -> None:
    """pycognito's programs send large_a_value for the device too, after process_challenge()."""
    srp = make(**DEVICE)
    A = srp.large_a_value
    srp.process_challenge(FIRST, srp.get_auth_params())
    assert srp.large_a_value == A
    assert srp.process_device_challenge(SECOND)
    assert srp.large_a_value == A


def test_pair_can_be_set_and_patched() -> None:
    srp = make()
    srp.small_a_value = 5
    assert srp.large_a_value == pow(srp.val_g, 5, srp.big_n)
    srp.small_a_value, srp.large_a_value = 3, srp.val_g**3
    assert srp.get_auth_params()["SRP_A"] == "8"
    with mock.patch.object(srp, "large_a_value", 7):
        assert srp.get_auth_params()["SRP_A"] == "7"
    with mock.patch.object(srp, "small_a_value", 4):
        assert srp.large_a_value == 16
    assert srp.small_a_value != 4

    class Own(AWSSRP):
        def generate_random_small_a(self) -> int:
            return 2

    assert make(Own).large_a_value == 4


def test_an_object_made_without_its_constructor_draws_a_pair() -> None:
    srp = AWSSRP.__new__(AWSSRP)
    assert pow(cognito.GROUP.g, srp.small_a_value, cognito.GROUP.N) == srp.large_a_value


def in_children(act: Callable[[], str], children: int = 4) -> list[str]:
    """Return what *act* returns in each of several forked children."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as pipe:
        for _ in range(children):
            assert in_a_child(lambda: os.write(writing, act().encode() + b"\n")) == 0
        os.close(writing)
        return pipe.read().split()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.parametrize("used", ["not used", "read", "sent", "answered", "set"])
def test_a_forked_child_sends_a_different_value(used: str) -> None:
    srp = make()
    if used == "read":
        assert srp.large_a_value
    elif used == "set":
        srp.small_a_value = srp.generate_random_small_a()
        srp.large_a_value = srp.calculate_a()
    elif used != "not used":
        srp.process_challenge(FIRST, srp.get_auth_params()) if used == "answered" else srp.get_auth_params()
    reads: list[Callable[[], str]] = [lambda: srp.get_auth_params()["SRP_A"], lambda: f"{srp.large_a_value:x}"]
    for read in reads:
        sent = [*in_children(read), read()]
        assert len(sent) == len(set(sent)) == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_does_not_answer_the_challenge_of_its_parent() -> None:
    srp = make()
    asked = srp.get_auth_params()

    def refused() -> None:
        with pytest.raises(ConfigurationError, match="SRP_A was sent by another process"):
            srp.process_challenge(FIRST, asked)
        assert srp.process_challenge(FIRST, srp.get_auth_params())

    assert in_a_child(refused) == 0
    assert srp.process_challenge(SECOND, asked)
