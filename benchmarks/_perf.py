"""Measure the contestants of a benchmark with pyperf, so that their ratios mean something.

``pyperf.Runner`` measures one benchmark after the other: it starts all worker processes of the first, then all of the
second. The speed of a machine drifts within minutes, so a ratio of the two would compare two moments as well. Here the
contestants take turns. In each round, each has one worker process, which runs pyperf's Runner with its options for a
worker, and ``pyperf.Benchmark.add_runs`` merges the rounds::

    calibration     worker A            worker B            worker C            pyperf chooses the number of loops
    round 1         worker A            worker B            worker C
    round 2         worker C            worker B            worker A
    ...
                       |                   |                   |
                 Benchmark A         Benchmark B         Benchmark C            one pyperf.Run for each round

    ratio of A to B = median over the rounds of (median of A in the round / median of B in the round)

So pyperf does the calibration, the warm-up, the repetitions and the metadata, and each round has new processes (with
other hash seeds and addresses). A benchmark is a program that calls :func:`work` if it was started as a worker, and
:func:`measure` otherwise. A contestant is a function that prepares it in its worker, and returns pyperf's time
function: the seconds that a number of loops take. Time functions read the processor time of the process
(:func:`processor_time`) unless several threads or processes take part.

With ``--quick``, one worker does the work of every contestant once. That is for the test that a benchmark runs: the
figures mean nothing.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, TypeAlias

import pyperf

from _rounds import parser_of

TimeFunction: TypeAlias = Callable[[int], float]
Prepare: TypeAlias = Callable[[], TimeFunction]
Results: TypeAlias = dict[str, Any]  # by contestant: a pyperf.Benchmark, with one run for each round
Run: TypeAlias = Callable[[Iterable[str], Iterable[str]], list[Any]]  # runs one worker: the names, and pyperf's options

# What may leave the machine: no host names, no paths.
_KEPT = {
    *("name", "unit", "loops", "inner_loops", "calibrate_loops", "date", "duration", "mem_max_rss", "timer"),
    *("cpu_model_name", "cpu_count", "aslr", "perf_version", "python_implementation", "python_version"),
    "python_hash_seed",
}


def is_worker() -> bool:
    """Return whether pyperf is to measure one contestant in this process."""
    return "--worker" in sys.argv


def work(contestants: Callable[[Any], Mapping[str, Prepare]], *, inner_loops: int = 1) -> None:
    """Measure the contestant that the command line names, one of ``contestants(data)``. *data* is that of measure().

    A loop does *inner_loops* of what is measured.
    """
    runner = pyperf.Runner()
    runner.argparser.add_argument("--contestant", action="append", required=True)
    runner.argparser.add_argument("--data", type=Path, required=True)
    arguments = runner.parse_args()
    prepared = contestants(json.loads(arguments.data.read_text("utf-8")))
    for name in arguments.contestant:
        runner.bench_time_func(name, prepared[name](), inner_loops=inner_loops)


def options(description: str, **numbers: int) -> argparse.Namespace:
    """Return the command line's options: those of the other benchmarks, and ``--quick``."""
    parser = parser_of(description, **numbers)
    parser.add_argument("--quick", action="store_true", help="do everything once: the figures mean nothing then")
    return parser.parse_args()


def processor_time(call: Callable[[], object]) -> TimeFunction:
    """Return a function of *loops* that calls *call* so often, and returns the processor time that this takes."""

    def seconds(loops: int) -> float:
        repeat = range(loops)
        start = process_time()
        for _ in repeat:
            call()
        return process_time() - start

    return seconds


def measure(
    program: str,
    contestants: Iterable[str],
    chosen: argparse.Namespace,
    *,
    data: object = None,
    min_time: float = 0.05,
    values: int = 3,
    loops: int | None = None,
    warmups: int = 1,
) -> Results:
    """Return a ``pyperf.Benchmark`` for each contestant.

    Args:
        program: the file of the benchmark.
        contestants: their names.
        chosen: the options: *rounds*, the number of worker processes for each contestant, and *quick*.
        data: what every worker gets; it must be possible to write it as JSON.
        min_time: the seconds that a value takes at least. A value is the mean of its loops.
        values: the number of values in each round.
        loops: the number of loops; None means that pyperf calibrates it.
        warmups: the number of values before those that count.
    """
    names = [*contestants]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data.json").write_text(json.dumps(data), "utf-8")
        run = partial(_run_worker, program, Path(folder))
        if chosen.quick:
            return {each.get_name(): each for each in run(names, ("--loops=1", "--warmups=0", "--values=1"))}
        counts = {name: loops or _calibrate(run, name, min_time) for name in names}
        settings = {name: (f"--loops={counts[name]}", f"--warmups={warmups}", f"--values={values}") for name in names}
        return _take_turns(run, settings, chosen.rounds)


