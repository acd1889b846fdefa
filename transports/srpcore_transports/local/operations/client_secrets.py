"""The operations on the secrets of an app client: it may have two, so that they can be rotated without downtime."""

from __future__ import annotations

from typing import Any

from ..api.errors import Refusal, invalid_parameter, not_found
from ..api.parameters import Parameters, optional_string, string
from ..model.pools import AppClient, ClientSecret, new_client_secret
from ..storage.state import State
from .app_clients import require_client

__all__ = ["OPERATIONS"]


def add_user_pool_client_secret(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer AddUserPoolClientSecret: the value is returned only if it was generated."""
    client, given = require_client(state, parameters), optional_string(parameters, "ClientSecret")
    if client.secret is None:
        raise invalid_parameter(f"Client {client.client_id} is not configured for secret.")
    if client.second_secret is not None:
        raise Refusal("LimitExceededException", "An app client can have at most 2 secrets.")
    value = given or new_client_secret()
    if value == client.secret:
        raise invalid_parameter("The app client already has this secret.")
    # The time is a part of the id, in milliseconds.
    created = max(state.clock(), client.secrets[0].created + 0.001)
    client.second_secret = ClientSecret(value, created)
    client.modified = state.clock()
    shown = {} if given else {"ClientSecretValue": value}
    return {"ClientSecretDescriptor": {**_descriptor(client, client.second_secret), **shown}}


def _descriptor(client: AppClient, secret: ClientSecret) -> dict[str, Any]:
    identifier = f"{client.client_id}--{round(secret.created * 1000)}"
    return {"ClientSecretId": identifier, "ClientSecretCreateDate": secret.created}


def list_user_pool_client_secrets(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer ListUserPoolClientSecrets, without their values."""
    client = require_client(state, parameters)
    return {"ClientSecrets": [_descriptor(client, secret) for secret in client.secrets]}


def delete_user_pool_client_secret(state: State, parameters: Parameters) -> dict[str, Any]:
    """Answer DeleteUserPoolClientSecret; the last secret cannot be deleted."""
    client, identifier = require_client(state, parameters), string(parameters, "ClientSecretId")
    kept = [secret for secret in client.secrets if _descriptor(client, secret)["ClientSecretId"] != identifier]
    if len(kept) == len(client.secrets):
        raise not_found(f"Client secret {identifier} does not exist.")
    if not kept:
        raise invalid_parameter("The last secret of an app client cannot be deleted.")
    client.secret, client.secret_created, client.second_secret = kept[0].value, kept[0].created, None
    client.modified = state.clock()
    return {}


OPERATIONS = {
    "AddUserPoolClientSecret": add_user_pool_client_secret,
    "ListUserPoolClientSecrets": list_user_pool_client_secrets,
    "DeleteUserPoolClientSecret": delete_user_pool_client_secret,
}
