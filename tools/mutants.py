"""Mutation tests: change the code in small steps ("mutants"), and see whether a test fails for each change.

    python tools/mutants.py [PATH ...]           # test the mutants, print the report, and write docs/mutants.md if it
                                                 # is complete: no PATH, and every mutant was tested
    python tools/mutants.py --report [PATH ...]  # print the report of what has been tested so far
    python tools/mutants.py --page [PATH ...]    # write docs/mutants.md in any case: the page names what was tested
    python tools/mutants.py --thorough [PATH ...]  # then test the survivors that have no reason again, with nearly all
                                                 # tests that execute the changed statement

PATH is a module or a package, for example ``srpcore/crypto``; the default is all of ``only_mutate`` in pyproject.toml.

mutmut makes the mutants with its standard operators, and ``tools/mutation_plugin.py`` tests them. All of this happens
in a copy of the tree, build/mutants, so a change of the checkout does not disturb a run::

    build/mutants/srpcore                   the code as it is
    build/mutants/mutants/srpcore           every mutant of each function, and the results
    build/mutants/mutants/tests             the tests, which import the mutants

In the copy srpcore_transports is at the top, because mutmut must find a package under the name by which the tests
import it. To continue an interrupted run, run the same command again. After a change of the code only the mutants of
the changed functions are tested again. After a change of a test the survivors are tested again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from mutant_codes import NO_TESTS, SURVIVED, TIMED_OUT

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "mutants"
MUTANTS = COPY / "mutants"
COVERAGE = MUTANTS / "coverage.json"
PAGE = ROOT / "docs" / "mutants.md"
REASONS = Path(__file__).with_name("surviving_mutants.toml")
TESTS = tuple(f"tests/{name}" for name in "aws_srp client crypto flows store tokens transports".split())

SOURCES = {"srpcore": "srpcore", "transports/srpcore_transports": "srpcore_transports"}
OTHERS = ("tests", "benchmarks", "docs", "tools", "Makefile", "README.md", "pyproject.toml")
UNWANTED = shutil.ignore_patterns("__pycache__", ".*", "node_modules")

GENERATE = """
import mutmut.__main__ as mutmut
mutmut.set_mutant_under_test("mutant_generation")
mutmut.copy_src_dir()
mutmut.create_mutants({processes})
"""


@dataclass(frozen=True)
class Mutant:
    """One mutant, and the exit code of its tests in mutmut's numbers: None if they have not run."""

    path: str
    name: str
    code: int | None

    @property
    def survived(self) -> bool:
        """Whether no test failed, or there is no test of the function."""
        return self.code in (SURVIVED, NO_TESTS)

    def change(self) -> str:
        """Return the lines that differ: the old ones with ``-`` before them, and the new ones with ``+``."""
        from mutmut.mutation.diff_apply import get_diff_for_mutant

        lines = get_diff_for_mutant(self.name, path=self.path).splitlines()
        changed = [line for line in lines if line[:1] in ("+", "-") and line[:3] not in ("+++", "---")]
        return "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed)

    def function(self) -> str:
        """Return the name of the function, with that of its class."""
        name = self.name.partition("__mutmut_")[0].rpartition(".")[2]
        return name.removeprefix("x_") if name.startswith("x_") else name[2:].replace("ǁ", ".")


def copy_tree() -> None:
    """Bring the copy up to date. Files keep their times, which mutmut compares to find out what has changed."""
    for source, target in [*SOURCES.items(), *((name, f"mutants/{name}") for name in OTHERS)]:
        destination = COPY / target
        if (ROOT / source).is_dir():
            shutil.rmtree(destination, ignore_errors=True)
            shutil.copytree(ROOT / source, destination, ignore=UNWANTED)
        else:
            shutil.copy2(ROOT / source, destination)
    shutil.copy2(ROOT / "pyproject.toml", COPY)
    for file in MUTANTS.rglob("*.py.meta"):
        if not (COPY / file.relative_to(MUTANTS)).with_suffix("").exists():
            file.unlink()  # the results of a module that is gone


