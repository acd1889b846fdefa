"""The option ``--no-skips``: a test or a module that is skipped is a failure.

The report itself is changed, in the process that makes it. So the option works in the same way with pytest-xdist, whose
workers send their reports to another process, and the summary lists each skip with its reason.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import pytest

_Report = TypeVar("_Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if anything is skipped, as CI does")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # An expected failure is reported as skipped too.
    return report if hasattr(report, "wasxfail") else _without_skip(item.config, report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _without_skip(collector.config, report)


def _without_skip(config: pytest.Config, report: _Report) -> _Report:
    if report.skipped and config.getoption("--no-skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (--no-skips allows no skipped test)"
    return report
