"""A process that is frozen while keys are fetched, as AWS Lambda does between two requests: old keys do not stay in use."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread, current_thread
from typing import Any

import pytest

from srpcore.exceptions import TransportError, UnknownKey
from srpcore.tokens.key_cache import KeyCache, KeyTiming
from support.key_server import DAY, POOL, Keys, mint, on_an_event_loop, serve
from support.loopback import answer
from support.minting import CLIENT, KID, access_claims

HOUR, TIMEOUT = 3600, 5
LASTING = access_claims(exp=2**40)
LAMBDA = [("AWS_LAMBDA_FUNCTION_NAME", "authorizer"), ("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")]


@pytest.fixture
def keys() -> Iterator[Keys]:
    with serve() as served:
        yield served


def hold_first(keys: Keys) -> tuple[Event, Event]:
    """Hold the next response, and no other. Return an event that is set when it is asked for, and one that releases it.

    The response is the key set as it was when it was asked for.
    """
    asked, release = Event(), Event()

    def instead() -> bytes:
        response = answer(keys.document(POOL))
        if not asked.is_set():
            asked.set()
            assert release.wait(60)
        return response

    keys.instead = instead
    return asked, release


@pytest.mark.parametrize(("name", "value"), LAMBDA)
def test_in_lambda_the_caller_fetches_stale_keys_itself(
    keys: Keys, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = mint(LASTING)
    with keys.verifier() as verifier:
        verifier.verify(token)
        monkeypatch.setenv(name, value)
        keys.names[POOL] = ["other"]
        keys.clock.now += HOUR
        with pytest.raises(UnknownKey):
            verifier.verify(token)
        assert verifier.verify(mint(LASTING, "other"))
        assert keys.count == 2


@pytest.mark.parametrize(("name", "value"), LAMBDA)
@on_an_event_loop
async def test_in_lambda_a_task_waits_for_the_fetch_of_stale_keys(keys: Keys, name: str, value: str) -> None:
    token = mint(LASTING)
    async with keys.async_verifier() as verifier:
        await verifier.verify(token)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(name, value)
            keys.names[POOL] = ["other"]
            keys.clock.now += HOUR
            with pytest.raises(UnknownKey):
                await verifier.verify(token)
        assert await verifier.verify(mint(LASTING, "other"))
        assert keys.count == 2


@pytest.mark.parametrize(("name", "value"), [("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"), ("AWS_REGION", "eu-west-1")])
def test_elsewhere_stale_keys_are_fetched_in_the_background(
    keys: Keys, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    token, transport = mint(LASTING), _Transport([document(KID), document(KID)])
    with keys.verifier(transport=transport) as verifier:
        verifier.verify(token)
        keys.clock.now += HOUR
        assert verifier.verify(token)
        verifier.close()
        assert transport.threads[1:] == ["srpcore-keys"]


def test_in_lambda_stale_keys_are_used_if_the_fetch_fails(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*LAMBDA[0])
    token = mint(LASTING)
    with keys.verifier() as verifier:
        verifier.verify(token)
        keys.instead = lambda: answer(b"", 500)
        keys.clock.now += HOUR
        assert verifier.verify(token)
        assert verifier.verify(token)
        assert keys.count == 2
        keys.clock.now += DAY
        with pytest.raises(TransportError):
            verifier.verify(token)


@on_an_event_loop
async def test_in_lambda_a_task_uses_stale_keys_if_the_fetch_fails(keys: Keys) -> None:
    token = mint(LASTING)
    async with keys.async_verifier() as verifier:
        await verifier.verify(token)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(*LAMBDA[0])
            keys.instead = lambda: answer(b"", 500)
            keys.clock.now += HOUR
            assert await verifier.verify(token)
            assert await verifier.verify(token)
        assert keys.count == 2


@pytest.mark.parametrize("moved", [TIMEOUT + 0.25, -1, DAY])
def test_a_caller_fetches_itself_if_the_fetch_in_the_background_is_overdue(keys: Keys, moved: float) -> None:
    token = mint(LASTING)
    with keys.verifier(stale_if_error=2 * DAY) as verifier:
        verifier.verify(token)
        asked, release = hold_first(keys)
        keys.clock.now += 2 * HOUR
        started = keys.clock.now
        assert verifier.verify(token)
        assert asked.wait(20)
        keys.clock.now = started + TIMEOUT
        assert verifier.verify(token)
        assert keys.count == 2
        keys.clock.now = started + moved
        keys.names[POOL] = ["other"]
        with pytest.raises(UnknownKey):
            verifier.verify(token)
        assert keys.count == 3
        release.set()


@on_an_event_loop
async def test_a_task_fetches_itself_if_the_fetch_in_the_background_is_overdue(keys: Keys) -> None:
    token = mint(LASTING)
    async with keys.async_verifier() as verifier:
        await verifier.verify(token)
        asked, release = hold_first(keys)
        keys.clock.now += HOUR
        assert await verifier.verify(token)
        assert await asyncio.to_thread(asked.wait, 20)
        keys.clock.now += TIMEOUT
        assert await verifier.verify(token)
        keys.clock.now += 0.25
        keys.names[POOL] = ["other"]
        with pytest.raises(UnknownKey):
            await verifier.verify(token)
        assert keys.count == 3
        release.set()


class _Transport:
    """Answers fetches with *documents*. The first fetch after :meth:`hold` waits until it is released."""

    def __init__(self, documents: list[bytes]) -> None:
        self.documents = documents
        self.threads: list[str] = []
        self.holding = False
        self.asked, self.release = Event(), Event()

    def call(self, operation: Any) -> Any:
        raise AssertionError

    def fetch(self, url: str) -> bytes:
        document, holding, self.holding = self.documents.pop(0), self.holding, False
        self.threads.append(current_thread().name)
        if holding:
            self.asked.set()
            assert self.release.wait(60)
        return document

    def close(self) -> None:
        raise AssertionError


def document(*names: str) -> bytes:
    keys = Keys()
    keys.names[POOL] = [*names]
    keys.server._listener.close()
    return keys.document(POOL)


def eventually(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_the_late_answer_of_an_overdue_fetch_does_not_replace_newer_keys(keys: Keys) -> None:
    token, transport = mint(LASTING), _Transport([document(KID), document(KID), document("other")])
    verifier = keys.verifier(transport=transport)
    verifier.verify(token)
    keys.clock.now += HOUR
    transport.holding = True
    verifier.verify(token)
    assert transport.asked.wait(20)
    keys.clock.now += HOUR
    with pytest.raises(UnknownKey):
        verifier.verify(token)
    thread = next(thread for thread in _threads() if thread.name == "srpcore-keys")
    transport.release.set()
    thread.join(20)
    assert verifier.verify(mint(LASTING, "other"))
    with pytest.raises(UnknownKey):
        verifier.verify(token)
    assert transport.documents == []


def _threads() -> list[Thread]:
    from threading import enumerate as enumerate_threads

    return enumerate_threads()


def test_threads_that_wait_for_an_overdue_fetch_get_the_keys_of_the_next_one(keys: Keys) -> None:
    transport = _Transport([document(KID), document(KID), document(KID, "other")])
    verifier = keys.verifier(transport=transport)
    verifier.verify(mint(LASTING))
    keys.clock.now += HOUR
    transport.holding = True
    assert verifier.verify(mint(LASTING))  # starts a fetch in the background
    assert transport.asked.wait(20)
    results: list[Any] = []
    waiting = Thread(target=lambda: results.append(verifier.verify(mint(LASTING, "other"))))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    keys.clock.now += HOUR
    assert verifier.verify(mint(LASTING))
    waiting.join(20)
    assert results == [LASTING]
    transport.release.set()


class _Overtaking(_Transport):
    """Its third fetch goes on only after the second one, which it has overtaken, has ended."""

    calls = 0

    def fetch(self, url: str) -> bytes:
        self.calls += 1
        if self.calls == 3:
            overtaken = next(thread for thread in _threads() if thread.name == "srpcore-keys")
            self.release.set()
            overtaken.join(20)
            assert self.asks_again() == LASTING
        return super().fetch(url)

    def asks_again(self) -> Any:
        raise NotImplementedError


def test_the_end_of_an_overdue_fetch_does_not_end_the_one_that_overtook_it(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, transport = mint(LASTING), _Overtaking([document(KID)] * 3)
    verifier = keys.verifier(transport=transport)
    monkeypatch.setattr(transport, "asks_again", lambda: verifier.verify(token))
    verifier.verify(token)
    keys.clock.now += HOUR
    transport.holding = True
    verifier.verify(token)
    assert transport.asked.wait(20)
    keys.clock.now += HOUR
    # Another caller meanwhile finds that a fetch is running, and starts none.
    assert verifier.verify(token) == LASTING
    assert transport.calls == 3


def test_a_caller_that_fetches_itself_is_not_overtaken(keys: Keys) -> None:
    transport = _Transport([document(KID), document("other"), document(KID)])
    verifier = keys.verifier(transport=transport)
    verifier.verify(mint(LASTING))
    transport.holding = True
    keys.clock.now += HOUR
    fetching = Thread(target=lambda: verifier.verify(mint(LASTING, "other")))
    fetching.start()
    assert transport.asked.wait(20)
    keys.clock.now += 10 * TIMEOUT
    assert verifier.verify(mint(LASTING))
    assert len(transport.documents) == 1
    transport.release.set()
    fetching.join(20)


class _SlowLoop:
    """A transport whose fetches wait for *release*, a future of the event loop."""

    def __init__(self, keys: Keys) -> None:
        self.keys, self.count = keys, 0
        self.release: asyncio.Future[None] | None = None

    async def call(self, operation: Any) -> Any:
        raise AssertionError

    async def fetch(self, url: str) -> bytes:
        self.count += 1
        if self.release is not None:
            await self.release
        return self.keys.document(POOL)

    async def close(self) -> None:
        raise AssertionError


@on_an_event_loop
async def test_a_fetch_that_tasks_wait_for_is_not_overtaken(keys: Keys) -> None:
    token, transport = mint(LASTING), _SlowLoop(keys)
    transport.release = asyncio.get_running_loop().create_future()
    verifier = keys.async_verifier(transport=transport)
    tasks = []
    for _ in range(3):
        tasks.append(asyncio.create_task(verifier.verify(token)))
        await asyncio.sleep(0)
        keys.clock.now += 10 * TIMEOUT
    transport.release.set_result(None)
    assert await asyncio.gather(*tasks) == [LASTING] * 3
    assert transport.count == 1


@on_an_event_loop
async def test_in_lambda_a_task_waits_for_a_fetch_whose_caller_was_cancelled(keys: Keys) -> None:
    token, transport = mint(LASTING), _SlowLoop(keys)
    verifier = keys.async_verifier(transport=transport)
    await verifier.verify(token)
    keys.names[POOL] = ["other"]
    keys.clock.now += HOUR
    transport.release = asyncio.get_running_loop().create_future()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*LAMBDA[0])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(verifier.verify(token), 0.01)
        asyncio.get_running_loop().call_soon(transport.release.set_result, None)
        with pytest.raises(UnknownKey):
            await verifier.verify(token)
    assert transport.count == 2


class _Frozen(_Transport):
    """The fetch that is held ends after *frozen* seconds, with an error if *fails*."""

    def __init__(self, keys: Keys, frozen: float, *, fails: bool) -> None:
        super().__init__([document(KID), document(KID), document("other")])
        self.keys, self.frozen, self.fails = keys, frozen, fails

    def fetch(self, url: str) -> bytes:
        holding = self.holding
        found = super().fetch(url)
        if holding:
            self.keys.clock.now += self.frozen
            if self.fails:
                raise TransportError("the time is up", url=url)
        return found


@pytest.mark.parametrize("fails", [True, False])
def test_a_caller_fetches_itself_after_a_fetch_that_was_frozen(keys: Keys, fails: bool) -> None:
    token, transport = mint(LASTING), _Frozen(keys, 2 * HOUR, fails=fails)
    with keys.verifier(transport=transport) as verifier:
        verifier.verify(token)
        keys.clock.now += HOUR
        transport.holding = True
        transport.release.set()
        verifier.verify(token)
        verifier.close()  # waits for the fetch
        with pytest.raises(UnknownKey):
            verifier.verify(token)
        assert transport.threads[1:] == ["srpcore-keys", current_thread().name]


@pytest.mark.parametrize("fails", [True, False])
@on_an_event_loop
async def test_a_task_waits_for_new_keys_after_a_fetch_that_was_frozen(keys: Keys, fails: bool) -> None:
    token, transport = mint(LASTING), _Frozen(keys, 2 * HOUR, fails=fails)
    async with keys.async_verifier(transport=transport) as verifier:
        await verifier.verify(token)
        keys.clock.now += HOUR
        transport.holding = True
        transport.release.set()
        await verifier.verify(token)
        await verifier.close()
        with pytest.raises(UnknownKey):
            await verifier.verify(token)


def test_a_fetch_whose_time_is_up_counts_as_a_failure(keys: Keys) -> None:
    token, transport = mint(LASTING), _Frozen(keys, TIMEOUT + 0.25, fails=True)
    with keys.verifier(transport=transport) as verifier:
        verifier.verify(token)
        keys.clock.now += HOUR
        transport.holding = True
        transport.release.set()
        verifier.verify(token)
        verifier.close()
        assert verifier.verify(token)  # there is a pause now
        assert len(transport.threads) == 2


def test_keys_are_as_old_as_the_start_of_their_fetch(keys: Keys) -> None:
    cache = KeyCache("http://127.0.0.1/", KeyTiming(HOUR, 60, DAY))
    cache.record_success(document(KID), 1000.0, 1000.0 + HOUR)
    assert cache.fresh(KID, 1000.0 + HOUR) is None
    assert cache.find(KID, 1000.0 + HOUR) is not None
    assert cache.should_fetch(KID, 1000.0 + HOUR)


def test_keys_of_an_earlier_fetch_are_used_after_the_clock_was_set_back() -> None:
    cache = KeyCache("http://127.0.0.1/", KeyTiming(HOUR, 60, DAY))
    cache.record_success(document(KID), 5000.0, 5000.0)
    cache.record_success(document("other"), 4000.0, 4001.0)
    assert cache.fresh("other", 4001.0) is not None


# A real process that is really frozen

PROGRAM = """
import asyncio, json, sys
from srpcore import AsyncTokenVerifier, TokenVerifier