def python(folder: Path, *arguments: str) -> None:
    """Run Python in *folder*, with the code in it. The output is printed only if that fails."""
    log = COPY / "log.txt"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder / "tools")])}
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, stdout=output, stderr=output)
    if done.returncode:
        sys.exit(f"{log.read_text('utf-8', 'replace')[-3000:]}\nThe whole output is in {log.relative_to(ROOT)}.")


def pytest(*options: str) -> None:
    """Run pytest in the copy, with the plugin for mutants."""
    plugins = [argument for name in ("mutation_plugin", "no:xdist", "no:cacheprovider") for argument in ("-p", name)]
    python(MUTANTS, "-m", "pytest", "-q", *plugins, *options, *TESTS)


def prepare(processes: int) -> bool:
    """Copy the tree, write the mutants, and run the tests once. Return whether that was necessary for the tests."""
    MUTANTS.mkdir(parents=True, exist_ok=True)
    copy_tree()
    python(COPY, "-c", GENERATE.format(processes=processes))
    folders = [*(COPY / target for target in SOURCES.values()), MUTANTS / "tests"]
    newest = max(file.stat().st_mtime for folder in folders for file in folder.rglob("*.py"))
    if COVERAGE.exists() and COVERAGE.stat().st_mtime > newest:
        return False
    print("Running the tests once, to find out which lines they execute. It takes about ten minutes.", flush=True)
    pytest("--mutation=coverage")
    return True


def mutants(paths: list[str]) -> Iterator[Mutant]:
    """Yield the mutants of the modules at *paths*, or of all modules."""
    wanted = [path.removeprefix("transports/").rstrip("/") for path in paths]
    for file in sorted(MUTANTS.rglob("*.py.meta")):
        path = file.relative_to(MUTANTS).as_posix().removesuffix(".meta")
        if wanted and not any(path == name or path.startswith(f"{name}/") for name in wanted):
            continue
        for name, code in json.loads(file.read_text("utf-8"))["exit_code_by_key"].items():
            yield Mutant(path, name, code)


def test(names: list[str], processes: int, *options: str) -> None:
    """Test the mutants with these *names*, in a random order, so that a part of a run is a sample."""
    shuffled = random.Random(13).sample(sorted(names), len(names))  # noqa: S311 - not for cryptography
    file = COPY / "names.txt"
    file.write_text("\n".join(shuffled), "utf-8")
    print(f"Testing {len(names)} mutants.", flush=True)
    pytest(f"--mutation={file}", f"--mutation-processes={processes}", *options)


def reason(mutant: Mutant, change: str) -> str | None:
    """Return why no test can see *change*, or None if that is not known."""
    rules: list[dict[str, str]] = tomllib.loads(REASONS.read_text("utf-8"))["rule"]
    where = f"{mutant.path}:{mutant.function()}"
    for rule in rules:
        if re.search(rule.get("where", ""), where) and re.search(rule["change"], change, re.MULTILINE):
            return rule["reason"]
    return None


