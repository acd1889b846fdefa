"""LocalUserPool: the embedded server of user pools, as a transport in process and as an HTTP server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from srpcore import aws_json
from srpcore.clock import Clock, system_clock
from srpcore.exceptions.base import ConfigurationError, TransportError
from srpcore.pool import default_endpoint
from srpcore.protocol import Operation, Reply

from ..credentials import Credentials, from_environment
from . import app_clients, pools, service
from .custom_auth import CustomAuth
from .errors import Refusal
from .http_server import LocalServer
from .outbox import Outbox
from .state import State

__all__ = ["LocalUserPool"]

_DEFAULT_POOL: dict[str, Any] = {
    "PoolName": "local",
    "AutoVerifiedAttributes": ["email"],
    "MfaConfiguration": "OPTIONAL",
    "WebAuthnConfiguration": {"RelyingPartyId": "localhost", "UserVerification": "preferred"},
}
_DEFAULT_CLIENT: dict[str, Any] = {
    "ClientName": "local",
    "PreventUserExistenceErrors": "ENABLED",
    "ExplicitAuthFlows": [
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
        "ALLOW_USER_AUTH",
        "ALLOW_CUSTOM_AUTH",
    ],
}


class LocalUserPool:
    """One server with any number of user pools, and one pool and app client from the start.

    It is a transport: calls in process are trusted, so the administrator's operations need no signature. Over HTTP
    (:meth:`serve`) they are signed with *credentials*.

    Args:
        region: the region that the pools claim to be in.
        clock: the time, in seconds since the epoch: sessions, codes, timestamps and tokens go by it.
        issuer: what stands before ``/<pool id>`` in ``iss``; AWS's own, or the URL of :meth:`serve`, unless given.
        credentials: the AWS keys that administrators sign with over HTTP; None takes those of the environment.
        remember_devices: track devices, and remember each one that is confirmed.
        client_secret: give the first app client a secret.
        custom_auth: the triggers of custom log-ins, for every pool; without them CUSTOM_AUTH is refused.
        pool_settings: parameters of CreateUserPool for the first pool, over its defaults.
        client_settings: parameters of CreateUserPoolClient for the first app client, over its defaults.

    Raises:
        ConfigurationError: a setting has a value that the service would not take.
    """

    def __init__(
        self,
        *,
        region: str = "us-east-1",
        clock: Clock = system_clock,
        issuer: str | None = None,
        credentials: Credentials | None = None,
        remember_devices: bool = False,
        client_secret: bool = False,
        custom_auth: CustomAuth | None = None,
        pool_settings: Mapping[str, Any] | None = None,
        client_settings: Mapping[str, Any] | None = None,
    ) -> None:
        default_endpoint(region)  # refuses what is not the name of a region
        self._issuer = None if issuer is None else issuer.rstrip("/")
        self._credentials = credentials or from_environment()
        self._state = State(region, clock, self._issuer)
        self._state.custom_auth = custom_auth
        devices = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": False}
        pool_parameters = {
            **_DEFAULT_POOL,
            **({"DeviceConfiguration": devices} if remember_devices else {}),
            **(pool_settings or {}),
        }
        client_parameters: dict[str, Any] = {
            **_DEFAULT_CLIENT,
            "GenerateSecret": client_secret,
            **(client_settings or {}),
        }
        _check_settings(pool_parameters, client_parameters)
        pool = self._state.add_pool(pool_parameters)
        client = self._state.add_client(pool, client_parameters)
        self.region = region
        self.user_pool_id: str = pool.id
        self.client_id: str = client.client_id
        self.client_secret: str | None = client.secret

    @property
    def outbox(self) -> Outbox:
        """The messages that the service would have sent."""
        return self._state.outbox

    def call(self, operation: Operation) -> Reply:
        """Answer *operation* as over HTTP, JSON and all, trusting the caller.

        Raises:
            ConfigurationError: a parameter has no JSON form.
        """
        _, body = aws_json.encode(operation)
        response = service.answer(self._state, operation.name, body)
        return aws_json.decode(response.status, response.headers, response.body)

    def fetch(self, url: str) -> bytes:
        """Return the key set of ``<anything>/<pool id>/.well-known/jwks.json``.

        Raises:
            TransportError: there is no such pool.
        """
        body = self.document(urlsplit(url).path)
        if body is None:
            raise TransportError("the local pool has no document at that address")
        return body

    def document(self, path: str) -> bytes | None:
        """Return the public document at *path*, a pool's key set or OpenID configuration, or None."""
        pool_id, _, name = path.rpartition("/.well-known/")
        pool = self._state.pools.get(pool_id.rpartition("/")[2])
        if pool is None:
            return None
        if name == "jwks.json":
            return json.dumps({"keys": [pool.key.jwk()]}).encode("utf-8")
        if name == "openid-configuration":
            issuer = self._state.issuer(pool)
            return json.dumps(
                {
                    "issuer": issuer,
                    "jwks_uri": f"{issuer}/.well-known/jwks.json",
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "subject_types_supported": ["public"],
                }
            ).encode("utf-8")
        return None

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> LocalServer:
        """Serve the pools over HTTP until the server is closed; port 0 picks a free one.

        From then on, and until it is closed, tokens name ``<url>/<pool id>`` as their issuer unless *issuer* was given.

        Raises:
            OSError: the address cannot be listened at.
        """
        server = LocalServer(self._state, self.document, self._credentials, host, port, self._restore_issuer)
        if self._issuer is None:
            self._state.issuer_base = server.url
        return server

    def _restore_issuer(self) -> None:
        self._state.issuer_base = self._issuer

    def close(self) -> None:
        """Do nothing: the pool holds nothing that must be released, and can be used again."""

    def __enter__(self) -> LocalUserPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalUserPool(user_pool_id={self.user_pool_id!r}, client_id={self.client_id!r})"


def _check_settings(pool_parameters: Mapping[str, Any], client_parameters: Mapping[str, Any]) -> None:
    try:
        pools.check_pool_settings(pool_parameters)
        app_clients.check_client_settings(client_parameters)
    except Refusal as error:
        raise ConfigurationError(f"the pool's settings: {error.message}") from None
