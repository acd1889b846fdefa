"""The tokens of the user: their expiry, what a reply sets, and how they end."""

from __future__ import annotations

from .. import tokens
from ..exceptions.base import AccessTokenRequired, UnsupportedChallenge
from ..exceptions.tokens import MalformedToken
from ..flows import ask
from ..flows.refresh import revoke
from ..protocol import CallMethod, Flow, JsonObject
from .refresher import AsyncRefreshMethods, RefreshMethods
from .sync_async import async_method, is_ours, sync_method, through

__all__ = ["AsyncTokenMethods", "TokenMethods"]


class TokenMethods(RefreshMethods):
    """Check, take and give up tokens."""

    @sync_method
    def check_token(self, renew: bool = True) -> Flow[bool]:
        """Return whether the access token has expired, and with *renew* refresh it if so.

        ``exp`` is read from a token that is NOT verified here: it decides about a refresh and nothing else.

        Raises:
            AccessTokenRequired: there is no access token.
            MalformedToken: it has no ``exp``.
            ServiceError: the service refused the refresh.
        """
        seen = self._refreshes
        if not self.access_token:
            raise AccessTokenRequired("there is no access token: log in first")
        expiry = tokens.unverified_claims(self.access_token).get("exp")
        if isinstance(expiry, bool) or not isinstance(expiry, (int, float)):
            raise MalformedToken("the access token has no exp")
        expired = self._clock() > expiry
        if expired and renew and is_ours(self, "renew_access_token"):
            yield CallMethod(lambda: self._refresh_once(seen))
        elif expired and renew:
            yield from through(self, "renew_access_token")
        return expired

    @sync_method
    def check_tokens(self, renew: bool = True) -> Flow[bool]:
        """Return the result of :meth:`check_token`, under the name that pycognito's README uses."""
        expired: bool = yield from through(self, "check_token", renew)
        return expired

    @sync_method
    def revoke_token(self, token: str | None = None) -> Flow[None]:
        """Revoke the refresh token (or *token*) and the access tokens that it gave; the present ones are dropped.

        Raises:
            ConfigurationError: there is no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are unchanged.
        """
        yield from revoke(self._app, token or self.refresh_token or "")
        if token is None or token == self.refresh_token:
            yield from self._forget_tokens()

    @sync_method
    def logout(self) -> Flow[None]:
        """Log the user out of every client (GlobalSignOut) and drop the tokens.

        Raises:
            AccessTokenRequired: there is no access token; nothing was sent.
            ServiceError: the service refused; the tokens are unchanged.
        """
        yield from ask("GlobalSignOut", {"AccessToken": self._require_access_token()})
        yield from self._forget_tokens()

    @sync_method
    def _set_tokens(self, tokens: JsonObject) -> Flow[None]:
        """Verify the tokens of a reply and set them; if they are refused, the present ones stay."""
        result = tokens.get("AuthenticationResult")
        if not result:
            raise UnsupportedChallenge(str(tokens.get("ChallengeName", "absent")))
        yield from self._verify_pair(result["AccessToken"], result["IdToken"])
        yield from self._take_result(result)


class AsyncTokenMethods(AsyncRefreshMethods):
    """Check, take and give up tokens, on an event loop."""

    check_token = async_method(TokenMethods.check_token)
    check_tokens = async_method(TokenMethods.check_tokens)
    revoke_token = async_method(TokenMethods.revoke_token)
    logout = async_method(TokenMethods.logout)
    _set_tokens = async_method(TokenMethods._set_tokens)  # pyright: ignore[reportPrivateUsage] - pycognito's name