def scores(found: list[Mutant]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the table: for each module, how many mutants there are, were tested, and had which result."""
    yield "module", "mutants", "tested", "timed out", "survived", "score"
    paths = sorted({mutant.path for mutant in found})
    for path, members in [*((path, [m for m in found if m.path == path]) for path in paths), ("total", found)]:
        tested = sum(mutant.code is not None for mutant in members)
        survived = sum(mutant.survived for mutant in members)
        late = sum(mutant.code == TIMED_OUT for mutant in members)
        score = f"{100 * (tested - survived) / tested:.1f} %" if tested else "-"
        yield path, str(len(members)), str(tested), str(late), str(survived), score


def report(found: list[Mutant]) -> list[tuple[Mutant, str, str | None]]:
    """Print what survived, with the reason if it is known, and the score of each module. Return the survivors."""
    survivors = [(mutant, mutant.change()) for mutant in found if mutant.survived]
    known = [(mutant, change, reason(mutant, change)) for mutant, change in survivors]
    for mutant, change, why in known:
        suffix = " (no test executes it)" if mutant.code == NO_TESTS else ""
        print(f"\n{mutant.name}{suffix}{'' if why is None else f': {why}'}\n{change}")
    print()
    for name, *numbers in scores(found):
        print(f"{name:42}" + "".join(f"{number:>10}" for number in numbers))
    print(f"{sum(why is None for *_, why in known)} survivors have no reason in {REASONS.relative_to(ROOT)}.")
    return known


def scope(found: list[Mutant], paths: list[str]) -> str:
    """Return the sentence of the page that names what was tested."""
    mutants = f"{len(found)} mutants{' of ' + ', '.join(paths) if paths else ''}"
    tested = sum(mutant.code is not None for mutant in found)
    return f"This is a random sample: {tested} of {mutants}." if tested < len(found) else f"All {mutants} were tested."


def write_page(found: list[Mutant], survivors: list[tuple[Mutant, str, str | None]], paths: list[str]) -> None:
    """Replace the results in docs/mutants.md."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("mutmut", "pytest", "hypothesis"))
    lines = [f"Tested on {datetime.now(timezone.utc):%Y-%m-%d} with Python {sys.version.split()[0]}, {versions}.", ""]
    lines += [scope(found, paths), ""]
    for number, row in enumerate(scores(found)):
        lines += [f"| {' | '.join(row)} |", *(["|---|--:|--:|--:|--:|--:|"] if number == 0 else [])]
    lines += ["", "## Survivors", ""]
    for why in sorted({why or "Not explained yet" for *_, why in survivors}):
        lines += [f"**{why}**", ""]
        for mutant, change, own in survivors:
            if (own or "Not explained yet") == why:
                lines += [
                    f"- `{mutant.path}`, `{mutant.function()}`:",
                    "",
                    *(f"        {x}" for x in change.split("\n")),
                ]
                lines.append("")
    before, marker, _ = PAGE.read_text("utf-8").partition("<!-- results -->\n")
    PAGE.write_text(before + marker + "\n" + "\n".join(lines).rstrip() + "\n", "utf-8")


def main() -> None:
    """Test mutants as the arguments say, and print the report."""
    parser = argparse.ArgumentParser(description="Mutation tests.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a module or a package; all by default")
    parser.add_argument("--report", action="store_true", help="only print the report of what has been tested so far")
    parser.add_argument("--page", action="store_true", help="write docs/mutants.md even if not all mutants were tested")
    parser.add_argument("--thorough", action="store_true", help="test survivors without a reason with more tests")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many mutants to test at a time")
    arguments = parser.parse_args()
    if not arguments.report:
        tests_changed = prepare(arguments.processes)
        again = [mutant for mutant in mutants(arguments.paths) if tests_changed and mutant.survived]
        names = [mutant.name for mutant in [*mutants(arguments.paths)] if mutant.code is None]
        names += [mutant.name for mutant in again]
        if names:
            test(names, arguments.processes)
    os.chdir(COPY)  # mutmut reads below the current folder
    if arguments.thorough:
        survived = [mutant for mutant in mutants(arguments.paths) if mutant.survived]
        names = [mutant.name for mutant in survived if reason(mutant, mutant.change()) is None]
        test(names, arguments.processes, "--mutation-thorough")
    found = list(mutants(arguments.paths))
    if not found:
        sys.exit(f"no mutants of {' '.join(arguments.paths) or 'any module'}: see [tool.mutmut] in pyproject.toml")
    survivors = report(found)
    complete = not arguments.report and not arguments.paths and all(mutant.code is not None for mutant in found)
    if arguments.page or complete:
        write_page(found, survivors, arguments.paths)


if __name__ == "__main__":
    main()
