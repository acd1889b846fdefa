"""What the three modules have in common: which token, and which origins may get it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from ..client import AsyncCognito, Cognito
from ..exceptions.base import ConfigurationError

__all__ = ["Origins", "TokenUse", "check_token_use", "header", "origin_of", "parse_origins", "token_of"]

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


def token_of(user: Cognito | AsyncCognito, use: TokenUse) -> str:
    """Return the present token of *user*.

    Raises:
        ConfigurationError: nobody is logged in.
    """
    return user.tokens.access_token if use == "access" else user.tokens.id_token


def header(token: str) -> str:
    """Return the value of the Authorization header (RFC 6750, section 2.1)."""
    return f"Bearer {token}"


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
