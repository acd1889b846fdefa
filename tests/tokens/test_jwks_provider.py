"""When keys are fetched, seen from a server that counts: floods, crowds, rotation, outages and their end."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Barrier, Event, Thread
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

from srpcore.exceptions import SrpcoreError, TransportError, UnknownKey
from srpcore.tokens import KeySet
from srpcore.tokens.jwks_provider import AsyncJwksProvider, JwksProvider
from srpcore.tokens.key_cache import KeyCache, KeyTiming
from srpcore_transports.deadline import time_limit
from support.key_server import DAY, OTHER_POOL, POOL, Keys, mint, on_an_event_loop, serve
from support.loopback import Drop, answer
from support.minting import KID, NOW, access_claims, jwk

HOUR, COOL_DOWN = 3600, 60
LASTING = access_claims(exp=2**40)


@pytest.fixture
def keys() -> Iterator[Keys]:
    with serve() as served:
        yield served


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def crowd(size: int, act: Callable[[], object], release: Callable[[], object]) -> list[object]:
    """Return what *size* threads that start together return or raise; *release* is called once they are under way."""
    barrier, results = Barrier(size + 1), list[object]()

    def one() -> None:
        barrier.wait(60)
        try:
            results.append(act())
        except SrpcoreError as error:
            results.append(TransportError if isinstance(error, TransportError) else type(error))

    threads = [Thread(target=one) for _ in range(size)]
    for thread in threads:
        thread.start()
    barrier.wait(60)
    release()
    for thread in threads:
        thread.join(20)
    return results


def test_many_threads_make_one_fetch(keys: Keys) -> None:
    held, token = keys.hold(), mint()
    with keys.verifier() as verifier:
        results = crowd(64, lambda: verifier.verify(token), held.set)
        assert results == [access_claims()] * 64
        assert keys.count == 1


@on_an_event_loop
async def test_many_tasks_make_one_fetch(keys: Keys) -> None:
    token = mint()
    async with keys.async_verifier() as verifier:
        assert await asyncio.gather(*(verifier.verify(token) for _ in range(500))) == [access_claims()] * 500
        assert keys.count == 1


def test_many_threads_make_one_fetch_during_an_outage(keys: Keys) -> None:
    held, token = Event(), mint()
    keys.instead = lambda: answer(b"", 500) if held.wait(60) else b""
    with keys.verifier() as verifier:
        assert crowd(64, lambda: verifier.verify(token), held.set) == [TransportError] * 64
        assert keys.count == 1


def test_many_unknown_ids_make_one_fetch_for_each_cool_down(keys: Keys) -> None:
    tokens = [mint(kid=f"unknown{number}") for number in range(20)]
    with keys.verifier() as verifier:
        verifier.verify(mint())
        for minute in range(4):
            for token in tokens:
                with pytest.raises(UnknownKey):
                    verifier.verify(token)
            assert keys.count == 1 + minute
            keys.clock.now += COOL_DOWN - 0.5
            with pytest.raises(UnknownKey):
                verifier.verify(tokens[0])
            assert keys.count == 1 + minute
            keys.clock.now += 0.5
        # It is no flood that keeps the good ones out.
        assert verifier.verify(mint())


def test_many_unknown_ids_make_one_fetch_for_each_cool_down_during_an_outage(keys: Keys) -> None:
    tokens = [mint(kid=f"unknown{number}") for number in range(5)]
    with keys.verifier() as verifier:
        verifier.verify(mint())
        keys.instead = lambda: answer(b"", 500)
        for minute in range(1, 4):
            keys.clock.now += COOL_DOWN
            for token in tokens:
                with pytest.raises(UnknownKey):
                    verifier.verify(token)
                keys.clock.now += 10
            assert verifier.verify(mint())
            assert keys.count == 1 + minute
            keys.clock.now -= 50


def test_many_threads_with_a_new_key_make_one_fetch(keys: Keys) -> None:
    token = mint(LASTING, "new")
    with keys.verifier() as verifier:
        verifier.verify(mint())
        keys.names[POOL].append("new")
        keys.clock.now += COOL_DOWN
        held = keys.hold()
        # All of them wait for the fetch in flight, whose answer may have the key.
        assert crowd(32, lambda: verifier.verify(token), held.set) == [LASTING] * 32
        assert keys.count == 2


@on_an_event_loop
async def test_many_tasks_with_a_new_key_make_one_fetch(keys: Keys) -> None:
    token, flood = mint(LASTING, "new"), mint(kid="unknown")
    async with keys.async_verifier() as verifier:
        await verifier.verify(mint())
        keys.names[POOL].append("new")
        keys.clock.now += COOL_DOWN
        assert await asyncio.gather(*(verifier.verify(token) for _ in range(50))) == [LASTING] * 50
        results = await asyncio.gather(*(verifier.verify(flood) for _ in range(50)), return_exceptions=True)
        assert {type(result) for result in results} == {UnknownKey}
        assert keys.count == 2


def test_many_threads_with_unknown_ids_make_one_fetch_for_each_cool_down(keys: Keys) -> None:
    tokens = [mint(LASTING, kid=f"unknown{number}") for number in range(64)]
    with keys.verifier() as verifier:
        verifier.verify(mint())
        for minute in range(1, 4):
            keys.clock.now += COOL_DOWN
            held, mine = keys.hold(), list(tokens)
            assert crowd(64, partial(lambda mine: verifier.verify(mine.pop()), mine), held.set) == [UnknownKey] * 64
            assert keys.count == 1 + minute


@on_an_event_loop
async def test_many_tasks_with_unknown_ids_make_one_fetch_for_each_cool_down(keys: Keys) -> None:
    tokens = [mint(LASTING, kid=f"unknown{number}") for number in range(500)]
    async with keys.async_verifier() as verifier:
        await verifier.verify(mint())
        for minute in range(1, 3):
            keys.clock.now += COOL_DOWN
            results = await asyncio.gather(*(verifier.verify(token) for token in tokens), return_exceptions=True)
            assert {type(result) for result in results} == {UnknownKey}
            assert keys.count == 1 + minute


def test_a_withdrawn_key_is_not_used_after_the_next_fetch(keys: Keys) -> None:
    old = mint(LASTING)
    with keys.verifier() as verifier:
        verifier.verify(old)
        keys.names[POOL] = ["new"]
        keys.clock.now += HOUR - 1
        assert verifier.verify(old)
        assert keys.count == 1
        keys.clock.now += 1
        # In the background: this one is not kept waiting, and is served with what there is.
        assert verifier.verify(old)
        eventually(lambda: keys.count == 2)
        verifier.close()
        with pytest.raises(UnknownKey):
            verifier.verify(old)
        assert verifier.verify(mint(LASTING, "new"))
        assert keys.count == 2


def test_a_refresh_in_the_background_does_not_block_callers(keys: Keys) -> None:
    token = mint(LASTING)
    with keys.verifier() as verifier:
        verifier.verify(token)
        keys.clock.now += HOUR
        held = keys.hold()
        for _ in range(20):
            assert verifier.verify(token)
        eventually(lambda: keys.count == 2)
        # Nor does it keep the program from ending.
        assert {thread.daemon for thread in enumerate_threads() if thread.name == "srpcore-keys"} == {True}
        held.set()
        verifier.close()
        assert verifier.verify(token)
        assert keys.count == 2


@on_an_event_loop
async def test_a_refresh_in_a_task_does_not_block_callers(keys: Keys) -> None:
    token = mint(LASTING)
    async with keys.async_verifier() as verifier:
        await verifier.verify(token)
        keys.names[POOL] = ["new"]
        keys.clock.now += HOUR
        held = keys.hold()
        for _ in range(20):
            assert await verifier.verify(token)
        await asyncio.to_thread(eventually, lambda: keys.count == 2)
        assert await verifier.verify(token)
        held.set()
        await verifier.close()
        with pytest.raises(UnknownKey):
            await verifier.verify(token)
        assert await verifier.verify(mint(LASTING, "new"))
        assert keys.count == 2


def _drop() -> bytes:
    raise Drop


OUTAGES = {
    "500": lambda: answer(b"secret detail", 500),
    "403": lambda: answer(b"", 403),
    "redirect": lambda: answer(b"", 302, Location="http://127.0.0.1:1/"),
    "garbage": lambda: answer(b"<html>"),
    "empty": lambda: answer(b""),
    "no keys": lambda: answer(b'{"keys": []}'),
    "oversize": lambda: answer(json.dumps({"keys": [jwk()], "x": "x" * 300_000}).encode()),
    "too many": lambda: answer(json.dumps({"keys": [jwk(kid=str(number)) for number in range(101)]}).encode()),
    "cut short": lambda: answer(b'{"keys": [', Content_Length="1000", Connection="close"),
    "dropped": _drop,
}


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_old_keys_are_used_during_an_outage_until_stale_if_error(keys: Keys, outage: Callable[[], bytes]) -> None:
    token = mint(LASTING)
    with keys.verifier(stale_if_error=DAY) as verifier:
        verifier.verify(token)
        keys.instead = outage
        for _ in range(24):
            keys.clock.now += HOUR
            assert verifier.verify(token)
            verifier.close()
        assert keys.count >= 25
        keys.clock.now += HOUR - 1
        assert verifier.verify(token)
        verifier.close()
        keys.clock.now += 1
        with pytest.raises(
            TransportError, match=r"key set http.*could not be fetched.*90000 seconds old: too old"
        ) as caught:
            verifier.verify(token)
        assert "secret" not in str(caught.value)
        # The end of the outage is the end of the refusals.
        keys.instead = None
        keys.clock.now += COOL_DOWN
        assert verifier.verify(token)


@on_an_event_loop
async def test_old_keys_are_used_during_an_outage_on_an_event_loop(keys: Keys) -> None:
    token = mint(LASTING)
    async with keys.async_verifier(stale_if_error=DAY) as verifier:
        await verifier.verify(token)
        keys.instead = OUTAGES["500"]
        keys.clock.now += HOUR + DAY - 1
        assert await verifier.verify(token)
        await verifier.close()
        keys.clock.now += 1
        with pytest.raises(TransportError, match="too old"):
            await verifier.verify(token)
        keys.instead = None
        keys.clock.now += COOL_DOWN
        assert await verifier.verify(token)


def test_old_keys_are_not_used_if_stale_if_error_is_zero(keys: Keys) -> None:
    with keys.verifier(max_age=10, stale_if_error=0) as verifier:
        verifier.verify(mint())
        keys.clock.now += 9.5
        verifier.verify(mint())
        assert keys.count == 1
        keys.clock.now += 0.5
        verifier.verify(mint())
        assert keys.count == 2
        keys.instead = OUTAGES["500"]
        keys.clock.now += 10
        with pytest.raises(TransportError):
            verifier.verify(mint())


# After each failure: 1, 2, 4, ... seconds without another, and never more than the cool-down.
PAUSES = (1, 2, 4, 8, 16, 32, 60, 60, 60)


def test_pauses_grow_before_the_first_keys(keys: Keys) -> None:
    token = mint(LASTING)
    keys.instead = OUTAGES["500"]
    with keys.verifier() as verifier:
        for count, pause in enumerate(PAUSES, 1):
            for almost in (0, pause - 0.25):
                keys.clock.now += almost
                with pytest.raises(TransportError, match="HTTP 500"):
                    verifier.verify(token)
                assert keys.count == count
            keys.clock.now += 0.25
        keys.instead = None
        assert verifier.verify(token)


@on_an_event_loop
async def test_pauses_grow_on_an_event_loop(keys: Keys) -> None:
    token = mint(LASTING)
    keys.instead = OUTAGES["garbage"]
    async with keys.async_verifier() as verifier:
        for count, pause in enumerate(PAUSES, 1):
            for almost in (0, pause - 0.25):
                keys.clock.now += almost
                results = await asyncio.gather(*(verifier.verify(token) for _ in range(5)), return_exceptions=True)
                assert all(isinstance(result, TransportError) for result in results)
                assert keys.count == count
            keys.clock.now += 0.25


def test_pauses_grow_in_the_background(keys: Keys) -> None:
    token = mint(LASTING)
    with keys.verifier() as verifier:
        verifier.verify(token)
        keys.instead = OUTAGES["500"]
        keys.clock.now += HOUR
        for count, pause in enumerate(PAUSES, 2):
            for almost in (0, pause - 0.25):
                keys.clock.now += almost
                assert verifier.verify(token)
                verifier.close()
                assert keys.count == count
            keys.clock.now += 0.25
        # A success ends it: the next failure counts as the first.
        keys.instead = None
        verifier.verify(token)
        verifier.close()
        keys.instead = OUTAGES["500"]
        count = keys.count
        keys.clock.now += HOUR
        for _ in range(2):
            verifier.verify(token)
            verifier.close()
            keys.clock.now += 1
        assert keys.count == count + 2


def test_a_long_outage_does_not_overflow_the_pause(keys: Keys) -> None:
    token, transport = mint(LASTING), _Failing()
    with keys.verifier(cool_down=1.5, transport=transport) as verifier:
        for _ in range(1100):
            keys.clock.now += 2
            with pytest.raises(TransportError, match="ConnectionError"):
                verifier.verify(token)
        assert transport.count == 1100


class _Failing:
    count = 0

    def call(self, operation: Any) -> Any:
        raise AssertionError

    def fetch(self, url: str) -> bytes:
        self.count += 1
        raise ConnectionError

    def close(self) -> None:
        raise AssertionError


def test_a_clock_that_is_set_back_does_not_stop_the_fetches(keys: Keys) -> None:
    keys.instead = OUTAGES["500"]
    token = mint(LASTING)
    with keys.verifier() as verifier:
        with pytest.raises(TransportError):
            verifier.verify(token)
        keys.instead = None
        keys.clock.now -= DAY
        assert verifier.verify(token)
        keys.clock.now -= DAY
        assert verifier.verify(token)
        verifier.close()
        assert keys.count == 3


class _Overtaken(KeyCache):
    """A cache that another thread fills just after it was first looked into."""

    def __init__(self, document: bytes) -> None:
        super().__init__("http://127.0.0.1/", KeyTiming(HOUR, COOL_DOWN, DAY))
        self.document: bytes | None = document

    def fresh(self, kid: str | None, now: float) -> KeySet | None:
        found = super().fresh(kid, now)
        if self.document is not None:
            self.record_success(self.document, now, now)
            self.document = None
        return found


def test_keys_fetched_by_another_caller_meanwhile_are_found(keys: Keys) -> None:
    cache = _Overtaken(keys.document(POOL))
    assert JwksProvider(cache, lambda _: pytest.fail("fetched again"), keys.clock).keys(KID) == cache.find(KID, NOW)


def test_the_failure_of_a_fetch_in_the_background_is_named_when_the_keys_are_too_old(keys: Keys) -> None:
    failures: list[TransportError] = []

    def fetch(_: str) -> bytes:
        if failures:
            raise failures[0]
        return keys.document(POOL)

    provider = JwksProvider(KeyCache("http://127.0.0.1/", KeyTiming(HOUR, COOL_DOWN, DAY)), fetch, keys.clock)
    assert provider.keys(KID)
    keys.clock.now += HOUR + DAY - COOL_DOWN / 4
    failures.append(TransportError("the cable was cut"))
    assert provider.keys(KID)  # old ones, while new ones are fetched
    eventually(lambda: provider._fetching is None)
    keys.clock.now += COOL_DOWN / 2
    with pytest.raises(TransportError, match="the cable was cut"):
        provider.keys(KID)


def test_an_id_that_is_not_in_the_key_set_is_unknown(keys: Keys) -> None:
    cache = KeyCache("http://127.0.0.1/", KeyTiming(HOUR, COOL_DOWN, DAY))
    pool = JwksProvider(cache, lambda _: keys.document(POOL), keys.clock)
    for _ in range(2):
        with pytest.raises(UnknownKey) as caught:
            pool.keys("unknown")
        assert caught.value.actual == "unknown"
    assert pool.keys(None) == pool.keys(KID)


def test_an_outage_of_one_pool_does_not_affect_another(keys: Keys) -> None:
    with keys.verifier([POOL, OTHER_POOL]) as verifier:
        verifier.verify(mint())
        keys.instead = OUTAGES["500"]
        with pytest.raises(TransportError):
            verifier.hydrate()
        assert verifier.verify(mint())


class _Interrupted:
    """A transport whose first fetch is interrupted, as by Ctrl-C."""

    def __init__(self, keys: Keys, error: BaseException) -> None:
        self.keys, self.error, self.count = keys, error, 0

    def call(self, operation: Any) -> Any:
        raise AssertionError

    def fetch(self, url: str) -> bytes:
        self.count += 1
        if self.count == 1:
            raise self.error
        return self.keys.document(POOL)

    def close(self) -> None:
        raise AssertionError


def test_an_interrupted_fetch_does_not_fail_other_callers(keys: Keys) -> None:
    transport = _Interrupted(keys, KeyboardInterrupt())
    with keys.verifier(transport=transport) as verifier:
        with pytest.raises(KeyboardInterrupt):
            verifier.verify(mint())
        assert verifier.verify(mint())


def test_any_exception_of_a_transport_counts_as_an_outage(keys: Keys) -> None:
    transport = _Interrupted(keys, LookupError("https://user:hidden@proxy"))
    with keys.verifier(transport=transport) as verifier:
        with pytest.raises(TransportError, match="LookupError") as caught:
            verifier.verify(mint())
        assert "hidden" not in str(caught.value)
        keys.clock.now += 1
        assert verifier.verify(mint())


def test_old_keys_are_used_if_no_thread_can_be_started(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    token = mint(LASTING)
    with keys.verifier() as verifier:
        verifier.verify(token)
        keys.clock.now += HOUR
        attempts: list[Thread] = []

        def no_thread(thread: Thread) -> None:
            attempts.append(thread)
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(Thread, "start", no_thread)
            assert verifier.verify(token)
            assert verifier.verify(token)
        # That is a failure like others: there is a pause before the next attempt, and the error names it later.
        assert len(attempts) == 1
        (cache,) = verifier._caches.values()
        assert "RuntimeError" in str(cache.lookup_error("any", keys.clock.now + 2 * DAY))
        keys.clock.now += 1
        assert verifier.verify(token)
        eventually(lambda: keys.count == 2)


@on_an_event_loop
async def test_a_cancelled_task_leaves_the_fetch_to_the_others(keys: Keys) -> None:
    held, token = keys.hold(), mint()
    async with keys.async_verifier() as verifier:
        first = asyncio.create_task(verifier.verify(token))
        others = [asyncio.create_task(verifier.verify(token)) for _ in range(3)]
        await asyncio.to_thread(eventually, lambda: keys.count == 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        held.set()
        assert await asyncio.gather(*others) == [access_claims()] * 3
        assert keys.count == 1


def test_a_verifier_outlives_its_event_loop(keys: Keys) -> None:
    token, held = mint(LASTING), keys.hold()
    verifier = keys.async_verifier()

    async def leave_a_fetch_in_flight() -> None:
        task = asyncio.create_task(verifier.verify(token))
        await asyncio.to_thread(eventually, lambda: keys.count == 1)
        task.cancel()
        held.set()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave_a_fetch_in_flight())
    keys.instead = None
    assert asyncio.run(verifier.verify(token)) == LASTING
    assert asyncio.run(verifier.verify(token)) == LASTING
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    asyncio.run(verifier.close())
    gc.collect()


@on_an_event_loop
async def test_a_fetch_cancelled_from_outside_counts_as_an_outage(keys: Keys) -> None:
    async def cancelled(_: str) -> bytes:
        raise asyncio.CancelledError

    cache = KeyCache("http://127.0.0.1/", KeyTiming(HOUR, COOL_DOWN, DAY))
    with pytest.raises(TransportError, match="interrupted"):
        await asyncio.wait_for(AsyncJwksProvider(cache, cancelled, keys.clock).keys(KID), 60)


class _Hanging:
    """A transport whose first fetch never ends."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.count = keys, 0

    async def call(self, operation: Any) -> Any:
        raise AssertionError

    async def fetch(self, url: str) -> bytes:
        self.count += 1
        if self.count == 1:
            await asyncio.Event().wait()
        return self.keys.document(POOL)

    async def close(self) -> None:
        raise AssertionError


