"""The fuzzer for a while, with a fixed seed, in a process of its own; and that what it starts from is good."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from srpcore import tokens

from .targets import CHOICES, KEYS, OPTIONS, TARGETS, seeds

HAS_ATHERIS = sys.platform == "linux" and sys.implementation.name == "cpython" and sys.version_info < (3, 14)
needs_atheris = pytest.mark.skipif(not HAS_ATHERIS, reason="atheris is for Linux and CPython up to 3.13")


def fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(Path(__file__).with_name("fuzz_tokens.py")), *arguments]
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=100, check=False)


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds(target: str) -> None:
    found = list(seeds(target))
    assert len({*found}) == len(found) >= 2
    for seed in found:
        TARGETS[target](seed)


def test_the_seeds_are_accepted() -> None:
    assert [tokens.verify(seed.decode(), KEYS, **OPTIONS, **CHOICES[0]) for seed in seeds("verify")]
    assert [tokens.parse_key_set(seed).keys for seed in seeds("parse_key_set")]


@needs_atheris
@pytest.mark.counterpart
# Each run of one signs a token.
@pytest.mark.parametrize(("runs", "targets"), [(2000, ["signed"]), (6000, sorted(TARGETS.keys() - {"signed"}))])
def test_fuzz(runs: int, targets: list[str], tmp_path: Path) -> None:
    result = fuzz(f"-runs={runs}", "-seed=1", "-max_len=2048", f"-artifact_prefix={tmp_path}/", *targets)
    assert result.returncode == 0, result.stderr[-4000:]
    assert re.findall(r"^== (\w+)$", result.stderr, re.MULTILINE) == targets
    assert result.stderr.count(f"Done {runs} runs") == len(targets)
    # It was guided: the code under test is instrumented.
    assert len(re.findall(r"INITED cov: [1-9]", result.stderr)) == len(targets)


@needs_atheris
@pytest.mark.counterpart
def test_an_unknown_target_is_refused() -> None:
    result = fuzz("-runs=1", "nonsense")
    assert (result.returncode, "json_object" in result.stderr) == (2, True)
