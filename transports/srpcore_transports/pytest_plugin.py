"""A pytest plugin for the tests of programs that use srpcore. If srpcore is installed, pytest loads it by itself.

Fixtures:

``user_pool``
    a new embedded user pool, a :class:`~srpcore_transports.local.UserPool`: ``user_pool.add_user("alice")``,
    ``user_pool.token(scopes="orders/read")``. Override the fixture ``user_pool_settings`` to change its arguments.
``cassette``
    a transport that replays the recorded calls of the test, or records them: see below.
``srpcore_botocore``
    lets objects that are made in the test use the botocore transport. Tools that replace botocore in tests (moto,
    ``botocore.stub.Stubber``, patches of ``boto3.client``) need it. The default transport never looks for such patches,
    because tracing libraries patch botocore in production.

The setting ``srpcore_transport`` chooses the transport for the whole test run:

.. code-block:: toml

    [tool.pytest.ini_options]  # in pyproject.toml; pytest.ini and tox.ini have the same setting
    srpcore_transport = "botocore"

The cassette of a test is ``cassettes/<module>/<test>.json`` in the test's folder:

.. code-block:: python

    @pytest.fixture
    def cassette_inner():
        return HttpsTransport("eu-west-1")  # what --srpcore-record records from

    def test_log_in(cassette):
        Cognito(POOL_ID, CLIENT_ID, username="alice", transport=cassette).authenticate(PASSWORD)

``pytest`` replays the cassettes and opens no connection. ``pytest --srpcore-record=missing`` records the cassettes that
do not exist, ``pytest --srpcore-record=all`` records all of them again. The cassette of a test that fails is not
changed. The fixtures ``cassette_inner``, ``cassette_mode``, ``cassette_keep``, ``cassette_path`` and
``cassette_user_pool_id`` can be overridden.

A fixture of the same name in a program's own conftest.py or test module overrides one of these, as pytest always does.
``pytest --fixtures`` shows which one is used. Nothing of srpcore is imported before a test uses one of the fixtures.
"""

# pytest loads this module in every test run on a computer that has srpcore, also in those of other programs. So it
# imports nothing but pytest here, and the option is prefixed: pytest ends if two plugins have an option of one name.

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from pluggy import Result

    from srpcore.protocol import Transport

    from .local import UserPool
    from .recorded import Mode, ReplayTransport

__all__ = [
    "cassette",
    "cassette_inner",
    "cassette_keep",
    "cassette_mode",
    "cassette_path",
    "cassette_user_pool_id",
    "srpcore_botocore",
    "user_pool",
    "user_pool_settings",
]

_VARIABLE = "SRPCORE_TRANSPORT"
_NAMES = ("https", "httpx", "botocore")
_RECORD = "--srpcore-record"
_MOTO_NOTE = (
    'moto does not affect the default transport of srpcore: set srpcore_transport = "botocore" in pytest\'s settings, '
    "or use the fixture srpcore_botocore in this test"
)
_VERIFIER_NOTE = (
    "moto does not affect a TokenVerifier, not even with srpcore_transport: give it the keys with "
    "verifier.load_jwks(user.pool_jwk) after a login of user"
)
# The service does not know moto's pools and credentials.
_UNKNOWN_TO_AWS = ("ResourceNotFoundException", "UnrecognizedClientException")
_SET = pytest.StashKey[bool]()
_PASSED = pytest.StashKey[bool]()
_MAX_NAME = 200  # file systems allow 255 bytes


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting ``srpcore_transport`` and the option ``--srpcore-record``."""
    parser.addini("srpcore_transport", f"the transport of srpcore in this test run: {', '.join(_NAMES)}", default="")
    parser.getgroup("srpcore").addoption(
        _RECORD,
        choices=("none", "missing", "all"),
        default="none",
        help="record cassettes: none, those that are missing, or all of them",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment variable before test modules are imported. A variable that is already set is kept."""
    # In pytest.ini the quotation marks of TOML would be part of the value.
    name = config.getini("srpcore_transport").strip("\"'")
    if name and name not in _NAMES:
        raise pytest.UsageError(f"srpcore_transport is {name!r}: use {', '.join(_NAMES)}")
    config.stash[_SET] = bool(name) and _VARIABLE not in os.environ
    if config.stash[_SET]:
        os.environ[_VARIABLE] = name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the environment variable, for a program that runs pytest within its own process."""
    if config.stash.get(_SET, False):
        os.environ.pop(_VARIABLE, None)


# Not wrapper=True, which ends the test run of everybody who has srpcore and pytest 7.
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Result[pytest.TestReport], None]:
    """Store whether the test passed, for the end of the fixture ``cassette``. Add a note to an error beside moto."""
    if call.excinfo is not None:
        _add_note_on_moto(call.excinfo.value)
    outcome = yield
    passed = outcome.get_result().passed
    if call.when == "setup":
        item.stash[_PASSED] = passed  # the test may run again after a failure (pytest-rerunfailures)
    elif call.when == "call":
        # Subtests have reports of their own, before that of the test.
        item.stash[_PASSED] = item.stash.get(_PASSED, True) and passed


def _add_note_on_moto(error: BaseException) -> None:
    """Add a note if moto is loaded and *error* shows that the request went to the real service, past moto."""
    if not {"moto", "srpcore.exceptions"} <= sys.modules.keys():
        return
    botocore = os.environ.get(_VARIABLE) == "botocore"
    note = _VERIFIER_NOTE if botocore else _MOTO_NOTE
    from srpcore.exceptions import ServiceError, TransportError

    shown: BaseException | None = error
    while shown is not None and note not in getattr(shown, "__notes__", ()):
        to_aws = isinstance(shown, TransportError) and ".amazonaws.com" in shown.url
        if botocore:
            # Only a verifier still sends requests past moto: it fetches the key set over HTTPS.
            past_moto = isinstance(shown, TransportError) and shown.fetching and to_aws
        else:
            past_moto = to_aws or (isinstance(shown, ServiceError) and shown.code in _UNKNOWN_TO_AWS)
        if past_moto:
            shown.add_note(note)
        shown = shown.__cause__ or shown.__context__


@pytest.fixture
def srpcore_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let objects that are made in this test use the botocore transport, so that moto, stubs and patches work."""
    monkeypatch.setenv(_VARIABLE, "botocore")


