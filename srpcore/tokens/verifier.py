"""Verify the tokens of user pools on every request: :class:`TokenVerifier`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .._fork import ForkSafeLock
from ..exceptions.base import ConfigurationError
from .claims import Claims
from .jwks_provider import JwksProvider
from .policy import Policy, run_custom_check
from .verification import Verification

if TYPE_CHECKING:
    from typing import Self, Unpack

    from ..protocol import Transport
    from .overrides import Overrides

__all__ = ["TokenVerifier"]


class TokenVerifier(Verification):
    """Verify access and ID tokens of one or more user pools. It is thread-safe, and a context manager.

    Args:
        user_pool_id: the pool id or ids. The claim ``iss`` of a token selects the pool, and with it the key set.
        client_id: the id or ids of the app clients to accept, or None to accept every client of the pool.
        token_use: ``"access"`` or ``"id"``, or None to accept both kinds.
        groups: the user must be in at least one of these groups.
        scope: the token must have at least one of these scopes.
        leeway: seconds by which the clocks of AWS and of this computer may differ.
        custom_check: a function that is called with the claims after every other check. It raises an exception to
            refuse the token, and returns None to accept it.
        issuers: the values of ``iss`` to accept instead of the two that AWS uses; for several pools a mapping from the
            pool id to them.
        endpoint_url: the URL of an emulator. The keys are fetched from there, and ``<endpoint>/<pool id>`` is an
            accepted issuer too. No environment variable and no *transport* sets it, because that would change which
            keys are trusted.
        allow_http: accept an endpoint with plain http on another machine, for example an emulator in another container.
            Anybody on the network between them can then replace the keys. No environment variable sets it.
        transport: the object that fetches the keys. The default is an HttpsTransport, which is made at the first fetch:
            it uses ``AWS_CA_BUNDLE`` and ``HTTPS_PROXY``, follows no redirect, and refuses a document over 256 KiB.
        timeout: the total time in seconds for one fetch by the default transport. A fetch in the background that has
            taken longer, by any transport, was probably frozen with the process: the next caller fetches itself.
        clock: a function that returns the seconds since the epoch.
        max_age: the keys are fetched again after so many seconds, in the background; in AWS Lambda, which freezes what
            runs in the background, by the first caller itself. The default is an hour: it costs one small request per
            hour, and a key that AWS has withdrawn is not accepted much longer.
        cool_down: a token with an unknown key id causes a new fetch only if the last one ended so many seconds ago.
            After failed fetches the pause is 1 second, then doubled up to this value. The default is a minute: many
            tokens with invented key ids cause one request per minute, and AWS publishes a new key before using it.
        stale_if_error: the keys are still used for so many seconds after *max_age* if they cannot be fetched. The
            default is a day: no access or ID token is valid for longer, so during an outage every token that was issued
            before it is still accepted. A key that is withdrawn during the outage is accepted for that time too; choose
            a smaller value if this matters more to you.
        cache_size: the number of tokens for which to remember that the signature is valid, so that it is not verified
            again; 0 turns this off. All other checks, *custom_check* included, are done at every call. A token usually
            needs 3 kB of memory; one over 16 KiB is not cached.
        claims_in_errors: whether ``error.claims`` contains the claims of a refused token whose signature is valid.

    The keys of each pool are kept in memory, and all threads share one fetch. In AWS Lambda, make the verifier at
    module level and call :meth:`hydrate` there, so that the keys are fetched while the function is initialized.

    Raises:
        ConfigurationError: an argument has a wrong type or value.
    """

    def _validate_policy(self, policy: Policy) -> Policy:
        policy.require_sync_check()
        return policy

    def _set_up_fetching(self, transport: Any) -> None:
        self._given_transport = None if transport is None else self._synchronous(transport)
        self._own_transport: Transport | None = None
        self._lock = ForkSafeLock()
        self._keys = {name: JwksProvider(cache, self._fetch, self._clock) for name, cache in self._caches.items()}

    def _synchronous(self, transport: Any) -> Transport:
        from inspect import iscoroutinefunction

        from ..resolve import as_transport

        if isinstance(transport, str) or iscoroutinefunction(getattr(transport, "fetch", None)):
            raise ConfigurationError("transport must be an object with a synchronous fetch() method, not a string")
        return as_transport(transport, allow_http=self._allow_http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verify(self, token: str, *, access_token: str | None = None, **overrides: Unpack[Overrides]) -> Claims:
        """Return the claims of *token* after verifying its form, issuer, key, signature and each claim.

        Args:
            token: an access or ID token in compact form, without the prefix ``Bearer``.
            access_token: the access token that was issued together with an ID token. If the ID token has ``at_hash``,
                it must be the hash of this access token.
            overrides: replace arguments of the same name of the constructor for this call. ``issuers`` can only select
                some of the verifier's issuers.

        Raises:
            TokenVerificationException: the token is not accepted; the subclass is the reason.
            TransportError: the key set could not be fetched, so the token was not verified. It may be valid.
            ConfigurationError: an override has a wrong type or value, or the custom check returned a value.
        """
        policy = self._overridden_policy(overrides) if overrides else self._policy
        pool, kid, claims, proof = self._parse(token, policy)
        keys = self._keys[pool].keys(kid)
        self._verify_signature_and_claims(policy, pool, keys, kid, claims, proof, access_token)
        if policy.custom_check is not None:
            run_custom_check(policy.custom_check, claims)
        return claims

    def hydrate(self) -> None:
        """Fetch the key sets that are not in memory yet, and load the RSA engine: the first token waits for neither.

        If all key sets were given (:meth:`load_jwks`), nothing is fetched, and only the engine is loaded.

        Raises:
            TransportError: a key set could not be fetched. The key sets of the pools before it stay in memory.
        """
        for keys in self._keys.values():
            keys.keys(None)
        self.load_engine()

    def close(self) -> None:
        """Wait until a running fetch ends, then close the transport, unless you passed it in.

        The verifier stays usable: the next fetch opens the transport again.
        """
        for keys in self._keys.values():
            keys.wait()
        if self._own_transport is not None:
            self._own_transport.close()

    def _fetch(self, url: str) -> bytes:
        with self._lock.lock:
            if self._given_transport is None and self._own_transport is None:
                self._own_transport = self._make_transport()
            transport = cast("Transport", self._given_transport or self._own_transport)
        return transport.fetch(url)
