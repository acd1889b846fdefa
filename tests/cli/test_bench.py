"""`srpcore bench`: the table, the JSON, and the error if pyperf is missing. The figures are not checked."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

import pytest

from srpcore.cli import bench_worker, main
from srpcore.crypto import modexp, srp
from support.cli_processes import SRPCORE, Result, environment, run

LITTLE = ("bench", "--rounds", "1", "--bits", "1024")


@pytest.mark.slow
def test_the_table_has_a_row_for_each_engine_and_group() -> None:
    result = run(*LITTLE, "--bits", "1536", "--engine", "python", "--engine", "openssl")
    assert result.status == 0, result.stderr
    assert result.stderr == "measuring, round 1 of 1 ...\n"
    lines = result.stdout.splitlines()
    heads = ["engine", "group", "client, ms", "server, ms", "logins/s, 1 thread", "logins/s, 2 threads"]
    assert [head.strip() for head in lines[0].split("  ") if head.strip()] == heads
    rows = [line.split() for line in lines[1:-2] if line]
    assert [row[:-4] for row in rows] == [["openssl", "1024"], ["1536"], ["python", "1024"], ["1536"]]
    assert all(float(figure) > 0 for row in rows for figure in row[-4:])
    assert " CPUs, Python " in lines[-1]


@pytest.mark.slow
def test_json_has_the_rows_and_the_computer_and_pyperf_can_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "timings.json"
    result = run("bench", "--rounds", "2", "--bits", "1024", "--engine", "openssl", "--json", "--output", str(file))
    assert result.status == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["rounds"] == 2
    assert {"python_version", "cpu_count", "perf_version"} <= {*document["machine"]}
    (row,) = document["rows"]
    assert (row["engine"], row["bits"]) == ("openssl", 1024)
    assert {*row["logins_per_second"]} == {"1", "2"}
    shown = subprocess.run(
        [sys.executable, "-m", "pyperf", "show", str(file)], capture_output=True, text=True, check=True
    )
    # Two rounds are two runs of each benchmark, merged.
    assert shown.stdout.count("openssl 1024 ") == 4
    assert [len(benchmark["runs"]) for benchmark in json.loads(file.read_text("utf-8"))["benchmarks"]] == [2] * 4


def test_a_missing_pyperf_is_one_line_that_names_it() -> None:
    program = "import sys; sys.modules['pyperf'] = None; from srpcore.cli import main; sys.exit(main(['bench']))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), timeout=30, check=False
    )
    error = Result(done.returncode, done.stdout, done.stderr).refused()
    assert error == "srpcore: pyperf is not installed: pip install 'srpcore[bench]'\n"


@pytest.mark.slow  # not because of its time: pyperf is not installed for `make check`
def test_a_file_that_cannot_be_written_is_an_error_before_anything_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "timings.json"
    error = run(*LITTLE, "--output", str(file)).refused()
    assert error == f"srpcore: could not write the result to {file}: No such file or directory\n"


@pytest.mark.parametrize(
    "arguments", [["--rounds", "0"], ["--rounds", "1001"], ["--rounds", "²"], ["--bits", "1000"], ["--engine", "x"]]
)
def test_invalid_options_are_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *arguments])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: srpcore bench")


@pytest.mark.parametrize("threads", [1, 2])
def test_each_thread_does_all_repetitions(threads: int) -> None:
    lock, done = Lock(), 0

    def work() -> None:
        nonlocal done
        with lock:
            done += 1

    assert bench_worker.time_in_threads(work, threads, repetitions=3)(5) > 0
    assert done == threads * 3 * 5


class Runner:
    """Takes the place of pyperf.Runner: runs two loops of each benchmark, and notes what they did."""

    def __init__(self) -> None:
        self.argparser = argparse.ArgumentParser()
        self.done: dict[tuple[Any, ...], tuple[float, float]] = {}
        self.counts = Counter[str]()

    def parse_args(self) -> argparse.Namespace:
        return self.argparser.parse_args(["--engine=python", "--engine=openssl", "--bits=1024"])

    def bench_time_func(
        self, name: str, time_func: Callable[[int], float], *, inner_loops: int, metadata: dict[str, Any]
    ) -> None:
        assert modexp.engine() == metadata["engine"]
        self.counts.clear()
        assert time_func(2) > 0
        logins = (self.counts["prove"] / (2 * inner_loops), self.counts["verify"] / (2 * inner_loops))
        self.done[metadata["engine"], metadata["bits"], metadata["what"]] = logins
        assert name == " ".join(map(str, metadata.values()))


def test_every_benchmark_does_its_side_of_so_many_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner()
    monkeypatch.setattr(bench_worker, "import_module", lambda _: SimpleNamespace(Runner=lambda: runner))
    prove, verify = srp.Client.prove, srp.Server.verify

    def counted_prove(*arguments: Any) -> bytes:
        runner.counts["prove"] += 1
        return prove(*arguments)

    def counted_verify(*arguments: Any) -> tuple[bytes, bytes]:
        runner.counts["verify"] += 1
        return verify(*arguments)

    monkeypatch.setattr(srp.Client, "prove", counted_prove)
    monkeypatch.setattr(srp.Server, "verify", counted_verify)
    try:
        bench_worker.main()
    finally:
        modexp.select(None)
    sides = {"client": (1, 0), "server": (0, 1), "threads 1": (1, 0), "threads 2": (1, 0)}
    expected = {(engine, 1024, what): done for engine in ("python", "openssl") for what, done in sides.items()}
    assert runner.done == expected


@pytest.mark.slow
def test_modules_of_the_current_folder_are_not_run(tmp_path: Path) -> None:
    (tmp_path / "statistics.py").write_text("raise SystemExit('run')")
    command = [*SRPCORE, "bench", "--bits", "1024", "--engine", "python", "--rounds", "1"]
    # -P: the command srpcore does not look into the current folder either.
    done = subprocess.run(
        [command[0], "-P", *command[1:]], cwd=tmp_path, env=environment(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
