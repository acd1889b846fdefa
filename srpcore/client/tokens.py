"""The tokens of the user: keys, verification, expiry, refresh, and their end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import tokens
from ..drive import entered_in_thread
from ..exceptions.base import AccessTokenRequired, ConfigurationError, UnsupportedChallenge
from ..exceptions.tokens import InvalidKey, MalformedToken, UnknownKey
from ..flows import ask
from ..flows.refresh import revoke
from ..tokens.given_keys import members_of_environment
from ..wire import Document, Flow
from .base import AsyncCognitoBase, CognitoBase
from .token_state import TokenState
from .twins import awaited, blocking, is_own, twin_of

if TYPE_CHECKING:
    import asyncio

__all__ = ["AsyncTokenMethods", "TokenMethods"]


class TokenMethods(TokenState, CognitoBase):
    """Verify, refresh and give up tokens."""

    @blocking
    def get_keys(self) -> Flow[Mapping[str, Any]]:
        """Return the pool's JSON Web Key Set: from ``COGNITO_JWKS`` (JSON or a Python literal), else fetched once.

        Raises:
            ConfigurationError: ``COGNITO_JWKS`` is neither, or no key set that can be used.
            TransportError: the key set could not be fetched.
            InvalidKey: what was fetched is no key set.
        """
        keys = self.pool_jwk or _keys_of_environment()
        if not keys:
            keys = yield from self._fetch_keys()
            self._keys_fetched_at = self._clock()
        self.pool_jwk = keys
        return keys

    @blocking
    def get_key(self, kid: str) -> Flow[Mapping[str, Any]]:
        """Return the pool's JSON Web Key of the id *kid*; the key set is fetched anew if it lacks the key.

        It is fetched anew once a minute at the most, whatever ids come, and never if it was given.

        Raises:
            UnknownKey: the pool has no such key.
            TransportError: the key set could not be fetched.
        """
        found = self._find_key((yield from self._through("get_keys")), kid)
        if found is None and self._may_fetch_keys_again():
            # Stamped before the fetch: while it fails, too, it is tried once a minute. The old keys stay meanwhile.
            self._keys_fetched_at = self._clock()
            self.pool_jwk = yield from self._fetch_keys()
            found = self._find_key(self.pool_jwk, kid)
        if found is None:
            raise UnknownKey("no key of the pool has the token's kid", actual=kid)
        return found

    @blocking
    def verify_token(self, token: str, id_name: str, token_use: str) -> Flow[Mapping[str, Any]]:
        """Verify *token*, set it as the attribute *id_name* and its claims as ``<token_use>_claims``; return them.

        Signature, issuer, expiry, use and app client (``aud`` or ``client_id``) are checked, and ``at_hash`` of an ID
        token against the access token that is there.

        Raises:
            TokenVerificationException: a subclass says why; nothing was set.
            TransportError: the key set could not be fetched; nothing was set.
        """
        if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise MalformedToken(f"there is no {id_name} to verify: log in first")
        jwk = yield from self._through("get_key", tokens.parse(token).kid)
        claims = tokens.verify(
            token,
            tokens.parse_key_set({"keys": [jwk]}),
            issuers={*self._pool.issuers, self.user_pool_url},
            client_id=self._app.client_id,
            token_use=token_use,
            now=self._clock(),
            access_token=self.access_token if token_use == "id" else None,
        )
        setattr(self, id_name, token)
        setattr(self, f"{token_use}_claims", claims)
        return claims

    @blocking
    def verify_tokens(self) -> Flow[None]:
        """Verify the ID token and the access token that are there, such as those given to the constructor.

        Raises:
            TokenVerificationException: a subclass says why.
            TransportError: the key set could not be fetched.
        """
        yield from self._through("verify_token", self.id_token, "id_token", "id")
        yield from self._through("verify_token", self.access_token, "access_token", "access")
        self._refuse_two_users()

    @blocking
    def check_token(self, renew: bool = True) -> Flow[bool]:
        """Return whether the access token has expired, and with *renew* refresh it then.

        ``exp`` is read from a token that is NOT verified here: it decides about a refresh and nothing else.

        Raises:
            AccessTokenRequired: there is no access token.
            MalformedToken: it has no ``exp``.
            ServiceError: the service refused the refresh.
        """
        seen = self._renewals
        if not self.access_token:
            raise AccessTokenRequired("there is no access token: log in first")
        expiry = tokens.unverified_claims(self.access_token).get("exp")
        if isinstance(expiry, bool) or not isinstance(expiry, (int, float)):
            raise MalformedToken("the access token has no exp")
        expired = self._clock() > expiry
        if expired and renew and is_own(self.renew_access_token):
            yield from self._through("_renew_once", seen)
        elif expired and renew:
            yield from self._through("renew_access_token")
        return expired

    @blocking
    def check_tokens(self, renew: bool = True) -> Flow[bool]:
        """Return :meth:`check_token`; pycognito's README calls it so."""
        expired: bool = yield from self._through("check_token", renew)
        return expired

    def renew_access_token(self) -> None:
        """Get new tokens for the refresh token, verify them and set them: once, however many threads ask meanwhile.

        With a store, other programs wait too, and tokens that one of them has just had are taken over. New ones are
        kept in the store first; a refresh token that the service definitively refuses is dropped from it, and here.

        Raises:
            ConfigurationError: there is no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were, unless the refresh token is of no more use.
            TokenVerificationException: the new tokens are not accepted; the tokens are as they were.
            StoreError: the store cannot be used.
        """
        self._renew_once(self._renewals)

    def _renew_once(self, seen: int) -> None:
        """Renew, unless another thread has since the count of renewals was *seen*."""
        with self._renewing, self._store_lock():
            if self._renewals == seen:
                self._run(self._renew())
                self._renewals += 1

    @blocking
    def revoke_token(self, token: str | None = None) -> Flow[None]:
        """Revoke the refresh token (or *token*) and the access tokens that came of it; this client's are dropped.

        Raises:
            ConfigurationError: there is no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were.
        """
        yield from revoke(self._app, token or self.refresh_token or "")
        if token is None or token == self.refresh_token:
            self._forget_tokens()

    @blocking
    def logout(self) -> Flow[None]:
        """Log the user out of every client (GlobalSignOut) and drop the tokens.

        Raises:
            AccessTokenRequired: there is no access token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were.
        """
        yield from ask("GlobalSignOut", {"AccessToken": self._require_access_token()})
        self._forget_tokens()

    @blocking
    def _set_tokens(self, tokens: Document) -> Flow[None]:
        """Verify the tokens of a reply and set them; if they are not accepted, those that are there stay."""
        result = tokens.get("AuthenticationResult")
        if not result:
            raise UnsupportedChallenge(str(tokens.get("ChallengeName", "absent")))
        with self._tokens_stay_if_refused():
            yield from self._through("verify_token", result["AccessToken"], "access_token", "access")
            yield from self._through("verify_token", result["IdToken"], "id_token", "id")
            self._refuse_two_users()
        self._take_result(result)


