"""The user's passkeys: register, list and delete them.

The browser creates and uses a passkey. These methods only pass the data between the browser and the service.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...flows import ask, require_object
from ...flows.paging import collect
from ...protocol import Flow, JsonObject
from ..base import CognitoBase
from ..sync_async import sync_method

__all__ = ["PasskeyMethods"]


class PasskeyMethods(CognitoBase):
    """Register, list and delete passkeys."""

    @sync_method
    def start_web_authn_registration(self) -> Flow[JsonObject]:
        """Return CredentialCreationOptions, the argument for the browser's ``navigator.credentials.create``.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            UnsafeServerValue: the reply has no options.
            TransportError: the service did not answer.
        """
        reply = yield from ask("StartWebAuthnRegistration", {"AccessToken": self._require_access_token()})
        return require_object(reply, "CredentialCreationOptions")

    @sync_method
    def complete_web_authn_registration(self, credential: Mapping[str, object]) -> Flow[None]:
        """Register the passkey that the browser has created.

        Args:
            credential: the RegistrationResponseJSON from the browser.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        parameters = {"AccessToken": self._require_access_token(), "Credential": credential}
        yield from ask("CompleteWebAuthnRegistration", parameters)

    @sync_method
    def list_web_authn_credentials(self) -> Flow[list[JsonObject]]:
        """Return the descriptions of all passkeys of the user, from every page.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            UnsafeServerValue: a page has the token of its own request, so the pages would never end.
            TransportError: the service did not answer.
        """
        parameters = {"AccessToken": self._require_access_token()}
        return (yield from collect("ListWebAuthnCredentials", parameters))

    @sync_method
    def delete_web_authn_credential(self, credential_id: str) -> Flow[None]:
        """Delete the passkey with the id *credential_id*.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused the request.
            TransportError: the service did not answer.
        """
        parameters = {"AccessToken": self._require_access_token(), "CredentialId": credential_id}
        yield from ask("DeleteWebAuthnCredential", parameters)
