"""Verify the tokens of user pools on every request: :class:`TokenVerifier`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .._fork import ForkSafeLock
from ..exceptions.base import ConfigurationError
from .claims import Claims
from .jwks_provider import JwksProvider
from .policy import Overrides, Policy, run_custom_check
from .verification import Verification

if TYPE_CHECKING:
    from typing import Self, Unpack

    from ..protocol import Transport

__all__ = ["TokenVerifier"]


class TokenVerifier(Verification):
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
        stale_if_error: seconds beyond *max_age* for which the keys serve while they cannot be fetched. A day: no access
            or ID token lives longer, so an outage refuses no token that was issued before it. A key that is withdrawn
            meanwhile serves for as long: give less if that matters more.
        cache_size: how many tokens to remember whose signature was good, so that the next call with the same token
            need not verify that again; 0 is none. Issuer, key, time, custom check and every other demand are checked
            in each call as ever. 3 kB a token is usual; none over 16 KiB is remembered.
        claims_in_errors: whether ``claims`` of an error holds all claims of a token whose signature was good.

    The keys are kept in memory by pool and parsed once. One fetch is in fetching at a time, for all threads. For AWS
    Lambda make the verifier at module level and call :meth:`hydrate` there: the initialization pays for the fetch.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def _validate_policy(self, policy: Policy) -> Policy:
        policy.require_sync_check()
        return policy

    def _set_up_fetching(self, transport: Any) -> None:
        self._given_transport = None if transport is None else self._synchronous(transport)
        self._own_transport: Transport | None = None
        self._lock = ForkSafeLock()
        self._keys = {name: JwksProvider(cache, self._fetch, self._clock) for name, cache in self._caches.items()}

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
            overrides: what this call demands instead of what the verifier was made with. ``issuers`` are those of the
                verifier's own issuers that this call accepts.

        Raises:
            TokenVerificationException: one of its subclasses says why the token is not accepted.
            TransportError: there are no keys to verify with, and none could be had: the token may be good.
            ConfigurationError: an override cannot be used, or the custom check returned a value.
        """
        policy = self._overridden_policy(overrides) if overrides else self._policy
        pool, kid, claims, proof = self._parse(token, policy)
        keys = self._keys[pool].keys(kid)
        self._verify_claims(policy, pool, keys, kid, claims, proof, access_token)
        if policy.custom_check is not None:
            run_custom_check(policy.custom_check, claims)
        return claims

    def hydrate(self) -> None:
        """Fetch the keys of every pool whose keys are not there yet, so that the first token need not wait.

        Raises:
            TransportError: those of one could not be had; those of the pools before it are there.
        """
        for keys in self._keys.values():
            keys.keys(None)

    def close(self) -> None:
        """Wait for a fetch in fetching and close the transport, if it is the verifier's own; a later fetch opens it."""
        for keys in self._keys.values():
            keys.wait()
        if self._own_transport is not None:
            self._own_transport.close()

    def _fetch(self, url: str) -> bytes:
        with self._lock:
            if self._given_transport is None and self._own_transport is None:
                self._own_transport = self._make_transport()
            transport = cast("Transport", self._given_transport or self._own_transport)
        return transport.fetch(url)