@pytest.fixture
def user_pool_settings() -> Mapping[str, Any]:
    """Return the arguments of ``user_pool``: override it, for example with a fixed ``user_pool_id``."""
    return {}


@pytest.fixture
def user_pool(user_pool_settings: Mapping[str, Any]) -> Iterator[UserPool]:
    """Return an embedded user pool, new for each test: ``add_user()`` adds users, ``token()`` issues tokens."""
    _require_packages("user_pool")
    from .local import UserPool

    with UserPool(**user_pool_settings) as pool:
        yield pool


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
    from hashlib import sha256
    from urllib.parse import quote

    name = quote(request.node.nodeid.split("::", 1)[-1].replace("::", "."), safe="[]")
    if len(name) > _MAX_NAME:
        name = f"{name[:_MAX_NAME]}-{sha256(name.encode()).hexdigest()[:16]}"
    return request.path.parent / "cassettes" / request.path.stem / f"{name}.json"


@pytest.fixture
def cassette_user_pool_id() -> str | None:
    """Return the id of the pool that the test uses: override it if this is not the pool that was recorded."""
    return None


@pytest.fixture
def cassette(
    request: pytest.FixtureRequest,
    cassette_path: Path,
    cassette_mode: Mode,
    cassette_keep: Collection[str],
    cassette_user_pool_id: str | None,
) -> Iterator[Transport]:
    """Return a transport that replays the test's cassette, or records it if ``--srpcore-record`` demands that.

    A replay fails the test if it made a call that was not recorded, even if the program caught the error. Except in the
    mode ``"unordered"``, it also fails the test if recorded calls were not made.
    """
    _require_packages("cassette")
    from .recorded import RecordingTransport, ReplayTransport

    record = request.config.getoption(_RECORD)
    if record == "all" or (record == "missing" and not cassette_path.exists()):
        recording = RecordingTransport(request.getfixturevalue("cassette_inner"), cassette_path, keep=cassette_keep)
        yield recording
        if request.node.stash.get(_PASSED, False):
            recording.close()
        else:
            recording.abandon()
        return
    if not cassette_path.exists():
        pytest.fail(f"the cassette {cassette_path} does not exist: run pytest {_RECORD}=missing")
    replay = ReplayTransport(cassette_path, mode=cassette_mode, user_pool_id=cassette_user_pool_id)
    yield replay
    if request.node.stash.get(_PASSED, False):
        _check_use(replay, cassette_mode)


def _check_use(replay: ReplayTransport, mode: Mode) -> None:
    if mode == "unordered":
        replay.assert_all_matched()
    else:
        replay.assert_all_used()


def _require_packages(fixture: str) -> None:
    """Fail the test with a hint if a package is missing that the local pool and recordings need to sign tokens."""
    try:
        import_module("srpcore_transports.local")
    except ModuleNotFoundError as error:
        package = "PyJWT" if error.name == "jwt" else error.name
        pytest.fail(f"the fixture {fixture} needs the package {package}: pip install 'srpcore[testing]'")
