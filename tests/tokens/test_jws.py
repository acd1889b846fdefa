"""Taking a token apart: the form, the header, and Wycheproof's JWS and JWK groups."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from srpcore.exceptions import MalformedToken, TokenVerificationException, UnsupportedAlgorithm
from srpcore.tokens import jws as jws_module
from srpcore.tokens import parse, parse_key_set, unverified_claims, verify_rs256
from srpcore.tokens.jws import MAX_HEADER_LENGTH, MAX_TOKEN_LENGTH
from support.minting import KID, access_claims, mint, refusal, segment
from support.vectors import load

HEADER = {"kid": KID, "alg": "RS256"}
GOOD = f"{segment(HEADER)}.{segment({'a': 1})}.{segment(b's')}"


def test_a_token_is_split_into_its_parts() -> None:
    jws = parse(GOOD)
    assert (jws.kid, jws.header, jws.payload, jws.signature) == (KID, HEADER, b'{"a": 1}', b"s")
    assert jws.signing_input == GOOD.rsplit(".", 1)[0].encode()
    assert jws.claims() == {"a": 1}


def test_a_changed_header_does_not_change_the_header_of_the_next_token() -> None:
    token = f"{segment({**HEADER, 'jwk': {'a': [1]}})}.{segment({'a': 1})}.{segment(b's')}"
    for _ in range(2):
        header = parse(token).header
        assert header["jwk"] == {"a": [1]}
        header["jwk"]["a"].append(2)
        header["jwk"]["b"] = 3
        with pytest.raises(TypeError):
            header["kid"] = "x"  # type: ignore[index]  # that is the test


def test_a_repr_shows_no_part_of_the_token() -> None:
    token = mint(access_claims())
    assert "alice" not in repr(parse(token))
    assert token.split(".")[1] not in repr(parse(token))
    assert "alice" not in json.dumps(parse(token), default=str)


@pytest.mark.parametrize("function", [parse, unverified_claims])
@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("\u00e9" + GOOD, "token is not ASCII"),
        (GOOD + "\u00e9", "token is not ASCII"),
        (GOOD + ".x", "token is not a JWT: it must have 3 parts"),
        (GOOD.replace(".", "..", 1), "token is not a JWT: it must have 3 parts"),
        (GOOD.rpartition(".")[0], "token is not a JWT: it must have 3 parts"),
    ],
)
def test_a_token_of_the_wrong_form_is_refused(function: Callable[[str], object], token: str, reason: str) -> None:
    with pytest.raises(MalformedToken, match=f"^{reason}"):
        function(token)


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer "])
def test_the_error_names_a_bearer_prefix_that_was_not_removed(prefix: str) -> None:
    with pytest.raises(MalformedToken, match=r"^token still has its 'Bearer ' prefix"):
        parse(prefix + GOOD)


def test_headers_are_kept_in_bounded_memory_and_cannot_be_changed() -> None:
    jws_module._parse_header.cache_clear()
    for number in range(200):
        parse(mint({}, {**HEADER, "x": number}))
    assert jws_module._parse_header.cache_info().currsize <= 64
    hits = jws_module._parse_header.cache_info().hits
    header: Any = parse(mint({}, {**HEADER, "x": 199})).header
    assert jws_module._parse_header.cache_info().hits == hits + 1
    with pytest.raises(TypeError):
        header["x"] = 1


PIECES = st.one_of(
    st.text(max_size=20),
    st.text("ABCDwxyz0189-_=+/.", max_size=20),
    st.binary(max_size=40).map(segment),
    st.sampled_from(["", segment(HEADER), segment({}), segment(b"\xff"), segment("[]")]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["RS256", "none", KID]),
        lambda inner: st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "typ"]), inner, max_size=4),
        max_leaves=6,
    ).map(segment),
)


@pytest.mark.slow
@settings(max_examples=500)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=5).map(".".join)))
@example("")
@example("..")
@example("a.b.c")
@example("\ud800.\ud800.\ud800")
@example(GOOD)
def test_any_string_is_parsed_or_refused_with_a_typed_error(token: str) -> None:
    for function in (parse, unverified_claims):
        error = refusal(function, token)
        assert isinstance(error, MalformedToken | UnsupportedAlgorithm | None)
        assert not isinstance(error, UnsupportedAlgorithm) or function is parse
    if refusal(parse, token) is None:
        jws = parse(token)
        again = f"{jws.signing_input.decode()}.{segment(jws.signature)}"
        assert (again, jws.header["alg"], jws.header["kid"]) == (token, "RS256", jws.kid)


@pytest.mark.parametrize("token", [None, b"a.b.c", 7, [], {}])
def test_a_value_that_is_not_a_string_is_malformed(token: Any) -> None:
    with pytest.raises(MalformedToken, match="not a string"):
        parse(token)
    with pytest.raises(MalformedToken, match="not a string"):
        unverified_claims(token)


@pytest.mark.parametrize(
    "token",
    [
        GOOD + ".",
        "." + GOOD,
        GOOD + "=",
        GOOD.replace(".", "=.", 1),
        GOOD + "\n",
        " " + GOOD,
        GOOD.rsplit(".", 1)[0],
        GOOD.replace(".", "", 1),
        GOOD[:-1] + "\u0430",
        GOOD[:-1] + "R",
        f"{segment('[]')}.{segment({})}.",
        f"{segment(b'{}')[:-1]}.{segment({})}.",
        f".{segment({})}.",
    ],
)
def test_malformed_tokens_are_refused(token: str) -> None:
    error = refusal(parse, token)
    assert isinstance(error, MalformedToken)
    assert GOOD.split(".")[0] not in str(error)
    # No traceback shows what the error comes from, which may quote the token.
    assert error.__suppress_context__ or error.__context__ is None


@pytest.mark.parametrize("payload", [b"", b"[]", b"foo", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xef\xbb\xbf{}"])
def test_payloads_that_are_not_plain_objects_are_refused(payload: bytes) -> None:
    token = mint(payload)
    with pytest.raises(MalformedToken, match="payload"):
        parse(token).claims()
    with pytest.raises(MalformedToken, match="payload"):
        unverified_claims(token)


@pytest.mark.parametrize(
    "algorithm",
    ["none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", "", None, True, 1, [], ["RS256"], {}],
)
def test_other_algorithms_are_refused(algorithm: Any) -> None:
    with pytest.raises(UnsupportedAlgorithm) as caught:
        parse(mint(access_claims(), {**HEADER, "alg": algorithm}))
    assert (caught.value.expected, caught.value.actual) == ("RS256", algorithm)


@pytest.mark.parametrize(
    "extra",
    [{"crit": ["exp"]}, {"crit": []}, {"crit": None}, {"b64": False}, {"b64": True}, {"crit": ["b64"], "b64": False}],
)
def test_extensions_are_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedAlgorithm, match="extension"):
        parse(mint(access_claims(), {**HEADER, **extra}))


@pytest.mark.parametrize("kid", [None, 1, True, "", [], {}])
def test_the_kid_must_be_a_string(kid: Any) -> None:
    for header in ({"alg": "RS256", "kid": kid}, {"alg": "RS256"}):
        with pytest.raises(MalformedToken, match="kid"):
            parse(mint(access_claims(), header))


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","alg":"RS256","kid":"a"}',
        b'{"alg":"RS256","kid":"a","kid":"a"}',
        b'\xef\xbb\xbf{"alg":"RS256","kid":"a"}',
        '{"alg":"RS256","kid":"a"}'.encode("utf-16"),
        b'{"alg":"RS256","kid":"a","x":NaN}',
        b'{"alg":"RS256","kid":"\\ud800"}',
        b'{"alg":"RS256","kid":"a","x":' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'["alg","RS256"]',
    ],
)
def test_ambiguous_headers_are_refused(header: bytes) -> None:
    with pytest.raises(MalformedToken, match="header"):
        parse(f"{segment(header)}.{segment({})}.")


def test_keys_in_the_header_are_ignored() -> None:
    header = {
        **HEADER,
        "jwk": {"kty": "RSA"},
        "jku": "https://attacker.example",
        "x5u": "https://a.example",
        "typ": "JWT",
    }
    assert parse(mint(access_claims(), header)).kid == KID


def test_size_is_limited_before_anything_is_parsed() -> None:
    start = f"{segment(HEADER)}."
    room = MAX_TOKEN_LENGTH - len(start) - len(".AAAA")
    longest = f"{start}{'A' * (room - room % 4)}.{'A' * (4 + room % 4)}"
    assert len(longest) == MAX_TOKEN_LENGTH
    assert len(parse(longest).payload) > 100_000
    for function in (parse, unverified_claims):
        with pytest.raises(MalformedToken, match="too long") as caught:
            function("." * (MAX_TOKEN_LENGTH + 1))
        assert caught.value.actual == MAX_TOKEN_LENGTH + 1


def test_the_size_of_a_header_is_limited() -> None:
    room = MAX_HEADER_LENGTH * 3 // 4 - len(json.dumps({**HEADER, "x": ""}))
    assert parse(mint({}, {**HEADER, "x": "x" * room})).kid == KID
    with pytest.raises(MalformedToken, match="header is too long"):
        parse(mint({}, {**HEADER, "x": "x" * (room + 1)}))


def test_a_long_kid_is_shortened_in_errors() -> None:
    error = UnsupportedAlgorithm("refused", expected="RS256", actual="x" * 3000)
    assert len(str(error)) < 300
    assert error.actual == "x" * 3000


def test_unverified_claims_accept_any_algorithm() -> None:
    assert unverified_claims(mint({"exp": 7}, {"alg": "HS256"})) == {"exp": 7}


def names_rsa(group: dict[str, Any]) -> bool:
    return '"RSA"' in json.dumps(group.get("public", {}))


@pytest.mark.parametrize(
    ("name", "least"),
    [("json_web_crypto_test", 14), ("json_web_key_test", 6), ("json_web_signature_test", 300)],
)
def test_outcomes_equal_those_of_wycheproof(name: str, least: int) -> None:
    wrong: list[str] = []
    tested = valid = 0
    for group in filter(names_rsa, load(f"wycheproof/{name}.json")["testGroups"]):
        public = group["public"]
        document = public if "keys" in public else {"keys": [public]}
        for test in (test for test in group["tests"] if "jws" in test):
            # What is right for another algorithm (RS384, PS256, ...) is not for this one.
            expected = test["result"] == "valid" and all(key["alg"] == "RS256" for key in document["keys"])
            if accepts(document, test["jws"]) is not expected:
                wrong.append(f"{test['tcId']} {test['comment']}")
            tested, valid = tested + 1, valid + expected
    assert wrong == []
    assert tested >= least
    assert valid >= 1


def accepts(document: dict[str, Any], token: Any) -> bool:
    try:
        keys = parse_key_set(document)
        jws = parse(token)
        verify_rs256(keys.key(jws.kid), jws.signing_input, jws.signature)
    except TokenVerificationException:
        return False
    return True
