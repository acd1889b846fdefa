"""Verify the tokens of user pools on every request: :class:`TokenVerifier`, and :class:`AsyncTokenVerifier`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..exceptions.base import ConfigurationError
from ..exceptions.tokens import InvalidClaim, IssuerMismatch, TokenVerificationException
from ..forks import start_anew_after_fork
from ..pool import Pool, default_endpoint
from .checks import (
    Checks,
    CustomCheck,
    Overrides,
    Texts,
    TokenUse,
    await_custom_check,
    issuers_by_pool,
    pool_by_issuer,
    run_custom_check,
    seconds,
    texts,
)
from .claims import Claims
from .given_keys import GivenKeys, given_keys
from .jwks import MAX_DOCUMENT_LENGTH, KeySet
from .jws import claims_of, parts
from .key_cache import AsyncPoolKeys, KeyCache, KeyTiming, PoolKeys
from .verdicts import Verdict, Verdicts

if TYPE_CHECKING:
    from typing import Self, Unpack

    from ..wire import AsyncTransport, Transport

__all__ = ["AsyncTokenVerifier", "Overrides", "TokenVerifier"]

# A token, its signing input and signature, and what is remembered of it. A tuple and no class: it is made every time.
_Proof: TypeAlias = tuple[str, bytes, bytes, Verdict | None]


class _Verifier:
    """What both verifiers are, but for how they wait for keys."""

    def __init__(
        self,
        user_pool_id: str | Collection[str],
        *,
        client_id: Texts | None,
        token_use: TokenUse | None,
        groups: Texts | None = None,
        scope: Texts | None = None,
        leeway: float = 0,
        custom_check: CustomCheck | None = None,
        issuers: Texts | Mapping[str, Texts] | None = None,
        endpoint_url: str | None = None,
        transport: Any = None,
        timeout: float = 5.0,
        clock: Callable[[], float] = time.time,
        max_age: float = 3600.0,
        cool_down: float = 60.0,
        stale_for: float = 86400.0,
        cache_size: int = 0,
        claims_in_errors: bool = False,
    ) -> None:
        self._checks = self._checked(Checks(client_id, token_use, groups, scope, leeway, custom_check))
        if type(cache_size) is not int or cache_size < 0:
            raise ConfigurationError("cache_size must be a number of tokens, or 0 to remember none")
        self._verdicts = Verdicts(cache_size) if cache_size else None
        self._claims_in_errors = claims_in_errors
        self._timing = KeyTiming(max_age, cool_down, stale_for)
        seconds("timeout", timeout, zero=False)
        ids = texts("user_pool_id", user_pool_id)
        if ids is None:
            raise ConfigurationError("user_pool_id must be the id of a user pool, or several")
        several = [ids] if isinstance(ids, str) else dict.fromkeys(ids)
        pools = [Pool(one, endpoint_url=endpoint_url) for one in several]
        self._pools = {pool.user_pool_id: pool for pool in pools}
        self._issuers = issuers_by_pool(pools, issuers)
        self._pool_of_issuer = pool_by_issuer(self._issuers)
        self._demands = {name: self._checks.demands(values) for name, values in self._issuers.items()}
        self._clock = clock
        self._owns_transport = transport is None
        self._region = pools[0].region
        self._timeout = timeout
        self._open(transport)

    def _open(self, transport: Any) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({[*self._pools]!r})"

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

    def _checked(self, checks: Checks) -> Checks:
        return checks

    def _checks_of(self, overrides: Overrides) -> Checks:
        return self._checked(self._checks.replaced(overrides))

    def _opened(self, token: str, checks: Checks) -> tuple[str, str, dict[str, Any], _Proof]:
        """Return the pool that *token* names, its kid, its claims, and what there is to prove them."""
        verdict = None if self._verdicts is None else self._verdicts.find(token)
        # The claims are read before the signature is verified, for the issuer alone: it says whose keys count, and a
        # token of a stranger must not make anybody fetch keys.
        if verdict is None:
            kid, _, signing_input, payload, signature = parts(token)
            claims = claims_of(payload)
            proof: _Proof = token, signing_input, signature, None
        else:
            kid, claims = verdict.kid, verdict.claims()
            proof = token, b"", b"", verdict
        issuer, accepted = claims.get("iss"), checks.issuers
        if not isinstance(issuer, str):
            raise InvalidClaim("iss is missing or no string", expected="str", actual=type(issuer).__name__)
        if accepted is not None and issuer not in ((accepted,) if isinstance(accepted, str) else accepted):
            raise IssuerMismatch("the token is of another issuer", expected=accepted, actual=issuer)
        pool = self._pool_of_issuer.get(issuer)
        if pool is None:
            raise IssuerMismatch("the token is of another issuer", expected=[*self._pool_of_issuer], actual=issuer)
        return pool, kid, claims, proof

    def _judge(
        self,
        checks: Checks,
        pool: str,
        keys: KeySet,
        kid: str,
        claims: dict[str, Any],
        proof: _Proof,
        access_token: str | None,
    ) -> None:
        """Verify the signature with the one of *keys* that *kid* names, and each claim, but for the custom check."""
        if self._verdicts is not None:
            self._verdicts.follow(pool, keys)
        key = keys.keys[kid]
        token, signing_input, signature, verdict = proof
        if verdict is None:
            key.verify(signing_input, signature)
        elif verdict.key != key:
            _, _, signing_input, _, signature = parts(token)
            key.verify(signing_input, signature)
        demands = self._demands[pool] if checks is self._checks else checks.demands(self._issuers[pool])
        try:
            demands.check(claims, self._clock(), access_token)
        except TokenVerificationException as error:
            error.claims = claims if self._claims_in_errors else None
            raise
        if self._verdicts is not None and verdict is None:
            # Only now: tokens that have expired must not push out others.
            self._verdicts.keep(token, pool, kid, key, claims)

    def _cache(self, pool: Pool) -> KeyCache:
        # The classic URL: the newer issuer's answers 403 for pools that have not moved.
        return KeyCache(pool.jwks_url, self._timing)

    def _the_pool(self, user_pool_id: str | None) -> str:
        if user_pool_id is None and len(self._pools) > 1:
            raise ConfigurationError("the keys are of one user pool: say which, with user_pool_id")
        chosen = user_pool_id or next(iter(self._pools))
        if chosen not in self._pools:
            raise ConfigurationError("the keys are of a user pool that this verifier was not made for")
        return chosen


class TokenVerifier(_Verifier):
    """Verify access and ID tokens of one user pool or several; safe to share between threads, and a context manager.

    Args:
        user_pool_id: the pool or pools; ``iss`` of a token says which one's keys and issuers count.
        client_id: the app client or clients to accept, or None for any of the pool's; there is no default.
        token_use: ``"access"``, ``"id"``, or None for either; there is no default.
        groups: the group or groups of which the user must be in one at least.
        scope: the scope or scopes of which the token must have one at least.
        leeway: seconds by which clocks may differ.
        custom_check: called with the claims after every other check; it raises to refuse, and returns None.
        issuers: the values of ``iss`` to accept in the place of AWS's two forms; with several pools, by pool id.
        endpoint_url: an emulator's; the keys are had from there, and ``<endpoint>/<pool id>`` is an issuer too. No
            environment variable is read for it: none may move what is trusted.
        transport: what fetches; else HttpsTransport, made at the first fetch, which heeds ``AWS_CA_BUNDLE`` and
            ``HTTPS_PROXY``, follows no redirect and takes no document over 256 KiB.
        timeout: seconds that one fetch by that transport may take in all.
        clock: the time in seconds since the epoch.
        max_age: seconds after which the keys are fetched anew, in the background. An hour: a key that is withdrawn
            is out of use soon, for one small request an hour.
        cool_down: seconds after a fetch before a token with an unknown key id makes the keys be fetched again, and the
            longest pause after failed fetches (1 second after the first, then doubled). A minute: a flood of invented
            ids costs the pool one request a minute, and AWS publishes a key before it signs with it.
        stale_for: seconds beyond *max_age* for which the keys serve while they cannot be fetched. A day: no access or
            ID token lives longer, so an outage refuses none that was made before it. A key that is withdrawn meanwhile
            serves for as long: say less where that weighs more.
        cache_size: how many tokens to remember whose signature was good, so that the next call with the same token
            need not verify that again; 0 is none. Issuer, key, time, custom check and every other demand are checked
            in each call as ever. 3 kB a token is usual; none over 16 KiB is remembered.
        claims_in_errors: whether ``claims`` of an error holds all claims of a token whose signature was good.

    The keys are kept in memory by pool and parsed once. One fetch is in flight at a time, for all threads. For AWS
    Lambda make the verifier at module level and call :meth:`hydrate` there: the initialization pays for the fetch.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def _checked(self, checks: Checks) -> Checks:
        checks.must_not_wait()
        return checks

    def _open(self, transport: Any) -> None:
        self._given = None if transport is None else self._synchronous(transport)
        self._made: Transport | None = None
        self._lock = Lock()
        start_anew_after_fork(self, TokenVerifier._after_fork)
        caches = {name: self._cache(pool) for name, pool in self._pools.items()}
        self._keys = {name: PoolKeys(cache, self._fetch, self._clock) for name, cache in caches.items()}

    def _after_fork(self) -> None:
        """Start anew in a child process."""
        self._lock = Lock()

    @staticmethod
    def _synchronous(transport: Any) -> Transport:
        from inspect import iscoroutinefunction

        from ..resolve import as_transport

        if isinstance(transport, str) or iscoroutinefunction(getattr(transport, "fetch", None)):
            raise ConfigurationError("transport must be a synchronous transport: an object, not a name")
        return as_transport(transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verify(self, token: str, *, access_token: str | None = None, **overrides: Unpack[Overrides]) -> Claims:
        """Return the claims of *token* once all of it is verified: form, issuer, key, signature and each claim.

        Args:
            token: an access or ID token in compact form.
            access_token: the access token that came with an ID token: ``at_hash``, where there is one, must be its.
            overrides: what this call demands in the place of what the verifier was made with. ``issuers`` says which
                of the verifier's own this call accepts.

        Raises:
            TokenVerificationException: one of its subclasses says why the token is not accepted.
            TransportError: there are no keys to verify with, and none could be had: the token may be good.
            ConfigurationError: an override cannot be used, or the custom check returned a value.
        """
        checks = self._checks_of(overrides) if overrides else self._checks
        pool, kid, claims, proof = self._opened(token, checks)
        keys = self._keys[pool].keys(kid)
        self._judge(checks, pool, keys, kid, claims, proof, access_token)
        if checks.custom_check is not None:
            run_custom_check(checks.custom_check, claims)
        return claims

    def hydrate(self) -> None:
        """Fetch the keys of every pool whose keys are not there yet, so that the first token need not wait.

        Raises:
            TransportError: those of one could not be had; those of the pools before it are there.
        """
        for keys in self._keys.values():
            keys.keys(None)

    def load_jwks(self, source: GivenKeys | None = None, *, user_pool_id: str | None = None) -> None:
        """Take a pool's keys as given, and never fetch them: no other key is accepted, and these do not grow old.

        Args:
            source: a JSON Web Key Set as a mapping, as bytes of JSON, or the path of its file; else ``COGNITO_JWKS``,
                which holds JSON or a Python literal.
            user_pool_id: whose keys they are, where the verifier has several pools.

        Raises:
            ConfigurationError: the file cannot be read, nothing is given, or it is not said whose keys they are.
            InvalidKey: it is no key set that can be used.
        """
        self._keys[self._the_pool(user_pool_id)].cache.give(given_keys(source))

    def close(self) -> None:
        """Wait for a fetch in flight and close the transport, if it is the verifier's own; a later fetch opens it."""
        for keys in self._keys.values():
            keys.wait()
        if self._made is not None:
            self._made.close()

    def _fetch(self, url: str) -> bytes:
        with self._lock:
            if self._given is None and self._made is None:
                self._made = self._make_transport()
            transport = cast("Transport", self._given or self._made)
        return transport.fetch(url)


class AsyncTokenVerifier(_Verifier):
    """Verify tokens on an event loop: :class:`TokenVerifier`, whose arguments are the same, with keys awaited.

    *custom_check* may be a coroutine function, which is awaited. *transport* may be asynchronous; a synchronous one,
    the default too, fetches in a thread. One fetch is in flight at a time, for all tasks; a task that is cancelled
    leaves it to the others. The signature is verified on the event loop: it takes less time than a thread.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def _open(self, transport: Any) -> None:
        from ..resolve import as_async

        if isinstance(transport, str):
            raise ConfigurationError("transport must be an object, not a name")
        self._transport: AsyncTransport = as_async(self._maker() if transport is None else transport)
        caches = {name: self._cache(pool) for name, pool in self._pools.items()}
        fetch = self._transport.fetch
        self._keys = {name: AsyncPoolKeys(cache, fetch, self._clock) for name, cache in caches.items()}

    def _maker(self) -> Callable[[], Transport]:
        # as_async calls a plain function; a bound method would pass for a client.
        return lambda: self._make_transport()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def verify(self, token: str, *, access_token: str | None = None, **overrides: Unpack[Overrides]) -> Claims:
        """Return the claims of *token* once all of it is verified, as :meth:`TokenVerifier.verify` does.

        Raises:
            TokenVerificationException: one of its subclasses says why the token is not accepted.
            TransportError: there are no keys to verify with, and none could be had: the token may be good.
            ConfigurationError: an override cannot be used, or the custom check returned a value.
        """
        checks = self._checks_of(overrides) if overrides else self._checks
        pool, kid, claims, proof = self._opened(token, checks)
        keys = await self._keys[pool].keys(kid)
        self._judge(checks, pool, keys, kid, claims, proof, access_token)
        if checks.custom_check is not None:
            await await_custom_check(checks.custom_check, claims)
        return claims

    async def hydrate(self) -> None:
        """Fetch the keys of every pool whose keys are not there yet, so that the first token need not wait.

        Raises:
            TransportError: those of one could not be had; those of the pools before it are there.
        """
        for keys in self._keys.values():
            await keys.keys(None)

    def load_jwks(self, source: GivenKeys | None = None, *, user_pool_id: str | None = None) -> None:
        """Take a pool's keys as given, and never fetch them, as :meth:`TokenVerifier.load_jwks` does.

        Raises:
            ConfigurationError: the file cannot be read, nothing is given, or it is not said whose keys they are.
            InvalidKey: it is no key set that can be used.
        """
        self._keys[self._the_pool(user_pool_id)].cache.give(given_keys(source))

    async def close(self) -> None:
        """Wait for a fetch in flight and close the transport, if it is the verifier's own; a later fetch opens it."""
        for keys in self._keys.values():
            await keys.wait()
        if self._owns_transport:
            await self._transport.close()
