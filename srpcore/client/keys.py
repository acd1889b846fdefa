"""Fetch the pool's public keys, and verify the user's tokens with them."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

from ..exceptions.base import ConfigurationError
from ..exceptions.tokens import InvalidKey, MalformedToken, SubjectMismatch, UnknownKey
from ..flows import fetch
from ..flows.login_context import AppClient
from ..pool import Pool
from ..protocol import Flow
from ..tokens import KeySet, parse_key_set
from ..tokens.claims import ClaimsPolicy
from ..tokens.jwks_source import members_of_environment
from ..tokens.jws import parse_claims, split_token
from ..tokens.key_cache import KeyCache, KeyTiming
from ..tokens.policy import Policy
from ..tokens.rsa import PublicKey
from .base import CognitoBase
from .persistence import SharedPersistence
from .sync_async import call_method, is_ours, sync_method

__all__ = ["VERIFIED_ATTRIBUTES", "KeyMethods", "SharedKeys"]

# In seconds. These are the defaults of TokenVerifier.
TIMING = KeyTiming(max_age=3600.0, cool_down=60.0, stale_if_error=86400.0)


VERIFIED_ATTRIBUTES = ("access_token", "access_claims", "id_token", "id_claims")
"""The attributes that a verification sets."""


class FetchedKeySet(dict[str, Any]):
    """A key set that was fetched, and the cache that holds its keys and knows their age."""

    def __init__(self, document: Mapping[str, Any], cache: KeyCache, fetched_at: float) -> None:
        super().__init__(document)
        self.cache = cache
        self._fetched_at = fetched_at

    def __reduce__(self) -> tuple[Any, ...]:
        # A program may pickle `pool_jwk` with its own object. The copy keeps the age of the keys, so it is fetched
        # again when that is due.
        return _restore_key_set, (dict(self), self.cache.url, self._fetched_at)


def _restore_key_set(document: Mapping[str, Any], url: str, fetched_at: float) -> FetchedKeySet:
    cache = KeyCache(url, TIMING)
    cache.record_success(json.dumps(document).encode(), fetched_at, fetched_at)
    return FetchedKeySet(document, cache, fetched_at)


class SharedKeys(SharedPersistence):
    """The pool's key set, cached and fetched again by the rules of ``TokenVerifier``.

    ``pool_jwk`` is the key set as the service sends it; pycognito has the same attribute. A program may set it. Then
    its keys are used, without an age limit, and nothing is fetched.
    """

    _given_keys: tuple[Mapping[str, Any], KeyCache] | None = None  # the last key set that a program has set
    _just_received: tuple[str | None, ...] = ()  # the tokens of a reply, while they are verified
    _parsed_jwk: tuple[Mapping[str, Any], KeySet] | None = None  # the last key that an override returned

    def _present_key_cache(self, pool_url: str) -> KeyCache:
        """Return the cache of the pool's keys. If ``pool_jwk`` or ``COGNITO_JWKS`` is set, it holds those keys."""
        document = self.pool_jwk or _keys_of_environment()
        url = f"{pool_url}/.well-known/jwks.json"
        # A fetched key set carries its cache, so that no other thread takes it for one that a program has set. One that
        # was fetched from elsewhere was set by the program: it took it from another object.
        if isinstance(document, FetchedKeySet) and document.cache.url == url:
            return document.cache
        if document is None:
            return KeyCache(url, TIMING)
        given = self._given_keys
        if given is None or given[0] is not document:
            cache = KeyCache(url, TIMING)
            cache.set_given_keys(_parse(document, from_environment=not self.pool_jwk))
            given = self._given_keys = document, cache
            self.pool_jwk = document
        return given[1]

    def _keys(self, kid: str | None, pool_url: str) -> Flow[KeySet]:
        """Return the pool's keys. If *kid* is given, it is one of them. Fetch the key set if that is necessary."""
        cache = self._present_key_cache(pool_url)
        now = self._clock()
        found = cache.fresh(kid, now)
        if found is not None:
            return found
        # After a failed fetch, the next one must wait a while, so that many verifications do not become many requests.
        # Without any keys nothing can be verified, so that rule does not apply: each call by the program may try.
        if cache.should_fetch(kid, now) or cache.find(None, now) is None:
            try:
                started, body = now, (yield from fetch(cache.url))
                now = self._clock()
                cache.record_success(body, started, now)
                self.pool_jwk = FetchedKeySet(json.loads(body), cache, started)
            except Exception as error:
                now = self._clock()
                cache.record_failure(error, now)
                if cache.find(kid, now) is None:
                    raise
        found = cache.find(kid, now)
        if found is None:
            raise cache.lookup_error(kid, now)
        return found

    def _verification_key(self, kid: str, pool_url: str) -> Flow[PublicKey]:
        """Return the key to verify a token with. If a program has replaced get_key or get_keys, call that."""
        if is_ours(self, "get_key", "get_keys"):
            keys = yield from self._keys(kid, pool_url)
            return keys.keys[kid]
        jwk: Mapping[str, Any] = yield from call_method(self, "get_key", kid)
        if self._parsed_jwk is None or self._parsed_jwk[0] != jwk:
            self._parsed_jwk = dict(jwk), parse_key_set({"keys": [jwk]})
        return self._parsed_jwk[1].key(kid)

    @contextmanager
    def _tokens_kept_on_error(self) -> Generator[None, None, None]:
        before = {name: getattr(self, name) for name in VERIFIED_ATTRIBUTES}
        try:
            yield
        except BaseException:
            for name, value in before.items():
                setattr(self, name, value)
            raise

    def _verify_pair(self, access_token: str | None, id_token: str | None) -> Flow[None]:
        """Verify two tokens of one user and set them. If one of them is refused, the present tokens are kept."""
        with self._tokens_kept_on_error():
            yield from call_method(self, "verify_token", access_token, "access_token", "access")
            yield from call_method(self, "verify_token", id_token, "id_token", "id")
            self._check_same_user()

    def _check_same_user(self) -> None:
        """Refuse an access token and an ID token of different users.

        ``at_hash`` in the ID token would bind it to the access token, but the tokens of an SDK login do not have it.
        """
        access, identity = self.access_claims, self.id_claims
        if access is not None and identity is not None and access.get("sub") != identity.get("sub"):
            raise SubjectMismatch("the ID token belongs to another user than the access token")


