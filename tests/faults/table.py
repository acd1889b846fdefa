"""Write the table of faults: ``python tests/faults/table.py > docs/faults.md``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .catalogue import Fault, Outcome

INTRODUCTION = """# What goes wrong, and what comes of it

Written by `tests/faults/table.py` from what the tests of `tests/faults` show; change it there.

Each fault happens over each transport, under `Cognito` and `AsyncCognito`: {kinds}. It happens at each of these:
{operations}. After it, the tokens of the client and those in its store are as they were, the next call on the same
client succeeds, and no socket, thread, task or warning is left.

"may have arrived" and "transient" are attributes of the error. "sent" is how often a request is sent, or a connection
tried, when it may be repeated, and when it may not (an answer to a challenge, `RespondToAuthChallenge`); the server
counts as many, or none where the column "arrives" says no. botocore's transport repeats nothing itself: the tests make
its client with `total_max_attempts` 1, and what is sent again otherwise is botocore's to say. On a connection that was
kept from an earlier call, and is lost before the first byte of an answer, https sends what may be repeated once more at
once.
"""

EXCEPTIONS = """
## Exception names

Each name of the service model is an error of the class of that name, with HTTP 400; over botocore it is the exception
of the client too. A request is sent three times for those that say that it came too soon, once for any other.
Where a refresh token is of no more use, a client with a store drops the tokens, there and here; nothing else does.

"""


def render() -> str:
    """Return the document."""
    from .catalogue import EXCEPTION_NAMES, FAULTS, GOES_ANOTHER_WAY, OPERATIONS, ends_login, sent_thrice
    from .kinds import KINDS

    kinds, operations = ", ".join(kind.name for kind in KINDS), ", ".join(asked.name for asked in OPERATIONS)
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