kind, pool, client, url = sys.argv[1:]
cls = TokenVerifier if kind == "threads" else AsyncTokenVerifier
verifier = cls(pool, client_id=client, token_use="access", endpoint_url=url, max_age=1, timeout=2)
runner = asyncio.Runner()

async def verify(token):
    return await verifier.verify(token)

for line in sys.stdin:
    try:
        token = line.strip()
        verifier.verify(token) if kind == "threads" else runner.run(verify(token))
        print("accepted", flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
"""


class Process:
    """A process that verifies tokens. It is frozen except during :meth:`verify`, as a function in AWS Lambda is."""

    def __init__(self, keys: Keys, kind: str, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, kind, POOL, CLIENT, keys.server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def verify(self, token: str, until: Callable[[], object] = bool) -> str:
        """Return the result for *token*. The process is frozen after that, and not before *until* returns."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(token + "\n")
        self.process.stdin.flush()
        result = self.process.stdout.readline().strip()
        until()
        self.process.send_signal(signal.SIGSTOP)
        return result


@contextmanager
def running(keys: Keys, kind: str, environment: dict[str, str]) -> Iterator[Process]:
    made = Process(keys, kind, environment)
    with made.process as process:
        try:
            yield made
        finally:
            process.kill()


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot freeze a process")
@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_a_process_that_is_frozen_during_a_fetch_refuses_a_withdrawn_key_when_it_goes_on(keys: Keys, kind: str) -> None:
    withdrawn, current = mint(LASTING), mint(LASTING, "other")
    with running(keys, kind, {}) as process:
        assert process.verify(withdrawn) == "accepted"
        time.sleep(1.2)  # the keys are stale then
        asked, release = hold_first(keys)
        # The loop of the tasks runs only during a call, so the request may not be sent before the process is frozen.
        assert process.verify(withdrawn, lambda: asked.wait(20 if kind == "threads" else 0.2)) == "accepted"
        keys.names[POOL] = ["other"]
        time.sleep(4.2)  # the fetch is overdue then, and was frozen if its thread goes on first
        assert process.verify(withdrawn) == "UnknownKey"
        assert process.verify(current) == "accepted"
        release.set()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot freeze a process")
@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_a_process_in_lambda_leaves_no_fetch_in_the_background(keys: Keys, kind: str) -> None:
    withdrawn, current = mint(LASTING), mint(LASTING, "other")
    with running(keys, kind, dict(LAMBDA)) as process:
        assert process.verify(withdrawn) == "accepted"
        keys.names[POOL] = ["other"]
        time.sleep(1.2)  # the keys are stale then
        assert process.verify(withdrawn) == "UnknownKey"
        assert process.verify(current) == "accepted"
        assert keys.count >= 2
