"""The files in ``examples/local_pool_docker/``: what they run in a container works here, without one."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from support.cli_processes import KEYS, SRPCORE, environment, stopped

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "local_pool_docker"
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")


def instruction(name: str) -> list[str]:
    """Return the JSON array of the instruction, without the name of the program."""
    (found,) = re.findall(rf"^{name}\b.*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    words: list[str] = json.loads(found)
    return words


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the command of the image, with a free port and other paths, and return the address of the server."""
    command = [*instruction("ENTRYPOINT"), *instruction("CMD"), "--json"]
    assert command[0] == "srpcore"
    paths = {
        "9229": "0",
        "/etc/srpcore/seed.toml": str(FOLDER / "seed.toml"),
        "/data/pool.db": str(tmp_path_factory.mktemp("data") / "pool.db"),
    }
    assert paths.keys() <= {*command}
    process = subprocess.Popen(
        [*SRPCORE, *(paths.get(word, word) for word in command[1:])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(**KEYS),
    )
    with stopped(process):
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        assert (started["user_pool_id"], started["client_id"]) == ("us-east-1_Develop01", "develop")
        yield started["url"]


def health(port: str) -> int:
    command = [word.replace(":9229/", f":{port}/") for word in instruction("HEALTHCHECK")]
    assert command[0] == "python"
    return subprocess.run(
        [sys.executable, *command[1:]], env=environment(), capture_output=True, check=False
    ).returncode


def test_the_health_check_succeeds_if_the_server_is_up(url: str) -> None:
    assert health(url.rpartition(":")[2]) == 0
    assert health("1") != 0


def test_the_test_with_testcontainers_logs_in(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("container", "image", "wait_strategies"):
        monkeypatch.setitem(sys.modules, f"testcontainers.core.{name}", MagicMock())
    spec = importlib.util.spec_from_file_location("docker_example", FOLDER / "test_login.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.test_alice_logs_in(url)


def test_the_app_of_the_compose_file_logs_in(url: str, tmp_path: Path) -> None:
    yaml = importlib.import_module("yaml")
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]
    assert services["cognito"]["ports"] == ["127.0.0.1:9229:9229"]
    app = services["app"]
    settings = app["environment"]
    assert settings.pop("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER") == "http://cognito:9229"
    shell, option, script = app["command"]
    install, _, run = script.partition(" && ")
    assert install == "pip install -q srpcore"
    script = run.replace("srpcore", shlex.join(SRPCORE), 1)
    folders = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_STATE_HOME"), str(tmp_path))
    environ = environment(**settings, **folders, AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER=url)
    result = subprocess.run([shell, option, script], env=environ, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
