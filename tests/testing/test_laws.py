"""What a suite of laws reports: the smallest input that was found, and known faults that are not found any more."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from srpcore.exceptions import ConfigurationError
from srpcore.testing import LawFailure, LawReport, LawViolation
from srpcore.testing.laws import Law, LawBroken, equal, refuses, run_laws, show

Absolute = Callable[[int], int]


def absolute(number: int) -> int:
    return abs(number)


def is_absolute(function: Absolute, number: int) -> None:
    equal("result", function(number), number if number >= 0 else -number)


LAWS: list[Law[Absolute, int]] = [
    Law("small", "abs() of one", is_absolute, lambda: [1, -1]),
    Law("all", "abs() of any number", is_absolute, inputs=st.integers),
]


def failures(function: Absolute, *known_faults: str) -> tuple[LawFailure, ...]:
    with pytest.raises(LawViolation) as caught:
        run_laws(LAWS, function, known_faults, 200)
    return caught.value.report.failures


def test_laws_that_hold_are_reported() -> None:
    report = run_laws(LAWS, absolute, (), 50)
    assert report == LawReport(("small", "all"))
    assert report.ok
    assert str(report) == "all laws hold"


def test_the_first_case_that_fails_is_reported() -> None:
    (small, _) = failures(lambda number: number + 1)
    assert small == LawFailure("small", "abs() of one", 1, "result is 2, expected 1")


def test_the_smallest_random_input_is_reported() -> None:
    (failure,) = failures(lambda number: abs(number) if number < 1000 else 0)
    assert failure.example == 1000
    assert str(failure) == "all: abs() of any number\n    input: 1000\n    found: result is 0, expected 1000"


def test_an_exception_of_the_subject_breaks_a_law() -> None:
    def fail(number: int) -> int:
        raise ZeroDivisionError("odd")

    assert failures(fail)[0].found == "raised ZeroDivisionError: odd"


def test_a_subject_that_fails_only_sometimes_is_reported() -> None:
    calls = iter(range(10**6))
    assert [failure.law for failure in failures(lambda number: abs(number) + (next(calls) == 20))] == ["all"]


def test_the_message_of_the_exception_describes_every_failure() -> None:
    with pytest.raises(LawViolation, match=r"(?s)2 of 2 laws do not hold.*small: .*all: ") as caught:
        run_laws(LAWS, lambda number: number + 1, (), 50)
    assert isinstance(caught.value, AssertionError)
    assert pickle.loads(pickle.dumps(caught.value)).report == caught.value.report


def test_a_known_fault_is_in_the_report_and_is_not_raised() -> None:
    report = run_laws(LAWS, lambda number: abs(number) if number < 1000 else 0, ["all"], 200)
    assert report.failed == {"all"}
    assert "known fault: all: abs() of any number" in str(report)


def test_a_known_fault_that_is_not_found_is_raised() -> None:
    with pytest.raises(LawViolation, match="small: this known fault was not found"):
        run_laws(LAWS, absolute, ["small"], 50)


@pytest.mark.parametrize("known_faults", [["tiny"], "small"])
def test_a_known_fault_must_be_the_name_of_a_law(known_faults: str | list[str]) -> None:
    with pytest.raises(ConfigurationError, match="choose from small, all"):
        run_laws(LAWS, absolute, known_faults, 50)


def test_only_the_chosen_laws_are_run() -> None:
    assert run_laws(LAWS, lambda number: 1, (), 50, ["small"]).laws == ("small",)
    with pytest.raises(ConfigurationError, match="laws must be names of laws"):
        run_laws(LAWS, absolute, (), 50, ["tiny"])
    with pytest.raises(ConfigurationError, match="known_faults must be names of laws"):
        run_laws(LAWS, absolute, ["all"], 50, ["small"])


def test_true_is_not_equal_to_one() -> None:
    with pytest.raises(LawBroken):
        equal("result", True, 1)


def test_a_refusal_is_any_exception() -> None:
    refuses("a division by 0", lambda: 1 // 0)
    with pytest.raises(LawBroken, match="7 was accepted; the result is 7, but an exception is expected"):
        refuses("7", lambda: 7)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12, "12"),
        (2**64, "0x10000000000000000"),
        ("a", "'a'"),
        (LawFailure("a", "b", (1, "c"), "d"), "LawFailure(law='a', statement='b', example=(1, 'c'), found='d')"),
        ({"a": 2**64}, "{'a': 0x10000000000000000}"),
        ("a" * 200, "'" + "a" * 63 + "..." + "a" * 23 + "' (202 characters)"),
    ],
)
def test_inputs_are_readable(value: object, shown: str) -> None:
    assert show(value) == shown
