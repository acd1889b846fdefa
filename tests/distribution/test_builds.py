"""The wheel and the source distribution: the same bytes from every build, and complete."""

from __future__ import annotations

import email
import email.message
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from trove_classifiers import classifiers, deprecated_classifiers

ROOT = Path(__file__).resolve().parents[2]
# The files of the project. Copying them, and not the whole folder, leaves environments and caches out.
SOURCES = [
    ".ci",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "RELEASING.md",
    "SECURITY.md",
    "benchmarks",
    "docs",
    "examples",
    "mkdocs.yml",
    "pyproject.toml",
    "requirements",
    "srpcore",
    "tests",
    "tools",
    "transports",
]

pytestmark = pytest.mark.long


def copy_sources(target: Path) -> Path:
    target.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, target / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis", "jwks.json")
            )
        elif source.exists():  # git's own files are not in a source distribution
            shutil.copy(source, target)
    return target


def build(tree: Path, **variables: str) -> dict[str, bytes]:
    """Build *tree* with the installed build backend, and return the files by name."""
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tree.with_suffix(".dist")), str(tree)]
    done = subprocess.run(
        command, env={**environment, **variables}, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    return {path.name: path.read_bytes() for path in tree.with_suffix(".dist").iterdir()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_sources(tmp_path_factory.mktemp("first") / "tree")


@pytest.fixture(scope="module")
def built(tree: Path) -> dict[str, bytes]:
    return build(tree)


def write(built: dict[str, bytes], ending: str, folder: Path) -> Path:
    (name,) = [name for name in built if name.endswith(ending)]
    path = folder / name
    path.write_bytes(built[name])
    return path


@pytest.fixture
def source_files(built: dict[str, bytes], tmp_path: Path) -> set[str]:
    """Return the names of the files in the source distribution, without the folder that holds them all."""
    with tarfile.open(write(built, ".tar.gz", tmp_path)) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


@pytest.fixture
def wheel(built: dict[str, bytes], tmp_path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(write(built, ".whl", tmp_path))


def metadata_of(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return email.message_from_string(wheel.read(name).decode("utf-8"))


def test_a_build_at_another_time_in_another_place_gives_the_same_bytes(built: dict[str, bytes], tmp_path: Path) -> None:
    tree = copy_sources(tmp_path / "elsewhere")
    for number, path in enumerate(sorted(tree.rglob("*"), reverse=True)):
        os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
        if path.is_file() and not path.stat().st_mode & 0o100:
            path.chmod(0o600)
    again = build(tree, TZ="Pacific/Kiritimati", PYTHONHASHSEED="1", LC_ALL="C")
    assert sorted(again) == sorted(built)
    assert [name for name in built if again[name] != built[name]] == []


def test_the_source_distribution_has_what_its_tests_and_its_readers_need(tree: Path, source_files: set[str]) -> None:
    folders = {".ci", "benchmarks", "docs", "examples", "requirements", "srpcore", "tests", "tools", "transports"}
    assert {name.partition("/")[0] for name in source_files if "/" in name} == folders
    expected = {
        path.relative_to(tree).as_posix() for folder in folders for path in (tree / folder).rglob("*") if path.is_file()
    }
    assert expected - source_files == set()
    documents = {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "RELEASING.md", "SECURITY.md"}
    assert documents | {"Makefile", "pyproject.toml", "PKG-INFO"} <= source_files


def test_the_source_distribution_builds_the_same_wheel(built: dict[str, bytes], tmp_path: Path) -> None:
    with tarfile.open(write(built, ".tar.gz", tmp_path)) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    again = build(unpacked.rename(tmp_path / "unpacked"))
    assert again == built


def test_the_wheel_has_the_packages_their_types_and_the_licence(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    assert {name.partition("/")[0] for name in names} == {"srpcore", "srpcore_transports", info}
    assert {"srpcore/py.typed", "srpcore_transports/py.typed", f"{info}/licenses/LICENSE"} <= names
    entry_points = wheel.read(f"{info}/entry_points.txt").decode("utf-8")
    assert "[console_scripts]\nsrpcore = srpcore.cli:main\n" in entry_points
    assert "[pytest11]\nsrpcore = srpcore_transports.pytest_plugin\n" in entry_points


def test_metadata_is_complete(wheel: zipfile.ZipFile) -> None:
    metadata = metadata_of(wheel)
    assert metadata["Author"] == "srpcore developers"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert len(metadata["Summary"]) <= 120
    assert metadata["Keywords"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_all("Project-URL") is None


def test_classifiers_are_known_and_name_every_python(wheel: zipfile.ZipFile) -> None:
    given = metadata_of(wheel).get_all("Classifier", [])
    assert [name for name in given if name not in classifiers or name in deprecated_classifiers] == []
    assert len(set(given)) == len(given)
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)} <= set(given)


def test_installing_it_needs_no_other_package(wheel: zipfile.ZipFile) -> None:
    demands = metadata_of(wheel).get_all("Requires-Dist", [])
    assert [demand for demand in demands if "extra ==" not in demand] == []


def test_the_extra_all_is_every_extra_except_the_test_tools(wheel: zipfile.ZipFile) -> None:
    metadata = metadata_of(wheel)
    demands = [Requirement(demand) for demand in metadata.get_all("Requires-Dist", [])]

    def packages(extra: str) -> set[str]:
        return {demand.name for demand in demands if demand.marker and demand.marker.evaluate({"extra": extra})}

    extras = set(metadata.get_all("Provides-Extra", [])) - {"all", "testing", "bench"}
    assert extras == {
        *{"crypto", "fast", "botocore", "httpx", "opentelemetry", "requests", "local", "keyring", "dropin"},
        *{"aiohttp", "cli", "dynamodb", "redis"},
    }
    assert packages("all") == set().union(*map(packages, extras))
    assert {"pytest", "hypothesis"} <= packages("testing") - packages("all")
