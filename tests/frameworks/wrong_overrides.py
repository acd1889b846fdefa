"""Arguments that every framework refuses when a route is defined."""

from __future__ import annotations

from typing import Any

from support.key_server import POOL

WRONG: list[dict[str, Any]] = [
    {"scope": ""},
    {"scope": []},
    {"scope": 1},
    {"groups": [""]},
    {"client_id": ()},
    {"token_use": "refresh"},
    {"leeway": -1},
    {"leeway": float("nan")},
    {"custom_check": "x"},
    {"issuers": ""},
    {"scopes": "a"},
    {"access_token": "a"},
    {"user_pool_id": POOL},
]
