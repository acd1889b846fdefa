"""Check the claims of a token whose signature is already verified.

The claims come from RFC 7519, from OpenID Connect Core (``at_hash``) and from Cognito (``token_use``, ``client_id``,
``cognito:groups``).
"""

from __future__ import annotations

import math
from binascii import b2a_base64
from collections.abc import Callable, Collection, Iterable, Mapping
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

__all__ = ["Claims", "ClaimsPolicy", "access_token_hash", "wrong_issuer"]

Claims: TypeAlias = Mapping[str, Any]
"""The payload of a token: a mapping from the names of claims to JSON values. Treat it as read-only."""


class ClaimsPolicy:
    """The expected values of a token's claims. :meth:`srpcore.tokens.policy.Policy.for_issuers` makes it."""

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
        """Check every claim: issuer, use, app client, times, groups, scope and ``at_hash``, in this order.

        Args:
            claims: the payload. The caller has already verified the signature.
            now: seconds since the epoch.
            access_token: the access token that was issued together with an ID token. If the claims have ``at_hash``,
                it must be the hash of this access token.

        Raises:
            InvalidClaim: a claim is missing or of the wrong type.
            IssuerMismatch, TokenUseMismatch, AudienceMismatch, TokenExpired, TokenNotYetValid, GroupMismatch,
            ScopeMismatch, AccessTokenHashMismatch: the claim does not have an expected value.
            ConfigurationError: *access_token* is not a string.
        """
        if access_token is not None and not isinstance(access_token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError("access_token must be a string or None")
        # A claim may be any JSON value, for example a list. "in" on a tuple compares it with each string and does not
        # require it to be hashable, so a value of a wrong type is simply not found.
        get: Callable[..., Any] = claims.get
        use = get("token_use")
        if get("iss") not in self._issuers:
            message = wrong_issuer(self._issuers, get("iss"))
            raise _mismatch(IssuerMismatch, message, self._issuers, claims, "iss")
        if use not in self._uses:
            message = "token is of the wrong kind (token_use)"
            raise _mismatch(TokenUseMismatch, message, self._uses, claims, "token_use")
        if not type(get("sub", "")) is type(get("jti", "")) is type(get("scope", "")) is str:
            for name in ("sub", "jti", "scope"):
                if name in claims:
                    _require_string(claims, name)
        if self._client_ids is not None:
            name = "client_id" if use == "access" else "aud"
            if get(name) not in self._client_ids:
                message = f"token was issued to a different app client ({name})"
                raise _mismatch(AudienceMismatch, message, self._client_ids, claims, name)
        expires, not_before, issued = get("exp"), get("nbf", 0), get("iat", 0)
        # Compare the types exactly: isinstance(True, int) is true, but a time must not be a bool.
        if not type(expires) is type(not_before) is type(issued) is int:
            _check_numbers(claims)
        # Any comparison with NaN is false. "not now < exp" therefore refuses the token if a broken clock returns NaN;
        # "now >= exp" would accept it. int() drops a fraction of a second, so exp is never rounded up.
        if not now - self._leeway < int(expires):
            message = "token has expired (exp): get a new one, or check this computer's clock"
            raise TokenExpired(message, expected=f"after {now - self._leeway}", actual=expires)
        if not not_before <= now + self._leeway:
            message = "token is not valid yet (nbf): check this computer's clock, or allow some leeway"
            raise TokenNotYetValid(message, expected=f"at most {now + self._leeway}", actual=not_before)
        if self._groups is not None or "cognito:groups" in claims:
            _check_groups(claims, self._groups)
        if self._scope is not None:
            _check_scope(claims, self._scope)
        if access_token is not None and "at_hash" in claims:
            _check_access_token_hash(claims, access_token)


def access_token_hash(access_token: str) -> str:
    """Return the claim ``at_hash`` for *access_token*: the left half of its SHA-256, as base64url without padding.

    Source: OpenID Connect Core, section 3.1.3.6, for tokens that are signed with RS256.
    """
    digest = sha256(access_token.encode("utf-8", "surrogatepass")).digest()
    encoded = b2a_base64(digest[:16], newline=False).rstrip(b"=").decode("ascii")
    return encoded.replace("+", "-").replace("/", "_")


def _check_groups(claims: Claims, groups: tuple[str, ...] | None) -> None:
    actual: list[Any] = claims.get("cognito:groups", [])
    # This loop takes a third of the time of all(...) or of a set of the items' types.
    strings = type(actual) is list
    for item in actual if strings else ():
        strings = strings and type(item) is str
    if not strings:
        raise InvalidClaim("cognito:groups is not a list of strings", expected="list", actual=_type_of(actual))
    if groups is not None and not {*groups} & {*actual}:
        found = claims.get("cognito:groups")
        raise GroupMismatch("user is not in any of the required groups", expected=_format_value(groups), actual=found)


def _check_scope(claims: Claims, scope: tuple[str, ...]) -> None:
    actual = claims.get("scope", "")
    # RFC 6749, section 3.3: the scopes are separated by spaces. Policy refuses an empty string as a required scope.
    if not {*scope} & {*actual.split(" ")}:
        message = "token does not have any of the required scopes"
        raise ScopeMismatch(message, expected=_format_value(scope), actual=actual)


def _check_access_token_hash(claims: Claims, access_token: str) -> None:
    actual, expected = _require_string(claims, "at_hash"), access_token_hash(access_token)
    if actual != expected:  # both are public, so the comparison need not be constant-time
        message = "at_hash does not match the access token: the two tokens were not issued together"
        raise AccessTokenHashMismatch(message, expected=expected, actual=actual)


def _as_tuple(values: str | Collection[str]) -> tuple[str, ...]:
    # "in" on a string searches for a substring: "abc" in "xabcx" is true. A tuple compares whole values.
    return (values,) if isinstance(values, str) else tuple(values)


def _format_value(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else [*values]


def wrong_issuer(expected: Iterable[str], actual: object) -> str:
    """Return the message for the issuer *actual*, which is not one of *expected*, and say what to check."""
    # An issuer ends with the pool id. If the id is right, only the URL before it differs.
    pool_id = actual.rsplit("/", 1)[-1] if isinstance(actual, str) else ""
    if pool_id and any(issuer.rsplit("/", 1)[-1] == pool_id for issuer in expected):
        return (
            "token is from another issuer (iss), with the same pool id but another URL before it: for an emulator, "
            "give its URL as endpoint_url=, or start it with serve --issuer; for another URL that you trust, give the "
            "issuer as issuer= (Cognito) or issuers= (TokenVerifier)"
        )
    return "token is from another issuer (iss): check the user pool id"


def _mismatch(
    kind: type[TokenVerificationException], message: str, expected: tuple[str, ...], claims: Claims, name: str
) -> TokenVerificationException:
    """Return the error for a claim that is not one of *expected*: *kind*, or InvalidClaim if it is not a string."""
    actual = claims.get(name)
    if type(actual) is not str:
        return _not_a_string(name, actual)
    return kind(message, expected=_format_value(expected), actual=actual)


def _require_string(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if type(value) is not str:
        raise _not_a_string(name, value)
    return value


def _not_a_string(name: str, value: object) -> InvalidClaim:
    return InvalidClaim(f"{name} is missing or not a string", expected="str", actual=_type_of(value))


def _check_numbers(claims: Claims) -> None:
    for name, value in (("exp", claims.get("exp")), ("nbf", claims.get("nbf", 0)), ("iat", claims.get("iat", 0))):
        if type(value) is not int and not (type(value) is float and math.isfinite(value)):
            raise InvalidClaim(f"{name} is missing or not a finite number", expected="number", actual=_type_of(value))


def _type_of(value: object) -> str:
    return type(value).__name__
