"""The tokens of the user: keys, verification, expiry, refresh, and their end."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, cast

from .. import tokens
from ..exceptions.base import ConfigurationError, UnsupportedChallenge
from ..exceptions.tokens import MalformedToken, UnknownKey
from ..flows import fetch
from ..flows.refresh import refresh, revoke
from ..wire import Document
from .base import CognitoBase

__all__ = ["TokenMethods"]

KEYS_COOL_DOWN = 60.0
"""Seconds before a token with an unknown key id may make the key set be fetched again."""

_OF_TOKENS = ("access_token", "access_claims", "id_token", "id_claims")


class TokenMethods(CognitoBase):
    """Verify, refresh and give up tokens."""

    def get_keys(self) -> Mapping[str, Any]:
        """Return the pool's JSON Web Key Set: from ``COGNITO_JWKS`` (JSON or a Python literal), else fetched once.

        Raises:
            ConfigurationError: ``COGNITO_JWKS`` is neither.
            TransportError: the key set could not be fetched.
            InvalidKey: what was fetched is no key set.
        """
        if not self.pool_jwk:
            self.pool_jwk = _keys_of_environment()
        if not self.pool_jwk:
            body = self._run(fetch(f"{self.user_pool_url}/.well-known/jwks.json"))
            tokens.parse_key_set(body)
            self.pool_jwk, self._keys_fetched_at = cast(dict[str, Any], json.loads(body)), self._clock()
        return self.pool_jwk

    def get_key(self, kid: str) -> Mapping[str, Any]:
        """Return the pool's JSON Web Key of the id *kid*; the key set is fetched anew if it lacks the key.

        It is fetched anew once a minute at the most, whatever ids come, and never if it was given.

        Raises:
            UnknownKey: the pool has no such key.
            TransportError: the key set could not be fetched.
        """
        found = self._find_key(kid)
        fetched_at = self._keys_fetched_at
        if found is None and fetched_at is not None and self._clock() - fetched_at >= KEYS_COOL_DOWN:
            self.pool_jwk = None
            found = self._find_key(kid)
        if found is None:
            raise UnknownKey("no key of the pool has the token's kid", actual=kid)
        return found

    def _find_key(self, kid: str) -> Mapping[str, Any] | None:
        keys: list[Mapping[str, Any]] = self.get_keys().get("keys", [])
        return next((key for key in keys if key.get("kid") == kid), None)

    def verify_token(self, token: str, id_name: str, token_use: str) -> Mapping[str, Any]:
        """Verify *token*, set it as the attribute *id_name* and its claims as ``<token_use>_claims``; return them.

        Signature, issuer, expiry, use and app client (``aud`` or ``client_id``) are checked, and ``at_hash`` of an ID
        token against the access token that is there.

        Raises:
            TokenVerificationException: a subclass says why; nothing was set.
            TransportError: the key set could not be fetched; nothing was set.
        """
        if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise MalformedToken(f"there is no {id_name} to verify: log in first")
        jwk = self.get_key(tokens.parse(token).kid)
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

    def verify_tokens(self) -> None:
        """Verify the ID token and the access token that are there, such as those given to the constructor.

        Raises:
            TokenVerificationException: a subclass says why.
            TransportError: the key set could not be fetched.
        """
        self.verify_token(cast(str, self.id_token), "id_token", "id")
        self.verify_token(cast(str, self.access_token), "access_token", "access")

    def check_token(self, renew: bool = True) -> bool:
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
            self.renew_access_token()
        return expired

    def check_tokens(self, renew: bool = True) -> bool:
        """Return :meth:`check_token`; pycognito's README calls it so."""
        return self.check_token(renew)

    def renew_access_token(self) -> None:
        """Get new tokens for the refresh token, verify them and set them.

        Raises:
            ConfigurationError: there is no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were.
            TokenVerificationException: the new tokens are not accepted; the tokens are as they were.
        """
        # The keys first: once the refresh token is spent, its successor must not be lost to a failed fetch.
        self.get_keys()
        reply, way = self._run(
            refresh(
                self._app,
                self.refresh_token or "",
                username=self._canonical_name(),
                device_key=self.device.key if self.device else None,
                first=self._refreshed_by,
            )
        )
        self._refreshed_by = way
        self._set_tokens(reply)

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

    def revoke_token(self, token: str | None = None) -> None:
        """Revoke the refresh token (or *token*) and the access tokens that came of it; this client's are dropped.

        Raises:
            ConfigurationError: there is no refresh token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were.
        """
        self._run(revoke(self._app, token or self.refresh_token or ""))
        if token is None or token == self.refresh_token:
            self._drop_tokens()

    def logout(self) -> None:
        """Log the user out of every client (GlobalSignOut) and drop the tokens.

        Raises:
            AccessTokenRequired: there is no access token; nothing was sent.
            ServiceError: the service refused; the tokens are as they were.
        """
        self._call("GlobalSignOut", AccessToken=self._require_access_token())
        self._drop_tokens()

    def _drop_tokens(self) -> None:
        for name in (*_OF_TOKENS, "refresh_token", "token_type", "expires_in", "expires_datetime"):
            setattr(self, name, None)

    def _set_tokens(self, tokens: Document) -> None:
        """Verify the tokens of a reply and set them; if they are not accepted, those that are there stay."""
        result = tokens.get("AuthenticationResult")
        if not result:
            raise UnsupportedChallenge(str(tokens.get("ChallengeName", "absent")))
        before = {name: getattr(self, name) for name in _OF_TOKENS}
        try:
            self.verify_token(result["AccessToken"], "access_token", "access")
            self.verify_token(result["IdToken"], "id_token", "id")
        except BaseException:
            for name, value in before.items():
                setattr(self, name, value)
            raise
        if result.get("RefreshToken"):
            self.refresh_token = result["RefreshToken"]
        self.token_type = result.get("TokenType")
        self.expires_in = result.get("ExpiresIn")
        if self.expires_in is not None:
            now = datetime.fromtimestamp(self._clock(), tz=timezone.utc)
            self.expires_datetime = now + timedelta(seconds=self.expires_in)
        self.new_device_metadata = result.get("NewDeviceMetadata")


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
