"""SECRET_HASH, with which an app client proves that it knows its client secret."""

from __future__ import annotations

import base64
import hmac

from .encoding import utf8

__all__ = ["secret_hash"]


def secret_hash(username: str, client_id: str, client_secret: str) -> str:
    """Return ``base64(HMAC-SHA-256(client secret, username | client id))`` (source: Cognito developer guide).

    *username* must be the name that the same request contains. At the start of a login this is the name that the user
    typed, for example an e-mail address; in the later requests it is the canonical user name from the service.

    Raises:
        ConfigurationError: an argument is not a string that can be encoded as UTF-8.
    """
    key = utf8(client_secret, name="client_secret")
    message = utf8(username, name="username") + utf8(client_id, name="client_id")
    return base64.b64encode(hmac.digest(key, message, "sha256")).decode("ascii")
