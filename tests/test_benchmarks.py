"""The benchmarks run with little work. Their figures are not checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
# What makes each as short as it can be, and names that must be among the results.
LITTLE: dict[str, tuple[list[str], set[str]]] = {
    "cold_start": (["--rounds", "1"], {"bare Python", "srpcore, keys from a file", "PyJWT, keys fetched"}),
    "lambda_functions": (
        ["--rounds", "1"],
        {"srpcore, authorizer", "PyJWT, authorizer", "srpcore, login after prepare()", "pycognito, login"},
    ),
    "srp_log_in": (["--rounds", "1"], {"srpcore, python", "pycognito"}),
    "verify_many_tokens": (["--tokens", "20"], {"srpcore", "PyJWT"}),
    "verify_tokens": (["--rounds", "1", "--calls", "2"], {"floor", "srpcore", "PyJWT", "pycognito"}),
    "warm_log_in": (["--rounds", "1"], {"one transport", "a new transport each"}),
}


def run(name: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what the benchmark wrote for programs, once it is seen to have written and printed the same for people."""
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *arguments, "--results", str(folder)]
    done = subprocess.run(
        command, capture_output=True, timeout=100, check=False, env={**os.environ, "COGNITO_JWKS": ""}
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().strip() == (folder / f"{name}.md").read_text("utf-8").strip()
    document: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return document


def test_every_benchmark_is_in_this_test() -> None:
    assert {path.stem for path in BENCHMARKS.glob("[!_]*.py")} == {*LITTLE}


@pytest.mark.slow
@pytest.mark.parametrize("name", LITTLE)
def test_a_benchmark_runs_and_writes_its_results(name: str, tmp_path: Path) -> None:
    arguments, expected = LITTLE[name]
    document = run(name, tmp_path, *arguments)
    rows = {row["name"]: row for row in document["results"]}
    assert expected <= {*rows}
    assert {"python", "srpcore"} <= {*document["versions"]}
    # One whose work was never done would show a time of nothing.
    assert all(row["median_us"] > 0 for row in rows.values() if "median_us" in row)


@pytest.mark.slow
def test_a_missing_peer_is_reported(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SRPCORE_NODE", str(tmp_path / "nowhere"))
        document = run("verify_tokens", tmp_path, "--rounds", "1", "--calls", "1")
    assert "aws-jwt-verify" in document["absent"]
    assert "- aws-jwt-verify: not installed here, left out." in (tmp_path / "verify_tokens.md").read_text("utf-8")
