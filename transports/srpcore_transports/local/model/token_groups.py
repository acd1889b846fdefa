"""The groups of a user as tokens show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["GROUP_CLAIMS", "TokenGroups"]

GROUP_CLAIMS = ("cognito:groups", "cognito:roles", "cognito:preferred_role")


@dataclass(frozen=True)
class TokenGroups:
    """The groups of a user as tokens show them, or as the trigger PreTokenGeneration wants to show them."""

    names: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    preferred_role: str | None = None

    def in_id_token(self) -> dict[str, Any]:
        """Return the claims about groups of an ID token. Those without a value are left out."""
        values = (list(self.names), list(self.roles), self.preferred_role)
        return {name: value for name, value in zip(GROUP_CLAIMS, values, strict=True) if value}

    def in_access_token(self) -> dict[str, Any]:
        """Return the claims about groups of an access token: the names only, if there are any."""
        return {GROUP_CLAIMS[0]: list(self.names)} if self.names else {}
