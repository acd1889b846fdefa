"""Fixtures that support.world defines."""

from __future__ import annotations

from support.world import make_world, world

# Fixtures: pytest finds them by their names in this module.
__all__ = ["make_world", "world"]
