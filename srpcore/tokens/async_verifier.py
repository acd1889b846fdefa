"""Verify the tokens of user pools with asyncio: :class:`AsyncTokenVerifier`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..exceptions.base import ConfigurationError
from .claims import Claims
from .jwks_provider import AsyncJwksProvider
from .policy import await_custom_check
from .verification import Verification

if TYPE_CHECKING:
    from typing import Self, Unpack

    from ..protocol import AsyncTransport, Transport
    from .overrides import Overrides

__all__ = ["AsyncTokenVerifier"]


class AsyncTokenVerifier(Verification):
    """Verify access and ID tokens with asyncio. The arguments are those of :class:`~srpcore.TokenVerifier`.

    Differences: *custom_check* may be a coroutine function, which is awaited. *transport* may be asynchronous; a
    synchronous one, and the default one, fetches in a thread.

    All tasks share one fetch. If the task that started it is cancelled, the fetch goes on for the others. The signature
    is verified on the event loop, because that takes less time than handing it to a thread.

    Raises:
        ConfigurationError: an argument has a wrong type or value.
    """

    def _set_up_fetching(self, transport: Any) -> None:
        from ..resolve import as_async

        if isinstance(transport, str):
            raise ConfigurationError("transport must be an object with a fetch() method, not a string")
        self._transport: AsyncTransport = as_async(
            self._transport_factory() if transport is None else transport, allow_http=self._allow_http
        )
        fetch = self._transport.fetch
        self._keys = {name: AsyncJwksProvider(cache, fetch, self._clock) for name, cache in self._caches.items()}

    def _transport_factory(self) -> Callable[[], Transport]:
        # as_async() calls a plain function to make the client, but takes a bound method for the client itself.
        return lambda: self._make_transport()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def verify(self, token: str, *, access_token: str | None = None, **overrides: Unpack[Overrides]) -> Claims:
        """Return the claims of *token* after verifying all of it, as :meth:`~srpcore.TokenVerifier.verify` does.

        Raises:
            TokenVerificationException: the token is not accepted; the subclass is the reason.
            TransportError: the key set could not be fetched, so the token was not verified. It may be valid.
            ConfigurationError: an override has a wrong type or value, or the custom check returned a value.
        """
        policy = self._overridden_policy(overrides) if overrides else self._policy
        pool, kid, claims, proof = self._parse(token, policy)
        keys = await self._keys[pool].keys(kid)
        self._verify_signature_and_claims(policy, pool, keys, kid, claims, proof, access_token)
        if policy.custom_check is not None:
            await await_custom_check(policy.custom_check, claims)
        return claims

    async def hydrate(self) -> None:
        """Fetch the key sets that are not in memory yet, and load the RSA engine: the first token waits for neither.

        If all key sets were given (:meth:`load_jwks`), nothing is fetched, and only the engine is loaded.

        Raises:
            TransportError: a key set could not be fetched. The key sets of the pools before it stay in memory.
        """
        from ..offload import in_thread

        for keys in self._keys.values():
            await keys.keys(None)
        # In a thread, because it imports modules and loads a library.
        await in_thread(self.load_engine)

    async def close(self) -> None:
        """Wait until a running fetch ends, then close the transport, unless you passed it in.

        The verifier stays usable: the next fetch opens the transport again.
        """
        for keys in self._keys.values():
            await keys.wait()
        if self._owns_transport:
            await self._transport.close()
