"""How long expired Sessions and refresh tokens are remembered."""

from __future__ import annotations

from ..model.clock import DAY

__all__ = ["KEPT_AFTER_EXPIRY"]

KEPT_AFTER_EXPIRY = 366 * DAY
"""How many seconds an expired Session or refresh token is refused as expired. After that it is deleted, and unknown."""
