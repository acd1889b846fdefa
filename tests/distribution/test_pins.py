"""Every version that the Makefile installs is pinned with hashes, and the pins satisfy the ranges in pyproject.toml."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
NODE = ROOT / "tests" / "counterparts" / "node"
NODE_FILES = (".npmrc", "package.json", "package-lock.json")
NODE_FOLDERS = (NODE, ROOT / "benchmarks" / "node")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
FILES: dict[str, dict[str, Any]] = PROJECT["tool"]["srpcore"]["requirements"]
GROUPS: dict[str, list[str | dict[str, str]]] = PROJECT["dependency-groups"]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
# Where the pins must be valid, as values of environment markers.
ENVIRONMENTS = [
    {
        "python_version": version,
        "python_full_version": f"{version}.1",
        "sys_platform": platform,
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    for version, platform in itertools.product(["3.11", "3.12", "3.13"], ["linux", "darwin"])
]


def pins(file: str) -> list[tuple[Requirement, list[str]]]:
    """Return the requirements in *file*, each with its options."""
    lines = (REQUIREMENTS / f"{file}.txt").read_text("utf-8").replace("\\\n", " ").splitlines()
    split = [line.split(" --") for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [(Requirement(requirement), [option.strip() for option in options]) for requirement, *options in split]


def applies(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(dict(environment))


def versions(files: Iterable[str], environment: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the versions that *files* pin in *environment*, by the name of the package."""
    found: dict[str, set[str]] = {}
    for pin, _ in itertools.chain.from_iterable(pins(file) for file in files):
        if applies(pin, environment):
            found.setdefault(canonicalize_name(pin.name), set()).add(str(pin.specifier).removeprefix("=="))
    return found


def in_group(name: str) -> Iterator[Requirement]:
    """Yield the requirements of a dependency group, those of the groups that it includes among them."""
    for entry in GROUPS[name]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from in_group(entry["include-group"])


def in_extra(name: str) -> Iterator[Requirement]:
    """Yield the requirements of an extra, those of the extras that it includes among them."""
    for requirement in map(Requirement, EXTRAS[name]):
        if requirement.name == PROJECT["project"]["name"]:
            yield from itertools.chain.from_iterable(in_extra(extra) for extra in requirement.extras)
        else:
            yield requirement


def ranges(file: str) -> list[Requirement]:
    """Return the requirements of the groups and extras that *file* pins."""
    groups = [in_group(name) for name in FILES[file].get("groups", [])]
    extras = [in_extra(name) for name in FILES[file].get("extras", [])]
    return list(itertools.chain(*groups, *extras))


def test_pyproject_lists_every_requirements_file() -> None:
    assert {path.stem for path in REQUIREMENTS.iterdir()} == set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_every_requirement_is_one_version_with_hashes(file: str) -> None:
    assert pins(file)
    for pin, options in pins(file):
        assert re.fullmatch(r"==[0-9][^*,]*", str(pin.specifier)), pin
        assert pin.url is None, pin
        assert options, f"{pin} has no hash"
        assert all(re.fullmatch(r"hash=sha256:[0-9a-f]{64}", option) for option in options), pin


@pytest.mark.parametrize("file", FILES)
def test_pins_satisfy_the_ranges_in_pyproject(file: str) -> None:
    assert ranges(file)
    for environment in ENVIRONMENTS:
        pinned = versions([file], environment)
        for requirement in ranges(file):
            if applies(requirement, environment):
                (version,) = pinned[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(version, prereleases=True), (requirement, version)


def test_every_range_in_pyproject_is_pinned_somewhere() -> None:
    pinned = {str(requirement) for file in FILES for requirement in ranges(file)}
    demanded = [*map(in_group, GROUPS), *map(in_extra, EXTRAS)]
    assert {str(requirement) for requirement in itertools.chain.from_iterable(demanded)} == pinned


def test_the_build_backend_is_pinned() -> None:
    backend = {str(Requirement(requirement)) for requirement in PROJECT["build-system"]["requires"]}
    assert backend <= {str(requirement) for requirement in in_group("build")}


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda e: f"{e['sys_platform']}-{e['python_version']}")
def test_files_that_are_installed_together_agree(environment: dict[str, str]) -> None:
    together = [file for file, contents in FILES.items() if not contents.get("isolated")]
    ambiguous = {name: found for name, found in versions(together, environment).items() if len(found) > 1}
    assert ambiguous == {}


