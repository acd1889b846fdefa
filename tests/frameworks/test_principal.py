"""The principal of a token, also if a claim is missing or has another type."""

from __future__ import annotations

from srpcore.frameworks.principal import app_client, groups, scopes, username


def test_claims_that_are_not_strings_are_ignored() -> None:
    claims = {"username": 5, "cognito:username": ["bob"], "client_id": None, "aud": {}, "scope": 1}
    assert (username(claims), app_client(claims), scopes(claims), groups(claims)) == (None, None, (), ())


def test_a_missing_scope_gives_no_scopes() -> None:
    assert scopes({"scope": ""}) == ()
    assert scopes({"scope": " a  b "}) == ("a", "b")
