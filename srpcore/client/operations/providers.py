"""Manage the pool's identity providers and app clients. These operations need AWS credentials."""

from __future__ import annotations

from collections.abc import Mapping

from ...flows import ask, require_object
from ...protocol import Flow, JsonObject
from ..base import CognitoBase
from ..sync_async import sync_method

__all__ = ["ProviderMethods"]


class ProviderMethods(CognitoBase):
    """Create, read and change identity providers and app clients."""

    @sync_method
    def admin_create_identity_provider(
        self,
        /,
        pool_id: str,
        provider_name: str,
        provider_type: str,
        provider_details: Mapping[str, str],
        **kwargs: object,
    ) -> Flow[None]:
        """Create an identity provider. *kwargs* are more parameters of CreateIdentityProvider.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        named = {"UserPoolId": pool_id, "ProviderName": provider_name, "ProviderType": provider_type}
        yield from ask("CreateIdentityProvider", {**named, "ProviderDetails": provider_details, **kwargs})

    @sync_method
    def admin_describe_identity_provider(self, pool_id: str, provider_name: str) -> Flow[JsonObject]:
        """Return the service's description of an identity provider (the reply of DescribeIdentityProvider).

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        return (yield from ask("DescribeIdentityProvider", {"UserPoolId": pool_id, "ProviderName": provider_name}))

    @sync_method
    def admin_update_identity_provider(self, /, pool_id: str, provider_name: str, **kwargs: object) -> Flow[None]:
        """Change an identity provider. *kwargs* are parameters of UpdateIdentityProvider.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("UpdateIdentityProvider", {"UserPoolId": pool_id, "ProviderName": provider_name, **kwargs})

    @sync_method
    def describe_user_pool_client(self, pool_id: str, client_id: str) -> Flow[JsonObject]:
        """Return the configuration of an app client.

        Raises:
            ServiceError: the service refused the request.
            UnsafeServerValue: the reply has no app client.
            TransportError: the service did not answer.
        """
        reply = yield from ask("DescribeUserPoolClient", {"UserPoolId": pool_id, "ClientId": client_id})
        return require_object(reply, "UserPoolClient")

    @sync_method
    def admin_update_user_pool_client(self, /, pool_id: str, client_id: str, **kwargs: object) -> Flow[None]:
        """Change an app client. *kwargs* are parameters of UpdateUserPoolClient.

        The service resets every setting that is not given to its default.

        Raises:
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        yield from ask("UpdateUserPoolClient", {"UserPoolId": pool_id, "ClientId": client_id, **kwargs})
