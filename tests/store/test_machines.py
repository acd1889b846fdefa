"""Processes that share a database, as on several machines: who refreshes, and what a killed or stopped one can change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import srpcore
from srpcore.exceptions import StoreLocked
from srpcore.protocol import Operation, Reply
from srpcore.store import Login, Tokens
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

from .making import KEY, LOGIN, OTHER

if TYPE_CHECKING:
    from .shared import Database

# These tests start processes, and wait for the end of a lease.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals and forks")]


HOLD = """
with store().lock("long"), store(lease=1).lock(KEY):
    print("held", flush=True)
    sys.stdin.read()
"""

STOP = """
from srpcore.exceptions import StoreConflict
one = store(lease=1)
with one.lock(KEY):
    assert one.load(KEY) == LOGIN
    print("loaded", flush=True)
    sys.stdin.readline()
    try:
        one.save(KEY, Login(username="too late"))
    except StoreConflict:
        print("refused", flush=True)
"""

ADD = """
one = store()
for _ in range(8):
    with one.lock(KEY):
        one.save(KEY, Login(username=str(int(one.load(KEY).username) + 1)))
"""

REFRESH = """
import srpcore
url, pool_id, client_id = sys.argv[3:]
user = srpcore.Cognito(pool_id, client_id, username="alice", endpoint_url=url, store=store(lease=30))
assert user.restore()
print("restored", flush=True)
sys.stdin.readline()
user.renew_access_token()
print(user.refresh_token[-40:], flush=True)
"""

OVERTAKEN = """
import srpcore
url, pool_id, client_id = sys.argv[3:]
one = store(lease=1)
save = one.save

def save_late(key, login):
    one.save = save
    print("saving", flush=True)
    sys.stdin.readline()
    one.save(key, login)

user = srpcore.Cognito(pool_id, client_id, username="alice", endpoint_url=url, store=one)
assert user.restore()
one.save = save_late
user.renew_access_token()
user.verify_tokens()
print(user.refresh_token[-40:], flush=True)
"""

FORK = """
import os
one = store(lock_timeout=0)
with one.lock(KEY):
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        print("held", flush=True)
        sys.stdin.readline()
if not child:
    os._exit(0)
"""


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def enter(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_the_lock_of_a_killed_process_ends_with_its_lease(served_database: Database) -> None:
    impatient, patient = served_database.store(lock_timeout=0), served_database.store(lock_timeout=60)
    with served_database.start(HOLD) as holder:
        assert line(holder) == "held"
        holder.kill()
        holder.wait(60)
        with patient.lock(KEY):
            patient.save(KEY, LOGIN)
        with pytest.raises(StoreLocked):
            impatient.lock("long").__enter__()
    assert impatient.load(KEY) == LOGIN


def test_a_process_that_was_stopped_for_longer_than_its_lease_cannot_replace_a_newer_login(
    served_database: Database,
) -> None:
    store = served_database.store(lock_timeout=60)
    store.save(KEY, LOGIN)
    with served_database.start(STOP) as stopped:
        assert line(stopped) == "loaded"
        os.kill(stopped.pid, signal.SIGSTOP)
        with store.lock(KEY):
            store.save(KEY, OTHER)
        os.kill(stopped.pid, signal.SIGCONT)
        enter(stopped)
        assert line(stopped) == "refused"
        assert stopped.wait(60) == 0
    assert store.load(KEY) == OTHER


@pytest.mark.system
def test_processes_that_hold_the_lock_lose_no_change(redis_database: Database) -> None:
    store = redis_database.store()
    store.save(KEY, Login(username="0"))
    processes = [redis_database.start(ADD) for _ in range(3)]
    for process in processes:
        with process:
            assert process.wait(60) == 0
    assert store.load(KEY) == Login(username="24")


@pytest.mark.system
def test_a_forked_child_that_leaves_the_block_does_not_release_the_lock(redis_database: Database) -> None:
    with redis_database.start(FORK) as process:
        store = redis_database.store(lock_timeout=0)
        assert line(process) == "held"  # the child has ended
        with pytest.raises(StoreLocked):
            store.lock(KEY).__enter__()
        enter(process)
        assert process.wait(60) == 0
    with store.lock(KEY):
        pass


@contextmanager
def rotating_pool(*, grace_period: int) -> Iterator[tuple[LocalUserPool, str]]:
    """Serve a pool that rotates refresh tokens, with a user, and yield the pool and its URL."""
    rotation = {"RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": grace_period}}
    with LocalUserPool(region="eu-west-1", client_settings=rotation) as pool, pool.serve() as server:
        for operation, settings in (
            ("AdminCreateUser", {"MessageAction": "SUPPRESS"}),
            ("AdminSetUserPassword", {"Password": PASSWORD, "Permanent": True}),
        ):
            reply = pool.call(Operation(operation, {"UserPoolId": pool.user_pool_id, "Username": "alice", **settings}))
            assert isinstance(reply, Reply)
            assert reply.status == 200
        yield pool, server.url


def test_processes_that_refresh_a_rotating_token_at_the_same_time_refresh_once(served_database: Database) -> None:
    store = served_database.store()
    with rotating_pool(grace_period=0) as (pool, url):
        ids = pool.user_pool_id, pool.client_id
        with srpcore.Cognito(*ids, username="alice", endpoint_url=url, store=store) as user:
            user.authenticate(PASSWORD)
            processes = [served_database.start(REFRESH, url, *ids) for _ in range(3)]
            assert [line(process) for process in processes] == ["restored"] * 3
            for process in processes:
                enter(process)
            ends = {line(process) for process in processes}
            for process in processes:
                with process:
                    assert process.wait(60) == 0
            # A second refresh would have been refused: the grace period for a rotated token is 0.
            assert len(ends) == 1
            first = user.tokens.refresh_token
            user.renew_access_token()
            assert user.tokens.refresh_token[-40:] in ends
            assert user.tokens.refresh_token != first
            user.renew_access_token()
            assert user.tokens.refresh_token[-40:] not in ends
            stored = store.load(user._store_key())
    assert stored is not None
    assert isinstance(stored.tokens, Tokens)
    assert stored.tokens.refresh_token == user.tokens.refresh_token


def test_a_process_that_was_overtaken_in_a_refresh_uses_the_newer_tokens(served_database: Database) -> None:
    store = served_database.store(lock_timeout=60)
    with rotating_pool(grace_period=60) as (pool, url):
        ids = pool.user_pool_id, pool.client_id
        with srpcore.Cognito(*ids, username="alice", endpoint_url=url, store=store) as user:
            user.authenticate(PASSWORD)
            with served_database.start(OVERTAKEN, url, *ids) as late:
                assert line(late) == "saving"
                user.renew_access_token()  # as soon as the lease of the other process has ended
                newest = user.tokens.refresh_token
                enter(late)
                assert line(late) == newest[-40:]
                assert late.wait(60) == 0
            stored = store.load(user._store_key())
    assert stored is not None
    assert isinstance(stored.tokens, Tokens)
    assert stored.tokens.refresh_token == newest
