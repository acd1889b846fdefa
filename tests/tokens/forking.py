"""Fork while keys are being fetched: ``python -m tokens.forking <case>`` ends with 0 where the child is well.

A process of its own, for a fork of a process with threads draws a warning, and a child that hangs must be ended.
"""

from __future__ import annotations

import sys
from threading import Event, Thread, get_ident

from srpcore.tokens.jwks import KeySet
from srpcore.tokens.jwks_provider import JwksProvider
from srpcore.tokens.key_cache import KeyCache, KeyTiming
from srpcore_transports import tls
from srpcore_transports.https import HttpsTransport
from support.forks import held_by_another_thread, in_a_child
from support.key_server import DAY, POOL, Keys, mint, serve
from support.loopback import answer
from support.minting import KID, access_claims

TOKEN = mint(access_claims(exp=2**40))


def hold_one(keys: Keys) -> tuple[Event, Event]:
    """Keep the next answer, and no other, until the second event; the first says that it is asked for."""
    asked, release = Event(), Event()

    def instead() -> bytes:
        if not asked.is_set():
            asked.set()
            release.wait(60)
        return answer(keys.document(POOL))

    keys.instead = instead
    return asked, release


def during_the_first_fetch() -> int:
    with serve() as keys, keys.verifier() as verifier:
        asked, release = hold_one(keys)
        thread = Thread(target=verifier.verify, args=(TOKEN,))
        thread.start()
        assert asked.wait(20)
        code = in_a_child(verifier.close, lambda: verifier.verify(TOKEN))
        # The parent's own fetch goes on, and is waited for.
        second = Thread(target=verifier.verify, args=(TOKEN,))
        second.start()
        second.join(0.2)
        assert keys.count == 2
        release.set()
        thread.join(20)
        second.join(20)
        assert verifier.verify(TOKEN)
        assert keys.count == 2
        return code


def during_a_refresh() -> int:
    with serve() as keys, keys.verifier() as verifier:
        verifier.verify(TOKEN)
        asked, release = hold_one(keys)
        keys.clock.now += DAY
        verifier.verify(TOKEN)
        assert asked.wait(20)
        # The child serves the old keys, and fetches anew itself.
        code = in_a_child(lambda: verifier.verify(TOKEN), verifier.close)
        assert keys.count == 3
        release.set()
        return code


class SlowToDecide(KeyCache):
    """A cache that keeps the first thread that asks, which holds the lock meanwhile."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1/", KeyTiming(1, 1, 1))
        self.entered, self.release, self.main = Event(), Event(), get_ident()

    def should_fetch(self, kid: str | None, now: float) -> bool:
        if get_ident() != self.main:
            self.entered.set()
            self.release.wait(60)
        return super().should_fetch(kid, now)


def while_the_lock_is_held() -> int:
    found: list[KeySet] = []
    with serve() as keys:
        cache = SlowToDecide()
        pool = JwksProvider(cache, lambda _: keys.document(POOL), keys.clock)
        thread = Thread(target=lambda: found.append(pool.keys(KID)))
        thread.start()
        assert cache.entered.wait(20)
        code = in_a_child(lambda: pool.keys(KID))
        cache.release.set()
        thread.join(20)
    assert found
    return code


def while_the_transport_is_being_own_transport() -> int:
    """Fork while a thread holds the verifier's and the transport's lock, as it does while authorities are read."""
    with serve() as keys, keys.verifier() as verifier:
        verifier.hydrate()
        transport = verifier._own_transport
        assert isinstance(transport, HttpsTransport)
        with held_by_another_thread(verifier._lock.lock, tls._contexts._lock.lock):
            code = in_a_child(
                lambda: verifier._fetch(f"{keys.server.url}/{POOL}/.well-known/jwks.json"), transport._tls
            )
        assert keys.count == 2
        return code


def while_a_verdict_is_looked_up() -> int:
    with serve() as keys, keys.verifier(cache_size=2) as verifier:
        verifier.verify(TOKEN)
        signature_cache = verifier._signature_cache
        assert signature_cache is not None
        with held_by_another_thread(signature_cache._lock.lock):
            return in_a_child(lambda: verifier.verify(TOKEN))


CASES = {
    function.__name__: function
    for function in (
        during_the_first_fetch,
        during_a_refresh,
        while_the_lock_is_held,
        while_the_transport_is_being_own_transport,
        while_a_verdict_is_looked_up,
    )
}

if __name__ == "__main__":
    sys.exit(CASES[sys.argv[1]]())
