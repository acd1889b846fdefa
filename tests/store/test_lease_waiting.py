"""How a process waits for a lease that another one has: how often it asks, and how long. No database is needed."""

from __future__ import annotations

import secrets
from types import SimpleNamespace

import pytest

from srpcore.exceptions import StoreLocked
from srpcore.store import leases
from srpcore.store.leases import LeaseStore

from .making import KEY


class BusyStore(LeaseStore):
    """A store whose lease is free for the attempt with the number *free*; before that another process has it."""

    def __init__(self, free: int, lock_timeout: float) -> None:
        super().__init__(None, lease=90, lock_timeout=lock_timeout, expire_after=None)
        self.free = free
        self.owners: list[str] = []
        self.released: list[tuple[str, str]] = []

    def _acquire(self, name: str, owner: str) -> str | None:
        self.owners.append(owner)
        return "" if len(self.owners) == self.free else None

    def _release(self, name: str, owner: str) -> None:
        self.released.append((name, owner))

    def _read(self, name: str) -> tuple[str, bytes | None]:
        return "", None

    def _write(self, name: str, record: bytes | None, version: str, expected: str | None) -> bool:
        return True


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made. They take no time, and each is the longest one that chance allows."""
    made: list[float] = []
    monkeypatch.setattr(leases, "time", SimpleNamespace(sleep=made.append))
    monkeypatch.setattr(leases, "monotonic_clock", lambda: 1000 + sum(made))
    longest = SimpleNamespace(token_hex=secrets.token_hex, randbelow=lambda limit: limit - 1)
    monkeypatch.setattr(leases, "secrets", longest)
    return made


def test_a_process_that_waits_asks_less_and_less_often(pauses: list[float]) -> None:
    store = BusyStore(12, lock_timeout=60)
    with store.lock(KEY):
        pass
    varied = 0.5 + 0.999
    assert pauses[:3] == pytest.approx([varied * pause for pause in (0.05, 0.075, 0.1125)])
    assert pauses[-3:] == pytest.approx([varied * 0.5] * 3)
    assert len(pauses) == 11
    assert {*store.owners} == {store.released[0][1]}  # each attempt, and the release, is of the same owner
    assert len(store.released) == 1


def test_a_process_waits_no_longer_than_its_timeout(pauses: list[float]) -> None:
    store = BusyStore(0, lock_timeout=2)
    with pytest.raises(StoreLocked) as caught:
        store.lock(KEY).__enter__()
    assert str(caught.value) == (
        "could not lock the stored login within 2 seconds: another process is using it, or was killed less than 90 "
        "seconds ago; try again"
    )
    assert sum(pauses) == pytest.approx(2)
    assert all(pauses)
    assert len(store.owners) == len(pauses) + 1  # it asks once more when the time is over


def test_an_owner_cannot_be_guessed(pauses: list[float]) -> None:
    store = BusyStore(1, lock_timeout=0)
    with store.lock(KEY):
        assert not pauses
    assert len(bytes.fromhex(store.owners[0])) == 16
