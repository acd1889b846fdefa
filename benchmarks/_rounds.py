"""What the benchmarks share: rounds in which the contestants take turns, and how results are written down."""

from __future__ import annotations

import argparse
import json
import platform
import ssl
import statistics
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

Work: TypeAlias = Callable[[], object]
Timed: TypeAlias = Callable[[], float]  # does its work once and returns the seconds it took
Times: TypeAlias = dict[str, list[float]]  # by contestant, one a round

RESULTS = Path(__file__).parent / "results"


def options(description: str, **numbers: int) -> argparse.Namespace:
    """Return the command line's options: whole *numbers* with their defaults, and the folder of the results."""
    return parser_of(description, **numbers).parse_args()


def parser_of(description: str, **numbers: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"how many {name}")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder that the results are written to")
    return parser


def timed(work: Work) -> Timed:
    def run() -> float:
        start = perf_counter()
        work()
        return perf_counter() - start

    return run


def measure(contestants: Mapping[str, Timed], rounds: int, *, warm_up: int = 2) -> Times:
    """Let each contestant work once a round, in turn, so that what disturbs the machine disturbs all."""
    times: Times = {name: [] for name in contestants}
    for round_number in range(rounds + warm_up):
        for name, run in contestants.items():
            taken = run()
            if round_number >= warm_up:
                times[name].append(taken)
    return times


def ratio(times: Times, name: str, to: str) -> float:
    """Return the median of the ratios within a round."""
    return statistics.median(one / other for one, other in zip(times[name], times[to], strict=True))


def versions(*names: str) -> dict[str, str]:
    found = {"python": platform.python_version(), "openssl": ssl.OPENSSL_VERSION, "machine": platform.machine()}
    for name in ("srpcore", *names):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "absent"
    return found


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Return a table in Markdown: a first column of names, and columns of figures."""
    heads = list(heads)
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]


def chart(values: Mapping[str, float], unit: str) -> list[str]:
    width, most = max(map(len, values)), max(values.values())
    bars = {name: "█" * max(1, round(40 * value / most)) for name, value in values.items()}
    return ["", "```", *(f"{name:<{width}}  {bars[name]} {value} {unit}" for name, value in values.items()), "```", ""]


def publish(folder: Path, name: str, lines: Iterable[str], used: Mapping[str, str], **document: Any) -> None:
    """Write *lines*, and *document* as JSON, to files called *name*, both with the versions *used*; print the lines."""
    folder.mkdir(parents=True, exist_ok=True)
    when = datetime.now(timezone.utc).isoformat(timespec="seconds")
    text = "\n".join([*lines, ", ".join(f"{what} {version}" for what, version in used.items()), ""])
    whole = {"when": when, "versions": used, **document}
    (folder / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    (folder / f"{name}.md").write_text(text, "utf-8")
    print(text)
