"""``--no-skips`` fails a run in which anything was skipped, in one process and in several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.fixture(params=["0", "2"], ids=["one process", "two workers"])
def workers(request: pytest.FixtureRequest) -> str:
    number: str = request.param
    return number


def run(folder: Path, module: str, *options: str) -> tuple[int, str]:
    """Run *module* with the plugin, and return the exit status and the output."""
    (folder / "test_it.py").write_text(f"import pytest\n\n{module}\n\ndef test_that_passes():\n    pass\n", "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "support.no_skips", "-p", "no:cacheprovider", "-rA", *options]
    # Other plugins that happen to be installed are not part of the test, and take long to load.
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, "-p", "xdist"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


SKIPS = {
    "a marked test": '@pytest.mark.skip(reason="too cold")\ndef test_that_skips():\n    pass',
    "a test that decides": 'def test_that_skips():\n    pytest.skip("too cold")',
    "a fixture": '@pytest.fixture(autouse=True)\ndef weather():\n    pytest.skip("too cold")',
    "a module": 'pytest.skip("too cold", allow_module_level=True)',
    "a missing import": 'pytest.importorskip("a_package_that_is_not_here", reason="too cold")',
}


@pytest.mark.long
@pytest.mark.parametrize("module", SKIPS.values(), ids=SKIPS)
def test_a_skip_is_a_failure_and_its_reason_is_shown(workers: str, module: str, tmp_path: Path) -> None:
    status, output = run(tmp_path, module, "--no-skips", "-n", workers)
    assert status != 0
    assert "too cold" in output
    assert "--no-skips allows no skipped test" in output


@pytest.mark.slow
def test_without_the_option_a_skip_is_allowed(workers: str, tmp_path: Path) -> None:
    status, output = run(tmp_path, SKIPS["a marked test"], "-n", workers)
    assert status == 0, output
    assert "1 passed, 1 skipped" in output


@pytest.mark.slow
def test_an_expected_failure_is_not_a_skip(workers: str, tmp_path: Path) -> None:
    module = "@pytest.mark.xfail(strict=True)\ndef test_that_fails():\n    raise ValueError"
    status, output = run(tmp_path, module, "--no-skips", "-n", workers)
    assert status == 0, output
    assert "1 passed, 1 xfailed" in output
