"""The tokens of the user: keys, verification, expiry, refresh, and their end."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, cast

from .. import tokens
from ..exceptions.base import ConfigurationError, UnsupportedChallenge
from ..exceptions.tokens import MalformedToken, UnknownKey
from ..flows import ask, fetch
from ..flows.refresh import refresh, revoke
from ..wire import Document, Flow
from .base import AsyncCognitoBase, CognitoBase
from .state import CognitoState
from .twins import awaited, blocking

__all__ = ["AsyncTokenMethods", "TokenMethods"]

KEYS_COOL_DOWN = 60.0
"""Seconds before a token with an unknown key id may make the key set be fetched again."""

_OF_TOKENS = ("access_token", "access_claims", "id_token", "id_claims")


class TokenState(CognitoState):
    """What both facades do with tokens between two requests."""

    def _find_key(self, keys: Mapping[str, Any], kid: str) -> Mapping[str, Any] | None:
        found: list[Mapping[str, Any]] = keys.get("keys", [])
        return next((key for key in found if key.get("kid") == kid), None)

    def _may_fetch_keys_again(self) -> bool:
        fetched_at = self._keys_fetched_at
        return fetched_at is not None and self._clock() - fetched_at >= KEYS_COOL_DOWN

    @contextmanager
    def _tokens_stay_if_refused(self) -> Generator[None, None, None]:
        before = {name: getattr(self, name) for name in _OF_TOKENS}
        try:
            yield
        except BaseException:
            for name, value in before.items():
                setattr(self, name, value)
            raise

    def _take_result(self, result: Mapping[str, Any]) -> None:
        if result.get("RefreshToken"):
            self.refresh_token = result["RefreshToken"]
        self.token_type = result.get("TokenType")
        self.expires_in = result.get("ExpiresIn")
        if self.expires_in is not None:
            now = datetime.fromtimestamp(self._clock(), tz=timezone.utc)
            self.expires_datetime = now + timedelta(seconds=self.expires_in)
        self.new_device_metadata = result.get("NewDeviceMetadata")

    def _drop_tokens(self) -> None:
        for name in (*_OF_TOKENS, "refresh_token", "token_type", "expires_in", "expires_datetime"):
            setattr(self, name, None)

    def _canonical_name(self) -> str:
        """REFRESH_TOKEN_AUTH's SECRET_HASH is over the canonical name, which an alias is not; the tokens say it."""
        if self._canonical_username:
            return self._canonical_username
        if self.access_token:
            try:
                return str(tokens.unverified_claims(self.access_token).get("username") or self.username or "")
            except MalformedToken:
                pass
        return self.username or ""


class TokenMethods(TokenState, CognitoBase):
    """Verify, refresh and give up tokens."""

    @blocking
    def get_keys(self) -> Flow[Mapping[str, Any]]:
        """Return the pool's JSON Web Key Set: from ``COGNITO_JWKS`` (JSON or a Python literal), else fetched once.

        Raises:
            ConfigurationError: ``COGNITO_JWKS`` is neither.
            TransportError: the key set could not be fetched.
            InvalidKey: what was fetched is no key set.
        """
        if not self.pool_jwk:
            self.pool_jwk = _keys_of_environment()
        if not self.pool_jwk:
            body = yield from fetch(f"{self.user_pool_url}/.well-known/jwks.json")
            tokens.parse_key_set(body)
            self.pool_jwk, self._keys_fetched_at = cast(dict[str, Any], json.loads(body)), self._clock()
        return self.pool_jwk

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
            self.pool_jwk = None
            found = self._find_key((yield from self._through("get_keys")), kid)
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

    @blocking
    def check_token(self, renew: bool = True) -> Flow[bool]:
        """Return whether the access token has expired, and with *renew* refresh it then.

        ``exp`` is read from a token that is NOT verified here: it decides about a refresh and nothing else.

        Raises:
            AccessTokenRequired: there is no access token.
            MalformedToken: it has no ``exp``.
            ServiceError: the service refused the refresh.
        """
        expiry = tokens.unverified_claims(self._require_access_token()).get("exp")
        if isinstance(expiry, bool) or not isinstance(expiry, (int, float)):
            raise MalformedToken("the access token has no exp")
        expired = self._clock() > expiry
        if expired and renew:
            yield from self._through("renew_access_token")
        return expired

    @blocking
    def check_tokens(self, renew: bool = True) -> Flow[bool]:
        """Return :meth:`check_token`; pycognito's README calls it so."""
        expired: bool = yield from self._through("check_token", renew)
        return expired

    @blocking
    def renew_access_token(self) -> Flow[None]:
        """Get new tokens for the refresh token, verify them and set them.

        Raises:
            ConfigurationError: there is no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were.
            TokenVerificationException: the new tokens are not accepted; the tokens are as they were.
        """
        # The keys first: once the refresh token is spent, its successor must not be lost to a failed fetch.
        yield from self._through("get_keys")
        reply, way = yield from refresh(
            self._app,
            self.refresh_token or "",
            username=self._canonical_name(),
            device_key=self.device.key if self.device else None,
            first=self._refreshed_by,
        )
        self._refreshed_by = way
        yield from self._through("_set_tokens", reply)

    @blocking
    def revoke_token(self, token: str | None = None) -> Flow[None]:
        """Revoke the refresh token (or *token*) and the access tokens that came of it; this client's are dropped.

        Raises:
            ConfigurationError: there is no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were.
        """
        yield from revoke(self._app, token or self.refresh_token or "")
        if token is None or token == self.refresh_token:
            self._drop_tokens()

    @blocking
    def logout(self) -> Flow[None]:
        """Log the user out of every client (GlobalSignOut) and drop the tokens.

        Raises:
            AccessTokenRequired: there is no access token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were.
        """
        yield from ask("GlobalSignOut", {"AccessToken": self._require_access_token()})
        self._drop_tokens()

    @blocking
    def _set_tokens(self, tokens: Document) -> Flow[None]:
        """Verify the tokens of a reply and set them; if they are not accepted, those that are there stay."""
        result = tokens.get("AuthenticationResult")
        if not result:
            raise UnsupportedChallenge(str(tokens.get("ChallengeName", "absent")))
        with self._tokens_stay_if_refused():
            yield from self._through("verify_token", result["AccessToken"], "access_token", "access")
            yield from self._through("verify_token", result["IdToken"], "id_token", "id")
        self._take_result(result)


class AsyncTokenMethods(TokenState, AsyncCognitoBase):
    """Verify, refresh and give up tokens, on an event loop."""

    get_keys = awaited(TokenMethods.get_keys)
    get_key = awaited(TokenMethods.get_key)
    verify_token = awaited(TokenMethods.verify_token)
    verify_tokens = awaited(TokenMethods.verify_tokens)
    check_token = awaited(TokenMethods.check_token)
    check_tokens = awaited(TokenMethods.check_tokens)
    renew_access_token = awaited(TokenMethods.renew_access_token)
    revoke_token = awaited(TokenMethods.revoke_token)
    logout = awaited(TokenMethods.logout)
    _set_tokens = awaited(TokenMethods._set_tokens)  # pyright: ignore[reportPrivateUsage] - pycognito's name


def _keys_of_environment() -> Mapping[str, Any] | None:
    text = os.environ.get("COGNITO_JWKS")
    if not text:
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            keys = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(keys, dict):
            return cast(dict[str, Any], keys)
    raise ConfigurationError("COGNITO_JWKS is neither a JSON object nor a Python dictionary: give the key set")