@pytest.mark.parametrize(
    "path",
    [*REQUIREMENTS.iterdir(), *(folder / name for folder in NODE_FOLDERS for name in NODE_FILES)],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_file_of_pins_contains_an_address(path: Path) -> None:
    address = r"://|file:|(?:^|\s)(?:-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b|\"resolved\"|[\s'\"]/\w"
    assert [line for line in path.read_text("utf-8").splitlines() if re.search(address, line)] == []


@pytest.mark.parametrize("folder", NODE_FOLDERS, ids=lambda folder: folder.relative_to(ROOT).as_posix())
def test_npm_packages_are_pinned_with_hashes(folder: Path) -> None:
    wanted = json.loads((folder / "package.json").read_text("utf-8"))["dependencies"]
    locked = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]
    assert locked.pop("")["dependencies"] == wanted
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [path for path, entry in locked.items() if not entry["integrity"].startswith("sha512-")] == []


def commands(*targets: str) -> list[str]:
    """Return the commands that make would run for *targets* if nothing was up to date."""
    command = ["make", "--dry-run", "--always-make", "--no-print-directory", *targets]
    # If make runs the tests, its variables are in the environment.
    of_make = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "PYTHON", "VENV")
    environment = {name: value for name, value in os.environ.items() if name not in of_make}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("target", ["demo", "check", "test", "test-all", "lint", "test-wheel", "bench", "update"])
def test_make_installs_only_what_is_pinned(target: str) -> None:
    installs = [command for command in commands(target) if re.search(r"\bpip\b.*\binstall\b", command)]
    assert installs
    for command in installs:
        pinned = "--require-hashes" in command and "--only-binary :all:" in command
        project = "--no-deps" in command and "--no-build-isolation" in command
        assert pinned or project, command


def test_make_installs_npm_packages_from_the_lock_file() -> None:
    installs = [command for command in commands("test") if re.search(r"\bnpm\b", command)]
    assert any("npm ci" in command and "--ignore-scripts" in command for command in installs)
    assert not any(re.search(r"npm (?:install|i|add|update)\b", command) for command in installs)


def test_scripts_of_ci_install_no_package_that_is_not_pinned() -> None:
    for script in (ROOT / ".ci").iterdir():
        for line in script.read_text("utf-8").splitlines():
            if re.search(r"\b(?:pip|npm|uv)\b.*\binstall\b", line):
                assert "--no-deps" in line, f"{script.name}: {line}"
                assert "--no-index" in line, f"{script.name}: {line}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a git repository with the files that tools/pins.py reads, committed."""
    for name in ("tools", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in NODE_FOLDERS:
        shutil.copytree(folder, tmp_path / folder.relative_to(ROOT))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=Pin"]):
        identity = ["-c", "user.name=tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True)
    return tmp_path


def run_pins(project: Path, *arguments: str) -> list[str]:
    command = [sys.executable, str(project / "tools" / "pins.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


def replace(path: Path, old: str, new: str) -> None:
    contents = path.read_text("utf-8")
    assert old in contents
    path.write_text(contents.replace(old, new), "utf-8")


def test_changes_lists_each_pin_that_differs_from_the_commit(project: Path) -> None:
    assert run_pins(project, "changes") == ["No pin has changed."]
    (old,) = versions(["lint"], ENVIRONMENTS[0])["ruff"]
    (pip,) = versions(["build"], ENVIRONMENTS[0])["pip"]
    replace(project / "requirements" / "lint.txt", f"ruff=={old} ", "ruff==999.1 ")
    replace(project / "requirements" / "build.txt", "pip==", "other==")
    node = json.loads((NODE / "package.json").read_text("utf-8"))["dependencies"]["pyodide"]
    replace(project / NODE.relative_to(ROOT) / "package-lock.json", f'"version": "{node}"', '"version": "999.2"')
    assert run_pins(project, "changes") == [
        f"npm pyodide {node} -> 999.2",
        f"other - -> {pip}",
        f"ruff {old} -> 999.1",
    ]


def test_newer_lists_each_installed_version_that_is_not_pinned(project: Path) -> None:
    (pinned,) = versions(["test"], ENVIRONMENTS[0])["pytest-timeout"]
    installed = metadata.version("pytest-timeout")
    requirements = project / "requirements" / "test.txt"
    replace(requirements, f"pytest-timeout=={pinned} ", f"pytest-timeout=={installed} ")
    assert [line for line in run_pins(project, "newer") if line.startswith("pytest-timeout ")] == []
    replace(requirements, f"pytest-timeout=={installed} ", "pytest-timeout==0.1 ")
    assert f"pytest-timeout 0.1 -> {installed}" in run_pins(project, "newer")
