"""Write the lists in docs/local-pool-operations.md: which operations work, are stored without effect, or are absent.

    python tools/make_local_pool_table.py [--check]

It follows from the handlers of the local pool and ``operations/stored.py``. With ``--check`` nothing is written, and
the exit status is 1 if the page differs from what would be written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from srpcore.service_model import OPERATIONS
from srpcore_transports.local.operations import table as pool_operations
from srpcore_transports.local.operations.stored import STORED, STORED_SETTINGS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "local-pool-operations.md"
BEGIN = "<!-- Written by tools/make_local_pool_table.py, from here: do not edit. -->"
END = "<!-- To here. -->"


def main(arguments: list[str]) -> int:
    """Write the table; with ``--check`` compare only."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    before = PAGE.read_text("utf-8")
    after = with_table(before)
    if not arguments:
        PAGE.write_text(after, "utf-8")
    return int(bool(arguments) and before != after)


def with_table(page: str) -> str:
    """Return *page* with the present table between its two markers."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n{END}{tail}"


def table() -> str:
    """Return the lists: the operations that work, and a table of those without effect, by reason."""
    names = set(OPERATIONS.values())
    works = names & pool_operations.OPERATIONS.keys() - STORED.keys()
    absent = names - pool_operations.OPERATIONS.keys()
    lines = [f"{len(works)} of the {len(names)} operations work:", "", _listed(works), ""]
    if absent:
        lines += [f"{len(absent)} are absent:", "", _listed(absent), ""]
    lines += [f"{len(STORED)} only store settings:", "", "| why | operations |", "|---|---|"]
    lines += [f"| {reason} | {_listed(n for n in STORED if STORED[n] == reason)} |" for reason in reasons()]
    return "\n".join([*lines, "", *settings()])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def settings() -> list[str]:
    """Return the lines of the table of settings without effect."""
    lines = ["## Settings without effect", ""]
    lines += [
        "These settings of operations that work are stored without effect:",
        "",
        "| why | settings |",
        "|---|---|",
    ]
    found: dict[str, list[str]] = {}
    for operation, reasons_of in STORED_SETTINGS.items():
        if operation.startswith("Update"):  # the same settings as of the operation that creates
            continue
        for path, reason in reasons_of.items():
            found.setdefault(reason, []).append(f"{path} ({operation})")
    return [*lines, *(f"| {reason} | {_listed(paths)} |" for reason, paths in found.items()), ""]


def reasons() -> list[str]:
    """Return the reasons of the stored operations, each once."""
    return list(dict.fromkeys(STORED.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
