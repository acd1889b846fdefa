"""A pytest plugin that tests mutants. ``tools/mutants.py`` writes them with mutmut, and runs pytest with this plugin.

    --mutation=coverage    run the tests, and store which functions each of them calls, and its CPU time
    --mutation=FILE        test the mutants whose names are in FILE

pytest collects the tests once. Then a process is forked for each mutant, which runs tests of the mutated function until
one fails. mutmut's own runner starts pytest in every process, which takes longer than the tests.

Thousands of tests call the functions that everything uses, so not all tests of a function run. The tests in the folder
of the mutated module come first, then the fastest of the others, each up to a limit of CPU time::

    round 1:  all mutants, a few tests each  -->  most of the mutants are killed
    round 2:  the survivors, more tests      -->  the survivors that the report shows
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest
from mutant_codes import KILLED, NO_TESTS, SURVIVED, TIMED_OUT
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

COVERAGE = Path("coverage.json")

ROUNDS = ((0.4, 0.2), (4.0, 2.0))
"""In each round, the CPU seconds of the tests in the folder of the module, and of the other tests."""

MORE_CPU, IDLE, LONGEST = 10, 60, 180
"""Limits for the process of a mutant, in seconds: CPU time beyond twice that of its tests; time without any CPU use;
time in all. Beyond one of them it has timed out."""

MARKED_TOO = (
    "tests/crypto/",
    "tests/store/test_keyring.py",
    "tests/store/test_stores.py",
    "tests/tokens/",
    "tests/transports/test_http_response.py",
)
"""The tests that run although they are marked as slow or need a counterpart. They are short, and all in one process."""


class Test(TypedDict):
    """What is stored of one test."""

    seconds: float
    functions: list[str]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    parser.addoption("--mutation", help="'coverage', or a file with the names of mutants")
    parser.addoption("--mutation-processes", type=int, default=2, help="how many mutants to test at a time")


def pytest_configure(config: pytest.Config) -> None:
    """Register the part of the plugin that the option selects."""
    option: str | None = config.getoption("--mutation")
    if option == "coverage":
        config.pluginmanager.register(Coverage())
    elif option is not None:
        names = Path(option).read_text("utf-8").split()
        config.pluginmanager.register(Mutants(names, int(config.getoption("--mutation-processes") or 1)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that take long or need something else."""

    def is_wanted(item: pytest.Item) -> bool:
        marks = {mark.name for mark in item.iter_markers()} & {"counterpart", "slow", "system"}
        return not marks or ("system" not in marks and item.nodeid.startswith(MARKED_TOO))

    kept = [item for item in items if is_wanted(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


class Coverage:
    """Stores the functions that each test calls."""

    def __init__(self) -> None:
        self.tests: dict[str, Test] = {}
        self.passed = True
        set_mutant_under_test("stats")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Measure one test. A test that fails in the copy, with the trampolines of mutmut, is not used."""
        state()._stats.clear()  # pyright: ignore[reportPrivateUsage]
        self.passed, start = True, time.process_time()
        result = yield
        if self.passed:
            functions = sorted(state()._stats)  # pyright: ignore[reportPrivateUsage]
            self.tests[item.nodeid] = {"seconds": time.process_time() - start, "functions": functions}
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note that the test failed or was skipped."""
        self.passed = self.passed and report.passed

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file, and succeed although a few tests cannot be used."""
        COVERAGE.write_text(json.dumps(self.tests), "utf-8")
        session.exitstatus = pytest.ExitCode.OK


@dataclass
class _Running:
    """The process of a mutant: when it was started, and when its CPU time last changed."""

    name: str
    started: float
    changed: float
    cpu_time: int = -1

    def is_over(self, cpu_time: int) -> bool:
        """Return whether the process must be ended. Call it often, with the CPU time of the process."""
        now = time.monotonic()
        if cpu_time != self.cpu_time:
            self.cpu_time, self.changed = cpu_time, now
        return now - self.changed > IDLE or now - self.started > LONGEST


class Mutants:
    """Tests mutants, each in a process of its own."""

    def __init__(self, names: list[str], processes: int) -> None:
        self.names = names
        self.processes = processes
        self.in_child = False
        self.running: dict[int, _Running] = {}
        self.codes: dict[str, int] = {}
        self.unsaved: dict[str, int] = {}
        self.tests: dict[str, Test] = {}
        self.tests_of: dict[str, list[str]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Test the mutants, instead of running each test once."""
        set_mutant_under_test("")
        items = {item.nodeid: item for item in session.items}
        self._load(items)
        # Set up the fixtures of the session. They stay set up for the next test, which is in another folder so that
        # nothing else stays.
        first = session.items[0]
        other = next(item for item in session.items if item.path.parent != first.path.parent)
        first.ihook.pytest_runtest_protocol(item=first, nextitem=other)
        gc.freeze()
        names, before = self.names, (0.0, 0.0)
        for limits in ROUNDS:
            for name in names:
                done = {*self._choose(name, before)}
                chosen = [items[test] for test in self._choose(name, limits) if test not in done]
                if chosen:
                    self._start(name, chosen)
                else:
                    self._note(name, self.codes.get(name, NO_TESTS))
            while self.running:
                self._wait()
            self._save()
            names, before = [name for name in names if self.codes[name] in (SURVIVED, NO_TESTS)], limits
        return True

    def _load(self, items: Iterable[str]) -> None:
        tests: dict[str, Test] = json.loads(COVERAGE.read_text("utf-8"))
        self.tests = {test: tests[test] for test in items if test in tests}
        for test in sorted(self.tests, key=lambda test: self.tests[test]["seconds"]):
            for function in self.tests[test]["functions"]:
                self.tests_of.setdefault(function, []).append(test)

    def _choose(self, name: str, limits: tuple[float, float]) -> list[str]:
        """Return the tests for the mutant *name*: the fastest ones at home and elsewhere, up to *limits*."""
        home = _home(name)
        covering = self.tests_of.get(name.partition("__mutmut_")[0], [])
        near = [test for test in covering if test.startswith(home)]
        far = [test for test in covering if not test.startswith(home)]
        return [*self._fastest(near, limits[0]), *self._fastest(far, limits[1])]

    def _fastest(self, tests: list[str], limit: float) -> list[str]:
        chosen: list[str] = []
        for test in tests:
            limit -= self.tests[test]["seconds"]
            if limit < 0:
                break
            chosen.append(test)
        # The tests of one module together, because it may have fixtures.
        return sorted(chosen, key=lambda test: test.partition("::")[0])

    def _start(self, name: str, chosen: list[pytest.Item]) -> None:
        while len(self.running) >= self.processes:
            self._wait()
        pid = os.fork()
        if pid:
            self.running[pid] = _Running(name, time.monotonic(), time.monotonic())
            return
        self.in_child = True
        code = KILLED  # also if a test ends pytest
        try:
            os.setpgid(0, 0)
            seconds = int(2 * sum(self.tests[item.nodeid]["seconds"] for item in chosen)) + MORE_CPU
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
            set_mutant_under_test(name)
            for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            code = SURVIVED
        finally:
            os._exit(code)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """End the process of a mutant when a test has failed."""
        if self.in_child and report.failed:
            os._exit(KILLED)

    def _wait(self) -> None:
        """Wait until the process of a mutant has ended, and note its result."""
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid in self.running:
                break
            for late, process in self.running.items():
                if process.is_over(_cpu_time(late)):
                    _kill_group(late)
            time.sleep(0.01)
        _kill_group(pid)  # the processes that its tests have left
        code = os.waitstatus_to_exitcode(status)
        late = code in (-signal.SIGXCPU, -signal.SIGKILL)  # any other signal is a crash, which a test would notice too
        self._note(self.running.pop(pid).name, TIMED_OUT if late else SURVIVED if code == 0 else KILLED)

    def _note(self, name: str, code: int) -> None:
        self.codes[name] = self.unsaved[name] = code
        if len(self.unsaved) >= 50:
            self._save()

    def _save(self) -> None:
        """Write the results into the file that mutmut keeps for each module."""
        for file in Path().rglob("*.py.meta"):
            document = json.loads(file.read_text("utf-8"))
            codes: dict[str, int | None] = document["exit_code_by_key"]
            if codes.keys() & self.unsaved.keys():
                codes.update({name: code for name, code in self.unsaved.items() if name in codes})
                file.write_text(json.dumps(document, indent=4), "utf-8")
        self.unsaved = {}


def _home(name: str) -> str:
    """Return how the ids of the tests for the module of the mutant *name* begin."""
    package, module, *_ = name.split(".")
    return f"tests/transports/test_{module}.py" if package == "srpcore_transports" else f"tests/{module}/"


def _cpu_time(pid: int) -> int:
    """Return the CPU time of the process *pid*, in ticks of the system."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