def _calibrate(run: Run, name: str, min_time: float) -> int:
    """Return the number of loops that a value of the contestant *name* needs."""
    (found,) = run([name], ("--calibrate-loops", f"--min-time={min_time}", "--warmups=0", "--values=1"))
    return int(found.get_metadata()["calibrate_loops"])


def _take_turns(run: Run, settings: Mapping[str, Iterable[str]], rounds: int) -> Results:
    """Measure each contestant once in every round, with its *settings*. Every second round is in the reverse order."""
    results: Results = {}
    for number in range(rounds):
        for name in settings if number % 2 == 0 else reversed([*settings]):
            (measured,) = run([name], settings[name])
            if name in results:
                results[name].add_runs(measured)
            else:
                results[name] = measured
    return results


def _run_worker(program: str, folder: Path, names: Iterable[str], settings: Iterable[str]) -> list[Any]:
    """Return the benchmarks of one worker, with one run each."""
    output = folder / "output.json"
    command = [sys.executable, program, "--worker", f"--data={folder / 'data.json'}", f"--output={output}", *settings]
    command += [f"--contestant={name}" for name in names]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"{', '.join(names)} could not be measured:\n{done.stderr.decode(errors='replace')}")
    benchmarks: list[Any] = pyperf.BenchmarkSuite.load(str(output)).get_benchmarks()
    output.unlink()
    return benchmarks


def from_values(values: Mapping[str, Iterable[float]]) -> Results:
    """Return a ``pyperf.Benchmark`` for each name, with a run for each of its values, in seconds.

    For a benchmark that pyperf cannot run, because one process of a contestant gives several figures.
    """

    def run(name: str, seconds: float) -> Any:
        return pyperf.Run([seconds], metadata={"name": name, "unit": "second", "loops": 1})

    return {name: pyperf.Benchmark([run(name, each) for each in seconds]) for name, seconds in values.items()}


def median(results: Results, name: str) -> float:
    value: float = results[name].median()
    return value


def fastest(results: Results, name: str) -> float:
    value: float = min(results[name].get_values())
    return value


def ratio(results: Results, name: str, to: str) -> float:
    """Return the median over the rounds of the ratio of two contestants."""
    one, other = ([statistics.median(run.values) for run in results[each].get_runs()] for each in (name, to))
    ratios: list[float] = [a / b for a, b in zip(one, other, strict=True)]
    return statistics.median(ratios)


@dataclass(frozen=True)
class Aim:
    """A figure that must not be lost. One of the limits is None."""

    what: str
    measured: float
    at_most: float | None = None
    at_least: float | None = None

    @property
    def met(self) -> bool:
        return (self.at_most is None or self.measured <= self.at_most) and (
            self.at_least is None or self.measured >= self.at_least
        )

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "measured": round(self.measured, 3), "met": self.met}

    def __str__(self) -> str:
        limit = f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"
        return f"- {self.what}: {self.measured:.2f} ({limit}{'' if self.met else ', MISSED'})"


def aims_as_markdown(aims: Iterable[Aim]) -> list[str]:
    return ["Aimed at:", "", *map(str, aims), ""]


def machine(results: Results) -> dict[str, object]:
    """Return what pyperf found out about the machine."""
    facts: dict[str, object] = next(iter(results.values())).get_metadata()
    names = ("cpu_model_name", "cpu_count", "python_implementation", "python_version", "perf_version")
    return {name: facts[name] for name in names if name in facts} | {"system": platform.system()}


def save(folder: Path, name: str, results: Results) -> None:
    """Write pyperf's own file, for ``python -m pyperf``, without the names of the machine and its folders."""
    path = folder / "pyperf" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    pyperf.BenchmarkSuite([*results.values()]).dump(str(path), replace=True)
    scrub(path)


def scrub(path: Path) -> None:
    """Remove the names of the machine and its folders from a file of pyperf."""
    path.write_text(json.dumps(_scrubbed(json.loads(path.read_text("utf-8"))), separators=(",", ":")) + "\n", "utf-8")


def _scrubbed(value: Any, *, metadata: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: _scrubbed(member, metadata=key == "metadata")
            for key, member in value.items()
            if not metadata or key in _KEPT
        }
    return [_scrubbed(member) for member in value] if isinstance(value, list) else value
