"""The times of the cached keys at their exact edges: fresh, stale, expired, and when a fetch is due."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import threading
from typing import Any

import pytest

from srpcore import TokenVerifier
from srpcore.exceptions import ConfigurationError, TransportError, TransportTimeout, UnknownKey
from srpcore.tokens import jwks_provider
from srpcore.tokens.jwks_provider import AsyncJwksProvider, JwksProvider
from srpcore.tokens.key_cache import FIRST_BACK_OFF, KeyCache, KeyTiming
from srpcore.tokens.signature_cache import MAX_CACHED_LENGTH, SignatureCache, VerifiedSignature
from support.forks import in_a_child
from support.minting import KID, jwk, key_set

BODY = json.dumps({"keys": [jwk()]}).encode()
URL = "https://example.com/jwks.json"


def cache(started: float | None = 1000.0, ended: float = 1001.0) -> KeyCache:
    """Return a cache with max_age 100, cool_down 10, stale_if_error 50 and timeout 5, filled by a fetch."""
    made = KeyCache(URL, KeyTiming(100, 10, 50))
    if started is not None:
        made.record_success(BODY, started, ended)
    return made


def test_keys_are_fresh_from_the_start_of_the_fetch_until_max_age() -> None:
    made = cache()
    for now, fresh, usable in (
        (999.9, False, True),
        (1000, True, True),
        (1099.9, True, True),
        (1100, False, True),
        (1149.9, False, True),
        (1150, False, False),
    ):
        for kid in (KID, None):
            assert (made.fresh(kid, now) is not None, made.find(kid, now) is not None) == (fresh, usable), now
        assert made.fresh("other", now) is made.find("other", now) is None
    empty = cache(None)
    assert empty.fresh(None, 0) is empty.find(None, 0) is None


def test_given_keys_have_no_age_and_are_never_fetched() -> None:
    made = cache(None)
    made.set_given_keys(key_set())
    assert made.fresh(KID, 1e9) is made.find(None, 1e9) is made.fresh(None, 0) is not None
    assert made.fresh("other", 0) is made.find("other", 0) is None
    assert not made.should_fetch("other", 1e9)
    with pytest.raises(UnknownKey):
        raise made.lookup_error("other", 1e9)


def test_a_missing_key_is_fetched_once_in_each_cool_down() -> None:
    made = cache()
    due = [now for now in (1000.9, 1001, 1010.9, 1011, 1105, 1149) if made.should_fetch("other", now)]
    assert due == [1000.9, 1011, 1105, 1149]  # before the end of the last fetch: the clock was set back
    assert not made.should_fetch(KID, 1099)
    assert made.should_fetch(KID, 1100)
    assert made.should_fetch(None, 1100)
    assert not made.should_fetch(None, 1099)
    assert made.should_fetch(KID, 1200)


def test_the_pause_after_a_failure_doubles_up_to_the_cool_down() -> None:
    assert FIRST_BACK_OFF == 1
    made = cache(None)
    assert made.should_fetch(KID, 0)
    now = 100.0
    for pause in (1, 2, 4, 8, 10, 10):
        made.record_failure(OSError(), now)
        assert not made.should_fetch(KID, now)
        assert not made.should_fetch(KID, now + pause - 0.1)
        assert made.should_fetch(KID, now + pause)
        assert made.should_fetch(KID, now - 0.1)
        now += pause
    made.record_success(BODY, now, now)
    made.record_failure(OSError(), now + 100)
    assert made.should_fetch(KID, now + 101)
    for _ in range(2000):
        made.record_failure(OSError(), now)
    assert not made.should_fetch(KID, now + 9.9)


def test_a_long_cool_down_bounds_the_pause_only_after_thirty_failures() -> None:
    made = KeyCache(URL, KeyTiming(1, 1e12, 0))
    for _ in range(40):
        made.record_failure(OSError(), 0)
    assert not made.should_fetch(KID, 2.0**30 - 1)
    assert made.should_fetch(KID, 2.0**30)


def test_a_fetch_is_overdue_after_its_timeout() -> None:
    made = cache(None)
    overdue = [made.is_overdue(10, now) for now in (9.9, 10, 15, 15.1)]
    assert overdue == [True, False, False, True]
    assert [made.is_overdue(10, now, times=2) for now in (20, 20.1)] == [False, True]


def test_older_keys_do_not_replace_newer_ones_unless_the_clock_was_set_back() -> None:
    other = json.dumps({"keys": [jwk("other")]}).encode()
    for started, ended, replaced in (
        (999, 1002, False),
        (1000, 1002, True),
        (1001, 1002, True),
        (990, 999, True),
        (990, 1000, False),
    ):
        made = cache()
        made.record_success(other, started, ended)
        assert (made.find("other", 1050) is not None) == replaced, (started, ended)
    made = cache()
    with pytest.raises(TransportError):
        made.record_success(b"{}", 1050, 1051)
    assert made.find(KID, 1051) is not None


def test_the_reason_of_the_last_failure_is_kept_without_the_words_of_others() -> None:
    made = cache()
    made.record_failure(TransportError("lost", reason="read timeout"), 1200)
    error = made.lookup_error(KID, 1200)
    assert "lost (the cached one is 200 seconds old: too old)" in str(error)
    made.record_failure(ValueError("the-secret"), 1200)
    assert "ValueError (the cached one" in str(made.lookup_error(KID, 1200))


def test_a_time_may_be_any_finite_number_of_seconds() -> None:
    timing = KeyTiming(sys.float_info.max, 5e-324, 0, 1)
    assert (timing.max_age, timing.cool_down, timing.stale_if_error) == (sys.float_info.max, 5e-324, 0)


@pytest.mark.parametrize("name", ["max_age", "cool_down", "stale_if_error", "timeout"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "1", True])
def test_a_wrong_time_is_named(name: str, value: Any) -> None:
    limit = "0 or more" if name == "stale_if_error" else "above 0"
    with pytest.raises(ConfigurationError) as caught:
        KeyTiming(**{"max_age": 1, "cool_down": 1, "stale_if_error": 0, **{name: value}})
    assert str(caught.value) == f"{name} must be a finite number of seconds, {limit}"
    with pytest.raises(ConfigurationError, match=name):
        TokenVerifier("eu-west-1_a", client_id=None, token_use=None, **{name: value})


def test_the_times_of_a_verifier_have_their_defaults() -> None:
    verifier = TokenVerifier("eu-west-1_a", client_id=None, token_use=None)
    timing = verifier._caches["eu-west-1_a"]._timing
    times = (timing.max_age, timing.cool_down, timing.stale_if_error, timing.timeout)
    assert times == (3600.0, 60.0, 86400.0, 5.0)
    assert KeyTiming(1, 1, 0).timeout == 5.0
    given = {"max_age": 1.0, "cool_down": 2.0, "stale_if_error": 3.0, "timeout": 4.0}
    verifier = TokenVerifier("eu-west-1_a", client_id=None, token_use=None, **given)  # type: ignore[arg-type]
    timing = verifier._caches["eu-west-1_a"]._timing
    assert (timing.max_age, timing.cool_down, timing.stale_if_error, timing.timeout) == (1.0, 2.0, 3.0, 4.0)
    assert repr(verifier) == "TokenVerifier(['eu-west-1_a'])"


def test_a_provider_begins_without_a_fetch() -> None:
    made = cache()
    provider = JwksProvider(made, lambda url: b"", lambda: 1000.0)
    assert (provider._fetching, provider._frozen) == (None, False)
    provider.wait()
    assert provider.keys(KID) is made.fresh(KID, 1000)

    async def fetch(url: str) -> bytes:
        return b""

    other = AsyncJwksProvider(made, fetch, lambda: 1000.0)
    assert (other._fetching, other._started, other._background, other._frozen) == (None, 0.0, False, False)


def test_a_foreground_fetch_gets_the_url_and_its_keys_are_found() -> None:
    made, urls = cache(None), list[str]()

    def fetch(url: str) -> bytes:
        urls.append(url)
        return BODY

    assert KID in JwksProvider(made, fetch, lambda: 1000.0).keys(KID).keys
    assert urls == [URL]
    with pytest.raises(UnknownKey):
        JwksProvider(made, fetch, lambda: 1020.0).keys("other")
    assert urls == [URL, URL]


def test_stale_keys_are_refreshed_by_a_daemon_thread_with_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    monkeypatch.delenv("AWS_EXECUTION_ENV", raising=False)
    made, threads, now = cache(), list[threading.Thread](), 1120.0

    def fetch(url: str) -> bytes:
        threads.append(threading.current_thread())
        return BODY

    provider = JwksProvider(made, fetch, lambda: now)
    assert provider.keys(KID) is not None
    provider.wait()
    assert [(thread.name, thread.daemon) for thread in threads] == [("srpcore-keys", True)]
    assert made.fresh(KID, now) is not None

    # In AWS Lambda the caller's thread does it, because another one would be frozen.
    for name, value in (("AWS_LAMBDA_FUNCTION_NAME", ""), ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")):
        monkeypatch.setenv(name, value)
        now += 120
        assert provider.keys(KID) is made.fresh(KID, now)
        assert threads.pop() is threading.current_thread()
        monkeypatch.delenv(name)


def test_a_thread_that_cannot_be_started_counts_as_a_failed_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoThread:
        def __init__(self, **_: object) -> None:
            pass

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(jwks_provider, "Thread", NoThread)
    made = cache()
    provider = JwksProvider(made, lambda url: BODY, lambda: 1120.0)
    assert KID in provider.keys(KID).keys
    provider.wait()
    assert provider._fetching is None
    assert not made.should_fetch(KID, 1120.5)
    assert made.should_fetch(KID, 1121)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(("seconds", "frozen"), [(5.5, False), (10, False), (10.5, True), (14, True), (-1, True)])
def test_after_a_fetch_that_was_frozen_the_next_one_is_awaited_by_its_caller(
    seconds: float, frozen: bool, fails: bool
) -> None:
    """A fetch in the background that has taken more than twice the timeout was frozen."""
    now, fetches = 2000.0, list[float]()

    async def fetch(url: str) -> bytes:
        nonlocal now
        fetches.append(now)
        if len(fetches) == 2:
            now += seconds
            if fails:
                raise OSError("unreachable")
        return BODY

    async def main() -> None:
        nonlocal now
        made = KeyCache(URL, KeyTiming(100, 10, 5000))
        provider = AsyncJwksProvider(made, fetch, lambda: now)
        await provider.keys(KID)
        now += 150
        await provider.keys(KID)  # the old keys: the fetch begins after this
        assert len(fetches) == 1
        await provider.wait()
        assert len(fetches) == 2
        assert made._last_fetch is not None
        assert made._last_fetch.failures == (fails and not frozen)
        if fails:
            # That the process was frozen does not show that the service is unavailable: it may be asked again at once.
            assert made.should_fetch(KID, now) == frozen
        now += 200
        await provider.keys(KID)
        assert len(fetches) == (3 if frozen else 2)
        await provider.wait()
        assert len(fetches) == 3
        now += 200
        await provider.keys(KID)
        assert len(fetches) == 3  # the third one was not frozen

    asyncio.run(main())


def test_a_fetch_that_was_cancelled_was_not_frozen() -> None:
    now, fetches = 2000.0, list[float]()

    async def fetch(url: str) -> bytes:
        fetches.append(now)
        if len(fetches) == 2:
            await asyncio.Event().wait()
        return BODY

    async def main() -> None:
        nonlocal now
        provider = AsyncJwksProvider(KeyCache(URL, KeyTiming(100, 10, 5000)), fetch, lambda: now)
        await provider.keys(KID)
        now += 150
        await provider.keys(KID)
        await asyncio.sleep(0)
        assert len(fetches) == 2
        assert provider._fetching is not None
        provider._fetching.cancel()
        await provider.wait()
        await provider.keys(KID)
        assert len(fetches) == 2  # the third one is in the background too, and begins after this
        await provider.wait()
        assert len(fetches) == 3

    asyncio.run(main())


def test_a_failed_fetch_of_a_task_is_named_when_the_keys_are_too_old() -> None:
    async def fetch(url: str) -> bytes:
        raise TransportError("lost", reason="read timeout")

    async def main() -> None:
        await AsyncJwksProvider(cache(None), fetch, lambda: 1000.0).keys(KID)

    with pytest.raises(TransportTimeout) as caught:
        asyncio.run(main())
    assert str(caught.value) == f"key set {URL} could not be fetched, so no token can be verified: lost"


def test_without_a_fetch_the_keys_are_said_to_be_missing() -> None:
    error = cache(None).lookup_error(KID, 1000)
    assert isinstance(error, TransportError)
    assert error.reason == "answer"
    assert str(error) == (f"key set {URL} could not be fetched, so no token can be verified: the fetch was interrupted")


def test_an_error_that_is_not_of_a_transport_counts_as_a_bad_answer() -> None:
    made = cache(None)
    made.record_failure(ValueError("x"), 1000)
    error = made.lookup_error(KID, 1000)
    assert isinstance(error, TransportError)
    assert (error.reason, error.url, error.fetching) == ("answer", URL, True)


def test_a_forked_child_fetches_although_its_parent_was_fetching() -> None:
    asked, release = threading.Event(), threading.Event()

    def fetch(url: str) -> bytes:
        if not asked.is_set():
            asked.set()
            assert release.wait(60)
        return BODY

    provider = JwksProvider(cache(None), fetch, lambda: 1000.0)
    thread = threading.Thread(target=provider.keys, args=(KID,))
    thread.start()
    assert asked.wait(60)
    provider._after_fork()  # what happens in the child, where that thread is missing
    provider.wait()
    assert KID in provider.keys(KID).keys
    release.set()
    thread.join(60)


def test_the_signature_cache_keeps_the_last_ones_and_copies_claims() -> None:
    kept, keys = SignatureCache(2), key_set()
    key = keys.key(KID)
    claims: dict[str, Any] = {"list": [{"a": [1]}], "map": {"b": [2]}, "text": "x"}
    kept.add("a.b.c", "pool", KID, key, claims)
    claims["list"][0]["a"].append(5)
    claims["map"]["b"].append(5)
    found = kept.find("a.b.c")
    assert found is not None
    assert found.containers == ["list", "map"]
    assert found.claims() == {"list": [{"a": [1]}], "map": {"b": [2]}, "text": "x"}
    found.claims()["list"][0]["a"].append(5)
    found.claims()["map"]["b"].append(5)
    assert found.claims() == {"list": [{"a": [1]}], "map": {"b": [2]}, "text": "x"}
    assert repr(found) == f"VerifiedSignature(pool='pool', kid={KID!r})"
    assert isinstance(found, VerifiedSignature)

    kept.add("2", "pool", KID, key, {})
    assert kept.find("a.b.c") is not None  # now the last one that was used
    kept.add("3", "another", KID, key, {})
    assert (len(kept), kept.find("2")) == (2, None)
    assert kept.find("\xe9") is kept.find("x" * (MAX_CACHED_LENGTH + 1)) is kept.find(5) is None  # type: ignore[arg-type]
    kept.add("x" * MAX_CACHED_LENGTH, "pool", KID, key, {})
    assert kept.find("x" * MAX_CACHED_LENGTH) is not None
    kept.add("\xe9", "pool", KID, key, {})
    assert len(kept) == 2

    kept.drop_replaced_keys("pool", keys)
    assert kept.find("x" * MAX_CACHED_LENGTH) is not None
    kept.drop_replaced_keys("pool", key_set("other"))
    assert kept.find("x" * MAX_CACHED_LENGTH) is None
    assert kept.find("3") is not None
    kept.drop_replaced_keys("another", key_set("other"))
    assert len(kept) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_signature_cache_can_be_used_in_a_forked_child() -> None:
    cached, key = SignatureCache(2), key_set().key(KID)
    cached.add("a.b.c", "pool", KID, key, {})
    cached._after_fork()  # what happens in the child
    assert len(cached) == 0
    cached.add("a.b.c", "pool", KID, key, {})
    assert cached.find("a.b.c") is not None


def test_a_forked_child_begins_without_cached_signatures_and_without_a_fetch() -> None:
    kept, keys = SignatureCache(2), key_set()
    kept.add("a.b.c", "pool", KID, keys.key(KID), {})
    provider = JwksProvider(cache(), lambda url: BODY, lambda: 1000.0)
    provider._join("other", 1050)
    assert provider._fetching is not None

    def check() -> None:
        assert (len(kept), kept._keys, provider._fetching) == (0, {}, None)

    assert in_a_child(check) == 0
    assert len(kept) == 1
