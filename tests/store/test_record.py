"""Stored logins: their JSON form, what is refused, reprs without secrets, and keys."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.crypto.device import Device
from srpcore.exceptions import ConfigurationError
from srpcore.store import Login, Tokens, store_key
from srpcore.testing import texts_with_lone_surrogates, usernames

from .making import LOGIN, SECRETS, logins, texts_of, tokens

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
MEMBERS = ("tokens", "device", "username", "refresh_way", "id_token", "access_token", "refresh_token", "expires_at")


@given(login=logins())
def test_a_login_survives_json(login: Login) -> None:
    text = json.dumps(login.to_dict(), allow_nan=False)
    assert Login.from_dict(json.loads(text)) == login


@given(kept=tokens())
def test_tokens_survive_json(kept: Tokens) -> None:
    assert Tokens.from_dict(json.loads(json.dumps(kept.to_dict(), allow_nan=False))) == kept


def test_the_json_form_has_every_field() -> None:
    document = LOGIN.to_dict()
    assert set(document) == {*Login.__slots__}
    assert set(document["tokens"]) == {*Tokens.__slots__}
    assert set(document["device"]) == {*Device.__slots__}


@given(more=st.dictionaries(st.text(), json_values))
def test_unknown_members_are_ignored(more: dict[str, Any]) -> None:
    document = LOGIN.to_dict()
    for part, known in ((document, LOGIN.to_dict()), (document["tokens"], LOGIN.to_dict()["tokens"])):
        part.update({name: value for name, value in more.items() if name not in known})
    document["device"]["colour"] = "red"
    assert Login.from_dict(document) == LOGIN


def test_missing_members_are_none() -> None:
    assert Login.from_dict({}) == Login()
    assert Tokens.from_dict({"access_token": "a"}) == Tokens(access_token="a")


@pytest.mark.parametrize("name", ["id_token", "access_token", "refresh_token", "token_type"])
@pytest.mark.parametrize("value", [1, True, b"bytes", ["text"], {}, "half \ud800"])
def test_tokens_that_are_not_strings_are_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Tokens.from_dict({name: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, 2**53, -(2**53), True, "1", [1], {}])
def test_an_invalid_expiry_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="expires_at"):
        Tokens(expires_at=value)


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"tokens": "text"}, "tokens"),
        ({"tokens": []}, "tokens"),
        ({"device": "text"}, "device"),
        ({"device": {}}, "device"),
        ({"device": {"key": "k", "group_key": "g"}}, "password"),
        ({"device": {"key": "k", "group_key": 1, "password": "p"}}, "group_key"),
        ({"device": {"key": "", "group_key": "g", "password": "p"}}, "key"),
        ({"username": 1}, "username"),
        ({"refresh_way": ["text"]}, "refresh_way"),
        ([], "login"),
        (None, "login"),
        ("text", "login"),
    ],
)
def test_an_invalid_login_is_refused(document: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Login.from_dict(document)


@given(document=json_values | st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_any_json_is_accepted_as_a_login_or_refused(document: Any) -> None:
    try:
        login = Login.from_dict(document)
    except ConfigurationError:
        return
    assert Login.from_dict(login.to_dict()) == login


@pytest.mark.parametrize("wrong", [{"tokens": {}}, {"device": {}}, {"username": b"bytes"}, {"refresh_way": 1}])
def test_a_login_refuses_parts_of_the_wrong_type(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        Login(**wrong)


def test_a_login_cannot_be_changed() -> None:
    assert LOGIN.tokens is not None
    for record, name in ((LOGIN, "tokens"), (LOGIN.tokens, "access_token")):
        with pytest.raises(AttributeError):
            setattr(record, name, None)


def test_a_repr_does_not_show_secrets() -> None:
    assert LOGIN.tokens is not None
    for text in (repr(LOGIN), str(LOGIN), f"{LOGIN}", repr(LOGIN.tokens), str(LOGIN.tokens)):
        assert not any(secret in text for secret in SECRETS)
    assert "somebody" in repr(LOGIN)


@pytest.mark.parametrize("name", ["id_token", "access_token", "refresh_token", "token_type"])
def test_errors_do_not_show_secrets(name: str) -> None:
    document = LOGIN.to_dict()
    document["tokens"][name] = ["the-secret"]
    document["device"]["password"] = "the-secret\ud800"
    for part in (document, {"device": document["device"]}):
        with pytest.raises(ConfigurationError) as caught:
            Login.from_dict(part)
        assert "the-secret" not in texts_of(caught.value)


users = st.tuples(*(usernames().filter(bool) | st.sampled_from(("/", "%", "%2F", "a/b", "a%2Fb", ".", "..")),) * 3)


@given(one=users, another=users)
def test_no_two_users_have_the_same_key(one: tuple[str, str, str], another: tuple[str, str, str]) -> None:
    assert (store_key(*one) == store_key(*another)) == (one == another)


@given(one=users, moved=st.integers(1, 3))
def test_a_separator_within_a_part_does_not_give_the_key_of_another_user(one: tuple[str, str, str], moved: int) -> None:
    joined = "/".join(one)
    other = (joined[:moved], joined[moved : 2 * moved], joined[2 * moved :])
    if all(other) and other != one:
        assert store_key(*other) != store_key(*one)


def test_a_key_is_ascii_and_names_the_user() -> None:
    assert (
        store_key("eu-west-1_Pool", "client", "ana@b.org/\u00e9\0") == "eu-west-1_Pool/client/ana%40b.org%2F%C3%A9%00"
    )


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("wrong", ["", None, 1, b"bytes"])
def test_the_parts_of_a_key_must_be_strings(place: int, wrong: Any) -> None:
    parts: list[Any] = ["pool", "client", "user"]
    parts[place] = wrong
    with pytest.raises(ConfigurationError, match=("pool_id", "client_id", "username")[place]):
        store_key(*parts)


@given(username=texts_with_lone_surrogates())
def test_the_parts_of_a_key_must_be_encodable_as_utf8(username: str) -> None:
    with pytest.raises(ConfigurationError, match="username"):
        store_key("pool", "client", username)
