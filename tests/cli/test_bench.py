"""`srpcore bench`: the table, the JSON, and the error if pyperf is missing. The figures are not checked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from threading import Lock

import pytest

from srpcore.cli import bench_worker, main
from support.cli_processes import Result, environment, run

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
    assert error == "srpcore: pyperf is not installed: pip install pyperf\n"


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