class KeyMethods(SharedKeys, CognitoBase):
    """Fetch keys, and verify tokens with them."""

    @sync_method
    def get_keys(self) -> Flow[Mapping[str, Any]]:
        """Return the pool's JSON Web Key Set (RFC 7517).

        It is ``pool_jwk`` if that is set, else the environment variable COGNITO_JWKS (JSON or a Python literal) if that
        is set, else the fetched one. A fetched key set is used for an hour. If it cannot be fetched again then, it is
        used for another day.

        Raises:
            ConfigurationError: COGNITO_JWKS is not JSON or a Python literal, or is not a usable key set.
            TransportError: the key set could not be fetched.
        """
        yield from self._keys(None, self.user_pool_url)
        return cast(Mapping[str, Any], self.pool_jwk)

    @sync_method
    def get_key(self, kid: str) -> Flow[Mapping[str, Any]]:
        """Return the pool's JSON Web Key with the key id *kid*.

        If a fetched key set lacks the key, it is fetched again, at most once a minute. A key set from ``pool_jwk`` or
        COGNITO_JWKS is never fetched.

        Raises:
            UnknownKey: the pool does not have this key.
            TransportError: the key set could not be fetched.
            ConfigurationError: COGNITO_JWKS is not JSON or a Python literal, or is not a usable key set.
        """
        if is_ours(self, "get_keys"):
            yield from self._keys(kid, self.user_pool_url)
            document = cast(Mapping[str, Any], self.pool_jwk)
        else:
            document = yield from call_method(self, "get_keys")
        keys: list[Mapping[str, Any]] = document.get("keys", [])
        found = next((key for key in keys if key.get("kid") == kid), None)
        if found is None:
            raise UnknownKey("the pool has no key with the token's kid", actual=kid)
        return found

    @sync_method
    def verify_token(self, token: str, id_name: str, token_use: str) -> Flow[Mapping[str, Any]]:
        """Verify *token*, set it and its claims on this object, and return the claims.

        The signature, issuer, expiry, token use and app client (``aud`` or ``client_id``) are checked. If an ID token
        has ``at_hash``, it is checked against ``access_token``.

        Args:
            token: the token, without a ``Bearer`` prefix.
            id_name: the attribute to set to the token: ``"id_token"`` or ``"access_token"``.
            token_use: ``"id"`` or ``"access"``. The claims are set as ``id_claims`` or ``access_claims``.

        Raises:
            TokenVerificationException: the token is not accepted. The subclass names the reason. Nothing was set.
            TransportError: the key set could not be fetched. Nothing was set.
            ConfigurationError: COGNITO_JWKS is not JSON or a Python literal, or is not a usable key set.
        """
        if not isinstance(token, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise MalformedToken(f"no {id_name} to verify: log in first")
        pool_url = self.user_pool_url
        policy = _policy(self._pool, pool_url, self.client_id, token_use, self._issuers)
        kid, _, signing_input, payload, signature = split_token(token)
        key = yield from self._verification_key(kid, pool_url)
        key.verify(signing_input, signature)
        claims = parse_claims(payload)
        # A token that the service has just sent is compared with the service's clock, any other with ours.
        now = self._service_time.now() if token in self._just_received else self._clock()
        policy.check(claims, now, self.access_token if token_use == "id" else None)
        setattr(self, id_name, token)
        setattr(self, f"{token_use}_claims", claims)
        return claims

    @sync_method
    def verify_tokens(self) -> Flow[None]:
        """Verify the present ID token and access token, for example those that the constructor got.

        Raises:
            TokenVerificationException: a token is missing or not accepted. The subclass names the reason.
            TransportError: the key set could not be fetched.
            ConfigurationError: COGNITO_JWKS is not JSON or a Python literal, or is not a usable key set.
        """
        yield from call_method(self, "verify_token", self.id_token, "id_token", "id")
        yield from call_method(self, "verify_token", self.access_token, "access_token", "access")
        self._check_same_user()


# The arguments are settings of the program, so there are few different ones.
@lru_cache(maxsize=64)
def _policy(pool: Pool, pool_url: str, client_id: str, token_use: str, issuers: tuple[str, ...] | None) -> ClaimsPolicy:
    checks = Policy(AppClient(pool, client_id).client_id, token_use, None, None, 0, None)
    return checks.for_issuers(issuers or {*pool.issuers, pool_url})


def _keys_of_environment() -> Mapping[str, Any] | None:
    try:
        return members_of_environment()
    except InvalidKey as error:
        raise _unusable_environment(error) from None


def _parse(document: Mapping[str, Any], *, from_environment: bool) -> KeySet:
    try:
        return parse_key_set(document)
    except InvalidKey as error:
        if from_environment:
            raise _unusable_environment(error) from None
        raise


def _unusable_environment(error: InvalidKey) -> ConfigurationError:
    return ConfigurationError(f"COGNITO_JWKS is not a usable key set: {error}")
