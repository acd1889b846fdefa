"""Check the claims of a token whose signature is verified (RFC 7519; OpenID Connect Core; the user pool's own)."""

from __future__ import annotations

import math
from binascii import b2a_base64
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Any, TypeAlias

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
    TokenVerificationException,
)

__all__ = ["Claims", "ClaimsPolicy", "access_token_hash"]

Claims: TypeAlias = Mapping[str, Any]
"""The payload of a token: claim name to JSON value. Read it; a change in it changes no token."""


class ClaimsPolicy:
    """What a token must claim to be used here. :class:`~srpcore.tokens.policy.Policy` explains it, and makes it."""

    __slots__ = ("_client_ids", "_groups", "_issuers", "_leeway", "_scope", "_uses")

    def __init__(
        self,
        issuers: str | Collection[str],
        token_use: str | None,
        client_ids: str | Collection[str] | None,
        leeway: float,
        groups: str | Collection[str] | None,
        scope: str | Collection[str] | None,
    ) -> None:
        self._issuers = _as_tuple(issuers)
        self._uses = ("access", "id") if token_use is None else (token_use,)
        self._client_ids = None if client_ids is None else _as_tuple(client_ids)
        self._leeway = leeway
        self._groups = None if groups is None else _as_tuple(groups)
        self._scope = None if scope is None else _as_tuple(scope)

    def check(self, claims: Claims, now: float, access_token: str | None = None) -> None:
        """Check every claim that says whether a token may be used here and now.

        Args:
            claims: the payload; its signature must have been verified.
            now: seconds since the epoch.
            access_token: the access token that came with an ID token: ``at_hash``, where there is one, must be its.

        Raises:
            InvalidClaim: a claim is missing or of the wrong type.
            IssuerMismatch, TokenUseMismatch, AudienceMismatch, TokenExpired, TokenNotYetValid, GroupMismatch,
            ScopeMismatch, AccessTokenHashMismatch: the claim is another.
            ConfigurationError: *access_token* is no string.
        """
        if access_token is not None and not isinstance(access_token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("access_token must be a string, or None")
        # "in" compares a claim with each text of a tuple, whatever JSON value it is.
        get: Callable[..., Any] = claims.get
        use = get("token_use")
        if get("iss") not in self._issuers:
            raise _mismatch(IssuerMismatch, "the token is of another issuer", self._issuers, claims, "iss")
        if use not in self._uses:
            raise _mismatch(TokenUseMismatch, "the token is for another use", self._uses, claims, "token_use")
        if not type(get("sub", "")) is type(get("jti", "")) is type(get("scope", "")) is str:
            for name in ("sub", "jti", "scope"):
                if name in claims:
                    _require_string(claims, name)
        if self._client_ids is not None:
            name = "client_id" if use == "access" else "aud"
            if get(name) not in self._client_ids:
                text = f"the token is another app client's ({name})"
                raise _mismatch(AudienceMismatch, text, self._client_ids, claims, name)
        expires, not_before, issued = get("exp"), get("nbf", 0), get("iat", 0)
        # By type and not isinstance: a bool is an int.
        if not type(expires) is type(not_before) is type(issued) is int:
            _check_numbers(claims)
        # Each comparison is written so that a clock of NaN refuses. The fraction of a second is cut off.
        if not now - self._leeway < int(expires):
            raise TokenExpired("the token has expired (exp)", expected=f"after {now - self._leeway}", actual=expires)
        if not not_before <= now + self._leeway:
            expected = f"at most {now + self._leeway}"
            raise TokenNotYetValid("the token is not valid yet (nbf)", expected=expected, actual=not_before)
        if self._groups is not None or "cognito:groups" in claims:
            _check_groups(claims, self._groups)
        if self._scope is not None:
            _check_scope(claims, self._scope)
        if access_token is not None and "at_hash" in claims:
            _check_access_token_hash(claims, access_token)


def access_token_hash(access_token: str) -> str:
    """Return ``at_hash`` of *access_token*: base64url of the left half of its SHA-256.

    OpenID Connect Core, section 3.1.3.6, for RS256; without padding.
    """
    digest = sha256(access_token.encode("utf-8", "surrogatepass")).digest()
    text = b2a_base64(digest[:16], newline=False).rstrip(b"=").decode("ascii")
    return text.replace("+", "-").replace("/", "_")


def _check_groups(claims: Claims, groups: tuple[str, ...] | None) -> None:
    actual: list[Any] = claims.get("cognito:groups", [])
    # Item by item: a set of their types, or all(...), takes three times as long.
    strings = type(actual) is list
    for item in actual if strings else ():
        strings = strings and type(item) is str
    if not strings:
        raise InvalidClaim("cognito:groups is no list of strings", expected="list", actual=_type_of(actual))
    if groups is not None and not {*groups} & {*actual}:
        given = claims.get("cognito:groups")
        raise GroupMismatch("the user is in none of the groups", expected=_format_value(groups), actual=given)


def _check_scope(claims: Claims, scope: tuple[str, ...]) -> None:
    actual = claims.get("scope", "")
    # RFC 6749, section 3.3: scopes with spaces between them, and none of those asked for is empty.
    if not {*scope} & {*actual.split(" ")}:
        raise ScopeMismatch("the token has none of the scopes", expected=_format_value(scope), actual=actual)


def _check_access_token_hash(claims: Claims, access_token: str) -> None:
    actual, expected = _require_string(claims, "at_hash"), access_token_hash(access_token)
    if actual != expected:  # neither is a secret
        raise AccessTokenHashMismatch("at_hash is not that of the access token", expected=expected, actual=actual)


def _as_tuple(values: str | Collection[str]) -> tuple[str, ...]:
    # "in" of a single string would find every part of it.
    return (values,) if isinstance(values, str) else tuple(values)


def _format_value(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else [*values]


def _mismatch(
    kind: type[TokenVerificationException], text: str, expected: tuple[str, ...], claims: Claims, name: str
) -> TokenVerificationException:
    """Return the error of a claim that is none of those *expected*, or of one that is no text at all."""
    actual = claims.get(name)
    if type(actual) is not str:
        return _not_a_string(name, actual)
    return kind(text, expected=_format_value(expected), actual=actual)


def _require_string(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if type(value) is not str:
        raise _not_a_string(name, value)
    return value


def _not_a_string(name: str, value: object) -> InvalidClaim:
    return InvalidClaim(f"{name} is missing or no string", expected="str", actual=_type_of(value))


def _check_numbers(claims: Claims) -> None:
    for name, value in (("exp", claims.get("exp")), ("nbf", claims.get("nbf", 0)), ("iat", claims.get("iat", 0))):
        if type(value) is not int and not (type(value) is float and math.isfinite(value)):
            raise InvalidClaim(f"{name} is missing or no finite number", expected="number", actual=_type_of(value))


def _type_of(value: object) -> str:
    return type(value).__name__
