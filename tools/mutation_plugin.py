"""A pytest plugin that tests mutants. ``tools/mutants.py`` writes them with mutmut, and runs pytest with this plugin.

    --mutation=coverage    run the tests, and store which lines of the functions each of them executes, and its CPU time
    --mutation=FILE        test the mutants whose names are in FILE

pytest collects the tests once. Then a process is forked for each mutant, which runs tests that execute the mutated
statement until one fails. mutmut's own runner starts pytest in every process, which takes longer than the tests.

Thousands of tests execute the statements that everything uses, so not all of them run. The tests in the folder of the
mutated module come first, then others, each up to a limit of CPU time. Of a test with parameters, the fastest one comes
first, and its other parameters come after the other tests, because they often do the same::

    round 1:  a batch of mutants, a few tests each  -->  most of the mutants are killed
    round 2:  its survivors, more tests             -->  the survivors that the report shows
    round 3:  only with --mutation-thorough: all tests of the folder, and of the others nearly all

The results are saved after each batch, so a run that is interrupted loses at most one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest
from mutant_codes import KILLED, NO_TESTS, SURVIVED, TIMED_OUT
from mutation_lines import EVERY_LINE, LineTracer, changed_statements
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

COVERAGE = Path("coverage.json")

ROUNDS = ((0.4, 0.2), (4.0, 2.0))
"""In each round, the CPU seconds of the tests in the folder of the module, and of the other tests."""

BATCH = 100

THOROUGH = (120.0, 60.0)
"""The limits of the third round."""

MORE_CPU, IDLE, LONGEST = 10, 60, 900
"""Limits for the process of a mutant, in seconds: CPU time beyond twice that of its tests; time without any CPU use;
time in all. Beyond one of them it has timed out."""

MARKED_TOO = (
    "tests/crypto/",
    "tests/store/test_dynamodb.py",
    "tests/store/test_keyring.py",
    "tests/store/test_leases.py",
    "tests/store/test_redis.py",
    "tests/store/test_sealing.py",
    "tests/store/test_stores.py",
    "tests/tokens/",
    "tests/transports/test_http_response.py",
)
"""The tests that run although they are marked as slow, or need a counterpart or a Redis server. They are short, and the
mutant is in the process of the test. Without a Redis server its tests fail, and are not used."""

PRELOADED = ("boto3", "cryptography.hazmat.primitives.ciphers.aead", "keyring", "moto.dynamodb", "redis")
"""What these tests import, in seconds: once, instead of in the process of each mutant."""


class Test(TypedDict):
    """What is stored of one test."""

    seconds: float
    lines: dict[str, int]  # by function; see mutation_lines


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    parser.addoption("--mutation", help="'coverage', or a file with the names of mutants")
    parser.addoption("--mutation-processes", type=int, default=2, help="how many mutants to test at a time")
    parser.addoption("--mutation-thorough", action="store_true", help="test the survivors of round 2 a third time")


def pytest_configure(config: pytest.Config) -> None:
    """Register the part of the plugin that the option selects."""
    option: str | None = config.getoption("--mutation")
    if option is not None:
        for module in PRELOADED:
            importlib.import_module(module)
    if option == "coverage":
        config.pluginmanager.register(Coverage())
    elif option is not None:
        names = Path(option).read_text("utf-8").split()
        rounds = (*ROUNDS, THOROUGH) if config.getoption("--mutation-thorough") else ROUNDS
        config.pluginmanager.register(Mutants(names, int(config.getoption("--mutation-processes") or 1), rounds))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that take long or need something else."""

    def is_wanted(item: pytest.Item) -> bool:
        marks = {mark.name for mark in item.iter_markers()} & {"counterpart", "slow", "long", "system"}
        return not marks or item.nodeid.startswith(MARKED_TOO)

    kept = [item for item in items if is_wanted(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


class Coverage:
    """Stores the lines that each test executes."""

    def __init__(self) -> None:
        self.tests: dict[str, Test] = {}
        self.passed = self.within = False
        self.tracer = LineTracer()
        set_mutant_under_test("stats")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Measure one test. A test that fails in the copy, with the trampolines of mutmut, is not used."""
        if self.within:
            return None
        self.within = True
        # The tracer makes some tests twenty times slower, so the time is measured without it.
        with self.tracer:
            traced = self._run(item, nextitem)
        start = time.process_time()
        passed = self._run(item, nextitem)
        seconds = time.process_time() - start
        if passed:
            # Some tests fail with the tracer, for example in deep recursion.
            lines = self.tracer.lines if traced else {}
            functions = sorted(state()._stats)  # pyright: ignore[reportPrivateUsage]
            self.tests[item.nodeid] = {"seconds": seconds, "lines": {f: lines.get(f, EVERY_LINE) for f in functions}}
        self.within = False
        return True

    def _run(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test, and return whether it passed."""
        state()._stats.clear()  # pyright: ignore[reportPrivateUsage]
        self.passed = True
        item.ihook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        return self.passed

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

    def __init__(self, names: list[str], processes: int, rounds: Sequence[tuple[float, float]]) -> None:
        self.names = names
        self.rounds = rounds
        self.processes = processes
        self.in_child = False
        self.running: dict[int, _Running] = {}
        self.codes: dict[str, int] = {}
        self.tests: dict[str, Test] = {}
        self.tests_of: dict[str, list[str]] = {}
        self.changed: dict[str, dict[str, int]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Test the mutants, instead of running each test once."""
        with tempfile.TemporaryDirectory() as tempfile.tempdir:  # what the tests leave there when they are ended
            self._test(session)
        return True

    def _test(self, session: pytest.Session) -> None:
        set_mutant_under_test("")
        items = {item.nodeid: item for item in session.items}
        self._load(items)
        # Set up the fixtures of the session. They stay set up for the next test, which is in another folder so that
        # nothing else stays.
        first = session.items[0]
        other = next(item for item in session.items if item.path.parent != first.path.parent)
        first.ihook.pytest_runtest_protocol(item=first, nextitem=other)
        gc.freeze()
        for start in range(0, len(self.names), BATCH):
            self._test_batch(self.names[start : start + BATCH], items)

    def _test_batch(self, names: list[str], items: dict[str, pytest.Item]) -> None:
        remaining, before = names, (0.0, 0.0)
        for limits in self.rounds:
            for name in remaining:
                done = {*self._choose(name, before)}
                chosen = [items[test] for test in self._choose(name, limits) if test not in done]
                if chosen:
                    self._start(name, chosen)
                else:
                    self.codes.setdefault(name, NO_TESTS)
            while self.running:
                self._wait()
            remaining, before = [name for name in remaining if self.codes[name] in (SURVIVED, NO_TESTS)], limits
        self._save(names)

    def _load(self, items: Iterable[str]) -> None:
        tests: dict[str, Test] = json.loads(COVERAGE.read_text("utf-8"))
        self.tests = {test: tests[test] for test in items if test in tests}
        for test in sorted(self.tests, key=lambda test: self.tests[test]["seconds"]):
            for function in self.tests[test]["lines"]:
                self.tests_of.setdefault(function, []).append(test)

    def _choose(self, name: str, limits: tuple[float, float]) -> list[str]:
        """Return tests that execute the statement which the mutant *name* changes, at home and elsewhere."""
        home, function, statement = _home(name), name.partition("__mutmut_")[0], self._statement(name)
        tests = [test for test in self.tests_of.get(function, []) if self.tests[test]["lines"][function] & statement]
        near = [test for test in tests if test.startswith(home)]
        far = [test for test in tests if not test.startswith(home)]
        return [*self._first(near, limits[0]), *self._first(far, limits[1])]

    def _statement(self, name: str) -> int:
        """Return the lines of the statement that the mutant *name* changes."""
        module, _, own = name.rpartition(".")
        if module not in self.changed:
            path = Path(*module.split("."))
            file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            self.changed[module] = changed_statements(file)
        return self.changed[module][own]

    def _first(self, tests: list[str], limit: float) -> list[str]:
        """Return the first ones of *tests*, which are sorted by their time, up to a *limit* of CPU seconds."""
        ranks: Counter[str] = Counter()
        ranked: list[tuple[int, str]] = []
        for test in tests:
            ranks[test.partition("[")[0]] += 1
            ranked.append((ranks[test.partition("[")[0]], test))
        chosen: list[str] = []
        for _, test in sorted(ranked, key=lambda pair: pair[0]):
            seconds = self.tests[test]["seconds"]
            if seconds <= limit:
                limit -= seconds
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
        self.codes[self.running.pop(pid).name] = TIMED_OUT if late else SURVIVED if code == 0 else KILLED

    def _save(self, names: Iterable[str]) -> None:
        """Write the results of the mutants *names* into the files that mutmut keeps, one for each module."""
        found = {name: self.codes[name] for name in names}
        for file in Path().rglob("*.py.meta"):
            document = json.loads(file.read_text("utf-8"))
            codes: dict[str, int | None] = document["exit_code_by_key"]
            if codes.keys() & found.keys():
                codes.update({name: code for name, code in found.items() if name in codes})
                file.write_text(json.dumps(document, indent=4), "utf-8")


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