class AsyncTokenMethods(TokenState, AsyncCognitoBase):
    """Verify, refresh and give up tokens, on an event loop."""

    _renewal: asyncio.Future[None] | None = None

    get_keys = awaited(TokenMethods.get_keys)
    get_key = awaited(TokenMethods.get_key)
    verify_token = awaited(TokenMethods.verify_token)
    verify_tokens = awaited(TokenMethods.verify_tokens)
    check_token = awaited(TokenMethods.check_token)
    check_tokens = awaited(TokenMethods.check_tokens)
    revoke_token = awaited(TokenMethods.revoke_token)
    logout = awaited(TokenMethods.logout)

    async def close(self) -> None:
        """Release the transport, unless it was given, once a refresh that is under way has ended and is kept."""
        import asyncio

        if self._renewal is not None and not self._renewal.done():
            await asyncio.wait([self._renewal])
        await super().close()

    @twin_of(TokenMethods.renew_access_token)
    async def renew_access_token(self) -> None:
        """Get new tokens for the refresh token."""
        await self._renew_once(self._renewals)

    async def _renew_once(self, seen: int) -> None:
        """Renew, unless another task has since the count of renewals was *seen*, or wait for the one that does."""
        import asyncio

        if self._renewals != seen:
            return
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.ensure_future(self._renew_alone())
            # Where every task that waited was cancelled, nobody else asks how it ended.
            self._renewal.add_done_callback(lambda done: done.cancelled() or done.exception())
        # A task that is cancelled does not take the others' refresh with it.
        await asyncio.shield(self._renewal)

    async def _renew_alone(self) -> None:
        async with entered_in_thread(self._store_lock()):
            await self._run(self._renew())
            self._renewals += 1

    _set_tokens = awaited(TokenMethods._set_tokens)  # pyright: ignore[reportPrivateUsage] - pycognito's name


def _keys_of_environment() -> Mapping[str, Any] | None:
    try:
        keys = members_of_environment()
        if keys is not None:
            tokens.parse_key_set(keys)
    except InvalidKey as error:
        raise ConfigurationError(f"COGNITO_JWKS is no key set that can be used: {error}") from None
    return keys
