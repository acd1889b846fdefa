"""A fork while another thread holds one of our locks: the child does not wait for it."""

from __future__ import annotations

import ast
import copy
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from srpcore._fork import ForkSafeLock

ROOT = Path(__file__).resolve().parents[1]

# The process that forks is not that of the tests: it has threads, and a child that hangs must be ended.
HEAD = """
import sys, time
sys.path[:0] = {path!r}
import srpcore
from srpcore._fork import ForkSafeLock, reset_in_child
from srpcore.protocol import Operation
from support.forks import held_by_another_thread, in_a_child
"""

POOL = """
from srpcore_transports.local import LocalUserPool
pool = LocalUserPool(region="eu-west-1")
of_user = {"UserPoolId": pool.user_pool_id, "Username": "alice"}
pool.call(Operation("AdminCreateUser", {**of_user, "MessageAction": "SUPPRESS"}))
pool.call(Operation("AdminSetUserPassword", {**of_user, "Password": "Correct-Horse-1", "Permanent": True}))
store = srpcore.MemoryStore(lock_timeout=5)
user = srpcore.Cognito(pool.user_pool_id, pool.client_id, username="alice", transport=pool, store=store)
user.authenticate("Correct-Horse-1")
"""

CASES = {
    "a free lock stays usable": """
        lock = ForkSafeLock()
        code = in_a_child(lambda: lock.lock.acquire(timeout=5) or sys.exit("not free"))
    """,
    "a reset that fails does not keep the others from being made": """
        class Thing: pass
        things, done, errors = [Thing() for _ in range(3)], [], []
        def reset(thing):
            done.append(things.index(thing))
            if thing is not things[2]:
                raise ValueError(done[-1])
        for thing in things:
            reset_in_child(thing, reset)
        sys.unraisablehook = lambda unraisable: errors.append(unraisable.exc_value.args)
        code = in_a_child(lambda: (done, errors) == ([0, 1, 2], [(0,)]) or sys.exit(f"{done} {errors}"))
        assert done == []
    """,
    "a lock that another thread holds": """
        lock = ForkSafeLock()
        with held_by_another_thread(lock.lock):
            code = in_a_child(lambda: lock.lock.acquire(timeout=5) or sys.exit("not free"))
            assert lock.lock.locked()
    """,
    "a lock that the forking thread holds": """
        lock = ForkSafeLock()
        with lock.lock:
            # The thread that forks goes on in the child, and leaves the block there too, by releasing the old lock.
            old = lock.lock
            code = in_a_child(old.release, lambda: lock.lock.acquire(timeout=5) or sys.exit("not free"))
            assert lock.lock is old
        assert not lock.lock.locked()
    """,
    "a refresh of the tokens": """
        # with a user
        with held_by_another_thread(user._refreshing.lock, store.lock(user._store_key())):
            code = in_a_child(user.renew_access_token)
    """,
    "the reading of certificate authorities": """
        from srpcore_transports import tls
        parents = tls.shared_tls(None)
        def new_in_the_child():
            if tls.shared_tls(None) is parents:
                sys.exit("the child uses the context of its parent")
        with held_by_another_thread(tls._contexts._lock.lock):
            code = in_a_child(new_in_the_child)
        assert tls.shared_tls(None) is parents
    """,
    "a refresh of AWS credentials": """
        from srpcore_transports.credentials import Credentials
        from srpcore_transports.credentials.refreshing import RefreshingCredentials, Temporary
        provider = RefreshingCredentials(lambda: Temporary(Credentials("AKID", "secret"), time.time() + 3600))
        with held_by_another_thread(provider._lock.lock):
            code = in_a_child(provider)
    """,
    "the search for AWS credentials": """
        import os
        os.environ.update(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull)
        os.environ.update(AWS_SHARED_CREDENTIALS_FILE=os.devnull)
        from srpcore_transports.credentials import DefaultCredentials
        provider = DefaultCredentials("eu-west-1")
        def refused():
            try:
                provider()
            except srpcore.ConfigurationError:
                return
            raise AssertionError("found credentials")
        with held_by_another_thread(provider._lock.lock):
            code = in_a_child(refused)
    """,
    "the choice of an engine": """
        from srpcore.crypto import modexp
        with held_by_another_thread(modexp._lock.lock):
            code = in_a_child(modexp.available)
    """,
}


def test_a_copy_has_its_own_lock() -> None:
    lock = ForkSafeLock()
    with lock.lock:
        for again in (copy.copy(lock), copy.deepcopy(lock), pickle.loads(pickle.dumps(lock))):
            assert not again.lock.locked()


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_a_forked_child_does_not_wait_for_a_thread_of_its_parent(case: str) -> None:
    path = [str(ROOT), str(ROOT / "transports"), str(ROOT / "tests")]
    program = (
        HEAD.format(path=path) + textwrap.dedent(CASES[case]).replace("# with a user\n", POOL) + "\nsys.exit(code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_lock_is_fork_safe_by_its_type() -> None:
    # The local pool's locks are left out: a server is not forked.
    found: list[str] = []
    for folder in (ROOT / "srpcore", ROOT / "transports" / "srpcore_transports"):
        for path in folder.rglob("*.py"):
            if path.name == "_fork.py" or "local" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                    if called in ("Lock", "RLock", "Condition"):
                        found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []
