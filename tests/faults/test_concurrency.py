"""Many threads and many tasks on one client: one refresh, each its own answer, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from .catalogue import OPERATIONS
from .kinds import KINDS, Client, Kind, Pool
from .serving import FaultyService

# It takes long, and botocore.
pytestmark = pytest.mark.counterpart

THREADS, TASKS, NAMES = 64, 1000, 20
REFRESH = next(asked for asked in OPERATIONS if asked.name == "refresh")
BLOCKING = [kind for kind in KINDS if not kind.asynchronous]
ON_A_LOOP = [kind for kind in KINDS if kind.asynchronous]


@pytest.fixture(scope="session")
def crowd() -> Pool:
    """A pool of its own, whose users are numbered, and whose clock has moved on since one of them logged in."""
    pool = Pool()
    for number in range(NAMES):
        pool.create(f"user-{number}")
    pool.ahead = 3700
    return pool


def asked_for(client: Client, number: int) -> Any:
    """Return what the service says of the user *number*, or what is to be awaited for it."""
    name = f"user-{number % NAMES}"
    return client.user.client.admin_get_user(UserPoolId=client.user.user_pool_id, Username=name)


@pytest.mark.parametrize("kind", BLOCKING, ids=str)
def test_sixty_four_threads_each_get_their_own_outcome(kind: Kind, crowd: Pool) -> None:
    with FaultyService(crowd.local) as service, Client(kind, crowd, service) as client:
        client.start(REFRESH)
        old = client.user.access_token
        ready = Barrier(THREADS)

        def work(number: int) -> list[str]:
            ready.wait(60)
            client.user.check_token()
            assert client.user.access_token != old
            return [asked_for(client, number + turn)["Username"] for turn in range(5)]

        with ThreadPoolExecutor(THREADS) as workers:
            found = list(workers.map(work, range(THREADS)))
        assert found == [[f"user-{(number + turn) % NAMES}" for turn in range(5)] for number in range(THREADS)]
        assert service.arrived["InitiateAuth"] == 1
        assert service.arrived["AdminGetUser"] == 5 * THREADS
        assert service.connections <= THREADS + 1
        tokens, kept = client.tokens
        assert tokens == kept


@pytest.mark.long
@pytest.mark.parametrize("kind", ON_A_LOOP, ids=str)
def test_a_thousand_tasks_each_get_their_own_outcome(kind: Kind, crowd: Pool) -> None:
    # There are more of them than connections, and waiting for one is a part of connecting. On a busy machine all of them
    # may take more than a minute.
    patience = {"connect_timeout": 300, "read_timeout": 300, **({} if kind.botocore else {"total_timeout": 300})}
    with FaultyService(crowd.local) as service, Client(kind, crowd, service, **patience) as client:
        client.start(REFRESH)
        old = client.user.access_token

        async def work(number: int) -> str:
            await client.user.check_token()
            assert client.user.access_token != old
            name: str = (await asked_for(client, number))["Username"]
            return name

        async def crowd_of_tasks() -> list[str]:
            return await asyncio.gather(*(work(number) for number in range(TASKS)))

        found = client.run(crowd_of_tasks())
        assert found == [f"user-{number % NAMES}" for number in range(TASKS)]
        assert service.arrived["InitiateAuth"] == 1
        assert service.arrived["AdminGetUser"] == TASKS
        # The tasks share 100 connections and the one of the login. On a slow machine a connection may be idle for longer
        # than it is kept, and is replaced.
        assert service.connections <= 2 * 101


@pytest.mark.parametrize("kind", ON_A_LOOP, ids=str)
def test_cancelled_tasks_leave_nothing_open(kind: Kind, crowd: Pool) -> None:
    chance = random.Random(5)
    with FaultyService(crowd.local) as service, Client(kind, crowd, service) as client:
        client.start(REFRESH)
        old = client.user.access_token

        async def work(number: int) -> str:
            await client.user.check_token()
            name: str = (await asked_for(client, number))["Username"]
            return name

        async def crowd_of_tasks() -> None:
            tasks = [asyncio.ensure_future(work(number)) for number in range(400)]
            victims = chance.sample(tasks, 300)
            for victim in victims:
                victim.cancel()
                for _ in range(chance.randrange(6)):
                    await asyncio.sleep(0)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for number, (task, result) in enumerate(zip(tasks, results, strict=True)):
                if not (task in victims and isinstance(result, asyncio.CancelledError)):
                    assert result == f"user-{number % NAMES}"
            assert sum(isinstance(result, asyncio.CancelledError) for result in results) > 100
            # Nobody's answer was left for the next who asks.
            again = await asyncio.gather(*(work(number) for number in range(100)))
            assert again == [f"user-{number % NAMES}" for number in range(100)]

        client.run(crowd_of_tasks())
        assert client.user.access_token != old
        assert service.arrived["InitiateAuth"] == 1
    # A socket that was left open is reported as the fault of this test, not of a later one.
    gc.collect()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.botocore], ids=str)
def test_a_forked_child_opens_its_own_connections(kind: Kind, crowd: Pool) -> None:
    with FaultyService(crowd.local) as service, Client(kind, crowd, service) as client:
        client.start(REFRESH)
        assert client.run(asked_for(client, 1))["Username"] == "user-1"
        open_before = service.connections
        child = os.fork()
        if not child:
            signal.alarm(100)
            code = 1
            try:
                for number in range(2, 5):
                    reply = asked_for(client, number)
                    reply = asyncio.run(reply) if kind.asynchronous else reply
                    code = 0 if reply["Username"] == f"user-{number}" else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        # The child opened its own, and the parent's is as good as before.
        assert service.connections > open_before
        count = service.connections
        assert client.run(asked_for(client, 5))["Username"] == "user-5"
        assert service.connections == count
