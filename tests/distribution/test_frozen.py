"""Programs that are bundled with srpcore: by PyInstaller, which looks for import statements, and as a zipapp."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipapp
from collections.abc import Iterator
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

import srpcore
import srpcore_transports
from srpcore.resolve import transport_module
from srpcore_transports.local import LocalUserPool
from support.users import PASSWORD

pytestmark = pytest.mark.slow  # for `make check`, which runs at every save

PROGRAM = """
import asyncio
import sys

from srpcore import AsyncCognito, Cognito, ConfigurationError, TokenVerifier

url, pool_id, client_id, password = sys.argv[1:]

with Cognito(pool_id, client_id, username="alice", endpoint_url=url) as user:
    user.authenticate(password)
print("logged in:", user.access_claims["username"] is not None)

async def log_in():
    async with AsyncCognito(pool_id, client_id, username="alice", endpoint_url=url) as user:
        await user.authenticate(password)
        print("logged in on an event loop:", user.access_claims["username"] is not None)

asyncio.run(log_in())

with TokenVerifier(pool_id, client_id=client_id, token_use="access", endpoint_url=url) as verifier:
    print("verified:", verifier.verify(user.access_token)["client_id"] == client_id)

with Cognito(pool_id, client_id, endpoint_url=url, access_key="a", secret_key="b") as administrator:
    print("region:", administrator.user_pool_region)

try:
    Cognito(pool_id, client_id, endpoint_url=url, transport="httpx")
except ConfigurationError as error:
    print("httpx:", error)
"""

EXPECTED = """logged in: True
logged in on an event loop: True
verified: True
region: us-east-1
"""


@pytest.fixture
def arguments() -> Iterator[list[str]]:
    """Serve a pool with a user, and yield the arguments of the program."""
    with LocalUserPool() as pool, pool.serve() as server:
        user = srpcore.Cognito(pool.user_pool_id, pool.client_id, transport=pool)
        user.set_base_attributes(email="alice@example.com")
        user.register("alice", PASSWORD)
        user.confirm_sign_up(pool.outbox.latest("alice").code)
        yield [server.url, pool.user_pool_id, pool.client_id, PASSWORD]


def run(command: list[str]) -> str:
    """Return what *command* prints, without the modules that this environment can import."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SRPCORE_"))}
    ended = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_default_transport_is_visible_to_static_analysis(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("from srpcore import Cognito\n", encoding="utf-8")
    roots = {str(Path(package.__path__[0]).parent) for package in (srpcore, srpcore_transports)}
    # Only the standard library beside them: ModuleFinder fails on the namespace packages of setuptools.
    standard_library = [folder for folder in sys.path if "site-packages" not in folder]
    excluded = ["boto3", "botocore", "requests", "setuptools", "pkg_resources", "_distutils_hack"]
    finder = ModuleFinder([*roots, *standard_library], excludes=excluded)
    finder.run_script(str(program))
    assert {"srpcore.client", "srpcore_transports.https", "srpcore_transports.credentials"} <= finder.modules.keys()
    assert "srpcore_transports.botocore" not in finder.modules, "every bundle would contain botocore"


def test_a_transport_that_is_not_in_the_bundle_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(srpcore.ConfigurationError) as caught:
        transport_module("missing.part")
    assert str(caught.value) == (
        "srpcore_transports.missing is not in this bundle: build it with srpcore_transports.missing included, for "
        "example by PyInstaller's option --hidden-import srpcore_transports.missing"
    )


@pytest.mark.system  # PyInstaller needs objdump, of the package binutils
@pytest.mark.slow
@pytest.mark.timeout(1000)
def test_a_program_bundled_by_pyinstaller_logs_in(tmp_path: Path, arguments: list[str]) -> None:
    pytest.importorskip("PyInstaller")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    for package in (srpcore, srpcore_transports):
        command += ["--paths", str(Path(package.__path__[0]).parent)]
    for option in ("--distpath", "--workpath", "--specpath"):
        command += [option, str(tmp_path / option.strip("-"))]
    environment = {**os.environ, "PYINSTALLER_CONFIG_DIR": str(tmp_path / "config")}
    subprocess.run([*command, str(program)], env=environment, check=True, timeout=600)
    output = run([str(tmp_path / "distpath" / "program" / "program"), *arguments])
    assert output.startswith(EXPECTED)
    assert "--hidden-import srpcore_transports.httpx" in output.removeprefix(EXPECTED)


def test_a_zipapp_logs_in(tmp_path: Path, arguments: list[str]) -> None:
    folder = tmp_path / "program"
    for package in (srpcore, srpcore_transports):
        source = Path(package.__path__[0])
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    archive = tmp_path / "program.pyz"
    zipapp.create_archive(folder, archive)
    shutil.rmtree(folder)
    output = run([sys.executable, "-I", "-S", str(archive), *arguments])
    assert output.startswith(EXPECTED)
