"""A fork while keys are being fetched: the child does not wait for a thread that only the parent has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import forking


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("case", forking.CASES)
def test_a_forked_child_fetches_its_own_keys(case: str) -> None:
    paths = [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    result = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", "tokens.forking", case],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
