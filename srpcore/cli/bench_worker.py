"""What ``srpcore bench`` times: a program that uses pyperf, ``python -m srpcore.cli.bench_worker``.

It has four benchmarks for each engine and group: the client's side of a login, the server's side, and the client's side
in one thread and in two. All of them run one after the other in one worker process of pyperf, so one process measures
every row of the table once, and what slows down the computer for some seconds slows down neighbouring rows alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from threading import Barrier, Thread
from typing import Protocol, TypeAlias

from ..crypto import modexp
from ..crypto.groups import RFC5054_GROUPS
from ..crypto.srp import Client, Parameters, Server, client_pair, server_pair

__all__ = ["THREADS", "main", "time_in_threads"]

THREADS = (1, 2)
IDENTITY, PASSWORD, SALT = "alice", "correct horse battery staple", bytes(range(16))

# About how many milliseconds a login takes in the group of 3072 bits. Only the number of repetitions depends on it.
_COST = {"openssl": 3.0, "gmpy2": 6.0, "python": 25.0}
_LEAST_MS = 8.0
# Longer, because the second core takes some milliseconds to run at its full speed.
_LEAST_MS_IN_THREADS = 80.0

TimeFunction: TypeAlias = Callable[[int], float]


class _Runner(Protocol):
    """The part of ``pyperf.Runner`` that is used here. pyperf has no type annotations."""

    argparser: argparse.ArgumentParser

    def parse_args(self) -> argparse.Namespace: ...

    def bench_time_func(
        self, name: str, time_func: TimeFunction, *, inner_loops: int, metadata: Mapping[str, object]
    ) -> object: ...


class _Exchange:
    """Both sides of an exchange in one group."""

    def __init__(self, bits: int) -> None:
        self._parameters = Parameters(RFC5054_GROUPS[bits])
        self._verifier = self._parameters.verifier(self._parameters.private_key(IDENTITY, PASSWORD, SALT))
        self._client_pair = client_pair(self._parameters.group)
        self._server_pair = server_pair(self._parameters.group, self._parameters.k, self._verifier)
        self._proof = self._client().prove(SALT, self._server_pair.public)
        self.server()

    def _client(self) -> Client:
        return Client(self._parameters, IDENTITY, PASSWORD, self._client_pair)

    def client(self) -> None:
        """Do all that a client computes: its pair, and the proof for the answer of the server."""
        Client(self._parameters, IDENTITY, PASSWORD).prove(SALT, self._server_pair.public)

    def server(self) -> None:
        """Do all that a server computes: its pair, and the check of the proof.

        The pair that is made is not the one of the proof, because a client would have to make a new proof for it.
        """
        server_pair(self._parameters.group, self._parameters.k, self._verifier)
        Server(self._parameters, IDENTITY, SALT, self._verifier, self._server_pair).verify(
            self._client_pair.public, self._proof
        )


def main() -> None:
    """Run the benchmarks that the arguments name, in addition to the arguments of ``pyperf.Runner``."""
    runner: _Runner = import_module("pyperf").Runner()
    runner.argparser.add_argument("--engine", action="append", required=True)
    runner.argparser.add_argument("--bits", action="append", type=int, required=True)
    arguments = runner.parse_args()
    for engine in arguments.engine:
        modexp.select(engine)
        for bits in arguments.bits:
            _run(runner, engine, bits)


def _run(runner: _Runner, engine: str, bits: int) -> None:
    exchange = _Exchange(bits)
    cost = _COST[engine] * (bits / 3072) ** 2
    repetitions, in_threads = (max(1, round(least / cost)) for least in (_LEAST_MS, _LEAST_MS_IN_THREADS))

    def run(name: str, time_function: TimeFunction, logins: int) -> None:
        metadata = {"engine": engine, "bits": bits, "what": name}
        runner.bench_time_func(f"{engine} {bits} {name}", time_function, inner_loops=logins, metadata=metadata)

    run("client", _processor_time(exchange.client, repetitions), repetitions)
    run("server", _processor_time(exchange.server, repetitions), repetitions)
    for threads in THREADS:
        run(f"threads {threads}", time_in_threads(exchange.client, threads, in_threads), threads * in_threads)


def _processor_time(work: Callable[[], None], repetitions: int) -> TimeFunction:
    """Return a function of *loops* that does *work* so often, and returns the processor time that this takes.

    Other programs on the computer disturb it less than the time by the clock.
    """

    def time_function(loops: int) -> float:
        start = time.process_time()
        for _ in range(loops * repetitions):
            work()
        return time.process_time() - start

    return time_function


def time_in_threads(work: Callable[[], None], threads: int, repetitions: int) -> TimeFunction:
    """Return a function of *loops* that does *work* so often in each thread, and returns the seconds from start to end.

    The threads are started before the time is taken, and wait for each other.
    """

    def time_function(loops: int) -> float:
        ready = Barrier(threads)
        times: list[float] = []

        def repeat() -> None:
            ready.wait()
            start = time.perf_counter()
            for _ in range(loops * repetitions):
                work()
            times.extend((start, time.perf_counter()))

        started = [Thread(target=repeat) for _ in range(threads)]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        return max(times) - min(times)

    return time_function


if __name__ == "__main__":
    main()