def test_a_loop_closed_during_a_fetch_does_not_block_others(keys: Keys) -> None:
    token, transport = mint(LASTING), _Hanging(keys)
    verifier = keys.async_verifier(transport=transport)
    dead = asyncio.new_event_loop()
    waiting = dead.create_task(verifier.verify(token))
    dead.run_until_complete(asyncio.sleep(0.01))
    assert transport.count == 1
    # Stopped with its tasks in the middle, as where a thread that ran it was given up.
    asyncio.run(verifier.close())
    assert asyncio.run(verifier.verify(token)) == LASTING
    assert transport.count == 2
    for task in asyncio.all_tasks(dead):
        task.cancel()
    dead.run_until_complete(asyncio.wait([waiting]))
    dead.close()


@pytest.mark.slow
def test_the_time_limit_of_a_thread_does_not_end_the_shared_fetch(keys: Keys) -> None:
    held, token = keys.hold(), mint()
    with keys.verifier() as verifier:

        def hurried() -> Any:
            with time_limit(0.2):
                return verifier.verify(token)

        def release() -> None:
            time.sleep(0.5)
            held.set()

        assert crowd(4, hurried, release) == [access_claims()] * 4
        assert keys.count == 1


@pytest.mark.slow
@on_an_event_loop
async def test_the_time_limit_of_a_task_does_not_end_the_shared_fetch(keys: Keys) -> None:
    held, token = keys.hold(), mint()
    async with keys.async_verifier() as verifier:
        with time_limit(0.2):
            tasks = [asyncio.create_task(verifier.verify(token)) for _ in range(4)]
        await asyncio.sleep(0.5)
        held.set()
        assert await asyncio.gather(*tasks) == [access_claims()] * 4
        assert keys.count == 1
