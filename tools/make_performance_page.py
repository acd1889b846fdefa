"""Write the figures of benchmarks/results/ into docs/performance.md and README.md, and draw the plots in docs/img/.

    python tools/make_performance_page.py [--no-plots]

A page has a block for each table::

    <!-- figures: srp_log_in -->
    (written by this program)
    <!-- end of figures -->

What is between the blocks is written by hand, and must not repeat a figure. ``make bench`` runs this at its end.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))

from performance_plots import draw_bars, draw_lines

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "img"
PAGES = (ROOT / "docs" / "performance.md", ROOT / "README.md")

Results: TypeAlias = Mapping[str, Mapping[str, Any]]  # the documents, by the name of the benchmark

BLOCK = re.compile(r"(<!-- figures: (?P<name>\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)

# A client's login with OpenSSL in 3072 bits: the benchmarks that measure it, the row, and the column.
SAME_WORK = (
    ("srp_log_in", "srpcore, openssl", "median_ms"),
    ("srp_engines", "openssl, 3072 bits", "client_ms"),
    ("log_ins_per_second", "arithmetic, openssl, 1 thread", "per_second"),
)
MOST_APART = 1.5  # the greatest ratio of two of these times

# The columns of each table: the member of a row, and the heading.
COLUMNS: dict[str, dict[str, str]] = {
    "srp_log_in": {
        "name": "",
        "kind": "side",
        "median_ms": "median, ms",
        "times_faster_than_pycognito": "times faster than pycognito",
    },
    "verify_tokens": {"name": "", "median_us": "median, µs", "ratio_to_floor": "times the floor"},
    "sign_requests": {"name": "", "median_us": "median, µs", "ratio_to_floor": "times the floor"},
    "cold_start": {"name": "", "processor_ms": "time, ms", "peak_mib": "peak memory, MiB"},
    "cold_log_in": {
        "name": "",
        "processor_ms": "time, ms",
        "ratio_to_floor": "times the floor",
        "peak_mib": "peak memory, MiB",
    },
    "warm_log_in": {"name": "", "processor_ms": "time, ms", "ratio": "times one transport"},
    "log_ins_per_second": {"name": "", "per_second": "per second"},
    "growth": {"subject": "", "count": "items", "us_each": "µs for each", "peak_mib": "peak memory, MiB"},
    "lambda_functions": {"name": "", "init_ms": "init, ms", "first_ms": "first, ms", "warm_ms": "warm, ms"},
}


def read_results(folder: Path = RESULTS) -> dict[str, Any]:
    """Return the documents of all benchmarks that were run."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}


def render(page: str, results: Results) -> str:
    """Return *page* with its blocks filled from *results*."""
    return BLOCK.sub(lambda block: block[1] + "\n".join([*lines_of(block["name"], results), block[3]]), page)


def lines_of(name: str, results: Results) -> Iterable[str]:
    """Return the lines of the block *name*, with an empty line before and after the table."""
    if name == "aims":
        return ["", *aims(results), ""]
    if name == "readme":
        return ["", *readme(results), ""]
    if name not in results:
        return ["", "Not measured yet.", ""]
    document = results[name]
    if name == "srp_engines":
        return ["", *engines(document["results"]), "", footnote(document), ""]
    if name == "local_pool":
        return ["", *local_pool(document), "", footnote(document), ""]
    columns = COLUMNS[name]
    rows = ([row.get(key) for key in columns] for row in document["results"])
    return ["", *table(columns.values(), rows), "", footnote(document), ""]


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return a table in Markdown. Columns of numbers are aligned to the right."""
    cells = [[*row] for row in rows]
    numbers = [any(isinstance(row[column], (int, float)) for row in cells) for column in range(len(cells[0]))]
    ruler = ["---:" if number else "---" for number in numbers]
    body = [
        ["" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in cells
    ]
    return ["| " + " | ".join(line) + " |" for line in ([*heads], ruler, *body)]


def engines(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the table of ``srpcore bench``: a row for each group, the engines beside each other."""
    heads: dict[str, None] = {"": None}
    by_group: dict[int, list[object]] = {}
    for row in rows:
        engine, rates = row["engine"], row["logins_per_second"]
        heads |= dict.fromkeys((f"{engine}, client, ms", f"{engine}, server, ms", f"{engine}, gain of two threads"))
        cells = (row["client_ms"], row["server_ms"], round(rates["2"] / rates["1"], 2))
        by_group.setdefault(row["bits"], [f"{row['bits']} bits"]).extend(cells)
    return table(heads, by_group.values())


def local_pool(document: Mapping[str, Any]) -> list[str]:
    """Return the tables of the local pool: logins per second, start-up, and operations by the number of users."""
    logins = table(["", "logins per second"], ([row["name"], row["per_second"]] for row in document["results"]))
    started = table(["", "start-up, ms"], ([name, taken] for name, taken in document["start_up_ms"].items()))
    grown = document["growth"]
    rows: list[list[object]] = []
    for name in grown[-1]["microseconds"]:
        rows.append([name, *(rounded(one["microseconds"].get(name)) for one in grown)])
    rows.append(["memory of all users, MiB", *(one["users_mib"] for one in grown)])
    heads = ["µs, by the number of users", *(f"{one['users']:,}" for one in grown)]
    return [*logins, "", *started, "", *table(heads, rows)]


