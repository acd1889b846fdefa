"""Check the claims of a token whose signature is verified (RFC 7519; OpenID Connect Core; the user pool's own)."""

from __future__ import annotations

import math
from binascii import b2a_base64
from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any, TypeAlias, TypeGuard, cast

from ..exceptions.base import ConfigurationError
from ..exceptions.tokens import (
    AccessTokenHashMismatch,
    AudienceMismatch,
    GroupMismatch,
    InvalidClaim,
    IssuerMismatch,
    ScopeMismatch,
    TokenExpired,
    TokenNotYetValid,
    TokenUseMismatch,
)

__all__ = ["Claims", "access_token_hash", "check"]

Claims: TypeAlias = Mapping[str, Any]
"""The payload of a token: claim name to JSON value. Read it; a change in it changes no token."""


def check(
    claims: Claims,
    *,
    issuers: str | Collection[str],
    token_use: str | None,
    client_ids: str | Collection[str] | None,
    now: float,
    leeway: float = 0,
    access_token: str | None = None,
    groups: str | Collection[str] | None = None,
    scope: str | Collection[str] | None = None,
) -> None:
    """Check every claim that says whether a token may be used here and now.

    Args:
        claims: the payload; its signature must have been verified.
        issuers: the values of ``iss`` to accept, compared whole.
        token_use: ``"access"``, ``"id"``, or None for either.
        client_ids: the app clients to accept: ``client_id`` of an access token, ``aud`` of an ID token; None for any.
        now: seconds since the epoch.
        leeway: seconds by which clocks may differ, 0 or more.
        access_token: the access token that came with an ID token: ``at_hash``, where there is one, must be its.
        groups: ``cognito:groups``, of which the user must be in one at least; None for any or none.
        scope: the scope or scopes of which the token must have one at least; None for any or none.

    Raises:
        InvalidClaim: a claim is missing or of the wrong type.
        IssuerMismatch, TokenUseMismatch, AudienceMismatch, TokenExpired, TokenNotYetValid, GroupMismatch,
        ScopeMismatch, AccessTokenHashMismatch: the claim is another.
        ConfigurationError: *token_use* or *leeway* is not what it can be.
    """
    if token_use not in (None, "access", "id"):
        raise ConfigurationError('token_use must be "access", "id" or None')
    if access_token is not None and not isinstance(access_token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError("access_token must be a string, or None")
    if not 0 <= leeway < math.inf:
        raise ConfigurationError("leeway must be a number of seconds, 0 or more")
    issuer, use = claims.get("iss"), claims.get("token_use")
    if type(issuer) is not str or issuer not in _several(issuers):
        _text(claims, "iss")
        raise IssuerMismatch("the token is of another issuer", expected=issuers, actual=issuer)
    if (use != "access" and use != "id") or (token_use is not None and token_use != use):
        _text(claims, "token_use")
        raise TokenUseMismatch("the token is for another use", expected=token_use or ["access", "id"], actual=use)
    get = claims.get
    if not type(get("sub", "")) is type(get("jti", "")) is type(get("scope", "")) is str:
        for name in ("sub", "jti", "scope"):
            if name in claims:
                _text(claims, name)
    if client_ids is not None:
        name = "client_id" if use == "access" else "aud"
        actual = claims.get(name)
        if type(actual) is not str or actual not in _several(client_ids):
            expected, actual = client_ids, _text(claims, name)
            raise AudienceMismatch(f"the token is another app client's ({name})", expected=expected, actual=actual)
    _check_times(claims, now, leeway)
    if groups is not None or "cognito:groups" in claims:
        _check_groups(claims, groups)
    if scope is not None:
        _check_scope(claims, scope)
    if access_token is not None and "at_hash" in claims:
        _check_access_token_hash(claims, access_token)


def access_token_hash(access_token: str) -> str:
    """Return ``at_hash`` of *access_token*: base64url of the left half of its SHA-256.

    OpenID Connect Core, section 3.1.3.6, for RS256; without padding.
    """
    digest = sha256(access_token.encode("utf-8", "surrogatepass")).digest()
    text = b2a_base64(digest[:16], newline=False).rstrip(b"=").decode("ascii")
    return text.replace("+", "-").replace("/", "_")


def _check_times(claims: Claims, now: float, leeway: float) -> None:
    expires: Any = claims.get("exp")
    not_before, issued = claims.get("nbf", 0), claims.get("iat", 0)
    # By type and not isinstance: a bool is an int.
    if not type(expires) is type(not_before) is type(issued) is int:
        for name, value in (("exp", expires), ("nbf", not_before), ("iat", issued)):
            _check_number(name, value)
    # Each comparison is written so that a clock of NaN refuses. The fraction of a second is cut off.
    if not now - leeway < int(expires):
        raise TokenExpired("the token has expired (exp)", expected=f"after {now - leeway}", actual=expires)
    if not (not_before <= now + leeway or "nbf" not in claims):
        expected = f"at most {now + leeway}"
        raise TokenNotYetValid("the token is not valid yet (nbf)", expected=expected, actual=not_before)


def _check_groups(claims: Claims, groups: str | Collection[str] | None) -> None:
    actual = claims.get("cognito:groups")
    if "cognito:groups" in claims and not _is_list_of_texts(actual):
        raise InvalidClaim("cognito:groups is no list of strings", expected="list", actual=_type_of(actual))
    if groups is not None and not {*_several(groups)} & {*(actual or [])}:
        raise GroupMismatch("the user is in none of the groups", expected=groups, actual=actual)


def _check_scope(claims: Claims, scope: str | Collection[str]) -> None:
    actual = claims.get("scope", "")
    # RFC 6749, section 3.3: scopes with spaces between them. No scope is empty.
    if not {*_several(scope)} & {*actual.split(" ")} - {""}:
        raise ScopeMismatch("the token has none of the scopes", expected=scope, actual=actual)


def _check_access_token_hash(claims: Claims, access_token: str) -> None:
    actual, expected = _text(claims, "at_hash"), access_token_hash(access_token)
    if actual != expected:  # neither is a secret
        raise AccessTokenHashMismatch("at_hash is not that of the access token", expected=expected, actual=actual)


def _several(values: str | Collection[str]) -> Collection[str]:
    # "in" of a single string would find every part of it.
    return (values,) if isinstance(values, str) else values


def _is_list_of_texts(value: object) -> TypeGuard[list[str]]:
    if not isinstance(value, list):
        return False
    for item in cast(list[object], value):  # noqa: SIM110 - all(...) takes three times as long
        if not isinstance(item, str):
            return False
    return True


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise InvalidClaim(f"{name} is missing or no string", expected="str", actual=_type_of(value))
    return value


def _check_number(name: str, value: object) -> None:
    if type(value) is not int and not (type(value) is float and math.isfinite(value)):
        raise InvalidClaim(f"{name} is missing or no finite number", expected="number", actual=_type_of(value))


def _type_of(value: object) -> str:
    return type(value).__name__
