"""The fixture ``cassette``, in test runs of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import srpcore
import srpcore_transports

# These tests start one process or more each, so together they are too slow for the unit tier.
pytestmark = pytest.mark.slow

ROOTS = os.pathsep.join(str(Path(package.__path__[0]).parent) for package in (srpcore, srpcore_transports))

CONFTEST = """
import pytest
from srpcore.protocol import Operation, Reply

class Service:
    asked = closed = 0

    def call(self, operation):
        Service.asked += 1
        return Reply({"Precedence": Service.asked, "Username": operation.parameters["Username"]})

    def fetch(self, url):
        raise AssertionError

    def close(self):
        Service.closed += 1

@pytest.fixture
def cassette_inner():
    return Service()

@pytest.fixture
def ask(cassette):
    return lambda name="alice": cassette.call(Operation("AdminGetUser", {"Username": name})).document
"""

TESTS = """
def test_one(ask):
    assert ask()["Precedence"] == 1

class TestMore:
    def test_two(self, ask):
        assert ask("bob")["Username"] == "bob"
        assert ask("bob")["Username"] == "bob"
"""


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cassettes = folder / "cassettes" / "test_it"
        (folder / "conftest.py").write_text(CONFTEST)
        self.write(TESTS)

    def write(self, tests: str) -> None:
        (self.folder / "test_it.py").write_text(tests)

    def run(self, *options: str) -> tuple[dict[str, int], str]:
        """Return how many tests passed, failed, ..., and all that was printed."""
        command = [sys.executable, "-W", "error", "-m", "pytest", "-p", "srpcore_transports.pytest_plugin"]
        command += ["-p", "no:cacheprovider", "-q", *options]
        environment = {**os.environ, "PYTHONPATH": ROOTS, "PYTHONDONTWRITEBYTECODE": "1"}
        # The plugins that happen to be installed here are no part of the test, and take long to load.
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        words = done.stdout.strip().splitlines()[-1].replace(",", "").split()
        counted = [(word.rstrip("s"), count) for count, word in pairwise(words) if count.isdigit()]
        return {word: int(count) for word, count in counted}, done.stdout

    def files(self) -> list[str]:
        return sorted(path.name for path in self.cassettes.glob("*"))

    def texts(self) -> dict[str, str]:
        return {name: (self.cassettes / name).read_text() for name in self.files()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


BOTH = ["TestMore.test_two.json", "test_one.json"]


def test_each_test_records_its_cassette_and_replays_it(project: Project) -> None:
    counts, output = project.run()
    assert "run pytest --srpcore-record=missing" in output
    assert counts == {"error": 2}
    assert project.run("--srpcore-record=missing")[0] == {"passed": 2}
    assert project.files() == BOTH
    before = project.texts()
    # The service counts what it is asked: test_one would fail if it were asked last.
    (project.folder / "conftest.py").write_text(CONFTEST.replace("asked = closed = 0", "asked = closed = 7"))
    assert project.run()[0] == {"passed": 2}
    assert project.run("--srpcore-record=none")[0] == {"passed": 2}
    assert project.run("--srpcore-record=missing")[0] == {"passed": 2}
    assert project.texts() == before
    (project.cassettes / "TestMore.test_two.json").unlink()
    assert project.run("--srpcore-record=missing")[0] == {"passed": 2}
    assert project.files() == BOTH
    assert project.texts()["test_one.json"] == before["test_one.json"]
    assert project.texts()["TestMore.test_two.json"] != before["TestMore.test_two.json"]


@pytest.mark.long
def test_a_failing_test_keeps_its_cassette_unchanged(project: Project) -> None:
    project.run("--srpcore-record=all")
    before = project.texts()
    (project.folder / "conftest.py").write_text(CONFTEST.replace("asked = closed = 0", "asked = closed = 7"))
    assert project.run("--srpcore-record=all")[0] == {"failed": 1, "passed": 1}
    after = project.texts()
    assert after["test_one.json"] == before["test_one.json"]
    assert after["TestMore.test_two.json"] != before["TestMore.test_two.json"]
    project.write(TESTS + "    def test_three(self, ask):\n        ask()\n        assert False\n")
    project.run("--srpcore-record=missing")
    assert project.files() == BOTH


def test_unused_and_unmatched_calls_fail_a_test(project: Project) -> None:
    project.run("--srpcore-record=all")
    project.write(TESTS.replace('        assert ask("bob")["Username"] == "bob"\n', "", 1))
    counts, output = project.run()
    assert counts == {"passed": 2, "error": 1}
    assert "recorded calls were not made: 2 AdminGetUser" in output
    tolerant = "\n    try:\n        ask('alice')\n    except Exception:\n        pass\n"
    project.write(TESTS.replace('ask()["Precedence"] == 1\n', f'ask()["Precedence"] == 1{tolerant}'))
    counts, output = project.run()
    assert counts == {"passed": 2, "error": 1}
    assert "all recorded calls are used" in output
    # A test that fails for a reason of its own is not blamed twice.
    project.write(TESTS.replace("== 1", "== 2").replace("ask()", "ask() and ask()"))
    assert project.run()[0] == {"passed": 1, "failed": 1}


@pytest.mark.long
def test_mode_members_to_keep_and_path_can_be_configured(project: Project) -> None:
    project.run("--srpcore-record=all")
    more = """
