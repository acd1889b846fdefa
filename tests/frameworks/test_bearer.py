"""Bearer tokens in Authorization headers, and the HTTP response to each failure, without a framework."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from srpcore import (
    AsyncTokenVerifier,
    ConfigurationError,
    TokenVerificationException,
    TokenVerifier,
    TransportError,
    exceptions,
)
from srpcore.exceptions import GroupMismatch, MalformedToken, ScopeMismatch, TokenExpired, TransportTimeout, UnknownKey
from srpcore.frameworks.bearer import (
    Refused,
    bearer_token,
    check_overrides,
    require_sync_verifier,
    token_is_missing,
    translate_errors,
)
from srpcore.tokens import Claims
from support.key_server import POOL, mint, serve
from support.sites import verifier_of

from .wrong_overrides import WRONG

# RFC 6750, section 3: a challenge is quoted strings with none of what could end one.
CHALLENGE = re.compile(r'Bearer( [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]+"(, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]+")*)?')


def refused(error: Exception) -> Refused:
    with pytest.raises(Refused) as caught, translate_errors():
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_challenges_equal_the_examples_of_the_rfc() -> None:
    # RFC 6750, sections 2.1 and 3.
    assert bearer_token(["Bearer mF_9.B5f-4.1JqM"]) == "mF_9.B5f-4.1JqM"
    challenge = refused(TokenExpired("token has expired (exp)", expected=2, actual=1)).challenge
    assert challenge is not None
    assert challenge.startswith('Bearer error="invalid_token", error_description="')


@given(
    st.lists(
        st.text(st.characters(max_codepoint=255), max_size=20) | st.sampled_from(["Bearer", "Bearer ", "bearer a"])
    )
)
@example(["Bearer a=", "Bearer a="])
@example(["Bearer a=b"])
@example(["Bearer a\n"])
@example(["\tBearer a"])
@example(["Bearer\ta"])
@example(["Bearer a "])
@example(["Bearer \x00"])
def test_a_header_has_one_token_or_none(authorization: list[str]) -> None:
    try:
        token = bearer_token(authorization)
    except MalformedToken:
        assert any(value.lower().startswith("bearer") for value in authorization)
        return
    if token is None:
        assert not any(re.match(r"(?i)bearer( |$)", value) for value in authorization)
        return
    (value,) = authorization
    assert re.fullmatch(r"(?i)bearer +" + re.escape(token), value)
    assert re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token)


@pytest.mark.parametrize("authorization", [[], [""], ["Basic a"], ["Basic a", "Basic b"], ["bearer\ta"], ["Bearera b"]])
def test_a_missing_token_is_none_or_a_challenge_without_error_if_it_is_required(authorization: list[str]) -> None:
    assert bearer_token(authorization) is None
    missing = token_is_missing()
    assert (missing.status, missing.challenge) == (401, "Bearer")


@pytest.mark.parametrize("name", exceptions.tokens.__all__)
def test_a_challenge_shows_nothing_of_the_token(name: str) -> None:
    evil = 'kid"\r\nSet-Cookie: a=b, \\"'
    refusal = refused(getattr(exceptions, name)(evil, expected=evil, actual=evil))
    assert refusal.status == (403 if name in ("GroupMismatch", "ScopeMismatch") else 401)
    assert refusal.challenge is not None
    assert CHALLENGE.fullmatch(refusal.challenge)
    assert refusal.description in refusal.challenge
    for text in (refusal.challenge, refusal.description, str(refusal), repr(refusal)):
        assert "kid" not in text
        assert "Set-Cookie" not in text


@given(st.lists(st.text(max_size=8)) | st.text(max_size=8) | st.none() | st.integers() | st.lists(st.integers()))
def test_the_scope_in_a_challenge_is_safe_in_a_header(expected: Any) -> None:
    challenge = refused(ScopeMismatch("", expected=expected)).challenge
    assert challenge is not None
    assert CHALLENGE.fullmatch(challenge)
    assert 'error="insufficient_scope"' in challenge


@pytest.mark.parametrize(
    ("expected", "scope"),
    [("a/b", "a/b"), (("a", "b"), "a b"), (["x"], "x"), (None, None), ((), None), ("a b", None), (('"', "c"), "c")],
)
def test_the_challenge_names_a_scope_only_if_one_is_required(expected: Any, scope: str | None) -> None:
    challenge = refused(ScopeMismatch("", expected=expected, actual="")).challenge
    assert challenge is not None
    found = re.findall(r'scope="([^"]*)"$', challenge)
    assert found == ([] if scope is None else [scope])


def test_the_challenge_does_not_name_groups() -> None:
    challenge = refused(GroupMismatch("", expected="admins", actual=[])).challenge
    assert challenge is not None
    assert "admins" not in challenge
    assert "scope=" not in challenge


def test_an_error_of_a_custom_subclass_is_described_by_its_base_class() -> None:
    class Banned(TokenVerificationException):
        pass

    class Gone(UnknownKey):
        pass

    assert refused(Banned("alice is banned")).description == "the token is not accepted"
    assert refused(Gone("")).description == refused(UnknownKey("")).description


@pytest.mark.parametrize("error", [TransportError("https://user:secret@proxy"), TransportTimeout("secret")])
def test_missing_keys_are_503_without_a_challenge(error: TransportError) -> None:
    refusal = refused(error)
    assert (refusal.status, refusal.challenge) == (503, None)
    assert "secret" not in str(refusal)


@pytest.mark.parametrize("error", [ConfigurationError("x"), ValueError("x"), KeyError("x"), KeyboardInterrupt()])
def test_other_exceptions_propagate_unchanged(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, translate_errors():
        raise error
    assert caught.value is error


def verify(verifier: TokenVerifier, **overrides: Any) -> Claims:
    with translate_errors():
        claims: Claims = verifier.verify(mint(), **check_overrides(cast(Any, overrides)))
    return claims


def test_an_exception_of_a_custom_check_propagates() -> None:
    class Banned(Exception):
        pass

    def check(_: object) -> None:
        raise Banned

    with serve() as keys, verifier_of(keys) as verifier:
        with pytest.raises(Banned):
            verify(verifier, custom_check=check)
        assert verify(verifier)["username"] == "alice"


def yes(_: object) -> bool:
    return True


def test_a_custom_check_that_returns_a_value_accepts_nothing() -> None:
    with serve() as keys, verifier_of(keys) as verifier, pytest.raises(ConfigurationError):
        verify(verifier, custom_check=yes)


@pytest.mark.parametrize("overrides", WRONG, ids=repr)
def test_a_wrong_requirement_is_refused_when_it_is_given(overrides: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        check_overrides(cast(Any, overrides))


async def wait(_: object) -> None: ...


def test_a_coroutine_check_is_refused_by_a_synchronous_verifier() -> None:
    with pytest.raises(ConfigurationError):
        check_overrides({"custom_check": wait})
    assert check_overrides({"custom_check": wait}, is_async=True) == {"custom_check": wait}


def test_requirements_do_not_change_with_the_arguments() -> None:
    scope = ["a"]
    kept = check_overrides({"scope": scope, "client_id": None})
    scope.append("b")
    assert kept == {"scope": ("a",), "client_id": None}


@pytest.mark.parametrize(
    "verifier", [None, AsyncTokenVerifier(POOL, client_id=None, token_use=None), lambda: None, object]
)
def test_a_synchronous_verifier_is_required(verifier: Any) -> None:
    with pytest.raises(ConfigurationError):
        require_sync_verifier(verifier)