def rounded(microseconds: float | None) -> int | None:
    """Return whole microseconds; None if it was not measured."""
    return None if microseconds is None else round(microseconds)


def footnote(document: Mapping[str, Any]) -> str:
    """Return the line with the day, the machine and the versions."""
    machine, versions = document.get("machine", {}), document["versions"]
    parts = [document["when"][:10]]
    if "cpu_model_name" in machine:
        parts.append(f"{machine['cpu_model_name']}, {machine.get('cpu_count')} cores")
    parts += [f"{name} {version}" for name, version in versions.items() if name not in ("machine", "srpcore")]
    return f"*{', '.join(parts)}.*"


def aims(results: Results) -> list[str]:
    """Return the table of what must not be lost."""
    rows: list[list[object]] = []
    for name, document in results.items():
        for aim in document["aims"]:
            limit = f"at most {aim['at_most']:g}" if aim["at_most"] is not None else f"at least {aim['at_least']:g}"
            rows.append([f"`{name}`", aim["what"], f"{aim['measured']:.2f}", limit, "yes" if aim["met"] else "**no**"])
    return table(["benchmark", "what", "measured", "limit", "met"], rows)


def readme(results: Results) -> list[str]:
    """Return the headline figures, each beside the usual alternative."""
    srp, tokens, cold = (value_by_name(results, name) for name in ("srp_log_in", "verify_tokens", "cold_start"))
    file = "keys from a file"
    remembered = f"repeated {tokens['srpcore, remembered']['median_us']:.1f} µs"
    rows = [
        [
            "arithmetic of an SRP login",
            f"{srp['srpcore, openssl']['median_ms']:.1f} ms",
            f"pycognito {srp['pycognito']['median_ms']:.1f} ms",
        ],
        [
            "verification of an access token",
            f"{tokens['srpcore']['median_us']:.1f} µs, {remembered}",
            f"PyJWT {tokens['PyJWT']['median_us']:.1f} µs",
        ],
        [
            f"new process to first verified token, {file}",
            f"{cold[f'srpcore, {file}']['processor_ms']:.0f} ms",
            f"PyJWT {cold[f'PyJWT, {file}']['processor_ms']:.0f} ms",
        ],
    ]
    return table(["", "srpcore", "alternative"], rows)


def value_by_name(results: Results, name: str) -> dict[str, Mapping[str, Any]]:
    """Return the rows of the benchmark *name*, by their names."""
    return {row["name"]: row for row in results[name]["results"]}


def draw(results: Results, folder: Path = IMAGES) -> None:
    """Draw the plots of the benchmarks that were run."""
    bars = {
        "srp_log_in": ("median_ms", "ms for one login"),
        "verify_tokens": ("median_us", "µs for one token"),
        "sign_requests": ("median_us", "µs for one request"),
        "cold_start": ("processor_ms", "ms to the first verified token"),
        "cold_log_in": ("processor_ms", "ms to log in"),
        "log_ins_per_second": ("per_second", "logins per second"),
    }
    for name, (column, unit) in bars.items():
        if name in results:
            rows = results[name]["results"]
            draw_bars(folder, name, {row["name"]: row[column] for row in rows if row[column] > 0}, unit)
    if "srp_engines" in results:
        lines = grouped(results["srp_engines"]["results"], "engine", "bits", "client_ms")
        draw_lines(folder, "srp_engines", lines, "bits of the group", "client, ms")
    if "growth" in results:
        lines = grouped(results["growth"]["results"], "subject", "count", "us_each")
        draw_lines(folder, "growth", lines, "items", "µs for each")


def grouped(rows: Iterable[Mapping[str, Any]], by: str, x: str, y: str) -> dict[str, list[tuple[float, float]]]:
    """Return the points ``(x, y)`` of the rows, for each value of the member *by*."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        found.setdefault(row[by], []).append((row[x], row[y]))
    return found


def contradiction(results: Results) -> str | None:
    """Return an error if the benchmarks disagree about the same work: a client's login with OpenSSL in 3072 bits.

    They measure it at different times, so a great difference means that other programs disturbed one of them.
    """
    found: dict[str, float] = {}
    for name, row_name, column in SAME_WORK:
        row = value_by_name(results, name).get(row_name) if name in results else None
        if row is not None:
            found[name] = 1000 / row[column] if column == "per_second" else row[column]
    if not found or max(found.values()) <= MOST_APART * min(found.values()):
        return None
    times = ", ".join(f"{milliseconds:.1f} ms in {name}" for name, milliseconds in found.items())
    return (
        f"The benchmarks disagree about a client's login with OpenSSL in 3072 bits: {times}. The ratio may be at most "
        f"{MOST_APART}. Other programs disturbed one of them: run it again (python benchmarks/<name>.py) on a machine "
        "that does nothing else, then this program."
    )


def main(arguments: list[str]) -> int:
    """Write the pages, and the plots unless *arguments* say otherwise. Refuse results that contradict each other."""
    results = read_results()
    if error := contradiction(results):
        sys.exit(error)
    for page in PAGES:
        page.write_text(render(page.read_text("utf-8"), results), "utf-8")
    if "--no-plots" not in arguments:
        draw(results)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
