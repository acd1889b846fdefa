"""Keys and key sets: which keys are accepted for RS256, which are skipped, and which make the whole set invalid."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt import PyJWK

from srpcore.exceptions import InvalidKey, TokenVerificationException, UnknownKey
from srpcore.tokens import PublicKey, parse_key, parse_key_set
from srpcore.tokens.jwks import MAX_DOCUMENT_LENGTH, MAX_KEYS
from support.minting import jwk, private_key, refusal, segment

EC = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "ec"}
NUMBERS = private_key().public_key().public_numbers()


def test_a_key_equals_the_one_that_pyjwt_parses() -> None:
    assert parse_key(jwk()) == PublicKey(NUMBERS.n, NUMBERS.e)
    oracle = PyJWK(jwk()).key.public_numbers()
    assert (oracle.n, oracle.e) == (parse_key(jwk()).n, parse_key(jwk()).e)


@pytest.mark.parametrize(
    "changes",
    [
        {"use": None},
        {"alg": None},
        {"kid": None},
        {"key_ops": ["verify"]},
        {"key_ops": ["sign", "verify"]},
        {"x5c": 7, "d": "AA"},
    ],
)
def test_optional_and_unknown_members_are_accepted(changes: dict[str, Any]) -> None:
    assert parse_key(jwk(**changes)).n == NUMBERS.n


OTHERS: list[dict[str, Any]] = [
    {"kty": None},
    {"kty": "EC"},
    {"kty": "rsa"},
    {"kty": ["RSA"]},
    {"use": "enc"},
    {"use": ["sig"]},
    {"use": ""},
    {"alg": "RS512"},
    {"alg": "PS256"},
    {"alg": ""},
    {"key_ops": []},
    {"key_ops": ["encrypt"]},
    {"key_ops": "verify"},
    {"key_ops": {"verify": 1}},
]


@pytest.mark.parametrize("changes", OTHERS)
def test_a_key_for_another_purpose_is_refused_alone_and_skipped_in_a_set(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey, match="not for verifying RS256"):
        parse_key(jwk(**changes))
    keys = parse_key_set({"keys": [jwk("other", **changes), jwk()]})
    assert list(keys.keys.values()) == [PublicKey(NUMBERS.n, NUMBERS.e)]


def octets(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


UNUSABLE: list[dict[str, Any]] = [
    {"n": None},
    {"e": None},
    {"n": NUMBERS.n},
    {"n": ""},
    {"e": ""},
    {"n": "\u0430"},
    {"n": "\ud800"},
    {"n": jwk()["n"] + "=="},
    {"n": jwk()["n"][:-1] + "_"},
    {"n": " " + jwk()["n"]},
    {"n": segment(b"\0" + octets(NUMBERS.n))},
    {"e": segment(b"\0\1\0\1")},
    {"e": "AQAB=="},
    {"e": "AQ"},
    {"e": "AA"},
    {"e": segment(octets(65536))},
    {"n": segment(octets(NUMBERS.n + 1))},
    {"n": segment(octets(2**2047 - 1))},
    {"n": segment(octets(2**8192 + 1))},
]


@pytest.mark.parametrize("changes", UNUSABLE)
def test_an_unusable_key_is_left_out_and_the_others_of_its_set_are_kept(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidKey) as alone:
        parse_key(jwk(**changes))
    for keys in ([jwk("other"), jwk(**changes)], [jwk(**changes), jwk("other")]):
        assert list(parse_key_set({"keys": keys}).keys) == ["other"]
    with pytest.raises(InvalidKey) as none_left:
        parse_key_set({"keys": [EC, jwk(**changes)]})
    assert str(none_left.value) == str(alone.value)


@pytest.mark.parametrize("entry", [None, 7, "key", ["key"], {}, {"kid": "x"}, {**UNUSABLE[0], "kty": "RSA"}])
def test_an_entry_that_is_not_a_key_is_left_out(entry: Any) -> None:
    assert list(parse_key_set({"keys": [entry, jwk("a"), entry]}).keys) == ["a"]
    with pytest.raises(InvalidKey):
        parse_key_set({"keys": [entry]})


@pytest.mark.parametrize("kind", [lambda d: d, json.dumps, lambda d: json.dumps(d).encode()])
def test_a_key_set_may_be_bytes_a_string_or_a_mapping(kind: Any) -> None:
    keys = parse_key_set(kind({"keys": [jwk("a"), EC, jwk("b")]}))
    assert list(keys.keys) == ["a", "b"]
    assert keys.key("b").n == private_key("b").public_key().public_numbers().n


def test_the_error_for_an_unknown_key_lists_the_known_ones() -> None:
    with pytest.raises(UnknownKey) as caught:
        parse_key_set({"keys": [jwk("a"), jwk("b")]}).key("c")
    assert (caught.value.expected, caught.value.actual) == (["a", "b"], "c")
    assert caught.value.__suppress_context__


def test_the_set_is_read_only() -> None:
    with pytest.raises(TypeError):
        parse_key_set({"keys": [jwk()]}).keys["b"] = parse_key(jwk())  # type: ignore[index]  # that is the test


def test_two_different_keys_with_one_kid_are_both_left_out() -> None:
    assert len(parse_key_set({"keys": [jwk("a"), jwk("a", alg=None)]}).keys) == 1
    # Another type's key may have it: it can verify nothing here.
    assert len(parse_key_set({"keys": [jwk("a"), {**EC, "kid": "a"}]}).keys) == 1
    with pytest.raises(InvalidKey, match="two different keys") as caught:
        parse_key_set({"keys": [jwk("a"), jwk("b", kid="a")]})
    assert caught.value.actual == "a"
    for order in ([jwk("a"), jwk("b", kid="a"), jwk("c")], [jwk("c"), jwk("a"), jwk("b", kid="a"), jwk("a")]):
        assert list(parse_key_set({"keys": order}).keys) == ["c"]
    with pytest.raises(InvalidKey, match="two different keys"):
        parse_key_set({"keys": [jwk("a"), {**jwk("a"), "e": "Aw"}]})


@pytest.mark.parametrize("kid", [None, 7, "", ["a"]])
def test_a_key_for_rs256_needs_a_kid(kid: Any) -> None:
    with pytest.raises(InvalidKey, match="key whose kid is missing"):
        parse_key_set({"keys": [{**jwk(kid=None), "kid": kid}]})
    assert list(parse_key_set({"keys": [jwk("a"), {**jwk(kid=None), "kid": kid}]}).keys) == ["a"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        "",
        "\ud800",
        b"[]",
        b"\xef\xbb\xbf" + json.dumps({"keys": [jwk()]}).encode(),
        b'{"keys":[],"keys":[]}',
        b"<html>",
        b'{"keys":{}}',
        b'{"keys":null}',
        {},
        {"keys": []},
        {"keys": [EC]},
        {"keys": (jwk(),)},
        {"keys": ["a"]},
        {"keys": [None]},
        None,
        7,
    ],
)
def test_documents_that_are_not_key_sets_are_refused(document: Any) -> None:
    with pytest.raises(InvalidKey):
        parse_key_set(document)


def test_documents_and_keys_above_the_limits_are_refused() -> None:
    assert parse_key_set({"keys": [jwk(), *[EC] * (MAX_KEYS - 1)]})
    with pytest.raises(InvalidKey, match="too many keys"):
        parse_key_set({"keys": [jwk(), *[EC] * MAX_KEYS]})
    text = json.dumps({"keys": [jwk()]})
    assert parse_key_set(text.ljust(MAX_DOCUMENT_LENGTH))
    with pytest.raises(InvalidKey, match="too large"):
        parse_key_set(text.ljust(MAX_DOCUMENT_LENGTH + 1))


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)
MEMBERS = st.sampled_from(["kty", "use", "alg", "key_ops", "kid", "n", "e"])


@pytest.mark.slow
@settings(max_examples=300)
@given(st.dictionaries(MEMBERS, VALUES, max_size=4), st.booleans())
def test_any_json_object_is_accepted_as_a_key_or_refused_with_a_typed_error(
    changes: dict[str, Any], encoded: bool
) -> None:
    members = {**jwk(), **changes}
    assert isinstance(refusal(parse_key, members), InvalidKey | None)
    document = {"keys": [members]}
    error = refusal(parse_key_set, json.dumps(document) if encoded else document)
    assert isinstance(error, TokenVerificationException | None)
