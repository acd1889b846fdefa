"""SECRET_HASH, with which a confidential app client shows that it holds its secret."""

from __future__ import annotations

import base64
import hmac

from .encoding import utf8

__all__ = ["secret_hash"]


def secret_hash(username: str, client_id: str, client_secret: str) -> str:
    """Return ``base64(HMAC-SHA-256(client secret, username | client id))`` (Cognito developer guide).

    The first call of a log-in uses the name as typed, later answers the canonical username.

    Raises:
        ConfigurationError: an argument is not a string with a UTF-8 form.
    """
    key = utf8(client_secret, name="client_secret")
    message = utf8(username, name="username") + utf8(client_id, name="client_id")
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode("ascii")
