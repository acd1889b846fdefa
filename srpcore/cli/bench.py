"""``srpcore bench``: measure SRP on this computer, for each engine and group.

pyperf does the measuring. The program that it runs is :mod:`srpcore.cli.bench_worker`. pyperf starts one worker process
for each benchmark and repeats that; with more than 60 benchmarks this takes minutes, and most of the time is the start
of the processes. So this command starts the worker processes itself, with pyperf's options for a worker. Each of them
runs every benchmark once, and the results of all processes are merged::

    srpcore bench --+-- worker 1: all rows, one value each ---> pyperf's JSON --+
                    +-- worker 2: all rows, one value each ---> pyperf's JSON --+--> medians, table
                    +-- worker 3: all rows, one value each ---> pyperf's JSON --+

The workers run one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from ..crypto import modexp
from ..crypto.groups import RFC5054_GROUPS
from ..exceptions.base import ConfigurationError
from .bench_worker import THREADS

__all__ = ["bench"]

_MACHINE = ("cpu_model_name", "cpu_count", "python_implementation", "python_version", "perf_version")
_HEADS = ("engine", "group", "client, ms", "server, ms", *(f"logins/s, {n} thread{'s'[: n > 1]}" for n in THREADS))


class Row(NamedTuple):
    """The medians of one engine in one group."""

    engine: str
    bits: int
    client_ms: float
    server_ms: float
    logins_per_second: Mapping[int, float]
    """The logins per second, by the number of threads."""


class _Benchmark(Protocol):
    """The part of ``pyperf.Benchmark`` that is used here. pyperf has no type annotations."""

    def get_metadata(self) -> Mapping[str, object]: ...

    def median(self) -> float: ...

    def add_runs(self, benchmark: _Benchmark) -> None: ...


class _Suite(Protocol):
    """The part of ``pyperf.BenchmarkSuite`` that is used here."""

    def get_metadata(self) -> Mapping[str, object]: ...

    def get_benchmarks(self) -> Sequence[_Benchmark]: ...

    def dump(self, file: str, *, replace: bool) -> None: ...


def bench(arguments: argparse.Namespace) -> int:
    """Measure, and print the table or JSON.

    Raises:
        ConfigurationError: pyperf is not installed, or an engine is not available.
    """
    load = _suite_loader()
    engines = [engine for engine in modexp.available() if engine in (arguments.engine or modexp.ENGINES)]
    if missing := set(arguments.engine or ()) - {*engines}:
        raise ConfigurationError(f"engine {min(missing)!r} is not available here: use {', '.join(modexp.available())}")
    bits = sorted(set(arguments.bits or RFC5054_GROUPS))
    if arguments.output is not None:
        Path(arguments.output).open("ab").close()  # fails now, and not after the measurement
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.json" for number in range(arguments.rounds)]
        for number, file in enumerate(files, 1):
            print(f"measuring, round {number} of {len(files)} ...", file=sys.stderr)
            _run_worker(file, engines, bits)
        suite = _merged([load(str(file)) for file in files])
    if arguments.output is not None:
        suite.dump(arguments.output, replace=True)
    rows = list(_rows(suite.get_benchmarks()))
    machine = {name: value for name, value in suite.get_metadata().items() if name in _MACHINE}
    if arguments.json:
        print(json.dumps({"machine": machine, "rounds": len(files), "rows": [row._asdict() for row in rows]}, indent=2))
    else:
        print("\n".join([*_table(rows), "", _footer(machine)]))
    return 0


class _Load(Protocol):
    def __call__(self, file: str, /) -> _Suite: ...


def _suite_loader() -> _Load:
    try:
        pyperf = import_module("pyperf")
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error.name} is not installed: pip install 'srpcore[bench]'") from None
    return cast(_Load, pyperf.BenchmarkSuite.load)


def _run_worker(file: Path, engines: Iterable[str], bits: Iterable[int]) -> None:
    # -P: without it, a module in the current folder that has the name of an imported one would be run.
    command = [sys.executable, "-P", "-m", f"{__package__}.bench_worker"]
    # One loop and no warm-up: the worker repeats what is short, and has used each engine before it is timed.
    command += ["--worker", "--loops", "1", "--warmups", "0", "--values", "1", "--output", str(file)]
    command += [f"--engine={engine}" for engine in engines] + [f"--bits={number}" for number in bits]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(  # noqa: S603
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ConfigurationError(f"the process that measures has failed: {reason}")


def _merged(suites: Sequence[_Suite]) -> _Suite:
    """Return the first suite with the runs of all. They have the same benchmarks in the same order."""
    first, *others = suites
    for other in others:
        for benchmark, more in zip(first.get_benchmarks(), other.get_benchmarks(), strict=True):
            benchmark.add_runs(more)
    return first


def _rows(benchmarks: Iterable[_Benchmark]) -> Iterator[Row]:
    medians: dict[tuple[str, int], dict[str, float]] = {}
    for benchmark in benchmarks:
        facts = benchmark.get_metadata()
        row = (str(facts["engine"]), int(str(facts["bits"])))
        medians.setdefault(row, {})[str(facts["what"])] = benchmark.median()
    for (engine, bits), seconds in medians.items():
        rates = {threads: round(1 / seconds[f"threads {threads}"], 1) for threads in THREADS}
        yield Row(engine, bits, round(seconds["client"] * 1000, 3), round(seconds["server"] * 1000, 3), rates)


def _table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of the table. The name of an engine is on its first line only."""
    engine = ""
    widths = [max(8, len(head)) for head in _HEADS]
    yield _line(_HEADS, widths)
    for row in rows:
        if row.engine != engine and engine:
            yield ""
        cells = (f"{row.client_ms:.2f}", f"{row.server_ms:.2f}", *(f"{n:.0f}" for n in row.logins_per_second.values()))
        yield _line((row.engine if row.engine != engine else "", str(row.bits), *cells), widths)
        engine = row.engine


def _footer(machine: Mapping[str, object]) -> str:
    # pyperf leaves out what it cannot find, for example the model of the processor on macOS.
    parts = (
        ("", "cpu_model_name", ""),
        ("", "cpu_count", " CPUs"),
        ("Python ", "python_version", ""),
        ("pyperf ", "perf_version", ""),
    )
    return ", ".join(f"{before}{machine[name]}{after}" for before, name, after in parts if name in machine)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])
