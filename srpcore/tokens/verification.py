"""The common base of both token verifiers: everything except how they wait for keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..clock import Clock, system_clock
from ..exceptions.base import ConfigurationError
from ..exceptions.tokens import InvalidClaim, IssuerMismatch, TokenVerificationException
from ..pool import Pool, default_endpoint, plain_http_allowed
from .claims import wrong_issuer
from .jwks import MAX_DOCUMENT_LENGTH, KeySet
from .jwks_source import JwksSource, read_jwks
from .jws import parse_claims, split_token
from .key_cache import KeyCache, KeyTiming
from .policy import CustomCheck, Policy, Strings, TokenUse, issuers_by_pool, pool_by_issuer, strings
from .signature_cache import SignatureCache, VerifiedSignature

if TYPE_CHECKING:
    from ..protocol import AsyncTransport, Transport
    from .overrides import Overrides

__all__ = ["Verification"]

# A token, its signing input, its signature, and the cached fact about it or None. If there is a fact, the second and
# third are empty. It is a tuple and not a class because it is made at every call, and a tuple is faster.
_Proof: TypeAlias = tuple[str, bytes, bytes, VerifiedSignature | None]


class Verification(ABC):
    """The base class of both verifiers. :class:`~srpcore.TokenVerifier` documents the arguments."""

    def __init__(
        self,
        user_pool_id: str | Collection[str],
        *,
        client_id: Strings | None,
        token_use: TokenUse | None,
        groups: Strings | None = None,
        scope: Strings | None = None,
        leeway: float = 0,
        custom_check: CustomCheck | None = None,
        issuers: Strings | Mapping[str, Strings] | None = None,
        endpoint_url: str | None = None,
        allow_http: bool = False,
        transport: Transport | AsyncTransport | None = None,
        timeout: float = 5.0,
        clock: Clock = system_clock,
        max_age: float = 3600.0,
        cool_down: float = 60.0,
        stale_if_error: float = 86400.0,
        cache_size: int = 0,
        claims_in_errors: bool = False,
    ) -> None:
        self._policy = self._validate_policy(Policy(client_id, token_use, groups, scope, leeway, custom_check))
        if type(cache_size) is not int or cache_size < 0:
            raise ConfigurationError("cache_size must be a number of tokens, or 0 for no cache")
        self._signature_cache = SignatureCache(cache_size) if cache_size else None
        self._claims_in_errors = claims_in_errors
        timing = KeyTiming(max_age, cool_down, stale_if_error, timeout)
        ids = strings("user_pool_id", user_pool_id)
        if ids is None:
            raise ConfigurationError("user_pool_id must be the id of a user pool, or several of them, not None")
        unique_ids = [ids] if isinstance(ids, str) else dict.fromkeys(ids)
        # Never None, which stands for an environment variable: that must not change which keys are trusted.
        self._allow_http = plain_http_allowed(allow_http or False)
        pools = [Pool(pool_id, endpoint_url=endpoint_url, allow_http=self._allow_http) for pool_id in unique_ids]
        # Use the older URL of the key set. The one at the newer issuer answers 403 unless the pool was moved there.
        self._caches = {pool.user_pool_id: KeyCache(pool.jwks_url, timing) for pool in pools}
        self._issuers = issuers_by_pool(pools, issuers)
        self._pool_of_issuer = pool_by_issuer(self._issuers)
        self._claims_policies = {name: self._policy.for_issuers(values) for name, values in self._issuers.items()}
        self._clock = clock
        self._owns_transport = transport is None
        self._region = pools[0].region
        self._timeout = timeout
        self._set_up_fetching(transport)

    @abstractmethod
    def _set_up_fetching(self, transport: Transport | AsyncTransport | None) -> None:
        """Prepare to fetch keys with *transport*, or with the default transport if it is None."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({[*self._caches]!r})"

    def _make_transport(self) -> Transport:
        from ..resolve import transport_module

        # Pass the endpoint explicitly, so that the transport does not read AWS_ENDPOINT_URL: an environment variable
        # must not change which keys are trusted. The value itself is not used, because only fetch() is called.
        transport: Transport = transport_module("https").HttpsTransport(
            region=self._region,
            endpoint_url=default_endpoint(self._region),
            allow_http=self._allow_http,
            timeout=self._timeout,
            total_timeout=self._timeout,
            # The key provider decides when to fetch again, so the transport itself must not retry. The next fetch is
            # usually an hour away, so no connection is kept: a verifier that is never closed leaves none open.
            max_attempts=1,
            max_idle_connections=0,
            max_response_size=MAX_DOCUMENT_LENGTH,
        )
        return transport

    def _validate_policy(self, policy: Policy) -> Policy:
        return policy

    def _overridden_policy(self, overrides: Overrides) -> Policy:
        return self._validate_policy(self._policy.with_overrides(overrides))

    def _parse(self, token: str, policy: Policy) -> tuple[str, str, dict[str, Any], _Proof]:
        """Return the pool that *token* names, its kid, its claims, and what is needed to verify them.

        NOTHING IS VERIFIED here; :meth:`_verify_signature_and_claims` does it.
        """
        cached = None if self._signature_cache is None else self._signature_cache.find(token)
        # The payload is parsed before the signature is verified, only to read the issuer. It selects the key set, and a
        # token with an unknown issuer is refused here, so that it cannot cause a fetch. The claims are not used for
        # anything else until _verify_signature_and_claims() has verified the signature.
        if cached is None:
            kid, _, signing_input, payload, signature = split_token(token)
            claims = parse_claims(payload)
            proof: _Proof = token, signing_input, signature, None
        else:
            kid, claims = cached.kid, cached.claims()
            proof = token, b"", b"", cached
        issuer, accepted = claims.get("iss"), policy.issuers
        if not isinstance(issuer, str):
            raise InvalidClaim("iss is missing or not a string", expected="str", actual=type(issuer).__name__)
        if accepted is not None and issuer not in ((accepted,) if isinstance(accepted, str) else accepted):
            values = (accepted,) if isinstance(accepted, str) else accepted
            raise IssuerMismatch(wrong_issuer(values, issuer), expected=accepted, actual=issuer)
        pool = self._pool_of_issuer.get(issuer)
        if pool is None:
            known = [*self._pool_of_issuer]
            raise IssuerMismatch(wrong_issuer(known, issuer), expected=known, actual=issuer)
        return pool, kid, claims, proof

    def _verify_signature_and_claims(
        self,
        policy: Policy,
        pool: str,
        keys: KeySet,
        kid: str,
        claims: dict[str, Any],
        proof: _Proof,
        access_token: str | None,
    ) -> None:
        """Verify the signature with the key *kid* of *keys*, and then each claim, except for the custom check."""
        if self._signature_cache is not None:
            self._signature_cache.drop_replaced_keys(pool, keys)
        key = keys.keys[kid]
        token, signing_input, signature, cached = proof
        if cached is None:
            key.verify(signing_input, signature)
        elif cached.key != key:
            _, _, signing_input, _, signature = split_token(token)
            key.verify(signing_input, signature)
        expected = self._claims_policies[pool] if policy is self._policy else policy.for_issuers(self._issuers[pool])
        try:
            expected.check(claims, self._clock(), access_token)
        except TokenVerificationException as error:
            error.claims = claims if self._claims_in_errors else None
            raise
        if self._signature_cache is not None and cached is None:
            # Add the token only after the checks above, so that refused tokens do not push others out of the cache.
            self._signature_cache.add(token, pool, kid, key, claims)

    def load_jwks(self, source: JwksSource | None = None, *, user_pool_id: str | None = None) -> None:
        """Use a given key set for a pool. From now on it is never fetched, has no age limit, and is the only one.

        Args:
            source: a JSON Web Key Set as a mapping, as bytes of JSON, or as the path of its file. None reads the
                environment variable ``COGNITO_JWKS``, which contains JSON or the literal of a Python dictionary.
            user_pool_id: the pool whose keys these are. You can omit it if the verifier has only one pool.

        Raises:
            ConfigurationError: the file cannot be read, ``COGNITO_JWKS`` is not set, or *user_pool_id* is missing or
                is not a pool of this verifier.
            InvalidKey: the document is not a usable key set.
        """
        self._caches[self._choose_pool(user_pool_id)].set_given_keys(read_jwks(source))

    def load_engine(self) -> None:
        """Load the RSA engine for the keys that are in memory. Without keys nothing is loaded.

        ``hydrate`` and the AWS Lambda authorizers call it. Without it the first token does this work, which takes
        as long as the verification of some fifty tokens.
        """
        for cache in self._caches.values():
            keys = cache.find(None, self._clock())
            if keys is not None:
                keys.load_engine()

    def _choose_pool(self, user_pool_id: str | None) -> str:
        if user_pool_id is None and len(self._caches) > 1:
            raise ConfigurationError(
                "user_pool_id is missing: this verifier has several user pools, so pass the id of one"
            )
        chosen = user_pool_id or next(iter(self._caches))
        if chosen not in self._caches:
            raise ConfigurationError(
                f"user pool {chosen!r} is not one of this verifier's: use one of {', '.join(self._caches)}"
            )
        return chosen
