"""Write the table of faults: ``python tests/faults/table.py > docs/faults.md``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .catalogue import Fault, Outcome

INTRODUCTION = """# Faults and their results

`make generate` writes this page: `tests/faults/table.py` takes it from the catalogue that the tests in `tests/faults`
check. Do not edit it.

Each fault is tested with `Cognito` and `AsyncCognito`:

- on these transports: {kinds}
- in these operations: {operations}

After it, the tokens of the client and those in its store are unchanged, the next call on the same client succeeds, and
no socket, thread, task or warning is left. The columns:

- "may have arrived" and "transient" are attributes of the error.
- "sent" is how often a request is sent, or a connection is tried: first for a request that may be repeated, then for one
  that may not (`RespondToAuthChallenge`, the answer to a challenge).
- "arrives" is whether the server receives these requests.
- The botocore transport itself repeats nothing. The tests make its client with `total_max_attempts` 1. With another
  setting, botocore decides what is sent again.
- If a connection that was kept from an earlier call is lost before the first byte of an answer, the https transport sends
  a request that may be repeated once more at once.
"""

EXCEPTIONS = """
## Exception names

Each exception name of the service model has an exception class of the same name (HTTP 400). On the botocore transport,
the error is also an instance of the client's exception class. A request is sent three times if the service answers that
it was throttled, and once after any other answer. At a refresh, a client with a store drops its tokens, and those in the
store, only if the service answers that the refresh token is useless.

"""


def render() -> str:
    """Return the document."""
    from .catalogue import EXCEPTION_NAMES, FAULTS, GOES_ANOTHER_WAY, OPERATIONS, ends_login, sent_thrice
    from .kinds import KINDS

    kinds, operations = ", ".join(kind.name for kind in KINDS), "; ".join(asked.name for asked in OPERATIONS)
    lines = [INTRODUCTION.format(kinds=kinds, operations=operations)]
    for group in dict.fromkeys(fault.group for fault in FAULTS):
        lines += [f"\n## {group}\n", _row(*_HEAD), _row(*["---"] * len(_HEAD))]
        lines += [_fault(fault) for fault in FAULTS if fault.group == group]
    lines += [EXCEPTIONS.rstrip("\n"), "", _row("name", "sent", "at a refresh"), _row(*["---"] * 3)]
    for name in EXCEPTION_NAMES:
        refreshing = "tokens dropped" if ends_login(name) else "tokens kept"
        if name in GOES_ANOTHER_WAY:
            refreshing = "the other way to refresh is tried"
        lines.append(_row(f"`{name}`", "3" if sent_thrice(name) else "1", refreshing))
    return "\n".join(lines) + "\n"


_HEAD = (
    "fault",
    "the server",
    "error",
    "may have arrived",
    "transient",
    "sent, repeatable / not",
    "arrives",
    "key set",
    "botocore",
    "botocore, key set",
)


def _fault(fault: Fault) -> str:
    outcome = fault.outcome
    return _row(
        fault.name,
        fault.server,
        _error(outcome),
        _yes(outcome.may_have_arrived),
        _yes(outcome.transient),
        f"{outcome.attempts[0]} / {outcome.attempts[1]}",
        _yes(fault.arrives),
        "the same" if fault.document == outcome else f"{_error(fault.document)}, sent {fault.document.attempts[0]}",
        _error(fault.botocore),
        _error(fault.document_botocore),
    )


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _error(outcome: Outcome) -> str:
    return "an answer" if outcome.error is None else f"`{outcome.error}`"


def _yes(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


if __name__ == "__main__":
    tests = Path(__file__).parents[1]
    sys.path[:0] = [str(tests), str(tests.parent / "transports")]
    from faults import table

    sys.stdout.write(table.render())
