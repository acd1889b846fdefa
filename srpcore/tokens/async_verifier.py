"""Verify the tokens of user pools on an event loop: :class:`AsyncTokenVerifier`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..exceptions.base import ConfigurationError
from .claims import Claims
from .jwks_provider import AsyncJwksProvider
from .policy import Overrides, await_custom_check
from .verification import Verification

if TYPE_CHECKING:
    from typing import Self, Unpack

    from ..protocol import AsyncTransport, Transport

__all__ = ["AsyncTokenVerifier"]


class AsyncTokenVerifier(Verification):
    """Verify tokens on an event loop: :class:`~srpcore.TokenVerifier`, whose arguments are the same, with keys awaited.

    *custom_check* may be a coroutine function, which is awaited. *transport* may be asynchronous; a synchronous one,
    the default too, fetches in a thread. One fetch is in fetching at a time, for all tasks; a task that is cancelled
    leaves it to the others. The signature is verified on the event loop: it takes less time than a thread.

    Raises:
        ConfigurationError: an argument cannot be used.
    """

    def _set_up_fetching(self, transport: Any) -> None:
        from ..resolve import as_async

        if isinstance(transport, str):
            raise ConfigurationError("transport must be an object, not a name")
        self._transport: AsyncTransport = as_async(self._transport_factory() if transport is None else transport)
        fetch = self._transport.fetch
        self._keys = {name: AsyncJwksProvider(cache, fetch, self._clock) for name, cache in self._caches.items()}

    def _transport_factory(self) -> Callable[[], Transport]:
        # as_async calls a plain function; a bound method would pass for a client.
        return lambda: self._make_transport()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def verify(self, token: str, *, access_token: str | None = None, **overrides: Unpack[Overrides]) -> Claims:
        """Return the claims of *token* once all of it is verified, as :meth:`~srpcore.TokenVerifier.verify` does.

        Raises:
            TokenVerificationException: one of its subclasses says why the token is not accepted.
            TransportError: there are no keys to verify with, and none could be had: the token may be good.
            ConfigurationError: an override cannot be used, or the custom check returned a value.
        """
        policy = self._overridden_policy(overrides) if overrides else self._policy
        pool, kid, claims, proof = self._parse(token, policy)
        keys = await self._keys[pool].keys(kid)
        self._verify_claims(policy, pool, keys, kid, claims, proof, access_token)
        if policy.custom_check is not None:
            await await_custom_check(policy.custom_check, claims)
        return claims

    async def hydrate(self) -> None:
        """Fetch the keys of every pool whose keys are not there yet, so that the first token need not wait.

        Raises:
            TransportError: those of one could not be had; those of the pools before it are there.
        """
        for keys in self._keys.values():
            await keys.keys(None)

    async def close(self) -> None:
        """Wait for a fetch in fetching and close the transport, if it is the verifier's own; a later fetch opens it."""
        for keys in self._keys.values():
            await keys.wait()
        if self._owns_transport:
            await self._transport.close()
