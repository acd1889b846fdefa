"""Read the user, client, groups and scopes from claims, with the same functions for access tokens and ID tokens."""

from __future__ import annotations

from typing import cast

from ..exceptions import InvalidClaim
from ..tokens.claims import Claims

__all__ = ["app_client", "groups", "scopes", "subject", "username"]


def subject(claims: Claims) -> str:
    """Return ``sub``, the id of the user, which never changes. In a token of a machine it is the app client's id.

    Raises:
        InvalidClaim: ``sub`` is missing, so users without it could not be distinguished from each other.
    """
    sub = claims.get("sub")
    if not isinstance(sub, str) or not sub:
        raise InvalidClaim("sub is missing or not a string", expected="str", actual=type(sub).__name__)
    return sub


def username(claims: Claims) -> str | None:
    """Return ``username`` of an access token or ``cognito:username`` of an ID token, or None for a machine's token."""
    return _string_or_none(claims, "username") or _string_or_none(claims, "cognito:username")


def app_client(claims: Claims) -> str | None:
    """Return the id of the app client: ``client_id`` of an access token, ``aud`` of an ID token."""
    return _string_or_none(claims, "client_id") or _string_or_none(claims, "aud")


def groups(claims: Claims) -> tuple[str, ...]:
    """Return ``cognito:groups``, or an empty tuple. The verifier has already checked that they are strings."""
    return tuple(cast(list[str], claims.get("cognito:groups", [])))


def scopes(claims: Claims) -> tuple[str, ...]:
    """Return the scopes of an access token in its order (RFC 6749, section 3.3), or an empty tuple for an ID token."""
    return tuple(scope for scope in (_string_or_none(claims, "scope") or "").split(" ") if scope)


def _string_or_none(claims: Claims, name: str) -> str | None:
    value = claims.get(name)
    return value if isinstance(value, str) else None
