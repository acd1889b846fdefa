"""The tokens of the user: check whether they have expired, set new ones, revoke them, log out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import tokens
from ..exceptions.base import AccessTokenRequired, UnsafeServerValue, UnsupportedChallenge
from ..exceptions.tokens import MalformedToken
from ..flows import ask
from ..flows.login_context import authentication_result
from ..flows.refresh import revoke
from ..protocol import CallMethod, Flow, JsonObject
from .refresher import RefreshMethods
from .sync_async import call_method, is_ours, sync_method

__all__ = ["TokenMethods"]


class TokenMethods(RefreshMethods):
    """Check, set and revoke tokens."""

    @sync_method
    def check_token(self, renew: bool = True, *, client_metadata: Mapping[str, str] | None = None) -> Flow[bool]:
        """Return whether the access token has expired. If it has and *renew* is true, refresh the tokens.

        The token is NOT verified here. Its ``exp`` only decides whether to refresh.
        *client_metadata* is that of :meth:`renew_access_token`.

        Raises:
            AccessTokenRequired: the object has no access token.
            MalformedToken: the access token has no usable ``exp``.
            ServiceError: the service refused the refresh.
            ConfigurationError: the token must be refreshed, and there is no refresh token.
            TransportError: the service did not answer.
            TokenVerificationException: the new tokens failed verification.
            StoreError: the store cannot be read, written or locked.
        """
        refreshes_before = self._refreshes
        if not self.access_token:
            raise AccessTokenRequired("no access token: log in first")
        expiry = tokens.unverified_claims(self.access_token).get("exp")
        if isinstance(expiry, bool) or not isinstance(expiry, (int, float)):
            raise MalformedToken("access token has no exp, or exp is not a number")
        expired = self._service_time.now() > expiry
        if expired and renew and is_ours(self, "renew_access_token"):
            yield CallMethod(lambda: self._refresh_once(refreshes_before, client_metadata))
        elif expired and renew:
            yield from call_method(self, "renew_access_token", **_if_given(client_metadata))
        return expired

    @sync_method
    def check_tokens(self, renew: bool = True, *, client_metadata: Mapping[str, str] | None = None) -> Flow[bool]:
        """Return the result of :meth:`check_token`, under the name that pycognito's README uses.

        Raises:
            SrpcoreError: as in :meth:`check_token`.
        """
        expired: bool = yield from call_method(self, "check_token", renew, **_if_given(client_metadata))
        return expired

    @sync_method
    def revoke_token(self, token: str | None = None) -> Flow[None]:
        """Revoke the refresh token, or *token*, and the access tokens that were obtained with it.

        If it is the refresh token of this object, the present tokens are dropped, here and in the store.

        Raises:
            ConfigurationError: the object has no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are unchanged.
            TransportError: the service did not answer.
            StoreError: the tokens were revoked, but could not be removed from the store.
        """
        yield from revoke(self._app, token or self.refresh_token or "")
        if token is None or token == self.refresh_token:
            yield from self._forget_tokens()

    @sync_method
    def logout(self) -> Flow[None]:
        """Log the user out everywhere (GlobalSignOut), and drop the tokens, here and in the store.

        Raises:
            AccessTokenRequired: the object has no access token; nothing was sent.
            ServiceError: the service refused; the tokens are unchanged.
            TransportError: the service did not answer.
            StoreError: the user was logged out, but the tokens could not be removed from the store.
        """
        yield from ask("GlobalSignOut", {"AccessToken": self._require_access_token()})
        yield from self._forget_tokens()

    @sync_method
    def _set_tokens(self, tokens: JsonObject) -> Flow[None]:
        """Verify the tokens of a reply and set them. If one is refused, the present tokens are kept."""
        result = authentication_result(tokens)
        if not result:
            raise UnsupportedChallenge(str(tokens.get("ChallengeName", "absent")))
        if result.get("AccessToken") is None or result.get("IdToken") is None:
            raise UnsafeServerValue("unsafe value from the server: the reply must have an AccessToken and an IdToken")
        received = (result["AccessToken"], result["IdToken"])
        self._just_received += received
        try:
            yield from self._verify_pair(*received)
        finally:
            self._just_received = tuple(token for token in self._just_received if token not in received)
        yield from self._set_result(result)


def _if_given(client_metadata: Mapping[str, str] | None) -> dict[str, Any]:
    # Pass the argument only if it was given: a program may have replaced the method with one that has pycognito's
    # signature, without this argument.
    return {} if client_metadata is None else {"client_metadata": client_metadata}
