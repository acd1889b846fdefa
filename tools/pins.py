"""Pin every version that the Makefile installs, and show how pins differ.

    python tools/pins.py update            # pin the newest versions, in requirements/ and the folders for npm
    python tools/pins.py changes [COMMIT]  # print the pins that differ from those in COMMIT (default: HEAD)
    python tools/pins.py newer             # print the installed versions that differ from the pins

``update`` reads ``[tool.srpcore.requirements]`` in pyproject.toml: which dependency groups and extras each requirements
file pins, and whether it is installed into an environment of its own. All other files are installed into one
environment, .venv, so they must agree. For that, ``update`` works in two steps::

    all groups and extras of .venv  --uv-->  newest versions that fit together
                                                  | constrain
                                                  v
    groups and extras of one file   --uv-->  requirements/<file>.txt

Only wheels are pinned: pip installs them without a build backend, which no requirements file could pin.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE = (Path("tests/counterparts/node"), Path("benchmarks/node"))
"""The folders with npm's pins."""

PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;]+)(?: ; (?P<marker>[^\\]+))?")


@dataclass(frozen=True)
class RequirementsFile:
    """The contents of one requirements file, as pyproject.toml describes them."""

    name: str
    groups: tuple[str, ...]
    extras: tuple[str, ...]
    isolated: bool

    @property
    def path(self) -> Path:
        """The path of the file, relative to the root of the project."""
        return Path("requirements", f"{self.name}.txt")


@dataclass(frozen=True)
class Pin:
    """One package at one version, with its environment marker ("" if it is installed everywhere)."""

    name: str
    version: str
    marker: str


def requirements_files() -> list[RequirementsFile]:
    """Return the requirements files that pyproject.toml lists."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["srpcore"]["requirements"]
    return [
        RequirementsFile(
            name=name,
            groups=tuple(contents.get("groups", ())),
            extras=tuple(contents.get("extras", ())),
            isolated=contents.get("isolated", False),
        )
        for name, contents in table.items()
    ]


def pins_of(requirements: str) -> list[Pin]:
    """Return the pins in the contents of a requirements file."""
    matches = (PIN.match(line) for line in requirements.splitlines())
    return [Pin(match["name"], match["version"], (match["marker"] or "").strip()) for match in matches if match]


def node_pins_of(lock_file: str) -> list[Pin]:
    """Return the pins in the contents of npm's lock file; nested copies of a package keep their path as the name."""
    packages: dict[str, dict[str, str]] = json.loads(lock_file)["packages"]
    return [
        Pin(f"npm {path.removeprefix('node_modules/')}", entry["version"], "")
        for path, entry in packages.items()
        if path
    ]


def update() -> None:
    """Write the requirements files and npm's lock files with the newest versions that fit together."""
    files = requirements_files()
    shared = [file for file in files if not file.isolated]
    groups = [group for file in shared for group in file.groups]
    extras = [extra for file in shared for extra in file.extras]
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text(_compile(groups, extras), "utf-8")
        for file in files:
            contents = _compile(file.groups, file.extras, None if file.isolated else constraints)
            # A file that is written again, even with the same contents, makes make create environments again.
            if not (ROOT / file.path).exists() or (ROOT / file.path).read_text("utf-8") != contents:
                (ROOT / file.path).write_text(contents, "utf-8")
    for pinned in NODE:
        _update_node(ROOT / pinned)


def _compile(groups: Iterable[str], extras: Iterable[str], constraints: Path | None = None) -> str:
    """Return the contents of a requirements file for *groups* and *extras*, as uv resolves them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--only-binary", ":all:", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links"]
    command += ["--python-version", project["requires-python"].removeprefix(">=")]
    command += [f"--group=pyproject.toml:{group}" for group in groups]
    extra_options = [f"--extra={extra}" for extra in extras]
    if extra_options:
        command += ["pyproject.toml", *extra_options]
    if constraints:
        command += ["--constraint", str(constraints)]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "UV_CUSTOM_COMPILE_COMMAND": "make update",
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    # uv names the file of constraints as a source of each package. It is a temporary file, so leave it out.
    return "".join(line for line in done.stdout.splitlines(keepends=True) if "#   -c " not in line)


def _update_node(folder: Path) -> None:
    """Raise the versions in package.json and package-lock.json to the newest ones."""
    lock_file = folder / "package-lock.json"
    packages: dict[str, str] = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"]
    # Without the old lock file, npm chooses the newest versions of indirect dependencies too.
    lock_file.unlink(missing_ok=True)
    command = ["npm", "install", "--package-lock-only", "--save-exact", "--ignore-scripts", "--loglevel=error"]
    command += [f"{name}@latest" for name in packages]
    subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True)
    # Leave out what installing does not need, and what has addresses in it: of sponsors, and of successors.
    contents = json.loads(lock_file.read_text("utf-8"))
    for entry in contents["packages"].values():
        for name in ("funding", "deprecated"):
            entry.pop(name, None)
    lock_file.write_text(json.dumps(contents, indent=2) + "\n", "utf-8")


def changes(commit: str) -> list[str]:
    """Return one line for each package whose pins differ between *commit* and the working tree."""
    old: list[Pin] = []
    new: list[Pin] = []
    sources = [
        *((file.path, pins_of) for file in requirements_files()),
        *((folder / "package-lock.json", node_pins_of) for folder in NODE),
    ]
    for path, parse in sources:
        command = ["git", "show", f"{commit}:{path.as_posix()}"]
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if shown.returncode == 0:  # otherwise the file is not in that commit
            old += parse(shown.stdout)
        new += parse((ROOT / path).read_text("utf-8"))
    return list(differences(old, new))


def differences(old: Iterable[Pin], new: Iterable[Pin]) -> Iterator[str]:
    """Yield "name old -> new" for each package whose versions differ, sorted by name; "-" stands for no version."""
    before, after = _versions(old), _versions(new)
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"{name} {before.get(name, '-')} -> {after.get(name, '-')}"


def _versions(pins: Iterable[Pin]) -> dict[str, str]:
    versions: dict[str, set[str]] = {}
    for pin in pins:
        versions.setdefault(pin.name, set()).add(pin.version)
    return {name: ", ".join(sorted(found)) for name, found in versions.items()}


def newer() -> Iterator[str]:
    """Yield "name pinned -> installed" for each package of this environment at a version that is not pinned for it."""
    from packaging.markers import Marker
    from packaging.utils import canonicalize_name

    pinned = [
        pin
        for file in requirements_files()
        if not file.isolated
        for pin in pins_of((ROOT / file.path).read_text("utf-8"))
        if not pin.marker or Marker(pin.marker).evaluate()
    ]
    installed = {canonicalize_name(found.name): found.version for found in metadata.distributions()}
    del installed[canonicalize_name("srpcore")]
    yield from differences(
        (pin for pin in pinned if pin.name in installed),
        (Pin(name, version, "") for name, version in installed.items()),
    )


def main(arguments: list[str]) -> int:
    """Run the command that *arguments* name, and return the exit status."""
    match arguments:
        case ["update"]:
            update()
        case ["changes", *commit] if len(commit) < 2:
            _print(changes(commit[0] if commit else "HEAD"), "No pin has changed.")
        case ["newer"]:
            _print(newer(), "All installed versions are the pinned ones.")
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


def _print(lines: Iterable[str], if_none: str) -> None:
    print("\n".join(lines) or if_none)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
