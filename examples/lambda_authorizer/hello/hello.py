"""A function behind the authorizer: it greets the user of the access token."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["handler"]


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Return a greeting. API Gateway calls this only for requests that the authorizer has accepted."""
    user = event["requestContext"]["authorizer"]["lambda"]["username"]
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": f"Hello, {user}"}),
    }
