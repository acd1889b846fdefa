"""What the transports that wrap another one have in common."""

from __future__ import annotations

from typing import Any

__all__ = ["Wrapper"]


class Wrapper:
    """A transport around an *inner* one. ``Cognito`` reads the inner one's endpoint, which names the issuer."""

    _inner: Any

    @property
    def endpoint_url(self) -> str | None:
        """The URL that the inner transport sends operations to, or None if it does not have one."""
        endpoint: str | None = getattr(self._inner, "endpoint_url", None)
        return endpoint

    @property
    def allow_http(self) -> bool:
        """Whether the inner transport accepts plain http to other machines."""
        return getattr(self._inner, "allow_http", False) is True
