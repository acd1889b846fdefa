"""The passwords of the users in tests. The local pool's default policy accepts each of them."""

from __future__ import annotations

PASSWORD = "Correct-Horse-1"
OTHER_PASSWORD = "Battery-Staple-2"
NEW_PASSWORD = "Another-Horse-2"
