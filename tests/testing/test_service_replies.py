"""Replies of the service: each challenge, and changed replies, which our client refuses or continues with safely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpcore import Cognito, SignIn, SrpcoreError
from srpcore.crypto.encoding import parse_public_value
from srpcore.crypto.groups import MODP_3072
from srpcore.flows.challenge import NEEDS
from srpcore.flows.srp import parse_salt
from srpcore.protocol import Operation, Reply
from srpcore.service_model import ENUMS
from srpcore.testing import (
    CHALLENGE_NAMES,
    ChangedReply,
    challenges,
    changed_replies,
    changed_token_replies,
    token_replies,
)
from testing.finding import gives

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

# The flow that makes the challenge possible; USER_PASSWORD_AUTH for the others.
FLOWS = {"PASSWORD_VERIFIER": "USER_SRP_AUTH", "SELECT_CHALLENGE": "USER_AUTH", "PASSWORD_SRP": "USER_AUTH"}
NOT_FIRST = {"ADMIN_NO_SRP_AUTH", "DEVICE_PASSWORD_VERIFIER", "DEVICE_SRP_AUTH", "PASSWORD", "SMS_OTP", "WEB_AUTHN"}


class OneReply:
    """A transport that gives *reply* to the first request, and a challenge for a code to the next one."""

    def __init__(self, reply: Mapping[str, object]) -> None:
        self.replies: list[Mapping[str, object]] = [
            reply,
            {"ChallengeName": "SMS_MFA", "ChallengeParameters": {}, "Session": "session"},
        ]
        self.sent: list[Operation] = []

    def call(self, operation: Operation) -> Reply:
        self.sent.append(operation)
        return Reply({**self.replies.pop(0), "ResponseMetadata": {"HTTPStatusCode": 200}})

    def fetch(self, url: str) -> bytes:
        raise NotImplementedError(url)

    def close(self) -> None: ...


def sign_in(reply: Mapping[str, object], flow: str) -> tuple[SignIn, OneReply]:
    transport = OneReply(reply)
    user = Cognito("eu-west-1_AbCd12345", "4dn6jbcbhqcofxyczo3ms9z4cc", username="alice", transport=transport)
    return user.sign_in("password", auth_flow=flow), transport


def test_the_names_are_those_of_the_service_model() -> None:
    assert set(CHALLENGE_NAMES) == set(ENUMS["ChallengeNameType"])


@pytest.mark.parametrize("name", sorted(set(CHALLENGE_NAMES) - NOT_FIRST))
@given(data=st.data())
@settings(max_examples=10)
def test_our_client_continues_with_each_challenge(name: str, data: st.DataObject) -> None:
    step, _ = sign_in(data.draw(challenges(name)), FLOWS.get(name, "USER_PASSWORD_AUTH"))
    expected = "SMS_MFA" if name == "PASSWORD_VERIFIER" else name  # a password is proved without a question
    assert step.needs == NEEDS[expected][0]


@pytest.mark.parametrize("name", CHALLENGE_NAMES)
@given(data=st.data())
@settings(max_examples=60)
def test_our_client_raises_only_its_own_errors_for_changed_replies(name: str, data: st.DataObject) -> None:
    changed = data.draw(changed_replies(name))
    try:
        _, transport = sign_in(changed.reply, FLOWS.get(name, "USER_PASSWORD_AUTH"))
    except SrpcoreError:
        return
    assert not changed.unsafe, changed.change
    assert transport.sent


class Trusting(Cognito):
    """A program that has replaced the verification of tokens, as programs for pycognito do."""

    def verify_token(self, token: str, id_name: str, token_use: str) -> dict[str, Any]:
        return {}


@given(changed=changed_token_replies())
@settings(max_examples=150)
def test_our_client_raises_only_its_own_errors_for_changed_tokens(changed: ChangedReply) -> None:
    user = Trusting(
        "eu-west-1_AbCd12345", "4dn6jbcbhqcofxyczo3ms9z4cc", username="alice", transport=OneReply(changed.reply)
    )
    try:
        user.sign_in("password", auth_flow="USER_PASSWORD_AUTH")
    except SrpcoreError:
        return
    assert not changed.unsafe, changed.change


@given(changed=changed_token_replies())
@settings(max_examples=100)
def test_a_refresh_raises_only_our_errors_for_changed_tokens(changed: ChangedReply) -> None:
    transport = OneReply(changed.reply)
    user = Trusting("eu-west-1_AbCd12345", "4dn6jbcbhqcofxyczo3ms9z4cc", refresh_token="refresh", transport=transport)
    try:
        user.renew_access_token()
    except SrpcoreError:
        assert user.access_token is None


@given(challenges("PASSWORD_VERIFIER", "DEVICE_PASSWORD_VERIFIER"))
def test_the_numbers_of_a_proof_are_safe(reply: dict[str, dict[str, str]]) -> None:
    parameters = reply["ChallengeParameters"]
    assert parse_public_value(parameters["SRP_B"], MODP_3072.N, name="SRP_B") > 0
    parse_salt(parameters["SALT"])


@given(changed_replies())
def test_changed_replies_differ_from_the_usual_ones(changed: ChangedReply) -> None:
    assert changed.change


CONDITIONS: list[Callable[[ChangedReply], bool]] = [
    lambda changed: changed.change == "SRP_B is missing" and changed.unsafe,
    lambda changed: changed.change == "SALT is 'None'" and changed.unsafe,
    lambda changed: changed.change == "SRP_B is unsafe" and changed.reply["ChallengeParameters"]["SRP_B"] == "0",  # type: ignore[index]
    lambda changed: changed.change == "ChallengeName is 'NEW_CHALLENGE'" and changed.unsafe,
    lambda changed: changed.change.startswith("Session is") and not changed.unsafe,
    lambda changed: changed.reply["ChallengeParameters"] == ["a"],
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_changed_replies_include_each_kind_of_change(condition: Callable[[ChangedReply], bool]) -> None:
    gives(changed_replies("PASSWORD_VERIFIER"), condition)


@given(token_replies())
def test_replies_with_tokens_have_no_challenge(reply: dict[str, object]) -> None:
    assert "ChallengeName" not in reply
    assert reply["AuthenticationResult"]
