"""The benchmarks run with little work. Their figures are not checked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
# What makes each as short as it can be, and names that must be among the results.
LITTLE: dict[str, tuple[list[str], set[str]]] = {
    "cold_log_in": (["--quick"], {"floor", "srpcore, to AWS", "srpcore, to another endpoint", "pycognito"}),
    "cold_start": (["--quick"], {"bare Python", "srpcore, keys from a file", "PyJWT, keys fetched"}),
    "growth": (["--quick", "--most", "100"], {"tokens, 100", "users, 10", "keys, 100", "tokens, PyJWT, 10"}),
    "lambda_functions": (
        ["--rounds", "1"],
        {
            "srpcore, authorizer",
            "Powertools and PyJWT, authorizer",
            "srpcore, login after prepare()",
            "pycognito, login",
        },
    ),
    "local_pool": (
        ["--quick"],
        {"floor of a server, SRP, in process", "srpcore, SRP, 8 clients", "moto, password, 1 client"},
    ),
    "log_ins_per_second": (["--quick"], {"login, 2 threads", "login, 32 tasks", "arithmetic, python, 1 thread"}),
    "sign_requests": (["--quick"], {"floor", "srpcore", "botocore", "awscrt"}),
    "srp_engines": (["--rounds", "1", "--bits", "1024"], {"openssl, 1024 bits", "python, 1024 bits"}),
    "srp_log_in": (["--quick"], {"floor", "srpcore, python", "pycognito", "srp, server", "srptools, client"}),
    "verify_tokens": (["--quick"], {"floor", "srpcore", "srpcore, cold", "PyJWT", "pycognito"}),
    "warm_log_in": (["--quick"], {"one transport", "a new transport each"}),
}


# A row of these has several figures, and each of them is a benchmark of pyperf.
SEVERAL_FIGURES = {"lambda_functions", "srp_engines"}


def run(name: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what the benchmark wrote for programs, once it is seen to have written and printed the same for people."""
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *arguments, "--results", str(folder)]
    done = subprocess.run(
        command, capture_output=True, timeout=500, check=False, env={**os.environ, "COGNITO_JWKS": ""}
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().strip() == (folder / f"{name}.md").read_text("utf-8").strip()
    document: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return document


def test_every_benchmark_is_in_this_test() -> None:
    assert {path.stem for path in BENCHMARKS.glob("[!_]*.py")} == {*LITTLE}


@pytest.mark.long
@pytest.mark.parametrize("name", LITTLE)
def test_a_benchmark_runs_and_writes_its_results(name: str, tmp_path: Path) -> None:
    arguments, expected = LITTLE[name]
    document = run(name, tmp_path, *arguments)
    rows = {row["name"]: row for row in document["results"]}
    assert expected <= {*rows}
    assert {"python", "srpcore"} <= {*document["versions"]}
    # One whose work was never done would show a time of nothing.
    assert all(row["median_us"] > 0 for row in rows.values() if "median_us" in row)
    # What pyperf measured can be read by pyperf, and does not name the machine or its folders.
    if (file := tmp_path / "pyperf" / f"{name}.json").exists():
        suite = import_module("pyperf").BenchmarkSuite.load(str(file))  # not installed for `make check`
        assert name in SEVERAL_FIGURES or expected <= {*suite.get_benchmark_names()}
        assert not {"hostname", "python_executable"} & {*re.findall(r'"(\w+)":', file.read_text("utf-8"))}
    assert all({"what", "measured", "met"} <= {*aim} for aim in document["aims"])


@pytest.mark.slow
def test_a_missing_peer_is_reported(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SRPCORE_NODE", str(tmp_path / "nowhere"))
        document = run("verify_tokens", tmp_path, "--quick")
    assert "aws-jwt-verify" in document["absent"]
    assert "- aws-jwt-verify: not installed here, left out." in (tmp_path / "verify_tokens.md").read_text("utf-8")


@pytest.fixture
def perf(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return import_module("_perf")


@pytest.mark.slow  # not because of its time: pyperf is not installed for `make check`
def test_a_ratio_is_taken_within_each_round(perf: Any) -> None:
    # The machine is three times as slow in the second half of the run.
    results = perf.from_values({"one": [2.0, 2.0, 6.0, 6.0], "other": [1.0, 1.0, 3.0, 3.0]})
    assert perf.ratio(results, "one", "other") == 2
    assert perf.fastest(results, "one") == 2
    results = perf.from_values({"one": [2.0, 4.0, 100.0], "other": [1.0, 1.0, 1.0]})
    assert perf.ratio(results, "one", "other") == 4


@pytest.mark.slow
def test_an_aim_is_missed_beyond_its_limit(perf: Any) -> None:
    assert [perf.Aim("", figure, at_most=1.5).met for figure in (1.4, 1.5, 1.501)] == [True, True, False]
    assert [perf.Aim("", figure, at_least=16).met for figure in (15.99, 16, 17)] == [False, True, True]
    assert str(perf.Aim("a ratio", 2.0, at_most=1.5)) == "- a ratio: 2.00 (at most 1.5, MISSED)"


@pytest.mark.slow
def test_saved_results_do_not_name_the_machine(perf: Any, tmp_path: Path) -> None:
    results = perf.from_values({"one": [1.0, 2.0]})
    assert "hostname" in results["one"].get_metadata()  # pyperf collects it
    perf.save(tmp_path, "example", results)
    text = (tmp_path / "pyperf" / "example.json").read_text("utf-8")
    assert "hostname" not in text
    assert sys.executable not in text
    suite = import_module("pyperf").BenchmarkSuite.load(str(tmp_path / "pyperf" / "example.json"))
    assert suite.get_benchmark("one").get_values() == (1.0, 2.0)
