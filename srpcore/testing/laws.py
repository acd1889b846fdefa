"""Run the laws of a suite on somebody's code, and report each law that fails, with the smallest input that was found.

A *law* is a statement that holds for every input, for example "the client refuses B = 0 modulo N". A suite is a list of
laws for one kind of subject. For each law, :func:`run_laws` does this::

    the fixed cases of the law, the simplest first ---- one fails ----> report it
                        | all hold
    random inputs, if the law has a strategy ---- one fails ----> hypothesis shrinks it ----> report the smallest

The same inputs are generated at every run, and nothing is stored between runs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from ..exceptions.base import ConfigurationError

__all__ = ["Law", "LawBroken", "LawFailure", "LawReport", "LawViolation", "equal", "refuses", "run_laws"]

Subject = TypeVar("Subject")
Case = TypeVar("Case")


class LawBroken(Exception):
    """One input breaks a law; the message describes what was found."""


@dataclass(frozen=True)
class Law(Generic[Subject, Case]):
    """One law: *check* raises an exception if *Subject* breaks the law with the input *Case*."""

    name: str
    statement: str
    check: Callable[[Subject, Case], None]
    cases: Callable[[], Iterable[Case]] = tuple
    inputs: Callable[[], SearchStrategy[Case]] | None = None


@dataclass(frozen=True)
class LawFailure:
    """A law that does not hold, with the smallest input that was found to break it.

    Attributes:
        law: the name of the law.
        statement: what the law requires.
        example: the input. Its type depends on the law.
        found: what happened with this input.
    """

    law: str
    statement: str
    example: object
    found: str

    def __str__(self) -> str:
        return f"{self.law}: {self.statement}\n    input: {show(self.example)}\n    found: {self.found}"


@dataclass(frozen=True)
class LawReport:
    """The result of a suite of laws. ``str(report)`` describes every failure.

    Attributes:
        laws: the names of the laws that were run.
        failures: the laws that do not hold.
        known_faults: the laws that were expected not to hold.
    """

    laws: tuple[str, ...]
    failures: tuple[LawFailure, ...] = ()
    known_faults: frozenset[str] = field(default_factory=frozenset[str])

    @property
    def failed(self) -> frozenset[str]:
        """The names of the laws that do not hold."""
        return frozenset(failure.law for failure in self.failures)

    @property
    def ok(self) -> bool:
        """Whether the laws that do not hold are the known faults and no others."""
        return self.failed == self.known_faults

    def __str__(self) -> str:
        lines = [f"{len(self.failures)} of {len(self.laws)} laws do not hold" if self.failures else "all laws hold"]
        lines += [str(failure) for failure in self.failures if failure.law not in self.known_faults]
        lines += [f"known fault: {failure}" for failure in self.failures if failure.law in self.known_faults]
        fixed = sorted(self.known_faults - self.failed)
        lines += [f"{name}: this known fault was not found; remove it from known_faults" for name in fixed]
        return "\n\n".join(lines)


class LawViolation(AssertionError):
    """A suite of laws was run, and a law does not hold. ``report`` has the failures."""

    def __init__(self, report: LawReport) -> None:
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> tuple[type[LawViolation], tuple[LawReport]]:
        return type(self), (self.report,)


def run_laws(
    laws: Sequence[Law[Subject, Any]],
    subject: Subject,
    known_faults: Collection[str],
    examples: int,
    chosen: Collection[str] | None = None,
) -> LawReport:
    """Run *laws* on *subject*, only the *chosen* ones if given, and return the report.

    Raises:
        LawViolation: a law does not hold that is not in *known_faults*, or one that is in *known_faults* holds.
        ConfigurationError: a name in *known_faults* or in *chosen* is not the name of a law.
    """
    if chosen is not None:
        _require_names(chosen, laws, "laws")
        laws = [law for law in laws if law.name in chosen]
    _require_names(known_faults, laws, "known_faults")
    failures = tuple(failure for law in laws if (failure := _find_failure(law, subject, examples)))
    report = LawReport(tuple(law.name for law in laws), failures, frozenset(known_faults))
    if not report.ok:
        raise LawViolation(report)
    return report


def _require_names(given: Collection[str], laws: Sequence[Law[Subject, Any]], parameter: str) -> None:
    names = [law.name for law in laws]
    unknown = [given] if isinstance(given, str) else sorted({*given} - {*names})
    if unknown:
        raise ConfigurationError(f"{parameter} must be names of laws, not {unknown}: choose from {', '.join(names)}")


def _find_failure(law: Law[Subject, Case], subject: Subject, examples: int) -> LawFailure | None:
    for case in law.cases():
        found = _what_breaks(law, subject, case)
        if found is not None:
            return LawFailure(law.name, law.statement, case, found)
    return None if law.inputs is None else _search(law, law.inputs(), subject, examples)


def _search(
    law: Law[Subject, Case], inputs: SearchStrategy[Case], subject: Subject, examples: int
) -> LawFailure | None:
    broken: list[LawFailure] = []

    def test(case: Case) -> None:
        found = _what_breaks(law, subject, case)
        if found is not None:
            broken.append(LawFailure(law.name, law.statement, case, found))
            raise LawBroken(found)

    try:
        settings(_SETTINGS, max_examples=examples)(given(inputs)(test))()
    except (LawBroken, Flaky):  # Flaky: the subject draws random numbers, so it does not fail each time
        return broken[-1]  # hypothesis runs the smallest input last
    return None


_SETTINGS = settings(
    database=None,
    derandomize=True,
    deadline=None,
    report_multiple_bugs=False,
    print_blob=False,
    verbosity=Verbosity.quiet,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
        HealthCheck.nested_given,
        HealthCheck.too_slow,
    ],
)


def _what_breaks(law: Law[Subject, Case], subject: Subject, case: Case) -> str | None:
    """Return how *subject* breaks *law* with the input *case*, or None if it does not."""
    try:
        law.check(subject, case)
    except LawBroken as broken:
        return str(broken)
    except Exception as error:  # noqa: BLE001 - somebody else's code may raise any exception
        return f"raised {type(error).__name__}: {error}"
    return None


def equal(name: str, actual: object, expected: object) -> None:
    """Require that the value *name* is the expected one, and of the same type.

    Raises:
        LawBroken: it is not.
    """
    if type(actual) is not type(expected) or actual != expected:
        raise LawBroken(f"{name} is {show(actual)}, expected {show(expected)}")


def refuses(what: str, call: Callable[[], object]) -> None:
    """Require that *call* raises an exception.

    Raises:
        LawBroken: it returned a value.
    """
    try:
        value = call()
    except Exception:  # noqa: BLE001 - any exception refuses
        return
    raise LawBroken(f"{what} was accepted; the result is {show(value)}, but an exception is expected")


def show(value: object) -> str:
    """Return *value* for a report: like ``repr``, with large numbers in hexadecimal, and long values shortened."""
    if isinstance(value, int) and abs(value) >= 1 << 32:
        return _shortened(f"{value:#x}")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = (f"{item.name}={show(getattr(value, item.name))}" for item in dataclasses.fields(value) if item.repr)
        return f"{type(value).__name__}({', '.join(parts)})"
    if isinstance(value, tuple):
        items: tuple[object, ...] = value  # pyright: ignore[reportUnknownVariableType]
        return f"({', '.join(show(item) for item in items)})"
    if isinstance(value, dict):
        members: dict[object, object] = value  # pyright: ignore[reportUnknownVariableType]
        return "{" + ", ".join(f"{name!r}: {show(member)}" for name, member in members.items()) + "}"
    return _shortened(repr(value))


def _shortened(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:64]}...{text[-24:]} ({len(text)} characters)"