import pytest

@pytest.fixture
def cassette_mode():
    return "unordered"

@pytest.fixture
def cassette_keep():
    return {"Username"}
"""
    (project.folder / "conftest.py").write_text(CONFTEST + more)
    project.write(TESTS.replace('        assert ask("bob")["Username"] == "bob"\n', "", 1))
    assert project.run()[0] == {"passed": 2}
    project.write(TESTS.replace('["Precedence"] == 1', '["Precedence"] == 1 and ask()'))
    assert project.run()[0] == {"passed": 2}
    project.run("--srpcore-record=all")
    assert '"Username": "bob"' in project.texts()["TestMore.test_two.json"]


def test_names_of_parameters_become_names_of_files(project: Project) -> None:
    parameters = ["a/b", "a_b", "ä", ".."]
    test = f"""
import pytest

@pytest.mark.parametrize("name", {parameters!r}, ids={parameters!r})
def test_each(ask, name):
    assert ask(name)["Username"] == name
"""
    project.write(test)
    assert project.run("--srpcore-record=missing")[0] == {"passed": 4}
    assert len(project.files()) == 4
    assert project.run()[0] == {"passed": 4}


def test_the_error_for_recording_without_a_transport_has_a_hint(project: Project) -> None:
    (project.folder / "conftest.py").write_text(CONFTEST.replace("@pytest.fixture\ndef cassette_inner", "def unused"))
    counts, output = project.run("--srpcore-record=all")
    assert counts == {"error": 2}
    assert "override the fixture cassette_inner" in output
    assert project.files() == []


def test_cassette_is_json(project: Project) -> None:
    project.run("--srpcore-record=all")
    assert json.loads(project.texts()["test_one.json"])["srpcore cassette"] == 1


SUBTESTS = {
    "a fixture": """
def test_sub(cassette, subtests):
    with subtests.test("a"):
        assert 0
""",
    "unittest": """
import unittest
import pytest

class TestCase(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def use(self, cassette): ...

    def test_sub(self):
        with self.subTest("a"):
            self.fail()
""",
}


@pytest.mark.parametrize("tests", SUBTESTS.values(), ids=SUBTESTS)
def test_a_failing_subtest_keeps_its_cassette_unchanged(project: Project, tests: str) -> None:
    project.write(tests)
    counts, output = project.run("--srpcore-record=missing")
    assert counts.get("failed", 0) + counts.get("subtest", 0) >= 1, output
    assert project.files() == []


def test_a_long_name_of_a_test_is_cut(project: Project) -> None:
    project.write("""
import pytest

@pytest.mark.parametrize("name", ["\u5bc6" * 60, "\u5bc6" * 61])
def test_each(cassette, name): ...
""")
    assert project.run("--srpcore-record=missing")[0] == {"passed": 2}
    assert len(project.files()) == 2
    assert project.run()[0] == {"passed": 2}


LOGIN = """
import pytest
from srpcore import Cognito

@pytest.fixture
def cassette_inner(user_pool):
    user_pool.add_user("alice", password="Correct-Horse-1")
    return user_pool

def test_login(cassette, user_pool):
    user = Cognito(user_pool.user_pool_id, user_pool.client_id, username="alice", transport=cassette)
    user.authenticate("Correct-Horse-1")
    assert user.get_user().username == "alice"
    assert user.id_claims["iss"].endswith(user_pool.user_pool_id)
"""
POOL_OF_THE_TEST = """
@pytest.fixture
def cassette_user_pool_id(user_pool):
    return user_pool.user_pool_id
"""


@pytest.mark.long
def test_a_recording_of_the_embedded_pool_is_replayed_for_the_pool_of_the_test(project: Project) -> None:
    project.write(LOGIN)
    assert project.run("--srpcore-record=missing")[0] == {"passed": 1}
    counts, output = project.run()  # user_pool has another id in each run
    assert counts == {"failed": 1}
    assert "IssuerMismatch" in output
    project.write(LOGIN + POOL_OF_THE_TEST)
    assert project.run()[0] == {"passed": 1}
    assert project.run("--srpcore-record=all")[0] == {"passed": 1}
