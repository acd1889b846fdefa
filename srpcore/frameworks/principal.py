"""Whom a verified token speaks for: its claims by one name, whether it is an access token or an ID token."""

from __future__ import annotations

from typing import cast

from ..exceptions import InvalidClaim
from ..tokens.claims import Claims

__all__ = ["app_client", "groups", "scopes", "subject", "username"]


def subject(claims: Claims) -> str:
    """Return ``sub``, which is one user's for ever; of a machine's token it is the app client's id.

    Raises:
        InvalidClaim: there is none, so that nobody could be told from anybody else.
    """
    sub = claims.get("sub")
    if not isinstance(sub, str) or not sub:
        raise InvalidClaim("sub is missing or no string", expected="str", actual=type(sub).__name__)
    return sub


def username(claims: Claims) -> str | None:
    """Return ``username`` of an access token or ``cognito:username`` of an ID token; a machine's token has neither."""
    return _text(claims, "username") or _text(claims, "cognito:username")


def app_client(claims: Claims) -> str | None:
    """Return the id of the app client: ``client_id`` of an access token, ``aud`` of an ID token."""
    return _text(claims, "client_id") or _text(claims, "aud")


def groups(claims: Claims) -> tuple[str, ...]:
    """Return ``cognito:groups``, whose form the verifier has checked; a user in no group has none."""
    return tuple(cast(list[str], claims.get("cognito:groups", [])))


def scopes(claims: Claims) -> tuple[str, ...]:
    """Return the scopes of an access token, in its order (RFC 6749, section 3.3); an ID token has none."""
    return tuple(scope for scope in (_text(claims, "scope") or "").split(" ") if scope)


def _text(claims: Claims, name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None
