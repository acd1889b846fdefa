"""What the three modules have in common: which token, and which origins may get it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from ..client import AsyncCognito, Cognito
from ..exceptions.base import ConfigurationError

__all__ = [
    "Origins",
    "TokenUse",
    "async_fresh_token",
    "async_renewed_token",
    "check_token_use",
    "fresh_token",
    "origin_of",
    "parse_origins",
    "renewed_token",
]

TokenUse: TypeAlias = Literal["access", "id"]
"""The token to send."""

Origins: TypeAlias = str | Iterable[str]
"""One origin or several: scheme, host, and the port if it is not the usual one, for example "https://api.example.com"."""

_PORTS = {"https": 443, "http": 80}


def check_token_use(use: TokenUse) -> TokenUse:
    """Return *use*.

    Raises:
        ConfigurationError: it is neither "access" nor "id".
    """
    if use not in ("access", "id"):
        raise ConfigurationError(f"invalid token use {use!r}: use 'access' or 'id'")
    return use


def fresh_token(user: Cognito, use: TokenUse) -> str:
    """Return the token of *user*, after a refresh if the tokens have expired.

    Raises:
        ConfigurationError: nobody is logged in.
        SrpcoreError: the tokens could not be refreshed: see ``Cognito.check_token``.
    """
    _token_of(user, use)  # raises if nobody is logged in
    user.check_token()
    return _token_of(user, use)


async def async_fresh_token(user: AsyncCognito, use: TokenUse) -> str:
    """The async version of :func:`fresh_token`."""
    _token_of(user, use)
    await user.check_token()
    return _token_of(user, use)


def renewed_token(user: Cognito, use: TokenUse, refused: str) -> str:
    """Return a token of *user* instead of *refused*: refresh the tokens, unless another thread has done so meanwhile.

    Raises:
        SrpcoreError: the tokens could not be refreshed: see ``Cognito.renew_access_token``.
    """
    if _token_of(user, use) == refused:
        user.renew_access_token()
    return _token_of(user, use)


async def async_renewed_token(user: AsyncCognito, use: TokenUse, refused: str) -> str:
    """The async version of :func:`renewed_token`."""
    if _token_of(user, use) == refused:
        await user.renew_access_token()
    return _token_of(user, use)


def _token_of(user: Cognito | AsyncCognito, use: TokenUse) -> str:
    return user.tokens.access_token if use == "access" else user.tokens.id_token


def parse_origins(origins: Origins) -> frozenset[str]:
    """Return *origins*, each in one form.

    Raises:
        ConfigurationError: one of them is not an origin, or there are none.
    """
    given = (origins,) if isinstance(origins, str) else tuple(origins)
    found = frozenset(_checked(origin) for origin in given)
    if not found:
        raise ConfigurationError("origins is empty: name the servers that may get the token")
    return found


def origin_of(url: str) -> str:
    """Return the origin of *url* in the form of :func:`parse_origins`: scheme, host and port, in lower case."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname or ''}:{port}"


def _checked(origin: str) -> str:
    try:
        parts = urlsplit(origin)
        more = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        valid = parts.scheme in _PORTS and parts.hostname and not more
        found = origin_of(origin)
    except (ValueError, AttributeError, TypeError):
        valid, found = False, ""
    if not valid:
        raise ConfigurationError(f"invalid origin {origin!r}: write for example https://api.example.com")
    return found
