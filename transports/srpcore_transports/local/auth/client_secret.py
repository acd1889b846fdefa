"""Check that a request has the secret of its app client: the secret itself, or SECRET_HASH."""

from __future__ import annotations

from srpcore.crypto.secret_hash import secret_hash

from ..api.errors import Refusal, not_authorized
from ..model.pools import AppClient
from ..model.secret_values import equal

__all__ = ["check_hash", "check_secret"]


def check_secret(client: AppClient, given: str | None, code: str = "NotAuthorizedException") -> None:
    """Check the secret *given*, if the app client has one; either of its two secrets is right.

    Raises:
        Refusal: the secret is missing or wrong; the exception is *code*.
    """
    if client.secret is None:
        return
    if not given:
        raise Refusal(code, f"Client {client.client_id} is configured with secret but ClientSecret was not received")
    if not any(equal(given, secret.value) for secret in client.secrets):
        raise Refusal(code, f"Unable to verify secret for client {client.client_id}")


def check_hash(client: AppClient, given: str | None, *names: str) -> None:
    """Check the SECRET_HASH *given*, if the client has a secret.

    Args:
        names: the user names for which the hash may be computed: as typed, and canonical.

    Raises:
        Refusal: the hash is missing or wrong, or one was given although the client has no secret.
    """
    if client.secret is None:
        # Like the service, refuse a hash if the client has no secret: the caller's settings are wrong.
        if given:
            raise not_authorized(f"Client {client.client_id} is not configured for secret but secret hash was received")
        return
    if not given:
        raise not_authorized(f"Client {client.client_id} is configured with secret but SECRET_HASH was not received")
    valid = [secret_hash(name, client.client_id, secret.value) for name in names for secret in client.secrets]
    if not any(equal(given, hash_) for hash_ in valid):
        raise not_authorized(f"Unable to verify secret hash for client {client.client_id}")
