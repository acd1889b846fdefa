"""Prepare the first login while a program starts, for example in the init phase of an AWS Lambda function.

What a first login does that a later one does not, and what ``prepare()`` does about it::

    imports modules, loads libcrypto, tests it with a known answer    done in advance
    reads the certificate authorities                                 done in advance, by the transport
    fetches the pool's keys, and converts them                        done in advance, if *connect*
    connects to the service                                           done in advance, if *connect*
    draws the pair (a, A)                                             not done: a pair must be fresh for each login, and
                                                                      must not be in a snapshot of the process

The keys are usually fetched from the host that the service is at, and then the fetch opens the connection and leaves it
open. They may also be at another host (a FIPS or dual-stack endpoint), or come from a replaced ``get_keys``, or the
server may close the connection. So the transport's ``prepare`` is called again after the fetch. It does nothing if a
connection is open.
"""

from __future__ import annotations

from functools import partial

from ..crypto.modexp import engine
from ..protocol import CallBlocking, CallMethod, Flow
from ..tokens.rsa import default_engine
from .keys import KeyMethods, SharedKeys
from .sync_async import call_method, is_ours, sync_method

__all__ = ["PreparationMethods", "SharedPreparation"]


class SharedPreparation(SharedKeys):
    """The part of a preparation that ``Cognito`` and ``AsyncCognito`` share."""

    def _load_modules(self) -> bool:
        """Load what a login loads, and convert the keys that are in memory. Return whether there are fresh ones."""
        # The results are not needed. To find out which engine is used, it is loaded and tested. To make the client, its
        # module is imported.
        engine()
        default_engine()
        _ = self.client
        keys = self._present_key_cache(self.user_pool_url).fresh(None, self._clock())
        if keys is not None:
            keys.load_engine()
        return keys is not None


class PreparationMethods(SharedPreparation, KeyMethods):
    """Prepare the first login."""

    @sync_method
    def prepare(self, *, connect: bool = True) -> Flow[None]:
        """Do now what the first login would otherwise do, except for what needs the user.

        Modules and libcrypto are loaded, the certificate authorities are read, the pool's keys are fetched, and a
        connection to the service is opened. Call this while a program starts, for example in the init phase of an AWS
        Lambda function. The first login then takes as long as a later one.

        The object need not have a username. Objects for other users can share what was prepared, if they use the same
        transport: ``Cognito(..., transport=transport, username="alice")``. Give them the keys with
        ``user.pool_jwk = prepared.pool_jwk``.

        A connection that was closed meanwhile is replaced by the login. Nothing here lasts longer than usual: the keys
        are fetched again after an hour. No SRP pair is drawn in advance.

        Args:
            connect: whether to fetch the keys and to open a connection. With False nothing is sent.

        Raises:
            ConfigurationError: a login would raise it too, for example because the pool id is not valid.
            TransportError: the service could not be reached, or the keys could not be fetched. The rest is prepared,
                and a later login tries again.
        """
        has_keys: bool = yield CallBlocking(self._load_modules)
        fetches = connect and not has_keys
        # If the keys are fetched, that opens the connection, and it is tried again if the first attempt fails.
        yield from _prepare_transport(self._sender, connect=connect and not fetches)
        if not fetches:
            return
        if is_ours(self, "get_keys"):
            keys = yield from self._keys(None, self.user_pool_url)
            keys.load_engine()
        else:
            yield from call_method(self, "get_keys")
        yield from _prepare_transport(self._sender, connect=True)


def _prepare_transport(transport: object, *, connect: bool) -> Flow[None]:
    from ..threaded import prepare_method  # imported only here: few programs call this

    prepare = prepare_method(transport)
    if prepare is not None:
        yield CallMethod(partial(prepare, connect=connect))
