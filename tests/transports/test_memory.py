"""A process that logs in over and over does not grow: its resident memory is measured from outside of Python.

A leak of OpenSSL's or of CPython's own objects does not show in what the garbage collector counts. Each case is a
process of its own, because the tests' process has threads and a server that grow too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.tls_pool import tls_pool
from support.users import PASSWORD

# Each defines log_in(), which makes its own client, as a function in AWS Lambda does for each event.
CASES = {
    "https": """
        transport = HttpsTransport("eu-west-1", url)
        def log_in():
            srpcore.Cognito(pool, client, username="alice", transport=transport).authenticate(password)
    """,
    "https, a new transport each time": """
        def log_in():
            with HttpsTransport("eu-west-1", url) as transport:
                srpcore.Cognito(pool, client, username="alice", transport=transport).authenticate(password)
    """,
    "https, a new connection each time": """
        transport = HttpsTransport("eu-west-1", url, max_idle_connections=0)
        def log_in():
            srpcore.Cognito(pool, client, username="alice", transport=transport).authenticate(password)
    """,
    "https in threads": """
        transport = HttpsTransport("eu-west-1", url)
        runner = asyncio.Runner()
        def log_in():
            user = srpcore.AsyncCognito(pool, client, username="alice", transport=transport)
            runner.run(user.authenticate(password))
    """,
    "httpx": """
        transport = HttpxTransport("eu-west-1", url)
        def log_in():
            srpcore.Cognito(pool, client, username="alice", transport=transport).authenticate(password)
    """,
    "httpx on a loop": """
        transport = AsyncHttpxTransport("eu-west-1", url)
        runner = asyncio.Runner()
        def log_in():
            user = srpcore.AsyncCognito(pool, client, username="alice", transport=transport)
            runner.run(user.authenticate(password))
    """,
    "botocore": """
        from srpcore_transports.botocore import BotocoreTransport
        import boto3
        transport = BotocoreTransport(boto3.client("cognito-idp", "eu-west-1", endpoint_url=url))
        def log_in():
            srpcore.Cognito(pool, client, username="alice", transport=transport).authenticate(password)
    """,
}

HEAD = """
import asyncio, gc, sys, textwrap
import srpcore
from srpcore_transports.https import HttpsTransport
from srpcore_transports.httpx import AsyncHttpxTransport, HttpxTransport

source, url, pool, client, password = sys.argv[1:]

def resident():
    gc.collect()
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Rss:"))

exec(textwrap.dedent(source))
"""

# The heap grows by steps: at first by much, until freed blocks of every size are used again. So the growth is measured
# over several stretches, and the least of them is what a leak adds at least.
MEASURE = """
sizes = []
for _ in range({stretches} + 1):
    for _ in range({log_ins}):
        log_in()
    sizes.append(resident())
print(min(after - before for before, after in zip(sizes, sizes[1:])), sizes)
"""
LOG_INS, STRETCHES = 40, 3


def growth(case: str) -> tuple[float, str]:
    """Return by how many KiB the memory of a process grows for each login, and what the process printed."""
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), *sys.path]))
    environment = {**os.environ, "PYTHONPATH": path, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    program = HEAD + MEASURE.format(log_ins=LOG_INS, stretches=STRETCHES)
    with tls_pool() as pool:
        done = subprocess.run(
            [sys.executable, "-c", program, CASES[case], *pool, PASSWORD],
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[0]) / LOG_INS, done.stdout


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="this system does not show resident memory")
@pytest.mark.parametrize("case", CASES)
def test_a_login_over_tls_keeps_less_than_a_kibibyte_of_memory(case: str) -> None:
    kept, printed = growth(case)
    assert kept < 1, printed
