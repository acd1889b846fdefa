"""Challenges as values: their JSON form, and what is read from the parameters of one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore import Challenge, exceptions
from srpcore.flows.challenge import NEEDS, missing_attributes, required_attributes


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_every_challenge_of_the_model_survives_json(name: str) -> None:
    challenge = Challenge(name, "session", {"A": "b"}, "alice", "sub", ("X",), True)
    assert Challenge.from_json(challenge.to_json()) == challenge
    assert challenge.needs
    assert "session" not in repr(challenge)


@given(text=st.text() | st.from_regex(r"\{.*\}") | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_from_json_refuses_any_other_string(text: str) -> None:
    with pytest.raises(exceptions.ConfigurationError, match="not a challenge"):
        Challenge.from_json(text)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "NOBODY_KNOWS"},
        {"name": None},
        {"name": []},
        {"session": 5},
        {"parameters": []},
        {"parameters": {"A": 5}},
        {"available": [5]},
        {"available": None},
        {"username": None},
        {"canonical": []},
    ],
)
def test_from_json_refuses_members_of_a_wrong_type(change: dict[str, Any]) -> None:
    members = json.loads(Challenge("SMS_MFA", "s", {}, "alice").to_json())
    with pytest.raises(exceptions.ConfigurationError, match="not a challenge"):
        Challenge.from_json(json.dumps({**members, **change}))


def test_missing_attributes_leave_out_those_the_user_has() -> None:
    challenge = {
        "requiredAttributes": '["userAttributes.given_name", "userAttributes.email"]',
        "userAttributes": '{"email": "alice@example.com", "given_name": ""}',
    }
    assert missing_attributes({"ChallengeParameters": challenge}, {}) == ("given_name",)
    assert missing_attributes({"ChallengeParameters": challenge}, {"given_name": "Alice"}) == ()


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[1]", "[" * 100_000])
def test_required_attributes_must_be_a_list_of_names(text: str) -> None:
    with pytest.raises(exceptions.UnsafeServerValue, match="requiredAttributes"):
        required_attributes({"ChallengeParameters": {"requiredAttributes": text}})


def test_a_stored_challenge_keeps_the_name_that_the_service_has_for_the_user() -> None:
    challenge = Challenge("SMS_MFA", "session", {}, "alice@example.com", canonical="alice-1")
    assert (challenge.username, challenge.canonical) == ("alice@example.com", "alice-1")
    assert Challenge.from_json(challenge.to_json()).canonical == "alice-1"


@pytest.mark.parametrize("has", ["[]", "5", "null", '"given_name"', '{"given_name": ""}', "{}", ""])
def test_an_attribute_that_the_user_does_not_have_is_missing(has: str) -> None:
    parameters = {"userAttributes": has, "requiredAttributes": '["userAttributes.given_name"]'}
    reply = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeParameters": parameters}
    assert missing_attributes(reply, {}) == ("given_name",)
    assert missing_attributes(reply, {"given_name": "Alice"}) == ()
