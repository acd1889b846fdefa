"""A pytest fixture that replays the cassette of a test: ``cassettes/<module>/<test>.json`` in the test's folder.

.. code-block:: python

    pytest_plugins = ["srpcore_transports.recorded.pytest_plugin"]  # in the conftest.py at the root

    @pytest.fixture
    def cassette_inner():
        return HttpsTransport("eu-west-1")  # what --record records from

    def test_log_in(cassette):
        Cognito(POOL_ID, CLIENT_ID, username="alice", transport=cassette).authenticate(PASSWORD)

``pytest`` replays the cassettes and opens no connection. ``pytest --record=missing`` records the cassettes that do not
exist, ``pytest --record=all`` records all of them again. The cassette of a test that fails is not changed.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from srpcore.protocol import Transport

from .recording import RecordingTransport
from .replay import Mode, ReplayTransport

__all__ = ["cassette", "cassette_inner", "cassette_keep", "cassette_mode", "cassette_path"]

_PASSED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--record``."""
    parser.getgroup("srpcore").addoption(
        "--record",
        choices=("none", "missing", "all"),
        default="none",
        help="record cassettes: none, those that are missing, or all of them",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Store whether the test passed, for the end of the fixture."""
    report = yield
    if call.when == "call":
        item.stash[_PASSED] = report.passed
    return report


@pytest.fixture
def cassette_inner() -> Transport:
    """Return the transport to record from: override it."""
    pytest.fail("override the fixture cassette_inner: it returns the transport to record from")


@pytest.fixture
def cassette_mode() -> Mode:
    """Return the mode of replay: override it for ``"unordered"`` or ``"once"``."""
    return "strict"


@pytest.fixture
def cassette_keep() -> Collection[str]:
    """Return the members that are recorded in the clear: override it for cassettes that are easier to read."""
    return ()


@pytest.fixture
def cassette_path(request: pytest.FixtureRequest) -> Path:
    """Return the path of the test's cassette."""
    name = request.node.nodeid.split("::", 1)[-1].replace("::", ".")
    return request.path.parent / "cassettes" / request.path.stem / f"{quote(name, safe='[]')}.json"


@pytest.fixture
def cassette(
    request: pytest.FixtureRequest, cassette_path: Path, cassette_mode: Mode, cassette_keep: Collection[str]
) -> Iterator[Transport]:
    """Return a transport that replays the test's cassette, or records it if ``--record`` demands that.

    A replay fails the test if it made a call that was not recorded, even if the program caught the error. Except in the
    mode ``"unordered"``, it also fails the test if recorded calls were not made.
    """
    record = request.config.getoption("--record")
    if record == "all" or (record == "missing" and not cassette_path.exists()):
        recording = RecordingTransport(request.getfixturevalue("cassette_inner"), cassette_path, keep=cassette_keep)
        yield recording
        recording.close() if request.node.stash.get(_PASSED, False) else recording.abandon()
        return
    if not cassette_path.exists():
        pytest.fail(f"the cassette {cassette_path} does not exist: run pytest --record=missing")
    replay = ReplayTransport(cassette_path, mode=cassette_mode)
    yield replay
    if request.node.stash.get(_PASSED, False):
        replay.assert_all_used() if cassette_mode != "unordered" else replay.assert_all_matched()
