"""The runner: play the probes against a target, compare the outcome with the expected one, and print a table."""

from __future__ import annotations

import enum
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .probes import CannotRun, Probe, Refused
from .stage import Stage
from .targets import Target

__all__ = ["Outcome", "Result", "play", "play_all", "table"]


class Outcome(enum.Enum):
    """How a probe ended."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPECTED = "wrong as listed"
    REPAIRED = "right, but listed as wrong"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Result:
    """The outcome of one probe at one target.

    Attributes:
        detail: why the probe is wrong, or could not run.
        seconds: how long it took.
    """

    probe: Probe
    target: str
    outcome: Outcome
    detail: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether the outcome is not the expected one."""
        return self.outcome in (Outcome.WRONG, Outcome.REPAIRED)


def play(probe: Probe, stage: Stage, listed: Mapping[str, str]) -> Result:
    """Play one probe.

    Args:
        stage: the stage at the target.
        listed: the probes that are expected to be wrong there, each with the reason.
    """
    target = stage.target
    reason = probe.why_not(target.name)
    if reason:
        return Result(probe, target.name, Outcome.NOT_RUN, reason)
    start = time.monotonic()
    try:
        with stage.play():
            probe.story(stage)
    except CannotRun as error:
        return Result(probe, target.name, Outcome.NOT_RUN, str(error), time.monotonic() - start)
    except (AssertionError, LookupError, Refused) as error:
        # A LookupError is a member that is missing in an answer. Any other exception is a bug of the probe, and raised.
        outcome = Outcome.EXPECTED if probe.name in listed else Outcome.WRONG
        return Result(probe, target.name, outcome, describe(error), time.monotonic() - start)
    repaired = probe.name in listed
    outcome = Outcome.REPAIRED if repaired else Outcome.RIGHT
    return Result(probe, target.name, outcome, listed[probe.name] if repaired else "", time.monotonic() - start)


def describe(error: Exception) -> str:
    """Return one line on why a story failed: its words, or the line of the story that failed."""
    words = str(error).partition("\n")[0]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "subjects" in frame.filename]
    if isinstance(error, AssertionError) and not words and frames:
        return f"{frames[-1].line}"
    return words if isinstance(error, AssertionError) else f"{type(error).__name__}: {words}"


def play_all(
    probes: Iterable[Probe], target: Target, listed: Mapping[str, str], report: Callable[[Result], None]
) -> list[Result]:
    """Play *probes* at *target*, and call *report* with each result."""
    stage = Stage(target)
    results: list[Result] = []
    try:
        for probe in probes:
            results.append(play(probe, stage, listed))
            report(results[-1])
    finally:
        stage.close()
    return results


def table(results: Iterable[Result], *, everything: bool = False) -> str:
    """Return the results as a table: probe, target, result.

    Args:
        everything: also list the probes that are right.
    """
    shown = [result for result in results if everything or result.outcome is not Outcome.RIGHT]
    rows = [(result.probe.name, result.target, _words(result)) for result in shown]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return "\n".join(f"{name:{widths[0]}}  {target:{widths[1]}}  {words}" for name, target, words in rows)


def _words(result: Result) -> str:
    return f"{result.outcome.value}: {result.detail[:200]}" if result.detail else result.outcome.value
