"""What is common to both verifiers of tokens: all but how they wait for keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..clock import Clock, system_clock
from ..exceptions.base import ConfigurationError
from ..exceptions.tokens import InvalidClaim, IssuerMismatch, TokenVerificationException
from ..pool import Pool, default_endpoint
from .jwks import MAX_DOCUMENT_LENGTH, KeySet
from .jwks_provider import KeyCache, KeyTiming
from .jwks_source import JwksSource, read_jwks
from .jws import parse_claims, split_token
from .policy import CustomCheck, Overrides, Policy, Strings, TokenUse, issuers_by_pool, pool_by_issuer, seconds, strings
from .signature_cache import SignatureCache, VerifiedSignature

if TYPE_CHECKING:
    from ..protocol import AsyncTransport, Transport

__all__ = ["Verification"]

# A token, its signing input and signature, and what is remembered of it. A tuple and no class: it is made every time.
_Proof: TypeAlias = tuple[str, bytes, bytes, VerifiedSignature | None]


class Verification(ABC):
    """What both verifiers are. :class:`~srpcore.TokenVerifier` explains the arguments."""

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
            raise ConfigurationError("cache_size must be a number of tokens, or 0 to remember none")
        self._signature_cache = SignatureCache(cache_size) if cache_size else None
        self._claims_in_errors = claims_in_errors
        timing = KeyTiming(max_age, cool_down, stale_if_error)
        seconds("timeout", timeout, zero=False)
        ids = strings("user_pool_id", user_pool_id)
        if ids is None:
            raise ConfigurationError("user_pool_id must be the id of a user pool, or several")
        several = [ids] if isinstance(ids, str) else dict.fromkeys(ids)
        pools = [Pool(one, endpoint_url=endpoint_url) for one in several]
        # The classic URL: the newer issuer's answers 403 for pools that have not moved.
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
        """Make ready to fetch keys with *transport*, or with one of its own where that is None."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({[*self._caches]!r})"

    def _make_transport(self) -> Transport:
        from ..resolve import transport_module

        # The endpoint is said, so that no environment variable is asked; it is not used, for only fetch is.
        transport: Transport = transport_module("https").HttpsTransport(
            region=self._region,
            endpoint_url=default_endpoint(self._region),
            timeout=self._timeout,
            total_timeout=self._timeout,
            # What is to be tried again when is the key cache's to say.
            max_attempts=1,
            max_response_size=MAX_DOCUMENT_LENGTH,
        )
        return transport

    def _validate_policy(self, policy: Policy) -> Policy:
        return policy

    def _overridden_policy(self, overrides: Overrides) -> Policy:
        return self._validate_policy(self._policy.with_overrides(overrides))

    def _parse(self, token: str, policy: Policy) -> tuple[str, str, dict[str, Any], _Proof]:
        """Return the pool that *token* names, its kid, its claims, and what there is to prove them."""
        remembered = None if self._signature_cache is None else self._signature_cache.find(token)
        # The claims are read before the signature is verified, for the issuer alone: it says whose keys count, and a
        # token of a stranger must not make anybody fetch keys.
        if remembered is None:
            kid, _, signing_input, payload, signature = split_token(token)
            claims = parse_claims(payload)
            proof: _Proof = token, signing_input, signature, None
        else:
            kid, claims = remembered.kid, remembered.claims()
            proof = token, b"", b"", remembered
        issuer, accepted = claims.get("iss"), policy.issuers
        if not isinstance(issuer, str):
            raise InvalidClaim("iss is missing or no string", expected="str", actual=type(issuer).__name__)
        if accepted is not None and issuer not in ((accepted,) if isinstance(accepted, str) else accepted):
            raise IssuerMismatch("the token is of another issuer", expected=accepted, actual=issuer)
        pool = self._pool_of_issuer.get(issuer)
        if pool is None:
            raise IssuerMismatch("the token is of another issuer", expected=[*self._pool_of_issuer], actual=issuer)
        return pool, kid, claims, proof

    def _verify_claims(
        self,
        policy: Policy,
        pool: str,
        keys: KeySet,
        kid: str,
        claims: dict[str, Any],
        proof: _Proof,
        access_token: str | None,
    ) -> None:
        """Verify the signature with the one of *keys* that *kid* names, and each claim, but for the custom check."""
        if self._signature_cache is not None:
            self._signature_cache.drop_replaced_keys(pool, keys)
        key = keys.keys[kid]
        token, signing_input, signature, remembered = proof
        if remembered is None:
            key.verify(signing_input, signature)
        elif remembered.key != key:
            _, _, signing_input, _, signature = split_token(token)
            key.verify(signing_input, signature)
        claims_policy = (
            self._claims_policies[pool] if policy is self._policy else policy.for_issuers(self._issuers[pool])
        )
        try:
            claims_policy.check(claims, self._clock(), access_token)
        except TokenVerificationException as error:
            error.claims = claims if self._claims_in_errors else None
            raise
        if self._signature_cache is not None and remembered is None:
            # Only now: tokens that have expired must not push out others.
            self._signature_cache.add(token, pool, kid, key, claims)

    def load_jwks(self, source: JwksSource | None = None, *, user_pool_id: str | None = None) -> None:
        """Take a pool's keys as given, and never fetch them: no other key is accepted, and these do not grow old.

        Args:
            source: a JSON Web Key Set as a mapping, as bytes of JSON, or the path of its file; else ``COGNITO_JWKS``,
                which holds JSON or a Python literal.
            user_pool_id: whose keys they are, where the verifier has several pools.

        Raises:
            ConfigurationError: the file cannot be read, nothing is given, or it is not said whose keys they are.
            InvalidKey: it is no key set that can be used.
        """
        self._caches[self._choose_pool(user_pool_id)].set_given_keys(read_jwks(source))

    def _choose_pool(self, user_pool_id: str | None) -> str:
        if user_pool_id is None and len(self._caches) > 1:
            raise ConfigurationError("the keys are of one user pool: say which, with user_pool_id")
        chosen = user_pool_id or next(iter(self._caches))
        if chosen not in self._caches:
            raise ConfigurationError("the keys are of a user pool that this verifier was not made for")
        return chosen
