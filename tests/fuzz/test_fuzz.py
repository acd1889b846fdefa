"""The fuzzer for a short time with a fixed seed, in its own process, and its corpus."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from srpcore import tokens

from .targets import CHOICES, KEYS, OPTIONS, TARGETS, seeds

HAS_ATHERIS = sys.platform == "linux" and sys.implementation.name == "cpython" and sys.version_info < (3, 14)
RUNS = 4000


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_of_each_target_are_distinct_and_run(target: str) -> None:
    found = list(seeds(target))
    assert len({*found}) == len(found) >= 2
    for seed in found:
        TARGETS[target](seed)


def test_the_seeds_are_accepted() -> None:
    assert [tokens.verify(seed.decode(), KEYS, **OPTIONS, **CHOICES[0]) for seed in seeds("verify")]
    assert tokens.parse_key_set(next(seeds("parse_key_set"))).keys


@pytest.mark.skipif(not HAS_ATHERIS, reason="atheris is for Linux and CPython up to 3.13")
@pytest.mark.counterpart
def test_the_fuzzer_finds_nothing_in_a_short_run(tmp_path: Path) -> None:
    options = [f"-runs={RUNS}", "-seed=1", "-max_len=2048", f"-artifact_prefix={tmp_path}/"]
    command = [sys.executable, str(Path(__file__).with_name("fuzz_tokens.py")), *options]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=500, check=False)
    assert result.returncode == 0, result.stderr[-4000:]
    assert re.findall(r"^== (\w+)$", result.stderr, re.MULTILINE) == [*TARGETS]
    # At least so many: with an equality, this failed once on a busy machine.
    done = [int(runs) for runs in re.findall(r"Done (\d+) runs", result.stderr)]
    assert len(done) == len(TARGETS), done
    assert min(done) >= RUNS
    # It was guided: the code under test is instrumented.
    assert len(re.findall(r"INITED cov: [1-9]", result.stderr)) == len(TARGETS)
