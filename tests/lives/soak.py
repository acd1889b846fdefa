"""Lead lives over every transport for a number of minutes: see ``make soak`` in CONTRIBUTING.md."""

from __future__ import annotations

import argparse
import os
import sys
import time

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from srpcore_transports.local.model import signing
from support.rsa_keys import next_key

from .life import Life
from .machine import LIVES

__all__ = ["main"]

BATCH = {"in process": 100, "recorded": 50}
"""The lives between two lines of progress; 25 for the other transports, which are slower."""


def main(arguments: list[str] | None = None) -> int:
    """Lead lives until the time is over, or until one fails. Return the exit status: 1 if one failed."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kind", choices=[*LIVES, ""], default="", help="lead lives over this transport only")
    parser.add_argument("--outcomes", action="store_true", help="print how often each outcome was reached")
    given = parser.parse_args(arguments)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    signing.generate = next_key
    kinds = [given.kind] if given.kind else list(LIVES)
    failed = _soak(kinds, 60 * given.minutes)
    if given.outcomes:
        for outcome, count in sorted(Life.outcomes.items()):
            print(f"{count:8} {outcome}")
    return 1 if failed else 0


def _soak(kinds: list[str], seconds: float) -> bool:
    start, round_ = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        kind = kinds[round_ % len(kinds)]
        before, begun = Life.outcomes.total(), time.monotonic()
        if not _lead(kind):
            return True
        requests, spent = Life.outcomes.total() - before, time.monotonic() - begun
        print(
            f"{(time.monotonic() - start) / 60:6.1f} min  {kind:16} {requests:6} requests, {requests / spent:5.0f} a second; "
            f"in all {Life.led} lives, {Life.outcomes.total()} requests, {len(Life.outcomes)} different outcomes",
            flush=True,
        )
        round_ += 1
    return False


def _lead(kind: str) -> bool:
    """Lead some lives over *kind*, and return whether all were as the model predicts."""
    lives = settings(
        max_examples=BATCH.get(kind, 25),
        stateful_step_count=60,
        report_multiple_bugs=False,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        phases=[Phase.reuse, Phase.generate, Phase.shrink],
    )
    try:
        run_state_machine_as_test(LIVES[kind], settings=lives)
    except Exception as error:  # noqa: BLE001 - any error of a life is what this program looks for
        print(f"\nA life over {kind} is not as the model predicts:\n\n{type(error).__name__}: {error}")
        print("\n".join(getattr(error, "__notes__", [])))
        print(
            f"\nTo lead it again: make soak KIND='{kind}'. It is in .hypothesis, and is tried first. In a test, the lines"
            f" above from `state = ` on do the same, with LIVES['{kind}']() as the state."
        )
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
