"""The value of ``user.tokens``: the tokens as strings, for programs that are checked by a type checker."""

from __future__ import annotations

from typing import Any

from ..exceptions.base import ConfigurationError
from ..store import Tokens

__all__ = ["LoginTokens"]


class LoginTokens:
    """The present tokens of a user, as one immutable value. Its repr does not contain them.

    A token that the user does not have is an error, not None: so a program passes ``user.tokens.access_token`` to
    whatever takes a string. The attributes ``user.access_token`` and so on are None instead, as in pycognito.

    ``stored`` is the same value as the stores keep it, with None for a missing token.
    """

    __slots__ = ("_stored",)

    def __init__(self, stored: Tokens) -> None:
        self._stored = stored

    @property
    def stored(self) -> Tokens:
        """The value that the stores keep."""
        return self._stored

    @property
    def access_token(self) -> str:
        """The access token.

        Raises:
            ConfigurationError: the user has none.
        """
        return _require(self._stored.access_token, "access_token")

    @property
    def id_token(self) -> str:
        """The ID token.

        Raises:
            ConfigurationError: the user has none.
        """
        return _require(self._stored.id_token, "id_token")

    @property
    def refresh_token(self) -> str:
        """The refresh token.

        Raises:
            ConfigurationError: the user has none.
        """
        return _require(self._stored.refresh_token, "refresh_token")

    @property
    def token_type(self) -> str | None:
        """``Bearer``, or None if it is not known."""
        return self._stored.token_type

    @property
    def expires_at(self) -> float | None:
        """The time when the access token expires, in seconds since the epoch, or None if it is not known."""
        return self._stored.expires_at

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form. The tokens are in it: store it as safely as a password."""
        return self._stored.to_dict()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LoginTokens) and self._stored == other._stored

    def __hash__(self) -> int:
        return hash(self._stored)

    def __repr__(self) -> str:
        return f"LoginTokens(token_type={self.token_type!r}, expires_at={self.expires_at!r})"


def _require(token: str | None, name: str) -> str:
    if token is None:
        raise ConfigurationError(f"the user has no {name}: log in first, or pass {name}= to the constructor")
    return token
