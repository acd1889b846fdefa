"""Temporary credentials: when they are fetched again, by which thread, and failures of that."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpcore.exceptions import ConfigurationError, TransportError
from srpcore_transports.credentials import Credentials, RefreshingCredentials, Temporary

HOUR = 3600.0


def keys(number: int) -> Credentials:
    return Credentials(f"AKID{number}", "secret", "token")


class Source:
    """A source of credentials number 0, 1, 2, ... that last for *seconds*, or fails; it has the clock too."""

    def __init__(self, seconds: float = HOUR) -> None:
        self.now = 1_700_000_000.0
        self.seconds = seconds
        self.fetched = 0
        self.error: Exception | None = None

    def fetch(self) -> Temporary:
        self.fetched += 1
        if self.error is not None:
            raise self.error
        return Temporary(keys(self.fetched - 1), self.now + self.seconds)

    def provider(self) -> RefreshingCredentials:
        return RefreshingCredentials(self.fetch, clock=lambda: self.now)


def test_nothing_is_fetched_before_the_first_call_and_once_for_many() -> None:
    source = Source()
    provider = source.provider()
    assert source.fetched == 0
    assert [provider() for _ in range(5)] == [keys(0)] * 5
    assert source.fetched == 1


@pytest.mark.parametrize(
    ("before_expiry", "fetched"), [(901, 1), (900, 1), (899, 2), (601, 2), (600, 2), (599, 2), (1, 2), (0, 2), (-9, 2)]
)
def test_credentials_are_refreshed_before_they_expire(before_expiry: float, fetched: int) -> None:
    source = Source()
    provider = source.provider()
    provider()
    source.now += HOUR - before_expiry
    assert provider() == keys(fetched - 1)
    assert source.fetched == fetched


@pytest.mark.parametrize("error", [TransportError("out"), ConfigurationError("gone")])
@pytest.mark.parametrize("before_expiry", [899, 600 + 120])
def test_an_early_failure_keeps_the_old_credentials_and_is_not_retried_at_once(
    error: Exception, before_expiry: float
) -> None:
    source = Source()
    provider = source.provider()
    provider()
    source.now += HOUR - before_expiry
    source.error = error
    assert [provider() for _ in range(5)] == [keys(0)] * 5
    assert source.fetched == 2
    source.now += 60
    assert provider() == keys(0)
    assert source.fetched == 3
    source.now += 60
    # The last of the early ones may be at the mandatory margin itself.
    assert provider() == keys(0)
    assert source.fetched == 4
    source.error = None
    source.now += 60
    assert provider() == keys(4)


@pytest.mark.parametrize("before_expiry", [599, 1, 0, -60])
def test_a_late_failure_is_raised_until_there_are_new_credentials(before_expiry: float) -> None:
    source = Source()
    provider = source.provider()
    provider()
    source.now += HOUR - before_expiry
    source.error = TransportError("out")
    for _ in range(3):
        with pytest.raises(TransportError, match=r"^out$"):
            provider()
    source.error = None
    assert provider() == keys(4)


def test_a_late_failure_right_after_an_early_one_is_raised() -> None:
    source = Source()
    provider = source.provider()
    provider()
    source.error = TransportError("out")
    source.now += HOUR - 601
    provider()
    source.now += 2
    with pytest.raises(TransportError):
        provider()


@pytest.mark.parametrize("seconds", [0.0, -1.0, -HOUR])
def test_credentials_that_have_expired_are_refused(seconds: float) -> None:
    source = Source(seconds)
    with pytest.raises(TransportError, match="expired"):
        source.provider()()
    source = Source()
    provider = source.provider()
    provider()
    source.now += HOUR - 599
    source.seconds = seconds
    with pytest.raises(TransportError, match="expired"):
        provider()
    source.now -= 10
    source.seconds = HOUR
    assert provider() == keys(2)


def test_an_early_refresh_with_expired_credentials_keeps_the_old_ones() -> None:
    source = Source()
    provider = source.provider()
    provider()
    source.now += HOUR - 899
    source.seconds = -1.0
    assert provider() == keys(0)


def test_short_lived_credentials_are_not_fetched_for_every_call() -> None:
    source = Source(300.0)
    provider = source.provider()
    assert {provider() for _ in range(5)} == {keys(0)}
    source.now += 59
    assert provider() == keys(0)
    source.now += 1
    assert provider() == keys(1)


def test_very_short_lived_credentials_are_not_used_until_they_expire() -> None:
    source = Source(60.0)
    provider = source.provider()
    assert [provider() for _ in range(3)] == [keys(0), keys(1), keys(2)]


def test_other_errors_propagate() -> None:
    source = Source()
    provider = source.provider()
    provider()
    source.now += HOUR - 899
    source.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        provider()
    # The lock is free again.
    source.error = None
    source.now += 60
    assert provider() == keys(2)


@pytest.mark.parametrize("start", [None, HOUR - 599, HOUR + 1])
def test_many_threads_make_one_request_when_it_is_due(start: float | None) -> None:
    source = Source()
    started = Barrier(8)

    def fetch() -> Temporary:
        time.sleep(0.05)
        return source.fetch()

    slow = RefreshingCredentials(fetch, clock=lambda: source.now)
    if start is not None:
        slow()
        source.now += start

    def ask() -> Credentials:
        started.wait(10)
        return slow()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        got = {future.result() for future in asked}
    assert got == {keys(source.fetched - 1)}
    assert source.fetched == (1 if start is None else 2)


def test_an_early_refresh_does_not_block_callers() -> None:
    source = Source()
    fetching, release = Event(), Event()

    def fetch() -> Temporary:
        if source.fetched:
            fetching.set()
            assert release.wait(10)
        return source.fetch()

    provider = RefreshingCredentials(fetch, clock=lambda: source.now)
    provider()
    source.now += HOUR - 899
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(provider)
        assert fetching.wait(10)
        source.now += 61
        assert provider() == keys(0)
        release.set()
        assert early.result(10) == keys(1)
    assert provider() == keys(1)


@given(
    lifetimes=st.lists(st.floats(1, 4000), min_size=1),
    waits=st.lists(st.floats(0, 2000), min_size=1, max_size=30),
    fails=st.sets(st.integers(0, 40)),
)
def test_expired_credentials_are_never_returned(lifetimes: list[float], waits: list[float], fails: set[int]) -> None:
    now, fetched, expiries = 0.0, 0, dict[str, float]()

    def fetch() -> Temporary:
        nonlocal fetched
        fetched += 1
        if fetched in fails:
            raise TransportError("out")
        expires = now + lifetimes[fetched % len(lifetimes)]
        expiries[f"AKID{fetched}"] = expires
        return Temporary(keys(fetched), expires)

    provider = RefreshingCredentials(fetch, clock=lambda: now)
    for wait in waits:
        now += wait
        try:
            got = provider()
        except TransportError:
            assert fetched in fails
            continue
        assert expiries[got.access_key_id] > now


def test_the_repr_does_not_show_secrets() -> None:
    assert "secret" not in repr(Temporary(keys(0), 0.0))
    assert "token" not in repr(Temporary(keys(0), 0.0))
    provider = Source().provider()
    provider()
    assert "secret" not in repr(provider)


@pytest.mark.parametrize(("minutes", "fetched"), [(16, 1), (14, 2), (9, 2)])
def test_credentials_are_refreshed_in_time_after_the_clock_was_set_back(minutes: float, fetched: int) -> None:
    source = Source((minutes - 5) * 60)
    provider = source.provider()
    provider()
    source.now -= 300  # they expire in so many *minutes* now
    assert provider() == keys(fetched - 1)
    assert source.fetched == fetched


def test_the_pause_after_a_failed_refresh_ends_if_the_clock_is_set_back() -> None:
    source = Source(14 * 60)
    provider = source.provider()
    provider()
    source.now += 120
    source.error = TransportError("no answer", reason="credentials")
    assert [provider(), provider()] == [keys(0)] * 2
    assert source.fetched == 2
    source.now -= 50
    assert provider() == keys(0)
    assert source.fetched == 3
