"""How many logins can one process do in a second, with threads and with the tasks of an event loop?

    python benchmarks/log_ins_per_second.py [--rounds 6]

A login is that of ``Cognito.authenticate()`` or ``AsyncCognito.authenticate()``: the arithmetic, the protocol, and the
verification of both tokens. The transport answers at once from memory, so no network and no server are measured.
OpenSSL releases the GIL while it computes, and ``AsyncCognito`` computes in threads, so two cores are used. The
arithmetic alone is measured too, and with ``pow``, which keeps the GIL.

Measured by the clock, because several cores take part: run it on a quiet machine. Results go to the screen, to
``benchmarks/results/log_ins_per_second.json`` and ``.md``, and for pyperf to ``pyperf/``.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter
from typing import Any

import _perf
from _perf import Aim, Prepare, Results
from _rounds import chart, publish, table, versions
from _tokens import CLIENT, POOL, Minter
from srpcore import AsyncCognito, Cognito
from srpcore.cli.bench_worker import time_in_threads
from srpcore.crypto import cognito, modexp
from srpcore.protocol import Operation, Reply

PASSWORD, SALT = "Correct-Horse-1", 0x7A32E3484BBF07C504D1
THREADS, TASKS = (1, 2, 4), (1, 2, 8, 32)
REPEATED = 4  # logins of each thread or task in a loop


class Canned:
    """A transport that answers a login by SRP from memory."""

    def __init__(self, jwks: Mapping[str, Any], tokens: Mapping[str, str]) -> None:
        self._jwks = json.dumps(jwks).encode()
        verifier = cognito.verifier(cognito.private_key("AbCd1234alice", PASSWORD, SALT))
        challenge = {
            "SRP_B": f"{cognito.server_pair(verifier).public:x}",
            "SALT": f"{SALT:x}",
            "SECRET_BLOCK": base64.b64encode(bytes(1000)).decode(),
            "USER_ID_FOR_SRP": "alice",
            "USERNAME": "alice",
        }
        result = {**tokens, "ExpiresIn": 3600, "TokenType": "Bearer"}
        self._answers: dict[str, dict[str, Any]] = {
            "InitiateAuth": {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeParameters": challenge},
            "RespondToAuthChallenge": {"ChallengeParameters": {}, "AuthenticationResult": result},
        }

    def call(self, operation: Operation) -> Reply:
        return Reply({**self._answers[operation.name], "ResponseMetadata": {"HTTPStatusCode": 200}})

    def fetch(self, _url: str) -> bytes:
        return self._jwks

    def close(self) -> None:
        pass


class AsyncCanned:
    """The same for an event loop."""

    def __init__(self, inner: Canned) -> None:
        self._inner = inner

    async def call(self, operation: Operation) -> Reply:
        return self._inner.call(operation)

    async def fetch(self, url: str) -> bytes:
        return self._inner.fetch(url)

    async def close(self) -> None:
        pass


def minted() -> list[Any]:
    """Return a key set, and the tokens of a login."""
    minter = Minter()
    username = {"username": "alice", "cognito:username": "alice", "sub": "alice"}
    tokens = {
        "AccessToken": minter.token(**username),
        "IdToken": minter.token(**username, token_use="id", aud=CLIENT, client_id=None),
        "RefreshToken": "refresh",
    }
    return [minter.jwks, tokens]


def log_in(transport: Canned) -> None:
    Cognito(POOL, CLIENT, username="alice", transport=transport).authenticate(PASSWORD)


def arithmetic() -> Callable[[], None]:
    B = cognito.server_pair(cognito.verifier(cognito.private_key("AbCd1234alice", PASSWORD, SALT))).public

    def compute() -> None:
        cognito.client_key(cognito.client_pair(), B, cognito.private_key("AbCd1234alice", PASSWORD, SALT))

    return compute


def in_threads(make: Callable[[], Callable[[], None]], threads: int, engine: str | None = None) -> _perf.TimeFunction:
    """Return a time function of one login, if so many *threads* do REPEATED of them in a loop."""
    modexp.select(engine)
    seconds = time_in_threads(make(), threads, REPEATED)
    return lambda loops: seconds(loops) / threads


def in_tasks(transport: AsyncCanned, tasks: int) -> _perf.TimeFunction:
    async def log_in_often(count: int) -> None:
        for _ in range(count):
            async with AsyncCognito(POOL, CLIENT, username="alice", transport=transport) as user:
                await user.authenticate(PASSWORD)

    async def all_tasks(count: int) -> float:
        start = perf_counter()
        await asyncio.gather(*(log_in_often(count) for _ in range(tasks)))
        return perf_counter() - start

    return lambda loops: asyncio.run(all_tasks(loops * REPEATED)) / tasks


def contestants(data: list[Any]) -> Mapping[str, Prepare]:
    os.environ.pop("COGNITO_JWKS", None)
    transport = Canned(*data)
    found: dict[str, Prepare] = {}
    for threads in THREADS:
        found[named("login", threads, "thread")] = partial(in_threads, lambda: partial(log_in, transport), threads)
    for tasks in TASKS:
        found[named("login", tasks, "task")] = partial(in_tasks, AsyncCanned(transport), tasks)
    for engine in ("openssl", "python"):
        if engine in modexp.available():
            for threads in (1, 2):
                name = named(f"arithmetic, {engine}", threads, "thread")
                found[name] = partial(in_threads, arithmetic, threads, engine)
    return found


def named(what: str, count: int, of: str) -> str:
    return f"{what}, {count} {of}{'s'[: count > 1]}"


def as_rows(results: Results) -> list[dict[str, Any]]:
    return [{"name": name, "per_second": round(1 / _perf.median(results, name), 1)} for name in results]


def aims(results: Results) -> list[Aim]:
    def gain(what: str, of: str = "thread") -> float:
        return _perf.ratio(results, named(what, 1, of), named(what, 2, of))

    found = [Aim("logins per second, two threads / one", gain("login"), at_least=1.6)]
    if named("arithmetic, openssl", 1, "thread") in results:
        found.append(Aim("arithmetic, two threads / one", gain("arithmetic, openssl"), at_least=1.6))
    return found


def main() -> int:
    if _perf.is_worker():
        _perf.work(contestants, inner_loops=REPEATED)
        return 0
    chosen = _perf.options("Measure logins per second.", rounds=6)
    data = minted()
    results = _perf.measure(__file__, contestants(data), chosen, data=data, min_time=0.2)
    rows, found = as_rows(results), aims(results)
    lines = [
        "# Logins per second of one process",
        "",
        f"Medians of {chosen.rounds} rounds in one run, taken in turn, by the clock, on {os.cpu_count()} cores.",
        "The transport answers from memory. Made by `python benchmarks/log_ins_per_second.py`.",
        "",
        *table(("", "per second"), (row.values() for row in rows)),
        *chart({row["name"]: row["per_second"] for row in rows}, "per second"),
        *_perf.aims_as_markdown(found),
    ]
    _perf.save(chosen.results, "log_ins_per_second", results)
    facts = {"rounds": chosen.rounds, "machine": _perf.machine(results), "results": rows}
    publish(chosen.results, "log_ins_per_second", lines, versions(), **facts, aims=[aim.as_dict() for aim in found])
    return 0


if __name__ == "__main__":
    sys.exit(main())
